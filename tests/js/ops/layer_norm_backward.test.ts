// The gradient: golden (Keras), bounded (a float64 reference, finite differences) and bitwise (containers, blocks, in place).
import fc from 'fast-check';
import { createEngine, layerNorm, layerNormBackward, layerNormForward, type Tensor, tensor } from 'layernorm';
import { kerasCases } from '../support/golden.js';
import { normals, seeded } from '../support/random.js';
import { layerNormBackwardReference } from '../support/reference.js';
import { expectSameBits, firstMismatch } from '../support/ulp.js';

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);
const reduced = (shape: readonly number[], axes: readonly number[]): number[] =>
  shape.filter((_, i) => axes.includes(i));

describe('Keras 3.16', () => {
  test.each(kerasCases('LayerNormalization'))(
    '$name',
    ({ config, input, dy, grads, weight_names, weights_before }) => {
      const gamma = weights_before[weight_names.indexOf('gamma')]?.data;
      const { axis, epsilon, rms_scaling: rmsScaling } = config;
      const x = Float32Array.from(input.data);
      const options = { shape: input.shape, axis, rmsScaling, gamma };
      const { mean, rstd } = layerNormForward(x, { ...options, epsilon });
      const actual = layerNormBackward(Float32Array.from(dy.data), x, { ...options, mean, rstd });
      const near = (array: ArrayLike<number>, expected: number[]): void => {
        const scale = Math.max(...expected.map(Math.abs));
        expect(firstMismatch(array, expected, 2e-5, 2e-5 * scale)).toBeUndefined();
      };
      near(actual.dx, grads.input.data);
      if (grads.gamma) near(actual.dgamma, grads.gamma.data);
      if (grads.beta) near(actual.dbeta ?? [], grads.beta.data);
      expect(Object.keys(actual)).toEqual(rmsScaling ? ['dx', 'dgamma'] : ['dx', 'dgamma', 'dbeta']);
    },
  );
});

test.each([
  [[3, 5], [1], false],
  [[3, 5], [0], false],
  [[2, 3, 4], [0, 2], false],
  [[2, 3, 4], [1], true],
])('finite differences: shape %j, axes %j, rmsScaling %j', (shape, axis, rmsScaling) => {
  const columns = product(reduced(shape, axis));
  const doubles = (length: number, seed: number): Float64Array => Float64Array.from(normals(length, seed));
  const x = doubles(product(shape), 21);
  const dy = doubles(x.length, 22);
  const gamma = doubles(columns, 23);
  const beta = doubles(columns, 24);
  const options = { shape, axis, rmsScaling };
  const loss = (): number =>
    layerNorm(x, { ...options, gamma, ...(!rmsScaling && { beta }) }).reduce(
      (sum, y, i) => sum + y * (dy[i] as number),
      0,
    );
  const differences = (array: Float64Array): Float64Array =>
    array.map((value, i) => {
      const step = 1e-5;
      array[i] = value + step;
      const above = loss();
      array[i] = value - step;
      const below = loss();
      array[i] = value;
      return (above - below) / (2 * step);
    });
  const { mean, rstd } = layerNormForward(x, options);
  const { dx, dgamma } = layerNormBackward(dy, x, { ...options, gamma, mean, rstd });
  expect(firstMismatch(dx, differences(x), 1e-7, 1e-8)).toBeUndefined();
  expect(firstMismatch(dgamma, differences(gamma), 1e-7, 1e-8)).toBeUndefined();
  if (rmsScaling) return;
  const { dbeta } = layerNormBackward(dy, x, { ...options, rmsScaling: false, gamma, mean, rstd });
  expect(firstMismatch(dbeta, differences(beta), 1e-7, 1e-8)).toBeUndefined();
});

interface Problem {
  shape: number[];
  axis: number[];
  seed: number;
  scale: number;
  offset: number;
  affine: boolean;
  rmsScaling: boolean;
  dtype: 'float32' | 'float64';
}

const problems: fc.Arbitrary<Problem> = fc
  .array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 })
  .chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      axis: fc.shuffledSubarray([...shape.keys()], { minLength: 1 }),
      seed: fc.integer({ min: 1, max: 2 ** 30 }),
      scale: fc.constantFrom(1e-10, 1, 1e3),
      offset: fc.constantFrom(0, 1, -100),
      affine: fc.boolean(),
      rmsScaling: fc.boolean(),
      dtype: fc.constantFrom('float32', 'float64'),
    }),
  );

