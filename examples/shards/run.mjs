// Batch normalization of a file in shards, each in a process of its own, as a batch engine runs them:
// node run.mjs [shards] [rows]. Ends with 1 when the shards together differ from one pass over the whole file.

import { spawn } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { npyHeader, readNpyHeader } from 'layernorm/io';
import { batches, FEATURES } from '../merge-shards/data.mjs';

const [shards, rows] = [process.argv[2] ?? 4, process.argv[3] ?? 200_000].map(Number);
if (!(Number.isInteger(shards) && shards > 0 && Number.isInteger(rows) && rows > 0)) {
  console.error('usage: node run.mjs [shards] [rows]');
  process.exit(2);
}

/** What `npx layernorm` runs. */
const manifest = createRequire(import.meta.url).resolve('layernorm/package.json');
const program = join(dirname(manifest), JSON.parse(readFileSync(manifest, 'utf8')).bin.layernorm);

function layernorm(...args) {
  console.log(`layernorm ${args.join(' ')}`);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], { stdio: 'inherit' });
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`layernorm ${args[0]} ended with ${code}`)),
    );
  });
}

// The data, as they would lie on a volume that all processes see.
rmSync('work', { recursive: true, force: true });
mkdirSync('work');
const file = openSync('work/data.npy', 'w');
writeSync(file, npyHeader({ dtype: 'float64', shape: [rows, FEATURES] }));
for (const { x } of batches(0, rows)) writeSync(file, new Uint8Array(x.buffer));

// 1. Each shard: the moments of its rows. In any order, on any machine.
const indices = Array.from({ length: shards }, (_, i) => i);
await Promise.all(
  indices.map((i) =>
    layernorm('moments', 'work/data.npy', '--rows', `${i}/${shards}`, '-o', `work/${i}.moments`),
  ),
);

// 2. Once: the moments of all rows.
await layernorm('merge', ...indices.map((i) => `work/${i}.moments`), '-o', 'work/all.moments');

// 3. Each shard: its rows, normalized by the statistics of all.
const batch = ['--method', 'batch', '--moments', 'work/all.moments'];
await Promise.all(
  indices.map((i) =>
    layernorm('normalize', 'work/data.npy', ...batch, '--rows', `${i}/${shards}`, '-o', `work/${i}.npy`),
  ),
);

// For comparison: the whole file in one process.
await layernorm('normalize', 'work/data.npy', '--method', 'batch', '-o', 'work/whole.npy');

function elements(name) {
  const bytes = readFileSync(`work/${name}.npy`);
  return bytes.subarray(readNpyHeader(bytes, bytes.length).dataOffset);
}

const same = Buffer.concat(indices.map(elements)).equals(elements('whole'));
console.log(`${shards} shards, ${rows} rows: ${same ? 'the same bytes as' : 'NOT the same as'} one pass`);
process.exitCode = same ? 0 : 1;
