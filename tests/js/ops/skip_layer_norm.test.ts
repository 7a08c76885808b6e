// Tier: bitwise where layerNorm and rmsNorm, which have oracles of their own, are the oracle of what is made of the sum; bounded for
// the gradient, by finite differences.
import {
  createEngine,
  type DType,
  layerNorm,
  layerNormBackward,
  layerNormForward,
  rmsNorm,
  rmsNormBackward,
  rmsNormForward,
  skipLayerNorm,
  skipLayerNormForward,
  skipRmsNorm,
  skipRmsNormForward,
  tensor,
} from 'layernorm';
import { copierOf } from '../../../js/src/tensor/sixteen_bit.js';
import { differences } from '../support/differences.js';
import { expectError } from '../support/errors.js';
import { normals } from '../support/random.js';
import { expectSameBits, firstMismatch } from '../support/ulp.js';

const SHAPE = [4, 6, 20];
const x = normals(480);
const skip = normals(480, 2);
const bias = normals(20, 3);
const gamma = normals(20, 4);
const beta = normals(20, 5);

/** (x + skip) + bias in float32. */
function sumOf(a: Float32Array, b: Float32Array, c?: Float32Array): Float32Array {
  return a.map((one, i) => {
    const sum = Math.fround(one + (b[i % b.length] as number));
    return c ? sum + (c[i % c.length] as number) : sum;
  });
}

test('the sum by its definition, and y and the statistics are those of layerNorm', () => {
  const sum = sumOf(x, skip, bias);
  const made = skipLayerNormForward(x, skip, { shape: SHAPE, bias, gamma, beta });
  const expected = layerNormForward(sum, { shape: SHAPE, gamma, beta });
  expectSameBits(made.sum, sum);
  expectSameBits(made.y, expected.y);
  expectSameBits(made.mean, expected.mean);
  expectSameBits(made.rstd, expected.rstd);
  const { y, ...rest } = skipLayerNorm(x, skip, { shape: SHAPE, bias, gamma, beta });
  expectSameBits(y, expected.y);
  expect(Object.keys(rest)).toEqual(['sum']);
});

test('with RMS those of rmsNorm, and there is no mean', () => {
  const sum = sumOf(x, skip, bias);
  const made = skipRmsNormForward(x, skip, { shape: SHAPE, bias, gamma });
  const expected = rmsNormForward(sum, { shape: SHAPE, gamma });
  expectSameBits(made.sum, sum);
  expectSameBits(made.y, expected.y);
  expectSameBits(made.rstd, expected.rstd);
  expect(Object.keys(made)).toEqual(['y', 'sum', 'rstd']);
  expectSameBits(skipRmsNorm(x, skip, { shape: SHAPE, bias, gamma }).y, expected.y);
});

test('a small case by hand', () => {
  const { y, sum } = skipLayerNorm([1, 2, 3], [1, 1, -3], { bias: [0, 0, 2], epsilon: 0 });
  expect(sum).toEqual([2, 3, 2]);
  expect(firstMismatch(y, [-Math.SQRT1_2, Math.SQRT2, -Math.SQRT1_2], 1e-6, 0)).toBeUndefined();
  expect(skipRmsNorm([1, 2], [2, 2], { epsilon: 0 })).toEqual({
    y: [3, 4].map((one) => Math.fround(one / Math.sqrt(12.5))),
    sum: [3, 4],
  });
});

test('the defaults of epsilon are those of layerNorm and rmsNorm', () => {
  const small = x.map((one) => one * 1e-3);
  const sum = sumOf(small, small);
  expectSameBits(skipLayerNorm(small, small, { shape: SHAPE }).y, layerNorm(sum, { shape: SHAPE }));
  expectSameBits(skipRmsNorm(small, small, { shape: SHAPE }).y, rmsNorm(sum, { shape: SHAPE }));
  const epsilon = 1e-12;
  expectSameBits(
    skipLayerNorm(small, small, { shape: SHAPE, epsilon }).y,
    layerNorm(sum, { shape: SHAPE, epsilon }),
  );
});

test('over the last few axes', () => {
  const wide = normals(120, 6);
  const { y, sum } = skipLayerNorm(x, wide, { shape: SHAPE, axis: [1, -1], bias: wide, gamma: wide });
  expectSameBits(sum, sumOf(x, wide, wide));
  expectSameBits(y, layerNorm(sum, { shape: SHAPE, axis: [1, 2], gamma: wide }));
  const all = skipRmsNorm(x, skip, { shape: SHAPE, axis: [0, 1, 2] });
  expectSameBits(all.y, rmsNorm(all.sum, { shape: SHAPE, axis: [0, 1, 2] }));
});

