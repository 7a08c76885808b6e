// The data set: rows of features, the same in every thread. Each row comes from its own number alone.

export const FEATURES = 768;

/** The features lie around different means, from 0 to 1e4. */
const MEANS = [0, 1, -5, 100, 1e4];

/** A number from 0 up to 1 for each seed. */
function uniform(seed) {
  let t = (seed * 0x9e3779b1 + 0x6d2b79f5) | 0;
  t = Math.imul(t ^ (t >>> 15), 1 | t);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

/** Writes the rows from number `from` on into an array. */
export function fill(x, from) {
  for (let i = 0; i < x.length; i++) {
    const mean = MEANS[(i % FEATURES) % MEANS.length];
    x[i] = mean + 2 * uniform(from * FEATURES + i) - 1;
  }
}
