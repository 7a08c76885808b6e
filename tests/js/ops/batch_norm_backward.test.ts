// The gradient of batch normalization: golden (TensorFlow.js' fit), bounded (a float64 reference, finite differences) and bitwise.
import fc from 'fast-check';
import { batchNorm, batchNormBackward, batchNormForward, createEngine, tensor } from 'layernorm';
import { batchPlaces, channelGradientReference, countsOf } from '../support/channel_reference.js';
import { differences } from '../support/differences.js';
import { expectError } from '../support/errors.js';
import { normals, seeded } from '../support/random.js';
import { expectSameBits, firstMismatch } from '../support/ulp.js';

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);
const doubles = (length: number, seed: number): Float64Array => Float64Array.from(normals(length, seed));
const GRADIENTS = ['dx', 'dgamma', 'dbeta'] as const;

test("TensorFlow.js' fit of a layer alone: two steps of SGD against 0", () => {
  const x = [1, 2, 3, 4, 2, 4, 6, 8, 12, 11, 10, 9];
  const shape = [3, 4];
  let [gamma, beta] = [new Float64Array(4).fill(1), new Float64Array(4)];
  let moving = { movingMean: new Float64Array(4), movingVariance: new Float64Array(4).fill(1) };
  const losses: number[] = [];
  for (let step = 0; step < 2; step++) {
    const options = { shape, gamma };
    const { y, mean, rstd, movingMean, movingVariance } = batchNormForward(Float64Array.from(x), {
      ...options,
      beta,
      ...moving,
    });
    losses.push(y.reduce((sum, value) => sum + value * value, 0) / y.length);
    const dy = y.map((value) => (2 * value) / y.length);
    const { dgamma, dbeta } = batchNormBackward(dy, Float64Array.from(x), { ...options, mean, rstd });
    gamma = gamma.map((value, i) => value - 0.01 * (dgamma[i] as number));
    beta = beta.map((value, i) => value - 0.01 * (dbeta[i] as number));
    moving = { movingMean, movingVariance };
  }
  const near = (actual: ArrayLike<number>, expected: number[]): void =>
    expect(firstMismatch(actual, expected, 1e-6, 1e-6)).toBeUndefined();
  near(losses, [0.99988914, 0.98991632]);
  near(gamma, [0.9900254, 0.9900257, 0.9900262, 0.9900271]);
  near(moving.movingMean, [0.0995, 0.11276666, 0.12603334, 0.1393]);
  near(moving.movingVariance, [1.4709667, 1.2763889, 1.1437222, 1.0729666]);
});

describe.each([
  [[5, 3], -1],
  [[4, 3, 2], 1],
  [[3, 4], 0],
  [[2, 3, 2, 2], -2],
])('finite differences: shape %j, axis %j', (shape, axis) => {
  const x = doubles(product(shape), 21);
  const dy = doubles(x.length, 22);
  const channels = shape.at(axis) as number;
  const gamma = doubles(channels, 23);
  const beta = doubles(channels, 24);
  const mask = Uint8Array.from({ length: product(shape.slice(0, -1)) }, (_, i) => Number(i !== 1));
  const given = { mean: doubles(channels, 25), variance: doubles(channels, 26).map(Math.abs) };
  test.each([
    ['training', {}, {}],
    ['with a mask', { mask }, { mask }],
    ['inference', given, { training: false }],
  ])('%s', (_, forward, backward) => {
    const options = { shape, axis };
    const loss = (): number =>
      batchNorm(x, { ...options, ...forward, gamma, beta }).reduce(
        (sum, y, i) => sum + y * (dy[i] as number),
        0,
      );
    const { mean, rstd } = batchNormForward(x, { ...options, ...forward });
    const actual = batchNormBackward(dy, x, { ...options, ...backward, gamma, mean, rstd });
    const near = (name: (typeof GRADIENTS)[number], of: Float64Array): void =>
      expect(firstMismatch(actual[name], differences(of, loss), 1e-7, 2e-8)).toBeUndefined();
    near('dx', x);
    near('dgamma', gamma);
    near('dbeta', beta);
  });
});

