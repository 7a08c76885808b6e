// Instance normalization is group normalization with a group for each channel: bitwise. What that is, group_norm.test.ts tests.
import {
  groupNorm,
  groupNormBackward,
  groupNormForward,
  instanceNorm,
  instanceNormBackward,
  instanceNormForward,
  layerNorm,
  tensor,
} from 'layernorm';
import { differences } from '../support/differences.js';
import { expectError } from '../support/errors.js';
import { normals } from '../support/random.js';
import { expectSameBits, firstMismatch } from '../support/ulp.js';

const x = normals(120, 1);
const gamma = normals(4, 2);
const beta = normals(4, 3);

test.each([
  [[2, 3, 5, 4], -1],
  [[2, 4, 15], 1],
  [[30, 4], 1],
  [[1, 5, 4, 6], 2],
])('groupNorm with groups -1: shape %j, axis %j', (shape, axis) => {
  const options = { shape, axis, gamma, beta, epsilon: 1e-5 };
  expect(instanceNorm(x, options)).toEqual(groupNorm(x, { ...options, groups: -1 }));
  const forward = instanceNormForward(x, options);
  expect(forward).toEqual(groupNormForward(x, { ...options, groups: 4 }));
  const { mean, rstd } = forward;
  const dy = normals(120, 4);
  const backward = { shape, axis, gamma, mean, rstd };
  const expected = groupNormBackward(dy, x, { ...backward, groups: -1 });
  expect(instanceNormBackward(dy, x, backward)).toEqual(expected);
  expect(instanceNormBackward(dy, x, { ...backward, outputs: ['dgamma'] })).toEqual({
    dgamma: expected.dgamma,
  });
});

test('channels first is layer normalization of each channel', () => {
  const shape = [2, 4, 3, 5];
  expectSameBits(instanceNorm(x, { shape, axis: 1 }), layerNorm(x, { shape, axis: [2, 3] }));
});

test('finite differences', () => {
  const shape = [2, 3, 4];
  const wide = Float64Array.from(x.subarray(0, 24));
  const dy = Float64Array.from(normals(24, 4));
  const loss = (): number =>
    instanceNorm(wide, { shape, gamma }).reduce((sum, y, i) => sum + y * (dy[i] as number), 0);
  const { mean, rstd } = instanceNormForward(wide, { shape });
  const { dx } = instanceNormBackward(dy, wide, { shape, gamma, mean, rstd });
  expect(firstMismatch(dx, differences(wide, loss), 1e-7, 2e-8)).toBeUndefined();
});

test('tensors', () => {
  using t = tensor(x, [2, 15, 4]);
  const { y, mean, rstd } = instanceNormForward(t, { gamma, beta });
  expect([y.shape, mean.shape, rstd.shape]).toEqual([
    [2, 15, 4],
    [2, 4],
    [2, 4],
  ]);
  expectSameBits(y.array, instanceNorm(x, { shape: [2, 15, 4], gamma, beta }));
  expect(instanceNorm(t, { gamma, beta, out: t })).toBe(t);
  expectSameBits(t.array, y.array);
  for (const one of [y, mean, rstd]) one.dispose();
});

test('errors say its name, and there is no option groups', () => {
  expectError(
    () => instanceNorm(x, { groups: 2 } as object),
    'ERR_ARGUMENT',
    "instanceNorm: unknown option 'groups', expected shape, axis, epsilon, gamma, beta, dtype, out",
  );
  expectError(() => instanceNormForward(x), 'ERR_AXIS', /^instanceNormForward: axis -1 is dimension 0 of x/);
  const call = instanceNormBackward as (...values: unknown[]) => unknown;
  expectError(
    () => call(x, x, { shape: [30, 4] }),
    'ERR_ARGUMENT',
    /^instanceNormBackward: mean is undefined/,
  );
});
