// What the operations about zero, RMS and unit normalization, take and give back, and how exact they are; what layer_norm*.test.ts
// ask of the one about the mean. Tier: bounded, where no numbers are spelled out.
import {
  createEngine,
  type LayerNormErrorCode,
  rmsNorm,
  rmsNormForward,
  tensor,
  unitNorm,
  unitNormForward,
} from 'layernorm';
import { DATA_SETS, dataSet } from '../support/data_sets.js';
import { expectError } from '../support/errors.js';
import { normals } from '../support/random.js';
import { aboutZeroReference } from '../support/reference.js';
import { expectSameBits, firstMismatch, maxUlpError } from '../support/ulp.js';

/** Both, behind the options that they share. */
const OPERATIONS = [
  { name: 'rmsNorm', plain: rmsNorm, forward: rmsNormForward, unit: false, epsilon: 1e-6 },
  { name: 'unitNorm', plain: unitNorm, forward: unitNormForward, unit: true, epsilon: 1e-12 },
] as const;

const x = normals(24);
const shape = [6, 4];

describe.each(OPERATIONS)('$name', ({ name, plain, forward, unit, epsilon }) => {
  const reference = (values: ArrayLike<number>, sizes: readonly number[], axes: readonly number[]) =>
    aboutZeroReference(values, sizes, { axes, epsilon, unit });
  const expected = reference(x, shape, [1]);

  describe('containers', () => {
    const near = (actual: ArrayLike<number>): void =>
      expect(firstMismatch(actual, expected.y, 1e-6, 1e-6)).toBeUndefined();

    test('a typed array gives a typed array, of one dimension without a shape', () => {
      const y = plain(x, { shape });
      expect(y).toBeInstanceOf(Float32Array);
      near(y);
      expect(Array.from(plain(new Float32Array([1, -1, 1, -1]), { epsilon: 0 }))).toEqual(
        unit ? [0.5, -0.5, 0.5, -0.5] : [1, -1, 1, -1],
      );
    });

    test('nested arrays give nested arrays', () => {
      const rows = Array.from({ length: 6 }, (_, i) => Array.from(x.subarray(4 * i, 4 * i + 4)));
      const y = plain(rows);
      expect(y[0]).toHaveLength(4);
      near(y.flat());
    });

    test('a tensor gives a tensor', () => {
      using t = tensor(x, [2, 3, 4]);
      using y = plain(t);
      expect(y.shape).toEqual([2, 3, 4]);
      near(y.array);
      expectSameBits(t.array as Float32Array, x);
    });

    test('an object gives an object of its kind', () => {
      const y = plain({ data: x, dims: shape, type: 'float32' });
      expect(Object.keys(y)).toEqual(['data', 'dims', 'type']);
      near(y.data);
    });

    test('rstd comes in the kind of container that x is, with 1 at the reduced dimensions', () => {
      const typed = forward(x, { shape });
      expect(Object.keys(typed)).toEqual(['y', 'rstd']);
      expect(firstMismatch(typed.rstd, expected.rstd, 1e-6, 0)).toBeUndefined();
      expectSameBits(typed.y, plain(x, { shape }));
      using t = tensor(x, shape);
      const inHeap = forward(t, { axis: 0 });
      expect(inHeap.rstd.shape).toEqual([1, 4]);
      for (const one of [inHeap.y, inHeap.rstd]) one.dispose();
      const object = forward({ data: x, dims: [2, 3, 4], type: 'float32' }, { axis: [0, 2] });
      expect(object.rstd).toMatchObject({ dims: [1, 3, 1], type: 'float32' });
    });

    test('an engine of its own gives the same bits', async () => {
      using engine = await createEngine();
      const own = unit ? engine.unitNorm : engine.rmsNorm;
      const ownForward = unit ? engine.unitNormForward : engine.rmsNormForward;
      expectSameBits(own(x, { shape }), plain(x, { shape }));
      expectSameBits(ownForward(x, { shape }).rstd, forward(x, { shape }).rstd);
    });
  });

  describe('out', () => {
    test('is written to, and is what comes back', () => {
      const out = new Float32Array(24);
      expect(plain(x, { shape, out })).toBe(out);
      expectSameBits(out, plain(x, { shape }));
      expect(forward(x, { shape, out }).y).toBe(out);
    });

    test('may be x', () => {
      const y = plain(x, { shape });
      const inPlace = x.slice();
      expect(plain(inPlace, { shape, out: inPlace })).toBe(inPlace);
      expectSameBits(inPlace, y);
      using t = tensor(x, shape);
      expect(plain(t, { out: t })).toBe(t);
      expectSameBits(t.array as Float32Array, y);
    });
  });

  // Tier: bitwise. Plain calls on the last axis take a way of their own to the core; `axis: [-1]` does not.
  test('the short way gives the bits of the long one', () => {
    const long = plain(x, { shape, axis: [-1] });
    expectSameBits(plain(x, { shape }), long);
    using t = tensor(x, shape);
    using y = plain(t);
    expectSameBits(y.array as Float32Array, long);
  });

  // Tier: bitwise. The type that x has anyway may be named; another one is converted to, on the long way.
  test.each([
    [x, 'float32', 'float64'],
    [Float64Array.from(x), 'float64', 'float32'],
  ] as const)('the option dtype', (values, own, other) => {
    const plainOf = plain as (given: unknown, options?: object) => Float32Array;
    const y = plainOf(values, { shape });
    expect(plainOf(values, { shape, dtype: own })).toEqual(y);
    expect(plainOf(values, { shape, dtype: own }).constructor).toBe(values.constructor);
    const out = values.slice();
    expect(plainOf(values, { shape, dtype: own, out })).toBe(out);
    expect(out).toEqual(y);
    const converted = plainOf(values, { shape, dtype: other });
    expect(converted.constructor).not.toBe(values.constructor);
    expect(converted).toEqual(plainOf(values, { shape, dtype: other, axis: [-1] }));
    using t = tensor(values as Float32Array, shape, own);
    using named = plain(t, { dtype: own }) as typeof t;
    expect([named.dtype, named.array]).toEqual([own, y]);
    expect(() => plainOf(values, { shape, dtype: 'float31' })).toThrow(/dtype is 'float31'/);
    expect(() => plainOf(t, { dtype: 'float31' })).toThrow(/dtype is 'float31'/);
  });

  // Tier: bitwise. More than one block of the heap, along rows and along columns.
  test('blocks give the bits of the whole', () => {
    const large = normals(400 * 300, 7);
    for (const axis of [-1, 0, [0, 1]]) {
      using t = tensor(large, [400, 300]);
      using y = plain(t, { axis });
      expectSameBits(plain(large, { shape: [400, 300], axis }), y.array as Float32Array);
    }
  });

  describe('types', () => {
    test('float64 is computed in float64', () => {
      const wide = Float64Array.from({ length: 40 }, (_, i) => Math.sin(i) + 0.5);
      const y = plain(wide, { shape: [4, 10] });
      expect(y).toBeInstanceOf(Float64Array);
      expect(maxUlpError(y, reference(wide, [4, 10], [1]).y, 52)).toBeLessThanOrEqual(8);
    });

    test('integers are converted to float32', () => {
      const y = plain(new Int8Array([1, 2, 3, 10, 20, 30]), { shape: [2, 3] });
      expectSameBits(y, plain(new Float32Array([1, 2, 3, 10, 20, 30]), { shape: [2, 3] }));
    });

    test.each(['float16', 'bfloat16'] as const)('%s is float32, rounded once', (dtype) => {
      using t = tensor(x, shape, dtype);
      using wide = tensor(t, null, 'float32');
      using y = plain(t);
      using exact = plain(wide);
      using rounded = tensor(exact, null, dtype);
      expect(y.dtype).toBe(dtype);
      expect(Array.from(y.array)).toEqual(Array.from(rounded.array));
      const { rstd, y: again } = forward(t);
      expect(rstd.dtype).toBe('float32');
      for (const one of [rstd, again]) one.dispose();
    });
  });

  describe('shapes', () => {
    test('every axis set', () => {
      const sizes = [2, 3, 4, 5];
      const values = normals(120, 4);
      for (let mask = 1; mask < 16; mask++) {
        const axes = [0, 1, 2, 3].filter((d) => (mask >> d) & 1);
        const y = plain(values, { shape: sizes, axis: axes });
        expect(maxUlpError(y, reference(values, sizes, axes).y)).toBeLessThanOrEqual(3);
      }
    });

    test('empty x gives empty y, and groups without elements an rstd that is no number', () => {
      expect(plain(new Float32Array(0), { shape: [1, 0, 10] })).toEqual(new Float32Array(0));
      expect(forward(new Float32Array(0), { shape: [3, 0] }).rstd).toEqual(
        new Float32Array(3).fill(Number.NaN),
      );
    });
  });

  test('null and undefined stand for the defaults', () => {
    const y = plain(x, { shape });
    const nothing = { axis: null, epsilon: null, dtype: null, out: null };
    expectSameBits(plain(x, { shape, ...nothing }) as Float32Array, y);
    expectSameBits(plain(x, { shape, axis: -1, epsilon }), y);
    expectSameBits(plain(x), plain(x, { shape: null }));
  });

  test('tensorflow_61287_zero_rows: 0, and without epsilon NaN, as 0 / 0', () => {
    expect(plain(new Float32Array(8))).toEqual(new Float32Array(8));
    expect(plain(new Float32Array(8), { epsilon: 0 }).every(Number.isNaN)).toBe(true);
  });

  test('NaN makes its group NaN, an infinity the rest of its group 0', () => {
    const odd = x.slice();
    odd[1] = Number.NaN;
    odd[5] = Number.NEGATIVE_INFINITY;
    const y = plain(odd, { shape });
    expect(y.subarray(0, 4).every(Number.isNaN)).toBe(true);
    expect(Array.from(y.subarray(4, 8), Math.abs)).toEqual([0, Number.NaN, 0, 0]);
    expectSameBits(y.slice(8), plain(x, { shape }).slice(8));
  });

  describe('at most 3 ulp of max(|y|, 1) away from the float64 reference', () => {
    test.each(Object.keys(DATA_SETS))('%s', (set) => {
      for (const [columns, rows] of [
        [1, 20],
        [3, 20],
        [16, 20],
        [65, 20],
        [127, 10],
        [128, 10],
        [773, 5],
        [4096, 2],
      ] as const) {
        const values = dataSet(set, rows, columns);
        const { y, rstd } = forward(values, { shape: [rows, columns] });
        const exact = reference(values, [rows, columns], [1]);
        expect(maxUlpError(y, exact.y)).toBeLessThanOrEqual(3);
        expect(firstMismatch(rstd, exact.rstd, 3 * 2 ** -24, 2 ** -148)).toBeUndefined();
      }
      const values = dataSet(set, 300, 20);
      const y = plain(values, { shape: [300, 20], axis: 0 });
      expect(maxUlpError(y, reference(values, [300, 20], [0]).y)).toBeLessThanOrEqual(3);
    });
  });

  /** What is passed, and what is said of it. The arguments are meant to be wrong, so their types are, too. */
  const MISTAKES: [unknown, unknown, LayerNormErrorCode, string][] = [
    [
      3,
      {},
      'ERR_ARGUMENT',
      'x is 3, expected a typed array, a tensor, nested arrays of numbers, or an object with data and dims or shape',
    ],
    [x, shape, 'ERR_ARGUMENT', 'options is [6, 4], expected an object such as { axis: -1 }'],
    [x, { eps: 1 }, 'ERR_ARGUMENT', "unknown option 'eps', did you mean 'epsilon'?"],
    [
      x,
      { beta: [1] },
      'ERR_ARGUMENT',
      `unknown option 'beta', expected shape, axis, epsilon, ${unit ? '' : 'gamma, '}dtype, out`,
    ],
    [x, { shape: [2, 3] }, 'ERR_SHAPE', 'x has 24 elements, expected 6, the product of its shape [2, 3]'],
    [x, { shape, axis: 2 }, 'ERR_AXIS', 'axis 2 is out of bounds for x [6, 4], expected -2 to 1'],
    [
      x,
      { shape, epsilon: -1 },
      'ERR_ARGUMENT',
      'epsilon is -1, expected a finite number that is not negative',
    ],
    [
      x,
      { shape, out: new Float64Array(24) },
      'ERR_DTYPE',
      'out has elements of float64, expected float32, the type of the result',
    ],
    [
      x,
      { shape, out: new Float32Array(23) },
      'ERR_SHAPE',
      'out has 23 elements, expected 24, as x [6, 4] has',
    ],
  ];
  test.each(MISTAKES)('mistake %#', (value, options, code, message) => {
    const wrong = value as Float32Array;
    expectError(() => plain(wrong, options as object), code, `${name}: ${message}`);
    expectError(() => forward(wrong, options as object), code, `${name}Forward: ${message}`);
  });
});
