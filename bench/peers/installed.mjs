import { createRequire } from 'node:module';
import { join } from 'node:path';
import { folders } from '../lib/folders.mjs';
import { MissingPeer } from './missing.mjs';

const require = createRequire(join(folders.installed, 'package.json'));

/** A package that `npm run bench:peers` installs. */
export function requirePeer(name) {
  try {
    return require(name);
  } catch (error) {
    if (error.code === 'MODULE_NOT_FOUND' && error.message.includes(name)) throw new MissingPeer(name);
    throw error;
  }
}

export const peerVersion = (name) =>
  require(join(folders.installed, 'node_modules', name, 'package.json')).version;

/** A folder of an installed package. */
export const peerFolder = (...parts) => join(folders.installed, 'node_modules', ...parts);
