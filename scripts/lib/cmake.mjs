// Builds with the presets of CMakePresets.json; those called wasm-* get the Emscripten toolchain.

import { ensureEmscripten } from './emscripten.mjs';
import { at } from './paths.mjs';
import { run } from './run.mjs';
import { unlessUnchanged } from './unchanged.mjs';

/**
 * Configures a preset where needed and builds it in build/<preset>.
 * @param {string} preset
 * @param {string[]} targets all by default
 */
export async function buildPreset(preset, targets = ['all']) {
  const emscripten = preset.startsWith('wasm-') ? await ensureEmscripten() : undefined;
  const env = emscripten?.env;
  const toolchain = emscripten ? ['--toolchain', emscripten.toolchainFile] : [];
  const folder = at('build', preset);

  // Ninja sees changes of CMakeLists.txt by itself, but not those of the presets or of the toolchain.
  const configure = ['cmake', '--preset', preset, '--fresh', ...toolchain];
  const files = { inputs: [at('CMakePresets.json')], outputs: [`${folder}/build.ninja`] };
  const options = [configure, emscripten?.version];
  await unlessUnchanged(`configure-${preset}`, { ...files, options }, async () => {
    await run(`${preset}: configuring`, configure, { env });
  });
  await run(`${preset}: building`, ['cmake', '--build', folder, '--target', ...targets], { env });
}
