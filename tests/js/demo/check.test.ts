// The check that the page makes of every result has to find what is wrong.

import { layerNorm, tensor } from 'layernorm';
import { type Choice, groupsOf, layoutOf, parametersOf } from '../../../web-demo/src/compute/groups.js';
import { normalize, normalizeForward, optionsOf } from '../../../web-demo/src/compute/kernels.js';
import { METHOD_NAMES, METHODS } from '../../../web-demo/src/compute/methods.js';
import { type CheckedCall, checkGroups } from '../../../web-demo/src/compute/reference.js';
import { reachFromZero, spreadOf } from '../../../web-demo/src/compute/spread.js';
import { widen } from '../../../web-demo/src/parse/sixteen_bit.js';

const NOTHING = { absolute: 0, ulp: 0, notFinite: 0 };
const shape = [3, 4, 5];
const over = (shape: number[], axis: number[]) =>
  groupsOf(layoutOf(shape, { method: 'layer', axis, groups: 1 }, true));
const x = Float32Array.from({ length: 60 }, (_, i) => 1000 + Math.sin(i * i));

function call(options: {
  axis: number[];
  epsilon: number;
  gamma?: Float32Array;
  beta?: Float32Array;
}): CheckedCall {
  const y = layerNorm(x, { shape, ...options });
  return {
    method: 'layer',
    x,
    y,
    groups: over(shape, options.axis),
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
  const { ulp, absolute, notFinite } = checkGroups(checked, 0, checked.groups.count, NOTHING);
  expect(ulp).toBeLessThanOrEqual(3);
  expect(absolute).toBeGreaterThan(0);
  expect(notFinite).toBe(0);
});

const CHOICES: (Choice & { hasBatch: boolean })[] = [
  ...METHOD_NAMES.map((method) => ({ method, axis: [2], groups: 5, hasBatch: true })),
  { method: 'rms', axis: [0, 1], groups: 1, hasBatch: true },
  { method: 'unit', axis: [0, 2], groups: 1, hasBatch: true },
  { method: 'batch', axis: [0], groups: 1, hasBatch: true },
  { method: 'group', axis: [1], groups: 2, hasBatch: true },
  { method: 'group', axis: [1], groups: 1, hasBatch: false },
  { method: 'batch', axis: [], groups: 1, hasBatch: false },
];

test.each(CHOICES)('the kernel passes, $method on axis $axis, and what is wrong is found', (choice) => {
  const { method, hasBatch } = choice;
  const layout = layoutOf(shape, choice, hasBatch);
  const groups = groupsOf(layout);
  const gamma = Float32Array.from({ length: parametersOf(layout) }, (_, i) => 1 + i / 7);
  const beta = gamma.map((value, i) => i / 3 - value);
  const { epsilon } = METHODS[method];
  const options = optionsOf(shape, { ...choice, epsilon }, hasBatch, gamma, beta);
  const y = normalize(method, x, options);
  const call = { method, x, y, groups, epsilon, gamma: options.gamma, beta: options.beta };
  const check = () => checkGroups(call, 0, groups.count, NOTHING);
  expect(check().ulp).toBeLessThanOrEqual(3);
  expect(check().notFinite).toBe(0);
  y[41] = (y[41] as number) * 1.001 + 1e-3;
  expect(check().ulp).toBeGreaterThan(100);
});

test('what is small next to 1 is held to its own size where nothing cancels out', () => {
  const many = Float32Array.from({ length: 10_000 }, (_, i) => 1 + Math.sin(i));
  const choice: Choice = { method: 'unit', axis: [0], groups: 1 };
  const groups = groupsOf(layoutOf([10_000], choice, true));
  const y = normalize(
    'unit',
    many,
    optionsOf([10_000], { ...choice, epsilon: 0 }, true, undefined, undefined),
  );
  const call: CheckedCall = {
    method: 'unit',
    x: many,
    y,
    groups,
    epsilon: 0,
    gamma: undefined,
    beta: undefined,
  };
  expect(checkGroups(call, 0, 1, NOTHING).ulp).toBeLessThanOrEqual(3);
  y[0] = (y[0] as number) * (1 + 1e-5);
  expect(checkGroups(call, 0, 1, NOTHING).ulp).toBeGreaterThan(50);
});

test('a group that is shorter than epsilon is divided by that', () => {
  const short = Float32Array.from([3e-4, 4e-4, 0, 0]);
  const choice: Choice = { method: 'unit', axis: [1], groups: 1 };
  const options = optionsOf([2, 2], { ...choice, epsilon: 1e-3 }, true, undefined, undefined);
  const y = normalize('unit', short, options);
  expect(y[0]).toBeCloseTo(0.3, 6);
  const groups = groupsOf(layoutOf([2, 2], choice, true));
  const call = {
    method: 'unit',
    x: short,
    y,
    groups,
    epsilon: 1e-3,
    gamma: undefined,
    beta: undefined,
  } as const;
  expect(checkGroups(call, 0, 2, NOTHING).ulp).toBeLessThanOrEqual(2);
});

