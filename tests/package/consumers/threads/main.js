import { shareWithOneThatEnds, tryToShare } from './share.js';

/** What the main thread, and then a worker with workers of its own, made of it. */
async function results() {
  const onMainThread = await tryToShare(2);
  const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  const inWorker = await new Promise((resolve) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => resolve({ error: `the worker failed: ${message}` });
  });
  return { isolated: crossOriginIsolated, onMainThread, inWorker };
}

globalThis.results = location.search === '?end' ? shareWithOneThatEnds() : results();
