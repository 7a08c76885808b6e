// Prints what the package weighs when a server compresses it, and holds the main entry to its promise.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { at } from './lib/paths.mjs';
import { main, StepError } from './lib/run.mjs';

/** Everything a page needs for one thread: code, glue and wasm. */
const BUDGETS = { 'index.js': 30 * 1024 };

await main(import.meta, async () => {
  const files = readdirSync(at('dist')).sort();
  const rows = files.map((file) => ({
    file,
    bytes: statSync(at('dist', file)).size,
    gzip: gzipSync(readFileSync(at('dist', file)), { level: 9 }).length,
    budget: BUDGETS[file],
  }));
  console.table(rows);
  for (const { file, gzip, budget } of rows) {
    if (gzip > budget)
      throw new StepError(`dist/${file} has ${gzip} bytes compressed, its budget is ${budget}`);
  }
});
