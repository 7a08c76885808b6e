import { LayerNormError, describe as word } from '../../../js/src/runtime/errors.js';

test('an error carries its name, its code and what lies underneath', () => {
  const cause = new RangeError('no');
  const error = new LayerNormError('ERR_LOAD', 'load: no', cause);
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({ name: 'LayerNormError', code: 'ERR_LOAD', message: 'load: no', cause });
  expect(String(error)).toBe('LayerNormError: load: no');
  expect('cause' in new LayerNormError('ERR_SHAPE', 'x')).toBe(false);
});

test.each([
  ['text', "'text'"],
  [1.5, '1.5'],
  [Number.NaN, 'NaN'],
  [3n, '3n'],
  [undefined, 'undefined'],
  [null, 'null'],
  [true, 'true'],
  [Symbol('s'), 'a symbol'],
  [() => 0, 'a function'],
  [[1, 'a', [2], {}], "[1, 'a', [...], an Object]"],
  [Array(20).fill(1), '[1, 1, 1, 1, 1, 1, 1, 1, ...]'],
  [new Map(), 'a Map'],
  [new ArrayBuffer(1), 'an ArrayBuffer'],
])('words %p as %s', (value, expected) => {
  expect(word(value)).toBe(expected);
});

test('words a value without calling anything of its own', () => {
  const hostile = {
    toString() {
      throw new Error('called');
    },
    toJSON() {
      throw new Error('called');
    },
  };
  expect(word(hostile)).toBe('an Object');
});
