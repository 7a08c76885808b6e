// Layer normalization as one would write it in JavaScript.

import { offsetsOf } from '../lib/layout.mjs';

/** Over the last axis: two passes for the statistics, one for y. */
export function layerNormRows(x, rows, cols, gamma, beta, epsilon, y) {
  for (let row = 0; row < rows; row++) {
    const start = row * cols;
    let sum = 0;
    for (let i = 0; i < cols; i++) sum += x[start + i];
    const mean = sum / cols;
    let squares = 0;
    for (let i = 0; i < cols; i++) squares += (x[start + i] - mean) ** 2;
    const rstd = 1 / Math.sqrt(squares / cols + epsilon);
    for (let i = 0; i < cols; i++) y[start + i] = (x[start + i] - mean) * rstd * gamma[i] + beta[i];
  }
}

/** Over any axes: the same, by the offsets of the elements. */
export function layerNormGroups(x, { starts, steps }, gamma, beta, epsilon, y) {
  const cols = steps.length;
  for (const start of starts) {
    let sum = 0;
    for (let i = 0; i < cols; i++) sum += x[start + steps[i]];
    const mean = sum / cols;
    let squares = 0;
    for (let i = 0; i < cols; i++) squares += (x[start + steps[i]] - mean) ** 2;
    const rstd = 1 / Math.sqrt(squares / cols + epsilon);
    for (let i = 0; i < cols; i++) {
      y[start + steps[i]] = (x[start + steps[i]] - mean) * rstd * gamma[i] + beta[i];
    }
  }
}

/** @type {import('./index.mjs').Open} */
export async function open() {
  /** One copy of the functions for each dtype: V8 makes slower code once a function has seen two kinds of arrays. */
  const copies = {};
  for (const dtype of ['float32', 'float64']) copies[dtype] = await import(`./plain_loop.mjs?${dtype}`);
  return {
    title: 'plain JavaScript loop',
    candidate({ case: one, arrays: { x, gamma, beta }, shape, layout, epsilon }) {
      if (!(one.dtype in copies)) return undefined;
      if (one.operation !== 'layerNorm') return undefined;
      const code = copies[one.dtype];
      const y = x.slice();
      const source = one.inPlace ? y : x;
      const ones = gamma ?? new x.constructor(layout.cols).fill(1);
      const zeros = beta ?? new x.constructor(layout.cols);
      const offsets = layout.inner === 1 ? undefined : offsetsOf(shape, layout);
      return {
        call: offsets
          ? () => code.layerNormGroups(source, offsets, ones, zeros, epsilon, y)
          : () => code.layerNormRows(source, layout.groups, layout.cols, ones, zeros, epsilon, y),
        reset: () => (one.inPlace ? y.set(x) : y.fill(Number.NaN)),
        results: () => [y],
      };
    },
    close() {},
  };
}
