// Brings node_modules to what package-lock.json says. Scripts await this before they import any npm package.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { at } from './paths.mjs';
import { run } from './run.mjs';

/** What the build and most tests need. */
export const ensureNpmPackages = () => ensureIn(at(), 'npm: installing packages');

/** The libraries that layernorm works with, for the tests that are about them, with layernorm beside them: about 2 GB. */
export async function ensureEcosystem() {
  const folder = at('tests', 'ecosystem');
  await ensureIn(folder, 'npm: installing the libraries that layernorm works with');
  const self = join(folder, 'node_modules', 'layernorm');
  if (!existsSync(self)) symlinkSync(at(), self);
}

async function ensureIn(folder, what) {
  const stamp = join(folder, 'node_modules', '.layernorm-lock-hash');
  const wanted = createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  // Not `npm ci`: that insists on finding the binaries of every platform in the lock file, which npm leaves out where it
  // could not reach them. This takes the versions of the lock file as well and, with --no-save, leaves it as it is.
  const install = () =>
    run(what, ['npm', 'install', '--no-save', '--no-audit', '--no-fund'], { cwd: folder });
  // Once more, since most failures are the network's.
  await install().catch((error) => {
    console.error(error.message);
    return install();
  });
  writeFileSync(stamp, wanted);
}
