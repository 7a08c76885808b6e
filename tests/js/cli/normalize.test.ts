import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { momentsCommand } from '../../../js/src/cli/moments.js';
import { normalizeCommand } from '../../../js/src/cli/normalize.js';
import { batchNorm, groupNorm, layerNorm, Moments, rmsNorm } from '../../../js/src/index.js';
import { readNpyHeader } from '../../../js/src/io.js';
import { expectFailure, npyOf, temporaryFolder } from '../support/cli.js';
import { normals } from '../support/random.js';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const SHAPE = [6, 4, 3];
const X = normals(72, 2);
writeFileSync(at('x.npy'), npyOf(X, SHAPE));
writeFileSync(at('g.npy'), npyOf(Float32Array.of(1, 2, 3), [3]));

const normalize = (...args: string[]) => normalizeCommand([...args, '-q']);

/** The elements of a .npy file. */
function elements(name: string, type: 'Float32Array' | 'Float64Array' = 'Float32Array') {
  const bytes = readFileSync(at(name));
  const { dataOffset, shape } = readNpyHeader(bytes, bytes.length);
  return {
    shape,
    data: new { Float32Array, Float64Array }[type](new Uint8Array(bytes.subarray(dataOffset)).buffer),
  };
}

test('options arrive', async () => {
  await normalize(at('x.npy'), '-o', at('y.npy'));
  expect(elements('y.npy')).toEqual({ shape: SHAPE, data: layerNorm(X, { shape: SHAPE }) });
  await normalize(at('x.npy'), '-fo', at('y.npy'), '-m', 'rms', '--epsilon', '0.5', '--gamma', at('g.npy'));
  const gamma = Float32Array.of(1, 2, 3);
  expect(elements('y.npy').data).toEqual(rmsNorm(X, { shape: SHAPE, epsilon: 0.5, gamma }));
  await normalize(at('x.npy'), '-fo', at('y.npy'), '--axis', '-1,-2', '--dtype', 'float64');
  expect(elements('y.npy', 'Float64Array').data).toEqual(
    layerNorm(Float64Array.from(X), { shape: SHAPE, axis: [1, 2] }),
  );
  await normalize(at('x.npy'), '-fo', at('y.npy'), '--method=group', '--axis=1', '--groups=2');
  expect(elements('y.npy').data).toEqual(groupNorm(X, { shape: SHAPE, axis: 1, groups: 2 }));
});

test('the output may be the input', async () => {
  writeFileSync(at('same.npy'), npyOf(X, SHAPE));
  await expectFailure(
    normalize(at('same.npy'), '-o', at('same.npy')),
    /there is a file of this name already/,
    2,
  );
  expect(readFileSync(at('same.npy'))).toEqual(npyOf(X, SHAPE));
  await normalize(at('same.npy'), '-f', '-o', at('same.npy'));
  expect(elements('same.npy').data).toEqual(layerNorm(X, { shape: SHAPE }));
});

test('a single row', async () => {
  writeFileSync(at('row.npy'), npyOf(X, [72]));
  for (const axis of [[], ['--axis', '0'], ['--axis', '-1']]) {
    await normalize(at('row.npy'), '-f', '-o', at('y.npy'), ...axis);
    expect(elements('y.npy')).toEqual({ shape: [72], data: layerNorm(X) });
  }
});

test('shards side by side are the whole, with the moments of all', async () => {
  await momentsCommand([at('x.npy'), '-o', at('all.moments')]);
  const { mean, variance } = new Moments().update(X, { shape: SHAPE }).finalize();
  const expected = Float32Array.from(batchNorm(Float64Array.from(X), { shape: SHAPE, mean, variance }));
  await normalize(at('x.npy'), '-m', 'batch', '-o', at('whole.npy'));
  expect(elements('whole.npy').data).toEqual(expected);
  const parts = [];
  for (let i = 0; i < 4; i++) {
    await normalize(
      at('x.npy'),
      '-m',
      'batch',
      '--moments',
      at('all.moments'),
      '--rows',
      `${i}/4`,
      '-f',
      '-o',
      at('y.npy'),
    );
    parts.push(...elements('y.npy').data);
  }
  expect(Float32Array.from(parts)).toEqual(expected);
});

