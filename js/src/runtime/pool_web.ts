// dist/layernorm-mt.mjs: loaded by browsers when threads are asked for. What the workers run is in a file of its own, since
// bundlers follow a worker that starts itself in circles.
import createCore from './layernorm-mt-worker.mjs';
import { Pool } from './pool.js';
import { Team } from './team.js';
import type { ThreadsModule } from './threads.js';

async function compile(): Promise<WebAssembly.Module> {
  const url = new URL('layernorm-mt.wasm', import.meta.url);
  const response = await fetch(url);
  const bytes = await response.arrayBuffer();
  if (!response.ok || new Uint8Array(bytes)[0] !== 0) {
    throw new Error(`${url.href} was answered with status ${response.status} and no WebAssembly module`);
  }
  return WebAssembly.compile(bytes);
}

/** Written as bundlers look for it: a literal URL, literal options. */
const newWorker = () =>
  new Worker(new URL('./layernorm-mt-worker.mjs', import.meta.url), { type: 'module', name: 'em-pthread' });

const newPool = () =>
  new Pool<Worker>({
    createCore: (options) => createCore(Object.assign(options, { newWorker })),
    compile,
    missing: () => (typeof Worker === 'function' ? undefined : 'this scope cannot start workers'),
    watch: (worker, ended) => {
      worker.addEventListener('error', (event) => {
        event.preventDefault();
        ended(event.message || 'the browser gives no reason');
      });
    },
    hasEnded: () => undefined, // nothing tells
    terminate: (worker) => worker.terminate(),
    cores: () => navigator.hardwareConcurrency || 1,
    hint:
      "a Content-Security-Policy has to allow 'self' in worker-src, and layernorm-mt-worker.mjs has to lie beside the " +
      'script that loaded layernorm-mt.mjs, with the same Cross-Origin-Embedder-Policy as the page',
  }) as Pool<unknown>;

export const createThreads: ThreadsModule['createThreads'] = (...engine) => new Team(newPool, ...engine);
