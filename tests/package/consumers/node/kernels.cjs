// The freestanding kernels on a memory that is not the package's, with the module inside the package.
const { layerNorm } = require('layernorm');
const { createKernels, STACK_BYTES } = require('layernorm/kernels');

const memory = new WebAssembly.Memory({ initial: 3 });
const kernels = createKernels({ memory, stack: { address: 1024, bytes: STACK_BYTES } });
const x = new Float32Array(memory.buffer, 2 * 65536, 6);
x.set([1, 2, 3, 10, 20, 60]);
const expected = layerNorm(x.slice(), { shape: [2, 3] });
kernels.layerNormForward({ shape: [2, 3], x: x.byteOffset, y: x.byteOffset });
console.log(JSON.stringify({ y: [...x], same: x.join() === expected.join() }));
