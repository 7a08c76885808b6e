// The arithmetic of Moments: float64 numbers in pairs, a number and what rounding has taken from it, so that sums of either
// many or very different numbers lose nothing. What is lost at each step comes from the error-free transformations at the end.

import { isSixteenBit, type NumericArray, type OwnFloat64Array, typedArrayName } from '../tensor/dtype.js';
import { collapse, eachIndex, elementCount, hasAxis, type Shape } from '../tensor/shape.js';
import { copierOf } from '../tensor/sixteen_bit.js';
import type { Operand } from '../tensor/tensor_like.js';

/**
 * Of each feature: the count, the mean, and the sum of squared deviations from it. The last two have twice the precision of
 * float64, as the sum of a number and a second one below half an ulp of it: rounding after each of 1e5 merges would otherwise
 * add up, and the order of the merges would show.
 */
export interface State {
  readonly count: OwnFloat64Array;
  readonly mean: OwnFloat64Array;
  readonly meanLow: OwnFloat64Array;
  readonly m2: OwnFloat64Array;
  readonly m2Low: OwnFloat64Array;
}

/** The parts of {@link State} in the order in which `Moments.toBytes` writes them. */
export const PARTS = ['count', 'mean', 'meanLow', 'm2', 'm2Low'] as const;

/** Beyond this, sums of float64 numbers and the products that {@link productError} forms might overflow. */
const LARGE = 2 ** 900;
/** What {@link LARGE} numbers are multiplied by meanwhile. A power of two: it rounds nothing that matters beside them. */
const SHRINK = 2 ** -128;
/** Splits the 53 bits of a float64 in two halves (Veltkamp). */
const SPLIT = 2 ** 27 + 1;

/** The state of features of which nothing was counted: none as long as their shape is not known. */
export function emptyState(shape: Shape | undefined): State {
  const features = shape === undefined ? 0 : elementCount(shape);
  const [count, mean, meanLow, m2, m2Low] = PARTS.map(() => new Float64Array(features)) as [
    OwnFloat64Array,
    OwnFloat64Array,
    OwnFloat64Array,
    OwnFloat64Array,
    OwnFloat64Array,
  ];
  return { count, mean, meanLow, m2, m2Low };
}

/**
 * A batch as blocks of the same size. The elements of a row lie together and belong to features in a row; the rows of a block are
 * of the same features.
 */
interface Layout {
  readonly rows: number;
  /** Elements from one row to the next. */
  readonly stride: number;
  /** Elements of a row. */
  readonly run: number;
  /** Says of each block where it starts, and which is its first feature. */
  each(visit: (start: number, feature: number) => void): void;
}

/** The layout of an array without zeros in its shape. */
function layoutOf(shape: Shape, kept: number): Layout {
  const { dims, axes } = collapse(shape, ~kept);
  // Nothing is reduced: one row.
  if (dims.length > 1 && dims.at(-1) === 1) dims.pop();
  const isKept = (i: number): boolean => !hasAxis(axes, i);
  // Elements and features from one index of a dimension to the next.
  const strides = dims.map((_, i) => elementCount(dims.slice(i + 1)));
  const steps = dims.map((_, i) => (isKept(i) ? elementCount(dims.filter((_, k) => k > i && isKept(k))) : 0));
  const run = isKept(dims.length - 1) ? (dims.pop() as number) : 1;
  // Kept and reduced dimensions take turns, so the innermost one that is left is reduced.
  const rows = dims.pop() ?? 1;
  const stride = strides[dims.length] as number;
  const block = rows * run;
  return {
    rows,
    stride,
    run,
    each: (visit) => eachIndex(dims, steps, (feature, index) => visit(index * block, feature)),
  };
}

/** Of each feature a sum, and what rounding has taken from it. */
interface Sums {
  readonly sum: Float64Array;
  readonly low: Float64Array;
}

/**
 * Count, mean and M2 of one batch, by two passes over it.
 * @param operand - the batch, with elements
 * @param kept - mask of the dimensions that keep statistics of their own
 * @param mask - one byte for each element, 0 where it does not count; undefined where all do
 * @param features - the product of the sizes of the kept dimensions
 */
