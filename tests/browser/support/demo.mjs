// The demo page as it is built, in Chromium, under its Content-Security-Policy. A test file that imports this has a server, a
// browser and, for each test, a page that must not complain of anything.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, afterEach, before } from 'node:test';
import { deflateSync } from 'node:zlib';
import { chromium } from 'playwright-core';
import { build, preview } from 'vite';
import { at, VITE } from './vite.mjs';

export { at, VITE };

const AXE = readFileSync(at('node_modules/axe-core/axe.min.js'), 'utf8');

let server;
export let browser;
/** The address of the page, with a slash at the end. */
export let url;

before(async () => {
  // `npm test` builds it once for all test files.
  if (!process.env.DEMO_IS_BUILT) await build(VITE);
  server = await preview(VITE);
  [url] = server.resolvedUrls.local;
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_PATH || '/usr/bin/chromium',
    args: ['--no-sandbox', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
  });
});
after(async () => {
  await browser?.close();
  await server?.close();
});

/** The page of the current test, and all that it has complained of. */
export let page;
export let complaints = [];

afterEach(async () => {
  assert.deepEqual(complaints, [], 'the console');
  await page?.close();
});

/** Opens a new page at an address. Without its service worker, unless that is what a test is about. */
export async function visit(address, options = {}) {
  page = await browser.newPage({
    viewport: { width: 1280, height: 900 },
    serviceWorkers: 'block',
    ...options,
  });
  complaints = [];
  page.on('console', (message) => {
    const isOwn = message.text() === 'Service Worker registration blocked by Playwright';
    if (['error', 'warning'].includes(message.type()) && !isOwn) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('requestfailed', (request) => complaints.push(`${request.url()} failed`));
  await page.goto(address);
}

/** Opens Explore with Fisher's Iris flowers as rows of colours, and waits for the result. */
export async function open(options = {}, address = url, state = '?example=iris&view=map') {
  await visit(`${address}#explore${state}`, options);
  await settled();
}

/** Waits until the result of Explore has been shown and checked. */
export const settled = () =>
  page.waitForFunction(
    () =>
      document.querySelector('#engine-check')?.textContent?.includes('float64') &&
      !document.querySelector('.stale'),
  );

/** Does something that leads to another result, and waits for it. Of several changes at once it may see the first one only. */
export async function change(action) {
  await page.evaluate(() => {
    document.querySelector('#engine-check').textContent = 'waiting for another result';
  });
  await action();
  await settled();
}

/** A number as the page writes it. */
export const number = (text) =>
  text === 'NaN' ? Number.NaN : Number(text.replace(/−/g, '-').replace(/,/g, ''));

/** Whether the page needs no horizontal scrolling. */
export const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);

/**
 * What axe-core has against the page as it is, by WCAG 2.2 AA and its own best practices. The dark theme changes colours alone,
 * so only rules of colours look at it: all others see the same document in the light one.
 */
export async function violations() {
  await page.evaluate(AXE);
  const { isDark, violations, passes } = await page.evaluate(async () => {
    const isDark = matchMedia('(prefers-color-scheme: dark)').matches;
    const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const runOnly = isDark ? ['color-contrast', 'link-in-text-block'] : rules;
    return { isDark, ...(await window.axe.run(document, { runOnly })) };
  });
  assert.ok(passes.length > (isDark ? 0 : 20), 'axe has looked at the page');
  return violations.flatMap(({ id, nodes }) =>
    nodes.slice(0, 3).map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
  );
}

/** Drops a file onto the page, as the browser does it. */
export async function drop(name, type, bytes) {
  const transfer = await page.evaluateHandle(
    ([name, type, data]) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], name, { type }));
      return transfer;
    },
    [name, type, Buffer.from(bytes).toString('base64')],
  );
  for (const event of ['dragenter', 'dragover', 'drop']) {
    await page.dispatchEvent('#drop-zone', event, { dataTransfer: transfer });
  }
}

export const text = (selector) => page.textContent(selector);

export function npy(descr, shape, bytes) {
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(', ')}), }`.padEnd(
    117,
  );
  const start = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0]);
  return Buffer.concat([start, Buffer.from(`${header}\n`), Buffer.from(bytes)]);
}

/** A PNG of 8-bit colours. */
export function png(width, height, colorAt) {
  const raw = Buffer.alloc((width * 3 + 1) * height);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      raw.set(colorAt(row, column), row * (width * 3 + 1) + 1 + column * 3);
    }
  }
  const crcOf = (bytes) => {
    let crc = ~0;
    for (const byte of bytes) {
      crc ^= byte;
      for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc >>> 0;
  };
  const chunk = (type, data) => {
    const bytes = Buffer.alloc(data.length + 12);
    bytes.writeUInt32BE(data.length);
    bytes.write(type, 4);
    data.copy(bytes, 8);
    bytes.writeUInt32BE(crcOf(bytes.subarray(4, -4)), data.length + 8);
    return bytes;
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width);
  head.writeUInt32BE(height, 4);
  head.set([8, 2], 8);
  return Buffer.concat([
    Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]),
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(raw)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}
