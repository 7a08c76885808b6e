import { readBinaryRows } from '../../../js/src/cli/binary.js';
import {
  checkAxes,
  checkMethod,
  METHODS,
  type Normalization,
  normalizer,
} from '../../../js/src/cli/normalizer.js';
import { bytesOf, pump } from '../../../js/src/cli/rows.js';
import {
  batchNorm,
  type DType,
  groupNorm,
  instanceNorm,
  layerNorm,
  Moments,
  rmsNorm,
  tensor,
  unitNorm,
} from '../../../js/src/index.js';
import type { FileDType } from '../../../js/src/io.js';
import { bytesIn, Collected, fileOf } from '../support/cli.js';
import { normals } from '../support/random.js';
import { layerNormReference } from '../support/reference.js';
import { maxUlpError } from '../support/ulp.js';

const ROWS = 7;
const ROW_SHAPE = [6, 5];
const SHAPE = [ROWS, ...ROW_SHAPE];
const X = normals(ROWS * 30, 3).map((value) => value * 2 + 3);
const GAMMA = normals(5, 4);
const BETA = normals(5, 5);

/** What becomes of x, streamed in blocks of `rows` rows. */
async function streamed(
  how: Normalization,
  rows: number,
  x: ArrayBufferView & { readonly length: number } = X,
  from: FileDType = 'float32',
  to: DType = 'float32',
  threads = false,
): Promise<Buffer> {
  const output = new Collected();
  const source = {
    input: fileOf(bytesIn(x)),
    start: 0,
    dtype: from,
    littleEndian: true,
    rowShape: ROW_SHAPE,
  };
  const blocks = readBinaryRows(source, { from: 0, to: ROWS }, (rows * x.byteLength) / ROWS);
  await pump(blocks, normalizer({ how, rowShape: ROW_SHAPE, from, to, threads }), to, output, () => {});
  return output.bytes;
}

const buffer = (array: ArrayBufferView) => Buffer.from(bytesIn(array));

describe('in blocks of rows as all at once, to the bit', () => {
  const all = { shape: SHAPE };
  const cases: [string, Normalization, Float32Array][] = [
    ['layer', { method: 'layer' }, layerNorm(X, all)],
    [
      'layer, gamma, beta',
      { method: 'layer', gamma: GAMMA, beta: BETA, epsilon: 1e-5 },
      layerNorm(X, { ...all, gamma: GAMMA, beta: BETA, epsilon: 1e-5 }),
    ],
    ['layer, axis 1', { method: 'layer', axis: [1] }, layerNorm(X, { ...all, axis: 1 })],
    ['layer, axes 1 and 2', { method: 'layer', axis: [1, -1] }, layerNorm(X, { ...all, axis: [1, 2] })],
    ['rms', { method: 'rms', gamma: GAMMA }, rmsNorm(X, { ...all, gamma: GAMMA })],
    ['unit', { method: 'unit', axis: [1] }, unitNorm(X, { ...all, axis: 1 })],
    ['group', { method: 'group', axis: [1], groups: 3 }, groupNorm(X, { ...all, axis: 1, groups: 3 })],
    ['instance', { method: 'instance', gamma: GAMMA }, instanceNorm(X, { ...all, gamma: GAMMA })],
  ];
  test.each(cases)('%s', async (_, how, expected) => {
    for (const rows of [1, 2, 3, 7, 100]) expect(await streamed(how, rows)).toEqual(buffer(expected));
    expect(await streamed(how, 2, X, 'float32', 'float32', true)).toEqual(buffer(expected));
  });
});

describe('types', () => {
  const how: Normalization = { method: 'layer' };
  const bits = (dtype: DType, x: Float32Array = X) => tensor(x, SHAPE, dtype).array;

  test.each(['float16', 'bfloat16'] as const)('%s', async (dtype) => {
    const x = bits(dtype);
    const given = { data: x, shape: SHAPE, dtype };
    for (const rows of [1, 2, 7]) {
      expect(await streamed(how, rows, x, dtype, dtype)).toEqual(buffer(layerNorm(given).data));
      expect(await streamed(how, rows, x, dtype, 'float32')).toEqual(
        buffer(layerNorm(given, { dtype: 'float32' }).data),
      );
      expect(await streamed(how, rows, X, 'float32', dtype)).toEqual(
        buffer(layerNorm({ data: X, shape: SHAPE }, { dtype }).data),
      );
      expect(await streamed(how, rows, x, dtype, dtype, true)).toEqual(buffer(layerNorm(given).data));
    }
  });

  test('integers', async () => {
    const x = Int32Array.from(X, (value) => Math.round(value * 100));
    const expected = buffer(layerNorm(x, { shape: SHAPE }));
    expect(await streamed(how, 2, x, 'int32')).toEqual(expected);
    expect(await streamed(how, 2, x, 'int32', 'float32', true)).toEqual(expected);
    const long = BigInt64Array.from(x, BigInt);
    expect(await streamed(how, 2, long, 'int64')).toEqual(expected);
    expect(await streamed(how, 3, x, 'int32', 'float64')).toEqual(
      buffer(layerNorm(Float64Array.from(x), { shape: SHAPE })),
    );
  });
});

