// The row that is normalized: every number of it is one of the chosen type, before any formula sees it.

import type { Settings } from './settings.js';
import { spacingAt, TYPES } from './types.js';

/** Which elements the outlier and the special value replace: early ones, so that they are among those that are drawn. */
export function placeOf(what: 'outlier' | 'special', length: number): number {
  return Math.min(what === 'outlier' ? 3 : 6, length - 1);
}

const SPECIAL_VALUES = {
  none: undefined,
  inf: Number.POSITIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
  nan: Number.NaN,
};

/** Makes rows of the same random numbers: those are drawn once. */
export class RowMaker {
  #key = '';
  #normal = new Float64Array();

  make(settings: Settings): Float64Array<ArrayBuffer> {
    const { seed, length, spread, offset, outlier, special } = settings;
    const { round } = TYPES[settings.type];
    const key = `${seed},${length}`;
    if (key !== this.#key) this.#normal = normalNumbers(seed, length);
    this.#key = key;
    const constant = round(offset);
    const row = this.#normal.map((value) => round(round(value * spread) + constant));
    if (outlier > 0) row[placeOf('outlier', length)] = round(outlier);
    const value = SPECIAL_VALUES[special];
    if (value !== undefined) row[placeOf('special', length)] = value;
    return row;
  }
}

/** Numbers from the normal distribution, always the same for a seed; a longer row starts as a shorter one. */
export function normalNumbers(seed: number, length: number): Float64Array<ArrayBuffer> {
  const random = uniformNumbers(seed);
  const numbers = new Float64Array(length);
  for (let i = 0; i < length; i += 2) {
    // Box and Muller.
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    const angle = 2 * Math.PI * random();
    numbers[i] = radius * Math.cos(angle);
    if (i + 1 < length) numbers[i + 1] = radius * Math.sin(angle);
  }
  return numbers;
}

/** Numbers in [0, 1): T. Ettinger's mulberry32. */
function uniformNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What rounding left of the numbers when the offset was added. */
export interface Kept {
  /** The distance of neighbouring numbers of the type at the offset. */
  readonly spacing: number;
  /** Decimal digits that the spread still has; 0 where it is lost. */
  readonly digits: number;
  /** How many different numbers the row has. */
  readonly distinct: number;
}

export function keptOf(row: Float64Array, { type, offset, spread }: Settings): Kept {
  const format = TYPES[type];
  // An element is as large as the larger one of offset and spread.
  const spacing = spacingAt(Math.max(format.round(offset), spread), format);
  const digits = spread > 0 ? Math.max(0, Math.log10(spread / spacing)) : 0;
  return { spacing, digits, distinct: new Set(row).size };
}
