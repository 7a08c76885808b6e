// TensorFlow.js as tests use it: its backend of WebAssembly, that of JavaScript, and one that has no kernels of ours.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as cpu from '@tensorflow/tfjs-backend-cpu';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as core from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import type { TensorFlow } from 'layernorm/tfjs';
import { normals } from './random.js';

const require = createRequire(import.meta.url);
setWasmPaths(join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'dist/'));

// Else TensorFlow.js greets those who start with its slow backend, and checks less than its tests do in either case.
core.env().set('PROD', true);
core.registerBackend('plain', () => new cpu.MathBackendCPU());
core.copyRegisteredKernels('cpu', 'plain');

export const tf = { ...core, ...layers } as TensorFlow;

/** The last one stands for all backends that operations are put together on. */
export const BACKENDS = ['wasm', 'cpu', 'plain'] as const;
export type Backend = (typeof BACKENDS)[number];

export async function use(backend: Backend): Promise<void> {
  await tf.setBackend(backend);
  await tf.ready();
}

/** A tensor of numbers of the standard normal distribution. */
export function random(shape: number[], seed = 1): core.Tensor {
  return tf.tensor(
    normals(
      shape.reduce((a, b) => a * b, 1),
      seed,
    ),
    shape,
  );
}

export const numbers = (x: core.Tensor): Float32Array => Float32Array.from(x.dataSync());

/** Expects that something leaves no tensor behind but what it returns, and gives it. */
export function clean<T>(work: () => T, left = 0): T {
  const before = tf.memory().numTensors;
  const result = work();
  expect(tf.memory().numTensors - before).toBe(left);
  return result;
}
