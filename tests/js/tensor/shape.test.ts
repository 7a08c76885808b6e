import {
  checkShape,
  collapse,
  eachIndex,
  elementCount,
  formatShape,
  keptAsOnes,
  readAxes,
  reducedAsOnes,
  reducedShape,
  sameShape,
} from '../../../js/src/tensor/shape.js';
import { expectError } from '../support/errors.js';

test('counts and words shapes', () => {
  expect(elementCount([2, 3, 4])).toBe(24);
  expect(elementCount([])).toBe(1);
  expect(elementCount([3, 0])).toBe(0);
  expect(formatShape([2, 4])).toBe('[2, 4]');
  expect(formatShape([])).toBe('[]');
  expect(sameShape([1, 2], [1, 2])).toBe(true);
  expect(sameShape([1, 2], [2, 1])).toBe(false);
  expect(sameShape([1, 2], [1, 2, 1])).toBe(false);
});

describe('checkShape', () => {
  test.each([[[1]], [[0]], [[3, 0, 10]], [Array(32).fill(1)], [[2 ** 32 - 1]]])('%j is a shape', (shape) => {
    expect(() => checkShape('f', 'x', shape)).not.toThrow();
  });

  test.each([
    ['3', "f: the shape of x is '3', expected an array of sizes"],
    [new Float32Array(2), 'f: the shape of x is a Float32Array, expected an array of sizes'],
    [[], 'f: x has rank 0, expected 1 to 32 dimensions'],
    [Array(33).fill(1), 'f: x has rank 33, expected 1 to 32 dimensions'],
    [[2, -1], 'f: dimension 1 of the shape [2, -1] of x is -1, expected an integer from 0 to 4294967295'],
    [[1.5], 'f: dimension 0 of the shape [1.5] of x is 1.5, expected an integer from 0 to 4294967295'],
    [[Number.NaN], 'f: dimension 0 of the shape [NaN] of x is NaN, expected an integer from 0 to 4294967295'],
    [['2'], "f: dimension 0 of the shape ['2'] of x is '2', expected an integer from 0 to 4294967295"],
    [
      [2 ** 32],
      'f: dimension 0 of the shape [4294967296] of x is 4294967296, expected an integer from 0 to 4294967295',
    ],
    [[2 ** 31, 2 ** 31], 'f: the shape [2147483648, 2147483648] of x has too many elements to count'],
    [[0, 2 ** 31, 2 ** 31], 'f: the shape [0, 2147483648, 2147483648] of x has too many elements to count'],
  ])('%p is none', (shape, message) => {
    expectError(() => checkShape('f', 'x', shape), 'ERR_SHAPE', message);
  });
});

describe('readAxes', () => {
  test.each([
    [-1, 0b100],
    [2, 0b100],
    [[-1], 0b100],
    [[0, 2], 0b101],
    [[-1, -2, -3], 0b111],
  ])('%j of rank 3', (axis, mask) => {
    expect(readAxes('f', axis, [2, 3, 4])).toBe(mask);
  });

  test('the last of 32 dimensions', () => {
    expect(readAxes('f', [31, 30], Array(32).fill(1))).toBe(0xc0000000);
  });

  test.each([2, 99, -3, -99, [0, 99], [0, 1, -4]])('%j is out of bounds for rank 2', (axis) => {
    expectError(
      () => readAxes('f', axis, [2, 4]),
      'ERR_AXIS',
      /^f: axis -?\d+ is out of bounds for x \[2, 4\], expected -2 to 1$/,
    );
  });

  test.each([
    [[-1, 1], 'f: Duplicate axes: axis is [-1, 1], which names dimension 1 of x [2, 4] twice'],
    [[1, 1], 'f: Duplicate axes: axis is [1, 1], which names dimension 1 of x [2, 4] twice'],
    [[0, -2], 'f: Duplicate axes: axis is [0, -2], which names dimension 0 of x [2, 4] twice'],
  ])('%j names a dimension twice', (axis, message) => {
    expectError(() => readAxes('f', axis, [2, 4]), 'ERR_AXIS', message);
  });

  test.each([
    [{ axis: -1 }, 'an Object'],
    ['foo', "'foo'"],
    [1.2, '1.2'],
    [[1, 1.5], '[1, 1.5]'],
    [['0'], "['0']"],
    [true, 'true'],
  ])('%p is no axis', (axis, word) => {
    expectError(
      () => readAxes('f', axis, [2, 4]),
      'ERR_AXIS',
      `f: Expected an int or a list/tuple of ints for the argument 'axis', got ${word}`,
    );
  });

  test('an empty list', () => {
    expectError(
      () => readAxes('f', [], [2]),
      'ERR_AXIS',
      'f: axis is an empty list, expected at least one axis',
    );
  });
});

test('shapes of parameters and statistics', () => {
  expect(reducedShape([2, 3, 4, 5], 0b1010)).toEqual([3, 5]);
  expect(keptAsOnes([2, 3, 4, 5], 0b1010)).toEqual([1, 3, 1, 5]);
  expect(reducedAsOnes([2, 3, 4, 5], 0b1010)).toEqual([2, 1, 4, 1]);
});

describe('collapse', () => {
  test.each([
    [[2, 3, 4], 0b100, [6, 4], 0b10],
    [[2, 3, 4], 0b110, [2, 12], 0b10],
    [[2, 3, 4], 0b010, [2, 3, 4], 0b010],
    [[2, 3, 4, 5], 0b1010, [2, 3, 4, 5], 0b1010],
    [[2, 3, 4], 0b111, [24], 0b1],
    [[2, 1, 4], 0b100, [2, 4], 0b10],
    [[2, 3, 1, 4], 0b1010, [2, 12], 0b10],
    [[5, 1], 0b10, [5, 1], 0b10],
    [[1, 1], 0b10, [1], 0b1],
    [[1], 0b1, [1], 0b1],
  ])('%j with mask %j is %j with mask %j', (shape, axes, dims, collapsed) => {
    expect(collapse(shape, axes)).toEqual({ dims, axes: collapsed });
  });
});

test('all indices, the last dimension fastest', () => {
  const seen: number[][] = [];
  eachIndex([2, 1, 3], [10, 7, 1], (sum, index) => seen.push([sum, index]));
  expect(seen).toEqual([
    [0, 0],
    [1, 1],
    [2, 2],
    [10, 3],
    [11, 4],
    [12, 5],
  ]);
  for (const dims of [[2, 0], []]) {
    let visits = 0;
    eachIndex(dims, [1, 1].slice(0, dims.length), () => visits++);
    expect(visits).toBe(dims.length === 0 ? 1 : 0);
  }
});
