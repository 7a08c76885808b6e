// Moments: how they are used, and what they refuse. feature_moments.test.ts tests how exact they are.
import { type FinalMoments, Moments, type MomentsUpdateOptions, momentsCombiner, tensor } from 'layernorm';
import { expectError } from '../support/errors.js';
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
    ['bits of bfloat16', bfloat16, { shape, dtype: 'bfloat16' }],
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

describe('merge and its like', () => {
  const data = normals(60);
  const part = (from: number, to: number): Moments =>
    new Moments().update(data.subarray(3 * from, 3 * to), { shape: [to - from, 3] });

  test('gives what one pass gives, and leaves the other as it is', () => {
    const [a, b] = [part(0, 7), part(7, 20)];
    const before = plain(b.finalize());
    expect(a.merge(b)).toBe(a);
    expect(plain(a.finalize())).toEqual(plain(part(0, 20).finalize()));
    expect(plain(b.finalize())).toEqual(before);
  });

  test('with itself', () => {
    const twice = part(0, 20);
    twice.merge(twice);
    const { mean, variance, count } = part(0, 20).finalize();
    expect(plain(twice.finalize())).toEqual(
      plain({ mean, variance, count: count.map((n) => 2 * n), shape: [3] }),
    );
  });

  test('nothing is the identity, on both sides', () => {
    const expected = part(0, 20).toBytes();
    expect(part(0, 20).merge(new Moments()).toBytes()).toEqual(expected);
    expect(new Moments().merge(part(0, 20)).toBytes()).toEqual(expected);
    expect(part(0, 20).merge(part(0, 0)).toBytes()).toEqual(expected);
    expect(part(0, 0).merge(part(0, 20)).toBytes()).toEqual(expected);
    expect(
      part(0, 20)
        .update(new Float32Array(0), { shape: [0, 3] })
        .toBytes(),
    ).toEqual(expected);
    expect(new Moments().merge(new Moments()).shape).toBeUndefined();
  });

  test('finalize changes nothing, and can be followed by more', () => {
    const moments = part(0, 5);
    const { mean } = moments.finalize();
    mean.fill(9);
    moments.merge(part(5, 20));
    expect(plain(moments.finalize())).toEqual(plain(part(0, 20).finalize()));
  });

  test('clone goes its own way', () => {
    const moments = part(0, 5);
    const copy = moments.clone();
    expect(copy.toBytes()).toEqual(moments.toBytes());
    copy.merge(part(5, 20));
    expect(moments.toBytes()).toEqual(part(0, 5).toBytes());
    expect(copy.toBytes()).not.toEqual(moments.toBytes());
    expect(new Moments({ axis: [0, 1] }).clone().axis).toEqual([0, 1]);
  });

  test('reset forgets all but what was constructed', () => {
    const moments = part(0, 5);
    expect(moments.reset()).toBe(moments);
    expect(moments.toBytes()).toEqual(new Moments().toBytes());
    moments.update([1, 2, 3, 4]);
    expect(moments.shape).toEqual([4]);
    const fixed = new Moments({ shape: [3] }).update([1, 2, 3]).reset();
    expect([...fixed.finalize().count]).toEqual([0, 0, 0]);
  });
});

