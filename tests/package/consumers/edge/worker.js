import { createEngine, info, LayerNormError, layerNorm, layerNormForward, tensor } from 'layernorm';
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

export default {
  async fetch() {
    const engine = await createEngine({ maxMemory: 2 ** 24 });
    return Response.json({
      shared: tryToCompute({ layerNorm, layerNormForward, tensor }),
      own: tryToCompute(engine),
      mistake: mistake(),
      threads: info().threads,
    });
  },
};
