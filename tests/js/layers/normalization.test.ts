// Tier: golden (Keras 3.16, and what its tests and documentation spell out) and bounded.
import { Moments, Normalization, tensor } from 'layernorm';
import { expectError } from '../support/errors.js';
import { type GoldenArray, kerasCases } from '../support/golden.js';
import { arrayOf } from '../support/keras_layers.js';
import { expectNoLeak, shaped } from '../support/layers.js';
import { firstMismatch } from '../support/ulp.js';

const near = (actual: ArrayLike<number>, expected: ArrayLike<number>, absolute = 1e-5): void => {
  expect(firstMismatch(actual, expected, 0, absolute)).toBeUndefined();
};
const flat = (value: unknown): number[] => [value].flat(9) as number[];

describe('Keras 3.16', () => {
  interface AdaptCase {
    name: string;
    adapt: GoldenArray;
    mean: GoldenArray;
    variance: GoldenArray;
    input: GoldenArray;
    output: GoldenArray;
  }
  const cases = kerasCases<AdaptCase>('Normalization');

  test('all cases are there', () => {
    expect(cases).toHaveLength(1);
  });

  test.each(cases)('$name', (one) => {
    const layer = new Normalization();
    layer.adapt(arrayOf(one.adapt));
    for (const name of ['mean', 'variance'] as const) {
      expect(layer[name]?.shape).toEqual(one[name].shape);
      expect(firstMismatch(layer[name]?.data ?? [], one[name].data, 2e-6, 0)).toBeUndefined();
    }
    expect(firstMismatch(layer.apply(arrayOf(one.input)).data, one.output.data, 2e-6, 1e-6)).toBeUndefined();
  });
});

