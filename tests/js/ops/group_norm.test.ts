// Tiers: golden (numbers of Keras' tests), bounded (a float64 reference) and bitwise (containers, blocks, in place).
import fc from 'fast-check';
import { createEngine, groupNorm, groupNormForward, layerNorm, tensor } from 'layernorm';
import { copierOf } from '../../../js/src/tensor/sixteen_bit.js';
import { channelReference, groupPlaces } from '../support/channel_reference.js';
import { DATA_SETS, dataSet } from '../support/data_sets.js';
import { normals } from '../support/random.js';
import { expectSameBits, firstMismatch, maxUlpError } from '../support/ulp.js';

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);
const near = (actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-6): void =>
  expect(firstMismatch(actual, expected, tolerance, tolerance)).toBeUndefined();

describe("Keras' own tests of GroupNormalization", () => {
  const x = [-1, -1, 1, 1, 2, 2, 0, -2];
  const one = [-0.897795, -0.897795, 0.538677, 0.538677, 1.256913, 1.256913, -0.179559, -1.616031];
  const two = [-0.9995, -0.9995, 0.9995, 0.9995, 0.90437, 0.90437, -0.301457, -1.507283];

  test('1-D, one group and two', () => {
    near(groupNorm([x], { groups: 1 }).flat(), one);
    near(groupNorm([x], { groups: 2, axis: 1 }).flat(), two);
  });

  test('2-D, one group and two', () => {
    const rows = [
      [-1, -1, 2, 2],
      [1, 1, 0, -2],
    ];
    const shape = [1, 2, 4];
    const rearranged = (y: number[]): number[] => [0, 1, 4, 5, 2, 3, 6, 7].map((i) => y[i] as number);
    near(groupNorm(Float32Array.from(rows.flat()), { shape, groups: 1 }), rearranged(one));
    near(groupNorm(Float32Array.from(rows.flat()), { shape, groups: 2, axis: 2 }), rearranged(two));
  });

  test.each([4, -1])('instance: groups %d', (groups) => {
    const instance = new Float32Array([-1, 1, 0, 2, 1, 3, -4, -2]);
    const half = [-0.9995, -0.9995, 0.999875, 0.999875];
    near(groupNorm(instance, { shape: [1, 2, 4], groups }), [...half, ...half.map((v) => -v)]);
  });

  test('channels first', () => {
    const arange = Float32Array.from({ length: 16 }, (_, i) => i);
    const y = groupNorm(arange, { shape: [1, 4, 2, 2], groups: 2, axis: 1 });
    const half = [-1.5274, -1.091, -0.6546, -0.2182, 0.2182, 0.6546, 1.091, 1.5274];
    near(y, [...half, ...half], 1e-4);
  });

  test('70000 everywhere gives beta, also in float16 that comes from float32 (keras#22586)', () => {
    const large = new Float32Array(64).fill(70000);
    const y = groupNorm(large, { shape: [2, 4, 8], groups: 2, dtype: 'float16' });
    expect(Array.from(y as Uint16Array).every((bits) => bits === 0)).toBe(true);
  });

  test('Keras 2: centering and scaling', () => {
    near(
      groupNorm([x], { groups: 2, beta: Array(8).fill(10) }).flat(),
      [9, 9, 11, 11, 10.904, 10.904, 9.699, 8.493],
      1e-3,
    );
    near(
      groupNorm([x], { groups: 2, gamma: Array(8).fill(2) }).flat(),
      [-2, -2, 2, 2, 1.809, 1.809, -0.603, -3.015],
      1e-3,
    );
  });

  test('with nothing but batch and channels, groups of one give exactly beta', () => {
    expect(groupNorm([[5, -3]], { groups: -1, beta: [1, 2] })).toEqual([[1, 2]]);
  });
});

test('one group is layer normalization of each sample, but for what gamma spans', () => {
  const x = normals(2 * 60, 4);
  const shape = [2, 3, 4, 5];
  near(groupNorm(x, { shape, groups: 1, axis: 1 }), layerNorm(x, { shape, axis: [1, 2, 3] }));
});

interface Problem {
  shape: number[];
  axis: number;
  groups: number;
  seed: number;
  epsilon: number;
  scale: number;
  offset: number;
  affine: boolean;
}