test('float64 is computed as such', () => {
  const wide = Float64Array.from(x);
  const { y, sum } = skipLayerNorm(wide, skip, { shape: SHAPE, bias });
  expectSameBits(
    sum,
    wide.map((one, i) => one + (skip[i] as number) + (bias[i % 20] as number)),
  );
  expectSameBits(y, layerNorm(sum, { shape: SHAPE }));
});

describe('a skip of fewer dimensions is repeated over the batch', () => {
  const cases: [string, number[], number][] = [
    ['[6, 20]', [6, 20], 120],
    ['[1, 6, 20]', [1, 6, 20], 120],
    ['[20]', [20], 20],
    ['[1, 1, 20]', [1, 1, 20], 20],
  ];
  const [wideShape, wide] = [[700, 6, 20], normals(84_000, 8)];
  test.each(cases)('%s', (_, skipShape, length) => {
    const fewer = skip.subarray(0, length);
    for (const [shape, data] of [
      [SHAPE, x],
      [wideShape, wide], // in blocks, which begin within the skip
    ] as const) {
      const sum = sumOf(data, fewer, bias);
      const y = layerNorm(sum, { shape, gamma });
      using t = tensor(data, shape);
      using s = tensor(fewer, skipShape);
      for (const given of [fewer, { data: fewer, shape: skipShape }, s]) {
        const made = skipLayerNorm(data, given, { shape, bias, gamma });
        expectSameBits(made.sum, sum);
        expectSameBits(made.y, y);
        const tensors = skipLayerNorm(t, given, { bias, gamma });
        expectSameBits(tensors.sum.array.slice(), sum);
        expectSameBits(tensors.y.array.slice(), y);
        tensors.sum.dispose();
        tensors.y.dispose();
      }
    }
  });

  test('of 16 bits as well, in arrays and in tensors', () => {
    const [a, b] = [bitsOf(wide, 'float16'), bitsOf(skip.subarray(0, 120), 'float16')];
    const repeated = Uint16Array.from(a, (_, i) => b[i % 120] as number);
    const options = { dtype: 'float16', bias, gamma } as const;
    const expected = skipLayerNorm(a, repeated, { ...options, shape: wideShape });
    expect(skipLayerNorm(a, b, { ...options, shape: wideShape })).toEqual(expected);
    using t = tensor(a, wideShape, 'float16');
    using s = tensor(b, [6, 20], 'float16');
    expect(skipLayerNorm(a, s, { ...options, shape: wideShape })).toEqual(expected);
    const { y, sum } = skipLayerNorm(t, s, { bias, gamma });
    expect({ y: y.array.slice(), sum: sum.array.slice() }).toEqual(expected);
    y.dispose();
    sum.dispose();
  });

  test('ones in x are dimensions like any other', () => {
    const shape = [5, 1, 2];
    const data = x.subarray(0, 10);
    const expected = skipLayerNorm(data, [3, 4], { shape });
    expect(skipLayerNorm(data, [[3, 4]], { shape })).toEqual(expected);
    expect(skipLayerNorm(data, [[[3, 4]]], { shape })).toEqual(expected);
  });
});

/** The bits of numbers rounded to a type of 16 bits. */
function bitsOf(numbers: Float32Array, dtype: DType): Uint16Array {
  const bits = new Uint16Array(numbers.length);
  copierOf('float32', dtype)(bits, 0, numbers, 0, numbers.length);
  return bits;
}
function numbersOf(bits: Uint16Array, dtype: DType): Float32Array {
  const numbers = new Float32Array(bits.length);
  copierOf(dtype, 'float32')(numbers, 0, bits, 0, bits.length);
  return numbers;
}

