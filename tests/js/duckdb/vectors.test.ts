import { runInNewContext } from 'node:vm';
import {
  type ArrayVector,
  arraysOf,
  firstNull,
  isNull,
  maskOf,
  numbersOf,
  setNull,
} from '../../../js/src/duckdb/vectors.js';
import { FakeValidity, fakeArrays } from '../support/duckdb.js';
import { expectError } from '../support/errors.js';

/** As many bits as a string has characters, 0 for those that are NULL. */
const validity = (bits: string): FakeValidity => {
  const made = new FakeValidity(bits.length);
  for (let i = 0; i < bits.length; i++) made.setItemValid(i, bits[i] === '1');
  return made;
};

test('without bits nothing is NULL', () => {
  const all = new FakeValidity(100);
  expect(all.data).toBeNull();
  expect(isNull(all, 99)).toBe(false);
  expect(firstNull(all, 3, 99)).toBe(99);
});

test('the first that is NULL, from anywhere to anywhere', () => {
  const bits = [0, 5, 63, 64, 65, 127, 199].reduce(
    (text, at) => `${text.slice(0, at)}0${text.slice(at + 1)}`,
    '1'.repeat(200),
  );
  const some = validity(bits);
  for (let from = 0; from <= 200; from++) {
    expect(isNull(some, from % 200)).toBe(bits[from % 200] === '0');
    for (const to of [from, from + 1, from + 7, from + 70, 200].filter((end) => end >= from && end <= 200)) {
      const at = bits.slice(0, to).indexOf('0', from);
      expect(firstNull(some, from, to)).toBe(at < 0 ? to : at);
    }
  }
});

test.each([1, 3, 8, 64, 100])('a row of %p is made NULL with its elements, and no others', (dim) => {
  const rows = 5;
  const vector = fakeArrays(new Float32Array(rows * dim), dim);
  for (const row of [3, 1]) setNull(vector, row);
  for (let i = 0; i < rows * dim; i++) {
    const row = Math.floor(i / dim);
    expect(isNull(vector.validity, row)).toBe(row === 1 || row === 3);
    expect(isNull(vector.childData.validity, i)).toBe(row === 1 || row === 3);
  }
});

describe('a mask', () => {
  test('of what has no NULL is none', () => {
    expect(maskOf(fakeArrays(new Float32Array(6), 3), 2)).toBeUndefined();
  });

  test('has 0 for elements that are NULL and for rows that are', () => {
    const vector: ArrayVector = {
      ...fakeArrays(new Float64Array(12), 3),
      validity: validity('1011'),
      childData: { items: new Float64Array(12), validity: validity('111111010100') },
    };
    expect(maskOf(vector, 4)).toEqual(Uint8Array.of(1, 1, 1, 0, 0, 0, 0, 1, 0, 1, 0, 0));
    const rowsOnly = { ...fakeArrays(new Float64Array(6), 3), validity: validity('01') };
    expect(maskOf(rowsOnly, 2)).toEqual(Uint8Array.of(0, 0, 0, 1, 1, 1));
  });
});

describe('vectors of another version', () => {
  const numbers = { items: new Float32Array(6), validity: new FakeValidity(6) };
  const arrays = fakeArrays(numbers.items, 3);

  test('those that are known are taken', () => {
    expect(arraysOf('f', arrays, 2)).toBe(arrays);
    expect(numbersOf('f', numbers, 6)).toBe(numbers);
  });

  test('those of another realm as well', () => {
    const [items, data] = runInNewContext('[new Float32Array(6), new BigUint64Array(1)]');
    const foreign = { items, validity: { ...numbers.validity, data } };
    expect(numbersOf('f', foreign, 6)).toBe(foreign);
  });

  test.each<[string, object]>([
    ['nothing', {}],
    ['no type', { ...arrays, type: undefined }],
    ['no child', { ...arrays, childData: undefined }],
    ['a child of integers', { ...arrays, childData: { ...numbers, items: new Int32Array(6) } }],
    ['a child of another size', { ...arrays, childData: { ...numbers, items: new Float32Array(5) } }],
    ['no validity', { ...arrays, validity: undefined }],
    ['another kind of validity', { ...arrays, validity: { data: new Uint8Array(1) } }],
    ['a child without validity', { ...arrays, childData: { items: numbers.items } }],
  ])('%s', (_, vector) => {
    const message =
      'f: the vectors of this @duckdb/node-api are not those of its version 1.5, which layernorm knows';
    expectError(() => arraysOf('f', vector, 2), 'ERR_ARGUMENT', new RegExp(`^${message}`));
    expectError(() => numbersOf('f', vector, 6), 'ERR_ARGUMENT', new RegExp(`^${message}`));
  });
});
