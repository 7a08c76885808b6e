export {
  type CompiledModule,
  configure,
  createEngine,
  type Engine,
  type EngineOptions,
  info,
  type ThreadOptions,
} from './engine.js';
export {
  type BatchNormForward,
  type BatchNormForwardOptions,
  type BatchNormMoving,
  type BatchNormOptions,
  batchNorm,
  batchNormForward,
} from './ops/batch_norm.js';
export { type BatchNormBackwardOptions, batchNormBackward } from './ops/batch_norm_backward.js';
export type {
  ChannelBackwardOptions,
  ChannelGradients,
  ChannelOptions,
  ChannelResultOf,
} from './ops/channels.js';
export {
  type GroupNormForward,
  type GroupNormOptions,
  groupNorm,
  groupNormForward,
  type InstanceNormOptions,
} from './ops/group_norm.js';
export { type GroupNormBackwardOptions, groupNormBackward } from './ops/group_norm_backward.js';
export type { GroupResultOf } from './ops/groups.js';
export { instanceNorm, instanceNormBackward, instanceNormForward } from './ops/instance_norm.js';
export {
  type LayerNormForward,
  type LayerNormOptions,
  type LayerNormOutput,
  layerNorm,
  layerNormForward,
} from './ops/layer_norm.js';
export {
  type LayerNormBackward,
  type LayerNormBackwardOptions,
  type LayerNormGradient,
  type LayerNormGradients,
  layerNormBackward,
} from './ops/layer_norm_backward.js';
export type { MaskLike, NestedMask } from './ops/mask.js';
export { type MomentsOptions, type MomentsResult, moments } from './ops/moments.js';
export { LayerNormError, type LayerNormErrorCode } from './runtime/errors.js';
export type { Info } from './runtime/threads.js';
export type { ArrayOf, DType, FloatArray, NumericArray, ParameterDType } from './tensor/dtype.js';
export type { Tensor } from './tensor/heap_tensor.js';
export { tensor } from './tensor/tensor.js';
export type {
  DimsTensor,
  DTypeOf,
  NestedArray,
  Output,
  ParameterResultOf,
  ReducedResultOf,
  ResultOf,
  ShapedArray,
  TensorLike,
} from './tensor/tensor_like.js';
