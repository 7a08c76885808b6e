// What the examples compute, in float64, and how far their float32 answers may be away from it.

import assert from 'node:assert/strict';

const sum = (values) => values.reduce((a, b) => a + b, 0);

/** (x - mean) / sqrt(variance + epsilon) of one row. */
export function layerNorm64(row, epsilon) {
  const mean = sum(row) / row.length;
  const centred = row.map((value) => value - mean);
  const rstd = 1 / Math.sqrt(sum(centred.map((value) => value * value)) / row.length + epsilon);
  return centred.map((value) => value * rstd);
}

/** x / |x| of one row. */
export function unitNorm64(row) {
  const norm = Math.sqrt(sum(row.map((value) => value * value)));
  return row.map((value) => value / norm);
}

/** An array of rows. */
export const rowsOf = (values, columns) =>
  Array.from({ length: values.length / columns }, (_, row) =>
    Array.from(values.slice(row * columns, (row + 1) * columns)),
  );

/** Every value has to be within so many float32 ulp of max(|expected|, 1). */
export function assertWithin(ulps, actual, expected) {
  assert.equal(actual.length, expected.length);
  const distances = expected.map((value, i) => {
    const ulp = 2 ** (Math.floor(Math.log2(Math.max(Math.abs(value), 1))) - 23);
    return Math.abs(actual[i] - value) / ulp;
  });
  const worst = Math.max(...distances);
  assert.ok(worst <= ulps, `${worst} ulp, allowed are ${ulps}`); // NaN is not
}
