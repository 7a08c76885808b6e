import { parentPort } from 'node:worker_threads';
import { layerNorm } from 'layernorm';

const y = layerNorm(Float32Array.of(1, 2, 3));
parentPort.postMessage(y, [y.buffer]);
