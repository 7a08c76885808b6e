// npm run bench: builds what is missing, then measures in this Node and in the newest one. `npm run bench -- --help`.

import { existsSync } from 'node:fs';
import { newestNode } from './bench_peers.mjs';
import { build } from './build.mjs';
import { ensure, header } from './lib/apt.mjs';
import { buildPreset } from './lib/cmake.mjs';
import { at } from './lib/paths.mjs';
import { setUp } from './lib/requirements.mjs';
import { main, output, show, which } from './lib/run.mjs';

/** Builds the native benchmarks. @returns {string[]} the programs */
async function buildNative() {
  await setUp(['native']);
  await ensure([header('benchmark/benchmark.h', 'libbenchmark-dev')]);
  // The compiler that Emscripten has, if it is there: what differs then is the target alone.
  if (which('clang++-19')) process.env.CXX ??= 'clang++-19';
  await buildPreset('bench', ['layernorm_bench', 'layernorm_bench_avx2']);
  const folder = at('build', 'bench', 'bench', 'native');
  return [`${folder}/layernorm_bench`, `${folder}/layernorm_bench_avx2`];
}

function nodes() {
  if (!existsSync(newestNode)) {
    console.log(
      `Measuring in Node ${process.version} only: npm run bench:peers installs the newest one beside it.`,
    );
    return [process.execPath];
  }
  const newestVersion = output([newestNode, '--version'])?.trim();
  return newestVersion === process.version ? [process.execPath] : [process.execPath, newestNode];
}

await main(import.meta, async () => {
  const args = process.argv.slice(2);
  if (args.includes('--help')) return show(['node', 'bench/run.mjs', '--help']);

  await setUp(['build']);
  await build();
  const programs = args.includes('--native') ? await buildNative() : [];
  const where = args.includes('--node') ? [] : nodes().flatMap((node) => ['--node', node]);
  const rest = args.filter((arg) => arg !== '--native');
  await show([
    ...['node', 'bench/run.mjs', ...where],
    ...programs.flatMap((program) => ['--native', program]),
    ...rest,
  ]);
});
