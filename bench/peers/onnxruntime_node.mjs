// onnxruntime's native CPU kernels in Node, through its addon.

import { peerVersion, requirePeer } from './installed.mjs';
import { onnxruntimePeer } from './onnxruntime.mjs';

/** @type {import('./index.mjs').Open} */
export async function open() {
  const ort = requirePeer('onnxruntime-node');
  return onnxruntimePeer(`onnxruntime-node ${peerVersion('onnxruntime-node')}`, ort, {
    executionProviders: ['cpu'],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
  });
}