/** Any shape of two to four dimensions, any axis but the batch, any number of groups that divides the channels. */
const problems: fc.Arbitrary<Problem> = fc
  .record({
    sizes: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 3 }),
    at: fc.integer({ min: 1, max: 3 }),
    groups: fc.integer({ min: 1, max: 5 }),
    perGroup: fc.integer({ min: 1, max: 5 }),
    seed: fc.integer({ min: 1, max: 2 ** 30 }),
    epsilon: fc.constantFrom(1e-5, 1e-3, 1),
    scale: fc.constantFrom(1e-10, 1, 1e3),
    offset: fc.constantFrom(0, 1, -1e4),
    affine: fc.boolean(),
    fromEnd: fc.boolean(),
  })
  .map(({ sizes, at, groups, perGroup, fromEnd, ...rest }) => {
    const place = Math.min(at, sizes.length);
    const shape = [...sizes.slice(0, place), groups * perGroup, ...sizes.slice(place)];
    return { ...rest, shape, groups, axis: fromEnd ? place - shape.length : place };
  });

function argumentsOf({ shape, axis, groups, seed, epsilon, scale, offset, affine }: Problem) {
  const x = normals(product(shape), seed).map((value) => value * scale + offset);
  const channels = shape.at(axis) as number;
  const gamma = affine ? normals(channels, seed + 1) : undefined;
  const beta = affine ? normals(channels, seed + 2) : undefined;
  return { x, options: { shape, axis, groups, epsilon, gamma, beta } };
}

test('near the float64 reference', () => {
  fc.assert(
    fc.property(problems, (problem) => {
      const { shape, axis, groups } = problem;
      const { x, options } = argumentsOf(problem);
      const { y, mean, rstd } = groupNormForward(x, options);
      const expected = channelReference(x, groupPlaces(shape, axis, groups), options);
      const g = Math.max(1, ...(options.gamma ?? []).map(Math.abs));
      const b = Math.max(0, ...(options.beta ?? []).map(Math.abs));
      const unit = 2 ** -23;
      expected.y.forEach((value, i) => {
        const size = Math.max(Math.abs(expected.normalized[i] as number), 1) * g + b;
        expect(Math.abs((y[i] as number) - value)).toBeLessThanOrEqual(5 * unit * size);
      });
      expect(mean.length).toBe((shape[0] as number) * groups);
      expected.mean.forEach((one, k) => {
        const r = expected.rstd[k] as number;
        expect(Math.abs((mean[k] as number) - one)).toBeLessThanOrEqual(unit * (2 * Math.abs(one) + 1 / r));
        expect(Math.abs((rstd[k] as number) - r)).toBeLessThanOrEqual(2 * unit * r);
      });
      expectSameBits(groupNorm(x, options), y);
    }),
    { numRuns: 300 },
  );
});

test.each(Object.keys(DATA_SETS))('%s: at most 3 ulp from the reference, in both layouts', (name) => {
  for (const [shape, axis] of [
    [[3, 8, 37], 1],
    [[3, 37, 8], 2],
  ] as const) {
    const x = dataSet(name, 3, 296);
    const { y } = groupNormForward(x, { shape: [...shape], axis, groups: 4, epsilon: 1e-5 });
    const expected = channelReference(x, groupPlaces(shape, axis, 4), { epsilon: 1e-5 });
    expect(maxUlpError(y, expected.y)).toBeLessThanOrEqual(3);
  }
});

test('the bits are the same for every kind of container, in place or not', () => {
  fc.assert(
    fc.property(problems, (problem) => {
      const { x, options } = argumentsOf(problem);
      const { shape, ...rest } = options;
      const expected = groupNormForward(x, options);
      const inPlace = x.slice();
      expect(groupNorm(inPlace, { ...options, out: inPlace })).toBe(inPlace);
      expectSameBits(inPlace, expected.y);
      using t = tensor(x, shape);
      const made = groupNormForward(t, rest);
      expect([made.y.shape, made.mean.shape]).toEqual([shape, [shape[0], problem.groups]]);
      for (const name of ['y', 'mean', 'rstd'] as const) {
        expectSameBits(made[name].array, expected[name]);
        made[name].dispose();
      }
      groupNorm(t, { ...rest, out: t });
      expectSameBits(t.array, expected.y);
      // A sample alone has the bits that it has in the batch.
      const size = x.length / (shape[0] as number);
      const alone = groupNorm(x.slice(0, size), { ...options, shape: [1, ...shape.slice(1)] });
      expectSameBits(expected.y.slice(0, size), alone);
    }),
    { numRuns: 100 },
  );
});

