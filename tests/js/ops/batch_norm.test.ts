// Tiers: golden (numbers of Keras' and TensorFlow.js' tests), bounded (a float64 reference) and bitwise (containers, blocks,
// in place).
import fc from 'fast-check';
import { batchNorm, batchNormForward, createEngine, type Tensor, tensor } from 'layernorm';
import { copierOf } from '../../../js/src/tensor/sixteen_bit.js';
import { batchPlaces, channelReference, countsOf } from '../support/channel_reference.js';
import { normals, seeded } from '../support/random.js';
import { expectSameBits, firstMismatch, maxUlpError } from '../support/ulp.js';

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);
const near = (actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-6): void =>
  expect(firstMismatch(actual, expected, tolerance, tolerance)).toBeUndefined();

describe("Keras' own tests of BatchNormalization", () => {
  test.each([
    [[5, 2, 3], -1],
    [[5, 3, 3, 2], 1],
    [[5, 2, 3], 1],
  ])('correctness: shape %j, axis %j', (shape, axis) => {
    const x = normals(product(shape), 3).map((value) => 10 * value + 5);
    const channels = shape.at(axis) as number;
    const moving = { movingMean: new Float32Array(channels), movingVariance: new Float32Array(channels) };
    // Three layers one upon the other.
    let y = x;
    for (let layer = 0; layer < 3; layer++) y = batchNorm(y, { shape, axis });
    const { mean, variance } = batchNormForward(y, { shape, axis });
    near(mean, new Float32Array(channels), 1e-3);
    near(variance, new Float32Array(channels).fill(1), 1e-3);
    const trained = batchNormForward(x, { shape, axis, momentum: 0, ...moving });
    const inferred = batchNorm(x, {
      shape,
      axis,
      mean: trained.movingMean,
      variance: trained.movingVariance,
    });
    near(inferred, trained.y, 1e-6);
    expect([...moving.movingMean, ...moving.movingVariance].every((value) => value === 0)).toBe(true);
  });

  test('a batch that is masked as a whole is 0', () => {
    const x = new Float32Array(20);
    const { y, mean, variance } = batchNormForward(x, { shape: [4, 5], mask: new Uint8Array(4) });
    for (const zeros of [y, mean, variance]) expect(zeros.every((value) => value === 0)).toBe(true);
    const ones = new Float32Array(20).fill(1);
    near(batchNorm(ones, { shape: [4, 5], mask: new Uint8Array(4) }), ones.fill(1 / Math.sqrt(1e-3)));
  });

  test.each([0, 0.1, 1])('masked values of %d are ignored', (padding) => {
    const x = [
      [1, 5],
      [2, 5],
      [padding, padding],
      [padding, padding],
    ];
    const { movingMean, movingVariance } = batchNormForward(x, {
      mask: [true, true, false, false],
      momentum: 0,
      movingMean: [0, 0],
      movingVariance: [1, 1],
    });
    near(movingMean, [1.5, 5]);
    near(movingVariance, [0.25, 0], 1e-5);
  });

  test('a mask is broadcast', () => {
    const ones = new Float32Array(24).fill(1);
    const { y, mean, variance } = batchNormForward(ones, { shape: [1, 2, 3, 4], mask: [[[1], [1]]] });
    near(y, new Float32Array(24));
    near(mean, [1, 1, 1, 1]);
    near(variance, [0, 0, 0, 0]);
  });

  test('one channel and a mask: not a scalar', () => {
    const { mean } = batchNormForward([[1], [3], [8]], { mask: [true, true, false] });
    expect(mean).toEqual([expect.closeTo(2, 6)]);
  });

  test('input [0, 2], momentum 0.5: the biased variance goes into the moving one (Keras 2 and PyTorch: 1)', () => {
    const start = { movingMean: [0], movingVariance: [0], momentum: 0.5 };
    const { movingMean, movingVariance } = batchNormForward([[0], [2]], start);
    expect([movingMean, movingVariance]).toEqual([[0.5], [0.5]]);
  });

  test('[-1000, 1000] in float16', () => {
    const bits = new Uint16Array([0xe3d0, 0x63d0]);
    const y = batchNorm(bits, { shape: [2, 1], dtype: 'float16' });
    expect(Array.from(y as Uint16Array)).toEqual([0xbc00, 0x3c00]);
  });
});