/** The arguments of a problem, all in float32 arrays. */
function argumentsOf({ shape, axis, seed, scale, offset, affine, rmsScaling, dtype }: Problem) {
  const x = normals(product(shape), seed).map((value) => value * scale + offset);
  const dy = normals(x.length, seed + 1);
  const gamma = affine ? normals(product(reduced(shape, axis)), seed + 2) : undefined;
  const options = { axis, rmsScaling, dtype, gamma };
  const { mean, rstd } = layerNormForward(x, { ...options, shape });
  return { dy, x, options: { ...options, mean, rstd } };
}

test('near the float64 reference', () => {
  fc.assert(
    fc.property(problems, (problem) => {
      const { shape, axis, rmsScaling, dtype } = problem;
      const { dy, x, options } = argumentsOf(problem);
      const actual = layerNormBackward(dy, x, { ...options, shape });
      const { mean, rstd, gamma } = options;
      const expected = layerNormBackwardReference(dy, x, shape, {
        axes: axis,
        mean,
        rstd,
        rmsScaling,
        ...(gamma && { gamma }),
      });
      // A few roundings for each element, and one for each of 64 groups that are summed in this precision.
      const ulp = dtype === 'float32' ? 2 ** -23 : 2 ** -51;
      const bounds = { dx: 8 * ulp, dgamma: 36 * ulp, dbeta: 36 * ulp };
      for (const name of rmsScaling ? (['dx', 'dgamma'] as const) : (['dx', 'dgamma', 'dbeta'] as const)) {
        const array = actual[name] as ArrayLike<number>;
        expect(array.length).toBe(expected[name].length);
        expected[name].forEach((value, i) => {
          const error = Math.abs((array[i] as number) - value);
          expect(error).toBeLessThanOrEqual(bounds[name] * (expected.sizes[name][i] as number) + 1e-37);
        });
      }
    }),
    { numRuns: 300 },
  );
});

test('the bits are the same for every kind of container, in place or not', () => {
  fc.assert(
    fc.property(problems, (problem) => {
      const { shape, axis, dtype } = problem;
      const { dy, x, options: given } = argumentsOf({ ...problem, rmsScaling: false });
      const { mean, rstd } = given;
      const options = { ...given, rmsScaling: false as const };
      const { dx, dgamma, dbeta } = layerNormBackward(dy, x, { ...options, shape });
      const outputs = ['dx', 'dgamma', 'dbeta'] as const;
      for (const one of outputs) {
        const alone = layerNormBackward(dy, x, { ...options, shape, outputs: [one] });
        expect(alone).toEqual({ [one]: { dx, dgamma, dbeta }[one] });
      }

      const kept = shape.map((size, i) => (axis.includes(i) ? 1 : size));
      using t = tensor(x, shape, dtype);
      using u = tensor(dy, shape, dtype);
      using m = tensor(mean, kept, dtype);
      using r = tensor(rstd, kept, dtype);
      const inHeap = layerNormBackward(u, t, { ...options, mean: m, rstd: r });
      expectSameBits(inHeap.dx.array, dx);
      expectSameBits(inHeap.dgamma.array, dgamma);
      expectSameBits(inHeap.dbeta.array, dbeta);
      expect(inHeap.dx.shape).toEqual(shape);
      expect(inHeap.dgamma.shape).toEqual(reduced(shape, axis));
      for (const made of [inHeap.dx, inHeap.dgamma, inHeap.dbeta]) made.dispose();

      // dx in a tensor: one of its own, that of dy, that of x; what is not there comes from outside.
      const into = (from: typeof dy | Tensor, at: typeof x | Tensor, out: Tensor): void => {
        const made = layerNormBackward(from, at, { ...options, ...(at === x && { shape }), out });
        expect(made.dx).toBe(out);
        expectSameBits(out.array, dx);
        for (const one of [made.dgamma, made.dbeta]) if ('dispose' in one) one.dispose();
      };
      using own = tensor(new Float32Array(x.length), shape, dtype);
      into(dy, x, own);
      into(u, x, own);
      into(dy, t, own);
      for (const [from, restore] of [
        [dy, x],
        [u, x],
      ] as const) {
        into(from, t, t);
        t.array.set(restore);
      }
      for (const at of [x, t] as const) {
        into(u, at, u);
        u.array.set(dy);
      }
      if (dtype === 'float32') {
        const [inDy, inX] = [dy.slice(), x.slice()];
        expect(layerNormBackward(inDy, x, { ...options, shape, out: inDy }).dx).toBe(inDy);
        expectSameBits(inDy, dx as Float32Array);
        layerNormBackward(dy, inX, { ...options, shape, out: inX });
        expectSameBits(inX, dx as Float32Array);
      }
    }),
    { numRuns: 100 },
  );
});

