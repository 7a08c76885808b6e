import { createEngine, info, LayerNormError, layerNorm, layerNormForward, tensor } from 'layernorm';
import { createKernels, STACK_BYTES } from 'layernorm/kernels';
import kernelsModule from 'layernorm/layernorm-kernels.wasm';
import { tryToCompute } from './compute.js';

/** What it is like to make a mistake. */
function mistake() {
  try {
    layerNorm(new Float32Array(6), { shape: [2, 4] });
    return 'none';
  } catch (error) {
    return `${error instanceof LayerNormError} ${error.code} ${error.message}`;
  }
}

/** The freestanding kernels, on a memory that is the worker's own. */
function kernels() {
  const memory = new WebAssembly.Memory({ initial: 3 });
  const own = createKernels({ memory, stack: { address: 1024, bytes: STACK_BYTES }, module: kernelsModule });
  const x = new Float32Array(memory.buffer, 2 * 65536, 4);
  x.set([1, 2, 3, 4]);
  own.layerNormForward({ shape: [4], x: x.byteOffset, y: x.byteOffset });
  return x.join() === layerNorm(new Float32Array([1, 2, 3, 4])).join();
}

export default {
  async fetch() {
    const engine = await createEngine({ maxMemory: 2 ** 24 });
    return Response.json({
      shared: tryToCompute({ layerNorm, layerNormForward, tensor }),
      own: tryToCompute(engine),
      mistake: mistake(),
      kernels: kernels(),
      threads: info().threads,
    });
  },
};
