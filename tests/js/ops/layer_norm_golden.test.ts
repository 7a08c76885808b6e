// Tier: golden. Numbers that Keras produced, and those that upstream tests spell out. onnx.test.ts has those of ONNX.
import { layerNorm } from 'layernorm';
import { kerasCases } from '../support/golden.js';
import { firstMismatch } from '../support/ulp.js';

const keras = kerasCases('LayerNormalization');

test('all cases are there', () => {
  expect(keras).toHaveLength(20);
});

describe('Keras 3.16', () => {
  test.each(keras)('$name', ({ config, input, weight_names, weights_before, output }) => {
    const weight = (name: string): number[] | undefined => weights_before[weight_names.indexOf(name)]?.data;
    const y = layerNorm(Float32Array.from(input.data), {
      shape: input.shape,
      axis: config.axis,
      epsilon: config.epsilon,
      rmsScaling: config.rms_scaling,
      gamma: weight('gamma'),
      beta: weight('beta'),
    });
    // Keras' own float32 error is up to 1e-6: it computes E[x^2] - E[x]^2 for most of these.
    expect(firstMismatch(y, output.data, 2e-5, 2e-6)).toBeUndefined();
  });
});

describe("Keras' own tests of LayerNormalization", () => {
  const arange = (n: number): Float32Array => Float32Array.from({ length: n }, (_, i) => i);

  test('output', () => {
    const y = layerNorm(arange(5), { beta: [1, 1, 1, 1, 1] });
    expect(firstMismatch(y, [-0.4138601, 0.2930699, 1, 1.7069301, 2.4138601], 1e-6, 1e-6)).toBeUndefined();
  });

  test('output with rms_scaling', () => {
    const y = layerNorm(arange(5), { rmsScaling: true });
    expect(firstMismatch(y, [0, 0.70693, 1.41386, 2.12079, 2.82772], 1e-6, 6e-6)).toBeUndefined();
  });

  test('rms_scaling on arange(10) (keras#20911)', () => {
    const y = layerNorm(arange(10), { rmsScaling: true });
    const expected = [
      0, 0.3481342, 0.6962684, 1.0444026, 1.3925369, 1.7406711, 2.0888053, 2.4369395, 2.7850737, 3.1332079,
    ];
    expect(firstMismatch(y, expected, 1e-6, 1e-6)).toBeUndefined();
  });

  test('an empty input', () => {
    expect(layerNorm(new Float32Array(0), { shape: [1, 0, 10] })).toHaveLength(0);
  });
});

describe("TensorFlow.js' own tests of LayerNormalization", () => {
  const three = [
    [
      [1, 2, 3],
      [6, 5, 4],
    ],
    [
      [3, 6, 24],
      [-10, 0, 5],
    ],
  ];

  test('2-D', () => {
    const y = layerNorm([
      [1, 2, 3],
      [3, 6, 24],
    ]).flat();
    const expected = [-1.2238274, 0, 1.2238274, -0.8626572, -0.5391607, 1.401818];
    expect(firstMismatch(y, expected, 1e-6, 1e-6)).toBeUndefined();
  });

  test('3-D', () => {
    const y = layerNorm(three).flat(2);
    const expected = [
      -1.2238274, 0, 1.2238274, 1.2238274, 0, -1.2238274, -0.8626572, -0.5391607, 1.401818, -1.3362889,
      0.26725778, 1.0690311,
    ];
    expect(firstMismatch(y, expected, 1e-6, 1e-6)).toBeUndefined();
  });

  test.each([[[1, 2]], [[-2, -1]]])('3-D over axes %j', (axis) => {
    const y = layerNorm(three, { axis }).flat(2);
    const expected = [
      -1.4635992, -0.8781595, -0.29271984, 1.4635992, 0.8781595, 0.29271984, -0.1645762, 0.13166097, 1.909084,
      -1.4482707, -0.46081337, 0.03291526,
    ];
    expect(firstMismatch(y, expected, 1e-6, 1e-6)).toBeUndefined();
  });
});
