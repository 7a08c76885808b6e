import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readMoments, readParameter } from '../../../js/src/cli/parameters.js';
import { Moments, type ShapedArray } from '../../../js/src/index.js';
import { safetensorsHeader } from '../../../js/src/io.js';
import { bytesIn, expectFailure, npyOf, temporaryFolder } from '../support/cli.js';

const folder = temporaryFolder();
const file = (name: string, bytes: Uint8Array | string) => {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
};

test('arrays of a .npy file', async () => {
  const gamma = Float64Array.of(0.1, 2, 3);
  const whole = { data: gamma, dtype: 'float64' };
  expect(await readParameter(file('g.npy', npyOf(gamma, [3], 'float64')))).toEqual({ ...whole, shape: [3] });
  expect(await readParameter(file('g2.npy', npyOf(gamma, [1, 3], 'float64')))).toEqual({
    ...whole,
    shape: [1, 3],
  });
});

test('arrays of several blocks', async () => {
  const gamma = Float32Array.from({ length: 2 ** 22 }, (_, i) => i);
  const read = (await readParameter(file('long.npy', npyOf(gamma, [2 ** 20, 4])))) as ShapedArray;
  expect(read.shape).toEqual([2 ** 20, 4]);
  expect(Buffer.compare(bytesIn(read.data as Float32Array), bytesIn(gamma))).toBe(0);
});

test('tensors by their names, which may have colons', async () => {
  const header = safetensorsHeader([
    { name: 'norm:weight', dtype: 'bfloat16', shape: [2] },
    { name: 'b', dtype: 'float32', shape: [1] },
  ]);
  const path = file(
    'm.safetensors',
    Buffer.concat([header, bytesIn(Uint16Array.of(1, 2)), bytesIn(Float32Array.of(3))]),
  );
  expect(await readParameter(`${path}:norm:weight`)).toEqual({
    data: Uint16Array.of(1, 2),
    shape: [2],
    dtype: 'bfloat16',
  });
  expect(await readParameter(`${path}:b`)).toEqual({
    data: Float32Array.of(3),
    shape: [1],
    dtype: 'float32',
  });
  await expectFailure(readParameter(path), /has 2 tensors of floats/, 2);
  await expectFailure(readParameter(`${path}:c`), /has no tensor 'c'/, 2);
});

test('a file whose name has a colon', async () => {
  expect(await readParameter(file('a:b.npy', npyOf(Float32Array.of(1), [1])))).toMatchObject({ shape: [1] });
});

test('numbers of a text, in a row or in a column', async () => {
  const expected = { data: Float64Array.of(1, 2, 3), shape: [3], dtype: 'float64' };
  expect(await readParameter(file('row.csv', '1,2,3\n'))).toEqual(expected);
  expect(await readParameter(file('column.csv', 'gamma\n1\n2\n3\n'))).toEqual(expected);
});

test('what is not there', async () => {
  await expectFailure(
    readParameter(join(folder, 'missing.npy')),
    /missing.npy: no such file or directory \(ENOENT\)$/,
  );
});

test('moments', async () => {
  const moments = new Moments().update(Float32Array.of(1, 2, 3, 4), { shape: [2, 2] });
  const path = file('x.moments', moments.toBytes());
  expect((await readMoments(path)).finalize()).toEqual(moments.finalize());
  await expectFailure(
    readMoments(file('no.moments', 'text, and not moments')),
    /no.moments: Moments.fromBytes: /,
  );
  await expectFailure(readMoments(folder), /is a directory, expected a file \(EISDIR\)$/, 2);
});