describe("TensorFlow.js' own tests", () => {
  const rows = [
    [1, 2, 3, 4],
    [2, 4, 6, 8],
    [12, 11, 10, 9],
  ];
  const normalized = [
    -0.805371, -0.9502233, -1.1624058, -1.3885813, -0.6040282, -0.4319197, -0.11624074, 0.46286058, 1.4093992,
    1.3821429, 1.2786462, 0.92572117,
  ];

  test('normalizeBatchInTraining, 2-D', () => {
    const { y, mean, variance } = batchNormForward(rows);
    near(y.flat(), normalized);
    near(mean, [5, 5.6666665, 6.3333335, 7]);
    near(variance, [24.666666, 14.888889, 8.222222, 4.6666665]);
  });

  test('normalizeBatchInTraining, 3-D over axes 0 and 1', () => {
    const { mean, variance } = batchNormForward(Float32Array.from(rows.flat()), { shape: [3, 2, 2] });
    near(mean, [5.6666665, 6.3333335]);
    near(variance, [16.88889, 10.222222]);
  });

  const x = [
    [10, 20],
    [30, 40],
  ];
  const given = { mean: [5, 5], variance: [4, 16], epsilon: 0 };
  test.each([
    ['by mean and variance', given, [2.5, 3.75, 12.5, 8.75]],
    ['with beta', { ...given, beta: [-1, -2] }, [1.5, 1.75, 11.5, 6.75]],
    [
      'with gamma and beta',
      { mean: [2, 5], variance: [1, 4], gamma: [3, 4], beta: [-1, -2], epsilon: 0 },
      [23, 28, 83, 68],
    ],
    [
      'epsilon lies inside the root',
      { mean: [30, 30], variance: [7, 7], epsilon: 2 },
      [-20, -10, 0, 10].map((v) => v / 3),
    ],
  ])('batchNormalization %s', (_, options, expected) => {
    near(batchNorm(x, options).flat(), expected);
  });
});

// PyTorch's momentum, 0.1 by default, is the weight of the new value, and the variance that it stores is the unbiased one.
test("PyTorch's running statistics from these", () => {
  const x = Float32Array.from([1, 2, 4, 9]);
  const { mean, variance } = batchNormForward(x, { shape: [4, 1], epsilon: 1e-5 });
  const momentum = 0.1;
  const [m, v] = [mean[0] as number, variance[0] as number];
  near([(1 - momentum) * 0 + momentum * m], [0.4]);
  near([(1 - momentum) * 1 + (momentum * v * 4) / 3], [1.0 * 0.9 + 0.1 * 12.666667], 1e-6);
  const { movingMean } = batchNormForward(x, {
    shape: [4, 1],
    momentum: 1 - momentum,
    movingMean: [0],
    movingVariance: [1],
  });
  near(movingMean, [0.4]);
});

interface Problem {
  shape: number[];
  axis: number;
  seed: number;
  epsilon: number;
  scale: number;
  offset: number;
  affine: boolean;
  masked: boolean;
}

const problems: fc.Arbitrary<Problem> = fc
  .array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 })
  .chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      axis: fc.integer({ min: -shape.length, max: shape.length - 1 }),
      seed: fc.integer({ min: 1, max: 2 ** 30 }),
      epsilon: fc.constantFrom(1e-5, 1e-3, 1),
      scale: fc.constantFrom(1e-10, 1, 1e3),
      offset: fc.constantFrom(0, 1, -1e4),
      affine: fc.boolean(),
      masked: fc.boolean(),
    }),
  );

