import { knownOptions, readMaxBytes } from '../../../js/src/files/options.js';
import { expectError } from '../support/errors.js';

const known = { shape: true, dtype: true } as const;

test('options that are known, and none', () => {
  const options = { shape: [1] };
  expect(knownOptions('f', options, known)).toBe(options);
  expect([knownOptions('f', null, known), knownOptions('f', undefined, known)]).toEqual([{}, {}]);
});

test.each([
  [{ shap: [1] }, "f: unknown option 'shap', expected shape, dtype"],
  [{ toString: 1 }, "f: unknown option 'toString', expected shape, dtype"],
  [[1], 'f: options is [1], expected an object with shape, dtype'],
  [new Float32Array(1), 'f: options is a Float32Array, expected an object with shape, dtype'],
  ['x', "f: options is 'x', expected an object with shape, dtype"],
])('%p are none', (options, message) => {
  expectError(() => knownOptions('f', options as never, known), 'ERR_ARGUMENT', message);
});

test('maxBytes', () => {
  expect([readMaxBytes('f', null), readMaxBytes('f', 5)]).toEqual([2 ** 30, 5]);
  for (const wrong of [0, -1, 1.5, '5', Number.POSITIVE_INFINITY]) {
    expectError(
      () => readMaxBytes('f', wrong),
      'ERR_ARGUMENT',
      /^f: maxBytes is .+, expected a positive integer$/,
    );
  }
});
