// Threads in Chromium, by way of bundlers without any configuration, under a Content-Security-Policy; and in Firefox.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { BUNDLERS } from '../package/support/bundlers.mjs';
import { launch, visit } from '../package/support/chromium.mjs';
import { visitInFirefox } from '../package/support/firefox.mjs';
import { install } from '../package/support/installed.mjs';
import { serve } from '../package/support/server.mjs';

/** All that the package needs: workers come from the page's own address. */
const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'";
const ISOLATED = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

let app;
let browser;

before(async () => {
  app = install('threads');
  browser = await launch();
});
after(() => browser?.close());

async function open(folder, policy, headers, search = '') {
  const server = await serve(folder, policy, headers);
  try {
    return { ...(await visit(browser, server.url + search)), requests: server.requests };
  } finally {
    await server.close();
  }
}

const withThreads = (threads) => ({
  before: 1,
  configured: threads,
  after: threads,
  variant: 'simd-mt',
  equal: 40,
  reason: null,
});

function assertOneThread({ reason, ...rest }, why) {
  assert.deepEqual(rest, { before: 1, configured: 1, after: 1, variant: 'simd', equal: 40 });
  assert.match(reason, why);
}

const loadsModule = (requests) => requests.some((path) => path.endsWith('.wasm'));

for (const name of ['vite', 'webpack', 'no bundler']) {
  describe(name, () => {
    let folder;

    before(async () => {
      folder = join(app, 'built', name.replace(' ', '_'));
      assert.deepEqual(await BUNDLERS[name](app, folder), [], 'warnings');
    });

    test('the page, and a worker of it, share their work, with nothing to complain of', async () => {
      const { results, violations, said, requests } = await open(folder, POLICY, ISOLATED);
      assert.deepEqual(results, { isolated: true, onMainThread: withThreads(2), inWorker: withThreads(3) });
      assert.deepEqual({ violations, said }, { violations: [], said: [] });
      assert.ok(loadsModule(requests), requests.join(' '));
    });

    test('without isolation one thread works and says why', async () => {
      const { results, violations, said, requests } = await open(folder, POLICY, {});
      assert.equal(results.isolated, false);
      for (const result of [results.onMainThread, results.inWorker]) {
        assertOneThread(result, /^SharedArrayBuffer is missing: the page is not cross-origin isolated/);
      }
      assert.deepEqual({ violations, said }, { violations: [], said: [] });
      assert.ok(!loadsModule(requests), requests.join(' '));
    });

    test('where a policy blocks workers, one thread works and says why', async () => {
      const { results } = await open(folder, `${POLICY}; worker-src 'none'`, ISOLATED);
      assertOneThread(
        results.onMainThread,
        /^a worker could not start .* a Content-Security-Policy has to allow/,
      );
    });
  });
}

test('a worker that ends in the midst of a call loses nothing, in place', async () => {
  const folder = join(app, 'built', 'no_bundler');
  const { results } = await open(folder, POLICY, ISOLATED, '?end');
  assert.deepEqual(results, { workers: 1, wrong: 0 });
});

describe('Firefox', () => {
  async function openInFirefox(headers, search = '') {
    const server = await serve(join(app, 'built', 'no_bundler'), POLICY, headers);
    try {
      return await visitInFirefox(server, `posting.html${search}`);
    } finally {
      await server.close();
    }
  }

  test('the page, and a worker of it, share their work', async () => {
    const results = await openInFirefox(ISOLATED);
    assert.deepEqual(results, { isolated: true, onMainThread: withThreads(2), inWorker: withThreads(3) });
  });

  test('without isolation one thread works and says why', async () => {
    const { isolated, onMainThread } = await openInFirefox({});
    assert.equal(isolated, false);
    assertOneThread(onMainThread, /^SharedArrayBuffer is missing: the page is not cross-origin isolated/);
  });

  test('a worker that ends in the midst of a call loses nothing, in place', async () => {
    assert.deepEqual(await openInFirefox(ISOLATED, '?end'), { workers: 1, wrong: 0 });
  });
});