/** The arguments of a problem. */
function argumentsOf({ shape, axis, seed, epsilon, scale, offset, affine, masked }: Problem) {
  const x = normals(product(shape), seed).map((value) => value * scale + offset);
  const channels = shape.at(axis) as number;
  const gamma = affine ? normals(channels, seed + 1) : undefined;
  const beta = affine ? normals(channels, seed + 2) : undefined;
  const random = seeded(seed);
  const mask = masked
    ? Uint8Array.from({ length: product(shape.slice(0, -1)) }, () => (random() < 0.7 ? 1 : 0))
    : undefined;
  return { x, options: { shape, axis, epsilon, gamma, beta, mask }, channels };
}

/** The largest error of y, in units of what gamma and beta make of one. */
function errorOf(
  y: ArrayLike<number>,
  expected: ReturnType<typeof channelReference>,
  { affine }: Problem,
  { gamma, beta }: { gamma: Float32Array | undefined; beta: Float32Array | undefined },
): number {
  const g = affine ? Math.max(1, ...(gamma as Float32Array).map(Math.abs)) : 1;
  const b = affine ? Math.max(0, ...(beta as Float32Array).map(Math.abs)) : 0;
  return expected.y.reduce((error, value, i) => {
    const size = Math.max(Math.abs(expected.normalized[i] as number), 1) * g + b;
    return Math.max(error, Math.abs((y[i] as number) - value) / size);
  }, 0);
}

test('near the float64 reference', () => {
  fc.assert(
    fc.property(problems, (problem) => {
      const { shape, axis, epsilon } = problem;
      const { x, options } = argumentsOf(problem);
      const { y, mean, variance, rstd } = batchNormForward(x, options);
      const expected = channelReference(x, batchPlaces(shape, axis), {
        epsilon,
        gamma: options.gamma,
        beta: options.beta,
        ...(options.mask && { counts: countsOf(options.mask, shape) }),
      });
      const unit = 2 ** -23;
      expect(errorOf(y, expected, problem, options)).toBeLessThanOrEqual(5 * unit);
      expected.mean.forEach((one, c) => {
        const r = expected.rstd[c] as number;
        expect(Math.abs((mean[c] as number) - one)).toBeLessThanOrEqual(unit * (2 * Math.abs(one) + 1 / r));
        expect(Math.abs((rstd[c] as number) - r)).toBeLessThanOrEqual(2 * unit * r);
        const v = expected.variance[c] as number;
        expect(Math.abs((variance[c] as number) - v)).toBeLessThanOrEqual(2 * unit * (v + epsilon));
      });
      expectSameBits(batchNorm(x, options), y);
    }),
    { numRuns: 300 },
  );
});

test('inference: near the float64 reference', () => {
  fc.assert(
    fc.property(problems, (problem) => {
      const { shape, axis, epsilon, seed, scale, offset } = problem;
      const { x, options, channels } = argumentsOf({ ...problem, masked: false });
      const mean = normals(channels, seed + 3).map((value) => value * scale + offset);
      const variance = normals(channels, seed + 4).map((value) => value * value * scale * scale);
      const { y, ...rest } = batchNormForward(x, { ...options, mean, variance });
      const expected = channelReference(x, batchPlaces(shape, axis), { ...options, mean, variance });
      const largest = Math.max(1, ...Array.from(expected.normalized, Math.abs));
      expect(errorOf(y, expected, problem, options)).toBeLessThanOrEqual(5 * 2 ** -23 * largest);
      expectSameBits(rest.mean, mean);
      expectSameBits(rest.variance, variance);
      expected.rstd.forEach((one, c) => {
        expect(Math.abs((rest.rstd[c] as number) - one)).toBeLessThanOrEqual(2 ** -22 * one);
      });
      expectSameBits(batchNorm(x, { ...options, mean, variance }), y);
      expect(epsilon).toBeGreaterThan(0);
    }),
    { numRuns: 200 },
  );
});

