import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as layernorm from 'layernorm';
import { createEngine, info, layerNorm, layerNormBackward, tensor } from 'layernorm';
import { expectError } from './support/errors.js';

const { version } = createRequire(import.meta.url)('../../package.json');

const core = (): WebAssembly.Module => {
  const file = createRequire(import.meta.url).resolve('layernorm/layernorm.wasm');
  return new WebAssembly.Module(readFileSync(file));
};

const x = new Float32Array([1, 2, 3, 4]);

async function rejection(promise: Promise<unknown>): Promise<() => never> {
  const error = await promise.then(
    () => new Error('nothing was thrown'),
    (reason: unknown) => reason,
  );
  return () => {
    throw error;
  };
}

describe('info', () => {
  test('says what runs', () => {
    expect(info()).toEqual({
      variant: 'simd',
      threads: 1,
      reason: "nobody has asked for threads: await configure({ threads: 'auto' })",
      version,
      memoryBytes: expect.any(Number),
      liveTensors: 0,
    });
    expect(info().memoryBytes % 65536).toBe(0);
  });

  test('counts tensors', () => {
    const [a, b] = [tensor(x), tensor(x)];
    expect(info().liveTensors).toBe(2);
    a.dispose();
    expect(info().liveTensors).toBe(1);
    b.dispose();
    expect(info().liveTensors).toBe(0);
  });
});

