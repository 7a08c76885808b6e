// The entry `layernorm/keras`: models that Keras 3 has saved. The readers of their formats are handed in.

export type { Unzip } from './files/zip.js';
export { LayerNormError, type LayerNormErrorCode } from './index.js';
export type { H5Wasm, Hdf5Dataset, Hdf5File, Hdf5Group, Hdf5Reader, JsFive } from './keras/hdf5.js';
export { type KerasFile, type LoadKerasOptions, loadKeras } from './keras/load.js';
export type { KerasLayer } from './keras/normalization.js';
export type { TensorFlowModel } from './keras/tensorflow_model.js';
export type { KerasVariables, KerasWeight } from './keras/variables.js';
