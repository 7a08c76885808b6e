const { layerNorm } = require('layernorm');

console.log(
  JSON.stringify(Array.from(layerNorm(new Float32Array([1, 2, 3, 10, 20, 60]), { shape: [2, 3] }))),
);