export function momentsOf(
  operand: Operand,
  kept: number,
  mask: Uint8Array | undefined,
  features: number,
): State {
  const layout = layoutOf(operand.shape, kept);
  const state = emptyState([features]);
  const { count, mean, meanLow, m2, m2Low } = state;
  const addUp = (add: (sums: Sums, start: number, feature: number) => void): Sums => {
    const sums = { sum: new Float64Array(features), low: new Float64Array(features) };
    layout.each((start, feature) => add(sums, start, feature));
    return sums;
  };

  let x = numbersOf(operand);
  if (mask === undefined) {
    count.fill(x.length / features);
  } else {
    x = new Float64Array(x);
    layout.each((start, feature) => countMasked(count, x, mask, layout, start, feature));
  }
  const sums = addUp((to, start, feature) => addValues(to, x, layout, start, feature));
  let shrunk: Sums | undefined;
  for (let f = 0; f < features; f++) {
    if (count[f] === 0) continue;
    const isLarge = !(Math.abs(sums.sum[f] as number) < LARGE);
    if (isLarge && shrunk === undefined) {
      // The sum has overflowed, or may have on its way, or something is not finite: the sum of smaller numbers tells.
      const small = x.map((value) => value * SHRINK);
      shrunk = addUp((to, start, feature) => addValues(to, small, layout, start, feature));
    }
    const { sum, low } = (isLarge && shrunk) || sums;
    setQuotient(f, sum[f] as number, low[f] as number, count[f] as number, mean, meanLow);
    if (isLarge) multiply(f, 1 / SHRINK, mean, meanLow);
  }

  if (mask !== undefined) layout.each((start, feature) => hideMasked(mean, x, mask, layout, start, feature));
  const squares = addUp((to, start, feature) => addSquares(to, x, mean, layout, start, feature));
  for (let f = 0; f < features; f++) {
    const sum = squares.sum[f] as number;
    // All elements are the mean: it is exact, whatever rounding has left of their sum.
    if (sum === 0) meanLow[f] = 0;
    // The sum of the squares is least at the mean itself, of which mean is the rounded value.
    const off = meanLow[f] as number;
    const excess = (count[f] as number) * (off * off);
    setPair(f, sum, (squares.low[f] as number) - excess, m2, m2Low);
    if ((m2[f] as number) < 0) setPair(f, 0, 0, m2, m2Low);
  }
  return state;
}

/** The elements as floats, exactly as they are. */
function numbersOf({ data, stored, length }: Operand): Float32Array | Float64Array {
  const elements = data as NumericArray;
  const isFloat = /^Float(32|64)Array$/.test(typedArrayName(elements) as string);
  if (isFloat) return elements as Float32Array | Float64Array;
  const numbers = isSixteenBit(stored) ? new Float32Array(length) : new Float64Array(length);
  copierOf(isSixteenBit(stored) ? stored : undefined, undefined)(numbers, 0, elements, 0, length);
  return numbers;
}

/** Counts the elements of a block that count, and makes the others 0: they add nothing to the sums of the first pass. */
function countMasked(
  count: Float64Array,
  x: Float32Array | Float64Array,
  mask: Uint8Array,
  { rows, stride, run }: Layout,
  start: number,
  feature: number,
): void {
  for (let row = 0; row < rows; row++) {
    for (let k = 0; k < run; k++) {
      const i = start + row * stride + k;
      if (mask[i] === 0) x[i] = 0;
      else count[feature + k] = (count[feature + k] as number) + 1;
    }
  }
}

/** Makes the elements of a block that do not count the mean: they add nothing to the sums of the second pass. */
function hideMasked(
  mean: Float64Array,
  x: Float32Array | Float64Array,
  mask: Uint8Array,
  { rows, stride, run }: Layout,
  start: number,
  feature: number,
): void {
  for (let row = 0; row < rows; row++) {
    for (let k = 0; k < run; k++) {
      const i = start + row * stride + k;
      if (mask[i] === 0) x[i] = mean[feature + k] as number;
    }
  }
}

