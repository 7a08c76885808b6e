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
  const install = () => run('npm: installing packages', ['npm', 'ci', '--no-audit', '--no-fund']);
  // Once more, since most failures of `npm ci` are the network's.
  await install().catch((error) => {
    console.error(error.message);
    return install();
  });
  writeFileSync(stamp, wanted);
}
