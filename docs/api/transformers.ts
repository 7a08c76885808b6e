/**
 * `layer_norm` and `normalize` in the spelling of transformers.js, with the semantics of PyTorch. [From transformers.js](../guide/from-transformers.md) says how.
 *
 * @module
 */

export * from '../../js/src/transformers.js';
