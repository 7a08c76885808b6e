import { layerNorm } from 'layernorm';

const y = layerNorm(new Float32Array([1, 2, 3, 10, 20, 60]), { shape: [2, 3] });
document.getElementById('result').textContent = y.join('\n');
