import {
  computedDType,
  elementCount,
  isFloat,
  newElements,
  readBinaryRows,
} from '../../../js/src/cli/binary.js';
import type { Input } from '../../../js/src/cli/input.js';
import type { FileDType } from '../../../js/src/io.js';
import { bytesIn, elementsOf, expectFailure, fileOf, streamOf } from '../support/cli.js';

const ARRAYS: [FileDType, ArrayBufferView][] = [
  ['float16', Uint16Array.of(0x3c00, 0xbc00, 0x7bff, 0, 1, 2)],
  ['bfloat16', Uint16Array.of(0x3f80, 0xbf80, 0x7f7f, 0, 1, 2)],
  ['float32', Float32Array.of(1.5, -2, 3, 4, 5, 6)],
  ['float64', Float64Array.of(0.1, -2, 3, 4, 5, 6)],
  ['int8', Int8Array.of(-128, 127, 3, 4, 5, 6)],
  ['int16', Int16Array.of(-32768, 2, 3, 4, 5, 6)],
  ['int32', Int32Array.of(-(2 ** 31), 2, 3, 4, 5, 6)],
  ['uint8', Uint8Array.of(255, 2, 3, 4, 5, 6)],
  ['uint16', Uint16Array.of(65535, 2, 3, 4, 5, 6)],
  ['uint32', Uint32Array.of(2 ** 32 - 1, 2, 3, 4, 5, 6)],
  ['bool', Uint8Array.of(1, 0, 1, 1, 0, 1)],
];

const rows = (input: Input, dtype: FileDType, start = 0, littleEndian = true) => ({
  ...{ input, start, dtype, littleEndian, rowShape: [2] },
});
const ALL = { from: 0, to: 3 };

describe('readBinaryRows', () => {
  test.each(ARRAYS)('%s, in blocks of one row, of two and of all', async (dtype, array) => {
    const file = Buffer.concat([Buffer.from('abc'), bytesIn(array)]);
    const expected = [...(array as unknown as Iterable<number>)];
    const rowBytes = array.byteLength / 3;
    for (const blockBytes of [1, rowBytes, 2 * rowBytes, 2 * rowBytes + 1, 1000]) {
      for (const input of [fileOf(file), fileOf(file, 3), streamOf(file)]) {
        expect(await elementsOf(readBinaryRows(rows(input, dtype, 3), ALL, blockBytes))).toEqual(expected);
      }
    }
  });

  test.each(ARRAYS)('%s, the highest byte first', async (dtype, array) => {
    const swapped = Buffer.from(bytesIn(array));
    const size = array.byteLength / 6;
    if (size === 2) swapped.swap16();
    if (size === 4) swapped.swap32();
    if (size === 8) swapped.swap64();
    const read = await elementsOf(readBinaryRows(rows(fileOf(swapped), dtype, 0, false), ALL, size * 4));
    expect(read).toEqual([...(array as unknown as Iterable<number>)]);
  });

  test('integers of 64 bits become numbers, where there is one for each', async () => {
    const signed = BigInt64Array.of(-(2n ** 53n) + 1n, 2n ** 53n - 1n, -1n, 0n, 1n, 2n);
    const unsigned = BigUint64Array.of(2n ** 53n, 1n, 2n, 3n, 4n, 5n);
    const read = (dtype: FileDType, array: ArrayBufferView) =>
      elementsOf(readBinaryRows(rows(fileOf(bytesIn(array)), dtype), ALL));
    expect(await read('int64', signed)).toEqual([1 - 2 ** 53, 2 ** 53 - 1, -1, 0, 1, 2]);
    await expectFailure(read('uint64', unsigned), /^x: .* element 0, of uint64, is about 9007199254740992/);
  });

  test('a range of rows', async () => {
    const array = Float32Array.of(1, 2, 3, 4, 5, 6);
    for (const input of [fileOf(bytesIn(array)), streamOf(bytesIn(array))]) {
      expect(await elementsOf(readBinaryRows(rows(input, 'float32'), { from: 1, to: 2 }))).toEqual([3, 4]);
    }
    const none = readBinaryRows(rows(fileOf(bytesIn(array)), 'float32'), { from: 2, to: 2 });
    expect(await elementsOf(none)).toEqual([]);
  });

  test('a block stays as it is until the one after the next is asked for', async () => {
    const blocks = readBinaryRows(
      rows(fileOf(bytesIn(Float32Array.from({ length: 12 }, (_, i) => i))), 'float32'),
      { from: 0, to: 6 },
      8,
    );
    const data = [];
    for (let i = 0; i < 3; i++) data.push((await blocks.next()).value?.data);
    expect(data.map((one) => [...(one ?? [])])).toEqual([
      [0, 1],
      [2, 3],
      [4, 5],
    ]);
    // Then memory is used again.
    expect((await blocks.next()).value?.data.buffer).toBe(data[0]?.buffer);
  });

  test('rows without elements', async () => {
    const counted = [];
    const empty = { ...rows(fileOf(new Uint8Array(0)), 'float32'), rowShape: [0] };
    for await (const block of readBinaryRows(empty, ALL)) counted.push(block.rows);
    expect(counted).toEqual([3]);
  });

  test('a stream that ends early', async () => {
    const input = streamOf(bytesIn(Float32Array.of(1, 2, 3)));
    await expectFailure(
      elementsOf(readBinaryRows(rows(input, 'float32'), ALL, 8)),
      'stream: is cut off: 12 bytes are missing, of row 1 and those after it',
    );
  });
});

test('types', () => {
  expect(isFloat('bfloat16')).toBe(true);
  expect(isFloat('int32')).toBe(false);
  expect(isFloat(null)).toBe(false);
  expect(computedDType('float16')).toBe('float16');
  expect(computedDType('uint64')).toBe('float32');
  expect(elementCount([2, 3, 4])).toBe(24);
  expect(elementCount([])).toBe(1);
  expect(newElements('int64', 0)).toEqual(new Float64Array(0));
  expect(newElements('bfloat16', 3)).toEqual(new Uint16Array(3));
  expect(newElements('float64', 3)).toEqual(new Float64Array(3));
});
