// onnxruntime's kernels in WebAssembly SIMD, one thread.

import { peerVersion, requirePeer } from './installed.mjs';
import { onnxruntimePeer } from './onnxruntime.mjs';

/** @type {import('./index.mjs').Open} */
export async function open() {
  const ort = requirePeer('onnxruntime-web');
  ort.env.wasm.numThreads = 1;
  const title = `onnxruntime-web ${peerVersion('onnxruntime-web')}, wasm`;
  return onnxruntimePeer(title, ort, { executionProviders: ['wasm'] });
}
