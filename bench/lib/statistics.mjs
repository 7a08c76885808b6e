/**
 * A value that the fraction `p` of all values lies below, interpolated between neighbours.
 * @param {number[]} values in any order, at least one
 */
export function quantile(values, p) {
  if (values.length === 0) throw new RangeError('quantile: there are no values');
  const sorted = [...values].sort((a, b) => a - b);
  const position = p * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.ceil(position);
  return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
}

export const median = (values) => quantile(values, 0.5);

/**
 * @typedef {object} Summary
 * @property {number} median
 * @property {number} q1 a quarter of the values lies below
 * @property {number} q3 a quarter lies above
 */

/** @returns {Summary} */
export const summary = (values) => ({
  median: median(values),
  q1: quantile(values, 0.25),
  q3: quantile(values, 0.75),
});

/**
 * The ratios of what was measured in the same round: what slows the machine down for a while slows both.
 * @param {(number | null)[]} times by round; null where a round went without
 * @param {(number | null)[]} base
 * @returns {Summary | undefined} of times / base; undefined when no round has both
 */
export function ratios(times, base) {
  const both = times.flatMap((time, round) =>
    time === null || base[round] === null ? [] : [time / base[round]],
  );
  return both.length === 0 ? undefined : summary(both);
}

/** The geometric mean: the fair one of ratios. */
export const geometricMean = (values) =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
