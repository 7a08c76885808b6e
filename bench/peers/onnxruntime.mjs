// What onnxruntime's two packages have in common.

import { product } from '../lib/layout.mjs';
import { shapeOf } from '../lib/operations.mjs';
import { modelOf } from './onnx_model.mjs';

/** Operators over trailing axes, of which they get the first. */
const overTrailing = (operator, opset, parts = {}) => ({
  operator,
  opset,
  offers: ({ layout }) => layout.inner === 1,
  optional: ['beta'],
  ints: ({ layout: { axes } }) => ({ axis: axes[0] }),
  ...parts,
});

/** Operators that want the channels second. */
const ofChannels = (operator, opset, parts = {}) => ({
  operator,
  opset,
  offers: ({ shape, case: { axis } }) => shape.length === 2 || axis === 1,
  ...parts,
});

/** Operators over the last axis, after the sum: the last of four outputs. */
const skipping = (operator, inputs) => ({
  operator,
  opset: 17,
  microsoft: true,
  offers: ({ layout: { inner, axes } }) => inner === 1 && axes.length === 1,
  inputs,
  optional: ['beta'],
  outputs: ['Y', undefined, undefined, 'Sum'],
});

/**
 * The operator for an operation: its inputs by the names of the arrays, and its outputs, undefined for one that is not wanted.
 * Where there is no gamma or beta, and the operator does not do without, it gets 1 and 0; moving statistics start at 0.
 */
const OPERATORS = {
  layerNorm: overTrailing('LayerNormalization', 17),
  layerNormForward: overTrailing('LayerNormalization', 17, { outputs: ['Y', 'Mean', 'InvStdDev'] }),
  rmsNorm: overTrailing('RMSNormalization', 23, { inputs: ['x', 'gamma'] }),
  unitNorm: overTrailing('LpNormalization', 22, {
    inputs: ['x'],
    ints: ({ layout: { axes } }) => ({ axis: axes[0], p: 2 }),
    floats: {},
  }),
  skipLayerNorm: skipping('SkipLayerNormalization', ['x', 'skip', 'gamma', 'beta']),
  skipRmsNorm: skipping('SkipSimplifiedLayerNormalization', ['x', 'skip', 'gamma']),
  batchNorm: ofChannels('BatchNormalization', 15, {
    ints: () => ({ training_mode: 1 }),
    inputs: ['x', 'gamma', 'beta', 'mean', 'variance'],
    outputs: ['Y', 'RunningMean', 'RunningVariance'],
  }),
  batchNormInference: ofChannels('BatchNormalization', 15, {
    inputs: ['x', 'gamma', 'beta', 'mean', 'variance'],
  }),
  groupNorm: ofChannels('GroupNormalization', 21, {
    ints: ({ case: { groups } }) => ({ num_groups: groups }),
  }),
  instanceNorm: ofChannels('InstanceNormalization', 17),
};

/** What y is accompanied by has one element a group: of which dtype, if not of that of y. It is not looked at. */
const STATISTICS = {
  Mean: 'float32',
  InvStdDev: 'float32',
  RunningMean: undefined,
  RunningVariance: undefined,
};

/** @returns {import('./index.mjs').Peer} */
export function onnxruntimePeer(title, { InferenceSession, Tensor }, sessionOptions) {
  return {
    title,
    async candidate(problem) {
      const { case: one, shape, layout, epsilon, arrays } = problem;
      const { operation, dtype, inPlace } = one;
      const known = OPERATORS[operation];
      if (!known?.offers(problem) || !['float32', 'float64'].includes(dtype) || inPlace) return undefined;

      const {
        inputs: names = ['x', 'gamma', 'beta'],
        optional = [],
        outputs: outputNames = ['Y'],
        ints,
        ...operator
      } = known;
      const filled = (value) => new arrays.x.constructor(product(layout.parameterShape)).fill(value);
      const inputs = names
        .filter((name) => arrays[name] || !optional.includes(name))
        .map((name) => ({
          name,
          dtype,
          shape: shapeOf(name, problem),
          data: arrays[name] ?? filled(name === 'gamma' ? 1 : 0),
        }));
      const outputs = outputNames.map((name) => {
        if (name in STATISTICS) return { name, dtype: STATISTICS[name] ?? dtype, shape: layout.groupShape };
        return name && { name, dtype, shape };
      });
      const model = modelOf({ floats: { epsilon }, ints: ints?.(problem), ...operator, inputs, outputs });
      const session = await InferenceSession.create(model, sessionOptions);
      const feeds = Object.fromEntries(
        inputs.map(({ name, data, shape: sizes }) => [name, new Tensor(dtype, data, sizes)]),
      );
      const compared = outputNames.filter((name) => name && !(name in STATISTICS));
      let last;
      return {
        async callAsync() {
          last = await session.run(feeds);
        },
        results: () => compared.map((name) => last[name].data),
        dispose: () => session.release(),
      };
    },
    close() {},
  };
}
