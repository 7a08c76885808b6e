// A smoke test of the built page in Firefox: it computes, every view opens, and neither axe-core nor the console complains.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import puppeteer from 'puppeteer-core';
import { build, preview } from 'vite';
import { ensureFirefox } from '../../scripts/lib/firefox.mjs';
import { at, VITE } from './support/vite.mjs';

const AXE = readFileSync(at('node_modules/axe-core/axe.min.js'), 'utf8');

let server;
let url;
let home;
let browser;
let page;
const complaints = [];

before(async () => {
  if (!process.env.DEMO_IS_BUILT) await build(VITE);
  server = await preview(VITE);
  [url] = server.resolvedUrls.local;
  home = mkdtempSync(join(tmpdir(), 'layernorm-firefox-'));
  browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: await ensureFirefox(),
    headless: true,
    env: { ...process.env, HOME: home, MOZ_CRASHREPORTER_DISABLE: '1' },
  });
  page = await browser.newPage();
  await page.setViewport({ width: 1280, height: 900 });
  page.on('console', (message) => {
    if (['error', 'warn'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
});
after(async () => {
  await browser?.close();
  await server?.close();
  if (home) rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

const settled = () =>
  page.waitForFunction(() => document.querySelector('#engine-check')?.textContent.includes('float64'));
const text = (selector) => page.$eval(selector, (element) => element.textContent);
const number = (shown) => Number(shown.replace('−', '-'));

async function violations() {
  await page.evaluate(AXE);
  const found = await page.evaluate(async () => {
    const { violations, passes } = await window.axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    });
    return {
      passes: passes.length,
      violations: violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`),
    };
  });
  assert.ok(found.passes > 20, 'axe has looked at the page');
  return found.violations;
}

test('computes what float64 has, and goes on when the method is changed', async () => {
  await page.goto(`${url}#explore?example=iris&view=table`);
  await settled();
  assert.equal(await page.evaluate(() => crossOriginIsolated), true);
  const row = () =>
    page.$$eval('.samples-table tbody tr:first-child td', (cells) => cells.map((cell) => cell.textContent));
  const x = [5.1, 3.5, 1.4, 0.2];
  const mean = x.reduce((a, b) => a + b) / 4;
  const std = Math.sqrt(x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 4);
  const y = x.map((value) => (value - mean) / Math.sqrt(std ** 2 + 1e-3));
  const shown = (await row()).map(number);
  [...x, mean, std, ...y].forEach((value, i) => {
    assert.ok(Math.abs(shown[i] - value) < 0.00051, `${shown[i]} is shown, expected ${value}`);
  });
  await page.click('input[name=method][value=rms]');
  await page.waitForFunction(() => document.querySelector('#engine-call').textContent.startsWith('rmsNorm'));
  await settled();
  const rms = Math.sqrt(x.reduce((sum, value) => sum + value ** 2, 0) / 4 + 1e-6);
  const after = (await row()).map(number);
  x.forEach((value, i) => {
    assert.ok(Math.abs(after[6 + i] - value / rms) < 0.00051, `${after[6 + i]}, expected ${value / rms}`);
  });
  assert.ok(Number.parseFloat(await text('#engine-error')) <= 3);
  assert.deepEqual(complaints, []);
});

test('the code and the link are there', async () => {
  await page.waitForFunction(() => document.querySelector('#export-code').textContent.includes('rmsNorm'));
  assert.match(await page.evaluate(() => location.hash), /method=rms/);
});

test('every view opens, without a complaint of axe-core or the console', async () => {
  const names = await page.$$eval('#nav a', (links) => links.map((link) => link.hash.slice(1)));
  assert.ok(names.includes('explore'));
  for (const name of names) {
    await page.click(`#nav a[href="#${name}"]`);
    await page.waitForSelector(`#view-${name}:not([hidden]) h2`);
    assert.deepEqual(await violations(), [], name);
    assert.match(await page.title(), new RegExp(`^${name}`, 'i'));
  }
  assert.deepEqual(complaints, []);
});

test('a reload without its server works: all files have been kept', async () => {
  await page.goto(`${url}#explore`);
  await settled();
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
  });
  await server.close();
  server = undefined;
  await page.reload();
  await settled();
  assert.match(await text('#engine-name'), /^layernorm /);
  assert.deepEqual(complaints, []);
});
