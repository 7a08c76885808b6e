import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDocument } from '../../../js/src/cli/document.js';
import { mergeCommand, momentsCommand, momentsOf } from '../../../js/src/cli/moments.js';
import { readRange } from '../../../js/src/cli/rows.js';
import { Moments, tensor } from '../../../js/src/index.js';
import { bytesIn, expectFailure, npyOf, temporaryFolder } from '../support/cli.js';
import { normals } from '../support/random.js';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const X = normals(24 * 5, 9).map((value, i) => value + 10 ** (i % 5));
writeFileSync(at('x.npy'), npyOf(X, [24, 5]));

/** The statistics of a file. */
async function of(name: string, axis = [-1], rows?: string, elementsAsRows = false) {
  const document = await openDocument(at(name), { elementsAsRows });
  try {
    return await momentsOf(document, readRange(rows, document.rows), axis, true);
  } finally {
    await document.input.close();
  }
}

const json = (name: string) => JSON.parse(readFileSync(at(name), 'utf8'));

test('parts merge to the whole, in any order, to the last bit', async () => {
  const whole = new Moments().update(X, { shape: [24, 5] }).finalize();
  expect((await of('x.npy')).finalize()).toEqual(whole);
  for (const parts of [2, 3, 7, 24, 30]) {
    const merged = new Moments({ axis: -1 });
    for (let i = parts - 1; i >= 0; i--) merged.merge(await of('x.npy', [-1], `${i}/${parts}`));
    expect(merged.finalize()).toEqual(whole);
  }
});

test('16 bits, integers, other axes and formats', async () => {
  const bits = tensor(X, [24, 5], 'float16').array;
  writeFileSync(at('half.npy'), npyOf(bits, [24, 5], 'float16'));
  expect((await of('half.npy')).finalize()).toEqual(
    new Moments().update({ data: bits, shape: [24, 5], dtype: 'float16' }).finalize(),
  );
  const whole = Int16Array.from(X);
  writeFileSync(at('int.npy'), npyOf(whole, [4, 6, 5], 'int16'));
  expect((await of('int.npy', [1, 2])).finalize()).toEqual(
    new Moments({ axis: [1, 2] }).update(whole, { shape: [4, 6, 5] }).finalize(),
  );
  writeFileSync(at('x.csv'), `a,name\n${[...X].map((value, i) => `${value},"n, ${i}"`).join('\n')}`);
  expect((await of('x.csv')).finalize()).toEqual(new Moments().update(X, { shape: [120, 1] }).finalize());
});

test('one dimension: a row of features, or elements', async () => {
  writeFileSync(at('row.npy'), npyOf(X, [120]));
  const each = new Moments().update(X, { shape: [1, 120] }).finalize();
  expect((await of('row.npy')).finalize()).toEqual(each);
  expect((await of('row.npy', [0])).finalize()).toEqual(each);
  const all = new Moments({ axis: null }).update(X).finalize();
  expect((await of('row.npy', [], undefined, true)).finalize()).toEqual(all);
  expect((await of('x.npy', [], undefined, true)).finalize()).toEqual(all);
});

test('no rows have a shape as well', async () => {
  expect((await of('x.npy', [-1], '3:3')).finalize()).toMatchObject({
    shape: [5],
    count: new Float64Array(5),
  });
});

test('rows have no statistics of their own', async () => {
  await expectFailure(
    of('x.npy', [0]),
    '--axis 0 keeps statistics of each row, expected axes from 1 to 1, or none',
    2,
  );
  await expectFailure(of('x.npy', [-2, -1]), /keeps statistics of each row/, 2);
  await expect(of('x.npy', [5])).rejects.toThrow(/^Moments.update: axis 5 is out of bounds/);
});

describe('commands', () => {
  test('moments and merge, as bytes and as JSON', async () => {
    const part = (i: number) => ['--rows', `${i}/2`, '-o', at(`${i}.moments`)];
    await momentsCommand([at('x.npy'), ...part(0)]);
    await momentsCommand([at('x.npy'), ...part(1)]);
    await mergeCommand([at('1.moments'), at('0.moments'), '-o', at('all.moments')]);
    await mergeCommand([at('1.moments'), at('0.moments'), '-o', at('all.json')]);
    await momentsCommand([at('x.npy'), '-o', at('one.json')]);
    const { mean, variance, count } = new Moments().update(X, { shape: [24, 5] }).finalize();
    expect(json('one.json')).toEqual({
      axis: [-1],
      shape: [5],
      count: [...count],
      mean: [...mean],
      variance: [...variance],
    });
    expect(json('all.json')).toEqual(json('one.json'));
    expect(Moments.fromBytes(readFileSync(at('all.moments'))).finalize().mean).toEqual(mean);
    await expectFailure(
      mergeCommand([at('0.moments'), '-o', at('all.json')]),
      /there is a file of this name already/,
      2,
    );
    await mergeCommand([at('0.moments'), '-f', '-o', at('all.json')]);
    expect(json('all.json').count).toEqual([12, 12, 12, 12, 12]);
  });

  test('axis none', async () => {
    await momentsCommand([at('x.npy'), '--axis', 'none', '-o', at('none.json')]);
    expect(json('none.json')).toMatchObject({ axis: [], shape: [], count: [120] });
  });

  test('what does not fit', async () => {
    const other = new Moments().update(bytesIn(X).subarray(0, 8), { shape: [2, 4] });
    writeFileSync(at('other.moments'), other.toBytes());
    await expectFailure(
      mergeCommand([at('0.moments'), at('other.moments')]),
      `${at('other.moments')}: Moments.merge: other has the shape [4], expected [5]`,
    );
    await expectFailure(
      mergeCommand([at('0.moments'), at('all.moments'), '-f', '-o', join(folder, '.', 'all.moments')]),
      /all.moments: is read and written/,
      2,
    );
    await expectFailure(mergeCommand([]), 'the files of moments are missing', 2);
    await expectFailure(momentsCommand([]), 'the file to read is missing', 2);
  });
});
