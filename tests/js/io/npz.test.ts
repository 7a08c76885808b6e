import * as fflate from 'fflate';
import { npyHeader, writeNpy } from '../../../js/src/io/npy.js';
import { readNpz } from '../../../js/src/io/npz.js';
import { expectError } from '../support/errors.js';
import { expectRejection } from '../support/keras_files.js';
import { numpyFile } from '../support/numpy_files.js';

const gamma = Float32Array.from({ length: 8 }, (_, i) => 0.5 + (i * 1.5) / 7);

describe.each([
  ['plain.npz', ['gamma', 'beta']],
  ['compressed.npz', ['gamma', 'beta', 'zeros']],
])('%s of NumPy', (file, names) => {
  test.each([
    ['DecompressionStream', null],
    ['fflate', { unzip: fflate }],
  ])('with %s', async (_, options) => {
    const archive = readNpz(numpyFile(file), options);
    expect(archive.names).toEqual(names);
    expect(await archive.get('gamma')).toEqual({ data: gamma, shape: [8], dtype: 'float32' });
    expect((await archive.get('beta')).data[0]).toBe(-1);
    expect((await archive.get('gamma')).data).toEqual(gamma);
  });
});

test('an array may be asked for again and again', async () => {
  const archive = readNpz(numpyFile('compressed.npz'), { maxBytes: 20_200 });
  for (let i = 0; i < 3; i++) await archive.get('zeros');
  await expectRejection(
    archive.get('gamma'),
    'ERR_FILE',
    /^gamma.npy: it unpacks to 160 bytes, more than maxBytes allows/,
  );
});

test('a bomb is refused before it is unpacked', async () => {
  const shape = [400_000_000];
  const zip = fflate.zipSync({ 'x.npy': writeNpy(new Uint8Array(70_000_000)) }, { level: 9 });
  await expectRejection(
    readNpz(zip).get('x'),
    'ERR_FILE',
    /^x.npy: it unpacks from \d+ to 70000128 bytes, more than 200 times as many: a zip bomb$/,
  );
  const cut = fflate.zipSync({ 'x.npy': npyHeader({ dtype: 'int8', shape }) });
  await expectRejection(
    readNpz(cut).get('x'),
    'ERR_FILE',
    "'x.npy': int8 of shape [400000000] takes 400000000 bytes, and 0 follow the header: it is cut off",
  );
});

test('errors', async () => {
  const text = new TextEncoder().encode('no array at all');
  await expectRejection(
    readNpz(fflate.zipSync({ 'x.npy': text })).get('x'),
    'ERR_FILE',
    "'x.npy': it does not begin with \\x93NUMPY",
  );
  await expectRejection(
    readNpz(numpyFile('plain.npz')).get('delta'),
    'ERR_ARGUMENT',
    "NpzFile.get: there is no array 'delta', expected one of 'gamma', 'beta'",
  );
  expectError(
    () => readNpz(fflate.zipSync({ 'x.txt': text })),
    'ERR_FILE',
    "'x.txt': it is in the .npz file, expected .npy files alone",
  );
  expectError(() => readNpz(text), 'ERR_FILE', /^the directory of the zip file: it is missing/);
  expectError(() => readNpz(text, { unzip: {} as never }), 'ERR_ARGUMENT', /^readNpz: unzip is an Object/);
  expectError(() => readNpz(text, { maxBytes: -1 }), 'ERR_ARGUMENT', /^readNpz: maxBytes is -1/);
});
