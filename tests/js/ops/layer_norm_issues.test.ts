// Tier: bounded. Where the peers went wrong, each test named after the report.
import { layerNorm, layerNormForward, tensor } from 'layernorm';
import { expectError } from '../support/errors.js';
import { normal, normals, seeded } from '../support/random.js';
import { layerNormReference } from '../support/reference.js';
import { firstMismatch, maxUlpError } from '../support/ulp.js';

const BOUND = 3;

const ulpError = (x: Float32Array, epsilon: number): number =>
  maxUlpError(layerNorm(x, { epsilon }), layerNormReference(x, [x.length], { axes: [0], epsilon }).y);

const from = (length: number, element: (i: number) => number): Float32Array =>
  Float32Array.from({ length }, (_, i) => element(i));

describe('cancellation: E[x^2] - E[x]^2 in float32', () => {
  test('onnxruntime_21935_constant_rows: a negative variance, NaN', () => {
    const y = layerNorm(new Float32Array(256).fill(1234), { epsilon: 1e-5 });
    expect(y.every((value) => value === 0)).toBe(true);
  });

  test('onnxruntime_28463_large_mean', () => {
    const x = new Float32Array([40000, 40001, 40002, 40003]);
    expect(ulpError(x, 1e-5)).toBeLessThanOrEqual(BOUND);
    expect(
      firstMismatch(layerNorm(x, { epsilon: 1e-5 }), [-1.3416354, -0.4472118, 0.4472118, 1.3416354], 1e-6, 0),
    ).toBeUndefined();
  });

  test('tvm_19592_large_mean', () => {
    expect(ulpError(new Float32Array([80000, 80001, 80002, 80003]), 1e-5)).toBeLessThanOrEqual(BOUND);
  });

  test('onnxruntime_31973_float32_mean: the mean itself needs float64', () => {
    const gauss = normal(seeded(31973));
    expect(
      ulpError(
        from(4096, () => 1e7 + gauss()),
        1e-5,
      ),
    ).toBeLessThanOrEqual(BOUND);
  });

  test('pytorch_51102_mean_shifted: output variance up to 48425', () => {
    const gauss = normal(seeded(51102));
    const x = from(20, () => gauss() + 2000);
    const { y, rstd } = layerNormForward(x, { shape: [5, 4], epsilon: 1e-5 });
    const expected = layerNormReference(x, [5, 4], { axes: [1], epsilon: 1e-5 });
    expect(maxUlpError(y, expected.y)).toBeLessThanOrEqual(BOUND);
    expect(firstMismatch(rstd, expected.rstd, 1e-6, 0)).toBeUndefined();
  });

  test('pytorch_40302_naive_variance', () => {
    expect(
      ulpError(
        from(64, (i) => 1e4 + (i % 2)),
        1e-5,
      ),
    ).toBeLessThanOrEqual(BOUND);
  });

  test('pytorch_108072_folded_bias: constant rows are 0, not 1e-4', () => {
    for (const value of [0.1, 1e7 / 3, -123.456, 1e-30, 3e38]) {
      const y = layerNorm(new Float32Array(773).fill(value), { epsilon: 1e-5 });
      expect(y.every((one) => one === 0)).toBe(true);
    }
  });

  test('mlx_2238_rows_around_1450', () => {
    const gauss = normal(seeded(2238));
    expect(
      ulpError(
        from(1024, () => 1450 + 0.01 * gauss()),
        1e-5,
      ),
    ).toBeLessThanOrEqual(BOUND);
    expect(ulpError(new Float32Array(1024).fill(1450.123), 1e-5)).toBe(0);
  });

  test('trt_hackathon_88_one_element_of_255', () => {
    const x = new Float32Array(10240 * 256);
    x[0] = 255;
    const y = layerNorm(x, { shape: [10240, 256], epsilon: 1e-5 });
    const expected = layerNormReference(x.subarray(0, 256), [256], { axes: [0], epsilon: 1e-5 }).y;
    expect(maxUlpError(y.subarray(0, 256), expected)).toBeLessThanOrEqual(BOUND);
    expect(y.subarray(256).some(Boolean)).toBe(false);
  });

  test('equinox_314_fast_variance: never negative, so rstd is never above 1 / sqrt(epsilon)', () => {
    const gauss = normal(seeded(314));
    const x = from(1000 * 16, () => 1000 + 1e-4 * gauss());
    const { rstd } = layerNormForward(x, { shape: [1000, 16], epsilon: 1e-6 });
    expect(rstd.every((value) => value > 0 && value <= Math.fround(1000))).toBe(true);
  });

  test('keras_output_form: (x - mean) * rstd, not x * rstd - mean * rstd', () => {
    expect(
      ulpError(
        from(8, (i) => 1e4 + 0.01 * i),
        1e-3,
      ),
    ).toBeLessThanOrEqual(BOUND);
  });
});

