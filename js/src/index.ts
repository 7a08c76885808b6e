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
  BatchNormalization,
  type BatchNormalizationOptions,
  type RenormClipping,
} from './layers/batch_normalization.js';
export {
  type Constraint,
  type ConstraintFunction,
  type ConstraintIdentifier,
  type ConstraintName,
  constraints,
} from './layers/constraints.js';
export {
  type ComputeDType,
  DTypePolicy,
  type PolicyName,
  type VariableDType,
} from './layers/dtype_policy.js';
export { type SavableLayer, type SerializedLayer, serializeLayer } from './layers/envelope.js';
export { GroupNormalization, type GroupNormalizationOptions } from './layers/group_normalization.js';
export {
  type Initializer,
  type InitializerFunction,
  type InitializerIdentifier,
  type InitializerName,
  initializers,
} from './layers/initializers.js';
export type { ApplyOptions, Layer, LayerOptions } from './layers/layer.js';
export { LayerNormalization, type LayerNormalizationOptions } from './layers/layer_normalization.js';
export {
  type AdaptBatch,
  type AdaptOptions,
  Normalization,
  type NormalizationOptions,
} from './layers/normalization.js';
export {
  type Regularizer,
  type RegularizerFunction,
  type RegularizerIdentifier,
  type RegularizerName,
  regularizers,
} from './layers/regularizers.js';
export { RMSNormalization, type RMSNormalizationOptions } from './layers/rms_normalization.js';
export type { CustomObjects, SerializedIdentifier, SerializedObject } from './layers/serialization.js';
export { deserializeLayer } from './layers/serialize_layer.js';
export {
  type KernelLayer,
  type KernelVariable,
  SpectralNormalization,
  type SpectralNormalizationOptions,
} from './layers/spectral_normalization.js';
export { UnitNormalization, type UnitNormalizationOptions } from './layers/unit_normalization.js';
export { setWarningHandler, type WarningHandler } from './layers/warnings.js';
export { Weight, type WeightDType, type WeightOptions, type WeightValue } from './layers/weight.js';
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
export { type MatryoshkaOptions, matryoshka } from './ops/matryoshka.js';
export {
  type FinalMoments,
  Moments,
  type MomentsCombiner,
  type MomentsOptions,
  type MomentsUpdateOptions,
  momentsCombiner,
} from './ops/mergeable_moments.js';
export { type MomentsCallOptions, type MomentsResult, moments } from './ops/moments.js';
export { type RmsNormForward, type RmsNormOptions, rmsNorm, rmsNormForward } from './ops/rms_norm.js';
export {
  type RmsNormBackward,
  type RmsNormBackwardOptions,
  type RmsNormGradient,
  rmsNormBackward,
} from './ops/rms_norm_backward.js';
export {
  type SkipLayerNormForward,
  type SkipLayerNormOptions,
  type SkipNorm,
  type SkipRmsNormForward,
  type SkipRmsNormOptions,
  skipLayerNorm,
  skipLayerNormForward,
  skipRmsNorm,
  skipRmsNormForward,
} from './ops/skip_layer_norm.js';
export {
  type SpectralNorm,
  type SpectralNormBackwardOptions,
  type SpectralNormOptions,
  spectralNorm,
  spectralNormBackward,
} from './ops/spectral_norm.js';
export { type UnitNormForward, type UnitNormOptions, unitNorm, unitNormForward } from './ops/unit_norm.js';
export {
  type UnitNormBackward,
  type UnitNormBackwardOptions,
  unitNormBackward,
} from './ops/unit_norm_backward.js';
export { LayerNormError, type LayerNormErrorCode } from './runtime/errors.js';
export type { Info } from './runtime/threads.js';
export type { ArrayOf, DType, FloatArray, NumericArray, ParameterDType } from './tensor/dtype.js';
export type { Tensor } from './tensor/heap_tensor.js';
export type { PartialShape } from './tensor/shape.js';
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
