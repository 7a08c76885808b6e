// oneDNN, Intel's kernels that native frameworks use on CPUs. In this process and on the very memory of the wasm kernels.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { folders } from '../lib/folders.mjs';
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
      const rows = rowsOf(problem);
      if (one.dtype !== 'float32' || !rows || !(one.operation in KINDS)) return undefined;
      onednn.setThreads(one.threads);
      const { backward, saveStatistics, arraysOf } = KINDS[one.operation];
      const options = { backward, saveStatistics, ...rows, dtype: one.dtype, epsilon };
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

const forward = ({ tensors: { x, gamma, beta, out } }) => ({
  src: x.array,
  dst: out.array,
  scale: gamma?.array,
  shift: beta?.array,
});

const KINDS = {
  layerNorm: { backward: false, saveStatistics: false, arraysOf: forward },
  layerNormForward: {
    backward: false,
    saveStatistics: true,
    arraysOf: (problem) => ({
      ...forward(problem),
      mean: new Float32Array(problem.layout.groups),
      variance: new Float32Array(problem.layout.groups),
    }),
  },
  layerNormBackward: {
    backward: true,
    saveStatistics: true,
    arraysOf: ({ tensors: { dy, x, gamma, mean, rstd, out }, layout, epsilon }) => ({
      src: x.array,
      diffDst: dy.array,
      diffSrc: out.array,
      mean: mean.array,
      variance: rstd.array.map((one) => 1 / one ** 2 - epsilon),
      ...(gamma && {
        scale: gamma.array,
        shift: new Float32Array(layout.cols), // oneDNN 2 wants it, and does not use it
        diffScale: new Float32Array(layout.cols),
        diffShift: new Float32Array(layout.cols),
      }),
    }),
  },
};
