import { instantiateThreads, readThreads } from '../../../js/src/runtime/threads.js';
import { expectError } from '../support/errors.js';

test.each([1, 2, 32, 'auto'] as const)('%p is a number of threads', (threads) => {
  expect(readThreads('configure', threads)).toBe(threads);
});

test('it is one by default', () => {
  expect(readThreads('configure', undefined)).toBe(1);
  expect(readThreads('configure', null)).toBe(1);
});

test.each([
  [0, '0'],
  [33, '33'],
  [-1, '-1'],
  [1.5, '1.5'],
  [Number.NaN, 'NaN'],
  ['2', "'2'"],
  ['AUTO', "'AUTO'"],
  [true, 'true'],
])('%p is refused', (threads, shown) => {
  expectError(
    () => readThreads('configure', threads),
    'ERR_ARGUMENT',
    `configure: threads is ${shown}, expected 'auto' or an integer from 1 to 32`,
  );
});

test('Node is told from browsers, and from pages of Electron', async () => {
  const message = (kind: string) => `the files for ${kind} are not loaded by tests of single source files`;
  await expect(instantiateThreads('test', 2)).rejects.toThrow(message('Node'));
  const type = Object.getOwnPropertyDescriptor(process, 'type');
  try {
    Object.defineProperty(process, 'type', { value: 'renderer', configurable: true });
    await expect(instantiateThreads('test', 2)).rejects.toThrow(message('browsers'));
  } finally {
    if (type) Object.defineProperty(process, 'type', type);
    else Reflect.deleteProperty(process, 'type');
  }
});
