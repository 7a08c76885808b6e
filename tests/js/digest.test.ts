// Tier: bitwise. What the package computes has the bits of the native build: each line of build/digest.txt, which
// `npm test -- --only digest` writes, is a hash of one kernel's output on inputs that are made here once more.
import { readFileSync } from 'node:fs';
import {
  batchNormBackward,
  batchNormForward,
  type DType,
  groupNormBackward,
  groupNormForward,
  layerNormBackward,
  layerNormForward,
  matryoshka,
  moments,
  rmsNormBackward,
  rmsNormForward,
  skipLayerNormForward,
  skipRmsNormForward,
  spectralNorm,
  spectralNormBackward,
  unitNormBackward,
  unitNormForward,
} from 'layernorm';
import { isSixteenBit } from '../../js/src/tensor/dtype.js';
import { copierOf } from '../../js/src/tensor/sixteen_bit.js';

const MASK = (1n << 64n) - 1n;

/** SplitMix64, as tests/cpp/support/random.h has it. */
class Random {
  #state: bigint;
  constructor(seed: number) {
    this.#state = BigInt(seed);
  }
  uniform(): number {
    this.#state = (this.#state + 0x9e3779b97f4a7c15n) & MASK;
    let z = this.#state;
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK;
    return Number((z ^ (z >> 31n)) >> 11n) * 2 ** -53;
  }
  normal(): number {
    let sum = -6;
    for (let n = 0; n < 12; n++) sum += this.uniform();
    return sum;
  }
}

/** The data sets of tests/cpp/support/datasets.h that need no function of a C library. */
const DATASETS: Record<string, (random: Random, i: number, cols: number) => number> = {
  'U(-1,3)': (r) => 4 * r.uniform() - 1,
  'N(0,1)': (r) => r.normal(),
  'U(0,1)': (r) => r.uniform(),
  'N(10,1)': (r) => 10 + r.normal(),
  'N(1e4,1)': (r) => 1e4 + r.normal(),
  'N(1e6,.1)': (r) => 1e6 + 0.1 * r.normal(),
  'x0=1e6': (r, i) => (i === 0 ? 1e6 : r.normal()),
  'outlier 1e6': (r, i, cols) => (i === Math.floor(cols / 2) ? 1e6 : r.normal()),
  'outlier 1e20': (r, i, cols) => (i === Math.floor(cols / 2) ? 1e20 : r.normal()),
  'const .1': () => 0.1,
  'const 1e7/3': () => 1e7 / 3,
  'N*1e30': (r) => 1e30 * r.normal(),
  'N*1e-30': (r) => 1e-30 * r.normal(),
  relu: (r) => Math.max(0, r.normal()),
};

/** FNV-1a, 64 bit, in which all NaNs count as zero bytes. */
function hash(values: Float32Array | Float64Array | Uint16Array, state: bigint): bigint {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const size = values.BYTES_PER_ELEMENT;
  for (let i = 0; i < bytes.length; i++) {
    const byte = Number.isNaN(values[Math.floor(i / size)]) ? 0 : (bytes[i] as number);
    state = ((state ^ BigInt(byte)) * 0x100000001b3n) & MASK;
  }
  return state;
}

const START = 0xcbf29ce484222325n;

const text = (state: bigint): string => state.toString(16).padStart(16, '0');

/** The arrays of parameters that go with a type, and what makes one of the type itself. */
function kindOf(dtype: DType): {
  TypedArray: Float32ArrayConstructor;
  narrowed: (numbers: Float32Array) => Float32Array;
} {
  const TypedArray = (dtype === 'float64' ? Float64Array : Float32Array) as Float32ArrayConstructor;
  const narrowed = (numbers: Float32Array): Float32Array => {
    if (!isSixteenBit(dtype)) return numbers;
    const bits = new Uint16Array(numbers.length);
    copierOf('float32', dtype)(bits, 0, numbers, 0, numbers.length);
    return bits as object as Float32Array;
  };
  return { TypedArray, narrowed };
}

