// What one can take along of Explore: links that restore it, and the settings as code that gives the same numbers.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import {
  at,
  change,
  complaints,
  fits,
  npy,
  page,
  settled,
  text,
  url,
  violations,
  visit,
} from './support/demo.mjs';

const EXAMPLE = 'example=batch';

/** Opens Explore with a state in the address. */
async function open(state = '', options = {}) {
  await visit(`${url}#explore?${state}`, options);
  await settled();
}

/** The result as the page computed it: what it saves as .npy, bit for bit. */
async function saved() {
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('#save')]);
  const bytes = readFileSync(await download.path());
  const start = 10 + bytes.readUInt16LE(8);
  const isDouble = bytes.toString('latin1', 10, start).includes("'<f8'");
  const data = bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length);
  return isDouble ? new Float64Array(data) : new Float32Array(data);
}

/** Waits until the address holds a text. */
const address = (part) => page.waitForFunction((text) => location.hash.includes(text), part);

/** The link of the button, opened in another page. */
async function followLink() {
  const link = await page.evaluate(async () => {
    const written = new Promise((resolve) => {
      navigator.clipboard.writeText = async (text) => resolve(text);
    });
    document.querySelector('#copy-link').click();
    return written;
  });
  const before = page;
  await visit(link);
  await settled();
  await before.close();
  return link;
}

const choose = (method) => change(() => page.check(`input[name=method][value=${method}]`));

const openFile = (name, type, shape, values) =>
  change(() =>
    page.setInputFiles('#file', {
      name,
      mimeType: 'application/octet-stream',
      buffer: npy(type, shape, values.buffer),
    }),
  );

async function language(name) {
  await page.check(`#export input[value=${name}]`);
  const word = {
    typescript: 'console.log',
    keras: 'import keras',
    pytorch: 'import torch',
    onnx: 'import onnx',
    numpy: 'np.sqrt',
  }[name];
  await page.waitForFunction(
    (expected) => document.querySelector('#export-code').textContent.includes(expected),
    word,
  );
  return text('#export-code');
}