interface Problem {
  shape: number[];
  axis: number;
  seed: number;
  scale: number;
  affine: boolean;
  mode: 'training' | 'masked' | 'inference';
  dtype: 'float32' | 'float64';
}

const problems: fc.Arbitrary<Problem> = fc
  .array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 })
  .chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      axis: fc.integer({ min: -shape.length, max: shape.length - 1 }),
      seed: fc.integer({ min: 1, max: 2 ** 30 }),
      scale: fc.constantFrom(1e-10, 1, 1e3),
      affine: fc.boolean(),
      mode: fc.constantFrom('training', 'masked', 'inference'),
      dtype: fc.constantFrom('float32', 'float64'),
    }),
  );

/** The arguments of a problem, all in float32 arrays. */
function argumentsOf({ shape, axis, seed, scale, affine, mode, dtype }: Problem) {
  const x = normals(product(shape), seed).map((value) => value * scale);
  const dy = normals(x.length, seed + 1);
  const channels = shape.at(axis) as number;
  const gamma = affine ? normals(channels, seed + 2) : undefined;
  const random = seeded(seed);
  const bytes = Uint8Array.from({ length: product(shape.slice(0, -1)) }, () => (random() < 0.7 ? 1 : 0));
  const mask = mode === 'masked' ? bytes : undefined;
  const { mean, rstd } = batchNormForward(x, { shape, axis, mask });
  return { dy, x, options: { axis, dtype, gamma, mean, rstd, mask, training: mode !== 'inference' } };
}