describe('range', () => {
  test('pytorch_178123_overflow: squares of 1e30 do not fit into float32', () => {
    const gauss = normal(seeded(178123));
    expect(
      ulpError(
        from(100, () => 1e30 * gauss()),
        1e-5,
      ),
    ).toBeLessThanOrEqual(BOUND);
    expect(
      ulpError(
        from(64, (i) => (i % 2 ? 3e38 : -3e38)),
        1e-5,
      ),
    ).toBeLessThanOrEqual(BOUND);
  });

  test('pytorch_162489_wide_accumulators: sums of rows near the largest number', () => {
    expect(
      ulpError(
        from(4096, (i) => 3.4e38 * (1 - (i % 7) * 1e-3)),
        1e-5,
      ),
    ).toBeLessThanOrEqual(BOUND);
  });

  test('subnormal numbers: their variance vanishes beside epsilon, and matters without it', () => {
    const tiny = from(16, (i) => i * 1e-44);
    expect(ulpError(tiny, 1e-5)).toBeLessThanOrEqual(BOUND);
    expect(ulpError(tiny, 0)).toBeLessThanOrEqual(BOUND);
  });

  test('onnxruntime_29045_large_hidden_size: the sum of 2048 squares of 200', () => {
    const gauss = normal(seeded(29045));
    expect(
      ulpError(
        from(2048, () => 200 * gauss()),
        1e-5,
      ),
    ).toBeLessThanOrEqual(BOUND);
  });

  test('pytorch_59987_long_rows: a sequential sum of 2^20 elements drifts', () => {
    const uniform = seeded(59987);
    expect(
      ulpError(
        from(2 ** 20, () => uniform()),
        1e-5,
      ),
    ).toBeLessThanOrEqual(BOUND);
  });
});

describe('epsilon', () => {
  test.each(['tensorflow_33027', 'tensorflow_58146'])(
    '%s_default_epsilon: small data is not of variance 1',
    () => {
      const y = layerNorm(new Float32Array([0.0948, 0.1644]));
      expect(firstMismatch(y, [-0.740084, 0.740084], 1e-6, 0)).toBeUndefined();
      const exact = layerNorm(new Float32Array([0.0948, 0.1644]), { epsilon: 0 });
      expect(firstMismatch(exact, [-1, 1], 1e-6, 0)).toBeUndefined();
    },
  );

  test('tensorflow_61287_epsilon_zero: 0 / 0 is NaN, as in Keras', () => {
    expect(layerNorm(new Float32Array(8), { epsilon: 0 }).every(Number.isNaN)).toBe(true);
    expect(layerNorm(new Float32Array(8)).every((value) => value === 0)).toBe(true);
  });

  test('transformers_js_epsilon_placement: inside the root, sqrt(variance + epsilon)', () => {
    // At a deviation of 0.0023 the other placement is 70 % off.
    const x = from(64, (i) => 0.0023 * (i % 2 ? 1 : -1));
    const y = layerNorm(x, { epsilon: 1e-5 });
    expect(y[1]).toBeCloseTo(0.0023 / Math.sqrt(0.0023 ** 2 + 1e-5), 6);
  });

  test('keras_8726_epsilon_placement: for a variance of epsilon the deviation is sqrt(2) too small', () => {
    const y = layerNorm(new Float32Array([-0.1, 0.1]), { epsilon: 0.01 });
    expect(firstMismatch(y, [-Math.SQRT1_2, Math.SQRT1_2], 1e-6, 0)).toBeUndefined();
  });

  test('tfjs_custom_epsilon: 2 is added to the variance, not to the deviation', () => {
    const y = layerNorm(new Float32Array([-Math.sqrt(7), Math.sqrt(7)]), { epsilon: 2 });
    expect(firstMismatch(y, [-Math.sqrt(7) / 3, Math.sqrt(7) / 3], 1e-6, 0)).toBeUndefined();
  });

  test('deepspeed_581_tiny_epsilon: 1e-12 counts where the variance is smaller', () => {
    expect(
      ulpError(
        from(32, (i) => 1e-7 * (i % 2)),
        1e-12,
      ),
    ).toBeLessThanOrEqual(BOUND);
  });

  test('tensorflow_21929_constant_rows_tiny_epsilon: finite', () => {
    const { y, rstd } = layerNormForward(new Float32Array(16).fill(0.3), { epsilon: 1e-12 });
    expect(y.every((value) => value === 0)).toBe(true);
    expect(rstd[0]).toBeCloseTo(1e6, -1);
  });
});