describe('bytes', () => {
  const moments = new Moments({ axis: [1, -1] }).update(normals(24), { shape: [2, 3, 4] });

  test('restore everything', () => {
    const restored = Moments.fromBytes(moments.toBytes());
    expect(restored.axis).toEqual([1, -1]);
    expect(restored.shape).toEqual([3, 4]);
    expect(restored.toBytes()).toEqual(moments.toBytes());
    const more = { shape: [1, 3, 4] };
    expect(restored.update(normals(12, 2), more).toBytes()).toEqual(
      moments.clone().update(normals(12, 2), more).toBytes(),
    );
  });

  test.each([
    ['nothing', new Moments()],
    ['no kept axis', new Moments({ axis: null }).update([1, 2])],
    ['no features', new Moments().update(new Float32Array(0), { shape: [2, 0] })],
    ['special values', new Moments().update([[1, Number.NaN, -Infinity]])],
    [
      'a variance that is too large',
      new Moments().update(new Float64Array([1e200, -1e200]), { shape: [2, 1] }),
    ],
  ])('of %s', (_, one) => {
    const restored = Moments.fromBytes(one.toBytes());
    expect(restored.toBytes()).toEqual(one.toBytes());
    expect(plain(restored.finalize())).toEqual(plain(one.finalize()));
  });

  test('are taken from wherever they lie', () => {
    const bytes = moments.toBytes();
    const apart = new Uint8Array(bytes.length + 5);
    apart.set(bytes, 3);
    const places = [Buffer.from(bytes), bytes.buffer as ArrayBuffer, apart.subarray(3, 3 + bytes.length)];
    for (const place of places) expect(Moments.fromBytes(place).toBytes()).toEqual(bytes);
    expect(Moments.fromBytes(structuredClone(bytes)).toBytes()).toEqual(bytes);
  });

  test('say what is written in the documentation, little-endian', () => {
    const bytes = new Moments({ axis: -1 }).update(new Float64Array([1, 3]), { shape: [2, 1] }).toBytes();
    const view = new DataView(bytes.buffer);
    expect(String.fromCharCode(...bytes.subarray(0, 4))).toBe('LNMO');
    expect([view.getUint16(4, true), bytes[6], bytes[7]]).toEqual([1, 1, 1]);
    expect([view.getInt32(8, true), view.getUint32(12, true)]).toEqual([-1, 1]);
    const numbers = [0, 1, 2, 3, 4].map((i) => view.getFloat64(16 + 8 * i, true));
    expect(numbers).toEqual([2, 2, 0, 2, 0]);
    expect(bytes).toHaveLength(56);
  });

  const good = new Moments({ axis: [0, 1] }).update(new Float64Array([1, 2]), { shape: [1, 2] }).toBytes();
  const changed = (change: (view: DataView) => void): Uint8Array => {
    const bytes = good.slice();
    change(new DataView(bytes.buffer));
    return bytes;
  };
  test.each<[string, unknown, string]>([
    ['no bytes', undefined, 'bytes are undefined, expected a Uint8Array or an ArrayBuffer'],
    ['numbers', [1, 2], 'bytes are [1, 2], expected a Uint8Array or an ArrayBuffer'],
    ['floats', new Float64Array(9), 'bytes are a Float64Array, expected a Uint8Array or an ArrayBuffer'],
    ['an object', { length: 8 }, 'bytes are an Object, expected a Uint8Array or an ArrayBuffer'],
    ['none at all', new Uint8Array(0), 'bytes are 0, expected at least 8'],
    ['a cut header', good.slice(0, 7), 'bytes are 7, expected at least 8'],
    [
      'other bytes',
      changed((view) => view.setUint8(0, 0)),
      'bytes begin with 0x4f4d4e00, expected 0x4f4d4e4c: not from Moments.toBytes',
    ],
    ['a later version', changed((view) => view.setUint16(4, 2, true)), 'bytes are of version 2, expected 1'],
    ['too many axes', changed((view) => view.setUint8(6, 33)), 'bytes keep 33 axes, expected at most 32'],
    [
      'an odd flag',
      changed((view) => view.setUint8(7, 2)),
      'bytes have 2 for whether the shape is known, expected 0 or 1',
    ],
    ['cut axes', good.slice(0, 16), 'bytes are 16, expected at least 24 for 2 kept axes'],
    ['cut statistics', good.slice(0, -1), 'bytes are 103, expected 104 for the shape [1, 2]'],
    ['bytes to spare', new Uint8Array([...good, 0]), 'bytes are 105, expected 104 for the shape [1, 2]'],
    [
      'sizes of something else',
      changed((view) => view.setUint32(20, 2 ** 32 - 1, true)),
      'bytes are 104, expected 171798691824 for the shape [1, 4294967295]',
    ],
    [
      'statistics without sizes',
      changed((view) => view.setUint8(7, 0)),
      'bytes are 104, expected 16 for unknown sizes',
    ],
    [
      'half an element',
      changed((view) => view.setFloat64(24, 0.5, true)),
      'bytes have 0.5 for count of feature 0, expected an integer from 0 to 2 ** 53',
    ],
    [
      'fewer than none',
      changed((view) => view.setFloat64(32, -1, true)),
      'bytes have -1 for count of feature 1, expected an integer from 0 to 2 ** 53',
    ],
    [
      'a negative M2',
      changed((view) => view.setFloat64(72, -1, true)),
      'bytes have -1 for m2 of feature 0, expected a number that is not negative',
    ],
    [
      'a low part that is not one',
      changed((view) => view.setFloat64(56, Infinity, true)),
      'bytes have Infinity for meanLow of feature 0, expected a finite number',
    ],
  ])('refused: %s', (_, bytes, message) => {
    expectError(
      () => Moments.fromBytes(bytes as Uint8Array),
      'ERR_ARGUMENT',
      `Moments.fromBytes: ${message}`,
    );
  });

  test('refused: an axis twice', () => {
    const bytes = changed((view) => view.setInt32(8, 1, true));
    expectError(
      () => Moments.fromBytes(bytes),
      'ERR_ARGUMENT',
      'Moments.fromBytes: bytes keep axis [1, 1], which names an axis twice',
    );
  });

  test('refused: a buffer that was transferred away', () => {
    const bytes = good.slice();
    structuredClone(bytes, { transfer: [bytes.buffer] });
    expectError(
      () => Moments.fromBytes(bytes),
      'ERR_DISPOSED',
      /^Moments.fromBytes: the buffer of bytes is detached/,
    );
  });
});