test('the bits are the same for every kind of container, in place or not', () => {
  fc.assert(
    fc.property(problems, fc.boolean(), (problem, inference) => {
      const { x, options: given, channels } = argumentsOf(problem);
      const statistics = { mean: normals(channels, 7), variance: normals(channels, 8).map(Math.abs) };
      const options = inference ? { ...given, mask: undefined, ...statistics } : given;
      const { shape, ...rest } = options;
      const expected = batchNormForward(x, options);
      const inPlace = x.slice();
      expect(batchNorm(inPlace, { ...options, out: inPlace })).toBe(inPlace);
      expectSameBits(inPlace, expected.y);
      using t = tensor(x, shape);
      const made = batchNormForward(t, rest);
      expect([made.y.shape, made.mean.shape]).toEqual([shape, [channels]]);
      for (const name of ['y', 'mean', 'variance', 'rstd'] as const) {
        expectSameBits(made[name].array, expected[name]);
        made[name].dispose();
      }
      expect(batchNorm(t, { ...rest, out: t })).toBe(t);
      expectSameBits(t.array, expected.y);
      const object = batchNormForward({ data: x, dims: shape }, rest);
      expectSameBits(object.y.data, expected.y);
      expect(object.rstd).toMatchObject({ dims: [channels], data: expected.rstd });
    }),
    { numRuns: 100 },
  );
});

const LARGE: [number[], number][] = [
  [[3000, 100], 1],
  [[100, 3000], 0],
  [[10, 300, 100], 1],
  [[1, 40, 100, 50], 1],
  [[1, 300, 1000], 2],
  [[70, 3, 1000], -2],
];

test.each(LARGE)('larger than the blocks that pass through the heap: shape %j, axis %j', (shape, axis) => {
  const x = normals(product(shape), 5);
  const channels = shape.at(axis) as number;
  const random = seeded(9);
  const mask = Uint8Array.from({ length: product(shape.slice(0, -1)) }, () => (random() < 0.5 ? 1 : 0));
  const parameters = { gamma: normals(channels, 6), beta: normals(channels, 7) };
  const statistics = { mean: normals(channels, 8), variance: normals(channels, 9).map(Math.abs) };
  for (const more of [{}, { mask }, statistics]) {
    const options = { axis, ...parameters, ...more };
    for (const dtype of ['float32', 'float64'] as const) {
      const expected = batchNormForward(x, { ...options, shape, dtype });
      using t = tensor(x, shape, dtype);
      const whole = batchNormForward(t, options);
      for (const name of ['y', 'mean', 'variance', 'rstd'] as const) {
        expectSameBits(expected[name], whole[name].array);
        whole[name].dispose();
      }
    }
  }
});

test('in a memory that is smaller than x the bits are the same', async () => {
  using engine = await createEngine({ maxMemory: 2 ** 21 });
  const x = Float32Array.from({ length: 2 ** 20 }, seeded(11));
  for (const [shape, axis] of [
    [[4096, 256], 1],
    [[16, 256, 256], 1],
  ] as const) {
    const mask = Uint8Array.from({ length: product(shape.slice(0, -1)) }, (_, i) => i % 3);
    const statistics = { mean: normals(256, 8), variance: normals(256, 9).map(Math.abs) };
    for (const more of [{}, { mask }, statistics]) {
      const options = { shape, axis, ...more };
      expectSameBits(engine.batchNorm(x, options), batchNorm(x, options));
    }
  }
  expect(engine.info().memoryBytes).toBeLessThanOrEqual(2 ** 21);
});

describe.each(['float16', 'bfloat16'] as const)('%s', (type) => {
  test('gives the bits of float32, rounded once; all else is float32', () => {
    const shape = [20, 7, 30];
    const bits = new Uint16Array(product(shape));
    copierOf(undefined, type)(bits, 0, normals(bits.length, 4), 0, bits.length);
    const wide = new Float32Array(bits.length);
    copierOf(type, 'float32')(wide, 0, bits, 0, bits.length);
    const rounded = (numbers: Float32Array): Uint16Array => {
      const to = new Uint16Array(numbers.length);
      copierOf('float32', type)(to, 0, numbers, 0, numbers.length);
      return to;
    };
    const parameters = { gamma: normals(7, 5), beta: normals(7, 6) };
    const statistics = { mean: normals(7, 8), variance: normals(7, 9).map(Math.abs) };
    for (const more of [{}, { mask: [[true]] }, statistics]) {
      const options = { shape, axis: 1, ...parameters, ...more };
      const expected = batchNormForward(wide, options);
      const actual = batchNormForward(bits, { ...options, dtype: type });
      expect(actual).toEqual({ ...expected, y: rounded(expected.y) });
      using t = tensor(bits, shape, type);
      const { shape: _, ...rest } = options;
      using y: Tensor = batchNorm(t, rest);
      const { buffer, byteOffset, length } = y.array;
      expect(new Uint16Array(buffer, byteOffset, length)).toEqual(actual.y);
    }
  });
});

