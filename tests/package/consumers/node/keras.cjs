// A file of Keras, with a reader of one's own in place of an HDF5 library.

const { LayerNormError } = require('layernorm');
const { loadKeras } = require('layernorm/keras');

const hdf5 = () => {
  const array = {
    kind: 'dataset',
    shape: [2],
    dtype: 'float32',
    attribute: () => undefined,
    read: () => [1, 2],
  };
  const group = (content, name) => ({
    kind: 'group',
    keys: Object.keys(content),
    get: (key) => content[key] ?? null,
    attribute: (key) => (key === 'name' ? name : undefined),
  });
  const vars = group({ 0: array, 1: array }, 'norm');
  return { root: group({ layers: group({ layer_normalization: group({ vars }) }) }) };
};

(async () => {
  const bytes = Uint8Array.of(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a);
  const { layers } = await loadKeras(bytes, { hdf5 });
  const error = await loadKeras(new Uint8Array(3), { hdf5 }).catch((thrown) => thrown);
  const { className, weights } = layers.get('norm');
  const beta = Array.from(weights.beta.data);
  console.log(JSON.stringify({ className, beta, code: error.code, ours: error instanceof LayerNormError }));
})();
