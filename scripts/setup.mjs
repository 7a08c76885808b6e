import { ensureEmscripten } from './lib/emscripten.mjs';
import { main } from './lib/run.mjs';

await main(async () => {
  const { version, emcc } = await ensureEmscripten();
  console.log(`Emscripten ${version}: ${emcc}`);
});
