const { layerNorm } = require('layernorm');

console.log(layerNorm(new Float32Array([1, 2, 3, 10, 20, 60]), { shape: [2, 3] }));
