// examples/starters/next: built for production by Next.js' own bundler, served, and opened in Chromium.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { launch, visit } from '../package/support/chromium.mjs';
import { example, start } from './support/example.mjs';
import { assertWithin, layerNorm64 } from './support/reference.mjs';

/** What becomes part of the app. */
const BUNDLED = ['next', 'react', 'react-dom', 'scheduler', 'client-only', 'styled-jsx', '@swc/helpers'];
/** What only Next.js itself runs. */
const RUN = ['@next', 'postcss', 'caniuse-lite', 'baseline-browser-mapping'];
const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1' };

let app;
let browser;
before(async () => {
  const cwd = example('starters/next', RUN, BUNDLED);
  const next = createRequire(join(cwd, 'package.json')).resolve('next/dist/bin/next');
  // A worker that starts itself lets Turbopack wait for ever (next.js#97399): that has to end in an error.
  await promisify(execFile)(process.execPath, [next, 'build'], { cwd, env, timeout: 240_000 });
  app = await start(process.execPath, [next, 'start', '--port', '0'], { cwd, env });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  app?.stop();
});

const FIRST = layerNorm64([1, 2, 3], 1e-3);
const SECOND = layerNorm64([10, 20, 60], 1e-3);
const numbers = (text) => text.split(' ').map(Number);

test('server and client components are rendered on the server', async () => {
  const html = await (await fetch(app.url)).text();
  for (const [id, expected] of [
    ['server', FIRST],
    ['client', SECOND],
  ]) {
    assertWithin(3, numbers(html.match(new RegExp(`<p id="${id}">([^<]*)<`))[1]), expected);
  }
});

test('the client component hydrates, and computes in the browser', async () => {
  const { results, said } = await visit(browser, app.url, async () => {
    const texts = () => ['server', 'client'].map((id) => document.getElementById(id).textContent);
    const before = texts();
    for (let i = 0; texts()[1] === before[1] && i < 1000; i++) {
      document.querySelector('button').click(); // nothing listens before hydration
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return { before, after: texts() };
  });
  assert.deepEqual(said, []);
  assertWithin(3, results.before.flatMap(numbers), [...FIRST, ...SECOND]);
  assertWithin(3, results.after.flatMap(numbers), [...FIRST, ...SECOND.toReversed()]);
});

test('the route handler answers with numbers, and with errors', async () => {
  const post = (body) => fetch(`${app.url}/api/normalize`, { method: 'POST', body });
  const rows = await (await post('[[1,2,3],[10,20,60]]')).json();
  assertWithin(3, rows.flat(), [...FIRST, ...SECOND]);
  for (const [body, code] of [
    ['[[1,2],[3]]', 'ERR_SHAPE'],
    ['[[1', 'ERR_JSON'],
  ]) {
    const response = await post(body);
    assert.deepEqual([response.status, (await response.json()).code], [400, code]);
  }
});
