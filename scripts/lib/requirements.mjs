// What has to be on the machine, by what it is needed for.

import { existsSync } from 'node:fs';
import { ensure, header, program } from './apt.mjs';
import { chromium } from './chromium.mjs';
import { ensureEmscripten } from './emscripten.mjs';
import { firefox } from './firefox.mjs';
import { ensureEcosystem, ensureNpmPackages } from './npm_packages.mjs';

const googletestSources = {
  packages: ['googletest'],
  present: () => existsSync('/usr/src/googletest/CMakeLists.txt'),
  hint: "GoogleTest's sources are missing: put them in /usr/src/googletest, as Debian's package googletest does",
};

const build = [program('cmake'), program('ninja', ['ninja-build'])];

/** The parts of the set-up; scripts name those they need. */
const machine = {
  build,
  native: [
    ...build,
    program('c++', ['g++']),
    googletestSources,
    header('simde/wasm/simd128.h', 'libsimde-dev'),
  ],
  wasmTests: [...build, googletestSources],
  format: [program('clang-format-19')],
  browser: [chromium, firefox],
};

export const EVERYTHING = Object.keys(machine);

/** Installs what is missing of npm's packages, of these parts, and of the wasm toolchain where a part builds wasm. */
export async function setUp(parts) {
  await ensureNpmPackages();
  if (parts.includes('ecosystem')) await ensureEcosystem();
  await ensure(parts.flatMap((part) => machine[part] ?? []));
  if (parts.includes('build') || parts.includes('wasmTests')) await ensureEmscripten();
}
