// The entry `layernorm/tfjs`: the layers for TensorFlow.js, which is handed in.

export { LayerNormError, type LayerNormErrorCode } from './runtime/errors.js';
export { patchBuiltins } from './tfjs/builtins.js';
export {
  type BatchNormalizationArgs,
  type GroupNormalizationArgs,
  type InstallOptions,
  install,
  type LayerFactory,
  type LayerNormalizationArgs,
  type Layers,
  type RmsNormalizationArgs,
  type SpectralNormalizationArgs,
  type UnitNormalizationArgs,
} from './tfjs/install.js';
export type { ClassName, LayerClass } from './tfjs/layers.js';
export type {
  GroupNormOptions,
  LayerNormOptions,
  Ops,
  RmsNormOptions,
  UnitNormOptions,
} from './tfjs/ops.js';
export type { TensorFlow, TensorFlowCore } from './tfjs/tensorflow.js';
