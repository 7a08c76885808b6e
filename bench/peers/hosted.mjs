// Peers in processes of their own: some change what they share with others (onnxruntime's two packages take each other's
// place), and none should find memory or machine code that another one left behind.

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { MissingPeer } from './missing.mjs';

/** The peers that host.mjs runs. @type {Record<string, import('./index.mjs').Open>} */
export const HOSTED = {
  'ort-node': async () => (await import('./onnxruntime_node.mjs')).open(),
  'ort-web': async () => (await import('./onnxruntime_web.mjs')).open(),
  tfjs: async () => (await import('./tfjs.mjs')).openOperations(),
  'tfjs-layer': async () => (await import('./tfjs.mjs')).openLayers(),
  transformers: async () => (await import('./transformers.mjs')).open(),
};

/** @returns {Promise<import('./index.mjs').Peer>} that does what HOSTED[name] does, in another process of this Node */
export async function openHosted(name) {
  const host = fileURLToPath(new URL('host.mjs', import.meta.url));
  const child = fork(host, [name], { serialization: 'advanced', execArgv: [] });
  let settle;
  child.on('message', (message) => settle?.done(message));
  child.on('exit', (code, signal) => settle?.fail(new Error(`its process ended with ${code ?? signal}`)));
  child.on('error', (error) => settle?.fail(error));

  const ask = (request) =>
    new Promise((done, fail) => {
      if (!child.connected) return fail(new Error('its process has ended'));
      settle = {
        done: ({ failure, missing, ...answer }) => {
          if (failure === undefined) done(answer);
          else fail(missing ? new MissingPeer(missing) : new Error(failure));
        },
        fail,
      };
      child.send(request);
    });

  const { title } = await ask({ do: 'open' });
  return {
    title,
    async candidate(problem) {
      const { offered, expected } = await ask({ do: 'candidate', case: problem.case });
      if (!offered) return undefined;
      return {
        sample: async (calls) => (await ask({ do: 'sample', calls })).ms,
        reset: () => ask({ do: 'reset' }),
        results: async () => (await ask({ do: 'results' })).results,
        ...(expected && { expected }),
        dispose: () => ask({ do: 'dispose' }),
      };
    },
    close: () => child.disconnect(),
  };
}
