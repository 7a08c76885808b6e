import { configure, info, layerNorm, tensor } from 'layernorm';

/** Enough elements to be worth sharing. */
const SHAPE = [600, 1024];
const input = () =>
  Float32Array.from({ length: SHAPE[0] * SHAPE[1] }, (_, i) => ((i * 7919) % 1009) / 500 - 1);

const same = (a, b) => a.length === b.length && a.every((value, i) => value === b[i]);

/** Normalizes with one thread, then with as many as there are to be: the results have to be the same. */
async function share(threads) {
  const before = info();
  const x = input();
  const expected = layerNorm(x, { shape: SHAPE });
  const configured = await configure({ threads });
  const t = tensor(x, SHAPE);
  let equal = 0;
  for (let call = 0; call < 40; call++) {
    t.array.set(x);
    layerNorm(t, { out: t });
    if (same(t.array, expected)) equal++;
  }
  t.dispose();
  const { variant, reason, threads: after } = info();
  return {
    before: before.threads,
    configured: configured.threads,
    after,
    variant,
    equal,
    reason: reason ?? null,
  };
}

/** Ends the worker without telling the package, and goes on for as long as browsers take to do so in the midst of a call. */
export async function shareWithOneThatEnds() {
  const workers = [];
  const { Worker } = globalThis;
  globalThis.Worker = class extends Worker {
    constructor(...args) {
      super(...args);
      workers.push(this);
    }
  };
  await configure({ threads: 2 });
  globalThis.Worker = Worker;
  const x = input();
  const expected = layerNorm(x, { shape: SHAPE });
  const t = tensor(x, SHAPE);
  let wrong = 0;
  const start = performance.now();
  let ended = false;
  while (performance.now() - start < 4000) {
    if (!ended && performance.now() - start > 200) {
      for (const worker of workers) worker.terminate();
      ended = true;
    }
    t.array.set(x);
    layerNorm(t, { out: t });
    if (!same(t.array, expected)) wrong++;
  }
  return { workers: workers.length, wrong };
}

/** The same, told what went wrong rather than failing. */
export const tryToShare = (threads) => share(threads).catch((error) => ({ error: String(error) }));
