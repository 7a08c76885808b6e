// The programs of examples/tfjs in Chromium, as `npm run page` of the example builds them.

import assert from 'node:assert/strict';
import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import * as esbuild from 'esbuild';
import { at } from '../../scripts/lib/paths.mjs';
import { launch } from '../package/support/chromium.mjs';
import { install } from '../package/support/installed.mjs';
import { serve } from '../package/support/server.mjs';

const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'";
const PROGRAMS = ['sequential', 'functional', 'custom_layer', 'group_norm'];
const WASM = at('node_modules', '@tensorflow', 'tfjs-backend-wasm', 'dist');

let browser;
let server;

before(async () => {
  const app = install('node');
  const example = join(app, 'examples', 'tfjs');
  cpSync(at('examples', 'tfjs'), example, { recursive: true });
  const folder = join(example, 'build', 'page');
  mkdirSync(folder, { recursive: true });
  cpSync(join(example, 'page'), folder, { recursive: true });
  copyFileSync(join(example, 'data', 'digits.csv'), join(folder, 'digits.csv'));
  for (const name of readdirSync(WASM).filter((file) => file.endsWith('.wasm'))) {
    copyFileSync(join(WASM, name), join(folder, name));
  }
  await esbuild.build({
    absWorkingDir: example,
    entryPoints: PROGRAMS.map((name) => `src/${name}.ts`),
    outdir: folder,
    bundle: true,
    format: 'esm',
    nodePaths: [at('node_modules')], // TensorFlow.js is the repository's own
    logLevel: 'silent',
  });
  server = await serve(folder, POLICY);
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.close();
});

/** What a program writes into its page. */
async function written(program, backend) {
  const page = await browser.newPage();
  try {
    const said = [];
    page.on('console', (message) => said.push(message.text()));
    page.on('pageerror', (error) => said.push(String(error)));
    await page.goto(`${server.url}?program=${program}&backend=${backend}`);
    const last = program === 'group_norm' ? 'the same gamma' : 'saved, loaded';
    await page.getByText(last).first().waitFor();
    assert.deepEqual(said, []);
    const [text] = await page.locator('body').allInnerTexts();
    return text.trim();
  } finally {
    await page.close();
  }
}

const README = readFileSync(at('examples', 'tfjs', 'README.md'), 'utf8');
/** What the README shows, but for the first two lines: the title, and the layers. */
const SHOWN = /^epoch 1: [^`]*/m.exec(README)[0].trim();

for (const [program, backend] of [...PROGRAMS.map((name) => [name, 'wasm']), ['sequential', 'cpu']]) {
  test(`${program} on ${backend} learns, is saved and loaded as in Node`, async () => {
    const [title, layers, ...lines] = (await written(program, backend)).split('\n');
    assert.match(title, new RegExp(`, TensorFlow\\.js 4\\.22\\.0, ${backend}$`));
    assert.match(layers, /^layers: .*Dense, \w+Normalization, Dense$/);
    const text = lines.slice(0, SHOWN.split('\n').length).join('\n');
    if (program !== 'group_norm' && backend === 'wasm') return assert.equal(text, SHOWN);
    // Group normalization rounds elsewhere, and JavaScript's functions are the engine's own.
    assert.ok(Number(text.match(/^right: (.*) % of 359 held-out rows$/m)[1]) > 90, text);
    assert.match(text, /^saved, loaded: predictions differ by 0$/m);
  });
}