describe('batch', () => {
  const momentsOf = (x: Float32Array) => new Moments({ axis: -1 }).update(x, { shape: SHAPE }).finalize();

  test('in float64 by the statistics of all rows, rounded once', async () => {
    const moments = momentsOf(X);
    const { mean, variance } = moments;
    const wide = batchNorm(Float64Array.from(X), { shape: SHAPE, mean, variance, gamma: GAMMA, beta: BETA });
    const how: Normalization = { method: 'batch', moments, gamma: GAMMA, beta: BETA };
    for (const rows of [1, 3, 7]) {
      for (const threads of [false, true]) {
        expect(await streamed(how, rows, X, 'float32', 'float32', threads)).toEqual(
          buffer(Float32Array.from(wide)),
        );
        expect(await streamed(how, rows, X, 'float32', 'float64', threads)).toEqual(buffer(wide));
        const half = tensor(wide, undefined, 'float16').array;
        expect(await streamed(how, rows, X, 'float32', 'float16', threads)).toEqual(buffer(half));
      }
    }
  });

  test('far from zero it is right to the last digit, where a mean in float32 has lost four', async () => {
    const far = X.map((value) => value + 1e5);
    // Normalized over the rows, as if each feature were a row.
    const features = 5;
    const turned = Float32Array.from(
      far,
      (_, i) => far[(i % (ROWS * 6)) * features + Math.floor(i / (ROWS * 6))] as number,
    );
    const { y } = layerNormReference(turned, [features, ROWS * 6], { axes: [1] });
    const expected = Float64Array.from(
      far,
      (_, i) => y[(i % features) * ROWS * 6 + Math.floor(i / features)] as number,
    );
    const bytes = await streamed({ method: 'batch', moments: momentsOf(far) }, 2, far);
    const got = new Float32Array(new Uint8Array(bytes).buffer);
    expect(maxUlpError(got, expected)).toBeLessThanOrEqual(0.5 + 1e-3);
  });
});

test('what is wrong with the options is told before there is a row', () => {
  const make = (how: Normalization) => () =>
    normalizer({ how, rowShape: ROW_SHAPE, from: 'float32', to: 'float32' });
  expect(make({ method: 'layer', axis: [3] })).toThrow(/^layerNorm: axis 3 is out of bounds/);
  expect(make({ method: 'layer', gamma: normals(4) })).toThrow(/^layerNorm: gamma has/);
  expect(make({ method: 'group', groups: 4, axis: [1] })).toThrow(/^groupNorm: /);
  expect(make({ method: 'group', axis: [1, 2] })).toThrow(
    /^groupNorm: axis is \[1, 2\], expected an integer/,
  );
  expect(make({ method: 'rms', epsilon: -1 })).toThrow(/^rmsNorm: epsilon is -1/);
});

test('a block that is smaller than the one before gets what is its own', () => {
  const apply = normalizer({ how: { method: 'unit' }, rowShape: [2], from: 'float32', to: 'float64' });
  const block = (...data: number[]) => ({
    rows: data.length / 2,
    data: Float32Array.from(data),
    encode: bytesOf,
  });
  expect(apply(block(0, 4, 6, 0))).toEqual(Float64Array.of(0, 1, 1, 0));
  expect(apply(block(0, 2))).toEqual(Float64Array.of(0, 1));
  expect(apply(block(5, 0))).toEqual(Float64Array.of(1, 0));
});

describe('checks', () => {
  test('each option is for some methods', () => {
    const taken = METHODS.map((method) => {
      const takes = (name: string) => {
        try {
          checkMethod(method, { [name]: 'x' });
          return true;
        } catch {
          return false;
        }
      };
      return [method, ...['gamma', 'beta', 'groups', 'moments'].filter(takes)];
    });
    expect(taken).toEqual([
      ['layer', 'gamma', 'beta'],
      ['rms', 'gamma'],
      ['unit'],
      ['instance', 'gamma', 'beta'],
      ['group', 'gamma', 'beta', 'groups'],
      ['batch', 'gamma', 'beta', 'moments'],
    ]);
    expect(() => checkMethod('rms', { beta: 'b.npy' })).toThrow('--beta is not for --method rms');
  });

  test('rows that depend on each other', () => {
    for (const method of METHODS) {
      expect(() => checkAxes({ method, axis: [-1] }, 3)).not.toThrow();
      expect(() => checkAxes({ method }, 3)).not.toThrow();
      for (const axis of [[0], [-3], [1, 0]])
        expect(() => checkAxes({ method, axis }, 3)).toThrow(/^--axis /);
    }
    expect(() => checkAxes({ method: 'layer', axis: [0] }, 3)).toThrow(
      '--axis 0 goes over all rows, expected axes from 1 to 2: the statistics of all rows are those of --method batch',
    );
  });
});