/** Adds the elements of a block to the sums of their features. */
function addValues(
  { sum, low }: Sums,
  x: Float32Array | Float64Array,
  { rows, stride, run }: Layout,
  start: number,
  feature: number,
): void {
  // Four rows at a time: loads and stores of the sums take most of the time otherwise.
  const whole = rows - (rows % 4);
  for (let row = 0; row < whole; row += 4) {
    const first = start + row * stride;
    for (let k = 0; k < run; k++) {
      const i = first + k;
      const a = x[i] as number;
      const b = x[i + stride] as number;
      const c = x[i + 2 * stride] as number;
      const d = x[i + 3 * stride] as number;
      const ab = a + b;
      const cd = c + d;
      const four = ab + cd;
      const lost = sumError(a, b, ab) + sumError(c, d, cd) + sumError(ab, cd, four);
      addTo(sum, low, feature + k, four, lost);
    }
  }
  for (let row = whole; row < rows; row++) {
    const first = start + row * stride;
    for (let k = 0; k < run; k++) addTo(sum, low, feature + k, x[first + k] as number, 0);
  }
}

/** Adds the squares of the distances from the mean to the sums of their features, as {@link addValues} does. */
function addSquares(
  { sum, low }: Sums,
  x: Float32Array | Float64Array,
  mean: Float64Array,
  { rows, stride, run }: Layout,
  start: number,
  feature: number,
): void {
  const whole = rows - (rows % 4);
  for (let row = 0; row < whole; row += 4) {
    const first = start + row * stride;
    for (let k = 0; k < run; k++) {
      const i = first + k;
      const m = mean[feature + k] as number;
      const xa = x[i] as number;
      const xb = x[i + stride] as number;
      const xc = x[i + 2 * stride] as number;
      const xd = x[i + 3 * stride] as number;
      const a = (xa - m) * (xa - m);
      const b = (xb - m) * (xb - m);
      const c = (xc - m) * (xc - m);
      const d = (xd - m) * (xd - m);
      const ab = a + b;
      const cd = c + d;
      const four = ab + cd;
      const lost = sumError(a, b, ab) + sumError(c, d, cd) + sumError(ab, cd, four);
      const lostBefore =
        squareError(xa, m, a) + squareError(xb, m, b) + (squareError(xc, m, c) + squareError(xd, m, d));
      addTo(sum, low, feature + k, four, lost + lostBefore);
    }
  }
  for (let row = whole; row < rows; row++) {
    const first = start + row * stride;
    for (let k = 0; k < run; k++) {
      const m = mean[feature + k] as number;
      const value = x[first + k] as number;
      const square = (value - m) * (value - m);
      addTo(sum, low, feature + k, square, squareError(value, m, square));
    }
  }
}

function addTo(sum: Float64Array, low: Float64Array, f: number, value: number, lost: number): void {
  const before = sum[f] as number;
  const after = before + value;
  sum[f] = after;
  low[f] = (low[f] as number) + (lost + sumError(before, value, after));
}

