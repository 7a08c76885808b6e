// Tier: bitwise. Any number of threads gives the bits of one, whatever becomes of the workers.
import { Worker } from 'node:worker_threads';
import { configure, createEngine, type Engine, info, layerNorm, type Tensor, tensor } from 'layernorm';
import { expectError } from './support/errors.js';
import { normals } from './support/random.js';
import { expectSameBits } from './support/ulp.js';

/** All workers that were started: each is sent something then. */
const workers: Worker[] = [];
const { postMessage } = Worker.prototype;
beforeAll(() => {
  Worker.prototype.postMessage = function (...args) {
    if (!workers.includes(this)) workers.push(this);
    return postMessage.apply(this, args);
  };
});
afterAll(() => void Object.assign(Worker.prototype, { postMessage }));

const ended = (worker: Worker) => new Promise((resolve) => worker.once('exit', resolve));

async function rejection(promise: Promise<unknown>): Promise<() => never> {
  const error = await promise.then(
    () => new Error('nothing was thrown'),
    (reason: unknown) => reason,
  );
  return () => {
    throw error;
  };
}

const SHAPES: readonly [shape: number[], axis: number | number[]][] = [
  [[8, 256], -1],
  [[512, 1024], -1],
  [[301, 130], -1],
  [[40, 70, 200], 1],
  [
    [60, 20, 8, 9],
    [1, 3],
  ],
];
const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

let plain: Engine;
beforeAll(async () => {
  plain = await createEngine();
});
afterAll(() => plain.dispose());

