// What layerNorm and layerNormForward take and give back, by kinds of containers, types and shapes. Tier: bounded, where no
// numbers are spelled out.
import { layerNorm, layerNormForward, tensor } from 'layernorm';
import { normals } from '../support/random.js';
import { layerNormReference } from '../support/reference.js';
import { expectSameBits, firstMismatch, maxUlpError } from '../support/ulp.js';

const x = normals(24);
const gamma = normals(4, 2);
const beta = normals(4, 3);
const expected = layerNormReference(x, [6, 4], { axes: [1], gamma, beta });

describe('containers', () => {
  const options = { shape: [6, 4], gamma, beta };
  const near = (actual: ArrayLike<number>): void =>
    expect(firstMismatch(actual, expected.y, 1e-6, 1e-6)).toBeUndefined();

  test('a typed array gives a typed array', () => {
    const y = layerNorm(x, options);
    expect(y).toBeInstanceOf(Float32Array);
    expect(y).not.toBe(x);
    near(y);
  });

  test('a typed array without shape has one dimension', () => {
    expect(Array.from(layerNorm(new Float32Array([1, 3]), { epsilon: 0 }))).toEqual([-1, 1]);
  });

  test('nested arrays give nested arrays', () => {
    const rows = Array.from({ length: 6 }, (_, i) => Array.from(x.subarray(4 * i, 4 * i + 4)));
    const y = layerNorm(rows, { gamma: Array.from(gamma), beta: Array.from(beta) });
    expect(y).toHaveLength(6);
    expect(y[0]).toHaveLength(4);
    near(y.flat());
  });

  test('a tensor gives a tensor', () => {
    using t = tensor(x, [2, 3, 4]);
    using g = tensor(gamma);
    using b = tensor(beta, [1, 1, 4]);
    using y = layerNorm(t, { gamma: g, beta: b });
    expect(y.shape).toEqual([2, 3, 4]);
    near(y.array);
    expect(Array.from(t.array)).toEqual(Array.from(x));
  });

  test('an object gives an object of its kind', () => {
    const y = layerNorm({ data: x, dims: [6, 4], type: 'float32' }, { gamma, beta });
    expect(Object.keys(y)).toEqual(['data', 'dims', 'type']);
    near(y.data);
    const transposed = new Float32Array(24);
    for (let i = 0; i < 6; i++) for (let j = 0; j < 4; j++) transposed[j * 6 + i] = x[i * 4 + j] as number;
    const strided = layerNorm(
      { data: transposed, shape: [6, 4], stride: [1, 6], offset: 0 },
      { gamma, beta },
    );
    expect(strided.shape).toEqual([6, 4]);
    near(strided.data);
  });

  test('gamma and beta may be of any kind and of all three shapes, whatever x is', () => {
    const four = normals(24, 5);
    const whole = layerNorm(four, { shape: [2, 3, 4], axis: [0, 2], gamma: normals(8, 6) });
    for (const shape of [[8], [2, 4], [2, 1, 4]]) {
      const g = { data: normals(8, 6), shape };
      expect(layerNorm(four, { shape: [2, 3, 4], axis: [0, 2], gamma: g })).toEqual(whole);
      using t = tensor(normals(8, 6), shape);
      expect(layerNorm(four, { shape: [2, 3, 4], axis: [2, 0], gamma: t })).toEqual(whole);
    }
  });

  test('statistics come in the kind of container that x is, with 1 at the reduced dimensions', () => {
    const typed = layerNormForward(x, { shape: [6, 4] });
    expect(typed.mean).toBeInstanceOf(Float32Array);
    expect(typed.rstd).toHaveLength(6);
    expect(firstMismatch(typed.mean, expected.mean, 1e-6, 1e-7)).toBeUndefined();
    expect(firstMismatch(typed.rstd, expected.rstd, 1e-6, 0)).toBeUndefined();

    expect(layerNormForward([[1, 3]], { epsilon: 0 })).toEqual({ y: [[-1, 1]], mean: [[2]], rstd: [[1]] });

    using t = tensor(x, [6, 4]);
    const inHeap = layerNormForward(t, { axis: 0 });
    expect(inHeap.mean.shape).toEqual([1, 4]);
    expect(inHeap.rstd.shape).toEqual([1, 4]);
    for (const one of [inHeap.y, inHeap.mean, inHeap.rstd]) one.dispose();

    const object = layerNormForward({ data: x, dims: [2, 3, 4], type: 'float32' }, { axis: [0, 2] });
    expect(object.mean).toMatchObject({ dims: [1, 3, 1], type: 'float32' });
    expect(object.rstd.data).toHaveLength(3);
  });

  test('layerNormForward gives the y of layerNorm, bit for bit', () => {
    const { y } = layerNormForward(x, options);
    expectSameBits(y, layerNorm(x, options));
  });
});

