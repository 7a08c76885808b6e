// A worker of each kind, besides the main thread. Each computes and sends its result by transfer.
import { Worker } from 'node:worker_threads';
import { layerNorm } from 'layernorm';

const compute = `
  const { parentPort } = require('node:worker_threads');
  const { layerNorm } = require('layernorm');
  const y = layerNorm(Float32Array.of(1, 2, 3));
  parentPort.postMessage(y, [y.buffer]);
`;
const workers = [new Worker(compute, { eval: true }), new Worker(new URL('./worker.mjs', import.meta.url))];
const answers = await Promise.all(
  workers.map((worker) => new Promise((done) => worker.once('message', done))),
);
const results = [layerNorm(Float32Array.of(1, 2, 3)), ...answers].map((y) => Array.from(y));
console.log(JSON.stringify(results));