test('moments of other axes', async () => {
  await momentsCommand([at('x.npy'), '--axis', '1', '-o', at('one.moments')]);
  const batch = (...args: string[]) =>
    normalize(at('x.npy'), '-m', 'batch', '--moments', at('one.moments'), '-f', '-o', at('y.npy'), ...args);
  await batch();
  const { mean, variance } = new Moments({ axis: 1 }).update(X, { shape: SHAPE }).finalize();
  const wide = batchNorm(Float64Array.from(X), { shape: SHAPE, axis: 1, mean, variance });
  expect(elements('y.npy').data).toEqual(Float32Array.from(wide));
  await batch('--axis', '-2');
  await expectFailure(
    batch('--axis', '2'),
    /one.moments: keeps axis 1, expected the one of the channels, 2$/,
    2,
  );
  await momentsCommand([at('x.npy'), '--rows', '3:3', '-o', at('none.moments')]);
  await expectFailure(
    normalize(at('x.npy'), '-m', 'batch', '--moments', at('none.moments'), '-o', at('z.npy')),
    `${at('none.moments')}: counts no rows`,
  );
  await expectFailure(
    normalize(at('x.npy'), '-m', 'batch', '--axis', '1,2', '-o', at('z.npy')),
    /names several axes/,
    2,
  );
});

test('a text keeps its other columns', async () => {
  writeFileSync(at('t.csv'), 'id,a,b\nx,3,4\ny,0,8\n');
  await normalize(at('t.csv'), '-m', 'unit', '--columns', 'b', '-o', at('u.csv'));
  expect(readFileSync(at('u.csv'), 'utf8')).toBe('id,a,b\nx,3,1\ny,0,1\n');
  await normalize(at('t.csv'), '-m', 'unit', '--dtype', 'float16', '-fo', at('u.csv'));
  expect(readFileSync(at('u.csv'), 'utf8')).toBe('id,a,b\nx,0.60009766,0.7998047\ny,0,1\n');
});

test('what is wrong with a batch is told before its first pass', async () => {
  writeFileSync(at('late.csv'), `a,b\n1,2\n${'3,4\n'.repeat(100_000)}x,5\n`);
  const batch = (...args: string[]) => normalize(at('late.csv'), '-m', 'batch', '-o', at('z.csv'), ...args);
  await expect(batch('--gamma', at('g.npy'))).rejects.toThrow(/^batchNorm: gamma has/);
  await expectFailure(batch('-o', at('y.npy')), /y.npy: would be a csv file/, 2);
  await expectFailure(
    normalize(at('late.csv'), '-m', 'batch', '-o', at('t.csv')),
    /there is a file of this name/,
    2,
  );
  await expectFailure(batch(), /line 100003, column 1 \(a\): there is 'x'/);
});

test('nothing is left of what fails', async () => {
  writeFileSync(at('bad.csv'), `a\n${'1\n'.repeat(300_000)}x\n`);
  const before = readdirSync(folder);
  await expectFailure(
    normalize(at('bad.csv'), '-o', at('z.csv')),
    /line 300002, column 1 \(a\): there is 'x', expected a number$/,
  );
  for (const [message, ...args] of [
    ['-o is missing: the file to write, or - for stdout'],
    ["--method is 'x', expected layer, rms, unit, instance, group, batch", '-o', at('z'), '-m', 'x'],
    ['--groups is not for --method layer', '-o', at('z'), '--groups', '2'],
    ['z.csv: would be a npy file: the output has the format of the input', '-o', 'z.csv'],
    ["--dtype is 'int8', expected float16, bfloat16, float32, float64", '-o', at('z'), '--dtype', 'int8'],
  ] as const) {
    await expectFailure(normalize(at('x.npy'), ...args), message, 2);
  }
  await expect(normalize(at('x.npy'), '-o', at('z'), '--axis', '9')).rejects.toThrow(
    /^layerNorm: axis 9 is out of bounds/,
  );
  await expect(normalize(at('x.npy'), '-o', at('z'), '--dtype', 'bfloat16')).rejects.toThrow(
    /float32, which holds the same numbers/,
  );
  expect(readdirSync(folder)).toEqual(before);
});
