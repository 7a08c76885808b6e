// The check: each normalization in float64, by its formula and with compensated sums, against what the kernel returned.

import type { Numbers } from '../parse/dataset.js';
import { SIXTEEN_BIT, type SixteenBit } from '../parse/sixteen_bit.js';
import type { Groups } from './groups.js';
import { centers, METHODS, type MethodName } from './methods.js';

export interface CheckedCall {
  readonly method: MethodName;
  readonly x: Numbers;
  readonly y: Float32Array | Float64Array;
  /** The type of x and y where they are the numbers that 16 bits stand for. */
  readonly dtype?: SixteenBit | undefined;
  readonly groups: Groups;
  readonly epsilon: number;
  readonly gamma: Float32Array | Float64Array | undefined;
  readonly beta: Float32Array | Float64Array | undefined;
}

export interface Check {
  /** The largest distance of a result from the reference. */
  readonly absolute: number;
  /**
   * The same in units in the last place, of the type of the result: of the larger one of gamma * max(|normalized|, 1) and beta.
   * Where both cancel out, or what is normalized is next to 0, an error counts as it does at the size of the terms. Where no
   * mean is subtracted nothing cancels out, and |normalized| counts as it is.
   */
  readonly ulp: number;
  /** Results that are no numbers, and are none in the reference either. */
  readonly notFinite: number;
}

/** Checks a range of groups. What is worst so far goes in and comes out, so that the work can be cut into slices. */
export function checkGroups(call: CheckedCall, from: number, to: number, soFar: Check): Check {
  const { method, x, y, groups, epsilon, gamma, beta } = call;
  const { starts, offsets, size, parameterStarts, parameterOffsets } = groups;
  const isSingle = y instanceof Float32Array;
  const type = typeOf(call);
  const { scale } = METHODS[method];
  const isCentred = centers(METHODS[method]);
  const least = isCentred ? 1 : 0;
  // The kernel converts everything to the type of the result first: that is no error of its own.
  const element = (i: number): number => (isSingle ? Math.fround(x[i] as number) : (x[i] as number));
  let { absolute, ulp, notFinite } = soFar;
  for (let g = from; g < to; g++) {
    const start = starts[g] as number;
    const at = (p: number): number => element(start + (offsets[p] as number));
    const first = isCentred ? sum(size, at) / size : 0;
    // The mean is first + rest, more precise than one number holds: what is near a large mean depends on that.
    const rest = isCentred ? sum(size, (p) => at(p) - first) / size : 0;
    const deviation = (p: number): number => (isCentred ? at(p) - first - rest : at(p));
    const squares = sum(size, (p) => deviation(p) ** 2);
    const divisor = Math.sqrt(scale === 'norm' ? Math.max(squares, epsilon ** 2) : squares / size + epsilon);
    for (let p = 0; p < size; p++) {
      const parameter = (parameterStarts[g] as number) + (parameterOffsets[p] as number);
      const normalized = deviation(p) / divisor;
      const factor = gamma?.[parameter] ?? 1;
      const offset = beta?.[parameter] ?? 0;
      const exact = normalized * factor + offset;
      // What the type has no room for becomes infinite.
      const expected = Math.abs(exact) < type.limit ? exact : exact * Number.POSITIVE_INFINITY;
      const got = y[start + (offsets[p] as number)] as number;
      if (!Number.isFinite(expected)) {
        if (Object.is(expected, got) || Number.isNaN(expected)) notFinite++;
        else absolute = ulp = Number.POSITIVE_INFINITY;
        continue;
      }
      const error = Math.abs(got - expected);
      if (!(error <= absolute)) absolute = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
      const terms = Math.max(Math.abs(factor) * Math.max(Math.abs(normalized), least), Math.abs(offset));
      const inUlp = error === 0 ? 0 : error / spacingAt(terms, type);
      if (!(inUlp <= ulp)) ulp = Number.isNaN(inUlp) ? Number.POSITIVE_INFINITY : inUlp;
    }
  }
  return { absolute, ulp, notFinite };
}

/** A type of floats. */
interface FloatType {
  /** Bits of the fraction, the hidden one aside. */
  readonly fraction: number;
  readonly smallestNormal: number;
  /** What rounds to infinity. */
  readonly limit: number;
}

function typeOf({ y, dtype }: Pick<CheckedCall, 'y' | 'dtype'>): FloatType {
  if (!dtype) {
    const isSingle = y instanceof Float32Array;
    return {
      fraction: isSingle ? 23 : 52,
      smallestNormal: isSingle ? 2 ** -126 : 2 ** -1022,
      limit: isSingle ? 2 ** 128 - 2 ** 103 : Number.POSITIVE_INFINITY,
    };
  }
  const { fraction, bias } = SIXTEEN_BIT[dtype];
  return { fraction, smallestNormal: 2 ** (1 - bias), limit: 2 ** (bias + 1) - 2 ** (bias - fraction - 1) };
}

/** Distance of neighbouring floats at a positive value. */
function spacingAt(value: number, { fraction, smallestNormal }: FloatType): number {
  return 2 ** (Math.floor(Math.log2(Math.max(value, smallestNormal))) - fraction);
}

/** Neumaier's sum: the rounding error of every addition is added at the end. */
function sum(length: number, at: (i: number) => number): number {
  let total = 0;
  let lost = 0;
  for (let i = 0; i < length; i++) {
    const value = at(i);
    const next = total + value;
    lost += Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total;
    total = next;
  }
  return total + lost;
}
