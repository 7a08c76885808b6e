// Tier: bounded. On every data set, for rows of every length, at most 3 ulp of max(|y|, 1) away from the float64 reference.
import { layerNorm, layerNormForward } from 'layernorm';
import { DATA_SETS, dataSet } from '../support/data_sets.js';
import { layerNormReference } from '../support/reference.js';
import { maxUlpError } from '../support/ulp.js';

/** Around the lanes of a vector, the usual model widths, and far beyond; with the number of rows that is affordable. */
const LENGTHS: [number, number][] = [
  ...[1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 100, 127, 128].map((n): [number, number] => [
    n,
    40,
  ]),
  ...[192, 255, 256, 384, 500, 768, 773, 1000, 1024].map((n): [number, number] => [n, 6]),
  [4096, 3],
  [65536, 1],
];

const EPSILON = 1e-5;

/** The promise, in ulp. */
const BOUND = 3;

describe.each(Object.keys(DATA_SETS))('%s', (name) => {
  test.each(LENGTHS)('rows of %i', (columns, rows) => {
    const x = dataSet(name, rows, columns);
    const { y, mean, rstd } = layerNormForward(x, { shape: [rows, columns], epsilon: EPSILON });
    const expected = layerNormReference(x, [rows, columns], { axes: [1], epsilon: EPSILON });
    expect(maxUlpError(y, expected.y)).toBeLessThanOrEqual(BOUND);
    for (let row = 0; row < rows; row++) {
      const [m, r] = [expected.mean[row] as number, expected.rstd[row] as number];
      // The mean is as exact as y needs it: a mean near 0 relative to the deviation, any other relative to itself.
      const unit = 2 ** -23;
      expect(Math.abs((mean[row] as number) - m)).toBeLessThanOrEqual(unit * (2 * Math.abs(m) + 1 / r));
      // Rows of overflow size have an rstd among the subnormal numbers.
      expect(Math.abs((rstd[row] as number) - r)).toBeLessThanOrEqual(2 * unit * r + 2 ** -148);
    }
  });

  test('columns of 300', () => {
    const x = dataSet(name, 300, 20);
    const y = layerNorm(x, { shape: [300, 20], axis: 0, epsilon: EPSILON });
    expect(
      maxUlpError(y, layerNormReference(x, [300, 20], { axes: [0], epsilon: EPSILON }).y),
    ).toBeLessThanOrEqual(BOUND);
  });
});
