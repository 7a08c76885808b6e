// The built page on a plain static host: without headers, below a path, without a network, and after an update.

import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { at, complaints, page, settled, text, url, visit } from './support/demo.mjs';
import { serve } from './support/static.mjs';

const BUILT = at('build/demo');
/** The first load, compressed. */
const MOST_BYTES = 200_000;

let host;
let copy;

beforeEach(async () => {
  host = await serve(BUILT, '/some/folder/');
});
afterEach(async () => {
  await host.close();
  if (copy) rmSync(copy, { recursive: true });
  copy = undefined;
});

/** Opens the page on the plain host with its service worker. */
async function open() {
  await visit(host.url, { serviceWorkers: 'allow' });
  await settled();
}

/** Waits until the page is kept for later, by a service worker that answers for it. */
const kept = () =>
  page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    const { serviceWorker } = navigator;
    if (!serviceWorker.controller) {
      await new Promise((resolve) =>
        serviceWorker.addEventListener('controllerchange', resolve, { once: true }),
      );
    }
  });

/** Waits until a function in the page gives true, or a promise of it. */
async function until(isTrue, argument) {
  while (!(await page.evaluate(isTrue, argument))) await page.waitForTimeout(50);
}

async function reload() {
  await page.reload();
  await settled();
}

const isIsolated = () => page.evaluate(() => crossOriginIsolated);

/** Names of views, as the navigation has them. */
const views = () =>
  page.$$eval('#nav a', (links) =>
    links.map((link) => ({ name: link.hash.slice(1), title: link.textContent })),
  );

/** Goes through all views, and looks whether each has content. */
async function visitAllViews() {
  const found = await views();
  for (const { name, title } of found) {
    await page.click(`#nav a[href="#${name}"]`);
    await page.waitForSelector(`#view-${name}:not([hidden]) h2`);
    assert.equal(await page.locator(`#view-${name} > [role=alert]`).count(), 0, title);
  }
  await page.click('#nav a[href="#explore"]');
}

/** Something new to compute. */
async function compute() {
  const before = await text('#engine-call');
  await page.check('input[name=method][value=rms]');
  await page.waitForFunction((call) => document.querySelector('#engine-call').textContent !== call, before);
  await settled();
  assert.match(await text('#engine-call'), /^rmsNorm/);
}

describe('on a plain static host, below a path', () => {
  test('the page works at the first load, with one thread and without isolation', async () => {
    await open();
    assert.equal(await isIsolated(), false);
    assert.match(await text('#engine-detail'), /1 thread/);
    await compute();
    await visitAllViews();
    assert.ok(
      host.requests.every((path) => path.startsWith('/some/folder/')),
      `all paths are relative: ${host.requests}`,
    );
  });

  test('from the second load on it is isolated, without ever reloading by itself', async () => {
    await open();
    let loads = 0;
    page.on('load', () => loads++);
    await kept();
    assert.equal(await isIsolated(), false);
    assert.equal(loads, 0);
    await reload();
    assert.equal(await isIsolated(), true);
    assert.equal(await page.evaluate(() => typeof SharedArrayBuffer), 'function');
    await compute();
    assert.equal(loads, 1);
  });

  test('in Speed, a button turns threads on, when the page has been kept', async () => {
    await visit(`${host.url}#speed`, { serviceWorkers: 'allow' });
    await page.waitForSelector('#isolation-help:not([hidden])');
    await page.click('#isolate');
    await page.waitForFunction(() => globalThis.crossOriginIsolated);
    await page.waitForSelector('#isolation-help', { state: 'hidden' });
    await page.waitForSelector('#speed-threads-field:not(:disabled)');
    assert.equal(await page.isEnabled('#speed-threads'), true);
  });

  test('workers have the policy of the page once the service worker answers', async () => {
    await open();
    await kept();
    const [script] = page.workers().map((worker) => worker.url());
    const headers = (address) =>
      page.evaluate(async (from) => Object.fromEntries((await fetch(from)).headers), address);
    const policy = await page.getAttribute('meta[http-equiv=Content-Security-Policy]', 'content');
    await reload();
    const sent = await headers(script);
    assert.equal(sent['content-security-policy'], policy);
    assert.equal(sent['cross-origin-embedder-policy'], 'require-corp');
    assert.equal(sent['content-type'], 'text/javascript');
    const refused = await page.workers()[0].evaluate(
      () =>
        new Promise((resolve) => {
          self.addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective));
          fetch('https://elsewhere.test/').catch(() => {});
        }),
    );
    assert.equal(refused, 'connect-src');
    complaints.length = 0; // of that
  });
});

