import {
  type CoreFactoryOptions,
  INITIAL_PAGES,
  type Instance,
  MAXIMUM_PAGES,
  PAGE_BYTES,
  readText,
} from './core_module.js';
import type { HeapOwner } from './heap.js';
import type { Pool, ThreadedCoreModule } from './pool.js';
import type { EngineThreads, Info, Threads } from './threads.js';

/** An instance of the build with threads, in a heap of the engine. */
interface Member {
  readonly owner: HeapOwner;
  readonly pool: Pool<unknown>;
  readonly core: ThreadedCoreModule;
}

/**
 * The threads of one engine. A pool that has lost a worker is not mended: the next threads get an instance of their own, in
 * which new tensors lie from then on.
 */
export class Team implements EngineThreads {
  readonly #newPool: () => Pool<unknown>;
  readonly #newOwner: (instance: Instance) => HeapOwner;
  readonly #version: string;
  readonly #maxMemory: number;
  /** Those that tensors lie in, and at the end the one in use. */
  #members: Member[] = [];

  constructor(
    newPool: () => Pool<unknown>,
    newOwner: (instance: Instance) => HeapOwner,
    version: string,
    maxMemory: number = MAXIMUM_PAGES * PAGE_BYTES,
  ) {
    this.#newPool = newPool;
    this.#newOwner = newOwner;
    this.#version = version;
    this.#maxMemory = maxMemory;
  }

  get owner(): HeapOwner | undefined {
    return this.#members.at(-1)?.owner;
  }

  async use(threads: Threads): Promise<void> {
    const current = this.#members.at(-1);
    if (current?.pool.usable) return current.pool.use(current.core, threads);
    if (threads === 1) return;
    const pool = this.#newPool();
    const instance = this.#instantiate(pool, await pool.compile(threads));
    const core = instance.core as ThreadedCoreModule;
    await pool.use(core, threads);
    this.#members = this.#members.filter(({ owner }) => owner.heap('configure').liveTensors > 0);
    this.#members.push({ owner: this.#newOwner(instance), pool, core });
  }

  info(first: Info): Info {
    const heaps = this.#members.map(({ owner }) => owner.heap('info'));
    const pool = this.#members.at(-1)?.pool;
    const { reason, ...rest } = first;
    const threads = pool?.threads ?? 1;
    return {
      ...rest,
      variant: pool ? 'simd-mt' : 'simd',
      threads,
      ...(threads === 1 && { reason: pool?.reason ?? reason }),
      memoryBytes: heaps.reduce((sum, { memory }) => sum + memory.buffer.byteLength, rest.memoryBytes),
      liveTensors: heaps.reduce((sum, { liveTensors }) => sum + liveTensors, rest.liveTensors),
    };
  }

  dispose(): void {
    for (const { owner, pool } of this.#members) {
      pool.stop('the engine has been disposed');
      owner.dispose();
    }
  }

  /** Runs the glue, which fills the very object it is given. */
  #instantiate(pool: Pool<unknown>, module: WebAssembly.Module): Instance {
    const maximum = Math.floor(this.#maxMemory / PAGE_BYTES);
    const memory = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum, shared: true });
    const options: CoreFactoryOptions = {
      ...pool.hooks,
      wasmMemory: memory,
      instantiateWasm: (imports, receive) => receive(new WebAssembly.Instance(module, imports), module),
    };
    pool.createCore(options);
    const core = options as unknown as ThreadedCoreModule;
    const built = readText(memory, core.version());
    if (built !== this.#version) {
      throw new Error(`layernorm-mt.wasm is of layernorm ${built}, expected ${this.#version}`);
    }
    return { core, memory };
  }
}
