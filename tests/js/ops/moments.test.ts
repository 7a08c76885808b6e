// Tiers: bounded (a float64 reference) and bitwise (containers, blocks).
import fc from 'fast-check';
import { createEngine, layerNormForward, moments, tensor } from 'layernorm';
import { copierOf } from '../../../js/src/tensor/sixteen_bit.js';
import { channelReference } from '../support/channel_reference.js';
import { DATA_SETS, dataSet } from '../support/data_sets.js';
import { expectError } from '../support/errors.js';
import { normals, seeded } from '../support/random.js';
import { expectSameBits } from '../support/ulp.js';

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

/** Of each element the number of its group, over the dimensions in `axes`. */
function groupsOf(shape: readonly number[], axes: readonly number[]): number[] {
  return Array.from({ length: product(shape) }, (_, i) => {
    let group = 0;
    let stride = product(shape);
    let rest = i;
    shape.forEach((size, d) => {
      stride /= size;
      const index = Math.floor(rest / stride);
      rest %= stride;
      if (!axes.includes(d)) group = group * size + index;
    });
    return group;
  });
}

const problems = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }).chain((shape) =>
  fc.record({
    shape: fc.constant(shape),
    axis: fc.shuffledSubarray([...shape.keys()], { minLength: 1 }),
    seed: fc.integer({ min: 1, max: 2 ** 30 }),
    scale: fc.constantFrom(1e-10, 1, 1e3),
    offset: fc.constantFrom(0, 1, -1e4),
  }),
);

test('near the float64 reference, over any axes', () => {
  fc.assert(
    fc.property(problems, ({ shape, axis, seed, scale, offset }) => {
      const x = normals(product(shape), seed).map((value) => value * scale + offset);
      const group = groupsOf(shape, axis);
      const expected = channelReference(x, { group, channel: group });
      const { mean, variance } = moments(x, { shape, axis });
      expect([mean.length, variance.length]).toEqual([expected.mean.length, expected.mean.length]);
      const unit = 2 ** -23;
      expected.mean.forEach((one, g) => {
        const v = expected.variance[g] as number;
        const spread = Math.sqrt(v);
        expect(Math.abs((mean[g] as number) - one)).toBeLessThanOrEqual(unit * (Math.abs(one) + spread));
        expect(Math.abs((variance[g] as number) - v)).toBeLessThanOrEqual(3 * unit * v + 2 ** -149);
      });
      expectSameBits(mean, layerNormForward(x, { shape, axis }).mean);
    }),
    { numRuns: 300 },
  );
});

test.each(Object.keys(DATA_SETS))('%s: as accurate as the promise', (name) => {
  const x = dataSet(name, 5, 300);
  const group = Array.from(x, (_, i) => Math.floor(i / 300));
  const expected = channelReference(x, { group, channel: group });
  const { mean, variance } = moments(x, { shape: [5, 300], axis: 1 });
  expected.variance.forEach((v, g) => {
    const m = expected.mean[g] as number;
    const unit = 2 ** -23;
    expect(Math.abs((mean[g] as number) - m)).toBeLessThanOrEqual(unit * (Math.abs(m) + Math.sqrt(v)));
    // Beyond the largest float32 it is infinite.
    const rounded = Math.fround(v);
    if (Number.isFinite(rounded)) {
      expect(Math.abs((variance[g] as number) - v)).toBeLessThanOrEqual(3 * unit * v + 2 ** -148);
    } else {
      expect(variance[g]).toBe(rounded);
    }
  });
});

test('the bits are the same for every kind of container', () => {
  fc.assert(
    fc.property(problems, ({ shape, axis, seed }) => {
      const x = normals(product(shape), seed);
      const expected = moments(x, { shape, axis });
      const kept = shape.filter((_, i) => !axis.includes(i));
      const ones = shape.map((size, i) => (axis.includes(i) ? 1 : size));
      using t = tensor(x, shape);
      for (const keepDims of [false, true]) {
        const made = moments(t, { axis, keepDims });
        expect(made.mean.shape).toEqual(keepDims ? ones : kept.length > 0 ? kept : [1]);
        for (const name of ['mean', 'variance'] as const) {
          expectSameBits(made[name].array, expected[name]);
          made[name].dispose();
        }
      }
      const object = moments({ data: x, dims: shape }, { axis, keepDims: true });
      expect(object.variance).toEqual({ data: expected.variance, dims: ones });
    }),
    { numRuns: 100 },
  );
});