describe('mistakes', () => {
  test.each<[string, unknown, 'ERR_ARGUMENT' | 'ERR_AXIS' | 'ERR_SHAPE', string]>([
    ['no options', 3, 'ERR_ARGUMENT', 'options is 3, expected an object such as { axis: -1 }'],
    ['an unknown option', { axes: -1 }, 'ERR_ARGUMENT', "unknown option 'axes', did you mean 'axis'?"],
    [
      'half an axis',
      { axis: 0.5 },
      'ERR_AXIS',
      "Expected an int or a list/tuple of ints for the argument 'axis', got 0.5",
    ],
    [
      'axes that are text',
      { axis: ['-1'] },
      'ERR_AXIS',
      "Expected an int or a list/tuple of ints for the argument 'axis', got ['-1']",
    ],
    ['an axis twice', { axis: [1, 1] }, 'ERR_AXIS', 'axis is [1, 1], which names an axis twice'],
    [
      '33 axes',
      { axis: Array.from({ length: 33 }, (_, i) => i) },
      'ERR_AXIS',
      'axis is [0, 1, 2, 3, 4, 5, 6, 7, ...], which names more than 32 axes',
    ],
    [
      'too many sizes',
      { shape: [2, 3] },
      'ERR_SHAPE',
      'shape is [2, 3], expected a list of one size, those of axis [-1]',
    ],
    [
      'no list of sizes',
      { axis: [0, 1], shape: 3 },
      'ERR_SHAPE',
      'shape is 3, expected a list of 2 sizes, those of axis [0, 1]',
    ],
    [
      'sizes for none',
      { axis: null, shape: [1] },
      'ERR_SHAPE',
      'shape is [1], expected a list of 0 sizes, those of axis []',
    ],
    [
      'half a size',
      { shape: [0.5] },
      'ERR_SHAPE',
      'dimension 0 of the shape [0.5] of the statistics is 0.5, expected an integer from 0 to 4294967295',
    ],
  ])('constructor: %s', (_, options, code, message) => {
    expectError(() => new Moments(options as object), code, `Moments: ${message}`);
    expectError(() => momentsCombiner(options as object), code, `Moments: ${message}`);
  });

  const rows = [
    [1, 2, 3],
    [4, 5, 6],
  ];
  test.each<[string, unknown, unknown, 'ERR_ARGUMENT' | 'ERR_AXIS' | 'ERR_DTYPE' | 'ERR_SHAPE', string]>([
    [
      'no batch',
      undefined,
      {},
      'ERR_ARGUMENT',
      'x is undefined, expected a typed array, a tensor, nested arrays of numbers, or an object with data and dims or shape',
    ],
    [
      'a ragged batch',
      [[1, 2, 3], [4]],
      {},
      'ERR_SHAPE',
      'x is ragged: x[1] is an array of length 1, expected an array of length 3',
    ],
    [
      'a typed array without its shape',
      new Float32Array(6),
      {},
      'ERR_SHAPE',
      'x [6] has sizes [6] on axis [-1], expected [3] as before: a typed array of more than one dimension needs the option shape',
    ],
    ['other sizes', [[1, 2]], {}, 'ERR_SHAPE', 'x [1, 2] has sizes [2] on axis [-1], expected [3] as before'],
    [
      '64-bit integers',
      new BigInt64Array(3),
      {},
      'ERR_DTYPE',
      'x is a BigInt64Array, expected float16, bfloat16, float32, float64 or integers of up to 32 bits',
    ],
    [
      'an unknown option',
      rows,
      { masks: [] },
      'ERR_ARGUMENT',
      "unknown option 'masks', expected shape, dtype, mask",
    ],
    [
      'an unknown type',
      rows,
      { dtype: 'int8' },
      'ERR_DTYPE',
      "dtype is 'int8', expected 'float32', 'float64', 'float16' or 'bfloat16'",
    ],
    [
      'a mask of other rows',
      rows,
      { mask: [true, true, true] },
      'ERR_SHAPE',
      'mask has shape [3], expected that of x [2, 3], or of all but its last axis, each size that of x or 1',
    ],
    [
      'a mask of other size',
      rows,
      { mask: new Uint8Array(4) },
      'ERR_SHAPE',
      'mask has 4 elements, expected that of x [2, 3], or of all but its last axis',
    ],
    ['a mask of text', rows, { mask: ['yes', 'no'] }, 'ERR_DTYPE', "mask[0] is 'yes', expected a number"],
  ])('update: %s', (_, x, options, code, message) => {
    const moments = new Moments().update(rows);
    const before = moments.toBytes();
    expectError(() => moments.update(x as number[], options as object), code, `Moments.update: ${message}`);
    expect(moments.toBytes()).toEqual(before);
  });

  test('update: an axis that x does not have', () => {
    const message = 'Moments.update: axis 2 is out of bounds for x [2, 3], expected -2 to 1';
    expectError(() => new Moments({ axis: 2 }).update(rows), 'ERR_AXIS', message);
    expectError(
      () => new Moments({ axis: [1, -1] }).update(rows),
      'ERR_AXIS',
      /^Moments.update: Duplicate axes: /,
    );
  });

  test('update: a tensor that is gone', () => {
    const x = tensor(rows);
    x.dispose();
    const message = 'Moments.update: x is a tensor that has been disposed';
    expectError(() => new Moments().update(x), 'ERR_DISPOSED', message);
  });

  test('merge', () => {
    const moments = new Moments().update(rows);
    const before = moments.toBytes();
    expectError(
      () => moments.merge({} as Moments),
      'ERR_ARGUMENT',
      /^Moments.merge: other is an Object, expected Moments of this copy/,
    );
    expectError(
      () => moments.merge(new Moments().update([1, 2])),
      'ERR_SHAPE',
      'Moments.merge: other has the shape [2], expected [3]',
    );
    const message = 'Moments.merge: other keeps 2 axes, [0, 1], expected 1 as in [-1]';
    expectError(() => moments.merge(new Moments({ axis: [0, 1] })), 'ERR_SHAPE', message);
    expect(moments.toBytes()).toEqual(before);
  });
});

