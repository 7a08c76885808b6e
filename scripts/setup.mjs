// npm run setup: brings everything to this machine that `npm test` and `npm start` need.

import { ensureEmscripten } from './lib/emscripten.mjs';
import { EVERYTHING, setUp } from './lib/requirements.mjs';
import { main } from './lib/run.mjs';

await main(import.meta, async () => {
  await setUp(EVERYTHING);
  const { version } = await ensureEmscripten();
  console.log(`Everything is in place: Node ${process.versions.node}, Emscripten ${version}.`);
});
