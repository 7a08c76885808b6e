// Tier: bitwise. float16 and bfloat16 give the bits of float32 on the same numbers, rounded once, in every form that arrays come
// in. Where the engine has Float16Array it is among them: run this in a newer Node as well.
import { layerNorm, layerNormBackward, layerNormForward, tensor } from 'layernorm';
import type { SixteenBit } from '../../../js/src/tensor/dtype.js';
import { copierOf } from '../../../js/src/tensor/sixteen_bit.js';
import { expectError } from '../support/errors.js';
import { normals } from '../support/random.js';

const TYPES = ['float16', 'bfloat16'] as const;

function bitsOf(type: SixteenBit, numbers: ArrayLike<number>): Uint16Array {
  const bits = new Uint16Array(numbers.length);
  copierOf(undefined, type)(bits, 0, Float64Array.from(numbers), 0, numbers.length);
  return bits;
}

function numbersOf(type: SixteenBit, bits: Uint16Array): Float32Array {
  const numbers = new Float32Array(bits.length);
  copierOf(type, 'float32')(numbers, 0, bits, 0, bits.length);
  return numbers;
}

/** As toEqual, which takes minutes to show how large arrays differ. */
function expectSame(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(actual.length).toBe(expected.length);
  const at = Array.from(expected).findIndex((one, i) => !Object.is(actual[i], one));
  expect([at, actual[at]]).toEqual([-1, undefined]);
}

const bytesOf = (array: Uint16Array): Uint16Array =>
  new Uint16Array(array.buffer, array.byteOffset, array.length);

type AnyFloat16Array = Uint16Array & { readonly isFloat16Array: never };
const Float16Array = (globalThis as { Float16Array?: new (of: unknown) => AnyFloat16Array }).Float16Array;