test('float64 is computed in float64', () => {
  const x = Float64Array.from(normals(600, 2), (value) => value + 100);
  const options = { shape: [20, 3, 10], axis: 1, gamma: [1, 2, 3] };
  const { y, mean } = batchNormForward(x, options);
  const expected = channelReference(x, batchPlaces(options.shape, 1), options);
  expect(y).toBeInstanceOf(Float64Array);
  // The distance of 100 costs seven bits of the mean.
  expect(maxUlpError(y, expected.y, 52)).toBeLessThanOrEqual(200);
  expect(maxUlpError(mean, expected.mean, 52)).toBeLessThanOrEqual(2);
});

describe('what is empty', () => {
  test('a batch of none leaves the moving statistics as they are', () => {
    const moving = { movingMean: [1, 2], movingVariance: [3, 4] };
    expect(batchNormForward({ data: new Float32Array(0), shape: [0, 2] }, moving)).toEqual({
      y: { data: new Float32Array(0), shape: [0, 2] },
      mean: { data: new Float32Array(2).fill(Number.NaN), shape: [2] },
      variance: { data: new Float32Array(2).fill(Number.NaN), shape: [2] },
      rstd: { data: new Float32Array(2).fill(Number.NaN), shape: [2] },
      movingMean: { data: new Float32Array([1, 2]), shape: [2] },
      movingVariance: { data: new Float32Array([3, 4]), shape: [2] },
    });
  });

  test('statistics that are given come back', () => {
    const options = { shape: [0, 2], mean: [1, 2], variance: [0, 3], epsilon: 1 };
    const { y, mean, variance, rstd } = batchNormForward(new Float32Array(0), options);
    expect([y, mean, variance, rstd].map((one) => Array.from(one))).toEqual([[], [1, 2], [0, 3], [1, 0.5]]);
  });

  test('no channels', () => {
    const { y, mean } = batchNormForward(new Float32Array(0), { shape: [3, 0], gamma: [] });
    expect([y.length, mean.length]).toEqual([0, 0]);
  });
});

test('moving statistics come in containers of the kind of x, whatever they came in', () => {
  using t = tensor([[1], [3]]);
  using m = tensor([4]);
  const made = batchNormForward(t, { movingMean: m, movingVariance: new Int8Array([2]), momentum: 0.5 });
  expect([made.movingMean.array[0], made.movingVariance.array[0], m.array[0]]).toEqual([3, 1.5, 4]);
  for (const one of Object.values(made)) one.dispose();
  const { movingMean } = batchNormForward(t.array, {
    shape: [2, 1],
    movingMean: m.array,
    movingVariance: [1],
    momentum: 1,
  });
  expect(movingMean).toEqual(new Float32Array([4]));
});

test('null and undefined stand for the defaults', () => {
  const x = normals(12);
  const nothing = {
    axis: null,
    epsilon: null,
    gamma: null,
    beta: null,
    mean: null,
    variance: null,
    mask: null,
    dtype: null,
    out: null,
  };
  expect(batchNorm(x, { shape: [4, 3], ...nothing })).toEqual(
    batchNorm(x, { shape: [4, 3], axis: -1, epsilon: 1e-3 }),
  );
  const moving = { movingMean: null, movingVariance: undefined, momentum: null };
  expect(Object.keys(batchNormForward(x, { shape: null, ...moving }))).toEqual([
    'y',
    'mean',
    'variance',
    'rstd',
  ]);
});