describe("Keras' own tests", () => {
  test('basics', () => {
    const layer = new Normalization({ axis: -1 });
    layer.build([2, 3]);
    expect(layer.nonTrainableWeights.map(({ name, shape, dtype }) => [name, [...shape], dtype])).toEqual([
      ['mean', [3], 'float32'],
      ['variance', [3], 'float32'],
      ['count', [], 'int32'],
    ]);
    expect(layer.trainableWeights).toEqual([]);
    expect(layer.supportsMasking).toBe(true);
    const x = shaped([2, 3]);
    expect(layer.apply(x)).toEqual(x);
  });

  test.each([[false], [true]])('basics with mean and variance, invert: %j', (invert) => {
    const layer = new Normalization({ mean: [0.5, 0.2, -0.1], variance: [0.1, 0.2, 0.3], invert });
    layer.build([2, 3]);
    expect(layer.weights).toEqual([]);
    expect(layer.getConfig()).toMatchObject({
      axis: [-1],
      invert,
      mean: [0.5, 0.2, -0.1],
      variance: [0.1, 0.2, 0.3],
    });
    expect(Normalization.fromConfig(layer.getConfig()).getConfig()).toEqual(layer.getConfig());
  });

  test.each([
    [[32, 4], -1],
    [
      [32, 4, 3, 5],
      [1, 2],
    ],
    [
      [6, 4, 3, 5],
      [3, 1],
    ],
    [[32, 4], 0],
    [[4, 5, 6], null],
  ])('adapt on shape %j with axis %j gives mean 0 and variance 1', (shape, axis) => {
    const x = { data: shaped(shape).data.map((value) => value * 3 + 7), shape };
    const layer = new Normalization({ axis });
    layer.adapt(x);
    const y = layer.apply(x);
    const { mean, variance } = new Moments({ axis }).update(y).finalize();
    near(
      mean,
      mean.map(() => 0),
    );
    near(
      variance,
      mean.map(() => 1),
    );
  });

  test('errors', () => {
    const both = /both `mean` and `variance` must be set/;
    expectError(() => new Normalization({ mean: 1 }), 'ERR_ARGUMENT', both);
    expectError(() => new Normalization({ variance: 1 }), 'ERR_ARGUMENT', both);
    expectError(
      () => new Normalization({ mean: [1, 2], variance: 1 }),
      'ERR_SHAPE',
      /must have the same shape/,
    );
    expectError(
      () => new Normalization({ mean: [[1, 2]], variance: [[1, 2]] }),
      'ERR_SHAPE',
      /must be less than or equal to the number of axes, 1/,
    );
    const range = /All `axis` values must be in the range/;
    expectError(() => new Normalization({ axis: 3 }).build([2, 2]), 'ERR_AXIS', range);
    expectError(() => new Normalization({ axis: -4 }).build([2, 3, 4]), 'ERR_AXIS', range);
    expectError(() => new Normalization({ axis: 'x' as never }), 'ERR_AXIS', /expected an integer/);
    expectError(
      () => new Normalization({ axis: 1 }).build([null, null]),
      'ERR_SHAPE',
      /All `axis` values to be kept must have a known shape/,
    );
    const layer = new Normalization();
    layer.build([10, 5]);
    expectError(() => layer.adapt(shaped([10, 3])), 'ERR_SHAPE', /an incompatible shape, \[10, 3\]/);
    expectError(() => layer.apply(shaped([10, 3])), 'ERR_SHAPE', /is incompatible with the layer/);
    expectError(() => layer.adapt(5 as never), 'ERR_ARGUMENT', /expected an array, a tensor, or an iterable/);
    expectError(
      () => new Normalization({ mean: 1, variance: 1 }).adapt([[1]]),
      'ERR_ARGUMENT',
      /were given to layer/,
    );
  });

  test.each<[string, () => Iterable<number[][]>]>([
    ['a set', () => new Set<number[][]>()],
    ['a generator', function* () {}],
  ])('an empty iterable: %s', (_, empty) => {
    expectError(() => new Normalization().adapt(empty()), 'ERR_ARGUMENT', /empty iterable/);
  });

  test.each([
    [[2, 4, 5, 3], 2, [1, 2, 3, 4, 5], [1, 1, 5, 1]],
    [[null, 10, 13, 3], [1, 2], Array.from({ length: 10 }, () => new Array(13).fill(2)), [1, 10, 13, 1]],
    [
      [2, 7, 5, 3],
      [1, 2],
      [1, 2, 3, 4, 5],
      [1, 7, 5, 1],
    ],
    [[3, 7], -1, 5, [1, 7]],
  ])('direct values for %j with axis %j', (shape, axis, mean, expected) => {
    const layer = new Normalization({ axis, mean: mean as number, variance: mean as number });
    layer.build(shape);
    expect(layer.mean?.shape).toEqual(expected);
    if (shape[1] === 7 && shape[2] === 5)
      expect([...(layer.mean?.data ?? [])].slice(0, 6)).toEqual([1, 2, 3, 4, 5, 1]);
  });

  test('documented examples', () => {
    const scalar = new Normalization({ axis: null });
    scalar.adapt([1, 2, 3, 4, 5]);
    near(scalar.apply([1, 2, 3]), [-Math.SQRT2, -0.70710677, 0], 1e-6);
    expect(scalar.mean).toEqual({ data: Float32Array.of(3), shape: [1], dtype: 'float32' });

    const rows = [
      [0, 7, 4],
      [2, 9, 6],
      [0, 7, 4],
      [2, 9, 6],
    ];
    const layer = new Normalization({ axis: -1 });
    layer.adapt(rows);
    near(flat(layer.apply([[0, 7, 4]])), [-1, -1, -1], 1e-6);

    const inverse = new Normalization({ axis: -1, invert: true });
    inverse.adapt(rows);
    near(flat(inverse.apply([[1, 2, 3]])), [2, 10, 8], 1e-6);

    const other = new Normalization({ axis: -1 });
    other.adapt([
      [1, 2, 1],
      [2, 3, 4],
      [1, 2, 1],
      [2, 3, 4],
    ]);
    const test = [
      [3, 1, 2],
      [6, 5, 4],
    ];
    near(flat(other.apply(test)), [3, -3, -1 / 3, 9, 5, 1], 1e-5);
  });

  test('Keras 2: one column, 3-D with axis 1 and axes (1, 2), zero variance', () => {
    const column = new Normalization({ axis: -1 });
    column.adapt([[1], [2], [3], [4], [5]]);
    near(flat(column.apply([[1], [2], [3]])), [-Math.SQRT2, -Math.SQRT1_2, 0], 1e-6);

    const cube = [
      [
        [1, 2, 3],
        [2, 3, 4],
      ],
      [
        [3, 4, 5],
        [4, 5, 6],
      ],
    ];
    const second = new Normalization({ axis: 1 });
    second.adapt(cube);
    const a = 1.549193;
    const b = 0.774597;
    near(flat(second.apply(cube)), [-a, -b, 0, -a, -b, 0, 0, b, a, 0, b, a], 1e-6);

    const data = [
      [
        [1, 0, 3],
        [2, 3, 4],
      ],
      [
        [3, -1, 5],
        [4, 5, 8],
      ],
    ];
    const test = [
      [
        [3, 1, -1],
        [2, 5, 4],
      ],
      [
        [3, 0, 5],
        [2, 5, 8],
      ],
    ];
    const expected = [1, 3, -5, -1, 1, -1, 1, 1, 1, -1, 1, 1];
    for (const axis of [
      [1, 2],
      [2, 1],
      [1, -1],
      [-1, 1],
    ]) {
      const both = new Normalization({ axis });
      both.adapt(data);
      near(flat(both.apply(test)), expected, 1e-6);
    }

    const zeros = new Normalization();
    zeros.adapt({ data: new Float32Array(12), shape: [3, 4] });
    expect(zeros.apply(new Float32Array(12), { shape: [3, 4] })).toEqual(new Float32Array(12));
  });

  test('a second adapt replaces the first', () => {
    const layer = new Normalization();
    layer.adapt([[100, 200]]);
    layer.adapt([
      [1, 2],
      [3, 4],
    ]);
    near(flat(layer.apply([[3, 4]])), [1, 1], 1e-6);
  });
});

