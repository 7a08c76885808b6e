import type { CoreModule } from './core_module.js';
import type { Threads } from './threads.js';

/** The functions that the bindings of the build with threads register in addition. */
export interface ThreadedCoreModule extends CoreModule {
  /**
   * Uses this many threads from now on, the calling one included, and starts those that are missing.
   * @param maySleep - whether the calling thread may block
   * @returns how many there are
   */
  startThreads(threads: number, maySleep: boolean): number;
  /** How many workers have begun to wait for work. */
  readyWorkers(): number;
  /** How many threads work on a call: one after a worker was lost. */
  threads(): number;
  /** From now on the calling thread works alone. */
  giveUpThreads(): void;
}

/** What the glue calls back. */
export interface PoolHooks {
  onWorker(worker: unknown): void;
  /**
   * Asked in the midst of a call that waits for a worker, when no event can tell.
   * @param idle - milliseconds since the last sign of life
   * @param expected - how many of them its work may take at most
   * @returns whether no worker can run any more
   */
  workersGone(idle: number, expected: number): boolean;
}

/** What is different between Node and browsers. `Worker` is the class of the platform. */
export interface Platform<Worker> {
  /** The glue of the build with threads. */
  readonly createCore: (options: object) => unknown;
  /** Loads and compiles that build. */
  compile(): Promise<WebAssembly.Module>;
  /** Why no worker can be started in this scope, if that is so. */
  missing(): string | undefined;
  /** Calls back when a worker has failed or ended, with what is known about it. */
  watch(worker: Worker, ended: (why: string) => void): void;
  /** Whether a worker cannot run any more, known without waiting for an event; undefined where nothing tells. */
  hasEnded(worker: Worker): boolean | undefined;
  terminate(worker: Worker): void;
  /** How many processors the machine has, hyper-threads counted. */
  cores(): number;
  /** What to look at when workers do not start. */
  readonly hint: string;
}

/** How long workers may take to start. They take 50 ms; a page that is busy may make them wait. */
const START_TIMEOUT = 10_000;

/** Without any sign of life from the workers for this long, beyond what their work may take, they are ended. */
const PATIENCE = 1000;

/** Where nothing tells that a worker has ended: from terminate() on it has this long. Chromium takes up to 2 seconds. */
const END_TIMEOUT = 3000;

const AUTOMATICALLY_ONE = "one thread: 'auto' is half of the processors, at least one and at most four";

/** The workers of one instance of the core, seen from the thread that calls it. */
export class Pool<Worker> {
  /** Why calls run on one thread, if they do. */
  reason: string | undefined;
  readonly hooks: PoolHooks;

  readonly #platform: Platform<Worker>;
  readonly #workers: { worker: Worker; ended: boolean }[] = [];
  #core: ThreadedCoreModule | undefined;
  #terminatedAt: number | undefined;

  constructor(platform: Platform<Worker>) {
    this.#platform = platform;
    this.hooks = {
      onWorker: (worker) => this.#add(worker as Worker),
      workersGone: (idle, expected) => this.#areGone(idle, expected),
    };
  }

  get createCore(): (options: object) => unknown {
    return this.#platform.createCore;
  }

  get threads(): number {
    return this.#core?.threads() ?? 1;
  }

  /** Whether {@link use} can change the number of threads. */
  get usable(): boolean {
    return this.#core !== undefined && this.#terminatedAt === undefined;
  }

  /**
   * The module to make a core of, whose memory has to be shared.
   * @throws Error that says why there can be no threads
   */
  async compile(threads: Threads): Promise<WebAssembly.Module> {
    const missing = missingMemory() ?? this.#platform.missing();
    if (missing !== undefined) throw new Error(missing);
    if (this.#count(threads) === 1) throw new Error(AUTOMATICALLY_ONE);
    return this.#platform.compile();
  }

  /**
   * Works with this many threads from now on.
   * @throws Error that says why it cannot; no worker is left then
   */
  async use(core: CoreModule, threads: Threads): Promise<void> {
    const count = this.#count(threads);
    this.#core = core as ThreadedCoreModule;
    await this.#start(this.#core, count);
    if (this.#terminatedAt !== undefined) throw new Error(this.reason);
    this.reason = count > 1 ? undefined : threads === 'auto' ? AUTOMATICALLY_ONE : 'one thread was asked for';
  }

  /** Hyper-threads share what the kernels need, and other programs want something, too. */
  #count(threads: Threads): number {
    return threads === 'auto' ? Math.max(1, Math.min(4, Math.floor(this.#platform.cores() / 2))) : threads;
  }

  async #start(core: ThreadedCoreModule, threads: number): Promise<void> {
    const started = core.startThreads(threads, maySleep());
    const deadline = Date.now() + START_TIMEOUT;
    while (core.readyWorkers() < this.#workers.length && this.usable && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    if (this.usable && core.readyWorkers() < this.#workers.length) {
      this.stop(`workers did not start within ${START_TIMEOUT / 1000} seconds; ${this.#platform.hint}`);
    } else if (started < threads) {
      this.stop(`only ${started} of ${threads} threads could be started`);
    }
  }

  /** Ends the workers. Calls go on with one thread. */
  stop(reason: string): void {
    if (this.#terminatedAt !== undefined) return;
    this.reason = reason;
    this.#terminatedAt = Date.now();
    this.#core?.giveUpThreads();
    this.#terminate();
  }

  #add(worker: Worker): void {
    const entry = { worker, ended: false };
    this.#workers.push(entry);
    this.#platform.watch(worker, (why) => {
      entry.ended = true;
      this.stop(
        this.#core !== undefined && this.#core.readyWorkers() === this.#workers.length
          ? `a worker ended (${why})`
          : `a worker could not start (${why}); ${this.#platform.hint}`,
      );
    });
  }

  #terminate(): void {
    for (const { worker } of this.#workers) this.#platform.terminate(worker);
  }

  #areGone(idle: number, expected: number): boolean {
    const known = this.#workers.map((entry) => entry.ended || this.#platform.hasEnded(entry.worker));
    if (known.some((ended) => ended === true) || idle > expected + PATIENCE) {
      if (this.#terminatedAt === undefined) {
        this.reason = 'a worker ended in the midst of a call, which was completed by one thread';
        this.#terminatedAt = Date.now();
        this.#terminate();
      }
    }
    if (this.#terminatedAt === undefined) return false;
    return known.includes(undefined)
      ? Date.now() - this.#terminatedAt > END_TIMEOUT
      : known.every((ended) => ended === true);
  }
}

/** Whether this thread may block: the main thread of a browser may not. */
function maySleep(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0);
    return true;
  } catch {
    return false;
  }
}

/** Threads share memory, which pages have to earn. */
function missingMemory(): string | undefined {
  if (typeof SharedArrayBuffer !== 'undefined') return undefined;
  return (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated === false
    ? 'SharedArrayBuffer is missing: the page is not cross-origin isolated, which takes the headers ' +
        'Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp'
    : 'SharedArrayBuffer is missing in this runtime';
}
