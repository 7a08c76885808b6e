// dist/layernorm-mt.cjs: loaded by Node when threads are asked for, and by each of the workers.
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import createCore from '#core-glue';
import { Pool } from './pool.js';
import { Team } from './team.js';
import type { ThreadsModule } from './threads.js';

const newPool = () =>
  new Pool<Worker>({
    createCore,
    compile: async () => WebAssembly.compile(await readFile(join(__dirname, 'layernorm-mt.wasm'))),
    missing: () => undefined,
    watch: (worker, ended) => {
      worker.on('error', (error: unknown) => ended(error instanceof Error ? error.message : String(error)));
      worker.on('exit', (code) => ended(`exit code ${code}`));
    },
    // The thread of a worker that has ended has no event loop: the one question that needs no event to be answered.
    hasEnded: (worker) => worker.performance.eventLoopUtilization().idle < 0,
    terminate: (worker) => void worker.terminate(),
    cores: availableParallelism,
    hint: 'layernorm-mt.cjs has to lie beside the file that loaded it',
  }) as Pool<unknown>;

export const createThreads: ThreadsModule['createThreads'] = (...engine) => new Team(newPool, ...engine);
