// What a call costs from JavaScript: on small arrays it is more than the work.

import { measure, medianTime } from './measure.mjs';
import { randomNumbers } from './random.mjs';
import { ratios, summary } from './statistics.mjs';

const SHAPES = [
  [1, 64],
  [1, 768],
  [8, 256],
  [128, 768],
];
const EPSILON = 1e-5;
/** What the others are compared with. */
const LOOP = 'plain loop';

/**
 * @typedef {object} CallRow
 * @property {string} label
 * @property {Record<string, { us: import('./statistics.mjs').Summary, ratio: import('./statistics.mjs').Summary }>} cells
 *   the ratio is that to the plain loop
 */

/** @returns {Promise<CallRow[]>} */
export async function measureCalls({ layerNorm, tensor }, { precision, random }) {
  const { layerNormRows } = await import('../peers/loops.mjs?calls');
  const rows = [];
  for (const shape of SHAPES) {
    const [groups, cols] = shape;
    const numbers = randomNumbers(cols);
    const x = Float32Array.from({ length: groups * cols }, () => 4 * numbers() - 1);
    const gamma = Float32Array.from({ length: cols }, () => 0.5 + numbers());
    const beta = Float32Array.from({ length: cols }, () => numbers() - 0.5);
    const y = new Float32Array(x.length);
    const tensors = [tensor(x, shape), tensor(gamma), tensor(beta), tensor(x, shape)];
    const [xT, gammaT, betaT, yT] = tensors;
    const epsilon = EPSILON;

    // Options are written out in each call, as in real code.
    const calls = {
      [LOOP]: () => layerNormRows(x, groups, cols, gamma, beta, epsilon, y),
      'array, out': () => layerNorm(x, { shape, gamma, beta, epsilon, out: y }),
      array: () => layerNorm(x, { shape, gamma, beta, epsilon }),
      'tensor, out': () => layerNorm(xT, { gamma: gammaT, beta: betaT, epsilon, out: yT }),
      tensor: () => layerNorm(xT, { gamma: gammaT, beta: betaT, epsilon }).dispose(),
      'copy in': () => xT.array.set(x),
      'copy out': () => y.set(yT.array),
      'copy out, new': () => yT.array.slice(),
    };
    const timings = await measure(
      Object.entries(calls).map(([name, call]) => ({ name, call })),
      { ...precision, random },
    );
    for (const one of tensors) one.dispose();

    const cells = {};
    for (const [name, timing] of Object.entries(timings)) {
      if (timing.failure || medianTime(timing) === undefined) throw new Error(`${name}: ${timing.failure}`);
      cells[name] = {
        us: summary(timing.times.map((ms) => ms * 1e3)),
        ratio: ratios(timing.times, timings[LOOP].times),
      };
    }
    rows.push({ label: shape.join('x'), cells });
  }
  return rows;
}