describe('out', () => {
  test('is written to, and is what comes back', () => {
    const out = new Float32Array(24);
    expect(layerNorm(x, { shape: [6, 4], out })).toBe(out);
    expect(out).toEqual(layerNorm(x, { shape: [6, 4] }));
    const forward = layerNormForward(x, { shape: [6, 4], out });
    expect(forward.y).toBe(out);
  });

  test('may be x', () => {
    const y = layerNorm(x, { shape: [6, 4] });
    const inPlace = x.slice();
    expect(layerNorm(inPlace, { shape: [6, 4], out: inPlace })).toBe(inPlace);
    expect(inPlace).toEqual(y);
    using t = tensor(x, [6, 4]);
    expect(layerNorm(t, { out: t })).toBe(t);
    expect(t.array).toEqual(y);
  });

  test('may be of another kind than x', () => {
    const y = layerNorm(x, { shape: [6, 4] });
    using t = tensor(new Float32Array(24), [6, 4]);
    expect(layerNorm(x, { shape: [6, 4], out: t })).toBe(t);
    expect(t.array).toEqual(y);
    const array = new Float32Array(24);
    expect(layerNorm(t, { out: array })).toBe(array);
    expect(firstMismatch(array, layerNormReference(y, [6, 4], { axes: [1] }).y, 1e-6, 1e-6)).toBeUndefined();
    const object = { data: new Float32Array(30), shape: [6, 4], offset: 5 };
    expect(layerNorm(x, { shape: [6, 4], out: object })).toBe(object);
    expect(object.data.subarray(5, 29)).toEqual(y);
    expect(object.data[4] || object.data[29]).toBe(0);
  });

  test('may be a view of a tensor, whole or in part', () => {
    using t = tensor(new Float32Array(48), [12, 4]);
    layerNorm(x, { shape: [6, 4], out: t.array.subarray(24) });
    expect(t.array.subarray(24)).toEqual(layerNorm(x, { shape: [6, 4] }));
    expect(t.array.subarray(0, 24).some(Boolean)).toBe(false);
  });

  test('may share the buffer of x where they do not touch', () => {
    const both = new Float32Array(48);
    both.set(x);
    layerNorm(both.subarray(0, 24), { shape: [6, 4], out: both.subarray(24) });
    expect(both.subarray(0, 24)).toEqual(x);
    expect(both.subarray(24)).toEqual(layerNorm(x, { shape: [6, 4] }));
  });
});

