// npm run build: sets up what building needs and makes all of dist/.

import * as dist from './bundle.mjs';
import { buildPreset } from './lib/cmake.mjs';
import { setUp } from './lib/requirements.mjs';
import { main } from './lib/run.mjs';
import { unlessUnchanged } from './lib/unchanged.mjs';
import { patchGlues } from './patch_glue.mjs';

export const buildWasm = () =>
  buildPreset('wasm-release', [
    'layernorm_wasm',
    'layernorm_wasm_mt_web',
    'layernorm_wasm_mt_node',
    'layernorm_kernels',
  ]);

export async function build() {
  await setUp(['build']);
  await buildWasm();
  patchGlues();
  await unlessUnchanged('dist', dist, dist.bundle);
}

await main(import.meta, build);
