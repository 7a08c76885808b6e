import { bytes, float, message, number, text } from '../../../bench/peers/onnx_model.mjs';
import { type ExternalData, identityOf, readTensor } from '../../../js/src/io/onnx_tensor.js';
import { expectError } from '../support/errors.js';

const raw = (array: ArrayBufferView) => [...new Uint8Array(array.buffer, array.byteOffset, array.byteLength)];
const read = (content: readonly number[], externalData?: ExternalData) =>
  readTensor('the tensor', Uint8Array.from(content), externalData);
/** A tensor of two elements. */
const of = (type: number, ...fields: number[][]) => [...number(1, 2), ...number(2, type), ...fields.flat()];

const [FLOAT, UINT8, INT8, UINT16, INT16, INT32, INT64] = [1, 2, 3, 4, 5, 6, 7];
const [STRING, BOOL, FLOAT16, DOUBLE, UINT32, UINT64, BFLOAT16, FLOAT8] = [8, 9, 10, 11, 12, 13, 16, 17];

test.each<[string, number, ArrayBufferView, number[][], ArrayBufferView]>([
  ['float32', FLOAT, Float32Array.of(1.5, -2), [float(4, 1.5), float(4, -2)], Float32Array.of(1.5, -2)],
  [
    'float64',
    DOUBLE,
    Float64Array.of(1.5, -2),
    [bytes(10, raw(Float64Array.of(1.5, -2)))],
    Float64Array.of(1.5, -2),
  ],
  ['float16', FLOAT16, Uint16Array.of(1, 0xffff), [bytes(5, [1, 0xff, 0xff, 3])], Uint16Array.of(1, 0xffff)],
  ['bfloat16', BFLOAT16, Uint16Array.of(1, 2), [number(5, 1), number(5, 2)], Uint16Array.of(1, 2)],
  ['int8', INT8, Int8Array.of(1, -2), [number(5, 1), number(5, -2)], Int8Array.of(1, -2)],
  ['int16', INT16, Int16Array.of(1, -2), [number(5, 1), number(5, -2)], Int16Array.of(1, -2)],
  ['int32', INT32, Int32Array.of(1, -2), [number(5, 1), number(5, -2)], Int32Array.of(1, -2)],
  ['int64', INT64, BigInt64Array.of(1n, -2n), [number(7, 1), number(7, -2)], Float64Array.of(1, -2)],
  ['uint8', UINT8, Uint8Array.of(1, 255), [number(5, 1), number(5, 255)], Uint8Array.of(1, 255)],
  ['uint16', UINT16, Uint16Array.of(1, 65535), [number(5, 1), number(5, 65535)], Uint16Array.of(1, 65535)],
  [
    'uint32',
    UINT32,
    Uint32Array.of(1, 2 ** 32 - 1),
    [number(11, 1), number(11, 2 ** 32 - 1)],
    Uint32Array.of(1, 2 ** 32 - 1),
  ],
  ['uint64', UINT64, BigUint64Array.of(1n, 2n), [number(11, 1), number(11, 2)], Float64Array.of(1, 2)],
  ['bool', BOOL, Uint8Array.of(0, 1), [number(5, 0), number(5, 1)], Uint8Array.of(0, 1)],
])('%s in all the ways that there are', (dtype, type, array, fields, data) => {
  const expected = { data, shape: [2], dtype };
  expect(read(of(type, bytes(9, raw(array))))).toEqual(expected);
  expect(read(of(type, ...fields))).toEqual(expected);
  const external = of(type, message(13, text(1, 'location'), text(2, 'w')), number(14, 1));
  const file = new Uint8Array(raw(array));
  for (const given of [{ w: file }, new Map([['w', file]]), () => file])
    expect(read(external, given)).toEqual(expected);
});

test('name and place', () => {
  const content = of(FLOAT, text(8, 'gamma'), message(13, text(1, 'location'), text(2, 'w.bin')));
  expect(identityOf('x', Uint8Array.from(content))).toEqual({ name: 'gamma', location: undefined });
  expect(identityOf('x', Uint8Array.from([...content, ...number(14, 1)]))).toEqual({
    name: 'gamma',
    location: 'w.bin',
  });
});

