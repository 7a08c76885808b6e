// TensorFlow.js with a backend for Node. In a page this file is `import * as tf from '@tensorflow/tfjs'`, and setBackend.

import { fileURLToPath } from 'node:url';
import '@tensorflow/tfjs-backend-cpu';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as core from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import { install } from 'layernorm/tfjs';

setWasmPaths(fileURLToPath(new URL('.', import.meta.resolve('@tensorflow/tfjs-backend-wasm'))));

export const tf = { ...core, ...layers };

/** The layers of layernorm, for this TensorFlow.js. */
export const { layerNormalization, groupNormalization, ops } = install(tf);

/** `wasm` or `cpu`, from the command line. */
export async function start(): Promise<void> {
  const backend = process.argv[2] ?? 'wasm';
  if (backend !== 'wasm' && backend !== 'cpu') {
    console.error('usage: node <program> [wasm | cpu]');
    process.exit(2);
  }
  await tf.setBackend(backend);
  await tf.ready();
}
