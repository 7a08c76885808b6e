// Takes the pictures of the demo page that the READMEs show: `node scripts/screenshots.mjs`, after the page has changed.

import { mkdirSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { build, preview } from 'vite';
import { ensureChromium } from './lib/chromium.mjs';
import { at } from './lib/paths.mjs';
import { main } from './lib/run.mjs';

const VITE = { root: at('web-demo'), configFile: at('web-demo', 'vite.config.ts'), logLevel: 'warn' };
const WIDE = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844 };

/** What is shown: the address, and what is done before the picture is taken. */
const PICTURES = [
  { name: 'explore-light', view: 'explore', prepare: moveOneCell },
  { name: 'explore-dark', view: 'explore?example=maps', scheme: 'dark' },
  { name: 'explore-phone', view: 'explore', size: PHONE, scheme: 'dark', prepare: moveOneCell },
  { name: 'stability-light', view: 'stability' },
  { name: 'training-dark', view: 'training', scheme: 'dark', prepare: (page) => trainFor(page, 3) },
  { name: 'geometry-light', view: 'geometry?step=std' },
  { name: 'speed-light', view: 'speed', prepare: measure },
];

/** The lesson of the first view: one number changes, and one sample moves, or all of them. */
async function moveOneCell(page) {
  await page.locator('#view-grid .current').first().press('Enter');
  await page.keyboard.type('3');
  await page.keyboard.press('Enter');
}

async function trainFor(page, rounds) {
  for (let i = 0; i < rounds; i++) {
    await page.getByRole('button', { name: '100 steps' }).click();
    await page.waitForTimeout(800);
  }
}

async function measure(page) {
  await page.getByRole('button', { name: 'Measure', exact: true }).click();
  await page.waitForTimeout(6000);
}

await main(import.meta, async () => {
  await build(VITE);
  const server = await preview(VITE);
  const browser = await chromium.launch({ executablePath: await ensureChromium(), args: ['--no-sandbox'] });
  mkdirSync(at('web-demo', 'screenshots'), { recursive: true });
  for (const { name, view, size = WIDE, scheme: colorScheme = 'light', prepare } of PICTURES) {
    const page = await browser.newPage({ viewport: size, colorScheme });
    await page.goto(`${server.resolvedUrls.local[0]}#${view}`);
    await page.waitForLoadState('networkidle');
    await page.waitForTimeout(1500);
    await prepare?.(page);
    await page.waitForTimeout(1000);
    await page.screenshot({ path: at('web-demo', 'screenshots', `${name}.png`) });
    await page.close();
    console.log(`web-demo/screenshots/${name}.png`);
  }
  await browser.close();
  await server.close();
});
