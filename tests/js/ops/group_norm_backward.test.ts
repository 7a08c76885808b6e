// The gradient of group normalization: bounded (a float64 reference, finite differences) and bitwise.
import fc from 'fast-check';
import { createEngine, groupNorm, groupNormBackward, groupNormForward, tensor } from 'layernorm';
import { channelGradientReference, groupPlaces } from '../support/channel_reference.js';
import { differences } from '../support/differences.js';
import { expectError } from '../support/errors.js';
import { normals } from '../support/random.js';
import { expectSameBits, firstMismatch } from '../support/ulp.js';

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);
const doubles = (length: number, seed: number): Float64Array => Float64Array.from(normals(length, seed));
const GRADIENTS = ['dx', 'dgamma', 'dbeta'] as const;

test.each([
  [[3, 6], -1, 2],
  [[2, 4, 3], 1, 2],
  [[2, 3, 4], -1, 4],
  [[1, 2, 6, 2], 2, 3],
  [[2, 2, 2, 4], -1, 1],
])('finite differences: shape %j, axis %j, groups %j', (shape, axis, groups) => {
  const x = doubles(product(shape), 21);
  const dy = doubles(x.length, 22);
  const channels = shape.at(axis) as number;
  const gamma = doubles(channels, 23);
  const beta = doubles(channels, 24);
  const options = { shape, axis, groups };
  const loss = (): number =>
    groupNorm(x, { ...options, gamma, beta }).reduce((sum, y, i) => sum + y * (dy[i] as number), 0);
  const { mean, rstd } = groupNormForward(x, options);
  const { dx, dgamma, dbeta } = groupNormBackward(dy, x, { ...options, gamma, mean, rstd });
  expect(firstMismatch(dx, differences(x, loss), 1e-7, 2e-8)).toBeUndefined();
  expect(firstMismatch(dgamma, differences(gamma, loss), 1e-7, 2e-8)).toBeUndefined();
  expect(firstMismatch(dbeta, differences(beta, loss), 1e-7, 2e-8)).toBeUndefined();
});

interface Problem {
  shape: number[];
  axis: number;
  groups: number;
  seed: number;
  scale: number;
  affine: boolean;
  dtype: 'float32' | 'float64';
}

const problems: fc.Arbitrary<Problem> = fc
  .record({
    sizes: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 3 }),
    at: fc.integer({ min: 1, max: 3 }),
    groups: fc.integer({ min: 1, max: 5 }),
    perGroup: fc.integer({ min: 1, max: 5 }),
    seed: fc.integer({ min: 1, max: 2 ** 30 }),
    scale: fc.constantFrom(1e-10, 1, 1e3),
    affine: fc.boolean(),
    dtype: fc.constantFrom('float32' as const, 'float64' as const),
  })
  .map(({ sizes, at, groups, perGroup, ...rest }) => {
    const axis = Math.min(at, sizes.length);
    return {
      ...rest,
      shape: [...sizes.slice(0, axis), groups * perGroup, ...sizes.slice(axis)],
      groups,
      axis,
    };
  });

/** The arguments of a problem, all in float32 arrays. */
function argumentsOf({ shape, axis, groups, seed, scale, affine, dtype }: Problem) {
  const x = normals(product(shape), seed).map((value) => value * scale);
  const dy = normals(x.length, seed + 1);
  const gamma = affine ? normals(shape.at(axis) as number, seed + 2) : undefined;
  const { mean, rstd } = groupNormForward(x, { shape, axis, groups });
  return { dy, x, options: { axis, groups, dtype, gamma, mean, rstd } };
}

