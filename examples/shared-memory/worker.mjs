// One thread: fills its rows of the shared memory, takes their moments, and normalizes them in place.

import { parentPort, workerData } from 'node:worker_threads';
import { Moments } from 'layernorm';
import { createKernels } from 'layernorm/kernels';
import { FEATURES, fill } from './data.mjs';

const { memory, module, stack, from, to, x, gamma, beta, epsilon, arrived, workers } = workerData;

const shape = [to - from, FEATURES];
const rows = new Float32Array(memory.buffer, x, shape[0] * FEATURES); // a view, no copy
fill(rows, from);
const moments = new Moments({ axis: -1 }).update(rows, { shape });
const kernels = createKernels({ memory, stack, module });

// All begin at the same time, so that the time says something: the last one to arrive wakes the others.
const counter = new Int32Array(memory.buffer, arrived, 1);
if (Atomics.add(counter, 0, 1) + 1 < workers) {
  for (let n = Atomics.load(counter, 0); n < workers; n = Atomics.load(counter, 0))
    Atomics.wait(counter, 0, n);
} else Atomics.notify(counter, 0);

const start = performance.timeOrigin + performance.now();
kernels.layerNormForward({ shape, x, y: x, gamma, beta, epsilon });
const end = performance.timeOrigin + performance.now();

parentPort.postMessage({ moments: moments.toBytes(), start, end });