const LINE =
  /^(backward )?(float32|float64|float16|bfloat16) ([\dx]+) axes=(\d+) affine=(\d) rms=(\d) (.+) ([0-9a-f]{16})$/;
const ABOUT_ZERO =
  /^(backward )?(rms|unit) (float32|float64|float16|bfloat16) ([\dx]+) axes=(\d+) affine=(\d) (.+) ([0-9a-f]{16})$/;
const CHANNELS =
  /^(backward )?(batch|group) (float32|float64|float16|bfloat16) ([\dx]+) groups=(\d+) affine=(\d) (.+) ([0-9a-f]{16})$/;

const SKIP =
  /^(skip|skip-rms) (float32|float64|float16|bfloat16) (\d+)x(\d+) skip=(\d+) affine=(\d) (.+) ([0-9a-f]{16})$/;

const MATRYOSHKA =
  /^matryoshka (float32|float64|float16|bfloat16) (\d+)x(\d+) keep=(\d+) (.+) ([0-9a-f]{16})$/;

interface Case {
  /** The line without its hash, and without `backward`. */
  what: string;
  dtype: DType;
  shape: number[];
  axes: number;
  affine: boolean;
  rmsScaling: boolean;
  dataset: string;
  /** The hashes of y, mean, rstd, and of dx, dgamma, dbeta. */
  forward?: string;
  backward?: string;
}

function compute({ dtype, shape, axes, affine, rmsScaling, dataset }: Case): Partial<Case> {
  const axis = shape.map((_, n) => n).filter((n) => (axes >> n) & 1);
  const size = shape.reduce((a, b) => a * b, 1);
  const cols = axis.reduce((product, n) => product * (shape[n] as number), 1);
  const { TypedArray, narrowed } = kindOf(dtype);
  const random = new Random(size * 31 + cols);
  const element = DATASETS[dataset] as (random: Random, i: number, cols: number) => number;
  const x = narrowed(TypedArray.from({ length: size }, (_, i) => element(random, i % cols, cols)));
  const gamma = TypedArray.from({ length: cols }, () => random.uniform() + 0.5);
  const beta = TypedArray.from({ length: cols }, () => random.uniform() - 0.5);
  const dy = narrowed(TypedArray.from({ length: size }, () => random.uniform() - 0.5));
  const options = { shape, axis, rmsScaling, dtype, ...(affine && { gamma }) };
  const { y, mean, rstd } = layerNormForward(x, { ...options, ...(affine && !rmsScaling && { beta }) });
  const { dx, dgamma } = layerNormBackward(dy, x, { ...options, mean, rstd, outputs: ['dx', 'dgamma'] });
  // There is no beta with rmsScaling, but the core sums dy all the same.
  const { dbeta } = layerNormBackward(dy, x, {
    ...options,
    rmsScaling: false,
    mean,
    rstd,
    outputs: ['dbeta'],
  });
  return {
    forward: text(hash(rstd, hash(mean, hash(y, START)))),
    backward: text(hash(dbeta, hash(dgamma, hash(dx, START)))),
  };
}

const lines = readFileSync(new URL('../../build/digest.txt', import.meta.url), 'utf8')
  .trim()
  .split('\n');

const SPECTRAL = /^(backward )?spectral (float32|float64|float16|bfloat16) (\d+)x(\d+) (.+) ([0-9a-f]{16})$/;

const cases = new Map<string, Case>();
for (const line of lines) {
  if ([SPECTRAL, CHANNELS, ABOUT_ZERO, SKIP, MATRYOSHKA].some((other) => other.test(line))) continue;
  const match = LINE.exec(line);
  if (match === null) throw new Error(`build/digest.txt has the line '${line}'`);
  const [, backward, dtype, sizes, axes, affine, rms, dataset, digest] = match as unknown as string[];
  const what = line.slice(backward?.length ?? 0, -17);
  const known = cases.get(what) ?? {
    what,
    dtype: dtype as DType,
    shape: (sizes as string).split('x').map(Number),
    axes: Number(axes),
    affine: affine === '1',
    rmsScaling: rms === '1',
    dataset: dataset as string,
  };
  cases.set(what, { ...known, [backward ? 'backward' : 'forward']: digest });
}