test('near the float64 reference', () => {
  fc.assert(
    fc.property(problems, (problem) => {
      const { shape, axis, groups, dtype } = problem;
      const { dy, x, options } = argumentsOf(problem);
      const actual = groupNormBackward(dy, x, { ...options, shape });
      const expected = channelGradientReference(dy, x, groupPlaces(shape, axis, groups), options);
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
      const expected = groupNormBackward(dy, x, { ...options, shape });
      for (const one of GRADIENTS) {
        const alone = groupNormBackward(dy, x, { ...options, shape, outputs: [one] });
        expect(alone).toEqual({ [one]: expected[one] });
      }
      using t = tensor(x, shape, dtype);
      using u = tensor(dy, shape, dtype);
      const statistics = [shape[0] as number, problem.groups];
      using mean = tensor(options.mean, statistics, dtype);
      using rstd = tensor(options.rstd, statistics, dtype);
      const inHeap = groupNormBackward(u, t, { ...options, mean, rstd });
      for (const name of GRADIENTS) {
        expectSameBits(inHeap[name].array, expected[name]);
        inHeap[name].dispose();
      }
      for (const [out, old] of [
        [t, x],
        [u, dy],
      ] as const) {
        expect(groupNormBackward(u, t, { ...options, outputs: ['dx'], out }).dx).toBe(out);
        expectSameBits(out.array, expected.dx);
        out.array.set(old);
      }
      groupNormBackward(dy, t, { ...options, outputs: ['dx'], out: t });
      expectSameBits(t.array, expected.dx);
    }),
    { numRuns: 100 },
  );
});

/** Several samples a block, one a block, and single samples in groups. */
test.each([
  [[300, 16, 50], 1, 4],
  [[300, 50, 16], -1, 4],
  [[5, 64, 1000], 1, 32],
  [[1, 64, 2000], 1, 8],
  [[1, 40, 50, 64], -1, 8],
])('blocks have the bits of one call: shape %j, axis %j, groups %j', (shape, axis, groups) => {
  const [x, dy] = [normals(product(shape), 31), normals(product(shape), 32)];
  const { mean, rstd } = groupNormForward(x, { shape, axis, groups });
  for (const dtype of ['float32', 'float64'] as const) {
    const options = { axis, groups, mean, rstd, dtype, gamma: normals(shape.at(axis) as number, 33) };
    const blocks = groupNormBackward(dy, x, { ...options, shape });
    using t = tensor(x, shape, dtype);
    using u = tensor(dy, shape, dtype);
    const whole = groupNormBackward(u, t, options);
    for (const name of GRADIENTS) {
      expectSameBits(blocks[name], whole[name].array);
      whole[name].dispose();
    }
  }
});

test('in a memory that is smaller than x the bits are the same', async () => {
  using engine = await createEngine({ maxMemory: 2 ** 21 });
  const [x, dy] = [normals(2 ** 20, 41), normals(2 ** 20, 42)];
  const shape = [64, 32, 512];
  const { mean, rstd } = groupNormForward(x, { shape, axis: 1 });
  const options = { shape, axis: 1, mean, rstd };
  const [small, large] = [engine.groupNormBackward(dy, x, options), groupNormBackward(dy, x, options)];
  for (const name of GRADIENTS) expectSameBits(small[name], large[name]);
});

test('empty x has gradients of 0', () => {
  const none = new Float32Array(0);
  const options = { shape: [2, 0, 2], groups: 1, mean: [1, 1], rstd: [1, 1] };
  const { dx, dgamma, dbeta } = groupNormBackward(none, none, options);
  expect([dx, dgamma, dbeta].map((one) => Array.from(one))).toEqual([[], [0, 0], [0, 0]]);
});

test('errors are worded', () => {
  const x = normals(24);
  const right = { shape: [2, 3, 4], groups: 2, mean: [1, 2, 3, 4], rstd: [1, 2, 3, 4] };
  const wrong = (options: object, message: string): void =>
    expectError(
      () => groupNormBackward(x, x, { ...right, ...options }),
      'ERR_SHAPE',
      `groupNormBackward: ${message}`,
    );
  wrong({ mean: [1] }, 'mean has 1 elements, expected 4, 2 groups for each of the 2 samples of x [2, 3, 4]');
  wrong(
    { rstd: [[1, 2, 3, 4]] },
    'rstd has shape [1, 4], expected [4] or [2, 2]: 4 is 2 groups for each of the 2 samples of x [2, 3, 4]',
  );
  wrong({ gamma: [1] }, 'gamma has 1 elements, expected 4, the size of axis -1 of x [2, 3, 4]');
  const call = groupNormBackward as (...values: unknown[]) => unknown;
  expectError(
    () => call(normals(64), normals(64)),
    'ERR_AXIS',
    /^groupNormBackward: axis -1 is dimension 0 of x/,
  );
  expectError(
    () => groupNormBackward(x, x, { ...right, outputs: ['dbeta'], out: x }),
    'ERR_ARGUMENT',
    "groupNormBackward: out is given, expected 'dx' among outputs ['dbeta']",
  );
});
