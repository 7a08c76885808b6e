// Histograms of groups of elements. Only places are counted here: means and standard deviations are the kernel's.

import { quantileSorted } from 'd3-array';

/** Equal bins from `low` to `high`; each holds its lower end, the last one both. */
export interface Bins {
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

/** One group of an array: element p lies at start + offsets[p]. */
export interface Elements {
  readonly values: ArrayLike<number>;
  readonly start: number;
  readonly offsets: Uint32Array;
}

/** What is known of a group before it is counted. */
export interface Extent {
  /** Of the finite elements; NaN without any. */
  readonly min: number;
  readonly max: number;
  readonly finite: number;
  readonly nan: number;
  readonly infinite: number;
  /** Whether all finite elements are whole numbers, which bins have to keep step with. */
  readonly isWhole: boolean;
}

/** Bins at most: more are narrower than what one can tell apart. */
const MAX_BINS = 64;
/** The quartiles are those of so many elements, at even distances. */
const SAMPLED = 4096;

export function extentOf({ values, start, offsets }: Elements): Extent {
  let [min, max, nan, infinite, isWhole] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0, true];
  for (let p = 0; p < offsets.length; p++) {
    const value = values[start + (offsets[p] as number)] as number;
    if (Number.isFinite(value)) {
      if (value < min) min = value;
      if (value > max) max = value;
      if (isWhole && !Number.isInteger(value)) isWhole = false;
    } else if (Number.isNaN(value)) nan++;
    else infinite++;
  }
  const finite = offsets.length - nan - infinite;
  if (finite === 0) return { min: Number.NaN, max: Number.NaN, finite, nan, infinite, isWhole: false };
  return { min, max, finite, nan, infinite, isWhole };
}

/** What is known of several groups together. */
export function joined(extents: readonly Extent[]): Extent {
  const known = extents.filter(({ finite }) => finite > 0);
  const total = (pick: (one: Extent) => number) => extents.reduce((sum, one) => sum + pick(one), 0);
  return {
    min: known.length === 0 ? Number.NaN : Math.min(...known.map(({ min }) => min)),
    max: known.length === 0 ? Number.NaN : Math.max(...known.map(({ max }) => max)),
    finite: total(({ finite }) => finite),
    nan: total(({ nan }) => nan),
    infinite: total(({ infinite }) => infinite),
    isWhole: known.length > 0 && known.every(({ isWhole }) => isWhole),
  };
}

/**
 * How many bins, as numpy.histogram_bin_edges has it by default ('auto'): the narrower of those of Freedman and Diaconis,
 * 2 IQR / n^(1/3), and of Sturges, range / (log2 n + 1).
 */
export function binCount(elements: Elements, { min, max, finite }: Extent): number {
  const range = max - min;
  if (!(range > 0)) return 1;
  const sturges = Math.log2(finite) + 1;
  const sample = [...sampled(elements).sort()];
  const iqr = (quantileSorted(sample, 0.75) ?? 0) - (quantileSorted(sample, 0.25) ?? 0);
  const width = (2 * iqr) / Math.cbrt(finite);
  const diaconis = width > 0 ? range / width : 0;
  return Math.min(MAX_BINS, Math.ceil(Math.max(sturges, diaconis)));
}

function sampled({ values, start, offsets }: Elements): Float64Array {
  const step = Math.max(1, offsets.length / SAMPLED);
  return Float64Array.from(
    { length: Math.min(offsets.length, SAMPLED) },
    (_, i) => values[start + (offsets[Math.floor(i * step)] as number)] as number,
  ).filter(Number.isFinite);
}

/** About so many bins from the least to the largest element; whole numbers get bins that hold equally many of them. */
export function binsOver({ min, max, finite, isWhole }: Extent, count: number): Bins {
  if (finite === 0) return { low: 0, high: 1, count: 0 };
  if (min === max) {
    // Half a unit to both sides, or what still is another number.
    const half = Math.max(0.5, Math.abs(min) * 2 ** -20);
    return { low: min - half, high: max + half, count: 1 };
  }
  if (!isWhole || max - min >= Number.MAX_SAFE_INTEGER) return { low: min, high: max, count };
  const [numbers, half] = [max - min + 1, 0.5];
  const width = Math.ceil(numbers / count);
  const whole = Math.ceil(numbers / width);
  return { low: min - half, high: min - half + whole * width, count: whole };
}

/**
 * The bins after, which lie in the range after as those before lie in theirs: what is only shifted and stretched keeps its
 * histogram then.
 */
export function carriedOver(bins: Bins, before: Extent, after: Extent): Bins | undefined {
  const stretch = (after.max - after.min) / (before.max - before.min);
  if (!(stretch > 0) || !Number.isFinite(stretch)) return undefined;
  return {
    low: after.min - (before.min - bins.low) * stretch,
    high: after.max + (bins.high - before.max) * stretch,
    count: bins.count,
  };
}

/** How many of the finite elements lie in each bin. */
export function countIn({ values, start, offsets }: Elements, { low, high, count }: Bins): number[] {
  const counts = new Array<number>(count).fill(0);
  const scale = count / (high - low);
  for (let p = 0; p < offsets.length; p++) {
    const value = values[start + (offsets[p] as number)] as number;
    if (!(value >= low && value <= high)) continue;
    const bin = Math.min(count - 1, Math.floor((value - low) * scale));
    counts[bin] = (counts[bin] as number) + 1;
  }
  return counts;
}
