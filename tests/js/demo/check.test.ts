// The check that the page makes of every result has to find what is wrong.

import { layerNorm } from 'layernorm';
import { groupsOf } from '../../../web-demo/src/compute/groups.js';
import { type CheckedCall, checkSamples } from '../../../web-demo/src/compute/reference.js';
import { reachFromZero, spreadOf } from '../../../web-demo/src/compute/spread.js';

const NOTHING = { absolute: 0, ulp: 0, notFinite: 0 };
const shape = [3, 4, 5];
const x = Float32Array.from({ length: 60 }, (_, i) => 1000 + Math.sin(i * i));

function call(options: {
  axis: number[];
  epsilon: number;
  gamma?: Float32Array;
  beta?: Float32Array;
}): CheckedCall {
  const y = layerNorm(x, { shape, ...options });
  return {
    x,
    y,
    groups: groupsOf(shape, options.axis),
    epsilon: options.epsilon,
    gamma: options.gamma,
    beta: options.beta,
  };
}

test.each([[[2]], [[1, 2]], [[0, 2]], [[0, 1, 2]]])('the kernel passes, axes %j', (axis) => {
  const size = axis.reduce((product, d) => product * (shape[d] as number), 1);
  const gamma = Float32Array.from({ length: size }, (_, i) => 1 + i / 7);
  const beta = Float32Array.from({ length: size }, (_, i) => i / 3 - 1);
  const checked = call({ axis, epsilon: 1e-5, gamma, beta });
  const { ulp, absolute, notFinite } = checkSamples(checked, 0, checked.groups.count, NOTHING);
  expect(ulp).toBeLessThanOrEqual(3);
  expect(absolute).toBeGreaterThan(0);
  expect(notFinite).toBe(0);
});

test('one wrong element is found, in ulp of the terms of y', () => {
  const checked = call({ axis: [2], epsilon: 1e-3 });
  checked.y[41] = (checked.y[41] as number) + 1e-3;
  const { ulp, absolute } = checkSamples(checked, 0, checked.groups.count, NOTHING);
  expect(absolute).toBeCloseTo(1e-3, 6);
  expect(ulp).toBeCloseTo(1e-3 * 2 ** 23, -2);
});

test('slices add up', () => {
  const checked = call({ axis: [2], epsilon: 1e-3 });
  checked.y[7] = 9;
  const first = checkSamples(checked, 0, 5, NOTHING);
  expect(checkSamples(checked, 5, 12, first)).toEqual(checkSamples(checked, 0, 12, NOTHING));
});

test('NaN in place of a number is an infinite error; NaN for NaN is counted', () => {
  const checked = call({ axis: [2], epsilon: 1e-3 });
  checked.y[3] = Number.NaN;
  expect(checkSamples(checked, 0, 12, NOTHING).ulp).toBe(Number.POSITIVE_INFINITY);

  const withNaN = Float32Array.from([1, Number.NaN, 3, 1, 2, 3]);
  const y = layerNorm(withNaN, { shape: [2, 3] });
  const groups = groupsOf([2, 3], [1]);
  const { ulp, notFinite } = checkSamples(
    { x: withNaN, y, groups, epsilon: 1e-3, gamma: undefined, beta: undefined },
    0,
    2,
    NOTHING,
  );
  expect(notFinite).toBe(3);
  expect(ulp).toBeLessThanOrEqual(3);
});

test('float64 is held to its own precision', () => {
  const wide = Float64Array.from(x);
  const y = layerNorm(wide, { shape, epsilon: 1e-3 });
  const { ulp } = checkSamples(
    { x: wide, y, groups: groupsOf(shape, [2]), epsilon: 1e-3, gamma: undefined, beta: undefined },
    0,
    12,
    NOTHING,
  );
  // The reference is float64 too, so both have a share in this.
  expect(ulp).toBeLessThanOrEqual(16);
});

test('colour scales span the values, except for a few that lie far away', () => {
  expect(spreadOf([1, 2, 3])).toEqual({ min: 1, max: 3, low: 1, high: 3 });
  const { high, max } = spreadOf([...new Array(1000).fill(0), ...new Array(1000).fill(1), 1e6]);
  expect(max).toBe(1e6);
  expect(high).toBeLessThan(1e5);
  expect(spreadOf([Number.NaN])).toEqual({ min: 0, max: 0, low: 0, high: 0 });
  expect(reachFromZero([-1, 0.5, Number.NaN])).toBe(1);
  expect(reachFromZero([0, 0])).toBe(0);
});
