// What the examples compute, in float64, and how far their float32 answers may be away from it.

import assert from 'node:assert/strict';
import { layoutOf } from '../../../bench/lib/layout.mjs';
import { normalizedReference, standardizedReference, unitReference } from '../../../bench/lib/reference.mjs';

const problemOf = (row, epsilon) => ({ layout: layoutOf([row.length], -1), epsilon, arrays: { x: row } });

/** (x - mean) / sqrt(variance + epsilon) of one row. */
export const layerNorm64 = (row, epsilon) => Array.from(standardizedReference(problemOf(row, epsilon)));

/** x / |x| of one row. */
export function unitNorm64(row) {
  const problem = problemOf(row, 0);
  return Array.from(normalizedReference(problem, unitReference(problem)));
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