describe.each(TYPES)('%s', (type) => {
  const shape = [37, 100];
  const x = bitsOf(type, normals(3700, 1));
  const gamma = Float32Array.from(normals(100, 2));
  const beta = Float32Array.from(normals(100, 3));
  const dy = bitsOf(type, normals(3700, 4));
  const options = { shape, gamma, beta };
  const wide = layerNormForward(numbersOf(type, x), options);
  const y = bitsOf(type, wide.y);

  test('bits in, bits out; statistics are float32', () => {
    const results = layerNormForward(x, { ...options, dtype: type });
    expect(results).toEqual({ y, mean: wide.mean, rstd: wide.rstd });
    expect(layerNorm(x, { ...options, dtype: type })).toEqual(y);
  });

  test.each([
    [[100, 37], 0],
    [
      [37, 100],
      [0, 1],
    ],
    [[5, 10, 74], 1],
    [
      [5, 2, 5, 74],
      [1, 3],
    ],
    [[10, 370, 1], -2],
  ])('shape %j, axis %j', (shape, axis) => {
    const expected = layerNormForward(numbersOf(type, x), { shape, axis });
    const { y, mean } = layerNormForward(x, { shape, axis, dtype: type });
    expect(y).toEqual(bitsOf(type, expected.y));
    expect(mean).toEqual(expected.mean);
  });

  test('larger than the blocks that pass through the heap, rows and columns', () => {
    const x = bitsOf(type, normals(300_000, 5));
    for (const [shape, axis] of [
      [[1000, 300], 1],
      [[300, 1000], 0],
      [[10, 300, 100], 1],
    ] as const) {
      const expected = layerNorm(numbersOf(type, x), { shape, axis });
      expectSame(layerNorm(x, { shape, axis, dtype: type }), bitsOf(type, expected));
      using t = tensor(x, shape, type);
      using of = layerNorm(t, { axis });
      expectSame(bytesOf(of.array as Uint16Array), bitsOf(type, expected));
    }
  });

  test('tensors, also in place', () => {
    using t = tensor(x, shape, type);
    expect(t).toMatchObject({ dtype: type, size: 3700 });
    const { y: of, mean, rstd } = layerNormForward(t, { gamma, beta });
    expect([of.dtype, mean.dtype, rstd.dtype]).toEqual([type, 'float32', 'float32']);
    expect(bytesOf(of.array as Uint16Array)).toEqual(y);
    expect(mean.array).toEqual(wide.mean);
    expect(layerNorm(t, { gamma, beta, out: t })).toBe(t);
    expect(bytesOf(t.array as Uint16Array)).toEqual(y);
    for (const one of [of, mean, rstd]) one.dispose();
  });

  test('out, x itself as well, and views of the heap', () => {
    const out = new Uint16Array(3702).subarray(1, 3701);
    expect(layerNorm(x, { ...options, dtype: type, out })).toBe(out);
    expect(out).toEqual(y);
    const own = x.slice();
    expect(layerNorm(own, { ...options, dtype: type, out: own })).toBe(own);
    expect(own).toEqual(y);
    using t = tensor(x, shape, type);
    const view = bytesOf(t.array as Uint16Array);
    expect(layerNorm(view, { ...options, dtype: type, out: view })).toEqual(y);
  });

  test('objects that say their type, as in onnxruntime and transformers.js', () => {
    class OrtTensor {
      constructor(
        readonly type: string,
        readonly data: object,
        readonly dims: readonly number[],
      ) {}
    }
    const results = layerNormForward(new OrtTensor(type, x, shape), { gamma, beta });
    expect(results.y).toBeInstanceOf(OrtTensor);
    expect(results.y).toEqual(new OrtTensor(type, y, shape));
    expect(results.mean).toEqual(new OrtTensor('float32', wide.mean, [37, 1]));
    const plain = { data: x, shape, dtype: type };
    expect(layerNorm(plain, { gamma, beta })).toEqual({ data: y, shape, dtype: type });
    expect(layerNorm({ data: x, shape }, { gamma, beta, dtype: type })).toEqual({ data: y, shape });
    // Bits that say that they are integers are.
    expect(
      layerNorm({ type: 'uint16', data: new Uint16Array([1, 3]), dims: [2] }, { dtype: type, epsilon: 0 }),
    ).toMatchObject({
      dims: [2],
    });
  });

  test('strided objects', () => {
    const transposed = { data: x, shape: [100, 37], stride: [1, 100], dtype: type };
    const { data } = layerNorm(transposed, { axis: 0, gamma, beta }) as { data: Uint16Array };
    expect(Array.from({ length: 3700 }, (_, i) => data[(i % 100) * 37 + Math.floor(i / 100)])).toEqual(
      Array.from(y),
    );
  });

  test('nested arrays: computed in float32, the result rounded', () => {
    const nested = Array.from({ length: 37 }, (_, i) =>
      Array.from(numbersOf(type, x.slice(100 * i, 100 * i + 100))),
    );
    const of = layerNorm(nested, { gamma, beta, dtype: type });
    expect(of.flat()).toEqual(Array.from(numbersOf(type, y)));
    expect(layerNorm([x.slice(0, 100)], { gamma, beta, dtype: type })).toEqual(of.slice(0, 1));
  });

  test('parameters in 16 bits are widened exactly', () => {
    const narrow = bitsOf(type, gamma);
    const expected = layerNorm(x, { shape, gamma: numbersOf(type, narrow), dtype: type });
    using t = tensor(narrow, null, type);
    for (const given of [narrow, t, { data: narrow, shape: [100], dtype: type }]) {
      expect(layerNorm(x, { shape, gamma: given, dtype: type })).toEqual(expected);
    }
    // Also beside x of another type.
    const float32 = layerNorm(numbersOf(type, x), { shape, gamma: numbersOf(type, narrow) });
    expect(layerNorm(numbersOf(type, x), { shape, gamma: t })).toEqual(float32);
  });

  test('x of another type is not rounded before, y is once', () => {
    const float32 = Float32Array.from(normals(3700, 6));
    const expected = bitsOf(type, layerNorm(float32, options));
    using t = tensor(float32, shape);
    const { y: of, mean } = layerNormForward(t, { gamma, beta, dtype: type });
    expect(bytesOf(of.array as Uint16Array)).toEqual(expected);
    expect([of.dtype, mean.dtype]).toEqual([type, 'float32']);
    expect(bytesOf(layerNorm(float32, { ...options, dtype: type }) as Uint16Array)).toEqual(expected);
    expect(layerNorm(float32, { ...options, dtype: type, out: new Uint16Array(3700) })).toEqual(expected);
    of.dispose();
    mean.dispose();
  });

  test('x in 16 bits, computed in and returned as another type', () => {
    using t = tensor(x, shape, type);
    using float32 = layerNorm(t, { gamma, beta, dtype: 'float32' });
    expect(float32.array).toEqual(wide.y);
    using float64 = layerNorm(t, { gamma, beta, dtype: 'float64' });
    expect(float64.array).toEqual(layerNorm(Float64Array.from(numbersOf(type, x)), options));
    const other = type === 'float16' ? 'bfloat16' : 'float16';
    using sixteen = layerNorm(t, { gamma, beta, dtype: other });
    expect(bytesOf(sixteen.array as Uint16Array)).toEqual(bitsOf(other, wide.y));
  });

  test('the gradient, of arrays and tensors; those of parameters are float32', () => {
    const { mean, rstd } = wide;
    const statistics = { mean, rstd, gamma };
    const expected = layerNormBackward(numbersOf(type, dy), numbersOf(type, x), { ...statistics, shape });
    const dx = bitsOf(type, expected.dx);
    expect(layerNormBackward(dy, x, { ...statistics, shape, dtype: type })).toEqual({ ...expected, dx });
    using xT = tensor(x, shape, type);
    using dyT = tensor(dy, shape, type);
    const own = layerNormBackward(dyT, xT, { ...statistics, out: dyT });
    expect(own.dx).toBe(dyT);
    expect(bytesOf(dyT.array as Uint16Array)).toEqual(dx);
    expect([own.dgamma.dtype, own.dbeta.dtype]).toEqual(['float32', 'float32']);
    expect(own.dgamma.array).toEqual(expected.dgamma);
    own.dgamma.dispose();
    own.dbeta.dispose();
    // dy of another type is not rounded before.
    const float32 = Float32Array.from(normals(3700, 7));
    const mixed = layerNormBackward(float32, numbersOf(type, x), { ...statistics, shape });
    const over = layerNormBackward(float32, xT, { ...statistics, out: xT });
    expect(over.dx).toBe(xT);
    expect(bytesOf(xT.array as Uint16Array)).toEqual(bitsOf(type, mixed.dx));
    over.dgamma.dispose();
    over.dbeta.dispose();
  });

  test('the gradient of more than one block, whose sums go on', () => {
    const size = 300 * 1000;
    const [x, dy] = [bitsOf(type, normals(size, 8)), bitsOf(type, normals(size, 9))];
    for (const [shape, axis] of [
      [[1000, 300], 1],
      [[300, 1000], 0],
      [[3, 300, 333], 1],
    ] as const) {
      const count = shape.reduce((a, b) => a * b, 1);
      const [some, someDy] = [x.subarray(0, count), dy.subarray(0, count)];
      const wide = layerNormForward(numbersOf(type, some), { shape, axis });
      const statistics = { shape, axis, mean: wide.mean, rstd: wide.rstd };
      const expected = layerNormBackward(numbersOf(type, someDy), numbersOf(type, some), statistics);
      const found = layerNormBackward(someDy, some, { ...statistics, dtype: type });
      expectSame(found.dx, bitsOf(type, expected.dx));
      expectSame(found.dgamma, expected.dgamma);
      expectSame(found.dbeta, expected.dbeta);
    }
  });

  test('empty x', () => {
    const { y, mean } = layerNormForward(new Uint16Array(0), { shape: [2, 0], dtype: type });
    expect(y).toEqual(new Uint16Array(0));
    expect(mean).toEqual(new Float32Array(2).fill(Number.NaN));
  });

  test('a Float16Array where the engine has one', () => {
    if (!Float16Array || type !== 'float16') {
      // Without, results of this type are bits.
      expect(layerNorm(new Float32Array([1, 2]), { dtype: type })).toBeInstanceOf(Uint16Array);
      return;
    }
    const floats = new Float16Array(x.buffer);
    const results = layerNormForward(floats, options);
    expect(results.y).toBeInstanceOf(Float16Array);
    expect(bytesOf(results.y as never)).toEqual(y);
    expect(results.mean).toEqual(wide.mean);
    expect(layerNorm({ data: floats, shape, dtype: type }, { gamma, beta }).data).toEqual(results.y);
    const strided = { data: floats, shape: [37, 50], stride: [100, 1], dtype: type };
    expect(layerNorm(strided).data).toBeInstanceOf(Float16Array);
    using t = tensor(floats, shape);
    expect(t.dtype).toBe('float16');
    expect(t.array).toEqual(floats);
    const out = floats.slice();
    expect(layerNorm(out, { ...options, out })).toBe(out);
    expect(out).toEqual(results.y);
    expect(layerNorm(numbersOf(type, x), { ...options, dtype: type })).toEqual(results.y);
    expect(layerNorm([floats.slice(0, 100)], { gamma, beta })).toEqual([
      Array.from(numbersOf(type, y.slice(0, 100))),
    ]);
    const { dx, dgamma } = layerNormBackward(floats, floats, { shape, mean: wide.mean, rstd: wide.rstd });
    expect(dx).toBeInstanceOf(Float16Array);
    expect(dgamma).toBeInstanceOf(Float32Array);
  });
});