test('the file of digests has cases of every kind, each of them forward and backward', () => {
  expect(cases.size).toBeGreaterThan(1000);
  for (const one of cases.values()) {
    expect(one).toMatchObject({ forward: expect.any(String), backward: expect.any(String) });
  }
});

test.each(Object.keys(DATASETS))('%s: the bits of the native build', (name) => {
  // Normal numbers take twelve uniform ones each, slow in BigInt: large shapes with uniform data only.
  const limit = name.startsWith('U') || name.startsWith('const') ? 40_000 : 200;
  const chosen = [...cases.values()].filter(
    ({ dataset, shape }) => dataset === name && shape.reduce((a, b) => a * b, 1) <= limit,
  );
  expect(chosen.length).toBeGreaterThan(20);
  for (const one of chosen) expect({ ...one, ...compute(one) }).toEqual(one);
});

interface AboutZeroCase {
  unit: boolean;
  dtype: DType;
  shape: number[];
  axis: number[];
  affine: boolean;
  dataset: string;
}

/** The hashes of y and rstd, and of the gradients, of RMS or unit normalization. */
function computeAboutZero({ unit, dtype, shape, axis, affine, dataset }: AboutZeroCase): [string, string] {
  const length = shape.reduce((a, b) => a * b, 1);
  const cols = axis.reduce((product, n) => product * (shape[n] as number), 1);
  const random = new Random(length * 31 + cols);
  const element = DATASETS[dataset] as (random: Random, i: number, cols: number) => number;
  const { TypedArray, narrowed } = kindOf(dtype);
  const x = narrowed(TypedArray.from({ length }, (_, i) => element(random, i % cols, cols)));
  const gamma = TypedArray.from({ length: cols }, () => random.uniform() + 0.5);
  const dy = narrowed(TypedArray.from({ length }, () => random.uniform() - 0.5));
  if (unit) {
    const { y, rstd } = unitNormForward(x, { shape, axis, dtype });
    const { dx } = unitNormBackward(dy, x, { shape, axis, dtype, rstd });
    return [text(hash(rstd, hash(y, START))), text(hash(dx, START))];
  }
  const options = { shape, axis, dtype, ...(affine && { gamma }) };
  const { y, rstd } = rmsNormForward(x, options);
  const { dx, dgamma } = rmsNormBackward(dy, x, { ...options, rstd });
  return [text(hash(rstd, hash(y, START))), text(hash(dgamma, hash(dx, START)))];
}

test('operations about zero: the bits of the native build', () => {
  const digests = new Map<string, string>();
  const found: [string, AboutZeroCase][] = [];
  for (const line of lines) {
    const match = ABOUT_ZERO.exec(line);
    if (match === null) continue;
    const [, backward, kind, dtype, sizes, axes, affine, dataset] = match as unknown as string[];
    digests.set(line.slice(0, -17), line.slice(-16));
    const shape = (sizes as string).split('x').map(Number);
    if (backward || shape.reduce((a, b) => a * b, 1) > 400) continue;
    const axis = shape.map((_, n) => n).filter((n) => (Number(axes) >> n) & 1);
    const one = { unit: kind === 'unit', dtype: dtype as DType, shape, axis, affine: affine === '1' };
    found.push([line.slice(0, -17), { ...one, dataset: dataset as string }]);
  }
  expect(found.length).toBeGreaterThan(1000);
  for (const [what, one] of found) {
    const [forward, backward] = computeAboutZero(one);
    expect([what, forward, backward]).toEqual([what, digests.get(what), digests.get(`backward ${what}`)]);
  }
});