describe('data that come in batches', () => {
  const x = shaped([12, 3]);
  const whole = new Normalization();
  whole.adapt(x);
  const part = (from: number, to: number): Float32Array => x.data.slice(from * 3, to * 3);
  const same = (layer: Normalization): void => {
    near(layer.mean?.data ?? [], whole.mean?.data ?? [], 1e-7);
    near(layer.variance?.data ?? [], whole.variance?.data ?? [], 1e-6);
  };

  test('a generator of typed arrays of different sizes', () => {
    const layer = new Normalization();
    layer.adapt(
      (function* () {
        yield part(0, 5);
        yield part(5, 12);
      })(),
      { shape: [null, 3] },
    );
    same(layer);
    expect(layer.getBuildConfig()).toEqual({ input_shape: [null, 3] });
  });

  test('an array of tensors, of [x, y], and of nested arrays with targets', () => {
    const list = new Normalization();
    using first = tensor(part(0, 5), [5, 3]);
    using second = tensor(part(5, 12), [7, 3]);
    list.adapt([first, second]);
    same(list);
    const pairs = new Normalization();
    pairs.adapt([
      [first, Float32Array.of(1, 0, 1, 0, 1)],
      [second, Float32Array.of(1, 0, 1, 0, 1, 1, 1)],
    ]);
    same(pairs);
    const nested = new Normalization();
    const rows = (from: number, to: number): number[][] =>
      Array.from({ length: to - from }, (_, i) => [...part(from + i, from + i + 1)]);
    nested.adapt(
      new Set([[rows(0, 5), [0, 0, 0, 0, 0]] as never, [rows(5, 12), [0, 0, 0, 0, 0, 0, 0]] as never]),
    );
    same(nested);
  });

  test('an async iterable gives a promise', async () => {
    const layer = new Normalization();
    const done = layer.adapt(
      (async function* () {
        yield { data: part(0, 5), shape: [5, 3] };
        await null;
        yield { data: part(5, 12), shape: [7, 3] };
      })(),
    );
    expect(layer.built).toBe(false);
    await done;
    same(layer);
    await expect(new Normalization().adapt((async function* () {})())).rejects.toThrow(/empty iterable/);
  });

  test('moments of other processes', () => {
    const halves = [part(0, 5), part(5, 12)].map((data) =>
      new Moments().update(data, { shape: [data.length / 3, 3] }).toBytes(),
    );
    const merged = new Moments();
    for (const bytes of halves) merged.merge(Moments.fromBytes(bytes));
    const layer = new Normalization();
    expectError(() => layer.adapt(merged), 'ERR_ARGUMENT', /is not built/);
    layer.build([null, 3]);
    layer.adapt(merged);
    same(layer);
    const other = new Moments().update([[1, 2]]);
    expectError(() => layer.adapt(other), 'ERR_SHAPE', /an incompatible shape, \[2\]/);
  });

  test('a batch that does not fit changes nothing', () => {
    const layer = new Normalization();
    layer.adapt(x);
    const before = layer.getWeights();
    expectError(
      () => layer.adapt([tensor([[1, 2, 3]]), tensor([[1, 2]])]),
      'ERR_SHAPE',
      /an incompatible shape/,
    );
    expect(layer.getWeights()).toEqual(before);
    expectError(() => layer.adapt(new Float32Array(7), { shape: [null, 3] }), 'ERR_SHAPE', /a multiple of 3/);
  });
});

