// dist/layernorm-mt.mjs: loaded by browsers when threads are asked for, and by each of the workers.
import createCore from '#core-glue';
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

const newPool = () =>
  new Pool<Worker>({
    createCore,
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
      "a Content-Security-Policy has to allow 'self' in worker-src, and layernorm-mt.mjs has to lie beside the script that " +
      'loaded it, with the same Cross-Origin-Embedder-Policy as the page',
  }) as Pool<unknown>;

export const createThreads: ThreadsModule['createThreads'] = (...engine) => new Team(newPool, ...engine);