test('one wrong element is found, in ulp of the terms of y', () => {
  const checked = call({ axis: [2], epsilon: 1e-3 });
  checked.y[41] = (checked.y[41] as number) + 1e-3;
  const { ulp, absolute } = checkGroups(checked, 0, checked.groups.count, NOTHING);
  expect(absolute).toBeCloseTo(1e-3, 6);
  expect(ulp).toBeCloseTo(1e-3 * 2 ** 23, -2);
});

test('slices add up', () => {
  const checked = call({ axis: [2], epsilon: 1e-3 });
  checked.y[7] = 9;
  const first = checkGroups(checked, 0, 5, NOTHING);
  expect(checkGroups(checked, 5, 12, first)).toEqual(checkGroups(checked, 0, 12, NOTHING));
});

test('NaN in place of a number is an infinite error; NaN for NaN is counted', () => {
  const checked = call({ axis: [2], epsilon: 1e-3 });
  checked.y[3] = Number.NaN;
  expect(checkGroups(checked, 0, 12, NOTHING).ulp).toBe(Number.POSITIVE_INFINITY);

  const withNaN = Float32Array.from([1, Number.NaN, 3, 1, 2, 3]);
  const y = layerNorm(withNaN, { shape: [2, 3] });
  const groups = over([2, 3], [1]);
  const { ulp, notFinite } = checkGroups(
    { method: 'layer', x: withNaN, y, groups, epsilon: 1e-3, gamma: undefined, beta: undefined },
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
  const { ulp } = checkGroups(
    {
      method: 'layer',
      x: wide,
      y,
      groups: over(shape, [2]),
      epsilon: 1e-3,
      gamma: undefined,
      beta: undefined,
    },
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

describe.each(['float16', 'bfloat16'] as const)('%s', (dtype) => {
  const waves = Float32Array.from({ length: 60 }, (_, i) => 3 * Math.sin(i * i) + 1);
  const array = Uint16Array.from(bitsOf(waves, dtype));

  test.each(CHOICES)(
    'the kernel rounds once, $method on axis $axis, and what is wrong is found',
    (choice) => {
      const { method, hasBatch } = choice;
      const { epsilon, hasBeta } = METHODS[method];
      const layout = layoutOf(shape, choice, hasBatch);
      const groups = groupsOf(layout);
      const gamma = Float32Array.from({ length: parametersOf(layout) }, (_, i) => 1 + i / 7);
      const ulp = (beta: Float32Array<ArrayBuffer> | undefined, change = 0): number => {
        const options = optionsOf(shape, { ...choice, epsilon }, hasBatch, gamma, beta, dtype);
        const bits = normalizeForward(method, array, options).y as Uint16Array<ArrayBuffer>;
        const y = widen({ dtype, array: bits });
        const most = y.reduce((at, value, i) => (Math.abs(value) > Math.abs(y[at] as number) ? i : at), 0);
        bits[most] = (bits[most] as number) + change;
        const call = { method, x: widen({ dtype, array }), y: widen({ dtype, array: bits }), dtype, groups };
        const checked = { ...call, epsilon, gamma: options.gamma, beta: options.beta };
        return checkGroups(checked, 0, groups.count, NOTHING).ulp;
      };
      expect(ulp(undefined)).toBeLessThanOrEqual(0.51);
      expect(ulp(undefined)).toBeGreaterThan(0.1);
      expect(ulp(undefined, 2)).toBeGreaterThan(1.4);
      // A sum may have twice the spacing of its terms.
      if (hasBeta) expect(ulp(gamma.map((value, i) => i / 3 - value))).toBeLessThanOrEqual(1.01);
    },
  );
});

/** Numbers rounded to 16 bits by the package. */
function bitsOf(values: Float32Array, dtype: 'float16' | 'bfloat16'): Uint16Array {
  using rounded = tensor(values, undefined, dtype);
  const { buffer, byteOffset } = rounded.array;
  return new Uint16Array(buffer, byteOffset, values.length).slice();
}

test('what float16 has no room for is infinite', () => {
  const choice: Choice = { method: 'layer', axis: [0], groups: 1 };
  const groups = groupsOf(layoutOf([4], choice, true));
  const array = Uint16Array.of(0xbc00, 0x3c00, 0xbc00, 0x3c00);
  const options = optionsOf(
    [4],
    { ...choice, epsilon: 0 },
    true,
    new Float32Array(4).fill(1e5),
    undefined,
    'float16',
  );
  const y = widen({
    dtype: 'float16',
    array: normalizeForward('layer', array, options).y as Uint16Array<ArrayBuffer>,
  });
  expect([...y]).toEqual([-1, 1, -1, 1].map((sign) => sign * Number.POSITIVE_INFINITY));
  const call = {
    method: 'layer',
    x: widen({ dtype: 'float16', array }),
    y,
    groups,
    epsilon: 0,
    beta: undefined,
  } as const;
  const check = (dtype?: 'float16') => checkGroups({ ...call, gamma: options.gamma, dtype }, 0, 1, NOTHING);
  expect(check('float16')).toEqual({ absolute: 0, ulp: 0, notFinite: 4 });
  expect(check().ulp).toBe(Number.POSITIVE_INFINITY);
});
