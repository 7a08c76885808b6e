import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/[\\/]$/, '');

/** An absolute path below the repository. */
export const at = (...parts) => join(root, ...parts);

/** A path as messages show it: relative to the repository. */
export const shown = (path) => relative(root, path) || '.';
