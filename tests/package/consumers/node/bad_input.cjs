const { layerNorm } = require('layernorm');

layerNorm(new Float32Array(6), { shape: [2, 4] });
