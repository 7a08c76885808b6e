export { LayerNormError, type LayerNormErrorCode, type MatryoshkaOptions, matryoshka } from './index.js';
export { layer_norm, type TransformersLayerNormOptions } from './transformers/layer_norm.js';
export { normalize, type TransformersNormalizeOptions } from './transformers/normalize.js';
export type { TransformersInput } from './transformers/tensors.js';
