// The entry `layernorm/io`: reads and writes the files that weights and data come in.

export type { Unzip } from './files/zip.js';
export { LayerNormError, type LayerNormErrorCode, type TensorLike } from './index.js';
export type { FileDType } from './io/dtypes.js';
export { type ElementLayout, type FileArray, type FileArrayOf, readElements } from './io/elements.js';
export {
  isNpy,
  type NpyHeader,
  npyHeader,
  npyHeaderBytes,
  readNpy,
  readNpyHeader,
  writeNpy,
} from './io/npy.js';
export { type NpzFile, type ReadNpzOptions, readNpz } from './io/npz.js';
export {
  type OnnxModel,
  type OnnxNormalization,
  type OnnxParameter,
  type ReadOnnxOptions,
  readOnnx,
} from './io/onnx.js';
export type { ExternalData } from './io/onnx_tensor.js';
export {
  readSafetensors,
  readSafetensorsHeader,
  type SafetensorsEntry,
  type SafetensorsFile,
  type SafetensorsHeader,
  type SafetensorsTensor,
  safetensorsHeader,
  safetensorsHeaderBytes,
  type WriteSafetensorsOptions,
  writeSafetensors,
} from './io/safetensors.js';
export type { WriteOptions } from './io/source.js';
