// The reference of the stability lab against exact integers, and errors against the check that Explore makes.

import { layerNorm, rmsNorm } from 'layernorm';
import { groupsOf, layoutOf } from '../../../web-demo/src/compute/groups.js';
import { checkGroups } from '../../../web-demo/src/compute/reference.js';
import { compare } from '../../../web-demo/src/stability/compare.js';
import { keptOf, normalNumbers, placeOf, RowMaker } from '../../../web-demo/src/stability/row.js';
import { DEFAULTS, type Method, type Settings } from '../../../web-demo/src/stability/settings.js';
import { truthOf } from '../../../web-demo/src/stability/truth.js';

const make = (settings: Partial<Settings>) => new RowMaker().make({ ...DEFAULTS, ...settings });

/** A float64 times 2^1074, which is an integer. */
function integerOf(value: number): bigint {
  const bits = new BigUint64Array(Float64Array.of(Math.abs(value)).buffer)[0] as bigint;
  const exponent = bits >> 52n;
  const fraction = bits & ((1n << 52n) - 1n);
  const magnitude = exponent === 0n ? fraction : ((1n << 52n) | fraction) << (exponent - 1n);
  return value < 0 ? -magnitude : magnitude;
}

function integerRoot(square: bigint): bigint {
  if (square < 2n) return square;
  let root = 1n << BigInt((square.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (root + square / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

const DIGITS = 400n;
const UNIT = 1074n;

/** y times 2^400, rounded down. The sums are exact: y^2 = d^2 n / (sum of d^2 + epsilon n^3), d = n x - sum of x. */
function exactly(
  x: Float64Array,
  epsilon: number,
  method: Method,
): { y: bigint[]; variance: [bigint, bigint] } {
  const n = BigInt(x.length);
  const integers = [...x].map(integerOf);
  const total = method === 'layer' ? integers.reduce((sum, value) => sum + value, 0n) : 0n;
  const deviations = integers.map((value) => n * value - total);
  const squares = deviations.reduce((sum, d) => sum + d * d, 0n);
  const below = squares + ((integerOf(epsilon) * n * n * n) << UNIT);
  const y = deviations.map((d) => {
    const root = integerRoot(((d * d * n) << (2n * DIGITS)) / below);
    return d < 0n ? -root : root;
  });
  return { y, variance: [squares, n * n * n] };
}

const CASES: (Partial<Settings> & { name: string })[] = [
  { name: 'ordinary', offset: 0 },
  { name: 'near 10^4' },
  { name: 'RMS', method: 'rms' },
  { name: 'near 10^12 in float64', type: 'float64', offset: 1e12 },
  { name: 'float64 where nearly nothing is kept', type: 'float64', offset: 1e15, length: 32 },
  { name: 'outlier', offset: 0, outlier: 1e30 },
  { name: 'outlier without a mean', offset: 0, outlier: 1e30, method: 'rms' },
  { name: 'squares beyond float64', type: 'float64', offset: 1e200, spread: 1e195 },
  { name: 'denormals', offset: 0, spread: 1e-40, epsilon: 0 },
  { name: 'denormals of float64', type: 'float64', offset: 0, spread: 1e-310, epsilon: 0 },
  { name: 'small numbers beside epsilon', offset: 0, spread: 1e-12, epsilon: 1 },
  { name: 'float16 near its end', type: 'float16', offset: 65000, spread: 100 },
  { name: 'two', length: 2, offset: 3 },
];

test.each(CASES)('$name: the reference has 28 digits', ({ name: _, ...chosen }) => {
  const settings = { ...DEFAULTS, length: 64, ...chosen };
  const { epsilon, method } = settings;
  const x = make(settings);
  const truth = truthOf(x, epsilon, method);
  const exact = exactly(x, epsilon, method);
  x.forEach((_, i) => {
    // Both times 2^1074.
    const got = integerOf(truth.y[i] as number) + integerOf(truth.rest[i] as number);
    const expected = (exact.y[i] as bigint) << (UNIT - DIGITS);
    const error = got > expected ? got - expected : expected - got;
    const size = expected < 0n ? -expected : expected;
    // Relative to y, and to the largest y where the mean cancels out.
    const scale = size > 1n << UNIT || method === 'rms' ? size : 1n << (UNIT - 60n);
    expect(error * 10n ** 28n).toBeLessThanOrEqual(scale > size ? scale : size);
  });
  const [squares, cubed] = exact.variance;
  if (truth.variance > 1e-290 && truth.variance < 1e300) {
    const got = (integerOf(truth.variance) * cubed) << UNIT;
    const error = got > squares ? got - squares : squares - got;
    expect(error * 10n ** 15n).toBeLessThan(squares);
  }
});

test('rows with NaN or infinities give what the formula gives', () => {
  const row = (special: Settings['special'], method: Method) => {
    const x = make({ special, length: 8, method });
    return truthOf(x, 1e-5, method);
  };
  expect([...row('inf', 'layer').y].every(Number.isNaN)).toBe(true);
  expect(row('inf', 'layer').mean).toBe(Number.POSITIVE_INFINITY);
  expect([...row('nan', 'rms').y].every(Number.isNaN)).toBe(true);
  const { y } = row('-inf', 'rms');
  expect([...y].map((value) => (Number.isNaN(value) ? 'NaN' : value))).toEqual([0, 0, 0, 0, 0, 0, 'NaN', 0]);
  expect([...truthOf(new Float64Array(4).fill(7), 0, 'layer').y].every(Number.isNaN)).toBe(true);
});

test.each(['layer', 'rms'] as const)('errors are counted as Explore counts them, %s', (method) => {
  for (const offset of [0, 10, 1e4]) {
    const x = make({ offset });
    const single = Float32Array.from(x);
    const y = (method === 'layer' ? layerNorm : rmsNorm)(single, {
      epsilon: 1e-5,
    }) as Float32Array<ArrayBuffer>;
    y[7] = (y[7] as number) * 1.001;
    const groups = groupsOf(layoutOf([1, 256], { method, axis: [1], groups: 1 }, true));
    const call = { method, x: single, y, groups, epsilon: 1e-5, gamma: undefined, beta: undefined };
    const { ulp } = checkGroups(call, 0, 1, { absolute: 0, ulp: 0, notFinite: 0 });
    const compared = compare(Float64Array.from(y), truthOf(x, 1e-5, method), 'float32', method);
    expect(compared.ulp / ulp).toBeCloseTo(1, 6);
    expect(compared.ulp).toBeGreaterThan(100);
  }
});

test('what is no number, and what should be none, is counted', () => {
  const x = make({ length: 4 });
  const truth = truthOf(x, 1e-5, 'layer');
  const y = Float64Array.from(truth.y, Math.fround);
  expect(compare(y, truth, 'float32', 'layer')).toMatchObject({ notFinite: 0, missing: 0, invented: 0 });
  y[1] = Number.NaN;
  y[2] = Number.POSITIVE_INFINITY;
  expect(compare(y, truth, 'float32', 'layer')).toEqual({
    ulp: Number.POSITIVE_INFINITY,
    notFinite: 2,
    missing: 2,
    invented: 0,
  });
  const none = truthOf(make({ length: 4, special: 'nan' }), 1e-5, 'layer');
  expect(compare(Float64Array.of(0, Number.NaN, 1, 2), none, 'float32', 'layer')).toEqual({
    ulp: 0,
    notFinite: 1,
    missing: 0,
    invented: 3,
  });
});

describe('rows', () => {
  test('are the same for a seed, and start as longer ones do', () => {
    expect(normalNumbers(5, 8)).toEqual(normalNumbers(5, 64).slice(0, 8));
    expect(normalNumbers(5, 1)).toEqual(normalNumbers(5, 2).slice(0, 1));
    expect(normalNumbers(5, 8)).not.toEqual(normalNumbers(6, 8));
  });

  test('have the distribution that they are said to have', () => {
    const values = normalNumbers(1, 65536);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    const within = values.filter((value) => Math.abs(value) < 1).length / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.012);
    expect(Math.abs(variance - 1)).toBeLessThan(0.02);
    expect(within).toBeCloseTo(0.683, 1);
  });

  test('are rounded to their type with the constant', () => {
    const x = make({ type: 'float16', offset: 2048 });
    // float16 numbers from 2048 on are 2 apart, below 1.
    expect([...x].every((value) => Number.isInteger(value) && (value < 2048 || value % 2 === 0))).toBe(true);
    const kept = keptOf(x, { ...DEFAULTS, type: 'float16', offset: 2048 });
    expect(kept).toMatchObject({ spacing: 2, digits: 0, distinct: new Set(x).size });
    expect(keptOf(make({}), DEFAULTS).digits).toBeCloseTo(Math.log10(1 / 2 ** -10), 6);
    expect(new Set(make({ spread: 0 }))).toEqual(new Set([1e4]));
    expect(make({ type: 'float16', offset: 1e5 })[0]).toBe(Number.POSITIVE_INFINITY);
  });

  test('have the outlier and the special value where it is said', () => {
    const x = make({ outlier: 1e30, special: '-inf' });
    expect(x[3]).toBe(Math.fround(1e30));
    expect(x[6]).toBe(Number.NEGATIVE_INFINITY);
    expect(x.filter((value) => Math.abs(value) > 2e4).length).toBe(2);
    expect([placeOf('outlier', 1), placeOf('special', 4)]).toEqual([0, 3]);
    expect(make({ length: 1, outlier: 1e30, special: 'nan' })[0]).toBeNaN();
  });
});
