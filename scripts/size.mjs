// Prints what the package weighs when a server compresses it, and holds the main entry to its promise.

import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { at } from './lib/paths.mjs';
import { main, StepError } from './lib/run.mjs';

/** Everything a page needs for one thread: code, glue and wasm. */
const BUDGETS = { 'index.js': 30 * 1024 };

await main(import.meta, async () => {
  const line = (...cells) =>
    console.log(cells.map((cell, i) => (i === 0 ? `${cell}`.padEnd(20) : `${cell}`.padStart(9))).join(''));
  line('file', 'bytes', 'gzip', 'budget');
  for (const file of readdirSync(at('dist')).sort()) {
    const bytes = readFileSync(at('dist', file));
    const gzip = gzipSync(bytes, { level: 9 }).length;
    const budget = BUDGETS[file];
    line(file, bytes.length, gzip, budget ?? '');
    if (gzip > budget)
      throw new StepError(`dist/${file} has ${gzip} bytes compressed, its budget is ${budget}`);
  }
});
