import type { DocumentOptions } from '../../../js/src/cli/document.js';
import { openSafetensors } from '../../../js/src/cli/safetensors_file.js';
import type { DType } from '../../../js/src/index.js';
import { type FileDType, readSafetensorsHeader, safetensorsHeader } from '../../../js/src/io.js';
import { bytesIn, Collected, elementsOf, expectFailure, fileOf, streamOf } from '../support/cli.js';

const TENSORS: [name: string, dtype: FileDType, shape: number[], data: ArrayBufferView][] = [
  ['first', 'int64', [2], BigInt64Array.of(1n, -2n)],
  ['x', 'float32', [3, 2], Float32Array.of(1, 2, 3, 4, 5, 6)],
  ['half', 'bfloat16', [2], Uint16Array.of(0x3f80, 0x4000)],
  ['scalar', 'float64', [], Float64Array.of(7)],
];
const FILE = Buffer.concat([
  safetensorsHeader(
    TENSORS.map(([name, dtype, shape]) => ({ name, dtype, shape })),
    { format: 'pt' },
  ),
  ...TENSORS.map(([, , , data]) => bytesIn(data)),
]);
const ALL = { from: 0, to: 3 };

/** The file with 10 x in place of x. */
async function replaced(
  options: DocumentOptions,
  dtype: DType = 'float32',
  range = ALL,
  input = fileOf(FILE),
) {
  const output = new Collected();
  const document = await openSafetensors(input, { tensor: 'x', ...options });
  const replacement = document.replace(dtype, range);
  await replacement.before(output);
  const tenfold = (data: Float32Array) => {
    const values = data.map((value) => value * 10);
    return dtype === 'float64' ? Float64Array.from(values) : values;
  };
  for await (const { data, encode } of document.blocks(range)) {
    await output.write(encode(tenfold(data as Float32Array), dtype));
  }
  await replacement.after(output);
  return output.bytes;
}

/** Bytes of a tensor. */
function tensorIn(file: Buffer, name: string): Buffer {
  const entry = readSafetensorsHeader(file, file.length).tensors.get(name);
  return file.subarray(entry?.start, entry?.end);
}

test('one tensor is replaced, the others stay, in a file and in a stream', async () => {
  for (const input of [fileOf(FILE), fileOf(FILE, 3), streamOf(FILE, 11)]) {
    const file = await replaced({}, 'float64', ALL, input);
    const { tensors, metadata } = readSafetensorsHeader(file, file.length);
    expect([...tensors.keys()]).toEqual(['first', 'x', 'half', 'scalar']);
    expect([...metadata]).toEqual([['format', 'pt']]);
    expect(tensors.get('x')).toMatchObject({ dtype: 'float64', shape: [3, 2] });
    expect(tensorIn(file, 'x')).toEqual(Buffer.from(Float64Array.of(10, 20, 30, 40, 50, 60).buffer));
    for (const name of ['first', 'half', 'scalar'])
      expect(tensorIn(file, name)).toEqual(tensorIn(FILE, name));
  }
});

test('alone, and some rows of it', async () => {
  const file = await replaced({ only: true }, 'float32', { from: 1, to: 3 }, streamOf(FILE));
  const { tensors } = readSafetensorsHeader(file, file.length);
  expect([...tensors.keys()]).toEqual(['x']);
  expect(tensors.get('x')).toMatchObject({ dtype: 'float32', shape: [2, 2] });
  expect(tensorIn(file, 'x')).toEqual(Buffer.from(Float32Array.of(30, 40, 50, 60).buffer));
});

test('which tensor', async () => {
  await expectFailure(
    openSafetensors(fileOf(FILE), {}),
    "x: has 3 tensors of floats, expected --tensor with one of 'x', 'half', 'scalar'",
    2,
  );
  await expectFailure(
    openSafetensors(fileOf(FILE), { tensor: 'y' }),
    "x: has no tensor 'y', expected 'first', 'x', 'half', 'scalar'",
    2,
  );
  const one = Buffer.concat([
    safetensorsHeader([{ name: 'a', dtype: 'float16', shape: [1, 2] }]),
    Buffer.alloc(4),
  ]);
  const document = await openSafetensors(fileOf(one), {});
  expect(document).toMatchObject({ dtype: 'float16', rows: 1, rowShape: [2] });
  const none = Buffer.concat([
    safetensorsHeader([{ name: 'a', dtype: 'int8', shape: [1] }]),
    Buffer.alloc(1),
  ]);
  await expectFailure(openSafetensors(fileOf(none), {}), 'x: has no tensor of floats of 16, 32 or 64 bits');
  expect(
    await elementsOf((await openSafetensors(fileOf(FILE), { tensor: 'first' })).blocks({ from: 0, to: 1 })),
  ).toEqual([1, -2]);
  await expectFailure(
    openSafetensors(fileOf(FILE), { tensor: 'scalar' }),
    /tensor 'scalar': holds a single number/,
  );
});

test('types that are not computed with', async () => {
  const json = JSON.stringify({
    f8: { dtype: 'F8_E4M3', shape: [2], data_offsets: [0, 2] },
    x: { dtype: 'F32', shape: [1, 1], data_offsets: [2, 6] },
  });
  const file = Buffer.concat([Buffer.alloc(8), Buffer.from(json), Buffer.alloc(6)]);
  file.writeBigUInt64LE(BigInt(json.length), 0);
  await expectFailure(
    openSafetensors(fileOf(file), { tensor: 'f8' }),
    /is of type F8_E4M3, which cannot be computed with/,
  );
  const x = await openSafetensors(fileOf(file), {});
  expect(() => x.replace('float32', { from: 0, to: 1 })).toThrow(
    "x: tensor 'f8' is of type F8_E4M3, which cannot be written: --only leaves it out",
  );
  const alone = await openSafetensors(fileOf(file), { only: true });
  expect(() => alone.replace('float32', { from: 0, to: 1 })).not.toThrow();
});

test('files that are cut off', async () => {
  await expectFailure(
    openSafetensors(fileOf(FILE.subarray(0, -1)), {}),
    /^x: the safetensors header: .* cut off$/,
  );
  await expectFailure(replaced({}, 'float32', ALL, streamOf(FILE.subarray(0, -1))), 'stream: is cut off');
});
