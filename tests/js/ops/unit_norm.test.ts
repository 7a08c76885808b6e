// What is unit normalization's own: what Keras computed (tier: golden), and where the peers went wrong, each test named after
// the report (tier: bounded). What it shares with RMS normalization is in normalize.test.ts.
import { tensor, unitNorm, unitNormForward } from 'layernorm';
import { kerasCases } from '../support/golden.js';
import { normals } from '../support/random.js';
import { firstMismatch } from '../support/ulp.js';

describe('Keras 3.16', () => {
  const cases = kerasCases('UnitNormalization');
  test('all cases are there', () => expect(cases).toHaveLength(4));
  test.each(cases)('$name', ({ config, input, output }) => {
    const y = unitNorm(Float32Array.from(input.data), { shape: input.shape, axis: config.axis });
    expect(firstMismatch(y, output.data, 2e-5, 1e-7)).toBeUndefined();
  });
});

test('rows have norm 1', () => {
  const y = unitNorm(normals(50 * 300), { shape: [50, 300] });
  for (let row = 0; row < 50; row++) {
    expect(Math.hypot(...y.subarray(300 * row, 300 * row + 300))).toBeCloseTo(1, 6);
  }
});

test('epsilon is the least norm: shorter vectors are divided by it', () => {
  const { y, rstd } = unitNormForward(
    [
      [0.03, 0.04],
      [3, 4],
    ],
    { epsilon: 0.1, dtype: 'float64' },
  );
  expect(rstd).toEqual([[10], [0.2]]);
  expect(y.map((row) => row.map((value) => value.toFixed(12)))).toEqual([
    ['0.300000000000', '0.400000000000'],
    ['0.600000000000', '0.800000000000'],
  ]);
});

describe('where others went wrong', () => {
  test('keras_20196_short_vectors: before Sep 2024 those below 1e-6 stayed shorter than 1', () => {
    for (const size of [1e-7, 1e-11]) {
      const y = unitNorm(new Float32Array([3 * size, -4 * size]));
      expect(firstMismatch(y, [0.6, -0.8], 1e-6, 0)).toBeUndefined();
    }
  });

  test('keras_float16_zero_vector: its clamp is 0 in float16, so that 0 * inf is NaN', () => {
    for (const dtype of ['float16', 'bfloat16'] as const) {
      using t = tensor(new Float32Array(8), [2, 4], dtype);
      using y = unitNorm(t);
      expect(Array.from(y.array)).toEqual(Array(8).fill(0));
    }
  });

  test('pytorch_178123_overflow: squares of 1e30 do not fit into float32, nor those of 1e-30', () => {
    expect(firstMismatch(unitNorm([3e30, 4e30]), [0.6, 0.8], 1e-6, 0)).toBeUndefined();
    expect(firstMismatch(unitNorm([3e-30, 4e-30], { epsilon: 0 }), [0.6, 0.8], 1e-6, 0)).toBeUndefined();
  });
});
