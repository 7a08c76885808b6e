// The entry `layernorm/kernels`: the operations on the addresses of any WebAssembly memory.

export type {
  ArrayArguments,
  BatchNormBackwardArguments,
  BatchNormForwardArguments,
  BatchNormInferenceArguments,
  ChannelArguments,
  GroupArguments,
  GroupNormBackwardArguments,
  GroupNormForwardArguments,
  KernelArguments,
  KernelName,
  LayerNormBackwardArguments,
  LayerNormForwardArguments,
  MatryoshkaArguments,
  MomentsArguments,
  RmsNormBackwardArguments,
  RmsNormForwardArguments,
  SkipLayerNormArguments,
  SpectralNormBackwardArguments,
  SpectralNormForwardArguments,
  UnitNormBackwardArguments,
  UnitNormForwardArguments,
} from './kernels/arguments.js';
export { createKernels, type Kernels, type KernelsOptions } from './kernels/kernels.js';
export { type Block, STACK_BYTES } from './kernels/memory.js';
export type { DType } from './runtime/core_module.js';
export { LayerNormError, type LayerNormErrorCode } from './runtime/errors.js';