/** Blocks of several groups, of one, of columns; their numbers of groups are no multiples of the core's 64. */
test.each([
  [[3000, 100], [1]],
  [[1000, 331], [1]],
  [[100, 3000], [0]],
  [[2, 70_000], [1]],
  [[7000, 200], [0]],
  [[6, 200, 300], [1]],
  [
    [20, 100, 100],
    [0, 2],
  ],
  [
    [3, 50, 40, 30],
    [1, 3],
  ],
  [
    [3, 50, 40, 30],
    [0, 2],
  ],
])('blocks have the bits of one call: shape %j, axes %j', (shape, axis) => {
  const x = normals(product(shape), 31);
  const dy = normals(x.length, 32);
  const gamma = normals(product(reduced(shape, axis)), 33);
  const { mean, rstd } = layerNormForward(x, { shape, axis });
  for (const dtype of ['float32', 'float64'] as const) {
    const options = { axis, gamma, mean, rstd, dtype };
    const blocks = layerNormBackward(dy, x, { ...options, shape });
    using t = tensor(x, shape, dtype);
    using u = tensor(dy, shape, dtype);
    const whole = layerNormBackward(u, t, options);
    expectSameBits(blocks.dx, whole.dx.array);
    expectSameBits(blocks.dgamma, whole.dgamma.array);
    expectSameBits(blocks.dbeta, whole.dbeta.array);
    // One inside, one outside.
    const mixed = layerNormBackward(dy, t, { ...options, out: t });
    expectSameBits(mixed.dx.array, blocks.dx);
    expectSameBits(mixed.dgamma.array, blocks.dgamma);
    for (const made of [...Object.values(whole), mixed.dgamma, mixed.dbeta]) made.dispose();
  }
});

test('in a memory that is smaller than x the bits are the same', async () => {
  using engine = await createEngine({ maxMemory: 2 ** 21 });
  const random = seeded(41);
  for (const [shape, axis] of [
    [[4096, 256], 1],
    [[5000, 70], 0],
  ] as const) {
    const x = Float32Array.from({ length: product(shape) }, random);
    const dy = x.map((value) => 1 - value * value);
    const { mean, rstd } = layerNormForward(x, { shape, axis });
    const options = { shape, axis, mean, rstd };
    const [small, large] = [engine.layerNormBackward(dy, x, options), layerNormBackward(dy, x, options)];
    for (const name of ['dx', 'dgamma', 'dbeta'] as const) expectSameBits(small[name], large[name]);
  }
});

describe('containers', () => {
  const x = normals(24);
  const dy = normals(24, 2);
  const shape = [2, 3, 4];
  const axis = [0, 2];
  const { mean, rstd } = layerNormForward(x, { shape, axis });
  const { dx, dgamma, dbeta } = layerNormBackward(dy, x, { shape, axis, mean, rstd });

  test('a typed array gives typed arrays', () => {
    for (const one of [dx, dgamma, dbeta]) expect(one).toBeInstanceOf(Float32Array);
    expect([dx.length, dgamma.length, dbeta.length]).toEqual([24, 8, 8]);
  });

  test('nested arrays give nested arrays, objects give objects', () => {
    const rows = (array: ArrayLike<number>): number[][] =>
      Array.from({ length: array.length / 4 }, (_, i) => Array.from(array).slice(4 * i, 4 * i + 4));
    const nested = [rows(x).slice(0, 3), rows(x).slice(3)];
    expect(layerNormBackward(dy, nested, { axis, mean, rstd })).toEqual({
      dx: [rows(dx).slice(0, 3), rows(dx).slice(3)],
      dgamma: rows(dgamma),
      dbeta: rows(dbeta),
    });
    expect(
      layerNormBackward({ data: dy, shape }, { data: x, dims: shape, type: 'float32' }, { axis, mean, rstd }),
    ).toEqual({
      dx: { data: dx, dims: shape, type: 'float32' },
      dgamma: { data: dgamma, dims: [2, 4], type: 'float32' },
      dbeta: { data: dbeta, dims: [2, 4], type: 'float32' },
    });
    expect(layerNormBackward([1, 0], [1, 3], { mean: [2], rstd: [1] })).toEqual({
      dx: [0, 0],
      dgamma: [-1, 0],
      dbeta: [1, 0],
    });
  });

  test('mean and rstd in all shapes that say one for each group', () => {
    for (const sizes of [[3], [1, 3, 1]]) {
      const statistics = { mean: { data: mean, shape: sizes }, rstd: { data: [...rstd], shape: sizes } };
      expect(layerNormBackward(dy, x, { shape, axis, ...statistics })).toEqual({ dx, dgamma, dbeta });
    }
  });

  test('x decides the type, integers become float32, and dtype overrules', () => {
    const bytes = Uint8Array.from({ length: 6 }, (_, i) => i * i);
    const options = { shape: [2, 3], ...layerNormForward(bytes, { shape: [2, 3] }), y: undefined };
    const { y: _, ...statistics } = options;
    expect(layerNormBackward(bytes, bytes, statistics)).toEqual(
      layerNormBackward(Float32Array.from(bytes), Float32Array.from(bytes), statistics),
    );
    const wide = layerNormBackward(dy, x, { shape, axis, mean, rstd, dtype: 'float64' });
    expect(wide.dx).toBeInstanceOf(Float64Array);
    expect(wide.dgamma).toBeInstanceOf(Float64Array);
    expect(firstMismatch(wide.dx, dx, 1e-5, 1e-6)).toBeUndefined();
    expect(layerNormBackward(Float64Array.from(dy), x, { shape, axis, mean, rstd }).dx).toEqual(dx);
  });
});

