// What is the own of unit normalization's gradient: the clamp, and what Keras computed (tier: golden). What it shares with that of
// RMS normalization is in normalize_backward.test.ts.
import { unitNormBackward, unitNormForward } from 'layernorm';
import { expectError } from '../support/errors.js';
import { kerasCases } from '../support/golden.js';
import { aboutZeroReference } from '../support/reference.js';
import { firstMismatch } from '../support/ulp.js';

test.each(kerasCases('UnitNormalization'))('Keras 3.16: $name', ({ config, input, dy, grads }) => {
  const x = Float32Array.from(input.data);
  const options = { shape: input.shape, axis: config.axis };
  const { rstd } = unitNormForward(x, options);
  const { dx } = unitNormBackward(Float32Array.from(dy.data), x, { ...options, rstd });
  expect(firstMismatch(dx, grads.input.data, 2e-5, 2e-6)).toBeUndefined();
});

test('keras_23093_zero_vector: the gradient is finite, that of a constant factor', () => {
  const x = new Float32Array(4);
  const dy = new Float32Array([1, -2, 3, 0]);
  const { rstd } = unitNormForward(x);
  const { dx } = unitNormBackward(dy, x, { rstd });
  expect(Array.from(dx)).toEqual(Array.from(dy, (value) => Math.fround(value * Math.fround(1e12))));
});

test('vectors up to epsilon are divided by a constant, longer ones are not', () => {
  const x = new Float64Array([0.03, 0.04, 3, 4]);
  const dy = new Float64Array([1, 2, 1, 2]);
  const options = { shape: [2, 2], epsilon: 0.1 };
  const { rstd } = unitNormForward(x, options);
  const { dx } = unitNormBackward(dy, x, { ...options, rstd });
  const expected = aboutZeroReference(x, [2, 2], { axes: [1], epsilon: 0.1, unit: true, dy });
  expect(firstMismatch(dx, expected.dx, 1e-14, 0)).toBeUndefined();
});

test('epsilon is checked as in the forward call', () => {
  const x = new Float32Array(4);
  expectError(
    () => unitNormBackward(x, x, { rstd: [1], epsilon: -1 }),
    'ERR_ARGUMENT',
    'unitNormBackward: epsilon is -1, expected a finite number that is not negative',
  );
});
