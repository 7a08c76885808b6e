/**
 * The layers for TensorFlow.js, which is handed in and never imported. [From TensorFlow.js](../guide/from-tfjs.md) says how.
 *
 * @module
 */

export * from '../../js/src/tfjs.js';