/** The hashes of y, u, v and sigma, and of the gradient, of a spectral norm. */
function computeSpectral(dtype: DType, rows: number, cols: number, dataset: string): [string, string] {
  const random = new Random(rows * 31 + cols);
  const element = DATASETS[dataset] as (random: Random, i: number, cols: number) => number;
  const { TypedArray, narrowed } = kindOf(dtype);
  const length = rows * cols;
  const kernel = narrowed(TypedArray.from({ length }, (_, i) => element(random, i % cols, cols)));
  const start = TypedArray.from({ length: cols }, () => random.uniform() - 0.5);
  const dy = narrowed(TypedArray.from({ length }, () => random.uniform() - 0.5));
  const options = { shape: [rows, cols], dtype };
  const { kernel: y, u, v, sigma } = spectralNorm(kernel, { ...options, u: start, powerIterations: 2 });
  const dkernel = spectralNormBackward(dy, kernel, { ...options, u, v, sigma });
  const forward = hash(TypedArray.of(sigma), hash(v, hash(u, hash(y, START))));
  return [text(forward), text(hash(dkernel, START))];
}

test('spectral norms: the bits of the native build', () => {
  const digests = new Map<string, string>();
  const found: [DType, number, number, string][] = [];
  for (const line of lines) {
    const match = SPECTRAL.exec(line);
    if (match === null) continue;
    const [, backward, dtype, rows, cols, dataset] = match as unknown as string[];
    digests.set(line.slice(0, -17), line.slice(-16));
    if (!backward && Number(rows) * Number(cols) <= 2000) {
      found.push([dtype as DType, Number(rows), Number(cols), dataset as string]);
    }
  }
  expect(found.length).toBeGreaterThan(200);
  for (const [dtype, rows, cols, dataset] of found) {
    const what = `spectral ${dtype} ${rows}x${cols} ${dataset}`;
    const [forward, backward] = computeSpectral(dtype, rows, cols, dataset);
    expect([what, forward, backward]).toEqual([what, digests.get(what), digests.get(`backward ${what}`)]);
  }
});

interface ChannelCase {
  batch: boolean;
  dtype: DType;
  /** [batch, before, channels, after] */
  shape: number[];
  groups: number;
  affine: boolean;
  dataset: string;
}

/** The hashes of y and the statistics, and of the gradients, of batch or group normalization. */
function computeChannels({ batch, dtype, shape, groups, affine, dataset }: ChannelCase): [string, string] {
  const [samples, before, channels, after] = shape as [number, number, number, number];
  const length = samples * before * channels * after;
  const random = new Random(length * 31 + channels);
  const element = DATASETS[dataset] as (random: Random, i: number, cols: number) => number;
  const { TypedArray, narrowed } = kindOf(dtype);
  const x = narrowed(TypedArray.from({ length }, (_, i) => element(random, i % channels, channels)));
  const gamma = TypedArray.from({ length: channels }, () => random.uniform() + 0.5);
  const beta = TypedArray.from({ length: channels }, () => random.uniform() - 0.5);
  const dy = narrowed(TypedArray.from({ length }, () => random.uniform() - 0.5));
  const options = { shape, axis: 2, dtype, ...(affine && { gamma }) };
  if (batch) {
    const { y, mean, rstd, variance } = batchNormForward(x, { ...options, ...(affine && { beta }) });
    const { dx, dgamma, dbeta } = batchNormBackward(dy, x, { ...options, mean, rstd });
    return [
      text(hash(variance, hash(rstd, hash(mean, hash(y, START))))),
      text(hash(dbeta, hash(dgamma, hash(dx, START)))),
    ];
  }
  const { y, mean, rstd } = groupNormForward(x, { ...options, groups, ...(affine && { beta }) });
  const { dx, dgamma, dbeta } = groupNormBackward(dy, x, { ...options, groups, mean, rstd });
  const apart = [samples, before, groups, (channels / groups) * after];
  const { variance } = moments(x, { shape: apart, axis: [1, 3], dtype });
  return [
    text(hash(variance, hash(rstd, hash(mean, hash(y, START))))),
    text(hash(dbeta, hash(dgamma, hash(dx, START)))),
  ];
}

