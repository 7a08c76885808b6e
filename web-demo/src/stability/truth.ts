// What is right: the formula with about 30 digits, each number as the sum of two float64 (Dekker 1971). The page calls it the
// float64 reference; that it has more digits lets it judge float64 as well.

import type { Method } from './settings.js';

/** hi + lo, where lo is what hi has no room for. */
type Double = readonly [hi: number, lo: number];

export interface Truth {
  readonly mean: number;
  /** With RMS normalization the mean square. */
  readonly variance: number;
  /** The results, and what float64 has no room for. */
  readonly y: Float64Array;
  readonly rest: Float64Array;
}

/** Of a row whose length is a power of two, so that dividing by it is exact. */
export function truthOf(x: Float64Array, epsilon: number, method: Method): Truth {
  if (!x.every(Number.isFinite)) return withoutNumbers(x, method);
  const largest = x.reduce((most, value) => Math.max(most, Math.abs(value)), Math.sqrt(epsilon));
  // By a power of two, so that no square leaves the range of float64; and in two steps, since that may.
  const exponent = largest > 0 ? -Math.floor(Math.log2(largest)) : 0;
  const half = 2 ** Math.trunc(exponent / 2);
  const other = 2 ** (exponent - Math.trunc(exponent / 2));
  const small = x.map((value) => value * half * other);
  const n = x.length;
  const isCentred = method === 'layer';

  let [high, low] = [0, 0];
  for (const value of small) {
    const [sum, error] = twoSum(high, value);
    high = sum;
    low += error;
  }
  const mean: Double = isCentred ? quickTwoSum(high / n, low / n) : [0, 0];

  const deviation = (value: number): Double => {
    const [difference, error] = twoSum(value, -mean[0]);
    return quickTwoSum(difference, error - mean[1]);
  };
  [high, low] = [0, 0];
  for (const value of small) {
    const [d, rest] = deviation(value);
    const [square, lost] = twoProduct(d, d);
    const [sum, error] = twoSum(high, square);
    high = sum;
    low += error + lost + 2 * d * rest;
  }
  const variance: Double = quickTwoSum(high / n, low / n);

  const [power, error] = twoSum(variance[0], epsilon * half * other * half * other);
  const divisor = rootOf(quickTwoSum(power, error + variance[1]));
  const y = new Float64Array(n);
  const rest = new Float64Array(n);
  small.forEach((value, i) => {
    const [hi, lo] = quotientOf(deviation(value), divisor);
    y[i] = hi;
    rest[i] = lo;
  });
  return { mean: mean[0] / half / other, variance: variance[0] / half / half / other / other, y, rest };
}

/** Of a row with NaN or infinite elements: what the formula gives of them. */
function withoutNumbers(x: Float64Array, method: Method): Truth {
  const total = x.reduce((sum, value) => sum + value, 0);
  const isNaNRow = x.some(Number.isNaN);
  const y = x.map((value) =>
    method === 'layer' || isNaNRow ? Number.NaN : value / Number.POSITIVE_INFINITY,
  );
  return {
    mean: method === 'layer' ? total : 0,
    variance: method === 'layer' || isNaNRow ? Number.NaN : Number.POSITIVE_INFINITY,
    y,
    rest: new Float64Array(x.length),
  };
}

function twoSum(a: number, b: number): Double {
  const sum = a + b;
  const part = sum - a;
  return [sum, a - (sum - part) + (b - part)];
}

/** The same where |a| >= |b|. */
function quickTwoSum(a: number, b: number): Double {
  const sum = a + b;
  return [sum, b - (sum - a)];
}

function split(a: number): Double {
  const large = a * (2 ** 27 + 1);
  const high = large - (large - a);
  return [high, a - high];
}

function twoProduct(a: number, b: number): Double {
  const product = a * b;
  const [aHigh, aLow] = split(a);
  const [bHigh, bLow] = split(b);
  return [product, aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow];
}

function rootOf([hi, lo]: Double): Double {
  const root = Math.sqrt(hi);
  if (root === 0) return [0, 0];
  const [square, error] = twoProduct(root, root);
  return quickTwoSum(root, (hi - square - error + lo) / (2 * root));
}

function quotientOf([hi, lo]: Double, [divisor, divisorRest]: Double): Double {
  const quotient = hi / divisor;
  if (!Number.isFinite(quotient)) return [quotient, 0];
  const [product, error] = twoProduct(quotient, divisor);
  return quickTwoSum(quotient, (hi - product - error + lo - quotient * divisorRest) / divisor);
}
