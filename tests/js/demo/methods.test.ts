import {
  defaultGroups,
  divisorsOf,
  epsilonText,
  METHOD_NAMES,
  METHODS,
} from '../../../web-demo/src/compute/methods.js';

test('channels can be split into as many groups as divide their number', () => {
  expect(divisorsOf(1)).toEqual([1]);
  expect(divisorsOf(7)).toEqual([1, 7]);
  expect(divisorsOf(36)).toEqual([1, 2, 3, 4, 6, 9, 12, 18, 36]);
});

test.each([
  [256, 32],
  [32, 32],
  [4, 2],
  [3, 1],
  [1, 1],
  [100, 25],
])('%d channels are split into %d groups at first', (channels, groups) => {
  expect(defaultGroups(channels)).toBe(groups);
});

test('epsilon is written as one would write it, and starts as in Keras', () => {
  expect([0, 1e-12, 0.00018, 0.001, 2.5].map(epsilonText)).toEqual(['0', '1e-12', '1.8e-4', '0.001', '2.5']);
  expect(METHOD_NAMES.map((name) => METHODS[name].epsilon)).toEqual([1e-3, 1e-6, 1e-12, 1e-3, 1e-3, 1e-3]);
});
