// Files of Keras in Chromium: layers and whole models, read with jsfive, against what Keras computed.

import assert from 'node:assert/strict';
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import * as esbuild from 'esbuild';
import * as fflate from 'fflate';
import { at } from '../../scripts/lib/paths.mjs';
import { launch, visit } from '../package/support/chromium.mjs';
import { install } from '../package/support/installed.mjs';
import { serve } from '../package/support/server.mjs';

const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'";
const MODELS = at('tests', 'golden', 'keras-models');
const WASM = at('node_modules', '@tensorflow', 'tfjs-backend-wasm', 'dist');
const TOLERANCE = 1e-5;

const expected = JSON.parse(readFileSync(join(MODELS, 'expected.json'), 'utf8'));
/** By file, the model that is in it. The last one is compressed, which the browser unpacks. */
const FILES = {
  'seed_sequential.keras': 'seed_sequential',
  'seed_functional.keras': 'seed_functional',
  'every_normalization.keras': 'every_normalization',
  'compressed.keras': 'seed_sequential',
};

let page;

before(async () => {
  const app = install('keras');
  const folder = join(app, 'built');
  await esbuild.build({
    absWorkingDir: app,
    entryPoints: ['main.js'],
    outdir: folder,
    bundle: true,
    format: 'esm',
    nodePaths: [at('node_modules')], // TensorFlow.js and jsfive are the repository's own
    logLevel: 'silent',
  });
  copyFileSync(join(app, 'index.html'), join(folder, 'index.html'));
  for (const name of readdirSync(WASM).filter((file) => file.endsWith('.wasm'))) {
    copyFileSync(join(WASM, name), join(folder, name));
  }
  for (const [name, model] of Object.entries(FILES)) {
    const bytes = readFileSync(join(MODELS, `${model}.keras`));
    const isCompressed = name === 'compressed.keras';
    writeFileSync(join(folder, name), isCompressed ? fflate.zipSync(fflate.unzipSync(bytes)) : bytes);
  }
  const inputs = Object.fromEntries(Object.entries(expected).map(([model, { input }]) => [model, input]));
  writeFileSync(join(folder, 'models.json'), JSON.stringify({ files: FILES, inputs }));

  const browser = await launch();
  const server = await serve(folder, POLICY);
  try {
    page = await visit(browser, server.url);
  } finally {
    await browser.close();
    await server.close();
  }
});

test('nothing is complained of', () => {
  assert.equal(page.results.error, undefined);
  assert.deepEqual(page.violations, []);
  assert.deepEqual(page.results.refused, ['LayerNormError', 'ERR_FILE']);
});

for (const [name, model] of Object.entries(FILES)) {
  test(`${name}: the layers, and the output of the model within ${TOLERANCE} of Keras'`, () => {
    const { normalizations, outputs } = page.results.results[name];
    assert.equal(normalizations.length, model === 'every_normalization' ? 5 : 1);
    for (const [path, className, built] of normalizations) {
      assert.match(className, /Normalization$/);
      assert.ok(built, path);
    }
    const { data } = expected[model].output;
    for (const backend of ['wasm', 'cpu']) {
      assert.equal(outputs[`tensors left by ${backend}`], 0);
      assert.equal(outputs[backend].length, data.length);
      for (const [i, value] of outputs[backend].entries()) {
        // Keras has NaN where the file has null.
        const isClose = data[i] === null ? Number.isNaN(value) : Math.abs(value - data[i]) <= TOLERANCE;
        assert.ok(isClose, `${backend}, element ${i}: ${value}, expected ${data[i]}`);
      }
    }
  });
}
