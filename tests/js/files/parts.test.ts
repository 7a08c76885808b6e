import { bytesOf, faulty, quoted, reading, readingFailed } from '../../../js/src/files/parts.js';
import { LayerNormError } from '../../../js/src/runtime/errors.js';
import { expectError } from '../support/errors.js';

test('the bytes of all that holds some', () => {
  const bytes = Uint8Array.of(1, 2, 3, 4);
  expect(bytesOf('f', 'x', bytes)).toEqual(bytes);
  expect(bytesOf('f', 'x', bytes.buffer)).toEqual(bytes);
  expect(bytesOf('f', 'x', Buffer.from(bytes).subarray(1, 3))).toEqual(Uint8Array.of(2, 3));
  expect(bytesOf('f', 'x', new DataView(bytes.buffer, 2))).toEqual(Uint8Array.of(3, 4));
});

test('shared memory is copied, since others can write to it', () => {
  const shared = new SharedArrayBuffer(4);
  new Uint8Array(shared).set([1, 2, 3, 4]);
  for (const given of [shared, new Uint8Array(shared, 1)]) {
    const bytes = bytesOf('f', 'x', given);
    expect(bytes.buffer).not.toBe(shared);
    expect(bytes.at(-1)).toBe(4);
  }
});

test('memory that has been transferred away', () => {
  const bytes = new Uint8Array(4);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  for (const given of [bytes, bytes.buffer]) {
    expectError(
      () => bytesOf('f', 'x', given),
      'ERR_DISPOSED',
      'f: the buffer of x is detached: it was transferred',
    );
  }
});

test.each([
  [undefined, 'undefined'],
  ['text', "'text'"],
  [[1], '[1]'],
  [{}, 'an Object'],
])('%p is none', (value, shown) => {
  expectError(
    () => bytesOf('loadKeras', 'bytes', value),
    'ERR_ARGUMENT',
    `loadKeras: bytes is ${shown}, expected the bytes of a file: a Uint8Array or an ArrayBuffer`,
  );
});

test('errors name the part and keep their cause', () => {
  const cause = new Error('deep');
  const error = readingFailed('part', 'somebody', cause);
  expect([error.code, error.message, error.cause]).toEqual([
    'ERR_FILE',
    "part: somebody cannot read it ('deep')",
    cause,
  ]);
  expect(readingFailed('part', 'somebody', 7).message).toBe("part: somebody cannot read it ('7')");
  const own = new LayerNormError('ERR_SHAPE', 'x');
  expect(readingFailed('part', 'somebody', own)).toBe(own);
  expect(faulty('part', 'broken').message).toBe('part: broken');
  expect(reading('part', 'somebody', () => 1)).toBe(1);
  expect(quoted(undefined)).toBe('undefined');
});