describe('a link', () => {
  test('restores settings, view and marked cell of an example', async () => {
    await open(EXAMPLE);
    await choose('group');
    await change(() => page.fill('#epsilon', '0.25'));
    await page.check('input[name=view][value=table]');
    await page.click('.samples-table tbody tr:nth-child(3) .row-button');
    await address('cell=');
    const [call, name, y] = [await text('#engine-call'), await text('#one-name code'), await saved()];
    const link = await followLink();
    assert.match(link, /#explore\?.*method=group/);
    assert.match(link, /epsilon=0.25/);
    assert.doesNotMatch(link, /gamma|x=/, 'defaults are left out');
    assert.equal(await text('#engine-call'), call);
    assert.ok(await page.isChecked('input[name=view][value=table]'));
    await page.waitForFunction(
      (code) => document.querySelector('#one-name code')?.textContent === code,
      name,
    );
    assert.deepEqual(await saved(), y);
  });

  test('restores each method with axis, groups, gamma and beta', async () => {
    await open();
    for (const [settings, call] of [
      [
        'method=layer&axis=0,1&gamma=2&beta=-0.5',
        'layerNorm(x, { shape: [2, 4, 3], axis: [0, 1], epsilon: 0.001, gamma, beta })',
      ],
      [
        'method=rms&epsilon=1e-8&gamma=1,2,3',
        'rmsNorm(x, { shape: [2, 4, 3], axis: 2, epsilon: 1e-8, gamma })',
      ],
      ['method=unit&axis=1', 'unitNorm(x, { shape: [2, 4, 3], axis: 1, epsilon: 1e-12 })'],
      [
        'method=batch&axis=0&gamma=none&beta=none',
        'batchNorm(x, { shape: [2, 4, 3], axis: 0, epsilon: 0.001 })',
      ],
      [
        'method=group&axis=1&groups=4&beta=none',
        'groupNorm(x, { shape: [2, 4, 3], axis: 1, groups: 4, epsilon: 0.001, gamma })',
      ],
      [
        'method=instance&axis=1',
        'instanceNorm(x, { shape: [2, 4, 3], axis: 1, epsilon: 0.001, gamma, beta })',
      ],
    ]) {
      const x = Array.from({ length: 24 }, (_, i) => (i * 7) % 10).join(',');
      await change(() =>
        page.evaluate((hash) => {
          location.hash = hash;
        }, `#explore?shape=2,4,3&x=${x}&${settings}`),
      );
      assert.equal(await text('#engine-call'), call);
      await address(settings.split('&').at(-1));
    }
  });

  test('holds small data of one’s own, bit for bit', async () => {
    await open();
    const values = Float32Array.of(1 / 3, -0, 1e-40, 3.4e38, 16777216, -2.5e-7, 7, 8, 9, 10, 11, 12);
    await openFile('mine.npy', '<f4', [3, 4], values);
    await address('x=');
    const y = await saved();
    await followLink();
    assert.match(await text('#dataset-shape'), /\[3, 4\] float32/);
    assert.deepEqual(await saved(), y);
  });

  test('holds float64 as float64', async () => {
    await open();
    await openFile('double.npy', '<f8', [2, 3], Float64Array.of(0.1, 1 / 3, 1e300, 4, 5, 6.000000000000001));
    await address('type=float64');
    const y = await saved();
    assert.ok(y instanceof Float64Array);
    await followLink();
    assert.deepEqual(await saved(), y);
  });

  test('names a file that is too large, and its settings wait for that', async () => {
    await open();
    const values = Float32Array.from({ length: 600 }, (_, i) => Math.sin(i));
    const file = () => openFile('large & odd.npy', '<f4', [100, 6], values);
    await file();
    await choose('batch');
    await change(() => page.fill('#epsilon', '2'));
    await address('epsilon=2');
    const y = await saved();
    const link = await followLink();
    assert.match(link, /file=large\+%26\+odd\.npy/);
    assert.match(await text('#link-file'), /“large & odd\.npy”/);
    assert.match(
      await text('#engine-call'),
      /^layerNorm\(.*epsilon: 0\.001/,
      'an example is there meanwhile',
    );
    assert.deepEqual(await violations(), []);
    await file();
    assert.ok(await page.isHidden('#link-file'));
    assert.match(await text('#engine-call'), /^batchNorm\(.*epsilon: 2/);
    assert.deepEqual(await saved(), y);
  });

  test('of nonsense opens the page as it is at first', async () => {
    await open();
    const call = await text('#engine-call');
    for (const state of [
      'method=toString&axis=9,a&epsilon=-1&gamma=x&groups=0&view=door&cell=7,7,7&code=cobol',
      'shape=2,2&x=1,2,3',
      'shape=1e9&x=1',
      'x=%E0%A4%A&%',
      'example=__proto__',
    ]) {
      await page.close();
      await open(state);
      assert.deepEqual(complaints, [], state);
      assert.equal(await text('#engine-call'), call, state);
      assert.equal(await page.locator('[role=alert]:visible').count(), 0, state);
    }
  });

  test('that is changed by hand is followed, and data that are there stay', async () => {
    await open(EXAMPLE);
    await change(() =>
      page.evaluate(() => {
        location.hash = '#explore?example=batch&method=rms&epsilon=0.5';
      }),
    );
    assert.match(await text('#engine-call'), /^rmsNorm.*epsilon: 0\.5/);
    await change(() =>
      page.evaluate(() => {
        location.hash = '#explore?shape=1,3&x=1,2,4';
      }),
    );
    assert.match(await text('#engine-call'), /^layerNorm\(x, \{ shape: \[1, 3\]/);
    await page.goBack();
    await page.waitForFunction(() =>
      /^rmsNorm.*\[6, 8\]/.test(document.querySelector('#engine-call').textContent),
    );
  });

  test('back and forward go between views', async () => {
    await open();
    const names = await page.$$eval('#nav a', (links) => links.map((link) => link.hash.slice(1)));
    const seen = () => page.evaluate(() => document.querySelector('.view-root:not([hidden])').id.slice(5));
    await choose('rms');
    for (const name of names.slice(1)) await page.click(`#nav a[href="#${name}"]`);
    for (const name of [...names].reverse()) {
      await page.waitForSelector(`#view-${name}:not([hidden])`);
      assert.equal(await seen(), name);
      if (name !== names[0]) await page.goBack();
    }
    assert.match(await text('#engine-call'), /^rmsNorm/);
    for (const name of names.slice(1)) {
      await page.goForward();
      await page.waitForSelector(`#view-${name}:not([hidden])`);
    }
  });
});

describe('the code', () => {
  let folder;

  before(() => {
    // Inside the package, where its own name leads to it.
    folder = mkdtempSync(join(at('build'), 'takeaway-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  /** Runs TypeScript as a file of its own. */
  async function run(code, name) {
    const { outputText } = ts.transpileModule(code.replace('console.log(y);', 'export { y };'), {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
    });
    const file = join(folder, `${name}.mjs`);
    writeFileSync(file, outputText);
    return (await import(pathToFileURL(file))).y;
  }

  const x = Array.from({ length: 24 }, (_, i) => Math.fround(Math.cos(i * i + 1) * 3)).join(',');
  for (const [name, state] of Object.entries({
    layer: `shape=2,4,3&x=${x}&axis=1,2&gamma=2`,
    rms: `shape=2,4,3&x=${x}&method=rms&axis=0&gamma=0.5,-2&epsilon=0.01`,
    unit: `shape=2,4,3&x=${x}&method=unit&axis=0,2`,
    batch: `shape=2,4,3&x=${x}&method=batch&axis=1&gamma=1,2,3,4&beta=-1,0,1,2`,
    group: `shape=2,4,3&x=${x}&method=group&axis=1&groups=2&beta=0.25`,
    instance: `shape=2,4,3&x=${x}&method=instance&axis=1&epsilon=1e-5&type=float64`,
    picture: `shape=2,4,3&x=${Array.from({ length: 24 }, (_, i) => i * 10).join(',')}&type=uint8&kind=picture&method=batch`,
  })) {
    test(`${name}: TypeScript gives what the page shows, bit for bit`, async () => {
      await open(state);
      const shown = await saved();
      const y = await run(await language('typescript'), name);
      assert.deepEqual(y, shown);
    });
  }

  test('each language has its own way, and the choice is part of the address', async () => {
    await open(EXAMPLE);
    assert.match(await language('keras'), /keras\.layers\.LayerNormalization\(axis=-1, epsilon=0\.001/);
    assert.match(await language('pytorch'), /F\.layer_norm\(x, \[8\], eps=0\.001\)/);
    assert.match(await language('onnx'), /"LayerNormalization".*axis=-1,\s+epsilon=0\.001,\s+stash_type=1/s);
    assert.match(await language('numpy'), /np\.sqrt\(variance \+ 0\.001\)/);
    await address('code=numpy');
    await change(() => page.fill('#epsilon', '0.5'));
    await page.waitForFunction(() =>
      document.querySelector('#export-code').textContent.includes('variance + 0.5'),
    );
    await followLink();
    await page.waitForFunction(() =>
      document.querySelector('#export-code').textContent.includes('variance + 0.5'),
    );
  });

  test('is copied by its button, which says so', async () => {
    await open('', { permissions: ['clipboard-read', 'clipboard-write'] });
    const code = await language('pytorch');
    await page.click('#copy-code');
    await page.waitForFunction(() => document.querySelector('#copy-code').textContent === 'Copied');
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), code);
    assert.equal(await text('#export [aria-live]'), 'Copied.');
    await page.waitForFunction(() => document.querySelector('#copy-code').textContent === 'Copy the code');
  });

  test('stands for large data with numbers to be replaced', async () => {
    await open('example=iris');
    const y = await run(await language('typescript'), 'large');
    assert.equal(y.length, 600);
    assert.match(
      await language('pytorch'),
      /x = torch\.randn\(\(150, 4\), dtype=torch\.float32\) {2}# your data/,
    );
  });

  test('can be used by keyboard, in light and dark, on a phone', async () => {
    for (const colorScheme of ['light', 'dark']) {
      for (const width of [1280, 320]) {
        await open('', { colorScheme, viewport: { width, height: 800 } });
        await page.focus('#export input[value=typescript]');
        await page.keyboard.press('ArrowRight');
        await page.waitForFunction(() =>
          document.querySelector('#export-code').textContent.includes('import keras'),
        );
        assert.ok(await fits(), `${width} pixels`);
        assert.deepEqual(await violations(), []);
        await page.close();
      }
    }
  });
});
