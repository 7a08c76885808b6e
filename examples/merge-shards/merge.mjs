// Mean and variance of a data set whose shards are read by separate processes, beside those of one pass over all of it:
// node merge.mjs [processes] [rows]. Ends with 1 when they differ by more than one unit in the last place.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Moments } from 'layernorm';
import { batches, FEATURES } from './data.mjs';

const [processes, rows] = [process.argv[2] ?? 4, process.argv[3] ?? 200_000].map(Number);
if (!(Number.isInteger(processes) && processes > 0 && Number.isInteger(rows) && rows >= processes)) {
  console.error('usage: node merge.mjs [processes] [rows], with at least one row for each process');
  process.exit(2);
}

/** Runs shard.mjs and gives what it writes. */
function runShard(from, to) {
  const script = fileURLToPath(new URL('shard.mjs', import.meta.url));
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, from, to], { stdio: ['ignore', 'pipe', 'inherit'] });
    const chunks = [];
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(Buffer.concat(chunks));
      else reject(new Error(`the shard of rows ${from} to ${to - 1} ended with ${code}`));
    });
  });
}

console.log(`${rows} rows of ${FEATURES} features, in ${processes} processes`);
const merged = new Moments({ axis: -1 });
const starts = Array.from({ length: processes + 1 }, (_, i) => Math.floor((i * rows) / processes));
await Promise.all(
  starts.slice(0, -1).map(async (from, i) => {
    const to = starts[i + 1];
    const bytes = await runShard(from, to);
    // Whichever shard is ready first: the order does not matter.
    merged.merge(Moments.fromBytes(bytes));
    console.log(`merged rows ${from} to ${to - 1}: ${bytes.length} bytes`);
  }),
);

console.log('one pass over all rows');
const onePass = new Moments({ axis: -1 });
for (const { x, shape } of batches(0, rows)) onePass.update(x, { shape });

/** How far two numbers are apart, in units of the last place of the second. */
function ulps(a, b) {
  const ulp = 2 ** (Math.max(Math.floor(Math.log2(Math.abs(b))), -1022) - 52);
  return a === b ? 0 : Math.abs(a - b) / ulp;
}

const [shards, all] = [merged.finalize(), onePass.finalize()];
const table = Array.from({ length: FEATURES }, (_, f) => ({
  'mean, merged': shards.mean[f],
  'mean, one pass': all.mean[f],
  'variance, merged': shards.variance[f],
  'variance, one pass': all.variance[f],
}));
console.table(table);
const largest = Math.max(
  ...Array.from(shards.mean, (mean, f) => ulps(mean, all.mean[f])),
  ...Array.from(shards.variance, (variance, f) => ulps(variance, all.variance[f])),
);
const counted = shards.count.every((count) => count === rows);
console.log(`counted: ${shards.count[0]} of ${rows} rows`);
console.log(`largest difference: ${largest} ulp`);
process.exitCode = counted && largest <= 1 ? 0 : 1;
