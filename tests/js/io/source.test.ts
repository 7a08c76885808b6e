import { tensor } from 'layernorm';
import { readElements } from '../../../js/src/io/elements.js';
import { sourceOf, type WriteOptions } from '../../../js/src/io/source.js';
import { expectError } from '../support/errors.js';

const write = (x: unknown, options: WriteOptions = {}) => sourceOf('write', 'x', x as never, options);

/** What comes out of the bytes that went in. */
function through(x: unknown, options?: WriteOptions) {
  const { bytes, ...layout } = write(x, options);
  const { data, shape, dtype } = readElements(bytes, layout);
  return [dtype, shape, [...data]];
}

/** As the tensors of onnxruntime are: accessors on a prototype. */
class OrtTensor {
  constructor(
    readonly type: string,
    readonly cpuData: object,
    readonly dims: readonly number[],
    readonly location = 'cpu',
  ) {}
  get data() {
    if (this.location !== 'cpu') throw new Error('not on the CPU');
    return this.cpuData;
  }
}

describe('arrays of all kinds', () => {
  test.each<[string, unknown, WriteOptions, unknown]>([
    ['a typed array', Float32Array.of(1, 2), {}, ['float32', [2], [1, 2]]],
    ['of a shape', Float64Array.of(1, 2), { shape: [1, 2] }, ['float64', [1, 2], [1, 2]]],
    ['a single number', Int8Array.of(5), { shape: [] }, ['int8', [], [5]]],
    ['clamped bytes', Uint8ClampedArray.of(5), {}, ['uint8', [1], [5]]],
    [
      'nested numbers',
      [
        [1, 2],
        [3, 4],
      ],
      {},
      ['float32', [2, 2], [1, 2, 3, 4]],
    ],
    ['nested numbers as integers', [[1], [3]], { dtype: 'int64' }, ['int64', [2, 1], [1, 3]]],
    ['nested typed arrays', [Float64Array.of(0.1)], {}, ['float64', [1, 1], [0.1]]],
    ['bits', Uint16Array.of(0x3f80), { dtype: 'bfloat16' }, ['bfloat16', [1], [0x3f80]]],
    [
      'the same in an object',
      { data: Uint16Array.of(0x3f80), shape: [1], dtype: 'float16' },
      {},
      ['float16', [1], [0x3f80]],
    ],
    ['integers of 16 bits', Uint16Array.of(0x3f80), {}, ['uint16', [1], [0x3f80]]],
    ['integers of 32 bits', Uint32Array.of(4294967295), {}, ['uint32', [1], [4294967295]]],
    [
      'strided',
      { data: Int16Array.of(1, 2, 3, 4, 5, 6), shape: [3, 2], strides: [1, 3] },
      {},
      ['int16', [3, 2], [1, 4, 2, 5, 3, 6]],
    ],
    [
      'strided floats',
      { data: Float32Array.of(1, 2), shape: [2], stride: [-1], offset: 1, dtype: 'float32' },
      {},
      ['float32', [2], [2, 1]],
    ],
    [
      'an array with the name of another library',
      { data: [1, 2], shape: [2], dtype: 'generic' },
      {},
      ['float32', [2], [1, 2]],
    ],
    [
      'a tensor of onnxruntime',
      new OrtTensor('bool', Uint8Array.of(0, 1), [2, 1]),
      {},
      ['bool', [2, 1], [0, 1]],
    ],
    ['the same of 16 bits', new OrtTensor('float16', Uint16Array.of(1), [1]), {}, ['float16', [1], [1]]],
    ['a single number of it', new OrtTensor('float32', Float32Array.of(7), []), {}, ['float32', [], [7]]],
    ['none at all', new Float32Array(0), { shape: [0, 3] }, ['float32', [0, 3], []]],
  ])('%s', (_, x, options, expected) => {
    expect(through(x, options)).toEqual(expected);
  });

  test('a tensor of this package, of another entry of it', () => {
    using x = tensor(Float32Array.of(1, 2, 3, 4), [2, 2]);
    expect(through(x)).toEqual(['float32', [2, 2], [1, 2, 3, 4]]);
    using half = tensor([1.5], null, 'float16');
    expect(through(half)).toEqual(['float16', [1], [0x3e00]]);
    expect(through(half, { dtype: 'float64' })).toEqual(['float64', [1], [1.5]]);
    x.dispose();
    expectError(() => write(x), 'ERR_DISPOSED', /has been disposed$/);
  });

  test('what lies as it has to is not copied', () => {
    for (const x of [Float32Array.of(1), Int32Array.of(1), Uint8Array.of(1)])
      expect(write(x).bytes.buffer).toBe(x.buffer);
  });
});