test('near the float64 reference', () => {
  fc.assert(
    fc.property(problems, (problem) => {
      const { shape, axis, dtype } = problem;
      const { dy, x, options } = argumentsOf(problem);
      const actual = batchNormBackward(dy, x, { ...options, shape });
      const { mask, ...given } = options;
      const expected = channelGradientReference(dy, x, batchPlaces(shape, axis), {
        ...given,
        ...(mask && { counts: countsOf(mask, shape) }),
      });
      const ulp = dtype === 'float32' ? 2 ** -23 : 2 ** -51;
      const bounds = { dx: 8 * ulp, dgamma: 36 * ulp, dbeta: 36 * ulp };
      for (const name of GRADIENTS) {
        expect(actual[name].length).toBe(expected[name].length);
        expected[name].forEach((value, i) => {
          const error = Math.abs((actual[name][i] as number) - value);
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
      const { shape, dtype } = problem;
      const { dy, x, options } = argumentsOf(problem);
      const expected = batchNormBackward(dy, x, { ...options, shape });
      for (const one of GRADIENTS) {
        const alone = batchNormBackward(dy, x, { ...options, shape, outputs: [one] });
        expect(alone).toEqual({ [one]: expected[one] });
      }
      using t = tensor(x, shape, dtype);
      using u = tensor(dy, shape, dtype);
      const inHeap = batchNormBackward(u, t, options);
      for (const name of GRADIENTS) {
        expectSameBits(inHeap[name].array, expected[name]);
        inHeap[name].dispose();
      }
      for (const [out, old] of [
        [t, x],
        [u, dy],
      ] as const) {
        const { dx } = batchNormBackward(u, t, { ...options, outputs: ['dx'], out });
        expect(dx).toBe(out);
        expectSameBits(out.array, expected.dx);
        out.array.set(old);
      }
      // What comes from outside is not copied over a tensor that is both x and dx.
      batchNormBackward(dy, t, { ...options, outputs: ['dx'], out: t });
      expectSameBits(t.array, expected.dx);
      if (dtype === 'float64') return;
      const [inDy, inX] = [dy.slice(), x.slice()];
      batchNormBackward(inDy, x, { ...options, shape, outputs: ['dx'], out: inDy });
      expectSameBits(inDy, expected.dx as Float32Array);
      batchNormBackward(dy, inX, { ...options, shape, outputs: ['dx'], out: inX });
      expectSameBits(inX, expected.dx as Float32Array);
    }),
    { numRuns: 100 },
  );
});

test.each([
  [[3000, 100], 1],
  [[100, 3000], 0],
  [[10, 300, 100], 1],
  [[1, 40, 100, 50], 1],
])('blocks have the bits of one call: shape %j, axis %j', (shape, axis) => {
  const [x, dy] = [normals(product(shape), 31), normals(product(shape), 32)];
  const mask = Uint8Array.from({ length: product(shape.slice(0, -1)) }, (_, i) => i % 3);
  for (const more of [{}, { mask }, { training: false }]) {
    const { training: _, ...forward } = { training: true, ...more };
    const { mean, rstd } = batchNormForward(x, { shape, axis, ...forward });
    const options = { axis, mean, rstd, gamma: normals(shape.at(axis) as number, 33), ...more };
    const blocks = batchNormBackward(dy, x, { ...options, shape });
    using t = tensor(x, shape);
    using u = tensor(dy, shape);
    const whole = batchNormBackward(u, t, options);
    for (const name of GRADIENTS) {
      expectSameBits(blocks[name], whole[name].array);
      whole[name].dispose();
    }
  }
});

test('in a memory that is smaller than x the bits are the same', async () => {
  using engine = await createEngine({ maxMemory: 2 ** 21 });
  const x = Float32Array.from({ length: 2 ** 20 }, seeded(41));
  const dy = x.map((value) => 1 - value * value);
  const { mean, rstd } = batchNormForward(x, { shape: [4096, 256] });
  const options = { shape: [4096, 256], mean, rstd };
  const [small, large] = [engine.batchNormBackward(dy, x, options), batchNormBackward(dy, x, options)];
  for (const name of GRADIENTS) expectSameBits(small[name], large[name]);
});

test('an empty batch has gradients of 0', () => {
  const none = new Float32Array(0);
  const { dx, dgamma, dbeta } = batchNormBackward(none, none, { shape: [0, 2], mean: [1, 1], rstd: [1, 1] });
  expect([dx, dgamma, dbeta].map((one) => Array.from(one))).toEqual([[], [0, 0], [0, 0]]);
});

describe('errors', () => {
  const x = normals(6);
  const right = { shape: [2, 3], mean: [0, 0, 0], rstd: [1, 1, 1] };
  const wrong = (options: object, code: 'ERR_ARGUMENT' | 'ERR_SHAPE', message: string): void =>
    expectError(
      () => batchNormBackward(x, x, { ...right, ...options }),
      code,
      `batchNormBackward: ${message}`,
    );

  test('are worded', () => {
    wrong({ training: 1 }, 'ERR_ARGUMENT', 'training is 1, expected true or false');
    wrong(
      { training: false, mask: [true, true] },
      'ERR_ARGUMENT',
      'mask is given with training false, expected one of them: no statistics were taken of x then',
    );
    wrong({ mean: [1] }, 'ERR_SHAPE', 'mean has 1 elements, expected 3, the size of axis -1 of x [2, 3]');
    wrong(
      { rstd: undefined },
      'ERR_ARGUMENT',
      'rstd is undefined, expected a typed array, a tensor, nested arrays of numbers, or an object with data and dims or shape',
    );
    wrong(
      { epsilon: 1 },
      'ERR_ARGUMENT',
      "unknown option 'epsilon', expected mean, rstd, gamma, axis, shape, dtype, outputs, out, training, mask",
    );
    wrong(
      { outputs: ['dx', 'dy'] },
      'ERR_ARGUMENT',
      "outputs is ['dx', 'dy'], expected one or more of ['dx', 'dgamma', 'dbeta']",
    );
  });

  test('options are needed', () => {
    const call = batchNormBackward as (...values: unknown[]) => unknown;
    expectError(() => call(x, x), 'ERR_ARGUMENT', /^batchNormBackward: mean is undefined/);
    expectError(() => call(x, x, [2]), 'ERR_ARGUMENT', /^batchNormBackward: options is \[2\]/);
  });
});