test('a part of a file beside the model', () => {
  const entry = (key: string, value: string) => message(13, text(1, key), text(2, value));
  const tensor = of(
    FLOAT,
    entry('location', 'a/b.bin'),
    entry('offset', '4'),
    entry('length', '8'),
    number(14, 1),
  );
  const file = Float32Array.of(9, 1, 2, 9);
  const expected = Float32Array.of(1, 2);
  const all = new Uint8Array(file.buffer);
  expect(read(tensor, { 'a/b.bin': all }).data).toEqual(expected);
  expect(read(tensor, { 'a/b.bin': all }).data.buffer).toBe(file.buffer);
  const asked: unknown[] = [];
  const data = read(tensor, (...parts) => {
    asked.push(parts);
    return all.subarray(4, 12);
  }).data;
  expect([data, asked]).toEqual([expected, [['a/b.bin', 4, 8]]]);

  expectError(
    () => read(tensor),
    'ERR_ARGUMENT',
    "readOnnx: the tensor is in the file 'a/b.bin', expected it in externalData",
  );
  expectError(() => read(tensor, { toString: all }), 'ERR_ARGUMENT', /is in the file 'a\/b.bin'/);
  expectError(
    () => read(tensor, { 'a/b.bin': all.subarray(0, 8) }),
    'ERR_FILE',
    "the tensor: its bytes 4 to 12 are beyond the 8 of 'a/b.bin'",
  );
  expectError(
    () => read(tensor, () => all),
    'ERR_ARGUMENT',
    "readOnnx: externalData gives 16 bytes of 'a/b.bin' at 4, expected 8",
  );
  expectError(
    () => read(tensor, () => 'x' as never),
    'ERR_ARGUMENT',
    /^readOnnx: what externalData gives for 'a\/b.bin' is 'x'/,
  );
  const external = (...entries: number[][]) => of(FLOAT, ...entries, number(14, 1));
  expectError(
    () => read(external(entry('length', '9')), {}),
    'ERR_FILE',
    "the tensor: it has 9 bytes in '', float32 of shape [2] takes 8",
  );
  expectError(
    () => read(external(entry('offset', '-1')), {}),
    'ERR_FILE',
    "the tensor: the offset of its external data is '-1', expected an integer",
  );
  const inherited = external(entry('location', 'constructor'));
  expectError(() => read(inherited, {}), 'ERR_ARGUMENT', /is in the file 'constructor'/);
});

test.each<[string, number[], string | RegExp]>([
  ['no type', number(1, 2), /^the tensor: its elements are of the type of number 0, expected floats/],
  ['text', of(STRING), /of the type of number 8/],
  ['floats of 8 bits', of(FLOAT8), /of the type of number 17/],
  [
    'too few bytes',
    of(FLOAT, bytes(9, [1, 2, 3])),
    'the tensor: it has 3 bytes, float32 of shape [2] takes 8',
  ],
  ['too few numbers', of(FLOAT, float(4, 1)), 'the tensor: it has 1 elements, its shape [2] 2'],
  [
    'too many',
    of(FLOAT, float(4, 1), float(4, 1), float(4, 1)),
    'the tensor: it has 3 elements, its shape [2] 2',
  ],
  ['a byte of 256', of(UINT8, number(5, 256)), 'the tensor: element 0, of uint8, is 256, expected 0 to 255'],
  [
    'bits beyond 16',
    of(FLOAT16, number(5, 65536)),
    'the tensor: element 0, of float16, is 65536, expected 0 to 65535',
  ],
  [
    'a negative uint64',
    of(UINT64, number(11, 2n ** 64n - 1n)),
    'the tensor: element 0, of uint64, is -1, expected 0 to 9007199254740991',
  ],
  ['a negative size', [...number(1, -1), ...number(2, 1)], 'the tensor: its shape has a size of -1'],
  [
    'sizes without end',
    [...bytes(1, new Array(1000).fill(1)), ...number(2, 1)],
    'the tensor: its shape has more than 64 dimensions',
  ],
  [
    'a size that is not there',
    [...number(1, 2 ** 40), ...number(2, 1)],
    'the tensor: its shape [1099511627776] has more elements than its bytes',
  ],
  [
    'sizes beyond counting',
    [...number(1, 2 ** 40), ...number(1, 2 ** 40), ...number(2, 1)],
    /has too many elements to count/,
  ],
])('%s', (_, content, problem) => {
  expectError(() => read(content), 'ERR_FILE', problem);
});
