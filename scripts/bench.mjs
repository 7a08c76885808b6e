// npm run bench: builds what is missing, then measures.
import { build } from './build.mjs';
import { setUp } from './lib/requirements.mjs';
import { main, show } from './lib/run.mjs';

await main(import.meta, async () => {
  await setUp(['build']);
  await build();
  await show(['node', 'bench/run.mjs', ...process.argv.slice(2)]);
});
