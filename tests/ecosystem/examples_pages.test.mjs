// The examples that are pages, built by their own tools and opened in Chromium under the policies that they carry.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createServer, resolveConfig } from 'vite';
import { launch, visit } from '../package/support/chromium.mjs';
import { run } from '../package/support/installed.mjs';
import { serve } from '../package/support/server.mjs';
import { example } from './support/example.mjs';
import { assertWithin, layerNorm64, rowsOf, unitNorm64 } from './support/reference.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'";

/** What a page shows, once it does. Pages that fail never do, and say why on the console. */
const shown = async () => {
  const element = document.getElementById('result');
  for (let i = 0; element.textContent === '...' && i < 2000; i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return element.textContent;
};

/** What a page has computed, likewise. */
const computed = async () => {
  for (let i = 0; !globalThis.results && i < 2000; i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return globalThis.results;
};

/** Runs the build of an example as its package.json has it. */
function build(name, libraries) {
  const folder = example(name, libraries);
  const { status, stdout, stderr } = run('npm', ['run', 'build'], { cwd: folder });
  assert.equal(status, 0, stdout + stderr);
  assert.doesNotMatch(stdout + stderr, /(?<!npm )warn/i);
  return folder;
}

/** What a page, or what `ask` makes of it, shows under the policy, with nothing to complain of. */
async function open(opener, url, ask) {
  const { results, violations, said } = await visit(opener, url, ask);
  assert.deepEqual({ violations, said }, { violations: [], said: [] });
  return results;
}

async function serveAndOpen(folder, ask) {
  const server = await serve(folder, POLICY);
  try {
    return await open(browser, server.url, ask);
  } finally {
    await server.close();
  }
}

/** The lines of a starter. */
function assertStarted(lines) {
  const expected = [
    [1, 2, 3],
    [10, 20, 60],
  ].flatMap((row) => layerNorm64(row, 1e-3));
  assertWithin(3, lines.map(Number), expected);
}

for (const [name, libraries] of Object.entries({
  webpack: ['webpack'],
  rollup: ['rollup', '@rollup/plugin-node-resolve'],
  esbuild: ['esbuild'],
})) {
  test(`starters/${name}`, async () => {
    const folder = build(`starters/${name}`, libraries);
    assertStarted((await serveAndOpen(folder, shown)).split('\n'));
  });
}

function assertStartedWithThreads(text) {
  const [threads, ...lines] = text.split('\n');
  assert.equal(threads.trim(), '2 threads');
  assertStarted(lines);
}

test('starters/vite: threads, by the headers of its own configuration', async () => {
  const folder = build('starters/vite', ['vite']);
  const { preview } = await resolveConfig({ root: folder, logLevel: 'silent' }, 'build');
  const server = await serve(join(folder, 'dist'), POLICY, preview.headers);
  try {
    assertStartedWithThreads(await open(browser, server.url, shown));
  } finally {
    await server.close();
  }
});

test('starters/vite: the same of its development server', async () => {
  const server = await createServer({
    root: example('starters/vite', ['vite']),
    logLevel: 'silent',
    server: { port: 0, host: 'localhost' },
  });
  await server.listen();
  try {
    const { results, violations } = await visit(browser, server.resolvedUrls.local[0], shown);
    assertStartedWithThreads(results);
    assert.deepEqual(violations, []);
  } finally {
    await server.close();
  }
});

test('starters/commonjs', () => {
  const { status, stdout, stderr } = run('npm', ['start', '--silent'], {
    cwd: example('starters/commonjs'),
  });
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  assertStarted(stdout.match(/-?\d[\d.]*(?=,|\n)/g));
});

test('web-worker: buffers go there and come back', async () => {
  const folder = build('web-worker', ['vite']);
  const { row, left, refused } = await serveAndOpen(join(folder, 'dist'), computed);
  const input = Array.from(row, (_, i) => Math.fround(Math.sin(i + 9))); // of the last of ten calls
  assert.equal(row.length, 768);
  assertWithin(3, row, layerNorm64(input, 1e-3));
  assert.deepEqual({ left, refused }, { left: 0, refused: 'ERR_SHAPE' });
});

test('service-worker: from the first visit on, and when the page is loaded again', async () => {
  const folder = build('service-worker', ['esbuild']);
  const server = await serve(join(folder, 'dist'), POLICY);
  const context = await browser.newContext();
  try {
    for (const when of ['just been installed', 'been here before']) {
      const [state, ...numbers] = (await open(context, server.url, shown)).split('\n');
      assert.equal(state, `the service worker has ${when}`);
      assertStarted(numbers);
    }
    const { results } = await visit(context, server.url, async () => {
      const response = await fetch('/normalize?dims=3', { method: 'POST', body: new Float32Array(5) });
      return [response.status, (await response.json()).code];
    });
    assert.deepEqual(results, [400, 'ERR_SHAPE']);
  } finally {
    await context.close();
    await server.close();
  }
});

test('onnxruntime-web: its output, normalized, cut and normalized again', async () => {
  const folder = build('onnxruntime-web', ['vite', 'onnxruntime-web']);
  const { embeddings, kept } = await serveAndOpen(join(folder, 'dist'), computed);
  const [inputs, dims] = [32, 256];
  const x = rowsOf(
    Array.from({ length: 4 * inputs }, (_, i) => Math.fround(Math.cos(3 * i))),
    inputs,
  );
  const weights = rowsOf(
    Array.from({ length: inputs * dims }, (_, i) => Math.fround(Math.sin(i * i) / 4)),
    dims,
  );
  const encoded = x.flatMap((row) =>
    Array.from({ length: dims }, (_, j) =>
      Math.tanh(row.reduce((sum, value, i) => sum + value * weights[i][j], 0)),
    ),
  );
  assertWithin(32, embeddings, encoded); // float32 sums of onnxruntime
  const expected = rowsOf(embeddings, dims).flatMap((row) => unitNorm64(layerNorm64(row, 1e-5).slice(0, 64)));
  assertWithin(3, kept, expected);
});
