import { openNpy } from '../../../js/src/cli/npy_file.js';
import { readNpyHeader } from '../../../js/src/io.js';
import { Collected, elementsOf, expectFailure, fileOf, npyOf, streamOf } from '../support/cli.js';

const X = Float32Array.of(1, 2, 3, 4, 5, 6);
const ALL = { from: 0, to: 3 };

/** The header that a file gets in place of x's. */
async function headerOf(bytes: Buffer, dtype: 'float32' | 'float64' | 'bfloat16', range = ALL) {
  const output = new Collected();
  await (await openNpy(fileOf(bytes), {})).replace(dtype, range).before(output);
  return readNpyHeader(output.bytes);
}

test('rows and headers', async () => {
  for (const input of [fileOf(npyOf(X, [3, 2])), streamOf(npyOf(X, [3, 2]))]) {
    const document = await openNpy(input, {});
    expect(document).toMatchObject({ rows: 3, rowShape: [2], isRow: false, dtype: 'float32' });
    expect(await elementsOf(document.blocks(ALL))).toEqual([...X]);
  }
  expect(await headerOf(npyOf(X, [3, 2]), 'float64')).toMatchObject({ dtype: 'float64', shape: [3, 2] });
  expect(await headerOf(npyOf(X, [3, 1, 2]), 'float32', { from: 1, to: 2 })).toMatchObject({
    shape: [1, 1, 2],
  });
  expect(await headerOf(npyOf(X, [6]), 'float32', { from: 0, to: 1 })).toMatchObject({ shape: [6] });
});

test('one dimension is one row, or as many rows as elements', async () => {
  expect(await openNpy(fileOf(npyOf(X, [6])), {})).toMatchObject({ rows: 1, rowShape: [6], isRow: true });
  const elements = await openNpy(fileOf(npyOf(X, [6])), { elementsAsRows: true });
  expect(elements).toMatchObject({ rows: 6, rowShape: [], isRow: false });
  expect(await elementsOf(elements.blocks({ from: 2, to: 4 }))).toEqual([3, 4]);
});

test('what cannot be read, or written', async () => {
  const fortran = Buffer.from(npyOf(X, [3, 2]).toString('latin1').replace('False', 'True '), 'latin1');
  await expectFailure(
    openNpy(fileOf(fortran), {}),
    /^x: its columns lie one after the other \(Fortran order\)/,
  );
  await expectFailure(openNpy(fileOf(npyOf(X, [])), {}), /^x: the .npy file: /);
  await expectFailure(openNpy(fileOf(npyOf(X.subarray(0, 1), [])), {}), /holds a single number/);
  await expectFailure(
    openNpy(fileOf(npyOf(X, [3, 2]).subarray(0, 140)), {}),
    /12 follow the header: it is cut off$/,
  );
  await expectFailure(openNpy(streamOf(npyOf(X, [3, 2]).subarray(0, 50)), {}), /it is cut off/);
  expect(() => npyOf(X, [3, 2], 'bfloat16')).toThrow(/bfloat16/);
  await expect(headerOf(npyOf(X, [3, 2]), 'bfloat16')).rejects.toThrow(
    /float32, which holds the same numbers/,
  );
});

test('a stream that goes on after the array', async () => {
  const document = await openNpy(streamOf(Buffer.concat([npyOf(X, [3, 2]), Buffer.from('x')])), {});
  await elementsOf(document.blocks(ALL));
  await expectFailure(
    document.replace('float32', ALL).after(new Collected()),
    /^stream: goes on after the array/,
  );
});