describe('momentsCombiner', () => {
  const { create, add, merge, extract } = momentsCombiner({ axis: -1 });
  const x = normals(40);
  const all = new Moments().update(x, { shape: [20, 2] });

  test('shards, combined', () => {
    const shards = [0, 1, 2, 3].map((shard) => {
      let accumulator = create();
      for (let row = shard; row < 20; row += 4)
        accumulator = add(accumulator, x.subarray(2 * row, 2 * row + 2));
      return accumulator;
    });
    expect(plain(extract(merge(shards)))).toEqual(plain(all.finalize()));
    expect(plain(extract(merge(new Set(shards))))).toEqual(plain(all.finalize()));
  });

  test('leaves accumulators as they are', () => {
    const [empty, one] = [create(), add(create(), [1, 2])];
    const copies = [empty.slice(), one.slice()];
    add(one, [3, 4], { mask: [true] });
    merge([empty, one]);
    expect([empty, one]).toEqual(copies);
  });

  test('nothing', () => {
    expect(merge([])).toEqual(create());
    expect(merge([create(), create()])).toEqual(create());
    expect(plain(extract(create()))).toEqual(plain(new Moments().finalize()));
  });

  test('options of the batches', () => {
    const accumulator = add(create(), x, { shape: [20, 2] });
    expect(plain(extract(accumulator))).toEqual(plain(all.finalize()));
  });

  test('refuses what is no accumulator, or one of other axes', () => {
    expectError(
      () => add(new Uint8Array(8), [1]),
      'ERR_ARGUMENT',
      /^Moments.fromBytes: bytes begin with 0x0, /,
    );
    expectError(
      () => merge([momentsCombiner({ axis: null }).create()]),
      'ERR_SHAPE',
      /^Moments.merge: other keeps 0 axes/,
    );
  });
});
