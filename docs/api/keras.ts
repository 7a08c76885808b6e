/**
 * Reads what Keras 3 has saved, `.keras` and `.weights.h5`. [From Keras](../guide/from-keras.md) says how.
 *
 * @module
 */

export * from '../../js/src/keras.js';
