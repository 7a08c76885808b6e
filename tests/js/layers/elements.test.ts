import {
  cast,
  containerLike,
  elementsFor,
  isTensor,
  numbersOf,
  readInput,
  release,
  takeNumbers,
} from '../../../js/src/layers/elements.js';
import { tensor } from '../../../js/src/tensor/tensor.js';

const read = (value: unknown, shape?: number[], bits: 'float32' | 'float16' | 'bfloat16' = 'float32') =>
  readInput('f', 'x', value, shape, bits);

test('elements are the very ones where they can be', () => {
  const array = Float32Array.of(1, 2);
  expect(elementsFor('f', read(array), 'float32')).toBe(array);
  expect(elementsFor('f', read({ data: array, shape: [2] }), 'float64')).toHaveProperty(
    'buffer',
    array.buffer,
  );
  expect(elementsFor('f', read([1, 2]), 'float32')).toEqual(Float64Array.of(1, 2));
  const t = tensor(array);
  expect(elementsFor('f', read(t), 'float32')).toBe(t);
  // A view of the memory would be detached by its growth.
  const view = t.array;
  expect(elementsFor('f', read(view), 'float32')).toEqual(array);
  expect(elementsFor('f', read(view), 'float32')).not.toBe(view);
  t.dispose();
});

test('bits are bits only for calls of their type', () => {
  const bits = Uint16Array.of(0x3c00, 0x4000);
  const half = { data: bits, shape: [2], dtype: 'float16' };
  expect(elementsFor('f', read(half), 'float16')).toHaveProperty('buffer', bits.buffer);
  expect(elementsFor('f', read(half), 'float32')).toEqual(Float32Array.of(1, 2));
  expect(elementsFor('f', read(bits), 'float32')).toBe(bits);
});

test('cast and numbers', () => {
  const array = Float32Array.of(1, 0.1);
  expect(cast(array, [2], 'float32', 'float32')).toBe(array);
  const half = cast(array, [2], 'float32', 'float16') as Uint16Array;
  expect([...half]).toEqual([0x3c00, 0x2e66]);
  expect(numbersOf(half, 'float16')[0]).toBe(1);
  expect(numbersOf(array, 'float32')).toBe(array);
  expect(numbersOf(Int8Array.of(5), 'float32')).toEqual(Float32Array.of(5));
  const t = tensor(array, undefined, 'float64');
  expect(numbersOf(t, 'float64')).toEqual(t.array);
  const narrow = cast(t, [2], 'float64', 'float32');
  expect(isTensor(narrow)).toBe(true);
  expect(takeNumbers(narrow, 'float32')).toEqual(array);
  expect(narrow).toHaveProperty('disposed', true);
  release(t);
  release(array);
  release(undefined);
  expect(t.disposed).toBe(true);
});

test('containers of the kind of an argument', () => {
  const y = Float32Array.of(1, 2);
  expect(containerLike('f', read([[1, 2]]), y, [1, 2], 'float32')).toEqual([[1, 2]]);
  expect(containerLike('f', read(y), y, [2], 'float32')).toBe(y);
  expect(containerLike('f', read({ data: y, dims: [2] }), y, [2], 'float32')).toEqual({ data: y, dims: [2] });
  const t = tensor(y);
  const made = containerLike('f', read(t), y, [2], 'float32') as typeof t;
  expect(made.array).toEqual(y);
  expect(containerLike('f', read(t), made, [2], 'float32')).toBe(made);
  expect(containerLike('f', read(y), made, [2], 'float32')).toEqual(y);
  expect(made.disposed).toBe(true);
  t.dispose();
});
