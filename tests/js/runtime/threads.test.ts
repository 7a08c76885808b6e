import { HeapOwner } from '../../../js/src/runtime/heap.js';
import { instantiate } from '../../../js/src/runtime/load.js';
import { readThreads, useThreads } from '../../../js/src/runtime/threads.js';
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

describe('where the files cannot be loaded', () => {
  const newEngine = () => new HeapOwner(instantiate('test'));
  const message = (kind: string) => `the files for ${kind} are not loaded by tests of single source files`;

  test('one thread works, and the reason is kept', async () => {
    const engine = newEngine();
    await useThreads('test', engine, 2, false);
    expect(engine.reason).toBe(message('Node'));
    expect(engine.threads).toBeUndefined();
    expect(engine.forTensors).toBe(engine);
  });

  test('it is an error where threads are required', async () => {
    const thrown = await useThreads('test', newEngine(), 2, true).catch((error: unknown) => error);
    expectError(
      () => {
        throw thrown;
      },
      'ERR_THREADS_UNAVAILABLE',
      `test: ${message('Node')}`,
    );
  });

  test('one thread needs none', async () => {
    const engine = newEngine();
    await useThreads('test', engine, 1, true);
    expect(engine.reason).toMatch(/^nobody has asked for threads/);
  });

  test('a page of Electron is a browser', async () => {
    const engine = newEngine();
    const type = Object.getOwnPropertyDescriptor(process, 'type');
    try {
      Object.defineProperty(process, 'type', { value: 'renderer', configurable: true });
      await useThreads('test', engine, 2, false);
    } finally {
      if (type) Object.defineProperty(process, 'type', type);
      else Reflect.deleteProperty(process, 'type');
    }
    expect(engine.reason).toBe(message('browsers'));
  });
});
