const { layerNorm } = require('layernorm');

try {
  layerNorm([1, 2, 3]);
} catch ({ name, code, message }) {
  console.log(`${name} ${code} ${message}`);
}
