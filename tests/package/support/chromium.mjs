// Opens pages in the Chromium of the machine.

import { chromium } from 'playwright-core';
import { ensureChromium } from '../../../scripts/lib/chromium.mjs';

export async function launch() {
  return chromium.launch({ executablePath: await ensureChromium(), args: ['--no-sandbox'] });
}

/**
 * Opens an address and waits for what is asked for there: the promise that the page's scripts leave in `globalThis.results`.
 * @param {import('playwright-core').Browser | import('playwright-core').BrowserContext} browser pages of a context share
 *   service workers
 * @param {string} url
 * @param {() => unknown} ask runs in the page
 * @returns {Promise<{ results: unknown, violations: string[], said: string[] }>} `said` is what came to the console as a
 *   warning or an error, errors that nobody caught included
 */
export async function visit(browser, url, ask = () => globalThis.results) {
  const page = await browser.newPage();
  try {
    const said = [];
    page.on('console', (message) => {
      if (['warning', 'error'].includes(message.type())) said.push(message.text());
    });
    page.on('pageerror', (error) => said.push(String(error)));
    await page.addInitScript(() => {
      globalThis.violations = [];
      addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
        globalThis.violations.push(`${violatedDirective} ${blockedURI}`);
      });
    });
    await page.goto(url);
    const results = await page.evaluate(ask);
    // What was violated is told of in a task of its own.
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 10)));
    return { results, violations: await page.evaluate(() => globalThis.violations), said };
  } finally {
    await page.close();
  }
}
