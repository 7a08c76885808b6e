// PyTorch on one thread, in a process of its own that takes its turn like every other candidate.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { shapeOf } from '../lib/operations.mjs';
import { MissingPeer } from './missing.mjs';
import { OPENMP } from './openmp.mjs';

/** The Python that Debian's package python3-torch is made for. */
export const python = '/usr/bin/python3';

/** Memory once used is used again, also in large blocks: otherwise page faults of each new y are most of the time. */
const KEEP_MEMORY = { MALLOC_MMAP_THRESHOLD_: `${2 ** 32}`, MALLOC_TRIM_THRESHOLD_: `${2 ** 33}` };

/** @type {import('./index.mjs').Open} */
export async function open() {
  const torch = await start();
  const folder = mkdtempSync(join(tmpdir(), 'layernorm-bench-'));
  return {
    title: torch.title,
    threads: true,
    async candidate(problem) {
      const { case: one, shape, layout, epsilon, arrays } = problem;
      const { operation, dtype, inPlace, threads, axis, groups, dimensions } = one;
      if (!['float32', 'float64'].includes(dtype) || inPlace) return undefined;
      const store = (name, data) => {
        const path = join(folder, name);
        writeFileSync(path, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
        return { path, shape: shapeOf(name, problem) };
      };
      const given = Object.entries(arrays).filter(([, data]) => data);
      const { offered } = await torch.ask({
        do: 'set up',
        ...{
          operation,
          dtype,
          threads,
          shape,
          axis,
          groups: groups ?? null,
          dimensions: dimensions ?? null,
          epsilon,
        },
        axes: layout.shape === shape ? layout.axes : [],
        arrays: Object.fromEntries(given.map(([name, data]) => [name, store(name, data)])),
      });
      if (!offered) return undefined;
      return {
        sample: async (calls) => (await torch.ask({ do: 'sample', calls })).ms,
        async results() {
          const { paths: written } = await torch.ask({ do: 'results', folder });
          return written.map((path) => new arrays.x.constructor(new Uint8Array(readFileSync(path)).buffer));
        },
      };
    },
    close() {
      torch.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function start() {
  if (!existsSync(python)) throw new MissingPeer('PyTorch');
  const child = spawn(python, [fileURLToPath(new URL('pytorch.py', import.meta.url))], {
    env: { ...process.env, ...OPENMP, ...KEEP_MEMORY },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (data) => {
    said += data;
  });
  child.stdin.on('error', () => {}); // its end is told by the answers
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (request) => {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error(`PyTorch's process ended: ${said.trim().split('\n').at(-1)}`);
    const answer = JSON.parse(value);
    if (answer.error) throw new Error(answer.error);
    return answer;
  };
  try {
    return { ...(await ask({ do: 'hello' })), ask, close: () => child.stdin.end() };
  } catch (error) {
    throw /No module named/.test(error.message) ? new MissingPeer('PyTorch') : error;
  }
}
