// TensorFlow.js of its packages, with two backends: `import * as tf from '@tensorflow/tfjs'` and tfjs-backend-wasm do as well.

import { backend, wasmPath } from '#platform';
import '@tensorflow/tfjs-backend-cpu';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as core from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import { install } from 'layernorm/tfjs';

setWasmPaths(wasmPath);

export const tf = { ...core, ...layers };

/** The layers of layernorm, for this TensorFlow.js. */
export const { layerNormalization, groupNormalization, ops } = install(tf);

export async function start(): Promise<void> {
  const name = backend ?? 'wasm';
  if (name !== 'wasm' && name !== 'cpu') throw new Error(`there is no backend ${name}, expected wasm or cpu`);
  await tf.setBackend(name);
  await tf.ready();
}
