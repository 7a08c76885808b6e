import { type Platform, Pool, type ThreadedCoreModule } from '../../../js/src/runtime/pool.js';

interface FakeWorker {
  running: boolean;
  terminated: boolean;
  end(why: string): void;
}

/** A machine of 8 processors whose workers start when they are told to. */
function platform(options: Partial<Platform<FakeWorker>> = {}): Platform<FakeWorker> {
  return {
    createCore: () => undefined,
    compile: async () => 'the module' as unknown as WebAssembly.Module,
    missing: () => undefined,
    watch: (worker, ended) => {
      worker.end = ended;
    },
    hasEnded: (worker) => !worker.running,
    terminate: (worker) => {
      worker.terminated = true;
    },
    cores: () => 8,
    hint: 'look here',
    ...options,
  };
}

function setUp(options: Partial<Platform<FakeWorker>> = {}, ready = true) {
  const pool = new Pool(platform(options));
  const workers: FakeWorker[] = [];
  let threads = 1;
  let givenUp = false;
  const core = {
    startThreads(wanted: number) {
      while (workers.length < wanted - 1) {
        const worker = { running: true, terminated: false, end: () => {} };
        workers.push(worker);
        pool.hooks.onWorker(worker);
      }
      threads = wanted;
      return wanted;
    },
    readyWorkers: () => (ready ? workers.length : 0),
    threads: () => (givenUp ? 1 : threads),
    giveUpThreads: () => {
      givenUp = true;
    },
  } as unknown as ThreadedCoreModule;
  return { pool, core, workers };
}

test.each([
  [1, 1],
  [2, 1],
  [3, 1],
  [4, 2],
  [8, 4],
  [64, 4],
])("on %d processors 'auto' is %d threads", async (cores, expected) => {
  const { pool, core } = setUp({ cores: () => cores });
  if (expected === 1) await expect(pool.compile('auto')).rejects.toThrow(/^one thread: 'auto' is half/);
  await pool.use(core, 'auto');
  expect(pool.threads).toBe(expected);
  expect(pool.reason).toEqual(expected === 1 ? expect.stringMatching(/^one thread: 'auto'/) : undefined);
});

test('the number can be changed; one thread has a reason', async () => {
  const { pool, core } = setUp();
  for (const threads of [2, 4, 1, 3]) {
    await pool.use(core, threads);
    expect(pool.threads).toBe(threads);
    expect(pool.reason).toBe(threads === 1 ? 'one thread was asked for' : undefined);
  }
});

test('what the scope lacks is said before anything is loaded', async () => {
  const load = async () => {
    throw new Error('was loaded');
  };
  const { pool } = setUp({ missing: () => 'no workers here', compile: load });
  await expect(pool.compile(2)).rejects.toThrow('no workers here');
});

describe('without SharedArrayBuffer', () => {
  const taken = globalThis.SharedArrayBuffer;
  afterEach(() => {
    Object.assign(globalThis, { SharedArrayBuffer: taken });
    Reflect.deleteProperty(globalThis, 'crossOriginIsolated');
  });

  test.each([
    [false, /^SharedArrayBuffer is missing: the page is not cross-origin isolated, .* require-corp$/],
    [true, /^SharedArrayBuffer is missing in this runtime$/],
    [undefined, /^SharedArrayBuffer is missing in this runtime$/],
  ])('where crossOriginIsolated is %p', async (crossOriginIsolated, message) => {
    Reflect.deleteProperty(globalThis, 'SharedArrayBuffer');
    if (crossOriginIsolated !== undefined) Object.assign(globalThis, { crossOriginIsolated });
    await expect(setUp().pool.compile(2)).rejects.toThrow(message);
  });
});

test('a worker that fails to start ends all, and its reason is passed on', async () => {
  const { pool, core, workers } = setUp({}, false);
  const used = pool.use(core, 3);
  workers[1]?.end('blocked by a policy');
  await expect(used).rejects.toThrow('a worker could not start (blocked by a policy); look here');
  expect(workers.map(({ terminated }) => terminated)).toEqual([true, true]);
  expect(pool.threads).toBe(1);
  expect(pool.usable).toBe(false);
});

test('workers that do not start in time are given up', async () => {
  const { now } = Date;
  try {
    const { pool, core, workers } = setUp({}, false);
    const used = pool.use(core, 2);
    Date.now = () => now() + 11_000;
    await expect(used).rejects.toThrow('workers did not start within 10 seconds; look here');
    expect(workers[0]?.terminated).toBe(true);
  } finally {
    Date.now = now;
  }
});

test('a worker that ends later leaves one thread', async () => {
  const { pool, core, workers } = setUp();
  await pool.use(core, 3);
  workers[0]?.end('exit code 1');
  expect(pool.threads).toBe(1);
  expect(pool.reason).toBe('a worker ended (exit code 1)');
  expect(workers[1]?.terminated).toBe(true);
});

describe('in the midst of a call', () => {
  const LOST = 'a worker ended in the midst of a call, which was completed by one thread';

  test('where it can be known that a worker has ended, nothing else is waited for', async () => {
    const { pool, core, workers } = setUp();
    await pool.use(core, 3);
    const [a, b] = workers as [FakeWorker, FakeWorker];
    expect(pool.hooks.workersGone(20, 0)).toBe(false);
    a.running = false;
    expect(pool.hooks.workersGone(20, 0)).toBe(false); // the other may still write
    expect([a.terminated, b.terminated]).toEqual([true, true]);
    b.running = false;
    expect(pool.hooks.workersGone(21, 0)).toBe(true);
    expect(pool.reason).toBe(LOST);
  });

  test('a worker that is slow is not ended before a second beyond what its work may take', async () => {
    const { pool, core, workers } = setUp();
    await pool.use(core, 2);
    expect(pool.hooks.workersGone(5900, 5000)).toBe(false);
    expect(workers[0]?.terminated).toBe(false);
    expect(pool.hooks.workersGone(6100, 5000)).toBe(false);
    expect(workers[0]?.terminated).toBe(true);
  });

  test('where nothing can be known, a worker has some seconds to end', async () => {
    const { now } = Date;
    try {
      const { pool, core, workers } = setUp({ hasEnded: () => undefined });
      await pool.use(core, 2);
      expect(pool.hooks.workersGone(500, 0)).toBe(false);
      expect(workers[0]?.terminated).toBe(false);
      expect(pool.hooks.workersGone(1100, 0)).toBe(false);
      expect(workers[0]?.terminated).toBe(true);
      Date.now = () => now() + 3100;
      expect(pool.hooks.workersGone(4200, 0)).toBe(true);
      expect(pool.reason).toBe(LOST);
    } finally {
      Date.now = now;
    }
  });
});
