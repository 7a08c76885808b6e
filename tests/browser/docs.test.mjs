// The documentation, beside the built page and under its Content-Security-Policy.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { at, fits, page, settled, text, url, violations, visit } from './support/demo.mjs';
import { serve } from './support/static.mjs';

/** A page of each kind. */
const KINDS = {
  'the start page': 'index.html',
  'a guide page': 'documents/Axes_and_shapes.html',
  'a class': 'classes/layernorm.LayerNormalization.html',
};
/** More, of which some have long words and wide tables. */
const PAGES = [
  ...Object.values(KINDS),
  'documents/Errors.html',
  'modules/layernorm.html',
  'functions/layernorm.layerNorm.html',
];

/** Opens a page of the documentation and waits until its scripts have run. */
async function open(path, options = {}) {
  assert.ok(existsSync(at('build/demo/docs')), '`npm run docs` comes before the build of the page');
  await visit(`${url}docs/${path}`, options);
  await shown();
}

const shown = () =>
  page.waitForFunction(
    () => document.body.style.display !== 'none' && document.querySelector('#tsd-nav-container li'),
  );

/** TypeDoc's navigation has links in its summaries, which a keyboard reaches: a script makes them, so they cannot be moved. */
const ofNavigation = (violation) => /^nested-interactive: <summary [^>]*data-key="layernorm/.test(violation);
const faults = async () => (await violations()).filter((violation) => !ofNavigation(violation));

describe('is accessible', () => {
  for (const [kind, path] of Object.entries(KINDS)) {
    for (const colorScheme of ['light', 'dark']) {
      test(`${kind}, ${colorScheme}`, async () => {
        await open(path, { colorScheme });
        assert.deepEqual(await faults(), []);
      });
    }
  }

  test('on a phone, with the menu open', async () => {
    await open('index.html', { viewport: { width: 390, height: 800 } });
    await page.click('#tsd-toolbar-menu-trigger');
    await page.waitForSelector('.has-menu .col-sidebar', { state: 'visible' });
    assert.deepEqual(await faults(), []);
  });
});

test('no page scrolls sideways on a phone', async () => {
  await open('index.html', { viewport: { width: 390, height: 800 } });
  for (const path of PAGES) {
    await page.goto(`${url}docs/${path}`);
    await shown();
    assert.equal(await fits(), true, path);
  }
});

test('search finds a function, and a word of the guide', async () => {
  await open('index.html');
  for (const [words, found] of [
    ['layerNormBack', 'functions/layernorm.layerNormBackward.html'],
    ['Cross-Origin', 'documents/Threads_and_headers.html'],
  ]) {
    await page.click('#tsd-search-trigger');
    await page.fill('#tsd-search-input', words);
    await page.click(`#tsd-search-results a[href$="${found}"]`);
    await page.waitForURL(`${url}docs/${found}`);
    await shown();
  }
});

test('the page leads to the documentation, and that to the page', async () => {
  await visit(url);
  await settled();
  await page.click('footer a[href="./docs/index.html"]');
  await page.waitForURL(`${url}docs/index.html`);
  await shown();
  assert.match(await text('h1'), /layernorm/);
  await page.click('text=Axes and shapes');
  await page.waitForURL(/Axes_and_shapes/);
  await page.click('#tsd-toolbar-links >> text=Demo page');
  await page.waitForURL(url);
  await settled();
});

test('the theme that was chosen holds on the next page', async () => {
  await open('index.html');
  await page.click('.tsd-page-navigation summary, .tsd-navigation.settings summary');
  await page.selectOption('#tsd-theme', 'dark');
  await page.goto(`${url}docs/documents/Numerics.html`);
  await shown();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
});

test('an address that is none is not answered by the page', async () => {
  const response = await fetch(`${url}docs/none.html`);
  assert.equal(response.status, 404);
});

describe('beside the service worker of the page', () => {
  test('the documentation opens, and is not kept', async () => {
    const host = await serve(at('build/demo'), '/some/folder/');
    try {
      await visit(host.url, { serviceWorkers: 'allow' });
      await settled();
      await page.evaluate(() => navigator.serviceWorker.ready);
      await page.waitForFunction(() => navigator.serviceWorker.controller);
      await page.goto(`${host.url}docs/index.html`);
      await shown();
      assert.match(await page.title(), /^layernorm/);
      const kept = await page.evaluate(async () => {
        const names = await caches.keys();
        const requests = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
        return requests.flat().map((request) => request.url);
      });
      assert.ok(kept.length > 0);
      assert.deepEqual(
        kept.filter((address) => address.includes('/docs/')),
        [],
      );
    } finally {
      await host.close();
    }
  });
});