/** Samples that pass through the heap several at a time, one at a time, and in groups. */
const LARGE: [number[], number, number][] = [
  [[300, 16, 50], 1, 4],
  [[300, 50, 16], -1, 4],
  [[5, 64, 1000], 1, 32],
  [[1, 64, 2000], 1, 8],
  [[1, 40, 50, 64], -1, 8],
  [[1, 64, 2000], 1, -1],
];

test.each(LARGE)('blocks have the bits of one call: shape %j, axis %j, groups %j', (shape, axis, groups) => {
  const x = normals(product(shape), 5);
  const channels = shape.at(axis) as number;
  const options = { axis, groups, gamma: normals(channels, 6), beta: normals(channels, 7) };
  for (const dtype of ['float32', 'float64'] as const) {
    const blocks = groupNormForward(x, { ...options, shape, dtype });
    using t = tensor(x, shape, dtype);
    const whole = groupNormForward(t, options);
    for (const name of ['y', 'mean', 'rstd'] as const) {
      expectSameBits(blocks[name], whole[name].array);
      whole[name].dispose();
    }
  }
});

test('in a memory that is smaller than x the bits are the same', async () => {
  using engine = await createEngine({ maxMemory: 2 ** 21 });
  const x = normals(2 ** 20, 8);
  for (const [shape, axis] of [
    [[64, 32, 512], 1],
    [[1, 4096, 256], 2],
  ] as const) {
    const options = { shape: [...shape], axis };
    expectSameBits(engine.groupNorm(x, options), groupNorm(x, options));
  }
});

test.each(['float16', 'bfloat16'] as const)('%s: the bits of float32, rounded once', (type) => {
  const shape = [3, 8, 30];
  const bits = new Uint16Array(product(shape));
  copierOf(undefined, type)(bits, 0, normals(bits.length, 4), 0, bits.length);
  const wide = new Float32Array(bits.length);
  copierOf(type, 'float32')(wide, 0, bits, 0, bits.length);
  const options = { shape, axis: 1, groups: 2, gamma: normals(8, 5), beta: normals(8, 6) };
  const expected = groupNormForward(wide, options);
  const rounded = new Uint16Array(bits.length);
  copierOf('float32', type)(rounded, 0, expected.y, 0, bits.length);
  expect(groupNormForward(bits, { ...options, dtype: type })).toEqual({ ...expected, y: rounded });
});

test('containers: statistics are of the kind of x, [batch, groups]', () => {
  const made = groupNormForward(
    [
      [1, 3, 5, 9],
      [0, 0, 1, 1],
    ],
    { groups: 2, epsilon: 0 },
  );
  expect(made).toEqual({
    y: [
      [-1, 1, -1, 1],
      [Number.NaN, Number.NaN, Number.NaN, Number.NaN],
    ],
    mean: [
      [2, 7],
      [0, 1],
    ],
    rstd: [
      [1, 0.5],
      [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
    ],
  });
  const object = groupNormForward({ data: normals(8), dims: [2, 4], type: 'float32' }, { groups: 2 });
  expect(object.mean).toMatchObject({ dims: [2, 2], type: 'float32' });
});

test('empty x', () => {
  const { y, mean } = groupNormForward(new Float32Array(0), { shape: [2, 0, 4], groups: 2 });
  expect([y.length, Array.from(mean)]).toEqual([0, Array(4).fill(Number.NaN)]);
  expect(groupNorm(new Float32Array(0), { shape: [0, 32] })).toHaveLength(0);
  expect(groupNormForward(new Float32Array(0), { shape: [2, 0], groups: -1 }).rstd).toHaveLength(0);
});

test('null and undefined stand for the defaults', () => {
  const x = normals(128);
  const nothing = {
    groups: null,
    axis: null,
    epsilon: null,
    gamma: null,
    beta: null,
    dtype: null,
    out: null,
  };
  expect(groupNorm(x, { shape: [2, 64], ...nothing })).toEqual(
    groupNorm(x, { shape: [2, 64], groups: 32, axis: -1, epsilon: 1e-3 }),
  );
});
