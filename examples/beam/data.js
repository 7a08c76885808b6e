// The data set: rows of features, the same wherever they are read. Each row comes from its own number alone.

const FEATURES = 8;

/** The features lie around different means, from 0 to 1e8: where E[x^2] - E[x]^2 has no right digit left. */
const MEANS = [0, 1, -5, 100, 1e4, -1e6, 1e7, 1e8];

/** A number from 0 up to 1 for each seed. */
function uniform(seed) {
  let t = (seed * 0x9e3779b1 + 0x6d2b79f5) | 0;
  t = Math.imul(t ^ (t >>> 15), 1 | t);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

/** Rows `from` up to `to`, as nested arrays. */
function rows(from, to) {
  return Array.from({ length: to - from }, (_, i) =>
    MEANS.map((mean, f) => mean + 2 * uniform((from + i) * FEATURES + f) - 1),
  );
}

module.exports = { FEATURES, rows };
