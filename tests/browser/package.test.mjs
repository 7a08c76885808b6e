// The installed package in Chromium, by way of every bundler, under a Content-Security-Policy.

import assert from 'node:assert/strict';
import { copyFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import * as esbuild from 'esbuild';
import { createServer } from 'vite';
import { BUNDLERS } from '../package/support/bundlers.mjs';
import { launch, visit } from '../package/support/chromium.mjs';
import { install, run } from '../package/support/installed.mjs';
import { serve } from '../package/support/server.mjs';

/** All that the package needs. */
const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'";
/** Less than it needs. */
const TOO_STRICT = "default-src 'self'; script-src 'self'";

let app;
let browser;
/** What Node computes: the row within rounding of the truth, and hashes of the bits of everything else. */
let expected;

before(async () => {
  app = install('web');
  browser = await launch();
  const { stdout } = run(process.execPath, ['node.mjs'], { cwd: app });
  expected = JSON.parse(stdout);
});
after(() => browser?.close());

test('Node computes what can be compared', () => {
  const [first, second, third] = expected.row;
  assert.ok(Math.abs(first + 1.2238273) < 1e-6 && second === 0 && Math.abs(third - 1.2238273) < 1e-6);
  assert.match(expected.digest, /^[0-9a-f]{8}$/);
});

/** Serves a built app and opens it. */
async function open(folder, policy) {
  const server = await serve(folder, policy);
  try {
    return { ...(await visit(browser, server.url)), requests: server.requests };
  } finally {
    await server.close();
  }
}

for (const [name, bundle] of Object.entries(BUNDLERS)) {
  describe(name, () => {
    let folder;

    before(async () => {
      folder = join(app, 'built', name.replace(' ', '_'));
      assert.deepEqual(await bundle(app, folder), [], 'warnings');
    });

    test('the page and its worker compute the bits that Node computes, with nothing to complain of', async () => {
      const { results, violations, said, requests } = await open(folder, POLICY);
      assert.deepEqual(results, { onMainThread: expected, inWorker: { ...expected, violations: [] } });
      assert.deepEqual({ violations, said }, { violations: [], said: [] });
      assertOnlyScripts(requests, folder);
    });

    test("without 'wasm-unsafe-eval' the error says what is missing", async () => {
      const { results, violations, said, requests } = await open(folder, TOO_STRICT);
      for (const { name, code, message } of Object.values(results)) {
        assert.deepEqual({ name, code }, { name: 'LayerNormError', code: 'ERR_LOAD' });
        assert.match(message, /a Content-Security-Policy has to allow 'wasm-unsafe-eval' in script-src/);
      }
      // The policy was in force, and this is all that it was asked for.
      assert.deepEqual(violations, ['script-src wasm-eval']);
      assert.deepEqual(results.inWorker.violations, ['script-src wasm-eval']);
      assert.deepEqual(said, []);
      assertOnlyScripts(requests, folder);
    });
  });
}

test('workers of every kind and audio worklets compute the same bits', async () => {
  const folder = join(app, 'built', 'scopes');
  await esbuild.build({
    absWorkingDir: app,
    entryPoints: ['scope.js', 'scopes.js'],
    outdir: folder,
    bundle: true,
    format: 'iife',
    logLevel: 'silent',
  });
  copyFileSync(join(app, 'scopes.html'), join(folder, 'index.html'));
  const { results, violations, said } = await open(folder, POLICY);
  assert.deepEqual(results, {
    worker: expected,
    sharedWorker: expected,
    serviceWorker: expected,
    audioWorklet: expected,
  });
  assert.deepEqual({ violations, said }, { violations: [], said: [] });
});

test('the development server of Vite', async () => {
  const server = await createServer({
    root: app,
    configFile: false,
    logLevel: 'silent',
    cacheDir: join(app, 'vite-cache'),
    server: { port: 0, host: 'localhost', hmr: false },
  });
  await server.listen();
  try {
    const { results } = await visit(browser, server.resolvedUrls.local[0]); // its own client speaks on the console
    assert.deepEqual(results, { onMainThread: expected, inWorker: { ...expected, violations: [] } });
  } finally {
    await server.close();
  }
});

/** Whatever the bundler wrote, each at most once for the page and once for the worker; above all no .wasm. */
function assertOnlyScripts(requests, folder) {
  const written = readdirSync(folder, { recursive: true }).map((path) => `/${path.replaceAll('\\', '/')}`);
  const others = requests.filter((path) => path !== '/' && !(written.includes(path) && path.endsWith('.js')));
  assert.deepEqual(others, []);
}
