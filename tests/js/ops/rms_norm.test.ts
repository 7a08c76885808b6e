// What is RMS normalization's own: gamma, what Keras computed (tier: golden), and where the peers went wrong, each test named
// after the report (tier: bounded). What it shares with unit normalization is in normalize.test.ts.
import { rmsNorm, rmsNormForward, tensor } from 'layernorm';
import { expectError } from '../support/errors.js';
import { kerasCases } from '../support/golden.js';
import { normals } from '../support/random.js';
import { aboutZeroReference } from '../support/reference.js';
import { expectSameBits, firstMismatch, maxUlpError } from '../support/ulp.js';

describe('Keras 3.16', () => {
  const cases = kerasCases('RMSNormalization');
  test('all cases are there', () => expect(cases).toHaveLength(3));
  test.each(cases)('$name', ({ config, input, weights_before, output }) => {
    const y = rmsNorm(Float32Array.from(input.data), {
      shape: input.shape,
      axis: config.axis,
      epsilon: config.epsilon,
      gamma: weights_before[0]?.data,
    });
    expect(firstMismatch(y, output.data, 2e-5, 2e-6)).toBeUndefined();
  });
});

describe('gamma', () => {
  const x = normals(120);
  test.each([[[3]], [[1]], [[1, 3]], [[0, 1, 2, 3]]])('spans the axes %j', (axis) => {
    const shape = [2, 3, 4, 5];
    const gamma = normals(
      axis.reduce((product, d) => product * (shape[d] as number), 1),
      2,
    );
    const y = rmsNorm(x, { shape, axis, gamma });
    const expected = aboutZeroReference(x, shape, { axes: axis, epsilon: 1e-6, gamma }).y;
    expect(firstMismatch(y, expected, 1e-6, 1e-6)).toBeUndefined();
  });

  test('by the short way and by the long one, of arrays and of tensors', () => {
    const gamma = normals(5, 3);
    const shape = [24, 5];
    const long = rmsNorm(x, { shape, gamma, axis: [-1] });
    expectSameBits(rmsNorm(x, { shape, gamma }), long);
    using t = tensor(x, shape);
    using g = tensor(gamma);
    expect(rmsNorm(t, { gamma: g, out: t })).toBe(t);
    expectSameBits(t.array as Float32Array, long);
  });

  test('of another size is an error, and nothing is written', () => {
    const out = new Float32Array(120);
    expectError(
      () => rmsNorm(x, { shape: [24, 5], gamma: [1, 2], out }),
      'ERR_SHAPE',
      'rmsNorm: gamma has 2 elements, expected 5, the size of axis -1 of x [24, 5]',
    );
    expect(out.some(Boolean)).toBe(false);
  });

  test('has the name that it has in Keras in the error about scale', () => {
    const options = { shape: [24, 5], scale: [1, 1, 1, 1, 1] } as object;
    expectError(
      () => rmsNorm(x, options),
      'ERR_ARGUMENT',
      "rmsNorm: unknown option 'scale', did you mean 'gamma'?",
    );
  });
});

describe('where others went wrong', () => {
  test('onnxruntime_29045_float16_overflow: the sum of 2048 squares of 500 is beyond float16', () => {
    const bits = Uint16Array.from({ length: 2048 }, (_, i) => (i % 2 ? 0xdfd0 : 0x5fd0)); // 500 and -500
    expect(new Set(rmsNorm(bits, { dtype: 'float16' }))).toEqual(new Set([0x3c00, 0xbc00]));
  });

  test('pytorch_66707_largest_float16: squares of 65504', () => {
    const bits = Uint16Array.from({ length: 64 }, (_, i) => (i % 2 ? 0xfbff : 0x7bff));
    expect(new Set(rmsNorm(bits, { dtype: 'float16' }))).toEqual(new Set([0x3c00, 0xbc00]));
  });

  test('pytorch_189581_bfloat16_constants: with an epsilon of bfloat16 they came out 1.7 times too small', () => {
    const x = new Uint16Array(64).fill(0x3d80); // 0.0625
    const y = rmsNorm(x, { dtype: 'bfloat16', epsilon: 2 ** -23 });
    expect(new Set(y)).toEqual(new Set([0x3f80]));
  });

  test('pytorch_178123_overflow: squares of 1e30 do not fit into float32', () => {
    const x = normals(100, 9).map((value) => value * 1e30);
    const expected = aboutZeroReference(x, [100], { axes: [0], epsilon: 1e-6 });
    const { y, rstd } = rmsNormForward(x);
    expect(maxUlpError(y, expected.y)).toBeLessThanOrEqual(3);
    expect(firstMismatch(rstd, expected.rstd, 1e-6, 0)).toBeUndefined();
  });

  test('pytorch_docs_2_4_epsilon_placement: inside the root', () => {
    const y = rmsNorm(new Float32Array([0.1, 0.1]), { epsilon: 0.03 });
    expect(firstMismatch(y, [0.5, 0.5], 1e-6, 0)).toBeUndefined();
  });

  test('keras_21234_not_rms_scaling: the mean of the squares, not the variance', () => {
    const y = rmsNorm(new Float32Array([3, 3, 3, 3]));
    expect(firstMismatch(y, [1, 1, 1, 1], 1e-6, 0)).toBeUndefined();
  });
});
