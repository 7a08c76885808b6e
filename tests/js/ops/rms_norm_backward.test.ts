// What is the own of RMS normalization's gradient: gamma, and what Keras computed (tier: golden). What it shares with that of
// unit normalization is in normalize_backward.test.ts.
import { rmsNormBackward, rmsNormForward, tensor } from 'layernorm';
import { kerasCases } from '../support/golden.js';
import { normals } from '../support/random.js';
import { aboutZeroReference } from '../support/reference.js';
import { expectSameBits, firstMismatch } from '../support/ulp.js';

test.each(kerasCases('RMSNormalization'))(
  'Keras 3.16: $name',
  ({ config, input, dy, grads, weights_before }) => {
    const x = Float32Array.from(input.data);
    const options = { shape: input.shape, axis: config.axis, gamma: weights_before[0]?.data };
    const { rstd } = rmsNormForward(x, { ...options, epsilon: config.epsilon });
    const { dx, dgamma } = rmsNormBackward(Float32Array.from(dy.data), x, { ...options, rstd });
    const near = (actual: ArrayLike<number>, expected: number[] = []): void => {
      const scale = Math.max(...expected.map(Math.abs));
      expect(firstMismatch(actual, expected, 2e-5, 2e-5 * scale)).toBeUndefined();
    };
    near(dx, grads.input.data);
    near(dgamma, grads.scale?.data);
  },
);

const shape = [130, 9];
const x = normals(1170);
const dy = normals(1170, 2);
const gamma = normals(9, 3);
const { rstd } = rmsNormForward(x, { shape, gamma });

test('gamma, and its gradient, near the float64 reference', () => {
  const { dx, dgamma } = rmsNormBackward(dy, x, { shape, gamma, rstd });
  const expected = aboutZeroReference(x, shape, { axes: [1], epsilon: 1e-6, gamma, dy });
  expect(firstMismatch(dx, expected.dx, 1e-6, 4e-6)).toBeUndefined();
  expect(firstMismatch(dgamma, expected.dgamma, 1e-6, 2e-5)).toBeUndefined();
});

test('what is not wanted is not there', () => {
  const all = rmsNormBackward(dy, x, { shape, gamma, rstd });
  expect(Object.keys(all)).toEqual(['dx', 'dgamma']);
  const some = rmsNormBackward(dy, x, { shape, gamma, rstd, outputs: ['dgamma'] });
  expect(Object.keys(some)).toEqual(['dgamma']);
  expectSameBits(some.dgamma, all.dgamma);
});

test('dgamma is float32 where x has 16 bits, and a tensor where x is one', () => {
  using t = tensor(x, shape, 'bfloat16');
  const { dx, dgamma } = rmsNormBackward(dy, t, { rstd });
  expect([dx.dtype, dgamma.dtype, dgamma.shape]).toEqual(['bfloat16', 'float32', [9]]);
  for (const one of [dx, dgamma]) one.dispose();
});

test('no groups give a dgamma of zeros', () => {
  const none = new Float32Array(0);
  expect(rmsNormBackward(none, none, { shape: [0, 3], rstd: none }).dgamma).toEqual(new Float32Array(3));
});
