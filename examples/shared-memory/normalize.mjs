// Layer normalization by worker threads, each of its own rows of one shared memory, beside one pass over all of them:
// node normalize.mjs [threads] [rows]. Ends with 1 when a bit of a row differs, when moments differ
// by more than one unit in the last place, and when a thread fails.

import { Worker } from 'node:worker_threads';
import { layerNorm, Moments } from 'layernorm';
import { createKernels, STACK_BYTES } from 'layernorm/kernels';
import { FEATURES, fill } from './data.mjs';

const MAX_THREADS = 64;
const MAX_ROWS = 1_000_000; // 3 GB: a memory has 4 GiB at most
const PAGE_BYTES = 65536;
const EPSILON = 1e-5;

const [threads, rows] = [process.argv[2] ?? 2, process.argv[3] ?? 20_000].map(Number);
if (
  !(Number.isInteger(threads) && threads > 0 && threads <= MAX_THREADS) ||
  !(Number.isInteger(rows) && rows >= threads && rows <= MAX_ROWS)
) {
  console.error(
    `usage: node normalize.mjs [threads] [rows], up to ${MAX_THREADS} and ${MAX_ROWS}, with at least one row for each thread`,
  );
  process.exit(2);
}

// Where things lie in the memory: blocks one after the other. Address 0 stands for none, so the first block is not there.
let bytes = 16;
function allocate(size) {
  const address = bytes;
  bytes = Math.ceil((address + size) / 16) * 16;
  return address;
}
const arrived = allocate(4);
const stacks = Array.from({ length: threads }, () => ({
  address: allocate(STACK_BYTES),
  bytes: STACK_BYTES,
}));
const [gamma, beta] = [allocate(4 * FEATURES), allocate(4 * FEATURES)];
const x = allocate(4 * FEATURES * rows);

const pages = Math.ceil(bytes / PAGE_BYTES);
const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
const floats = (address, length) => new Float32Array(memory.buffer, address, length);
const parameters = {
  gamma: floats(gamma, FEATURES).map((_, f) => 1 + f / FEATURES),
  beta: floats(beta, FEATURES).map((_, f) => f / FEATURES - 0.5),
};
floats(gamma, FEATURES).set(parameters.gamma);
floats(beta, FEATURES).set(parameters.beta);

// Compiled once, for all: workers get the module with the memory.
const { module } = createKernels({ memory, stack: stacks[0] });
const starts = Array.from({ length: threads + 1 }, (_, i) => Math.floor((i * rows) / threads));
const workers = stacks.map((stack, i) => {
  const [from, to] = [starts[i], starts[i + 1]];
  const place = { stack, from, to, x: x + 4 * FEATURES * from };
  return new Worker(new URL('worker.mjs', import.meta.url), {
    workerData: { ...place, memory, module, gamma, beta, epsilon: EPSILON, arrived, workers: threads },
  });
});

/** What a worker sends, once. */
function resultOf(worker, i) {
  const failed = (why) => new Error(`the worker of rows ${starts[i]} to ${starts[i + 1] - 1} ${why}`);
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', (error) => reject(failed(`failed: ${error.message}`)));
    worker.once('exit', (code) => reject(failed(`ended with ${code}`)));
  });
}

let results;
try {
  results = await Promise.all(workers.map(resultOf));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  // Those that wait for one that failed would wait for ever.
  await Promise.all(workers.map((worker) => worker.terminate()));
}
if (results) compare(results);

function compare(results) {
  const [first, last] = [Math.min(...results.map((r) => r.start)), Math.max(...results.map((r) => r.end))];
  console.log(
    `${rows} rows of ${FEATURES} features, ${threads} threads: normalized in ${(last - first).toFixed(1)} ms`,
  );

  // One pass over everything, in memory of JavaScript.
  const all = new Float32Array(rows * FEATURES);
  fill(all, 0);
  const shape = [rows, FEATURES];
  const expected = new Moments({ axis: -1 }).update(all, { shape }).finalize();
  layerNorm(all, { shape, ...parameters, epsilon: EPSILON, out: all });

  const merged = new Moments({ axis: -1 });
  for (const { moments } of results) merged.merge(Moments.fromBytes(moments));
  const { mean, variance } = merged.finalize();
  for (const [what, ulps, allowed] of [
    ['normalized rows', largest(floats(x, rows * FEATURES), all, 23), 0],
    ['means', largest(mean, expected.mean, 52), 1],
    ['variances', largest(variance, expected.variance, 52), 1],
  ]) {
    console.log(`${what}: largest difference: ${ulps} ulp`);
    if (!(ulps <= allowed)) process.exitCode = 1;
  }
}

/** The largest difference of numbers with so many bits behind the point, in units of the last place of the second. */
function largest(a, b, bits) {
  let most = 0;
  for (let i = 0; i < b.length; i++) {
    if (Object.is(a[i], b[i])) continue;
    const ulp = 2 ** (Math.floor(Math.log2(Math.abs(b[i]))) - bits);
    const ulps = Math.abs(a[i] - b[i]) / ulp;
    if (!(ulps <= most)) most = ulps; // NaN counts
  }
  return most;
}
