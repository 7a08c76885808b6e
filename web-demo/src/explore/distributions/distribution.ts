// What is drawn of how the elements of a group lie, before and after. Runs in the worker.

import {
  type Bins,
  binCount,
  binsOver,
  carriedOver,
  countIn,
  type Elements,
  type Extent,
  extentOf,
  joined,
} from '../../compute/histogram.js';

export interface Distribution {
  readonly bins: Bins;
  /** Finite elements in each bin. */
  readonly counts: readonly number[];
  readonly extent: Extent;
  /** The kernel's. */
  readonly mean: number;
  readonly std: number;
  /** All elements, where they are few. */
  readonly values: readonly number[] | undefined;
}

/** One group before and after. */
export interface Sides<T> {
  readonly before: T;
  readonly after: T;
}

/** A group as it lies in an array, with what the kernel has computed of it. */
export interface Measured extends Elements {
  readonly mean: number;
  readonly std: number;
}

/** Up to so many elements are drawn one by one, beside their histogram. */
const FEW = 16;
/** Bins of groups that have an axis in common: narrow, since each group covers a part of it only. */
const [BINS_OF_FEW, BINS_OF_MANY] = [24, 96];

/** A group on axes of its own. What is only shifted and stretched has the same histogram before and after. */
export function distributionsOf({ before, after }: Sides<Measured>): Sides<Distribution> {
  const [extent, extentAfter] = [extentOf(before), extentOf(after)];
  const bins = binsOver(extent, binCount(before, extent));
  const isComplete = extent.finite === extentAfter.finite;
  const binsAfter =
    (isComplete ? carriedOver(bins, extent, extentAfter) : undefined) ??
    binsOver(extentAfter, binCount(after, extentAfter));
  return {
    before: distributionOf(before, extent, bins),
    after: distributionOf(after, extentAfter, binsAfter),
  };
}

/** Groups that have one axis in common. */
export function onOneAxis(groups: readonly Measured[]): readonly Distribution[] {
  const extents = groups.map(extentOf);
  const isFew = groups.every(({ offsets }) => offsets.length <= FEW);
  const bins = binsOver(joined(extents), isFew ? BINS_OF_FEW : BINS_OF_MANY);
  return groups.map((group, g) => distributionOf(group, extents[g] as Extent, bins));
}

function distributionOf(group: Measured, extent: Extent, bins: Bins): Distribution {
  const { values, start, offsets, mean, std } = group;
  return {
    bins,
    counts: countIn(group, bins),
    extent,
    mean,
    std,
    values:
      offsets.length <= FEW ? Array.from(offsets, (offset) => values[start + offset] as number) : undefined,
  };
}
