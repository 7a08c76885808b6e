// oneDNN, Intel's kernels that native frameworks use on CPUs. In this process and on the very memory of the wasm kernels.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { folders } from '../lib/folders.mjs';
import { positiveAxis, product } from '../lib/layout.mjs';
import { MissingPeer } from './missing.mjs';
import { OPENMP } from './openmp.mjs';

const addon = join(folders.installed, 'onednn', 'layernorm_onednn.node');

/** @type {import('./index.mjs').Open} */
export async function open() {
  if (!existsSync(addon)) throw new MissingPeer('oneDNN (with the addon that calls it)');
  // The libraries read these when they are loaded. AVX2 at most, so that ratios of different machines can be compared.
  Object.assign(process.env, OPENMP);
  process.env.ONEDNN_MAX_CPU_ISA ??= 'AVX2';
  const onednn = createRequire(import.meta.url)(addon);

  return {
    threads: true,
    title: `oneDNN ${onednn.version()} ${onednn.isa()}`,
    candidate(problem) {
      const { case: one, epsilon, arrays, tensors } = problem;
      if (one.dtype !== 'float32' || !(one.operation in KINDS)) return undefined;
      const { arraysOf, ...kind } = { ...DEFAULTS, ...KINDS[one.operation] };
      const place = kind.channels ? imagesOf(problem) : rowsOf(problem);
      if (!place) return undefined;
      onednn.setThreads(one.threads);
      const options = { ...kind, ...place, dtype: one.dtype, epsilon };
      let buffer;
      let used;
      let handle;
      return {
        call: () => onednn.execute(handle),
        reset() {
          // Views are gone when the memory has grown: another candidate's first call may have done that.
          if (tensors.x.array.buffer !== buffer) {
            ({ buffer } = tensors.x.array);
            used = arraysOf(problem);
            handle = onednn.create(options, used);
          }
          if (one.inPlace) tensors.x.array.set(arrays.x);
          else tensors.out.array.fill(Number.NaN);
        },
        results: () => [tensors.out.array, used.diffScale, used.diffShift].filter(Boolean),
      };
    },
    close() {},
  };
}

/** What oneDNN normalizes is its last logical dimension, wherever strides say that it lies. */
function rowsOf({ layout: { groups, cols, inner } }) {
  if (inner === undefined) return undefined;
  if (inner === 1) return { dims: [groups, cols], strides: [cols, 1] };
  return { dims: [groups / inner, inner, cols], strides: [cols * inner, 1, inner] };
}

/** The channels are its second logical dimension. */
function imagesOf({ shape, case: { axis } }) {
  const strides = shape.map((_, i) => product(shape.slice(i + 1)));
  const channels = positiveAxis(shape, axis);
  const order = [0, channels, ...shape.map((_, i) => i).filter((i) => i !== 0 && i !== channels)];
  return { dims: order.map((i) => shape[i]), strides: order.map((i) => strides[i]) };
}

const forward = ({ tensors: { x, gamma, beta, out } }) => ({
  src: x.array,
  dst: out.array,
  scale: gamma?.array,
  shift: beta?.array,
});

const withStatistics = (problem) => ({
  ...forward(problem),
  mean: new Float32Array(problem.layout.groups),
  variance: new Float32Array(problem.layout.groups),
});

const backward = ({ tensors: { dy, x, gamma, mean, rstd, out }, epsilon }) => ({
  src: x.array,
  diffDst: dy.array,
  diffSrc: out.array,
  mean: mean.array,
  variance: rstd.array.map((one) => 1 / one ** 2 - epsilon),
  ...(gamma && {
    scale: gamma.array,
    shift: new Float32Array(gamma.size), // oneDNN 2 wants it, and does not use it
    diffScale: new Float32Array(gamma.size),
    diffShift: new Float32Array(gamma.size),
  }),
});

const DEFAULTS = { channels: false, backward: false, saveStatistics: false, givenStatistics: false };

/** What the addon does for an operation, and on which arrays. */
const KINDS = {
  layerNorm: { arraysOf: forward },
  layerNormForward: { saveStatistics: true, arraysOf: withStatistics },
  layerNormBackward: { backward: true, saveStatistics: true, arraysOf: backward },
  batchNorm: { channels: true, saveStatistics: true, arraysOf: withStatistics },
  batchNormInference: {
    channels: true,
    givenStatistics: true,
    arraysOf: (problem) => ({
      ...forward(problem),
      mean: problem.tensors.mean.array,
      variance: problem.tensors.variance.array,
    }),
  },
  batchNormBackward: { channels: true, backward: true, saveStatistics: true, arraysOf: backward },
};
