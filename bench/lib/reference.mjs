// What comes out, in float64 and as plain as can be: every candidate is compared with it before it is timed.

import { offsetsOf } from './layout.mjs';

/** Mean and 1 / sqrt(variance + epsilon) of each group, in two passes. */
export function statisticsReference({ shape, layout, epsilon, arrays: { x } }) {
  const { starts, steps } = offsetsOf(shape, layout);
  const mean = new Float64Array(starts.length);
  const rstd = new Float64Array(starts.length);
  for (const [i, start] of starts.entries()) {
    let sum = 0;
    for (const step of steps) sum += x[start + step];
    mean[i] = sum / steps.length;
    let squares = 0;
    for (const step of steps) squares += (x[start + step] - mean[i]) ** 2;
    rstd[i] = 1 / Math.sqrt(squares / steps.length + epsilon);
  }
  return { mean, rstd };
}

/** y = (x - mean) * rstd * gamma + beta */
export function layerNormReference(problem) {
  const { shape, layout, arrays } = problem;
  const { x, gamma, beta } = arrays;
  const { starts, steps } = offsetsOf(shape, layout);
  const { mean, rstd } = statisticsReference(problem);
  const y = new Float64Array(layout.size);
  for (const [i, start] of starts.entries()) {
    for (let j = 0; j < steps.length; j++) {
      const at = start + steps[j];
      y[at] = (x[at] - mean[i]) * rstd[i] * (gamma?.[j] ?? 1) + (beta?.[j] ?? 0);
    }
  }
  return y;
}

/**
 * With h = (x - mean) * rstd and g = dy * gamma: dx = rstd * (g - mean(g) - h * mean(g * h)), dgamma = sum(dy * h) and
 * dbeta = sum(dy) over the groups.
 * @returns {Float64Array[]} dx, dgamma, dbeta; dx alone without gamma
 */
export function layerNormBackwardReference({ shape, layout, arrays: { x, dy, gamma, mean, rstd } }) {
  const { starts, steps } = offsetsOf(shape, layout);
  const { size, cols } = layout;
  const [dx, dgamma, dbeta] = [size, cols, cols].map((length) => new Float64Array(length));
  for (const [i, start] of starts.entries()) {
    const normalized = (at) => (x[at] - mean[i]) * rstd[i];
    let gradients = 0;
    let products = 0;
    for (let j = 0; j < cols; j++) {
      const at = start + steps[j];
      const h = normalized(at);
      const g = dy[at] * (gamma?.[j] ?? 1);
      gradients += g;
      products += g * h;
      dgamma[j] += dy[at] * h;
      dbeta[j] += dy[at];
    }
    for (let j = 0; j < cols; j++) {
      const at = start + steps[j];
      const g = dy[at] * (gamma?.[j] ?? 1);
      dx[at] = rstd[i] * (g - gradients / cols - (normalized(at) * products) / cols);
    }
  }
  return gamma ? [dx, dgamma, dbeta] : [dx];
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