describe('outputs', () => {
  const arrays = [normals(12), normals(12, 2)] as const;
  const options = { shape: [3, 4], mean: [0, 0, 0], rstd: [1, 1, 1] };

  test('any subset, in any order; all by default', () => {
    const all = layerNormBackward(...arrays, options);
    expect(Object.keys(all)).toEqual(['dx', 'dgamma', 'dbeta']);
    expect(layerNormBackward(...arrays, { ...options, outputs: null })).toEqual(all);
    const { dbeta, dgamma } = layerNormBackward(...arrays, { ...options, outputs: ['dbeta', 'dgamma'] });
    expect({ dx: all.dx, dbeta, dgamma }).toEqual(all);
  });

  test('rmsScaling has no beta, so no dbeta', () => {
    const rms = layerNormBackward(...arrays, { ...options, rmsScaling: true });
    expect(Object.keys(rms)).toEqual(['dx', 'dgamma']);
  });

  test('the arguments are left as they are', () => {
    const before = arrays.map((array) => array.slice());
    layerNormBackward(...arrays, Object.freeze({ ...options, outputs: Object.freeze(['dx'] as const) }));
    expect(arrays).toEqual(before);
  });
});

describe('nothing to sum', () => {
  test('no groups: gradients of gamma and beta are zeros', () => {
    const options = { shape: [0, 3], mean: [] as number[], rstd: new Float32Array(0) };
    const none = new Float32Array(0);
    const zeros = new Float32Array(3);
    expect(layerNormBackward(none, none, { ...options, mean: none })).toEqual({
      dx: none,
      dgamma: zeros,
      dbeta: zeros,
    });
    using t = tensor(none, [0, 300]);
    const { dx, dgamma, dbeta } = layerNormBackward(none, t, { mean: none, rstd: none });
    expect(dgamma.array.some((value) => value !== 0)).toBe(false);
    for (const one of [dx, dgamma, dbeta]) one.dispose();
  });

  test('groups of no elements', () => {
    const none = new Float32Array(0);
    const nan = [Number.NaN, Number.NaN];
    expect(layerNormBackward(none, none, { shape: [2, 0], mean: nan, rstd: nan })).toEqual({
      dx: none,
      dgamma: none,
      dbeta: none,
    });
  });
});

test('a group of NaN leaves the dx of the others alone', () => {
  const x = normals(12);
  const dy = normals(12, 2);
  const statistics = layerNormForward(x, { shape: [3, 4] });
  const { mean, rstd } = statistics;
  const { dx } = layerNormBackward(dy, x, { shape: [3, 4], mean, rstd });
  const odd = dy.slice();
  odd[5] = Number.NaN;
  const after = layerNormBackward(odd, x, { shape: [3, 4], mean, rstd }).dx;
  expect(after.subarray(4, 8).every(Number.isNaN)).toBe(true);
  expectSameBits(after.subarray(0, 4), dx.subarray(0, 4));
  expectSameBits(after.subarray(8), dx.subarray(8));
});
