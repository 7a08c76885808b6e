// oneDNN, Intel's kernels that native frameworks use on CPUs. In this process and on the very memory of the wasm kernels.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { folders } from '../lib/folders.mjs';
import { MissingPeer } from './missing.mjs';

export const addonPath = join(folders.installed, 'onednn', 'layernorm_onednn.node');

/** @type {import('./index.mjs').Open} */
export async function open() {
  if (!existsSync(addonPath)) throw new MissingPeer('oneDNN (with the addon that calls it)');
  // The libraries read these when they are loaded. AVX2 at most, so that ratios of different machines can be compared.
  process.env.OMP_NUM_THREADS = '1';
  process.env.OMP_WAIT_POLICY = 'active';
  process.env.ONEDNN_MAX_CPU_ISA ??= 'AVX2';
  const onednn = createRequire(import.meta.url)(addonPath);

  return {
    title: `oneDNN ${onednn.version()} ${onednn.isa()}`,
    candidate(problem) {
      const { case: one, layout, epsilon, tensors } = problem;
      if (one.dtype !== 'float32') return undefined;
      if (!(one.operation in KINDS)) return undefined;
      // oneDNN normalizes its last logical dimension, wherever strides say that it lies.
      const { groups, cols, inner } = layout;
      if (inner === undefined) return undefined;
      const outer = groups / inner;
      const rows =
        inner === 1
          ? { dims: [groups, cols], strides: [cols, 1] }
          : { dims: [outer, inner, cols], strides: [cols * inner, 1, inner] };
      onednn.setThreads(one.threads);

      const statistics = KINDS[one.operation].saveStatistics;
      const handle = onednn.create(
        { ...KINDS[one.operation], ...rows, dtype: one.dtype, epsilon },
        {
          src: tensors.x.array,
          dst: tensors.out.array,
          scale: tensors.gamma?.array,
          shift: tensors.beta?.array,
          ...(statistics && { mean: new Float32Array(groups), variance: new Float32Array(groups) }),
        },
      );
      const { buffer } = tensors.x.array;
      return {
        call: () => onednn.execute(handle),
        reset() {
          if (tensors.x.array.buffer !== buffer) throw new Error('the memory has grown after the set-up');
          if (one.inPlace) tensors.x.array.set(problem.x);
          else tensors.out.array.fill(Number.NaN);
        },
        result: () => tensors.out.array,
      };
    },
    close() {},
  };
}

const KINDS = {
  layerNorm: { backward: false, saveStatistics: false },
  layerNormForward: { backward: false, saveStatistics: true },
};