describe('conversions', () => {
  test.each<[unknown, WriteOptions['dtype'], unknown]>([
    [Float64Array.of(1 / 3), 'float32', Math.fround(1 / 3)],
    [Float64Array.of(1 + 2 ** -9), 'bfloat16', 0x3f80],
    [Float32Array.of(65520), 'float16', 0x7c00],
    [Int32Array.of(-3), 'float16', 0xc200],
    [Uint16Array.of(3), 'int64', 3],
    [Float64Array.of(-(2 ** 40) - 1), 'int64', -(2 ** 40) - 1],
    [Float64Array.of(2 ** 53 - 1), 'uint64', 2 ** 53 - 1],
    [Int8Array.of(1), 'bool', 1],
    [Uint8Array.of(1), 'bool', 1],
    [{ data: Uint16Array.of(0x4200), shape: [1], dtype: 'float16' }, 'uint8', 3],
    [{ data: Uint16Array.of(0x3fc0), shape: [1], dtype: 'bfloat16' }, 'float32', 1.5],
  ])('%p as %s', (x, dtype, expected) => {
    expect(through(x, { dtype: dtype ?? null })).toEqual([dtype, [1], [expected]]);
  });

  test.each<[unknown, WriteOptions['dtype'], string]>([
    [
      Float32Array.of(0, 1.5),
      'int32',
      'element 1 of x is 1.5, expected an integer from -2147483648 to 2147483647 for int32',
    ],
    [
      Float32Array.of(Number.NaN),
      'int8',
      'element 0 of x is NaN, expected an integer from -128 to 127 for int8',
    ],
    [Int16Array.of(-1), 'uint8', 'element 0 of x is -1, expected an integer from 0 to 255 for uint8'],
    [Uint8Array.of(2), 'bool', 'element 0 of x is 2, expected an integer from 0 to 1 for bool'],
    [
      Float64Array.of(2 ** 53),
      'int64',
      'element 0 of x is 9007199254740992, expected an integer from -9007199254740991 to 9007199254740991 for int64',
    ],
  ])('%p is not %s', (x, dtype, message) => {
    expectError(() => write(x, { dtype: dtype ?? null }), 'ERR_ARGUMENT', `write: ${message}`);
  });
});

test.each<[unknown, WriteOptions, string, RegExp]>([
  [undefined, {}, 'ERR_ARGUMENT', /^write: x is /],
  [null, {}, 'ERR_ARGUMENT', /^write: x is /],
  ['text', {}, 'ERR_ARGUMENT', /^write: x is 'text'/],
  [{}, {}, 'ERR_ARGUMENT', /^write: x is an Object, expected a typed array/],
  [BigInt64Array.of(1n), {}, 'ERR_DTYPE', /BigInt64Array/],
  [Float32Array.of(1), { dtype: 'F32' as never }, 'ERR_DTYPE', /^write: the dtype of x is 'F32'/],
  [Float32Array.of(1), { shape: [2] }, 'ERR_SHAPE', /^write: x has 1 elements, expected 2/],
  [Float32Array.of(1, 2), { shape: [] }, 'ERR_SHAPE', /^write: x has 2 elements, expected 1/],
  [{ data: Float32Array.of(1, 2), shape: [] }, {}, 'ERR_SHAPE', /^write: x has 2 elements, expected 1/],
  [
    { data: Float32Array.of(1), shape: [1] },
    { shape: [2] },
    'ERR_SHAPE',
    /^write: shape is \[2\], expected \[1\]/,
  ],
  [
    new OrtTensor('float32', Float32Array.of(1), [1], 'gpu-buffer'),
    {},
    'ERR_ARGUMENT',
    /at location 'gpu-buffer'/,
  ],
  [
    new OrtTensor('float32', Float32Array.of(1), [], 'gpu-buffer'),
    {},
    'ERR_ARGUMENT',
    /at location 'gpu-buffer'/,
  ],
])('%p with %j is none', (x, options, code, message) => {
  expectError(() => write(x, options), code as 'ERR_SHAPE', message);
});