// Tier: bitwise. Plain calls on the last axis take a way of their own to the core; `axis: [-1]` and an array for gamma do not.
describe('the short way', () => {
  const calls = { both: { gamma, beta }, 'gamma only': { gamma }, 'beta only': { beta }, neither: {} };
  test.each(Object.entries(calls))(
    'with %s gives the bits of the long one',
    (_, { gamma, beta }: { gamma?: Float32Array; beta?: Float32Array }) => {
      const shape = [2, 3, 4];
      using t = tensor(x, shape);
      using out = tensor(new Float32Array(24), shape);
      using g = tensor(gamma ?? []);
      using b = tensor(beta ?? []);
      const long = layerNorm(x, { shape, gamma, beta, axis: [-1] });
      expectSameBits(layerNorm(x, { shape, gamma, beta }), long);
      expectSameBits(layerNorm(x, { shape, gamma, beta, dtype: 'float32' }), long);
      const given = { gamma: gamma && g, beta: beta && b };
      expect(layerNorm(t, { ...given, out })).toBe(out);
      expectSameBits(out.array, long);
      expect(layerNorm(t, { ...given, dtype: 'float32', out })).toBe(out);
      expectSameBits(out.array, long);
      expect(layerNorm(t, { gamma, beta, out: t })).toBe(t);
      expectSameBits(t.array, long);
    },
  );

  test('refuses with tensors what it refuses otherwise', () => {
    using t = tensor(x, [6, 4]);
    using g = tensor(gamma);
    using other = tensor(x, [4, 6]);
    using gone = tensor(gamma);
    gone.dispose();
    using square = tensor(new Float32Array(16), [4, 4]);
    using row = tensor(gamma, [1, 4]);
    const code = (call: () => unknown): string | undefined => {
      try {
        call();
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    expect(code(() => layerNorm(t, { gamma: g, out: other }))).toBe('ERR_SHAPE');
    expect(code(() => layerNorm(t, { gamma: other, out: t }))).toBe('ERR_SHAPE');
    expect(code(() => layerNorm(t, { gamma: gone, out: t }))).toBe('ERR_DISPOSED');
    expect(code(() => layerNorm(row, { gamma: g, beta: row, out: row }))).toBe('ERR_ARGUMENT');
    expect(code(() => layerNorm(square, { gamma: g, epsilon: Number.NaN, out: square }))).toBe(
      'ERR_ARGUMENT',
    );
    expect(code(() => layerNorm(square, { gamma: g, shape: [2, 8], out: square }))).toBe('ERR_SHAPE');
    expect(code(() => layerNorm(square, { gama: g, out: square } as object))).toBe('ERR_ARGUMENT');
    expectSameBits(t.array, x);
  });
});

describe('types', () => {
  test('float64 is computed in float64', () => {
    const wide = Float64Array.from({ length: 40 }, (_, i) => Math.sin(i) + 0.5);
    const y = layerNorm(wide, { shape: [4, 10], epsilon: 1e-12 });
    expect(y).toBeInstanceOf(Float64Array);
    const reference = layerNormReference(wide, [4, 10], { axes: [1], epsilon: 1e-12 });
    expect(maxUlpError(y, reference.y, 52)).toBeLessThanOrEqual(8);
    const { mean, rstd } = layerNormForward(wide, { shape: [4, 10], epsilon: 1e-12 });
    expect(firstMismatch(mean, reference.mean, 1e-15, 1e-16)).toBeUndefined();
    expect(firstMismatch(rstd, reference.rstd, 1e-15, 0)).toBeUndefined();
  });

  test.each([Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array])(
    '%p is converted to float32',
    (Integers) => {
      const y = layerNorm(new Integers([1, 2, 3, 10, 20, 30]), { shape: [2, 3] });
      expect(y).toBeInstanceOf(Float32Array);
      expect(y).toEqual(layerNorm(new Float32Array([1, 2, 3, 10, 20, 30]), { shape: [2, 3] }));
    },
  );

  test('the option dtype overrules the type of x', () => {
    const wide = layerNorm(x, { shape: [6, 4], dtype: 'float64' });
    expect(wide).toBeInstanceOf(Float64Array);
    expect(maxUlpError(wide, layerNormReference(x, [6, 4], { axes: [1] }).y, 52)).toBeLessThanOrEqual(8);
    const narrow = layerNorm(Float64Array.from(x), { shape: [6, 4], dtype: 'float32' });
    expect(narrow).toEqual(layerNorm(x, { shape: [6, 4] }));
    const nested = layerNorm([[0.1, 0.2]], { dtype: 'float64', epsilon: 0 });
    expect(nested).toEqual([[-1, 1]].map((row) => row.map((v) => expect.closeTo(v, 14))));
    using t = tensor(x, [6, 4]);
    using y = layerNorm(t, { dtype: 'float64' });
    expect(y.dtype).toBe('float64');
    expect(y.array).toEqual(wide);
    const object = layerNorm({ data: x, dims: [6, 4], type: 'float32' }, { dtype: 'float64' });
    expect(object).toMatchObject({ type: 'float64', data: wide });
  });

  test('gamma and beta are converted to the type of x', () => {
    const wide = Float64Array.from(x);
    const g = new Float32Array([0.1, 0.2, 0.3, 0.4]);
    const y = layerNorm(wide, { shape: [6, 4], gamma: g, beta: new Int8Array([1, 2, 3, 4]) });
    const reference = layerNormReference(wide, [6, 4], { axes: [1], gamma: g, beta: [1, 2, 3, 4] });
    expect(maxUlpError(y, reference.y, 52)).toBeLessThanOrEqual(8);
    using t = tensor(Float64Array.from(gamma));
    expect(layerNorm(x, { shape: [6, 4], gamma: t })).toEqual(layerNorm(x, { shape: [6, 4], gamma }));
  });
});

describe('shapes', () => {
  test.each([[[1, 0, 10]], [[0]], [[0, 3]]])('%j is empty and gives the same', (shape) => {
    expect(layerNorm(new Float32Array(0), { shape })).toEqual(new Float32Array(0));
    using t = tensor(new Float32Array(0), shape);
    using y = layerNorm(t);
    expect(y.shape).toEqual(shape);
  });

  test('groups without elements have statistics that are not numbers', () => {
    const { y, mean, rstd } = layerNormForward(new Float32Array(0), { shape: [3, 0] });
    expect(y).toEqual(new Float32Array(0));
    expect(mean).toEqual(new Float32Array(3).fill(Number.NaN));
    expect(rstd).toEqual(new Float32Array(3).fill(Number.NaN));
    expect(layerNormForward([[], []], {}).mean).toEqual([[Number.NaN], [Number.NaN]]);
    expect(layerNorm(new Float32Array(0), { shape: [2, 0], gamma: [] })).toEqual(new Float32Array(0));
  });

  test('a group of one element is 0', () => {
    expect(layerNorm([[5], [-3]])).toEqual([[0], [0]]);
    expect(layerNorm([[5], [-3]], { beta: [2] })).toEqual([[2], [2]]);
    expect(layerNormForward([7], {})).toEqual({
      y: [0],
      mean: [7],
      rstd: [expect.closeTo(1 / Math.sqrt(1e-3), 4)],
    });
  });

  test('all axes: one group', () => {
    const y = layerNorm(x, { shape: [2, 3, 4], axis: [0, 1, 2] });
    expect(y).toEqual(layerNorm(x));
  });

  test('rank 32', () => {
    const shape = Array<number>(32).fill(1);
    shape[0] = 6;
    shape[31] = 4;
    expect(layerNorm(x, { shape })).toEqual(layerNorm(x, { shape: [6, 4] }));
    expect(layerNorm(x, { shape, axis: [0, -1] })).toEqual(layerNorm(x));
  });

  test('dimensions of size 1, reduced or kept, change nothing', () => {
    const y = layerNorm(x, { shape: [6, 4] });
    expect(layerNorm(x, { shape: [6, 1, 4] })).toEqual(y);
    expect(layerNorm(x, { shape: [6, 1, 4], axis: [1, 2] })).toEqual(y);
    expect(layerNorm(x, { shape: [1, 6, 4], axis: [0, 2] })).toEqual(y);
  });
});

describe('options', () => {
  test('null and undefined stand for the defaults', () => {
    const y = layerNorm(x, { shape: [6, 4] });
    const nothing = {
      axis: null,
      epsilon: null,
      gamma: null,
      beta: null,
      rmsScaling: null,
      dtype: null,
      out: null,
    };
    expect(layerNorm(x, { shape: [6, 4], ...nothing })).toEqual(y);
    expect(layerNorm(x, { shape: null })).toEqual(layerNorm(x));
    expect(layerNorm(x, undefined)).toEqual(layerNorm(x, { epsilon: 1e-3, axis: -1 }));
  });

  test('rmsScaling scales x itself by the deviation from the mean', () => {
    const y = layerNorm(x, { shape: [6, 4], rmsScaling: true, gamma });
    const reference = layerNormReference(x, [6, 4], { axes: [1], rmsScaling: true, gamma });
    expect(firstMismatch(y, reference.y, 1e-6, 1e-6)).toBeUndefined();
    expect(layerNormForward(x, { shape: [6, 4], rmsScaling: true }).mean).toEqual(
      layerNormForward(x, { shape: [6, 4] }).mean,
    );
  });

  test('arguments are left as they are', () => {
    const options = Object.freeze({ shape: Object.freeze([6, 4]), axis: Object.freeze([-1, 0]), gamma: x });
    const before = x.slice();
    layerNorm(x, options);
    expect(x).toEqual(before);
    expect(options.axis).toEqual([-1, 0]);
  });

  test('NaN and infinities stay in their own group', () => {
    const odd = x.slice();
    odd[1] = Number.NaN;
    odd[5] = Number.POSITIVE_INFINITY;
    const y = layerNorm(odd, { shape: [6, 4] });
    expect(y.subarray(0, 8).every(Number.isNaN)).toBe(true);
    expect(y.subarray(8)).toEqual(layerNorm(x, { shape: [6, 4] }).subarray(8));
  });
});
