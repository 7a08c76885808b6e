// Prints what the package weighs, also as servers compress it, and holds the main entry to its promise.

import { readdirSync, readFileSync } from 'node:fs';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { at } from './lib/paths.mjs';
import { main, StepError } from './lib/run.mjs';

/**
 * The most bytes that a file may have after gzip. index.js is all that a page needs: layers, code, glue and wasm, of which half is
 * the core of all operations in float32 and float64. Threads are a glue and a module more.
 */
const BUDGETS = {
  'cli.js': 14 * 1024,
  'index.js': 104 * 1024,
  'io.js': 17 * 1024,
  'keras.js': 15 * 1024,
  'kernels.js': 66 * 1024,
  'layernorm-kernels.wasm': 53 * 1024,
  'layernorm.wasm': 53 * 1024,
  'layernorm-mt.cjs': 9 * 1024,
  'layernorm-mt.mjs': 8.5 * 1024,
  'layernorm-mt.wasm': 61 * 1024,
  // Without the entries that it builds on.
  'tfjs.js': 9 * 1024,
};

await main(import.meta, async () => {
  const rows = readdirSync(at('dist'))
    .sort()
    .map((file) => {
      const bytes = readFileSync(at('dist', file));
      const gzip = gzipSync(bytes, { level: 9 }).length;
      return { file, bytes: bytes.length, gzip, brotli: brotliCompressSync(bytes).length };
    });
  const line = (...cells) =>
    console.log(cells.map((cell, i) => (i === 0 ? `${cell}`.padEnd(20) : `${cell}`.padStart(9))).join(''));
  line('file', 'bytes', 'gzip', 'brotli', 'budget');
  for (const { file, bytes, gzip, brotli } of rows) line(file, bytes, gzip, brotli, BUDGETS[file] ?? '');

  for (const [file, budget] of Object.entries(BUDGETS)) {
    const row = rows.find((one) => one.file === file);
    if (!row) throw new StepError(`dist/${file} is missing, though it has a budget`);
    if (row.gzip > budget)
      throw new StepError(`dist/${file} has ${row.gzip} bytes after gzip, its budget is ${budget}`);
  }
});
