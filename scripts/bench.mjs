// npm run bench: builds what is missing, then measures in this Node and in the newest one. `npm run bench -- --help`.

import { existsSync } from 'node:fs';
import { newestNode } from './bench_peers.mjs';
import { build } from './build.mjs';
import { buildPreset } from './lib/cmake.mjs';
import { at } from './lib/paths.mjs';
import { setUp } from './lib/requirements.mjs';
import { main, output, show } from './lib/run.mjs';

/** The natively built kernels, by Google Benchmark. */
async function benchNative(args) {
  await setUp(['native', 'nativeBench']);
  await buildPreset('bench', ['layernorm_bench']);
  await show([at('build', 'bench', 'bench', 'native', 'layernorm_bench'), ...args]);
}

function nodes() {
  const versionOf = (program) => output([program, '--version'])?.trim();
  if (!existsSync(newestNode)) {
    console.log(
      `Measuring in Node ${process.version} only: npm run bench:peers installs the newest one beside it.`,
    );
    return [process.execPath];
  }
  return versionOf(newestNode) === process.version ? [process.execPath] : [process.execPath, newestNode];
}

await main(import.meta, async () => {
  const args = process.argv.slice(2);
  if (args.includes('--help')) return show(['node', 'bench/run.mjs', '--help']);
  const native = args.includes('--native');
  const rest = args.filter((arg) => arg !== '--native');

  await setUp(['build']);
  await build();
  const chosen = rest.includes('--node') ? [] : nodes().flatMap((node) => ['--node', node]);
  await show(['node', 'bench/run.mjs', ...chosen, ...rest]);
  if (native) await benchNative(rest.includes('--quick') ? ['--benchmark_min_time=0.05'] : []);
});