describe.each(['float16', 'bfloat16'] as const)('%s', (dtype) => {
  const [xBits, skipBits] = [bitsOf(x, dtype), bitsOf(skip, dtype)];

  test('the sum is float32, and both outputs are rounded once', () => {
    const wide = skipLayerNormForward(numbersOf(xBits, dtype), numbersOf(skipBits, dtype), {
      shape: SHAPE,
      bias,
      gamma,
      beta,
    });
    const made = skipLayerNormForward(xBits, skipBits, { shape: SHAPE, dtype, bias, gamma, beta });
    expect(made.y).toEqual(bitsOf(wide.y, dtype));
    expect(made.sum).toEqual(bitsOf(wide.sum, dtype));
    expectSameBits(made.mean, wide.mean);
    expectSameBits(made.rstd, wide.rstd);
  });

  test('a skip of float32 is not rounded before', () => {
    const wide = skipRmsNorm(numbersOf(xBits, dtype), skip, { shape: SHAPE });
    const made = skipRmsNorm({ data: xBits, shape: SHAPE, dtype }, { data: skip, shape: SHAPE });
    expect(made.y).toEqual({ data: bitsOf(wide.y, dtype), shape: SHAPE, dtype });
    expect(made.sum).toEqual({ data: bitsOf(wide.sum, dtype), shape: SHAPE, dtype });
  });
});

describe('where the results go', () => {
  const expected = skipLayerNorm(x, skip, { shape: SHAPE, bias, gamma });

  test('arrays', () => {
    const [out, sumOut] = [new Float32Array(480), new Float32Array(480)];
    const made = skipLayerNorm(x, skip, { shape: SHAPE, bias, gamma, out, sumOut });
    expect(made.y).toBe(out);
    expect(made.sum).toBe(sumOut);
    expect(made).toEqual(expected);
  });

  test.each(['out', 'sumOut'])('%s in place of x, of arrays and of tensors', (name) => {
    const stream = x.slice();
    const made = skipLayerNorm(stream, skip, { shape: SHAPE, bias, gamma, [name]: stream });
    expect(name === 'out' ? made.y : made.sum).toBe(stream);
    expect(made).toEqual(expected);
    using t = tensor(x, SHAPE);
    using s = tensor(skip, SHAPE);
    const tensors = skipLayerNorm(t, s, { bias, gamma, [name]: t });
    expect(name === 'out' ? tensors.y : tensors.sum).toBe(t);
    expectSameBits(tensors.y.array.slice(), expected.y);
    expectSameBits(tensors.sum.array.slice(), expected.sum);
    (name === 'out' ? tensors.sum : tensors.y).dispose();
  });

  test('arrays of many blocks in place', () => {
    const shape = [300, 500];
    const [a, b] = [normals(150_000, 6), normals(150_000, 7)];
    const apart = skipRmsNorm(a, b, { shape });
    for (const name of ['out', 'sumOut']) {
      const stream = a.slice();
      const made = skipRmsNorm(stream, b, { shape, [name]: stream });
      expectSameBits(made.y, apart.y);
      expectSameBits(made.sum, apart.sum);
    }
  });

  test('an array for one and a tensor for the other', () => {
    using t = tensor(x, SHAPE);
    const out = new Float32Array(480);
    const made = skipLayerNorm(t, skip, { bias, gamma, out, sumOut: t });
    expect(made).toEqual({ y: out, sum: t });
    expectSameBits(out, expected.y);
    expectSameBits(t.array.slice(), expected.sum);
  });

  test('x may be skip as well', () => {
    const twice = skipLayerNorm(x, x, { shape: SHAPE });
    expectSameBits(twice.sum, sumOf(x, x));
    using t = tensor(x, SHAPE);
    const { y, sum } = skipLayerNorm(t, t);
    expectSameBits(y.array.slice(), twice.y);
    y.dispose();
    sum.dispose();
  });

  test('containers of the kind of x', () => {
    const nested = skipLayerNormForward([[1, 2]], [[3, 5]]);
    expect(nested).toEqual({
      y: [expect.any(Array)],
      sum: [[4, 7]],
      mean: [[5.5]],
      rstd: [[expect.any(Number)]],
    });
    const object = skipRmsNormForward({ data: x, dims: SHAPE, type: 'float32' }, skip);
    expect(object.sum).toEqual({ data: sumOf(x, skip), dims: SHAPE, type: 'float32' });
    expect(object.rstd.dims).toEqual([4, 6, 1]);
  });

  test('in the memory of an engine', async () => {
    const engine = await createEngine();
    expect(engine.skipLayerNorm(x, skip, { shape: SHAPE, bias, gamma })).toEqual(expected);
    expect(engine.skipLayerNormForward(x, skip, { shape: SHAPE, bias, gamma })).toMatchObject(expected);
    const rms = skipRmsNormForward(x, skip, { shape: SHAPE });
    expect(engine.skipRmsNormForward(x, skip, { shape: SHAPE })).toEqual(rms);
    expect(engine.skipRmsNorm(x, skip, { shape: SHAPE })).toEqual({ y: rms.y, sum: rms.sum });
    engine.dispose();
  });
});

