// Moments: how they are used, what they refuse, and, in the bounded tier, how exact they are under every split of the data.
import { type FinalMoments, Moments, type MomentsUpdateOptions, tensor } from 'layernorm';
import { normals } from '../support/random.js';

/** Mean and variance as plain numbers, for data that have short ones. */
function plain({ mean, variance, count, shape }: FinalMoments): object {
  return { mean: [...mean], variance: [...variance], count: [...count], shape };
}

describe('what is kept', () => {
  // 0 to 23.
  const x = Float32Array.from({ length: 24 }, (_, i) => i);
  const shape = [2, 3, 4];

  test('one pair for each position on the last axis by default', () => {
    const moments = new Moments().update(x, { shape });
    expect(moments.axis).toEqual([-1]);
    expect(moments.shape).toEqual([4]);
    expect(plain(moments.finalize())).toEqual({
      mean: [10, 11, 12, 13],
      variance: Array(4).fill((16 * 35) / 12),
      count: [6, 6, 6, 6],
      shape: [4],
    });
  });

  test.each([[1], [-2], [[1]], [[-2]]])('axis %j keeps channels', (axis) => {
    const { mean, count } = new Moments({ axis }).update(x, { shape }).finalize();
    expect([...mean]).toEqual([7.5, 11.5, 15.5]);
    expect([...count]).toEqual([8, 8, 8]);
  });

  test.each([[[0, 2]], [[2, 0]], [[-1, -3]]])('axis %j keeps two axes, in ascending order', (axis) => {
    const result = new Moments({ axis }).update(x, { shape }).finalize();
    expect(result.shape).toEqual([2, 4]);
    expect([...result.mean]).toEqual([4, 5, 6, 7, 16, 17, 18, 19]);
    expect([...result.count]).toEqual(Array(8).fill(3));
  });

  test.each([[null], [[]]])('axis %j keeps none: one pair of all elements', (axis) => {
    const moments = new Moments({ axis });
    expect(moments.shape).toEqual([]);
    moments.update(x, { shape }).update([5]);
    expect(plain(moments.finalize())).toEqual({
      mean: [(276 + 5) / 25],
      variance: [(4324 + 25) / 25 - ((276 + 5) / 25) ** 2],
      count: [25],
      shape: [],
    });
  });

  test('all axes: the moments of each position over the batches', () => {
    const moments = new Moments({ axis: [0, 1] });
    moments.update([
      [1, 2],
      [3, 4],
    ]);
    moments.update([
      [3, 2],
      [5, 0],
    ]);
    expect(plain(moments.finalize())).toEqual({
      mean: [2, 2, 4, 2],
      variance: [1, 0, 1, 4],
      count: [2, 2, 2, 2],
      shape: [2, 2],
    });
  });

  test('single observations: batches of one dimension', () => {
    const moments = new Moments();
    for (const row of [
      [1, 10],
      [2, 20],
      [3, 60],
    ])
      moments.update(row);
    expect(plain(moments.finalize())).toEqual({
      mean: [2, 30],
      variance: [2 / 3, 1400 / 3],
      count: [3, 3],
      shape: [2],
    });
  });

  test('axes of size 1', () => {
    const moments = new Moments({ axis: [1] }).update(x, { shape: [24, 1, 1] });
    expect(plain(moments.finalize())).toMatchObject({ mean: [11.5], count: [24], shape: [1] });
    const one = new Moments({ axis: 0 }).update(new Float64Array([7]), { shape: [1, 1] });
    expect(plain(one.finalize())).toEqual({ mean: [7], variance: [0], count: [1], shape: [1] });
  });

  test('no data', () => {
    const none = { mean: [], variance: [], count: [], shape: [0] };
    const unknown = new Moments();
    expect(unknown.shape).toBeUndefined();
    expect(plain(unknown.finalize())).toEqual(none);
    const nothing = { mean: [Number.NaN], variance: [Number.NaN], count: [0] };
    expect(plain(new Moments({ axis: null }).finalize())).toEqual({ ...nothing, shape: [] });
    expect(plain(new Moments({ shape: [1] }).finalize())).toEqual({ ...nothing, shape: [1] });
    const empty = new Moments().update(new Float32Array(0), { shape: [0, 1] });
    expect(plain(empty.finalize())).toEqual({ ...nothing, shape: [1] });
    const withoutFeatures = new Moments().update(new Float32Array(0), { shape: [3, 0] });
    expect(plain(withoutFeatures.finalize())).toEqual(none);
  });
});