describe.each([2, 3, 4, 8])('%d threads', (threads) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await createEngine({ threads, requireThreads: true });
  });
  afterAll(() => engine.dispose());

  test('have started', () => {
    expect(engine.info()).toMatchObject({ variant: 'simd-mt', threads });
    expect(engine.info()).not.toHaveProperty('reason');
  });

  test.each(SHAPES)('%j axis %j: the bits of one, in place and not', (shape, axis) => {
    const x = normals(sizeOf(shape), threads);
    const expected = layerNorm(x, { shape, axis });
    using t = engine.tensor(x, shape);
    using y = engine.tensor(new Float32Array(x.length), shape);
    for (let call = 0; call < 12; call++) {
      engine.layerNorm(t, { axis, out: y });
      expectSameBits(y.array.slice(), expected);
      y.array.set(x);
      engine.layerNorm(y, { axis, out: y });
      expectSameBits(y.array.slice(), expected);
      y.array.fill(0);
    }
    const { mean, rstd } = engine.layerNormForward(t, { axis });
    const alone = layerNormForwardAlone(x, shape, axis);
    expectSameBits(mean.array.slice(), alone.mean);
    expectSameBits(rstd.array.slice(), alone.rstd);
  });

  test.each([
    [[300, 640], -1],
    [[70, 1100], 0],
  ] as const)('the gradient of %j axis %j: the bits of one, in place and not', (shape, axis) => {
    const [x, dy] = [normals(sizeOf(shape), 8), normals(sizeOf(shape), 9)];
    const { mean, rstd } = plain.layerNormForward(x, { shape: [...shape], axis });
    const expected = plain.layerNormBackward(dy, x, { shape: [...shape], axis, mean, rstd });
    using t = engine.tensor(x, shape);
    using out = engine.tensor(dy, shape);
    using apart = engine.tensor(dy, shape);
    for (let call = 0; call < 12; call++) {
      const target = call % 2 === 0 ? out : apart;
      out.array.set(dy);
      const { dx, dgamma, dbeta } = engine.layerNormBackward(out, t, { axis, mean, rstd, out: target });
      expectSameBits(dx.array.slice(), expected.dx);
      expectSameBits(dgamma.array.slice(), expected.dgamma);
      expectSameBits(dbeta.array.slice(), expected.dbeta);
      dgamma.dispose();
      dbeta.dispose();
    }
  });

  test.each([
    [[512, 600], -1, 30],
    [[16, 32, 600], 1, 8],
    [[8, 20, 20, 64], -1, 8],
    [[1, 32, 9000], 1, 32],
  ] as const)('batches, groups and moments of %j axis %j: the bits of one', (sizes, axis, groups) => {
    const shape = [...sizes];
    const [x, dy] = [normals(sizeOf(shape), 8), normals(sizeOf(shape), 9)];
    const gamma = normals(shape.at(axis) as number, 10);
    const mask = Uint8Array.from({ length: sizeOf(shape.slice(0, -1)) }, (_, i) => i % 3);
    using t = engine.tensor(x, shape);
    using u = engine.tensor(dy, shape);
    const same = (results: Record<string, Tensor>, expected: Record<string, Float32Array>): void => {
      for (const name in expected) {
        expectSameBits(results[name]?.array.slice() as Float32Array, expected[name] as Float32Array);
        results[name]?.dispose();
      }
    };
    for (const more of [{}, { mask }]) {
      const options = { axis, gamma, ...more };
      const batch = plain.batchNormForward(x, { ...options, shape });
      const statistics = { mean: batch.mean, rstd: batch.rstd };
      const gradient = plain.batchNormBackward(dy, x, { ...options, ...statistics, shape });
      const given = { mean: batch.mean, variance: batch.variance };
      for (let call = 0; call < 3; call++) {
        same({ ...engine.batchNormForward(t, options) }, { ...batch });
        same({ ...engine.batchNormBackward(u, t, { ...options, ...statistics }) }, { ...gradient });
        const inference = { axis, gamma, ...given };
        same({ y: engine.batchNorm(t, inference) }, { y: plain.batchNorm(x, { ...inference, shape }) });
      }
    }
    const options = { axis, groups, gamma };
    const group = plain.groupNormForward(x, { ...options, shape });
    const statistics = { mean: group.mean, rstd: group.rstd };
    const gradient = plain.groupNormBackward(dy, x, { ...options, ...statistics, shape });
    const both = plain.moments(x, { shape, axis: 0 });
    for (let call = 0; call < 3; call++) {
      same({ ...engine.groupNormForward(t, options) }, { ...group });
      same({ ...engine.groupNormBackward(u, t, { ...options, ...statistics }) }, { ...gradient });
      same({ ...engine.moments(t, { axis: 0 }) }, { ...both });
    }
  });

  test.each([
    [300, 640, 300],
    [301, 640, 43],
    [5, 20_000, 1],
    [20_000, 7, 500],
  ])(
    'the normalized sum of %d x %d and %d rows: the bits of one, in place and not',
    (rows, cols, skipRows) => {
      const shape = [rows / skipRows, skipRows, cols];
      const [x, skip] = [normals(rows * cols, 5), normals(skipRows * cols, 6)];
      const [bias, gamma] = [normals(cols, 7), normals(cols, 8)];
      const layer = plain.skipLayerNormForward(x, skip, { shape, bias, gamma });
      const rms = plain.skipRmsNormForward(x, skip, { shape, gamma });
      using t = engine.tensor(x, shape);
      using s = engine.tensor(skip, [skipRows, cols]);
      using other = engine.tensor(x, shape);
      for (let call = 0; call < 6; call++) {
        // Apart, then y in place of x, then the sum.
        t.array.set(x);
        const outputs = [{ out: other }, { out: t, sumOut: other }, { sumOut: t }][call % 3];
        const made = engine.skipLayerNormForward(t, s, { bias, gamma, ...outputs });
        for (const name of ['y', 'sum', 'mean', 'rstd'] as const) {
          expectSameBits(made[name].array.slice(), layer[name]);
        }
        t.array.set(x);
        const root = engine.skipRmsNormForward(t, s, { gamma, ...outputs });
        for (const name of ['y', 'sum', 'rstd'] as const) expectSameBits(root[name].array.slice(), rms[name]);
        for (const one of [...Object.values(made), ...Object.values(root)]) {
          if (one !== t && one !== other) one.dispose();
        }
      }
    },
  );

  test.each(['float32', 'float64', 'float16'] as const)(
    'what is kept of rows of %s: the bits of one',
    (dtype) => {
      for (const [rows, cols, dimensions] of [
        [300, 768, 256],
        [5, 20_000, 20_000],
        [9000, 7, 1],
      ] as const) {
        const x = normals(rows * cols, 9);
        using one = plain.tensor(x, [rows, cols], dtype);
        using expected = plain.matryoshka(one, { dimensions });
        using t = engine.tensor(x, [rows, cols], dtype);
        for (let call = 0; call < 3; call++) {
          using y = engine.matryoshka(t, { dimensions });
          expect(y.shape).toEqual([rows, dimensions]);
          expect(Buffer.compare(bytesOf(y.array), bytesOf(expected.array))).toBe(0);
        }
      }
    },
  );

  test.each([
    [1500, 640],
    [40, 5000],
  ])('the spectral norm of %d x %d and its gradient: the bits of one, in place and not', (rows, cols) => {
    const shape = [rows, cols];
    const [x, u] = [normals(rows * cols, 3), normals(cols, 4)];
    const expected = plain.spectralNorm(x, { shape, u });
    const saved = { u: expected.u, v: expected.v, sigma: expected.sigma };
    const gradient = plain.spectralNormBackward(x, x, { shape, ...saved });
    using t = engine.tensor(x, shape);
    using out = engine.tensor(x, shape);
    for (let call = 0; call < 6; call++) {
      out.array.set(x);
      const result = engine.spectralNorm(call % 2 === 0 ? t : out, { u, out });
      expectSameBits(out.array.slice(), expected.kernel);
      expectSameBits(result.u.array.slice(), expected.u);
      expectSameBits(result.v.array.slice(), expected.v);
      expect(result.sigma).toBe(expected.sigma);
      out.array.set(x);
      engine.spectralNormBackward(call % 2 === 0 ? t : out, t, { ...saved, out });
      expectSameBits(out.array.slice(), gradient);
      result.u.dispose();
      result.v.dispose();
    }
  });

  test('arrays outside the memory, and the fast path for small ones, give the same bits', () => {
    const x = normals(64 * 1024, 5);
    for (const shape of [
      [64, 1024],
      [1024, 64],
    ]) {
      expectSameBits(engine.layerNorm(x, { shape }), layerNorm(x, { shape }));
    }
  });
});

