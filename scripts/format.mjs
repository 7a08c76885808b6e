// npm run format: rewrites all sources in the project's style.

import { clangFormat } from './lib/clang_format.mjs';
import { setUp } from './lib/requirements.mjs';
import { main, show } from './lib/run.mjs';

await main(import.meta, async () => {
  await setUp(['format']);
  await show(['biome', 'check', '--write']);
  await show(clangFormat('-i'));
});
