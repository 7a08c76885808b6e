// Which function is called with what, for every method, and what is said of it.

import { type Choice, layoutOf } from '../../../web-demo/src/compute/groups.js';
import {
  callText,
  normalize,
  normalizeForward,
  optionsOf,
  statistics,
} from '../../../web-demo/src/compute/kernels.js';
import { METHOD_NAMES, METHODS } from '../../../web-demo/src/compute/methods.js';

const shape = [2, 3, 4];
const x = Float32Array.from({ length: 24 }, (_, i) => 3 + Math.sin(i * i));
const gamma = new Float32Array(4).fill(2);
const beta = new Float32Array(4).fill(1);
const choose = (method: Choice['method'], axis = [2]): Choice & { epsilon: number } => ({
  method,
  axis,
  groups: 2,
  epsilon: 0.5,
});

test.each([
  ['layer', 'layerNorm(x, { shape: [2, 3, 4], axis: 2, epsilon: 0.5, gamma, beta })'],
  ['rms', 'rmsNorm(x, { shape: [2, 3, 4], axis: 2, epsilon: 0.5, gamma })'],
  ['unit', 'unitNorm(x, { shape: [2, 3, 4], axis: 2, epsilon: 0.5 })'],
  ['batch', 'batchNorm(x, { shape: [2, 3, 4], axis: 2, epsilon: 0.5, gamma, beta })'],
  ['group', 'groupNorm(x, { shape: [2, 3, 4], axis: 2, groups: 2, epsilon: 0.5, gamma, beta })'],
  ['instance', 'instanceNorm(x, { shape: [2, 3, 4], axis: 2, epsilon: 0.5, gamma, beta })'],
] as const)('the call of %s has the options that its function knows', (method, text) => {
  const options = optionsOf(shape, choose(method), true, gamma, beta);
  expect(callText(method, options)).toBe(text);
  expect(normalize(method, x, options)).toEqual(normalizeForward(method, x, options).y);
});

test('several axes, and the batch of one that a picture is', () => {
  expect(callText('layer', optionsOf(shape, choose('layer', [1, 2]), false, undefined, undefined))).toBe(
    'layerNorm(x, { shape: [2, 3, 4], axis: [1, 2], epsilon: 0.5 })',
  );
  expect(callText('instance', optionsOf(shape, choose('instance'), false, undefined, undefined))).toBe(
    'instanceNorm(x, { shape: [1, 2, 3, 4], axis: 3, epsilon: 0.5 })',
  );
  expect(callText('batch', optionsOf([6, 4], choose('batch', []), false, undefined, undefined))).toBe(
    'batchNorm(x, { shape: [1, 6, 4, 1], axis: 3, epsilon: 0.5 })',
  );
});

test.each(METHOD_NAMES)('the statistics of %s are those of its groups', (method) => {
  const choice = { ...choose(method), epsilon: 0 };
  const layout = layoutOf(shape, choice, true);
  const { mean, rstd, y } = normalizeForward(method, x, optionsOf(shape, choice, true, undefined, undefined));
  const before = statistics(method, x, layout, new Float32Array(24));
  expect([...before.scale]).toHaveLength(rstd.length);
  before.scale.forEach((scale, g) => {
    expect(scale * (rstd[g] as number)).toBeCloseTo(1, 5);
    if (mean) expect(before.mean[g]).toBeCloseTo(mean[g] as number, 5);
  });
  const after = statistics(method, y, layout, new Float32Array(24));
  after.scale.forEach((scale, g) => {
    expect(scale).toBeCloseTo(1, 5);
    if (METHODS[method].scale === 'std') expect(after.mean[g]).toBeCloseTo(0, 5);
    else expect(after.mean[g]).toBeGreaterThan(0.1);
  });
});

test('a shape of as many dimensions as the package takes has statistics, though one of them is cut', () => {
  const many = [2, 3, ...new Array<number>(29).fill(1), 4];
  const choice = { ...choose('group', [31]), epsilon: 0 };
  const { scale } = statistics('group', x, layoutOf(many, choice, true), new Float32Array(24));
  expect(scale).toHaveLength(4);
});
