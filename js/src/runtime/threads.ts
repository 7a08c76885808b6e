import loadThreads from '#threads';
import version from '#version';
import type { Instance } from './core_module.js';
import { describe, LayerNormError } from './errors.js';
import { HeapOwner } from './heap.js';

/** What runs, and what it uses. */
export interface Info {
  /**
   * The build of the core: WebAssembly with fixed-width SIMD, and with threads as well. The results of both are the same bits
   * everywhere, for any number of threads.
   */
  readonly variant: 'simd' | 'simd-mt';
  /** How many threads work on a call, the calling one included. */
  readonly threads: number;
  /** Why it is one thread only. */
  readonly reason?: string;
  /** The version of this package. */
  readonly version: string;
  /** Bytes of the WebAssembly memory. It grows as needed and never shrinks; a disposed engine gives all of it back. */
  readonly memoryBytes: number;
  /** Tensors that have been made and not been disposed. */
  readonly liveTensors: number;
}

/** The option `threads`. */
export type Threads = number | 'auto';

/** The threads of one engine. All that this takes is in files of their own, which are loaded when threads are asked for. */
export interface EngineThreads {
  /** In whose heap new tensors lie; undefined before the first threads. */
  readonly owner: HeapOwner | undefined;
  /**
   * Lets this many threads work on a call. They have started when this resolves.
   * @throws Error that says why that is not possible
   */
  use(threads: Threads): Promise<void>;
  /** What is to be said of the engine, whose first heap `first` is about. */
  info(first: Info): Info;
  /** Ends the threads and lets go of their memory. */
  dispose(): void;
}

/** What each of the files exports. */
export interface ThreadsModule {
  /**
   * @param newOwner - makes one more heap of the engine
   * @param builtFor - the version of this package, which the core has to be of
   * @param maxMemory - how many bytes a memory of threads may grow to; 4 GiB by default
   */
  createThreads(
    newOwner: (instance: Instance) => HeapOwner,
    builtFor: string,
    maxMemory?: number,
  ): EngineThreads;
}

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
 * Lets this many threads work on the calls of an engine; where they cannot start, one does, and its info says why.
 * @param required - whether that is an error
 * @throws {@link LayerNormError} `ERR_THREADS_UNAVAILABLE`
 */
export async function useThreads(
  operation: string,
  engine: HeapOwner,
  threads: Threads,
  required: boolean,
  maxMemory?: number,
): Promise<void> {
  try {
    if (threads !== 1) {
      const { process } = globalThis as { process?: { versions?: { node?: string }; type?: string } };
      const inNode = !!process?.versions?.node && process.type !== 'renderer';
      const { createThreads } = await loadThreads(inNode);
      engine.threads ??= createThreads((instance) => new HeapOwner(instance, engine), version, maxMemory);
    }
    await engine.threads?.use(threads);
  } catch (cause) {
    engine.reason = cause instanceof Error ? cause.message : describe(cause);
    if (required)
      throw new LayerNormError('ERR_THREADS_UNAVAILABLE', `${operation}: ${engine.reason}`, cause);
  }
}
