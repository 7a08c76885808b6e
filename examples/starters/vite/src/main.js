import { configure, layerNorm, tensor } from 'layernorm';

const { threads, reason } = await configure({ threads: 2 }); // 'auto': half of the processors, at most four
const x = tensor(new Float32Array([1, 2, 3, 10, 20, 60]), [2, 3]); // tensors are what threads share
layerNorm(x, { out: x });
document.getElementById('result').textContent = `${threads} threads ${reason ?? ''}\n${x.array.join('\n')}`;
x.dispose();