test('empty x', () => {
  const options = { shape: [2, 0] };
  const made = skipLayerNormForward(new Float32Array(0), new Float32Array(0), options);
  expect(made).toEqual({
    y: new Float32Array(0),
    sum: new Float32Array(0),
    mean: new Float32Array([Number.NaN, Number.NaN]),
    rstd: new Float32Array([Number.NaN, Number.NaN]),
  });
  expect(skipRmsNorm(new Float32Array(0), [1, 2], { shape: [0, 2] }).y).toHaveLength(0);
});

test('null stands for the defaults', () => {
  const none = { axis: null, epsilon: null, bias: null, gamma: null, dtype: null, out: null, sumOut: null };
  const made = skipLayerNorm(x, skip, { ...none, beta: null, shape: SHAPE });
  expect(made).toEqual(skipLayerNorm(x, skip, { shape: SHAPE }));
});

describe('the gradient, as documented', () => {
  const shape = [3, 2, 5];
  const numbers = (length: number, seed: number): Float64Array => Float64Array.from(normals(length, seed));
  const [a, dy, dsum] = [numbers(30, 1), numbers(30, 2), numbers(30, 3)];
  const [b, c, scale, offset] = [numbers(10, 4), numbers(5, 5), numbers(5, 6), numbers(5, 7)];
  const dot = (p: Float64Array, q: Float64Array): number =>
    p.reduce((sum, one, i) => sum + one * (q[i] as number), 0);
  /** Sums of every `period`-th element. */
  const sums = (values: Float64Array, period: number): Float64Array =>
    Float64Array.from({ length: period }, (_, i) =>
      values.reduce((sum, one, j) => sum + (j % period === i ? one : 0), 0),
    );
  /** Everything but dgamma and dbeta, of a dx that is that of the sum by y alone. */
  const expectGradients = (dx: Float64Array, loss: () => number): void => {
    const total = dx.map((one, i) => one + (dsum[i] as number));
    for (const [array, gradient] of [
      [a, total],
      [b, sums(total, 10)],
      [c, sums(total, 5)],
    ] as const) {
      expect(firstMismatch(gradient, differences(array, loss), 1e-7, 1e-7)).toBeUndefined();
    }
  };

  test('of skipLayerNorm', () => {
    const options = { shape, bias: c, gamma: scale, beta: offset };
    const loss = (): number => {
      const { y, sum } = skipLayerNorm(a, b, options);
      return dot(y, dy) + dot(sum, dsum);
    };
    const { sum, mean, rstd } = skipLayerNormForward(a, b, options);
    const { dx, dgamma, dbeta } = layerNormBackward(dy, sum, { shape, mean, rstd, gamma: scale });
    expectGradients(dx, loss);
    expect(firstMismatch(dgamma, differences(scale, loss), 1e-7, 1e-7)).toBeUndefined();
    expect(firstMismatch(dbeta, differences(offset, loss), 1e-7, 1e-7)).toBeUndefined();
  });

  test('of skipRmsNorm', () => {
    const options = { shape, bias: c, gamma: scale };
    const loss = (): number => {
      const { y, sum } = skipRmsNorm(a, b, options);
      return dot(y, dy) + dot(sum, dsum);
    };
    const { sum, rstd } = skipRmsNormForward(a, b, options);
    const { dx, dgamma } = rmsNormBackward(dy, sum, { shape, rstd, gamma: scale });
    expectGradients(dx, loss);
    expect(firstMismatch(dgamma, differences(scale, loss), 1e-7, 1e-7)).toBeUndefined();
  });
});

