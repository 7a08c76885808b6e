// The data set: rows of features, the same in every process. Each row comes from its own number alone, so a shard can be made
// without what lies before it.

export const FEATURES = 8;

/** The features lie around different means, from 0 to 1e8: where E[x^2] - E[x]^2 has no right digit left. */
const MEANS = [0, 1, -5, 100, 1e4, -1e6, 1e7, 1e8];

/** A number from 0 up to 1 for each seed. */
function uniform(seed) {
  let t = (seed * 0x9e3779b1 + 0x6d2b79f5) | 0;
  t = Math.imul(t ^ (t >>> 15), 1 | t);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

/** Rows `from` up to `to`, one after the other. */
export function rows(from, to) {
  const x = new Float64Array((to - from) * FEATURES);
  for (let i = 0; i < x.length; i++) x[i] = MEANS[i % FEATURES] + 2 * uniform(from * FEATURES + i) - 1;
  return x;
}

/** The same rows in batches, so that no process holds all of its data at once. */
export function* batches(from, to, size = 1000) {
  for (let start = from; start < to; start += size) {
    const end = Math.min(start + size, to);
    yield { x: rows(start, end), shape: [end - start, FEATURES] };
  }
}
