// Typed arrays by the names of types, and what they hold.

import { tensor } from 'layernorm';
import { layoutOf } from '../../../bench/lib/layout.mjs';
import { normalizedReference, standardizedReference, unitReference } from '../../../bench/lib/reference.mjs';

const CLASSES = {
  float64: Float64Array,
  float32: Float32Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
};

/** Numbers in the array that libraries keep elements of a type in: of float16 the bits. */
export function arrayOf(values, dtype) {
  if (dtype !== 'float16') return CLASSES[dtype].from(values);
  const { array } = tensor(Float64Array.from(values), null, dtype);
  return new Uint16Array(array.buffer, array.byteOffset, array.length).slice();
}

/** The numbers that an array of such a type holds. */
export function numbersOf(data, dtype) {
  return Float64Array.from(
    dtype === 'float16' ? tensor(tensor(data, null, dtype), null, 'float64').array : data,
  );
}

/** The largest error of results in ulp of max(|y|, 1). */
export function maxUlpError(actual, expected, mantissaBits = 23) {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  return expected.reduce((worst, value, i) => {
    const ulp = 2 ** (Math.floor(Math.log2(Math.max(Math.abs(value), 1))) - mantissaBits);
    const error = Math.abs(actual[i] - value) / ulp;
    return Number.isNaN(error) ? Number.POSITIVE_INFINITY : Math.max(worst, error);
  }, 0);
}

const rowsOf = (x, columns) => layoutOf([x.length / columns, columns], -1);

/** (x - mean) / sqrt(variance + epsilon) * gamma + beta of rows, in float64. */
export const layerNormReference = (x, columns, epsilon, gamma, beta) =>
  standardizedReference({ layout: rowsOf(x, columns), epsilon, arrays: { x, gamma, beta } });

/** x / sqrt(sum(x^2)) of rows, in float64. */
export function unitNormReference(x, columns) {
  const problem = { layout: rowsOf(x, columns), epsilon: 0, arrays: { x } };
  return normalizedReference(problem, unitReference(problem));
}
