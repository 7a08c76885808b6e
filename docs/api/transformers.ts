/**
 * Normalization for transformers.js. [From transformers.js](../guide/from-transformers.md) says how.
 *
 * @module
 */

export * from '../../js/src/transformers.js';
