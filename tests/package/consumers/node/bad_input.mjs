import { layerNorm } from 'layernorm';

layerNorm(new Float32Array(6), { shape: [2, 4] });
