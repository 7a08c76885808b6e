// Brings node_modules to what package-lock.json says. Scripts await this before they import any npm package.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { at } from './paths.mjs';
import { run } from './run.mjs';

const stamp = at('node_modules', '.layernorm-lock-hash');

export async function ensureNpmPackages() {
  const wanted = createHash('sha256')
    .update(readFileSync(at('package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  // Not `npm ci`: that insists on finding the binaries of every platform in the lock file, which npm leaves out where it
  // could not reach them. This takes the versions of the lock file as well and, with --no-save, leaves it as it is.
  const install = () =>
    run('npm: installing packages', ['npm', 'install', '--no-save', '--no-audit', '--no-fund']);
  // Once more, since most failures are the network's.
  await install().catch((error) => {
    console.error(error.message);
    return install();
  });
  writeFileSync(stamp, wanted);
}