/** Joins the moments of other data, of the same features, to `state`. */
export function mergeStates(state: State, other: State): void {
  const { count, mean, meanLow, m2, m2Low } = state;
  for (let f = 0; f < count.length; f++) {
    const na = count[f] as number;
    const nb = other.count[f] as number;
    if (nb === 0) continue;
    if (na === 0) {
      for (const part of PARTS) state[part][f] = other[part][f] as number;
      continue;
    }
    const n = na + nb;
    count[f] = n;
    const ma = mean[f] as number;
    const mb = other.mean[f] as number;
    if (!(Number.isFinite(ma) && Number.isFinite(mb))) {
      setPair(f, ma + mb, 0, mean, meanLow);
      setPair(f, Number.NaN, 0, m2, m2Low);
      continue;
    }
    const scale = Math.max(Math.abs(ma), Math.abs(mb)) < LARGE ? 1 : SHRINK;
    const a = ma * scale;
    const b = mb * scale;
    const aLow = (meanLow[f] as number) * scale;
    const bLow = (other.meanLow[f] as number) * scale;
    // d = b - a, each with its low part; likewise every line below has the number first and then what it lacks.
    const difference = b - a;
    const differenceLow = sumError(b, -a, difference) + (bLow - aLow);
    const d = difference + differenceLow;
    const dLow = differenceLow - (d - difference);
    // step = d * nb / n, by which the mean moves
    const product = d * nb;
    const productLow = productError(d, nb, product) + dLow * nb;
    const step = product / n;
    const stepLow = quotientError(product, productLow, n, step);
    const moved = a + step;
    setPair(f, moved, sumError(a, step, moved) + (aLow + stepLow), mean, meanLow);
    if (scale !== 1) multiply(f, 1 / scale, mean, meanLow);
    // more = d^2 * na * nb / n = step * d * na
    const square = step * d;
    const squareLow = productError(step, d, square) + (step * dLow + stepLow * d);
    const more = square * na;
    const moreLow = productError(square, na, more) + squareLow * na;
    const both = (m2[f] as number) + (other.m2[f] as number);
    const bothLow =
      sumError(m2[f] as number, other.m2[f] as number, both) +
      ((m2Low[f] as number) + (other.m2Low[f] as number));
    const grown = more / scale / scale;
    const total = both + grown;
    setPair(f, total, sumError(both, grown, total) + (bothLow + moreLow / scale / scale), m2, m2Low);
  }
}

/** Sets element `f` of a pair of arrays to value + rest, rounded, and what rounding takes from it. */
function setPair(f: number, value: number, rest: number, high: Float64Array, low: Float64Array): void {
  const rounded = value + rest;
  // Beyond the range of float64, what was calculated with the infinite value is NaN.
  const isUsual = Number.isFinite(rounded);
  high[f] = isUsual ? rounded : value;
  low[f] = isUsual ? rest - (rounded - value) : 0;
}

/** Sets element `f` of a pair of arrays to (value + rest) / divisor. */
function setQuotient(
  f: number,
  value: number,
  rest: number,
  divisor: number,
  high: Float64Array,
  low: Float64Array,
): void {
  const quotient = value / divisor;
  setPair(f, quotient, quotientError(value, rest, divisor, quotient), high, low);
}

/** The biased variance: M2 / count, NaN where that is 0. */
export function varianceOf({ count, m2, m2Low }: State): OwnFloat64Array {
  const [variance, low] = [new Float64Array(count.length), new Float64Array(count.length)];
  for (let f = 0; f < count.length; f++) {
    setQuotient(f, m2[f] as number, m2Low[f] as number, count[f] as number, variance, low);
  }
  return variance;
}

/** Multiplies element `f` of a pair of arrays by a power of two. */
function multiply(f: number, factor: number, high: Float64Array, low: Float64Array): void {
  high[f] = (high[f] as number) * factor;
  low[f] = (low[f] as number) * factor;
}

/** What rounding has taken from sum = a + b, exactly (Knuth). */
function sumError(a: number, b: number, sum: number): number {
  const rounded = sum - a;
  return a - (sum - rounded) + (b - rounded);
}

/** What rounding has taken from product = a * b (Dekker): exactly, unless it lies below the range of float64. */
function productError(a: number, b: number, product: number): number {
  // Halves of 26 bits, the products of which are exact.
  const aSplit = a * SPLIT;
  const aHigh = aSplit - (aSplit - a);
  const aRest = a - aHigh;
  const bSplit = b * SPLIT;
  const bHigh = bSplit - (bSplit - b);
  const bRest = b - bHigh;
  return aHigh * bHigh - product + aHigh * bRest + aRest * bHigh + aRest * bRest;
}

/** What rounding has taken from square = (value - mean) * (value - mean): in the difference, and in its multiplication with itself. */
function squareError(value: number, mean: number, square: number): number {
  const difference = value - mean;
  const lost = sumError(value, -mean, difference);
  return productError(difference, difference, square) + 2 * difference * lost;
}

/** What quotient lacks of (value + rest) / divisor. */
function quotientError(value: number, rest: number, divisor: number, quotient: number): number {
  const product = quotient * divisor;
  return (value - product - productError(quotient, divisor, product) + rest) / divisor;
}
