// The entry `layernorm/io`: reads and writes the files that weights and data come in.

export { LayerNormError, type LayerNormErrorCode } from './index.js';
export type { FileDType } from './io/dtypes.js';
export { isNpy, type NpyHeader, npyHeader, npyHeaderBytes, readNpyHeader } from './io/npy.js';
export {
  readSafetensorsHeader,
  type SafetensorsEntry,
  type SafetensorsHeader,
  type SafetensorsTensor,
  safetensorsHeader,
  safetensorsHeaderBytes,
} from './io/safetensors.js';
