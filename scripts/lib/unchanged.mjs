// Skips work whose inputs are the same as last time.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { at } from './paths.mjs';

/**
 * Does `work` unless it was done before with these inputs and left all outputs.
 * @param {string} name of the stamp, one per kind of work
 * @param {{ inputs: string[], outputs: string[], options?: unknown }} files full paths; a folder stands for all files in
 *   it; `options` is anything else that the outputs depend on
 * @param {() => Promise<void>} work
 */
export async function unlessUnchanged(name, { inputs, outputs, options }, work) {
  const stamp = at('build', 'stamps', name);
  const wanted = fingerprint(inputs, options);
  const done = existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted;
  if (done && outputs.every((path) => existsSync(path))) return;
  rmSync(stamp, { force: true });
  await work();
  mkdirSync(at('build', 'stamps'), { recursive: true });
  writeFileSync(stamp, wanted);
}

function fingerprint(paths, options) {
  const hash = createHash('sha256').update(JSON.stringify(options ?? null));
  for (const file of paths.flatMap(filesIn)) hash.update(`\0${file}\0`).update(readFileSync(file));
  return hash.digest('hex');
}

function filesIn(path) {
  if (!statSync(path).isDirectory()) return [path];
  const entries = readdirSync(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}