test.each([
  [[3000, 100], [1]],
  [[100, 3000], [0]],
  [
    [10, 300, 100],
    [0, 2],
  ],
  [[300_000], [0]],
])('blocks have the bits of one call: shape %j, axes %j', (shape, axis) => {
  const x = normals(product(shape), 5);
  for (const dtype of ['float32', 'float64'] as const) {
    const blocks = moments(x, { shape, axis, dtype });
    using t = tensor(x, shape, dtype);
    const whole = moments(t, { axis });
    for (const name of ['mean', 'variance'] as const) {
      expectSameBits(blocks[name], whole[name].array);
      whole[name].dispose();
    }
  }
});

test('in a memory that is smaller than x the bits are the same', async () => {
  using engine = await createEngine({ maxMemory: 2 ** 21 });
  const x = Float32Array.from({ length: 2 ** 20 }, seeded(11));
  for (const axis of [0, 1]) {
    const options = { shape: [4096, 256], axis };
    const [small, large] = [engine.moments(x, options), moments(x, options)];
    expectSameBits(small.mean, large.mean);
    expectSameBits(small.variance, large.variance);
  }
});

test('over all dimensions by default', () => {
  const numbers = [
    [1, 2],
    [3, 6],
  ];
  expect(moments(numbers)).toEqual({ mean: [3], variance: [3.5] });
  expect(moments(numbers, { axis: null, keepDims: true })).toEqual({ mean: [[3]], variance: [[3.5]] });
  expect(moments(numbers, { axis: [-1, 0] })).toEqual({ mean: [3], variance: [3.5] });
  expect(moments(numbers, { axis: 0 })).toEqual({ mean: [2, 4], variance: [1, 4] });
});

test('integers give float32, and dtype decides', () => {
  const { mean, variance } = moments(new Int16Array([1, 2]));
  expect([mean, variance]).toEqual([new Float32Array([1.5]), new Float32Array([0.25])]);
  expect(moments(new Uint8Array([1, 2]), { dtype: 'float64' }).mean).toEqual(new Float64Array([1.5]));
  expect(moments(new Float64Array([1, 2])).mean).toBeInstanceOf(Float64Array);
});

test.each(['float16', 'bfloat16'] as const)('of %s they are float32, with the bits of float32', (type) => {
  const bits = new Uint16Array(600);
  copierOf(undefined, type)(bits, 0, normals(600, 4), 0, 600);
  const wide = new Float32Array(600);
  copierOf(type, 'float32')(wide, 0, bits, 0, 600);
  const options = { shape: [20, 30], axis: 0 };
  expect(moments(bits, { ...options, dtype: type })).toEqual(moments(wide, options));
  using t = tensor(bits, [20, 30], type);
  const { mean, variance } = moments(t, { axis: 0 });
  expect([mean.dtype, variance.dtype]).toEqual(['float32', 'float32']);
  mean.dispose();
  variance.dispose();
});

test('groups without elements have NaN', () => {
  const { mean, variance } = moments(new Float32Array(0), { shape: [2, 0], axis: 1 });
  expect([mean, variance]).toEqual([
    new Float32Array(2).fill(Number.NaN),
    new Float32Array(2).fill(Number.NaN),
  ]);
  expect(moments([])).toEqual({ mean: [Number.NaN], variance: [Number.NaN] });
});

test('errors are worded', () => {
  const x = normals(6);
  expectError(
    () => moments(x, { axis: 1 }),
    'ERR_AXIS',
    'moments: axis 1 is out of bounds for x [6], expected -1 to 0',
  );
  expectError(
    () => moments(x, { axis: [] }),
    'ERR_AXIS',
    'moments: axis is an empty list, expected at least one axis',
  );
  expectError(
    () => moments(x, { keepdims: true } as object),
    'ERR_ARGUMENT',
    "moments: unknown option 'keepdims', did you mean 'keepDims'?",
  );
  expectError(
    () => moments(x, { keepDims: 1 } as object),
    'ERR_ARGUMENT',
    'moments: keepDims is 1, expected true or false',
  );
  const gone = tensor(x);
  gone.dispose();
  expectError(() => moments(gone), 'ERR_DISPOSED', 'moments: x is a tensor that has been disposed');
});
