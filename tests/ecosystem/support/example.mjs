// Examples as their readers have them: a copy of the folder, with the packed package and its other libraries installed there.

import { spawn } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { at } from '../../../scripts/lib/paths.mjs';
import { bin, install, temporaryFolder } from '../../package/support/installed.mjs';

let installed;
let folders;

/**
 * @param {string} name of a folder in examples/
 * @param {string[]} libraries what stands beside layernorm in its package.json, as links into this repository's node_modules
 * @param {string[]} bundled libraries that may be no links, for bundlers that follow none out of the folder
 * @returns {string} the folder
 */
export function example(name, libraries = [], bundled = []) {
  installed ??= install('node');
  folders ??= temporaryFolder();
  const folder = mkdtempSync(join(folders, 'example-'));
  const modules = join(folder, 'node_modules');
  cpSync(at('examples', name), folder, { recursive: true });
  cpSync(join(installed, 'node_modules'), modules, { recursive: true });
  for (const library of libraries) {
    linkFromHere(library, modules);
    if (existsSync(bin(library))) linkFromHere(join('.bin', library), modules);
  }
  for (const library of bundled) copyFromHere(library, modules);
  return folder;
}

/** The body of the `curl` in an example's README, and the answer that stands below it. */
export function readmeCall(folder) {
  const [, body, answer] = readFileSync(join(folder, 'README.md'), 'utf8').match(
    /^curl .* -d '(.*)'\n# (.*)$/m,
  );
  return { body, answer };
}

/** Where a library is in this repository. */
const here = (path) =>
  [at('node_modules', path), at('tests', 'ecosystem', 'node_modules', path)].find(existsSync);

function linkFromHere(path, modules) {
  mkdirSync(dirname(join(modules, path)), { recursive: true });
  symlinkSync(here(path), join(modules, path));
}

/** Files become hard links, which take no room and next to no time, where the file system has them. */
function copyFromHere(path, modules) {
  const from = here(path);
  for (const entry of readdirSync(from, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const copy = join(modules, path, relative(from, file));
    mkdirSync(dirname(copy), { recursive: true });
    try {
      linkSync(file, copy);
    } catch {
      copyFileSync(file, copy);
    }
  }
}

/**
 * Starts a program that serves, and waits until it says where.
 * @returns {Promise<{ url: string, said: string[], ended: Promise<number | null>, stop: (signal?: string) => void }>} `said` are
 *   its lines so far, those of stderr included; `ended` is its exit code
 */
export async function start(program, args, { cwd, env = {} }) {
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = [];
  const ended = new Promise((resolve) => child.on('close', resolve));
  const stop = (signal = 'SIGKILL') => child.kill(signal);
  process.on('exit', () => stop());
  const url = await new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        said.push(line);
        const [, port] = line.match(/https?:\/\/[\w.]+:(\d+)/) ?? [];
        if (port) resolve(`http://localhost:${port}`);
      });
    }
    child.on('error', reject);
    ended.then((code) => reject(new Error(`${program} ended with ${code}\n${said.join('\n')}`)));
  });
  return { url, said, ended, stop };
}
