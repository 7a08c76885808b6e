import {
  BYTES,
  checkFileDType,
  checkSizes,
  countElements,
  INTEGER_RANGES,
  isFileDType,
} from '../../../js/src/io/dtypes.js';
import { expectError } from '../support/errors.js';

test('the ranges of integers are those of their bytes, or of what float64 holds', () => {
  for (const [dtype, range] of Object.entries(INTEGER_RANGES)) {
    const [least, most] = range as [number, number];
    const bits = dtype === 'bool' ? 1 : Math.min(8 * BYTES[dtype as 'int8'], dtype === 'int64' ? 54 : 53);
    expect(most - least + 1).toBe(dtype === 'int64' ? 2 ** bits - 1 : 2 ** bits);
    expect([least, most].every(Number.isSafeInteger)).toBe(true);
  }
});

test('names of types', () => {
  expect(['bool', 'bfloat16', 'int64'].every(isFileDType)).toBe(true);
  expect(['toString', 'float', 'F32', undefined, 1].some(isFileDType)).toBe(false);
  expectError(
    () => checkFileDType('f', 'x', 'F32'),
    'ERR_DTYPE',
    /^f: the dtype of x is 'F32', expected one of float16, bfloat16, /,
  );
});

test('counting', () => {
  expect(countElements('x', [])).toBe(1);
  expect(countElements('x', [2, 0, 3])).toBe(0);
  expect(countElements('x', [2 ** 20, 2 ** 20])).toBe(2 ** 40);
  expectError(
    () => countElements('x', new Array(65).fill(1)),
    'ERR_FILE',
    'x: its shape has 65 dimensions, expected at most 64',
  );
  for (const shape of [[2 ** 32, 2 ** 32], [0, 2 ** 52, 2 ** 52], new Array(64).fill(2 ** 53 - 1)]) {
    expectError(
      () => countElements('x', shape),
      'ERR_FILE',
      /^x: its shape \[.+\] has too many elements to count$/,
    );
  }
});

test.each([
  [1.5],
  [-1],
  ['2'],
  [Number.NaN],
  [2 ** 53],
  new Array(65).fill(1),
  [2 ** 30, 2 ** 30, 0],
  3,
  null,
])('the shape %p is none', (shape) => {
  const check = () => checkSizes('f', 'x', Array.isArray(shape) || shape === null ? shape : [shape, 0.5]);
  expectError(check, 'ERR_SHAPE', /^f: the shape of x is .+, expected at most 64 sizes/);
});
