// What has to be measured in a process that has done nothing before.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { summary } from './statistics.mjs';

/** Runs a module in a new process of this Node; gives what it prints as JSON. */
function inFreshProcess(name, ...args) {
  const path = fileURLToPath(new URL(`../fresh/${name}`, import.meta.url));
  return JSON.parse(execFileSync(process.execPath, [path, ...args], { encoding: 'utf8' }));
}

/**
 * From the import to the first result, on one small array.
 * @returns {Record<string, import('./statistics.mjs').Summary>} ms by what takes them
 */
export function measureStart(dist, runs) {
  const all = [];
  for (let run = 0; run < runs; run++) {
    const esm = inFreshProcess('start.mjs', join(dist, 'index.js'));
    const cjs = inFreshProcess('start.cjs', join(dist, 'index.cjs'));
    all.push({
      'import and first call': esm.import + esm.first,
      import: esm.import,
      'first call': esm.first,
      'second call': esm.second,
      'require and first call': cjs.import + cjs.first,
    });
  }
  return Object.fromEntries(Object.keys(all[0]).map((key) => [key, summary(all.map((one) => one[key]))]));
}

/** @returns {{ after: string, memoryBytes: number, rssBytes: number }[]} */
export const measureMemory = (dist) => inFreshProcess('memory.mjs', join(dist, 'index.js'));
