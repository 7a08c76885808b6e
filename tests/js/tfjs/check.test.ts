import { checkTensorFlow } from '../../../js/src/tfjs/check.js';
import { expectError } from '../support/errors.js';

test('what has all that is asked for passes', () => {
  expect(() =>
    checkTensorFlow('install', { engine: () => 0, layers: {} }, ['engine', 'layers']),
  ).not.toThrow();
});

test.each([
  [undefined, 'install: tf is undefined, expected TensorFlow.js: import * as tf from'],
  [null, 'install: tf is null, expected'],
  ['tf', "install: tf is 'tf', expected"],
  [{}, 'install: tf is an Object without engine, layers, expected'],
  [{ engine: 1 }, 'install: tf is an Object without layers, expected'],
])('%p is refused', (tf, message) => {
  const escaped = message.replace(/[.*]/g, '\\$&');
  expectError(
    () => checkTensorFlow('install', tf, ['engine', 'layers']),
    'ERR_ARGUMENT',
    new RegExp(`^${escaped}`),
  );
});
