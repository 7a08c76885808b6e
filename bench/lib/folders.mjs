import { fileURLToPath } from 'node:url';

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

export const folders = {
  root: path('../..'),
  bench: path('..'),
  dist: path('../../dist'),
  /** Where `npm run bench:peers` puts everything; ignored by git. */
  installed: path('../../.cache/bench'),
};