test('invert undoes it, in every container and type', () => {
  const mean = [1, -2, 300];
  const variance = [4, 0.25, 9];
  const layer = new Normalization({ mean, variance });
  const inverse = new Normalization({ mean, variance, invert: true });
  const x = shaped([5, 3]);
  near(inverse.apply(layer.apply(x)).data, x.data, 1e-4);
  using t = tensor(x);
  using y = layer.apply(t);
  expect(y.array).toEqual(layer.apply(x).data);
  const half = new Normalization({ mean, variance, dtype: 'float16' });
  using t16 = tensor(x, undefined, 'float16');
  using y16 = half.apply(t16);
  expect(y16.dtype).toBe('float16');
});

test.each([[false], [true]])('gradient, invert: %j', (invert) => {
  const layer = new Normalization({ mean: [1, 2], variance: [4, 16], invert });
  layer.apply([[3, 5]], { training: true });
  expect(layer.backward([[1, 1]])).toEqual([invert ? [2, 4] : [0.5, 0.25]]);
});

test('weights of a saved layer', () => {
  const layer = Normalization.fromConfig({
    name: 'normalization',
    axis: { class_name: '__tuple__', items: [-1] },
    invert: false,
    mean: null,
    variance: null,
  });
  layer.buildFromConfig({ input_shape: [null, 2] });
  layer.setWeights([Float32Array.of(1, 2), Float32Array.of(4, 9), 7]);
  expect(layer.apply([[3, 5]])).toEqual([[1, 1]]);
  expect(layer.getWeights()[2]).toEqual({ data: Int32Array.of(7), shape: [], dtype: 'int32' });
  layer.setWeights(layer.getWeights());
  expect(layer.weights[2]?.value[0]).toBe(7);
});

test('nothing leaks', () => {
  for (const axis of [-1, [0, 2], null]) {
    expectNoLeak(() => {
      using layer = new Normalization({ axis, dtype: 'mixed_float16' });
      using x = tensor(shaped([3, 4, 2]));
      layer.adapt(x);
      using _y = layer.apply(x, { training: true });
      using _dx = layer.backward(x);
      layer.backward(shaped([3, 4, 2]));
    });
  }
});
