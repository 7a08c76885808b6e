import { bytes, float, message, number, text } from '../../../bench/peers/onnx_model.mjs';
import { ProtobufReader } from '../../../js/src/io/protobuf.js';
import { expectError } from '../support/errors.js';

/** Reads the one field of a message. */
function first<T>(content: readonly number[], read: (reader: ProtobufReader) => T): T {
  const reader = new ProtobufReader('the message', Uint8Array.from(content));
  reader.next();
  return read(reader);
}

test('fields one after the other', () => {
  const content = [
    ...number(1, 300),
    ...text(2, 'ä'),
    ...float(15, 1.5),
    ...message(16, number(1, 2)),
    ...bytes(2 ** 28 - 1, []),
  ];
  const reader = new ProtobufReader('the message', Uint8Array.from(content));
  expect([reader.next(), reader.integer()]).toEqual([1, 300]);
  expect([reader.next(), reader.text()]).toEqual([2, 'ä']);
  expect([reader.next(), reader.float()]).toEqual([15, 1.5]);
  expect([reader.next(), [...reader.bytes()]]).toEqual([16, [8, 2]]);
  expect([reader.next(), reader.bytes().length]).toEqual([2 ** 28 - 1, 0]);
  expect([reader.next(), reader.next()]).toEqual([0, 0]);
});

test.each([0, 1, 127, 128, 2 ** 31, 2 ** 32, 2 ** 53 - 1, -1, -2, -128, -129, -(2 ** 31), -(2 ** 53) + 1])(
  'the integer %d',
  (value) => {
    expect(first(number(1, value), (reader) => reader.integer())).toBe(value);
  },
);

test('lists, packed and not', () => {
  const taken: number[] = [];
  const take = (value: number) => taken.push(value);
  const floats = new Uint8Array(Float32Array.of(1.5, 2.5).buffer);
  first(bytes(1, [...floats]), (reader) => reader.floats(take));
  first(float(1, 3.5), (reader) => reader.floats(take));
  first(bytes(1, [...new Uint8Array(Float64Array.of(4.5).buffer)]), (reader) => reader.doubles(take));
  first([9, ...new Uint8Array(Float64Array.of(5.5).buffer)], (reader) => reader.doubles(take));
  first(bytes(1, [6, 0x80, 1]), (reader) => reader.integers(take));
  first(number(1, 7), (reader) => reader.integers(take));
  expect(taken).toEqual([1.5, 2.5, 3.5, 4.5, 5.5, 6, 128, 7]);
});

const long = (last: number) => [8, ...new Array(9).fill(0x80), last];
const none = (): void => {};

test.each<[string, readonly number[], (reader: ProtobufReader) => unknown, string]>([
  ['an integer that is cut off', [8, 0x80], none, 'it is cut off in an integer'],
  ['an integer of 70 bits', long(2), none, 'it has an integer of more than 64 bits'],
  ['an integer without end', long(0x80), none, 'it has an integer of more than 64 bits'],
  [
    'an integer beyond 2^53',
    number(1, 2n ** 53n),
    (r) => r.integer(),
    'field 1 is about 9007199254740992, expected at most 2^53 - 1',
  ],
  [
    'the least integer',
    number(1, -(2n ** 63n)),
    (r) => r.integer(),
    'field 1 is about -9223372036854776000, expected at most 2^53 - 1',
  ],
  ['a length beyond the end', [10, 5, 1], none, 'field 1 has a length of 5 bytes, 1 are left'],
  [
    'a length of 2^62',
    [10, ...number(1, 2n ** 62n).slice(1)],
    none,
    'field 1 has a length of 4611686018427388000 bytes, 0 are left',
  ],
  [
    'a negative length',
    [10, ...number(1, -1).slice(1)],
    none,
    'field 1 has a length of -1 bytes, 0 are left',
  ],
  ['4 bytes of which 3 are there', [13, 1, 2, 3], none, 'field 1 has a length of 4 bytes, 3 are left'],
  ['field 0', [0, 1], none, 'at byte 0 there is no field of protocol buffers'],
  [
    'a group, which nobody writes any more',
    [11, 12],
    none,
    'at byte 0 there is no field of protocol buffers',
  ],
  ['a kind that there is not', [15], none, 'at byte 0 there is no field of protocol buffers'],
  [
    'another kind',
    text(1, 'x'),
    (r) => r.integer(),
    'field 1 is stored as bytes of a length, expected an integer',
  ],
  [
    'a float of another kind',
    number(1, 1),
    (r) => r.floats(none),
    'field 1 is stored as an integer, expected bytes of a length',
  ],
  [
    'half a float',
    bytes(1, [1, 2, 3]),
    (r) => r.floats(none),
    'field 1 has 3 bytes, expected a multiple of 4',
  ],
  ['half an integer in a list', bytes(1, [1, 0x80]), (r) => r.integers(none), 'it is cut off in an integer'],
])('%s', (_, content, read, problem) => {
  expectError(() => first(content, read), 'ERR_FILE', `the message: ${problem}`);
});
