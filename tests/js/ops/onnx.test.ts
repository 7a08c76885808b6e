// Tier: golden. All 53 node tests of ONNX for its normalization operators, their attributes translated. 49 are one call of an
// operation; L1 normalization, which this package does not have, and MeanVarianceNormalization are put together here.
import {
  batchNorm,
  batchNormForward,
  groupNorm,
  instanceNorm,
  layerNormForward,
  moments,
  rmsNorm,
  unitNorm,
} from 'layernorm';
import { type GoldenArray, goldenCases } from '../support/golden.js';
import { firstMismatch } from '../support/ulp.js';

interface OnnxCase {
  name: string;
  op: string;
  attributes: {
    axis?: number;
    axes?: number[];
    epsilon?: number;
    momentum?: number;
    num_groups?: number;
    p?: number;
    training_mode?: number;
  };
  inputs: [GoldenArray, ...GoldenArray[]];
  outputs: GoldenArray[];
}

const cases = goldenCases<OnnxCase>('onnx.json');
const isL1 = ({ op, attributes }: OnnxCase): boolean => op === 'LpNormalization' && attributes.p === 1;
const isMvn = ({ op }: OnnxCase): boolean => op === 'MeanVarianceNormalization';
const isOneCall = (one: OnnxCase): boolean => !isL1(one) && !isMvn(one);

test('all 53 cases are there', () => {
  const counts: Record<string, number> = {};
  for (const { op } of cases) counts[op] = (counts[op] ?? 0) + 1;
  expect(counts).toEqual({
    BatchNormalization: 4,
    GroupNormalization: 2,
    InstanceNormalization: 2,
    LayerNormalization: 19,
    LpNormalization: 6,
    MeanVarianceNormalization: 1,
    RMSNormalization: 19,
  });
  expect(cases).toHaveLength(53);
  expect([isOneCall, isL1, isMvn].map((kind) => cases.filter(kind).length)).toEqual([49, 3, 1]);
});

const floats = ({ data }: GoldenArray): Float32Array => Float32Array.from(data);

/** What an operator gives: one call each. ONNX has the channels in dimension 1, and its epsilon is 1e-5. */
const OPERATORS: Record<string, (one: OnnxCase) => ArrayLike<number>[]> = {
  LayerNormalization({ inputs: [x, gamma, beta], attributes: { axis = -1, epsilon = 1e-5 }, outputs }) {
    const { shape } = x;
    const axes = trailing(shape, axis);
    expect(outputs[1]?.shape).toEqual(shape.map((size, i) => (axes.includes(i) ? 1 : size)));
    const options = { shape, axis: axes, epsilon, gamma: gamma?.data, beta: beta?.data };
    const { y, mean, rstd } = layerNormForward(floats(x), options);
    return [y, mean, rstd];
  },
  RMSNormalization({ inputs: [x, gamma], attributes: { axis = -1, epsilon = 1e-5 } }) {
    const { shape } = x;
    return [rmsNorm(floats(x), { shape, axis: trailing(shape, axis), epsilon, gamma: gamma?.data })];
  },
  BatchNormalization({ inputs, attributes: { epsilon = 1e-5, momentum = 0.9, training_mode } }) {
    const [x, gamma, beta, mean, variance] = inputs.map(floats) as [
      Float32Array,
      Float32Array,
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    const options = { shape: inputs[0].shape, axis: 1, epsilon, gamma, beta };
    if (!training_mode) return [batchNorm(x, { ...options, mean, variance })];
    const moving = { movingMean: mean, movingVariance: variance, momentum };
    const { y, movingMean, movingVariance } = batchNormForward(x, { ...options, ...moving });
    return [y, movingMean, movingVariance];
  },
  GroupNormalization({ inputs: [x, gamma, beta], attributes: { epsilon = 1e-5, num_groups } }) {
    const options = { shape: x.shape, axis: 1, epsilon, gamma: gamma?.data, beta: beta?.data };
    return [groupNorm(floats(x), { ...options, groups: num_groups })];
  },
  InstanceNormalization({ inputs: [x, gamma, beta], attributes: { epsilon = 1e-5 } }) {
    const options = { shape: x.shape, axis: 1, epsilon, gamma: gamma?.data, beta: beta?.data };
    return [instanceNorm(floats(x), options)];
  },
  LpNormalization({ inputs: [x], attributes: { axis = -1 } }) {
    // ONNX knows no epsilon: a zero vector gives zeros, as with ours.
    return [unitNorm(floats(x), { shape: x.shape, axis })];
  },
};

/** ONNX names the first of the trailing axes that are normalized. */
function trailing(shape: readonly number[], axis: number): number[] {
  return shape.map((_, i) => i).slice(axis);
}

function expectOutputs({ outputs }: OnnxCase, actual: ArrayLike<number>[], relative = 2e-5): void {
  expect(actual).toHaveLength(outputs.length);
  outputs.forEach(({ data }, i) => {
    expect(firstMismatch(actual[i] as ArrayLike<number>, data, relative, 1e-6)).toBeUndefined();
  });
}

describe('by one call', () => {
  test.each(cases.filter(isOneCall))('$op: $name', (one) => {
    expectOutputs(one, OPERATORS[one.op]?.(one) ?? []);
  });
});

describe('LpNormalization with p = 1, by hand: there is no operation for it', () => {
  test.each(cases.filter(isL1))('$name', (one) => {
    const { data, shape } = one.inputs[0];
    const axis = one.attributes.axis ?? -1;
    const inner = shape.slice(axis).reduce((product, size) => product * size) / (shape.at(axis) as number);
    const block = inner * (shape.at(axis) as number);
    const norms = new Map<number, number>();
    const rowOf = (i: number): number => Math.floor(i / block) * inner + (i % inner);
    data.forEach((value, i) => {
      norms.set(rowOf(i), (norms.get(rowOf(i)) ?? 0) + Math.abs(value));
    });
    expectOutputs(one, [data.map((value, i) => value / (norms.get(rowOf(i)) || 1))]);
  });
});

describe('MeanVarianceNormalization, by moments and batchNorm: its epsilon of 1e-9 lies outside the root', () => {
  test.each(cases.filter(isMvn))('$name', (one) => {
    const [{ data, shape }] = one.inputs;
    const x = Float32Array.from(data);
    const { mean, variance } = moments(x, { shape, axis: one.attributes.axes ?? [0, 2, 3] });
    const widened = variance.map((value) => (Math.sqrt(value) + 1e-9) ** 2);
    expectOutputs(one, [batchNorm(x, { shape, axis: 1, epsilon: 0, mean, variance: widened })]);
  });
});

test("the example of InstanceNormalization in ONNX's documentation", () => {
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