describe('batches', () => {
  const rows = [
    [1, -2],
    [4, 0.5],
  ];
  const numbers = rows.flat();
  const expected = { mean: [2.5, -0.75], variance: [2.25, 1.5625], count: [2, 2], shape: [2] };
  const shape = [2, 2];
  // 1, -2, 4 and 0.5.
  const float16 = new Uint16Array([0x3c00, 0xc000, 0x4400, 0x3800]);
  const bfloat16 = new Uint16Array([0x3f80, 0xc000, 0x4080, 0x3f00]);

  const batches: [string, Parameters<Moments['update']>[0], MomentsUpdateOptions][] = [
    ['nested', rows, {}],
    ['nested typed arrays', rows.map((row) => Float32Array.from(row)), {}],
    ['float32', Float32Array.from(numbers), { shape }],
    ['float64', Float64Array.from(numbers), { shape }],
    ['bits of float16', float16, { shape, dtype: 'float16' }],
    ['bits of bfloat16', bfloat16, { shape, dtype: 'bfloat16' }, {}],
    ['dims', { data: Float32Array.from(numbers), dims: shape, type: 'float32' }, {}],
    ['dims of 16 bits', { data: bfloat16, dims: shape, type: 'bfloat16' }, {}],
    ['strides', { data: Float64Array.of(1, 4, -2, 0.5), shape, stride: [1, 2], offset: 0 }, {}],
    ['plain data', { data: numbers, shape }, {}],
  ];
  test.each(batches)('%s', (_, x, options) => {
    expect(plain(new Moments().update(x, options).finalize())).toEqual(expected);
  });

  test.each(['float32', 'float64', 'float16', 'bfloat16'] as const)(
    'tensors of %s, and their views',
    (dtype) => {
      const x = tensor(rows, shape, dtype);
      expect(plain(new Moments().update(x).finalize())).toEqual(expected);
      expect(plain(new Moments().update(x.array, { shape, dtype }).finalize())).toEqual(expected);
      x.dispose();
    },
  );

  const integers = [
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
  ];
  test.each(integers)('%p', (Class) => {
    const { mean, variance } = new Moments().update(Class.of(1, 10, 3, 60), { shape }).finalize();
    expect([...mean, ...variance]).toEqual([2, 35, 1, 625]);
  });

  test('integers are used exactly, strided ones too', () => {
    const data = Int32Array.of(2 ** 30 + 1, 2 ** 30 + 3);
    const expected = { mean: [2 ** 30 + 2], variance: [1] };
    expect(plain(new Moments({ axis: null }).update(data).finalize())).toMatchObject(expected);
    const strided = { data, shape: [2], stride: [-1], offset: 1 };
    expect(plain(new Moments({ axis: null }).update(strided).finalize())).toMatchObject(expected);
  });

  test('are not written to', () => {
    const x = normals(12);
    const copy = x.slice();
    new Moments().update(x, { shape: [4, 3], mask: [true, false, true, true] });
    expect(x).toEqual(copy);
  });

  test('of different rank', () => {
    const moments = new Moments().update(rows).update([rows]).update([7, 8]);
    expect([...moments.finalize().count]).toEqual([5, 5]);
  });
});

describe('masks', () => {
  const x = [
    [1, Number.NaN],
    [2, 20],
    [3, 60],
  ];
  const second = { mean: [2.5, 40], variance: [0.25, 400], count: [2, 2], shape: [2] };
  const first = { mean: [2, 40], variance: [2 / 3, 400], count: [3, 2], shape: [2] };

  test.each([
    ['of rows', [false, true, true], second],
    ['of rows, as numbers', [0, 1, 1], second],
    ['of rows, as bytes', Uint8Array.of(0, 1, 1), second],
    ['of rows, as elements', [[false], [true], [true]], second],
    ['of elements', x.map((row) => row.map((value) => !Number.isNaN(value))), first],
    ['of elements, as bytes', Uint8Array.of(1, 0, 1, 1, 1, 1), first],
    ['of elements, in an object', { data: Uint8Array.of(1, 0, 1, 1, 1, 1), shape: [3, 2] }, first],
    ['of elements, one for all rows', [[true, false]], { mean: [2, Number.NaN], count: [3, 0], shape: [2] }],
    ['that hides everything', [[false]], { mean: [Number.NaN, Number.NaN], count: [0, 0], shape: [2] }],
    ['null', null, { count: [3, 3] }],
  ])('%s', (_, mask, expected) => {
    expect(plain(new Moments().update(x, { mask }).finalize())).toMatchObject(expected);
  });

  test('of a batch of channels: the last axis is missing, as in Keras', () => {
    const batch = { data: Float32Array.from({ length: 12 }, (_, i) => i), shape: [2, 2, 3] };
    const mask = [
      [true, true],
      [false, true],
    ];
    const { mean, count } = new Moments({ axis: 1 }).update(batch, { mask }).finalize();
    expect([...mean, ...count]).toEqual([1, (4 + 10) / 2, 3, 6]);
  });

  test('merge: each feature has its own count', () => {
    const a = new Moments().update(x, { mask: x.map((row) => row.map((value) => value < 30)) });
    const b = new Moments().update([[5, 0]], { mask: [[true, false]] });
    expect(plain(a.merge(b).finalize())).toEqual({
      mean: [2.75, 20],
      variance: [2.1875, 0],
      count: [4, 1],
      shape: [2],
    });
  });
});