test('batches, groups and moments: the bits of the native build', () => {
  const digests = new Map<string, string>();
  const found: [string, ChannelCase][] = [];
  for (const line of lines) {
    const match = CHANNELS.exec(line);
    if (match === null) continue;
    const [, backward, kind, dtype, sizes, groups, affine, dataset] = match as unknown as string[];
    digests.set(line.slice(0, -17), line.slice(-16));
    const shape = (sizes as string).split('x').map(Number);
    if (backward || shape.reduce((a, b) => a * b, 1) > 700) continue;
    const one = { batch: kind === 'batch', dtype: dtype as DType, shape, groups: Number(groups) };
    found.push([line.slice(0, -17), { ...one, affine: affine === '1', dataset: dataset as string }]);
  }
  expect(found.length).toBeGreaterThan(500);
  for (const [what, one] of found) {
    const [forward, backward] = computeChannels(one);
    expect([what, forward, backward]).toEqual([what, digests.get(what), digests.get(`backward ${what}`)]);
  }
});

interface SkipCase {
  rms: boolean;
  dtype: DType;
  rows: number;
  cols: number;
  skipRows: number;
  affine: boolean;
  dataset: string;
}

/** The hash of y, the sum and the statistics of a normalized sum. */
function computeSkip({ rms, dtype, rows, cols, skipRows, affine, dataset }: SkipCase): string {
  const random = new Random(rows * 31 + cols);
  const element = DATASETS[dataset] as (random: Random, i: number, cols: number) => number;
  const { TypedArray, narrowed } = kindOf(dtype);
  const numbers = (length: number, offset: number): Float32Array =>
    TypedArray.from({ length }, () => random.uniform() + offset);
  const x = narrowed(TypedArray.from({ length: rows * cols }, (_, i) => element(random, i % cols, cols)));
  const skip = narrowed(numbers(skipRows * cols, -0.5));
  const [bias, gamma, beta] = [numbers(cols, -0.5), numbers(cols, 0.5), numbers(cols, -0.5)];
  const shape = [rows / skipRows, skipRows, cols];
  const options = { shape, dtype, epsilon: 1e-3, ...(affine && { bias, gamma }) };
  if (rms) {
    const { y, sum, rstd } = skipRmsNormForward(x, skip, options);
    return text(hash(rstd, hash(sum, hash(y, START))));
  }
  const { y, sum, mean, rstd } = skipLayerNormForward(x, skip, { ...options, ...(affine && { beta }) });
  return text(hash(rstd, hash(mean, hash(sum, hash(y, START)))));
}

test('sums that are normalized: the bits of the native build', () => {
  const found: [string, string, SkipCase][] = [];
  for (const line of lines) {
    const match = SKIP.exec(line);
    if (match === null) continue;
    const [, kind, dtype, rows, cols, skipRows, affine, dataset, digest] = match as unknown as string[];
    const one = { rms: kind === 'skip-rms', dtype: dtype as DType, dataset: dataset as string };
    const sizes = { rows: Number(rows), cols: Number(cols), skipRows: Number(skipRows) };
    if (sizes.rows * sizes.cols > 1000) continue;
    found.push([line.slice(0, -17), digest as string, { ...one, ...sizes, affine: affine === '1' }]);
  }
  expect(found.length).toBeGreaterThan(500);
  for (const [what, digest, one] of found) expect([what, computeSkip(one)]).toEqual([what, digest]);
});

test('what is kept of embeddings: the bits of the native build', () => {
  let found = 0;
  for (const line of lines) {
    const match = MATRYOSHKA.exec(line);
    if (match === null) continue;
    const [, type, rowCount, colCount, kept, dataset, digest] = match as unknown as string[];
    const [rows, cols, dimensions] = [Number(rowCount), Number(colCount), Number(kept)];
    if (rows * cols > 1000) continue;
    const dtype = type as DType;
    const random = new Random(rows * 31 + cols);
    const element = DATASETS[dataset as string] as (random: Random, i: number, cols: number) => number;
    const { TypedArray, narrowed } = kindOf(dtype);
    const x = narrowed(TypedArray.from({ length: rows * cols }, (_, i) => element(random, i % cols, cols)));
    const y = matryoshka(x, { shape: [rows, cols], dtype, dimensions });
    expect([line, text(hash(y, START))]).toEqual([line, digest]);
    found++;
  }
  expect(found).toBeGreaterThan(200);
});
