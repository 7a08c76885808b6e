import type { FileDType } from '../../../js/src/io/dtypes.js';
import { readElements } from '../../../js/src/io/elements.js';
import { expectError } from '../support/errors.js';

const bytesOf = (array: ArrayBufferView): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

test.each<[FileDType, ArrayBufferView]>([
  ['float32', Float32Array.of(1.5, -2)],
  ['float64', Float64Array.of(1.5, -2)],
  ['bfloat16', Uint16Array.of(1, 2)],
  ['int16', Int16Array.of(-1, 2)],
  ['bool', Uint8Array.of(0, 1)],
])('%s: a view of the bytes where they are aligned, else a copy', (dtype, array) => {
  const { data, shape } = readElements(bytesOf(array), { dtype, shape: [2] });
  expect([data, shape]).toEqual([array, [2]]);
  expect(data.buffer).toBe(array.buffer);
  const odd = new Uint8Array(array.byteLength + 1);
  odd.set(bytesOf(array), 1);
  const copy = readElements(odd.subarray(1), { dtype, shape: [2] }).data;
  expect(copy).toEqual(array);
  expect(copy.buffer === odd.buffer).toBe(dtype === 'bool');
});

test('integers of 64 bits are exact, or refused', () => {
  const read = (dtype: FileDType, array: ArrayBufferView) =>
    readElements(bytesOf(array), { dtype, shape: [array.byteLength / 8] }).data;
  const most = 2n ** 53n - 1n;
  const signed = [0n, -1n, most, -most, 2n ** 32n, -(2n ** 32n) - 5n];
  expect([...read('int64', BigInt64Array.from(signed))].map(BigInt)).toEqual(signed);
  expect([...read('uint64', BigUint64Array.of(most, 7n))].map(BigInt)).toEqual([most, 7n]);
  for (const value of [most + 1n, -most - 1n, -(2n ** 63n), 2n ** 62n]) {
    expectError(
      () => read('int64', BigInt64Array.of(0n, value)),
      'ERR_FILE',
      /^the elements: element 1, of int64, is about /,
    );
  }
  expectError(
    () => read('uint64', BigUint64Array.of(2n ** 64n - 1n)),
    'ERR_FILE',
    /element 0, of uint64, is about 18446744073709552000/,
  );
});

test('the other byte order and the other order of dimensions', () => {
  const view = new DataView(new ArrayBuffer(24));
  for (let i = 0; i < 6; i++) view.setInt32(4 * i, -i, false);
  const layout = { dtype: 'int32', shape: [2, 3], littleEndian: false, fortranOrder: true } as const;
  expect([...readElements(bytesOf(view), layout).data]).toEqual([0, -2, -4, -1, -3, -5]);
  expect([...readElements(bytesOf(view), { ...layout, shape: [6] }).data]).toEqual([0, -1, -2, -3, -4, -5]);
});

test('errors', () => {
  const bytes = new Uint8Array(8);
  expectError(
    () => readElements(bytes, { dtype: 'float32', shape: [3] }),
    'ERR_FILE',
    'the elements: it has 8 bytes, float32 of shape [3] takes 12',
  );
  expectError(
    () => readElements(bytes, { dtype: 'F32' as never, shape: [2] }),
    'ERR_DTYPE',
    /^readElements: the dtype/,
  );
  expectError(
    () => readElements(bytes, { dtype: 'int8', shape: [-8] }),
    'ERR_SHAPE',
    /^readElements: the shape/,
  );
  bytes[5] = 2;
  expectError(
    () => readElements(bytes, { dtype: 'bool', shape: [8] }),
    'ERR_FILE',
    'the elements: element 5, of bool, is 2, expected 0 or 1',
  );
});