function layerNormForwardAlone(x: Float32Array, shape: number[], axis: number | number[]) {
  return plain.layerNormForward(x, { shape, axis });
}

describe('configure', () => {
  const x = normals(600 * 900, 2);
  const shape = [600, 900];

  test('tensors that were there before stay where they are and can be used together with new ones', async () => {
    const expected = layerNorm(x, { shape, gamma: x.subarray(0, 900) });
    using before = tensor(x, shape);
    using oldGamma = tensor(x.subarray(0, 900));
    const viewBefore = before.array;
    const memoryBefore = info().memoryBytes;
    expect(await configure({ threads: 2 })).toMatchObject({ variant: 'simd-mt', threads: 2, liveTensors: 2 });
    expect(info().memoryBytes).toBeGreaterThan(memoryBefore);
    expect(before.array.buffer).toBe(viewBefore.buffer);
    using after = tensor(x, shape);
    using newGamma = tensor(oldGamma);
    expect(after.array.buffer).not.toBe(viewBefore.buffer);
    expect(info().liveTensors).toBe(4);

    const tensors: [Tensor, Tensor][] = [
      [before, oldGamma],
      [before, newGamma],
      [after, oldGamma],
      [after, newGamma],
    ];
    for (const [t, gamma] of tensors) {
      using y = layerNorm(t, { gamma });
      expectSameBits(y.array.slice(), expected);
      for (const place of [before, after]) {
        using out = layerNorm(place); // of the shape wanted, in this or the other memory
        expect(layerNorm(t, { gamma, out })).toBe(out);
        expectSameBits(out.array.slice(), expected);
      }
    }
  });

  test('views of tensors are used where they lie, also after the memory has grown', async () => {
    await configure({ threads: 2 });
    using t = tensor(x, shape);
    const view = t.array;
    using large = tensor(new Float32Array(2 ** 22));
    expect(large.size).toBe(2 ** 22);
    expect(view.length).toBe(x.length); // a shared memory detaches nothing when it grows
    expect(t.array.buffer).not.toBe(view.buffer);
    const expected = layerNorm(x, { shape });
    expectSameBits(layerNorm(view, { shape, out: t.array }).slice(), expected);
    expectSameBits(t.array.slice(), expected);
    expectSameBits(view.slice(), expected);
    expectError(
      () => layerNorm(view.subarray(0, 900), { out: t.array.subarray(1, 901) }),
      'ERR_ARGUMENT',
      /^layerNorm: out overlaps x in memory/,
    );
  });

  test('the number can be changed, with tensors alive', async () => {
    using t = tensor(x, shape);
    const expected = layerNorm(x, { shape });
    for (const threads of [3, 1, 4, 2]) {
      const { reason, ...rest } = await configure({ threads });
      expect(rest).toMatchObject({ threads });
      expect(reason).toBe(threads === 1 ? 'one thread was asked for' : undefined);
      using y = layerNorm(t);
      expectSameBits(y.array.slice(), expected);
    }
    const { threads, reason } = await configure({ threads: 'auto' });
    expect(threads).toBeGreaterThanOrEqual(1);
    expect(threads).toBeLessThanOrEqual(4);
    if (threads === 1) expect(reason).toMatch(/^one thread: 'auto' is half of the processors/);
  });

  test('calls at the same time come one after the other', async () => {
    const results = await Promise.all([2, 3, 1, 2].map((threads) => configure({ threads })));
    expect(results.at(-1)).toMatchObject({ threads: 2 });
    expect(info().threads).toBe(2);
  });

  test.each([
    [{ threads: 0 }, "configure: threads is 0, expected 'auto' or an integer from 1 to 32"],
    [{ threads: 'all' }, "configure: threads is 'all', expected 'auto' or an integer from 1 to 32"],
    [{ thread: 2 }, "configure: unknown option 'thread', expected threads, requireThreads"],
    [{ requireThreads: 1 }, 'configure: requireThreads is 1, expected true or false'],
    [2, 'configure: options is 2, expected an object such as { axis: -1 }'],
  ])('%j is refused', async (options, message) => {
    expectError(await rejection(configure(options as object)), 'ERR_ARGUMENT', message);
  });
});

