import loadPool from '#pool';
import { describe, LayerNormError } from './errors.js';
import { type Instance, instantiate } from './load.js';
import type { Threads } from './pool.js';

/** More are refused: the core has room for no more. */
const MAX_THREADS = 32;

/**
 * The option `threads`, 1 by default.
 * @throws {@link LayerNormError} `ERR_ARGUMENT`
 */
export function readThreads(operation: string, value: unknown): Threads {
  const threads = value ?? 1;
  if (
    threads === 'auto' ||
    (Number.isInteger(threads) && (threads as number) >= 1 && (threads as number) <= MAX_THREADS)
  ) {
    return threads as Threads;
  }
  throw new LayerNormError(
    'ERR_ARGUMENT',
    `${operation}: threads is ${describe(threads)}, expected 'auto' or an integer from 1 to ${MAX_THREADS}`,
  );
}

/**
 * Makes an instance of the core that shares its work between threads, which have started when this resolves.
 * @throws whatever says why that is not possible
 */
export async function instantiateThreads(
  operation: string,
  threads: Threads,
  maxMemory?: number,
): Promise<Instance> {
  const { process } = globalThis as { process?: { versions?: { node?: string }; type?: string } };
  const pool = (await loadPool(!!process?.versions?.node && process.type !== 'renderer')).createPool();
  const instance = instantiate(operation, await pool.compile(threads), maxMemory, pool);
  await pool.use(instance.core, threads);
  return instance;
}