describe('without a network', () => {
  test('the page reloads, and all views open and compute', async () => {
    await open();
    await kept();
    await host.close();
    await page.context().setOffline(true);
    await reload();
    await compute();
    await visitAllViews();
  });

  test('all files are kept, and nothing else', async () => {
    await open();
    await kept();
    const stored = await page.evaluate(async () => {
      const names = await caches.keys();
      const requests = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
      return { names, addresses: requests.flat().map((request) => request.url) };
    });
    const files = readdirSync(BUILT, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== 'sw.js')
      .map((entry) => join(entry.parentPath, entry.name).slice(BUILT.length + 1))
      .filter((file) => !file.startsWith('docs/'));
    const expected = files.map((file) => host.url + (file === 'index.html' ? '' : file));
    assert.equal(stored.names.length, 1);
    assert.deepEqual(stored.addresses.sort(), expected.sort());
  });
});

describe('an update', () => {
  /** The same page with another title, and the version that goes with it. */
  function nextVersion() {
    copy = mkdtempSync(join(tmpdir(), 'layernorm-demo-'));
    cpSync(BUILT, copy, { recursive: true });
    const edit = (file, from, to) => {
      const before = readFileSync(join(copy, file), 'utf8');
      const after = before.replace(from, to);
      assert.notEqual(after, before);
      writeFileSync(join(copy, file), after);
    };
    edit('index.html', /<title>.*<\/title>/, '<title>The next version</title>');
    edit('sw.js', /`[0-9a-f]{16}`/, '`0123456789abcdef`');
    return copy;
  }

  test('takes the place of the version before at the next load, and leaves nothing of that', async () => {
    await open();
    await kept();
    const before = await page.evaluate(() => caches.keys());
    host.folder = nextVersion();
    await reload();
    assert.match(await page.title(), /Normalization, group by group/, 'what was kept comes first');
    await until(async (old) => {
      const names = await caches.keys();
      const { active, installing, waiting } = await navigator.serviceWorker.getRegistration();
      return (
        names.some((name) => !old.includes(name)) && active?.state === 'activated' && !installing && !waiting
      );
    }, before);
    // A page of the version before still gets its own files.
    assert.ok((await page.evaluate(() => caches.keys())).includes(before[0]));
    await reload();
    assert.match(await page.title(), /The next version/);
    await until(async () => (await caches.keys()).length === 1);
    assert.match(await page.evaluate(async () => (await caches.keys())[0]), /0123456789abcdef$/);
    await compute();
  });
});

describe('the first load', () => {
  test(`is at most ${MOST_BYTES / 1000} kB compressed, until the first result`, async () => {
    const bodies = [];
    await visit('about:blank', { serviceWorkers: 'block' });
    page.on('response', (response) => bodies.push(response.body().then((body) => [response.url(), body])));
    await page.goto(url);
    await settled();
    const loaded = await Promise.all(bodies);
    const sizes = loaded.map(([address, body]) => [
      address.slice(url.length) || 'index.html',
      gzipSync(body).length,
    ]);
    const total = sizes.reduce((sum, [, size]) => sum + size, 0);
    console.log(
      `first load: ${total} bytes compressed\n${sizes.map(([name, size]) => `  ${name} ${size}`).join('\n')}`,
    );
    for (const kind of ['index.html', '.css', 'worker']) {
      assert.ok(
        sizes.some(([name]) => name.includes(kind)),
        `${kind} is counted`,
      );
    }
    assert.ok(total <= MOST_BYTES, `${total} bytes`);
  });
});
