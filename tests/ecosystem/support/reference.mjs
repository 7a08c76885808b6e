// What the examples compute, in float64, and how far their float32 answers may be away from it.

import assert from 'node:assert/strict';
import { layerNormReference, maxUlpError, unitNormReference } from './numbers.mjs';

/** (x - mean) / sqrt(variance + epsilon) of one row. */
export const layerNorm64 = (row, epsilon) => Array.from(layerNormReference(row, row.length, epsilon));

/** x / |x| of one row. */
export const unitNorm64 = (row) => Array.from(unitNormReference(row, row.length));

/** An array of rows. */
export const rowsOf = (values, columns) =>
  Array.from({ length: values.length / columns }, (_, row) =>
    Array.from(values.slice(row * columns, (row + 1) * columns)),
  );

/** Every value has to be within so many float32 ulp of max(|expected|, 1). */
export function assertWithin(ulps, actual, expected) {
  const worst = maxUlpError(actual, expected);
  assert.ok(worst <= ulps, `${worst} ulp, allowed are ${ulps}`);
}