test('a Uint16Array that nobody calls bits holds integers', () => {
  expect(layerNorm(new Uint16Array([1, 3]), { epsilon: 0 })).toEqual(new Float32Array([-1, 1]));
});

test.each<[string, () => unknown, string]>([
  [
    'an out of integers',
    () => layerNorm(new Uint16Array(2), { dtype: 'float16', out: new Int16Array(2) as never }),
    'layerNorm: out has elements of an integer type, expected float16, the type of the result',
  ],
  [
    'an out of the other type',
    () =>
      layerNorm(new Uint16Array(2), {
        dtype: 'float16',
        out: { data: new Uint16Array(2), shape: [2], dtype: 'bfloat16' },
      }),
    'layerNorm: out has elements of bfloat16, expected float16, the type of the result',
  ],
  [
    'an out of bits for float32',
    () => layerNorm(new Float32Array(2), { out: new Uint16Array(2) }),
    'layerNorm: out has elements of an integer type, expected float32, the type of the result',
  ],
])('%s is refused', (_, call, message) => {
  expectError(call, 'ERR_DTYPE', message);
});

test('an out that overlaps x in part is refused', () => {
  const bits = new Uint16Array(6);
  expectError(
    () => layerNorm(bits.subarray(0, 4), { dtype: 'bfloat16', out: bits.subarray(1, 5) }),
    'ERR_ARGUMENT',
    /^layerNorm: out overlaps x in memory/,
  );
});
