import { offsetsOf } from './layout.mjs';

/** Layer normalization in float64, two passes: slow and plain. What every candidate is compared with before it is timed. */
export function layerNormReference({ shape, layout, x, gamma, beta, epsilon }) {
  const { starts, steps } = offsetsOf(shape, layout);
  const y = new Float64Array(layout.size);
  for (const start of starts) {
    let sum = 0;
    for (const step of steps) sum += x[start + step];
    const mean = sum / steps.length;
    let squares = 0;
    for (const step of steps) squares += (x[start + step] - mean) ** 2;
    const rstd = 1 / Math.sqrt(squares / steps.length + epsilon);
    for (let j = 0; j < steps.length; j++) {
      y[start + steps[j]] = (x[start + steps[j]] - mean) * rstd * (gamma?.[j] ?? 1) + (beta?.[j] ?? 0);
    }
  }
  return y;
}

/** The largest difference, in units of max(|expected|, 1); NaN when an element is none. */
export function largestError(actual, expected) {
  if (actual.length !== expected.length) {
    throw new Error(`gave ${actual.length} elements, expected ${expected.length}`);
  }
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i] - expected[i]) / Math.max(Math.abs(expected[i]), 1);
    if (!(error <= largest)) largest = error;
    if (Number.isNaN(largest)) return largest;
  }
  return largest;
}
