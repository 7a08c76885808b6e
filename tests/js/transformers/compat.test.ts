// The bits of transformers.js itself are in tests/ecosystem/transformers.test.mjs.
import { readFloats, standardize } from '../../../js/src/transformers/compat.js';
import { expectError } from '../support/errors.js';

test('epsilon is added to the deviation', () => {
  const y = new Float64Array(4);
  standardize(new Float64Array([1, 3, 10, 30]), y, 2, 1);
  expect(y).toEqual(new Float64Array([-1 / 2, 1 / 2, -10 / 11, 10 / 11]));
});

test('sums are of the type of the elements', () => {
  const x = new Float32Array(3).fill(2 ** 24);
  x[1] = 1;
  x[2] = 1;
  const y = new Float32Array(3);
  standardize(x, y, 3, 0);
  // Each 1 is lost in the sum.
  const mean = Math.fround(2 ** 24 / 3);
  expect(y[1]).toBe(y[2]);
  const squares = [2 ** 24, 1, 1].reduce((sum, value) => Math.fround(sum + (value - mean) ** 2), 0);
  expect(y[1]).toBe(Math.fround((1 - mean) / Math.fround(Math.sqrt(squares / 3))));
});

test('nothing comes of nothing', () => {
  const y = new Float32Array(0);
  standardize(new Float32Array(0), y, 0, 1e-5);
  expect(y).toHaveLength(0);
});

test.each([new Float32Array(2), new Float64Array(2)])('%# floats are read as they are', (data) => {
  expect(readFloats({ data, dims: [2] })).toBe(data);
});

test.each([new Uint16Array(2), new Int8Array(2), [1, 2], undefined])('%# other data is refused', (data) => {
  expectError(
    () => readFloats({ data, dims: [2] }),
    'ERR_DTYPE',
    /^layer_norm: compat is 'transformers\.js' and the data of input .*, expected a Float32Array, Float64Array or Float16Array/,
  );
});
