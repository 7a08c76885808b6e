import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatOf, openDocument, rangeOf, rowsOf, shapeOf } from '../../../js/src/cli/document.js';
import { safetensorsHeader } from '../../../js/src/io.js';
import { expectFailure, fileOf, npyOf, temporaryFolder } from '../support/cli.js';

const folder = temporaryFolder();
const NPY = npyOf(Float32Array.of(1, 2), [1, 2]);
const SAFETENSORS = Buffer.concat([
  safetensorsHeader([{ name: 'x', dtype: 'float32', shape: [1, 2] }]),
  Buffer.alloc(8),
]);
const CSV = Buffer.from('1,2\n');

test.each([
  ['npy', NPY],
  ['safetensors', SAFETENSORS],
  ['csv', CSV],
  ['csv', Buffer.from('1')],
  ['csv', Buffer.from('12345678{')],
  ['csv', Buffer.from('\ufeffa,b\n')],
] as const)('%s is found out', async (format, bytes) => {
  expect(await formatOf(fileOf(bytes))).toBe(format);
});

test('what is none of them', async () => {
  await expectFailure(formatOf(fileOf(Buffer.alloc(0))), /^x: is empty/);
  await expectFailure(
    formatOf(fileOf(Buffer.from('PK\u0003\u0004\u0000\u0000'))),
    /neither a .npy nor a .safetensors file, nor text$/,
  );
});

test('files are opened as what they are, whatever their names', async () => {
  for (const [format, bytes] of [
    ['npy', NPY],
    ['safetensors', SAFETENSORS],
    ['csv', CSV],
  ] as const) {
    const path = join(folder, format);
    writeFileSync(path, bytes);
    const document = await openDocument(path);
    expect(document).toMatchObject({ format, rowShape: [2] });
    await document.input.close();
  }
});

test.each([
  ['npy', { tensor: 'x' }, /^--tensor is for safetensors files, and .*npy is a npy file$/],
  ['npy', { header: false }, /^--header is for csv files/],
  ['csv', { only: true }, /^--only is for safetensors files/],
  ['safetensors', { columns: '1' }, /^--columns is for csv files/],
])('of a %s file, %j is refused', async (name, options, message) => {
  await expectFailure(openDocument(join(folder, name), options), message, 2);
});

test('rows and shapes', () => {
  const document = (shape: number[], elementsAsRows = false) => rowsOf('x', shape, elementsAsRows) as never;
  expect(rowsOf('x', [5, 2, 3])).toEqual({ rows: 5, rowShape: [2, 3], isRow: false });
  expect(shapeOf(document([5, 2, 3]), { from: 1, to: 4 })).toEqual([3, 2, 3]);
  expect(shapeOf(document([5]), { from: 0, to: 1 })).toEqual([5]);
  expect(shapeOf(document([5], true), { from: 1, to: 4 })).toEqual([3]);
  expect(rangeOf(document([5, 2]), '1/5')).toEqual({ from: 1, to: 2 });
  const row = { ...rowsOf('x', [5]), input: { name: 'x' } } as never;
  expect(rangeOf(row, undefined)).toEqual({ from: 0, to: 1 });
  expect(() => rangeOf(row, '0/2')).toThrow('--rows is 0/2, and x has one dimension, which is one row');
  expect(() => rowsOf('x', [])).toThrow('x: holds a single number, expected at least one dimension');
});
