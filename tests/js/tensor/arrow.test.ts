// Objects of the form of Arrow's vectors; those of the library itself are in tests/ecosystem/arrow.test.mjs.
import { isArrowVector, readArrow } from '../../../js/src/tensor/arrow.js';
import { expectError } from '../support/errors.js';

const INT = { typeId: 2 };
const HALF = { typeId: 3, precision: 0 };
const SINGLE = { typeId: 3, precision: 1 };
const listOf = (type: object, listSize: number) => ({ typeId: 16, listSize, children: [{ type }] });

interface Chunk {
  length: number;
  nullCount: number;
  values?: unknown;
  children: Chunk[];
}

const numbers = (values: ArrayLike<number>, nullCount = 0): Chunk => ({
  length: values.length,
  nullCount,
  values,
  children: [],
});
const lists = (length: number, child: Chunk, nullCount = 0): Chunk => ({
  length,
  nullCount,
  children: [child],
});

const vectorOf = (type: { typeId: number }, ...data: Chunk[]) => ({
  type,
  data,
  length: data.reduce((sum, { length }) => sum + length, 0),
});

test('what is a vector', () => {
  expect(isArrowVector(vectorOf(INT, numbers([1])))).toBe(true);
  expect(isArrowVector({ type: 'float32', data: [1], dims: [1] })).toBe(false);
  expect(isArrowVector({ type: { typeId: 3 }, data: new Float32Array(1) })).toBe(false);
  expect(isArrowVector({ data: [1], shape: [1] })).toBe(false);
  expect(isArrowVector({ type: null, data: [] })).toBe(false);
});

test('data of another library is not touched: that of onnxruntime throws where it is not on the CPU', () => {
  const tensor = {
    type: 'float32',
    get data(): never {
      throw new Error('not on the CPU');
    },
  };
  expect(isArrowVector(tensor)).toBe(false);
});

test('numbers of one chunk are not copied', () => {
  const values = new Float32Array([1, 2, 3]);
  const contents = readArrow('f', 'x', vectorOf(SINGLE, numbers(values)));
  expect(contents).toEqual({ shape: [3], data: values, type: 'float32', copied: false });
  expect(contents.data.buffer).toBe(values.buffer);
});

test('lists in lists, in a buffer that is longer', () => {
  const child = lists(6, numbers(new Float64Array(99).map((_, i) => i)));
  const vector = vectorOf(listOf(listOf(SINGLE, 2), 3), lists(2, child));
  const contents = readArrow('f', 'x', vector);
  expect(contents.shape).toEqual([2, 3, 2]);
  expect(contents.data).toEqual(new Float64Array(12).map((_, i) => i));
});

test('several chunks are copied into one array', () => {
  const [a, b, none] = [[1, 2, 3, 4], [5, 6], []].map((values) => numbers(new Uint16Array(values)));
  const type = listOf(HALF, 2);
  const vector = vectorOf(type, lists(2, a as Chunk), lists(0, none as Chunk), lists(1, b as Chunk));
  expect(readArrow('f', 'x', vector)).toEqual({
    shape: [3, 2],
    data: new Uint16Array([1, 2, 3, 4, 5, 6]),
    type: 'float16',
    copied: true,
  });
});

test('integers are numbers, also of 16 bits', () => {
  expect(readArrow('f', 'x', vectorOf(INT, numbers(new Uint16Array(2)))).type).toBe('int');
});

test('a vector of no chunks is empty', () => {
  expect(readArrow('f', 'x', vectorOf(listOf(SINGLE, 2)))).toMatchObject({
    shape: [0, 2],
    data: new Float32Array(0),
  });
});

test('nulls are refused, of rows and of elements', () => {
  const message = 'f: x is an Arrow vector with null values, expected none: leave out their rows first';
  const values = numbers(new Float32Array(2));
  const withNull = numbers(new Float32Array(2), 1);
  for (const chunk of [lists(1, values, 1), lists(1, withNull)]) {
    const vector = vectorOf(listOf(SINGLE, 2), lists(1, values), chunk);
    expectError(() => readArrow('f', 'x', vector), 'ERR_ARGUMENT', message);
  }
});

test('other types are refused', () => {
  class List {
    readonly typeId = 12;
    readonly [Symbol.toStringTag] = 'List';
  }
  expectError(
    () => readArrow('f', 'x', vectorOf(listOf(new List(), 2), lists(1, numbers([])))),
    'ERR_DTYPE',
    'f: x is an Arrow vector of a List, expected Float, Int, or FixedSizeList of them',
  );
  expectError(
    () => readArrow('f', 'x', vectorOf({ typeId: 16, listSize: 2 } as { typeId: number }, numbers([]))),
    'ERR_DTYPE',
    'f: x is an Arrow vector of undefined, expected Float, Int, or FixedSizeList of them',
  );
});

test.each([
  [new Float32Array(3), 'f: chunk 0 of x has 3 elements, expected 4'],
  [undefined, 'f: chunk 0 of x has no elements, expected 4'],
])('%# elements that are missing', (values, message) => {
  const child = { length: 4, nullCount: 0, values, children: [] };
  const vector = vectorOf(listOf(SINGLE, 2), lists(2, child));
  expectError(() => readArrow('f', 'x', vector), 'ERR_SHAPE', message);
});
