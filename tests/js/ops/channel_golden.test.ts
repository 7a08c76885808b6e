// Tier: golden. The node tests of ONNX for what is normalized by channels, its attributes translated.
import { batchNorm, batchNormForward, groupNorm, instanceNorm, moments } from 'layernorm';
import { type GoldenArray, goldenCases } from '../support/golden.js';
import { firstMismatch } from '../support/ulp.js';

interface Case {
  name: string;
  op: string;
  attributes: {
    epsilon?: number;
    momentum?: number;
    training_mode?: number;
    num_groups?: number;
    axes?: number[];
  };
  inputs: GoldenArray[];
  outputs: GoldenArray[];
}

const cases = goldenCases<Case>('onnx_channel_normalization.json');

test('all cases are there', () => {
  expect(cases.map(({ op }) => op)).toEqual([
    ...Array(4).fill('BatchNormalization'),
    ...Array(2).fill('GroupNormalization'),
    ...Array(2).fill('InstanceNormalization'),
    'MeanVarianceNormalization',
  ]);
});

/** What ONNX's operator gives, by this package. */
function compute({ op, attributes, inputs }: Case): ArrayLike<number>[] {
  const [x, gamma, beta, mean, variance] = inputs.map(({ data }) =>
    Float32Array.from(data),
  ) as Float32Array[];
  const shape = inputs[0]?.shape as number[];
  const epsilon = attributes.epsilon ?? 1e-5;
  // ONNX has the channels in dimension 1.
  const options = { shape, axis: 1, epsilon, gamma, beta };
  switch (op) {
    case 'BatchNormalization': {
      if (!attributes.training_mode) return [batchNorm(x as Float32Array, { ...options, mean, variance })];
      const made = batchNormForward(x as Float32Array, {
        ...options,
        movingMean: mean as Float32Array,
        movingVariance: variance as Float32Array,
        momentum: attributes.momentum ?? 0.9,
      });
      return [made.y, made.movingMean, made.movingVariance];
    }
    case 'GroupNormalization':
      return [groupNorm(x as Float32Array, { ...options, groups: attributes.num_groups as number })];
    case 'InstanceNormalization':
      return [instanceNorm(x as Float32Array, options)];
    default: {
      // It keeps the channels apart as batch normalization does, but its epsilon lies outside the root.
      const statistics = moments(x as Float32Array, { shape, axis: attributes.axes ?? [0, 2, 3] });
      const variances = statistics.variance.map((value) => (Math.sqrt(value) + 1e-9) ** 2);
      return [
        batchNorm(x as Float32Array, {
          shape,
          axis: 1,
          epsilon: 0,
          mean: statistics.mean,
          variance: variances,
        }),
      ];
    }
  }
}

test.each(cases)('$name', (one) => {
  const results = compute(one);
  expect(results).toHaveLength(one.outputs.length);
  results.forEach((result, i) => {
    const { data } = one.outputs[i] as GoldenArray;
    expect(firstMismatch(result, data, 2e-5, 1e-6)).toBeUndefined();
  });
});

test('the example of InstanceNormalization', () => {
  const y = instanceNorm(new Float32Array([-1, 0, 1, 2, 3, 4]), {
    shape: [1, 2, 1, 3],
    axis: 1,
    epsilon: 1e-5,
    gamma: [1, 1.5],
    beta: [0, 1],
  });
  const expected = [-1.224736, 0, 1.224736, -0.837104, 1, 2.837104];
  expect(firstMismatch(y, expected, 1e-6, 1e-6)).toBeUndefined();
});