describe('where threads cannot start', () => {
  const taken = globalThis.SharedArrayBuffer;
  beforeEach(() => void Reflect.deleteProperty(globalThis, 'SharedArrayBuffer'));
  afterEach(() => void Object.assign(globalThis, { SharedArrayBuffer: taken }));

  test('an engine works with one and says why', async () => {
    using engine = await createEngine({ threads: 4 });
    expect(engine.info()).toMatchObject({
      variant: 'simd',
      threads: 1,
      reason: 'SharedArrayBuffer is missing in this runtime',
    });
    using t = engine.tensor([1, 2, 3]);
    expect(engine.layerNorm(t).array).toEqual(layerNorm(new Float32Array([1, 2, 3])));
  });

  test('it is an error where they are required', async () => {
    expectError(
      await rejection(createEngine({ threads: 4, requireThreads: true })),
      'ERR_THREADS_UNAVAILABLE',
      'createEngine: SharedArrayBuffer is missing in this runtime',
    );
  });
});

describe('workers that end', () => {
  const shape = [700, 1024];
  const x = normals(sizeOf(shape), 3);
  const expected = layerNorm(x, { shape });

  /** Normalizes in place again and again, so that nothing could be computed once more from an input that is still there. */
  function useFor(milliseconds: number, engine: Engine, t: Tensor<'float32'>): void {
    const end = Date.now() + milliseconds;
    do {
      t.array.set(x);
      engine.layerNorm(t, { out: t });
      expectSameBits(t.array, expected);
    } while (Date.now() < end);
  }

  test('between calls: one thread goes on, and the reason is known', async () => {
    using engine = await createEngine({ threads: 3, requireThreads: true });
    using t = engine.tensor(x, shape);
    useFor(20, engine, t);
    const [worker] = workers.slice(-2) as [Worker];
    void worker.terminate();
    await ended(worker);
    expect(engine.info()).toMatchObject({ threads: 1, reason: 'a worker ended (exit code 1)' });
    useFor(20, engine, t);
  });

  test.each([0, 1, 2, 3, 4])('during calls, attempt %d: nothing is lost', async (attempt) => {
    using engine = await createEngine({ threads: 2, requireThreads: true });
    using t = engine.tensor(x, shape);
    useFor(30 + attempt, engine, t);
    const worker = workers.at(-1) as Worker;
    void worker.terminate(); // takes effect while the calls run
    useFor(200, engine, t);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(engine.info()).toMatchObject({ threads: 1, reason: expect.stringMatching(/^a worker ended /) });
    useFor(10, engine, t);
  });

  test('threads can be had again', async () => {
    await configure({ threads: 2, requireThreads: true });
    using t = tensor(x, shape);
    const running = workers.filter(({ threadId }) => threadId !== -1);
    expect(running).not.toHaveLength(0);
    await Promise.all(running.map((worker) => worker.terminate()));
    expect(info()).toMatchObject({ threads: 1, reason: 'a worker ended (exit code 1)' });
    expect(await configure({ threads: 2 })).toMatchObject({ threads: 2 });
    using y = layerNorm(t);
    using u = tensor(x, shape);
    using z = layerNorm(u);
    expectSameBits(y.array.slice(), expected);
    expectSameBits(z.array.slice(), expected);
  });

  test('an engine takes its workers with it', async () => {
    const engine = await createEngine({ threads: 3, requireThreads: true });
    const own = workers.slice(-2);
    engine.dispose();
    await Promise.all(own.map(ended));
    expectError(() => engine.info(), 'ERR_DISPOSED', 'info: the engine has been disposed');
  });
});

test('no global is added', () => {
  expect(globalThis).not.toHaveProperty('Worker', expect.anything());
  expect(Object.keys(globalThis)).not.toContain('Worker');
});
