import { HeapOwner } from '../../../js/src/runtime/heap.js';
import { instantiate } from '../../../js/src/runtime/load.js';
import type { Pool } from '../../../js/src/runtime/pool.js';
import { Team } from '../../../js/src/runtime/team.js';
import type { Info } from '../../../js/src/runtime/threads.js';
import version from '../support/version.js';

const MiB = 2 ** 20;
const FIRST: Info = {
  variant: 'simd',
  threads: 1,
  reason: 'of the engine',
  version,
  memoryBytes: MiB,
  liveTensors: 1,
};

/** A team whose pools run the core of one thread in a memory of the given size, and do as they are told. */
function setUp(builtFor: string = version) {
  const engine = new HeapOwner(instantiate('test'));
  const pools: { usable: boolean; threads: number; reason: string | undefined; stopped?: string }[] = [];
  const memories: WebAssembly.Memory[] = [];
  const newPool = () => {
    const pool = {
      usable: true,
      threads: 1,
      reason: undefined as string | undefined,
      stopped: '',
      hooks: {},
      compile: async () => 'the module',
      createCore: (options: { wasmMemory: WebAssembly.Memory }) => {
        memories.push(options.wasmMemory);
        const { core, memory } = instantiate('test');
        new Uint8Array(options.wasmMemory.buffer).set(new Uint8Array(memory.buffer, 0, MiB));
        Object.assign(options, core);
      },
      async use(_core: object, threads: number) {
        this.threads = threads;
        this.reason = threads === 1 ? 'of the pool' : undefined;
      },
      stop(reason: string) {
        this.stopped = reason;
      },
    };
    pools.push(pool);
    return pool as unknown as Pool<unknown>;
  };
  const team = new Team(newPool, (instance) => new HeapOwner(instance, engine), builtFor, 2 * MiB + 1);
  return { engine, team, pools, memories };
}

test('before the first threads there is nothing to be said', async () => {
  const { team, pools } = setUp();
  expect(team.owner).toBeUndefined();
  expect(team.info(FIRST)).toEqual(FIRST);
  await team.use(1);
  expect(pools).toHaveLength(0);
});

test('threads have a shared memory of their own, no larger than the engine may have', async () => {
  const { engine, team, pools, memories } = setUp();
  await team.use(3);
  expect(memories[0]?.buffer).toBeInstanceOf(SharedArrayBuffer);
  expect(() => memories[0]?.grow(17)).toThrow(RangeError);
  expect(team.owner?.engine).toBe(engine);
  const { reason, ...rest } = FIRST;
  expect(reason).toBeDefined();
  expect(team.info(FIRST)).toEqual({ ...rest, variant: 'simd-mt', threads: 3, memoryBytes: 2 * MiB });
  await team.use(1);
  expect(pools).toHaveLength(1);
  expect(team.info(FIRST)).toMatchObject({ variant: 'simd-mt', threads: 1, reason: 'of the pool' });
});

test('a pool that is of no use any more is replaced; its memory stays for as long as tensors lie there', async () => {
  const { team, pools } = setUp();
  await team.use(2);
  const [first] = pools;
  const owner = team.owner as HeapOwner;
  owner.heap('test').liveTensors++;
  Object.assign(first as object, { usable: false });
  await team.use(2);
  expect(team.owner).not.toBe(owner);
  expect(team.info(FIRST)).toMatchObject({ threads: 2, liveTensors: 2, memoryBytes: 3 * MiB });
  owner.heap('test').liveTensors--;
  Object.assign(pools[1] as object, { usable: false });
  await team.use(2);
  expect(team.info(FIRST)).toMatchObject({ threads: 2, liveTensors: 1, memoryBytes: 2 * MiB });
});

test('what cannot start leaves everything as it was', async () => {
  const { team } = setUp('9.9.9');
  await expect(team.use(2)).rejects.toThrow(`layernorm-mt.wasm is of layernorm ${version}, expected 9.9.9`);
  expect(team.owner).toBeUndefined();
  expect(team.info(FIRST)).toEqual(FIRST);
});

test('the engine takes workers and memory with it', async () => {
  const { team, pools } = setUp();
  await team.use(2);
  const { owner } = team;
  team.dispose();
  expect(pools[0]?.stopped).toBe('the engine has been disposed');
  expect(owner?.disposed).toBe(true);
});
