// The layers for TensorFlow.js in Chromium: on its backend of WebAssembly, with threads and without, and on that of JavaScript.

import assert from 'node:assert/strict';
import { copyFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import * as esbuild from 'esbuild';
import { at } from '../../scripts/lib/paths.mjs';
import { launch, visit } from '../package/support/chromium.mjs';
import { install } from '../package/support/installed.mjs';
import { serve } from '../package/support/server.mjs';

/** All that TensorFlow.js needs: its workers are made of blobs. */
const POLICY = "default-src 'self' blob:; script-src 'self' blob: 'wasm-unsafe-eval'";
const ISOLATED = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};
const WASM = at('node_modules', '@tensorflow', 'tfjs-backend-wasm', 'dist');

let folder;
let browser;

before(async () => {
  const app = install('tfjs');
  folder = join(app, 'built');
  await esbuild.build({
    absWorkingDir: app,
    entryPoints: ['main.js'],
    outdir: folder,
    bundle: true,
    format: 'esm',
    nodePaths: [at('node_modules')], // TensorFlow.js is the repository's own
    logLevel: 'silent',
  });
  copyFileSync(join(app, 'index.html'), join(folder, 'index.html'));
  for (const name of readdirSync(WASM).filter((file) => file.endsWith('.wasm'))) {
    copyFileSync(join(WASM, name), join(folder, name));
  }
  browser = await launch();
});
after(() => browser?.close());

async function open(headers) {
  const server = await serve(folder, POLICY, headers);
  try {
    const { results, violations } = await visit(browser, server.url);
    assert.deepEqual(violations, []);
    assert.equal(results.error, undefined);
    return { ...results, modules: server.requests.filter((path) => path.endsWith('.wasm')) };
  } finally {
    await server.close();
  }
}

function assertTrained({ wasm, cpu, patched }) {
  console.log(`${wasm.backend}: ${wasm.loss.map((loss) => loss.toFixed(4)).join(' ')}`);
  console.log(`${cpu.backend}: ${cpu.loss.map((loss) => loss.toFixed(4)).join(' ')}`);
  assert.deepEqual([wasm.backend, cpu.backend], ['wasm', 'cpu']);
  for (const { loss, moved } of [wasm, cpu]) {
    assert.ok(loss.at(-1) < loss[0]);
    assert.ok(moved);
  }
  // The layers alone have the same bits; the matrix products before and after them do not.
  assert.deepEqual(wasm.normalized, cpu.normalized);
  const worst = Math.max(...wasm.predictions.map((value, i) => Math.abs(value - cpu.predictions[i])));
  assert.ok(worst < 1e-4, `predictions differ by ${worst}`);
  assert.deepEqual(patched, { layer: true, graphModel: true });
}

test('threads, which share a memory', async () => {
  const results = await open(ISOLATED);
  assertTrained(results);
  assert.equal(results.isolated, true);
  assert.equal(results.shared, true);
  assert.equal(results.threads, 2);
  assert.deepEqual(results.modules, ['/tfjs-backend-wasm-threaded-simd.wasm']);
});

test('one thread, in a page that is not isolated', async () => {
  const results = await open({});
  assertTrained(results);
  assert.equal(results.isolated, false);
  assert.equal(results.shared, false);
  assert.deepEqual(results.modules, ['/tfjs-backend-wasm-simd.wasm']);
});