describe('errors, before anything is written', () => {
  const out = new Float32Array(480);
  const sumOut = new Float32Array(480);
  const given = { shape: SHAPE, out, sumOut };
  afterEach(() => expect([...out, ...sumOut].some(Boolean)).toBe(false));

  test.each<[string, () => unknown, Parameters<typeof expectError>[1], string | RegExp]>([
    [
      'an axis that is not the last',
      () => skipLayerNorm(x, skip, { ...given, axis: 1 }),
      'ERR_AXIS',
      'skipLayerNorm: axis is 1, expected trailing dimensions of x [4, 6, 20]: dimension 2 is not among them',
    ],
    [
      'axes with a gap',
      () => skipRmsNormForward(x, skip, { ...given, axis: [0, 2] }),
      'ERR_AXIS',
      'skipRmsNormForward: axis is [0, 2], expected trailing dimensions of x [4, 6, 20]: dimension 1 is not among them',
    ],
    [
      'a typed skip of another size',
      () => skipLayerNorm(x, skip.subarray(0, 40), given),
      'ERR_SHAPE',
      'skipLayerNorm: skip has 40 elements, expected 480, as x [4, 6, 20] has, or 20, or that of more of the last dimensions',
    ],
    [
      'a skip of another shape',
      () => skipLayerNorm(x, { data: skip, shape: [6, 4, 20] }, given),
      'ERR_SHAPE',
      'skipLayerNorm: skip has shape [6, 4, 20], expected [4, 6, 20], as x [4, 6, 20] has, or [20], or that of more of the ' +
        'last dimensions',
    ],
    [
      'a skip that does not span the axes',
      () => skipLayerNorm(x, skip.subarray(0, 20), { ...given, axis: [1, 2] }),
      'ERR_SHAPE',
      /skip has 20 elements, expected 480, .* or 120, /,
    ],
    [
      'a skip of more dimensions than x',
      () => skipLayerNorm(x, { data: skip, shape: [1, 4, 6, 20] }, given),
      'ERR_SHAPE',
      /skip has shape \[1, 4, 6, 20\]/,
    ],
    [
      'a skip that is to be repeated within a sample',
      () => skipLayerNorm(x, { data: skip.subarray(0, 80), shape: [4, 1, 20] }, given),
      'ERR_SHAPE',
      /skip has shape \[4, 1, 20\]/,
    ],
    ['no skip', () => skipLayerNorm(x, undefined as never, given), 'ERR_ARGUMENT', /skip is undefined/],
    [
      'bias of another size',
      () => skipLayerNorm(x, skip, { ...given, bias: [1, 2] }),
      'ERR_SHAPE',
      'skipLayerNorm: bias has 2 elements, expected 20, the size of axis -1 of x [4, 6, 20]',
    ],
    [
      'beta with RMS',
      () => skipRmsNorm(x, skip, { ...given, beta } as object),
      'ERR_ARGUMENT',
      /^skipRmsNorm: unknown option 'beta', expected shape, /,
    ],
    [
      'an option of layerNorm only',
      () => skipLayerNorm(x, skip, { ...given, rmsScaling: true } as object),
      'ERR_ARGUMENT',
      /unknown option 'rmsScaling'/,
    ],
    [
      'epsilon',
      () => skipLayerNorm(x, skip, { ...given, epsilon: -1 }),
      'ERR_ARGUMENT',
      'skipLayerNorm: epsilon is -1, expected a finite number that is not negative',
    ],
    [
      'both outputs in one place',
      () => skipLayerNorm(x, skip, { ...given, sumOut: out }),
      'ERR_ARGUMENT',
      'skipLayerNorm: sumOut overlaps out in memory, expected an array of its own',
    ],
    [
      'a sum that would overwrite skip',
      () => skipLayerNorm(x, out, { shape: SHAPE, sumOut: out }),
      'ERR_ARGUMENT',
      'skipLayerNorm: sumOut overlaps skip in memory, expected an array of its own',
    ],
    [
      'a sum of another type',
      () =>
        skipLayerNorm(x, skip, {
          shape: SHAPE,
          out,
          sumOut: new Float64Array(480) as object as Float32Array,
        }),
      'ERR_DTYPE',
      'skipLayerNorm: sumOut has elements of float64, expected float32, the type of the result',
    ],
    [
      'a sum of another size',
      () => skipLayerNorm(x, skip, { shape: SHAPE, out, sumOut: sumOut.subarray(1) }),
      'ERR_SHAPE',
      'skipLayerNorm: sumOut has 479 elements, expected 480, as x [4, 6, 20] has',
    ],
  ])('%s', (_, call, code, message) => expectError(call, code, message));

  test('both in place of a tensor', () => {
    using t = tensor(x, SHAPE);
    expectError(() => skipLayerNorm(t, skip, { out: t, sumOut: t }), 'ERR_ARGUMENT', /sumOut overlaps out/);
    expectSameBits(t.array.slice(), x);
  });
});
