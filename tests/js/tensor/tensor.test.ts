import { tensor } from 'layernorm';
import { expectError } from '../support/errors.js';

test('takes a typed array, with its shape or without', () => {
  const data = new Float32Array([1, 2, 3, 4, 5, 6]);
  using flat = tensor(data);
  using matrix = tensor(data, [2, 3]);
  expect(flat).toMatchObject({ shape: [6], dtype: 'float32', size: 6 });
  expect(matrix).toMatchObject({ shape: [2, 3], dtype: 'float32', size: 6 });
  data.fill(0);
  expect(Array.from(matrix.array)).toEqual([1, 2, 3, 4, 5, 6]);
});

test('takes nested arrays, objects and tensors, which say their shape', () => {
  using nested = tensor([
    [1, 2],
    [3, 4],
  ]);
  using copy = tensor(nested);
  using object = tensor({ data: new Int8Array([1, -2]), shape: [2, 1] });
  expect(nested).toMatchObject({ shape: [2, 2], dtype: 'float32' });
  expect(copy.shape).toEqual([2, 2]);
  nested.array.fill(0);
  expect(Array.from(copy.array)).toEqual([1, 2, 3, 4]);
  expect(object).toMatchObject({ shape: [2, 1], dtype: 'float32' });
  expect(Array.from(object.array)).toEqual([1, -2]);
});

test('the type is that of the data unless it is given', () => {
  using float64 = tensor(new Float64Array([0.1]));
  using widened = tensor(new Float32Array([0.1]), null, 'float64');
  using narrowed = tensor(float64, [1], 'float32');
  using exact = tensor([0.1], undefined, 'float64');
  expect(float64.array[0]).toBe(0.1);
  expect(widened.array[0]).toBe(Math.fround(0.1));
  expect(narrowed.array[0]).toBe(Math.fround(0.1));
  expect(exact.array[0]).toBe(0.1);
});

test('empty', () => {
  using empty = tensor(new Float32Array(0), [1, 0, 10]);
  expect(empty).toMatchObject({ shape: [1, 0, 10], size: 0 });
});

test.each([
  [
    () => tensor(new Float32Array(6), [2, 4]),
    'ERR_SHAPE',
    'tensor: data has 6 elements, expected 8, the product of its shape [2, 4]',
  ],
  [
    () => tensor([[1, 2]], [2]),
    'ERR_SHAPE',
    'tensor: shape is [2], expected [1, 2], the shape that data has; only typed arrays need the option',
  ],
  [
    () => tensor([1], [1], 'half' as 'float32'),
    'ERR_DTYPE',
    "tensor: dtype is 'half', expected 'float32', 'float64', 'float16' or 'bfloat16'",
  ],
  [() => tensor(3 as unknown as number[]), 'ERR_ARGUMENT', /^tensor: data is 3, expected a typed array/],
] as const)('%# is refused', (call, code, message) => {
  expectError(call, code, message);
});

test('a view of a tensor is taken before the memory grows under it', () => {
  using source = tensor(Float32Array.from({ length: 300_000 }, (_, i) => i));
  using copy = tensor(source.array);
  using ints = tensor(new Uint8Array(source.array.buffer, source.array.byteOffset, 8));
  expect(copy.array[299_999]).toBe(299_999);
  expect(Array.from(ints.array)).toEqual([0, 0, 0, 0, 0, 0, 128, 63]);
});
