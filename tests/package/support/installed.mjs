// The package as users get it: packed, and installed from the tarball in an empty folder outside the repository.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { at } from '../../../scripts/lib/paths.mjs';

const TIMEOUT = 60_000;

/** What tests start sees none of the settings that the test runner passes on. */
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(NODE_|npm_)/i.test(name)));

/**
 * Runs a program to its end.
 * @returns {{ status: number | null, stdout: string, stderr: string }}
 */
export function run(program, args, { cwd = at() } = {}) {
  const { error, status, stdout, stderr } = spawnSync(program, args, {
    cwd,
    env,
    encoding: 'utf8',
    timeout: TIMEOUT,
    maxBuffer: 2 ** 26,
  });
  if (error) throw error;
  return { status, stdout, stderr };
}

/** The same, where failing is a fault of the test's surroundings. */
function mustRun(program, args, options) {
  const result = run(program, args, options);
  if (result.status === 0) return result;
  throw new Error(
    `${program} ${args.join(' ')} ended with ${result.status}\n${result.stderr}${result.stdout}`,
  );
}

/** The program of one of the repository's npm packages. */
export const bin = (name) => at('node_modules', '.bin', name);

/** A folder that is gone when this process ends. */
export function temporaryFolder() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'layernorm-')));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/**
 * @typedef {object} Packed
 * @property {string} tarball full path
 * @property {{ path: string, size: number, mode: number }[]} files
 * @property {number} size bytes of the tarball
 */

/** @type {Packed | undefined} */
let packedOnce;

/** Packs what the build has left in dist/. */
export function pack() {
  if (packedOnce) return packedOnce;
  const folder = temporaryFolder();
  const { stdout } = mustRun('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]);
  const [{ filename, files, size }] = JSON.parse(stdout);
  packedOnce = { tarball: join(folder, filename), files, size };
  return packedOnce;
}

/**
 * Installs the tarball in a new folder, without a registry: it has no dependencies.
 * @param {string} consumer folder in tests/package/consumers whose files are copied there
 * @returns {string} the folder
 */
export function install(consumer) {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }\n');
  mustRun('npm', ['install', '--offline', '--no-audit', '--no-fund', pack().tarball], { cwd: folder });
  cpSync(at('tests', 'package', 'consumers', consumer), folder, { recursive: true });
  return folder;
}

/** The package.json of an installation. */
export const manifest = (folder) =>
  JSON.parse(readFileSync(join(folder, 'node_modules', 'layernorm', 'package.json'), 'utf8'));
