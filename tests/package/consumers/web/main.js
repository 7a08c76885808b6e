import { layerNorm, layerNormForward, tensor } from 'layernorm';
import { tryToCompute } from './compute.js';

/** What the main thread, and then a worker, made of it. */
async function results() {
  const onMainThread = tryToCompute({ layerNorm, layerNormForward, tensor });
  const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  const inWorker = await new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(`the worker failed: ${message}`));
  });
  return { onMainThread, inWorker };
}

globalThis.results = results();
