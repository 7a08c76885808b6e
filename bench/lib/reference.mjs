// What comes out, in float64 and as plain as can be: every candidate is compared with it before it is timed.

import { offsetsOf } from './layout.mjs';

/** Mean, variance and 1 / sqrt(variance + epsilon) of each group, in two passes. */
export function statisticsReference({ layout, epsilon, arrays: { x } }) {
  const { starts, steps } = offsetsOf(layout);
  const [mean, variance] = [0, 0].map(() => new Float64Array(starts.length));
  for (const [i, start] of starts.entries()) {
    let sum = 0;
    for (const step of steps) sum += x[start + step];
    mean[i] = sum / steps.length;
    let squares = 0;
    for (const step of steps) squares += (x[start + step] - mean[i]) ** 2;
    variance[i] = squares / steps.length;
  }
  return { mean, variance, rstd: variance.map((one) => 1 / Math.sqrt(one + epsilon)) };
}

/** The sum of squares of each group. */
function squaresOf({ layout, arrays: { x } }) {
  const { starts, steps } = offsetsOf(layout);
  return Float64Array.from(starts, (start) => {
    let squares = 0;
    for (const step of steps) squares += x[start + step] ** 2;
    return squares;
  });
}

/** What x is multiplied by: 1 / sqrt(mean(x^2) + epsilon) of each group. */
export function rmsReference(problem) {
  return {
    rstd: squaresOf(problem).map((one) => 1 / Math.sqrt(one / problem.layout.cols + problem.epsilon)),
  };
}

/** What x is multiplied by: 1 / sqrt(max(sum(x^2), epsilon^2)) of each group. */
export function unitReference(problem) {
  return { rstd: squaresOf(problem).map((one) => 1 / Math.sqrt(Math.max(one, problem.epsilon ** 2))) };
}

/**
 * y = (x - mean) * rstd * gamma + beta, without what is not there.
 * @param {{ rstd: ArrayLike<number>, mean?: ArrayLike<number> }} statistics of each group
 */
export function normalizedReference({ layout, arrays: { x, gamma, beta } }, { mean, rstd }) {
  const { starts, steps, parameterStarts, parameterSteps } = offsetsOf(layout);
  const y = new Float64Array(layout.size);
  for (const [i, start] of starts.entries()) {
    for (let j = 0; j < steps.length; j++) {
      const at = start + steps[j];
      const parameter = parameterStarts[i] + parameterSteps[j];
      y[at] = (x[at] - (mean?.[i] ?? 0)) * rstd[i] * (gamma?.[parameter] ?? 1) + (beta?.[parameter] ?? 0);
    }
  }
  return y;
}

/** The normalization that has a group's own mean and variance: of layers, batches, groups and instances. */
export const standardizedReference = (problem) => normalizedReference(problem, statisticsReference(problem));

/**
 * With h = (x - mean) * rstd and g = dy * gamma: dx = rstd * (g - mean(g) - h * mean(g * h)), dgamma = sum(dy * h) and
 * dbeta = sum(dy).
 *
 * Without a mean the term mean(g) is missing. Where rstd belongs to a sum of squares, g * h is added up and not averaged.
 * @param {{ ofSum?: boolean }} options
 * @returns {Record<'dx' | 'dgamma' | 'dbeta', Float64Array>}
 */
export function gradientsReference({ layout, arrays: { x, dy, gamma, mean, rstd } }, { ofSum = false } = {}) {
  const { starts, steps, parameterStarts, parameterSteps } = offsetsOf(layout);
  const { size, cols } = layout;
  const parameters = layout.parameterShape.reduce((all, one) => all * one, 1);
  const [dx, dgamma, dbeta] = [size, parameters, parameters].map((length) => new Float64Array(length));
  for (const [i, start] of starts.entries()) {
    const normalized = (at) => (x[at] - (mean?.[i] ?? 0)) * rstd[i];
    let gradients = 0;
    let products = 0;
    for (let j = 0; j < cols; j++) {
      const at = start + steps[j];
      const parameter = parameterStarts[i] + parameterSteps[j];
      const h = normalized(at);
      const g = dy[at] * (gamma?.[parameter] ?? 1);
      gradients += g;
      products += g * h;
      dgamma[parameter] += dy[at] * h;
      dbeta[parameter] += dy[at];
    }
    const meanGradient = mean ? gradients / cols : 0;
    const slope = ofSum ? products : products / cols;
    for (let j = 0; j < cols; j++) {
      const at = start + steps[j];
      const g = dy[at] * (gamma?.[parameterStarts[i] + parameterSteps[j]] ?? 1);
      dx[at] = rstd[i] * (g - meanGradient - normalized(at) * slope);
    }
  }
  return { dx, dgamma, dbeta };
}

/**
 * The largest difference, in units of max(|expected|, 1), or of the largest expected one where all are below 1; NaN when an
 * element is none.
 */
export function largestError(actual, expected) {
  if (actual.length !== expected.length) {
    throw new Error(`gave ${actual.length} elements, expected ${expected.length}`);
  }
  let scale = 0;
  for (let i = 0; i < expected.length; i++) scale = Math.max(scale, Math.abs(expected[i]));
  const least = scale === 0 ? 1 : Math.min(scale, 1);
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i] - expected[i]) / Math.max(Math.abs(expected[i]), least);
    if (!(error <= largest)) largest = error;
    if (Number.isNaN(largest)) return largest;
  }
  return largest;
}

/** A kernel divided by the singular value that one step of power iteration from u finds, and the new u. */
export function spectralReference({ layout: { cols }, arrays: { x, u } }) {
  const rows = x.length / cols;
  const unit = (vector) => {
    const norm = Math.sqrt(vector.reduce((sum, one) => sum + one * one, 0));
    return vector.map((one) => one / norm);
  };
  const [v, next] = [new Float64Array(rows), new Float64Array(cols)];
  for (let i = 0; i < x.length; i++) v[Math.floor(i / cols)] += x[i] * u[i % cols];
  const left = unit(v);
  for (let i = 0; i < x.length; i++) next[i % cols] += left[Math.floor(i / cols)] * x[i];
  const right = unit(next);
  const sigma = next.reduce((sum, one, i) => sum + one * right[i], 0);
  return [Float64Array.from(x, (one) => one / sigma), right];
}