describe('axes', () => {
  const x = normals(2 * 3 * 4 * 5, 7);
  const shape = [2, 3, 4, 5];

  test.each([[[1]], [[1, 2]], [[0]], [[0, 1]], [[2]]])(
    'keras_23510_not_trailing: axes %j of rank 4',
    (axis) => {
      const y = layerNorm(x, { shape, axis });
      expect(maxUlpError(y, layerNormReference(x, shape, { axes: axis }).y)).toBeLessThanOrEqual(BOUND);
    },
  );

  test('keras_22201_unsorted_axes: their order does not matter, neither for gamma', () => {
    const gamma = normals(20, 8);
    const sorted = layerNorm(x, { shape, axis: [2, 3], gamma });
    for (const axis of [
      [-1, -2],
      [3, 2],
      [-2, -1],
      [-1, 2],
    ]) {
      expect(layerNorm(x, { shape, axis, gamma })).toEqual(sorted);
    }
    const apart = layerNorm(x, { shape, axis: [1, 3], gamma: normals(15, 9) });
    expect(layerNorm(x, { shape, axis: [3, 1], gamma: normals(15, 9) })).toEqual(apart);
  });

  test('keras_23329_out_of_bounds: an error of its own before anything is computed', () => {
    for (const axis of [2, 99, -3, -99, [0, 99]]) {
      expectError(
        () => layerNorm(new Float32Array(8), { shape: [2, 4], axis }),
        'ERR_AXIS',
        /is out of bounds/,
      );
    }
    for (const axis of [
      [-1, 1],
      [1, 1],
    ]) {
      expectError(
        () => layerNorm(new Float32Array(8), { shape: [2, 4], axis }),
        'ERR_AXIS',
        /Duplicate axes/,
      );
    }
  });

  test('keras_19643_gamma_with_rms_scaling: gamma is broadcast along its axes', () => {
    const gamma = normals(3, 10);
    const y = layerNorm(x, { shape, axis: 1, gamma, rmsScaling: true });
    const expected = layerNormReference(x, shape, { axes: [1], gamma, rmsScaling: true });
    expect(firstMismatch(y, expected.y, 1e-6, 1e-6)).toBeUndefined();
  });
});

describe('inputs of other libraries', () => {
  test('transformers_js_float16_bits: the bits of float16 are not numbers', () => {
    // Its layer_norm gives [12287, 45055, 61439, 12287].
    const bits = {
      type: 'float16',
      dims: [4],
      data: new Uint16Array([0x3c00, 0x4000, 0x4200, 0x4400]),
    } as const;
    expect(layerNorm(bits, { epsilon: 0 })).toEqual({
      type: 'float16',
      dims: [4],
      data: new Uint16Array([0xbd5e, 0xb728, 0x3728, 0x3d5e]), // -1.3416, -0.4472, 0.4472, 1.3416
    });
  });

  test('keras_22586_beyond_float16: float32 beyond the largest float16 is not rounded before', () => {
    const y = layerNorm(new Float32Array([70000, 70000, 70000, -70000]), { dtype: 'float16' });
    expect(Array.from(tensor(y, null, 'float16').array)).not.toContain(Number.NaN);
    expect(layerNorm([[70000, -70000]], { dtype: 'float16' })).toEqual([[1, -1]]);
  });

  test('onnxruntime_28442_sum_of_squares: beyond float16 it is none the less right', () => {
    const x = Uint16Array.from({ length: 2048 }, (_, i) => (i % 2 ? 0xfbff : 0x7bff));
    const y = layerNorm(x, { dtype: 'float16' });
    expect(new Set(y)).toEqual(new Set([0x3c00, 0xbc00]));
  });

  test('tfjs_2120_no_tiling: gamma of one row serves all rows', () => {
    const gamma = new Float32Array([1, 2, 3]);
    const y = layerNorm(
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      { gamma },
    );
    expect(y[0]).toEqual([expect.closeTo(-1.2238, 4), 0, expect.closeTo(3 * 1.2238, 3)]);
  });

  test('emscripten_14196_stale_views: growth in the middle of a call does no harm', () => {
    using t = tensor(normals(1000, 11), [10, 100]);
    const view = t.array;
    const expected = layerNorm(t.array.slice(), { shape: [10, 100] });
    // A million columns do not fit into the memory as it is.
    layerNorm(new Float32Array(2 ** 20));
    using y = layerNorm(t);
    expect(y.array).toEqual(expected);
    expect(view.length === 0 || view.length === 1000).toBe(true);
  });
});
