/**
 * Functions, layers and tensors: `import { layerNorm } from 'layernorm'`.
 *
 * Each operation comes as `name` (the result), `nameForward` (also what its gradient takes) and `nameBackward` (the gradient). Layers
 * have the names, arguments and configs of Keras 3.
 *
 * @module
 */

export * from '../../js/src/index.js';
// In the package these are objects, whose members TypeDoc would list without their documentation.
export * as constraints from './constraints.js';
export * as initializers from './initializers.js';
export * as regularizers from './regularizers.js';