describe('createEngine', () => {
  test('makes the same functions over a memory of their own', async () => {
    const engine = await createEngine();
    expect(engine.layerNorm(x)).toEqual(layerNorm(x));
    const { y, mean, rstd } = engine.layerNormForward(x);
    expect(y).toEqual(layerNorm(x));
    expect(Array.from(mean)).toEqual([2.5]);
    expect(engine.layerNormBackward(x, x, { mean, rstd })).toEqual(layerNormBackward(x, x, { mean, rstd }));
    const t = engine.tensor(x);
    expect(engine.info()).toEqual({ ...info(), memoryBytes: 2 ** 20, liveTensors: 1 });
    expect(info().liveTensors).toBe(0);
    t.dispose();
    engine.dispose();
  });

  test('has every operation', async () => {
    using engine = await createEngine();
    const wide = Float32Array.from({ length: 24 }, (_, i) => i * i);
    const shape = [2, 3, 4];
    const given = { shape, axis: 1, groups: 3 };
    const { groups: _, ...plain } = given;
    let expected: unknown;
    for (const api of [engine, layernorm]) {
      const batch = api.batchNormForward(wide, plain);
      const group = api.groupNormForward(wide, given);
      const instance = api.instanceNormForward(wide, plain);
      const results = [
        batch,
        group,
        instance,
        api.batchNorm(wide, plain),
        api.groupNorm(wide, given),
        api.instanceNorm(wide, plain),
        api.batchNormBackward(wide, wide, { ...plain, mean: batch.mean, rstd: batch.rstd }),
        api.groupNormBackward(wide, wide, { ...given, mean: group.mean, rstd: group.rstd }),
        api.instanceNormBackward(wide, wide, { ...plain, mean: group.mean, rstd: group.rstd }),
        api.moments(wide, { shape }),
      ];
      expected ??= results;
      expect(results).toEqual(expected);
    }
    const operations = Object.keys(layernorm).filter((name) =>
      /Norm(Forward|Backward)?$|^moments$/.test(name),
    );
    expect(Object.keys(engine)).toEqual(expect.arrayContaining(operations));
  });

  test('its functions need no this', async () => {
    const { layerNorm: own, tensor: ownTensor } = await createEngine();
    using t = ownTensor(x);
    using y = own(t);
    expect(y.array).toEqual(layerNorm(x));
  });

  test('takes a compiled module', async () => {
    using engine = await createEngine({ module: core() });
    expect(engine.layerNorm(x)).toEqual(layerNorm(x));
  });

  test('the memory grows to maxMemory at most', async () => {
    using engine = await createEngine({ maxMemory: 3 * 2 ** 20 });
    expectError(
      () => engine.tensor(new Float32Array(2 ** 20)),
      'ERR_OUT_OF_MEMORY',
      /^tensor: 4194304 bytes are needed/,
    );
    expect(engine.info().memoryBytes).toBeLessThanOrEqual(3 * 2 ** 20);
  });

  test.each([
    [
      { maxMemory: 1000 },
      'ERR_ARGUMENT',
      'createEngine: maxMemory is 1000 bytes, expected 1048576 to 4294967296',
    ],
    [
      { maxMemory: '1 GB' },
      'ERR_ARGUMENT',
      "createEngine: maxMemory is '1 GB' bytes, expected 1048576 to 4294967296",
    ],
    [
      { axis: 4 },
      'ERR_ARGUMENT',
      "createEngine: unknown option 'axis', expected threads, requireThreads, maxMemory, module",
    ],
    [{ maxmemory: 4 }, 'ERR_ARGUMENT', "createEngine: unknown option 'maxmemory', did you mean 'maxMemory'?"],
    [
      { module: new Uint8Array(8) },
      'ERR_ARGUMENT',
      'createEngine: module is a Uint8Array, expected a compiled WebAssembly.Module',
    ],
    [5, 'ERR_ARGUMENT', 'createEngine: options is 5, expected an object such as { axis: -1 }'],
  ] as const)('%j is refused', async (options, code, message) => {
    expectError(await rejection(createEngine(options as object)), code, message);
  });

  test('refuses a module that is not this core', async () => {
    const module = new WebAssembly.Module(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
    expectError(
      await rejection(createEngine({ module })),
      'ERR_LOAD',
      `createEngine: the WebAssembly module does not fit this JavaScript, which is layernorm ${version}`,
    );
  });
});

describe('a disposed engine', () => {
  test('does nothing any more, and its tensors are gone with it', async () => {
    const engine = await createEngine();
    const t = engine.tensor(x);
    engine.dispose();
    engine.dispose();
    expect(t.disposed).toBe(true);
    expectError(() => engine.layerNorm(x), 'ERR_DISPOSED', 'layerNorm: the engine has been disposed');
    expectError(
      () => engine.layerNormForward(x),
      'ERR_DISPOSED',
      'layerNormForward: the engine has been disposed',
    );
    expectError(
      () => engine.layerNormBackward(x, x, { mean: [0], rstd: [1] }),
      'ERR_DISPOSED',
      'layerNormBackward: the engine has been disposed',
    );
    expectError(
      () => engine.spectralNorm(x, { u: x }),
      'ERR_DISPOSED',
      'spectralNorm: the engine has been disposed',
    );
    expectError(
      () => engine.spectralNormBackward(x, x, { u: x, v: [1], sigma: 1 }),
      'ERR_DISPOSED',
      'spectralNormBackward: the engine has been disposed',
    );
    expectError(() => engine.tensor(x), 'ERR_DISPOSED', 'tensor: the engine has been disposed');
    expectError(() => engine.info(), 'ERR_DISPOSED', 'info: the engine has been disposed');
    expectError(() => t.array, 'ERR_DISPOSED', /disposed/);
    expect(() => t.dispose()).not.toThrow();
  });

  test('is what using leaves behind', async () => {
    let left: Awaited<ReturnType<typeof createEngine>>;
    {
      using engine = await createEngine();
      left = engine;
    }
    expectError(() => left.info(), 'ERR_DISPOSED', /disposed/);
  });
});

test('tensors belong to one engine', async () => {
  using engine = await createEngine();
  using t = tensor(x);
  using u = engine.tensor(x);
  expectError(
    () => engine.layerNorm(t),
    'ERR_ARGUMENT',
    "layerNorm: x is a tensor of another engine; pass its array, or call that engine's own layerNorm",
  );
  expectError(
    () => layerNorm(x, { gamma: u }),
    'ERR_ARGUMENT',
    /^layerNorm: gamma is a tensor of another engine/,
  );
  expect(engine.layerNorm(t.array)).toEqual(layerNorm(u.array));
});
