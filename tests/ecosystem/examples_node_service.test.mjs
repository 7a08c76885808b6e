// examples/node-service, under load, on bad input, over its limits, and at its end.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { request } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { example, readmeCall, start } from './support/example.mjs';
import { assertWithin, layerNorm64, rowsOf, unitNorm64 } from './support/reference.mjs';

let folder;
before(() => {
  folder = example('node-service');
});

const startService = (env) =>
  start(process.execPath, ['server.mjs'], { cwd: folder, env: { PORT: '0', THREADS: '2', ...env } });
const json = { 'Content-Type': 'application/json' };
const binary = { 'Content-Type': 'application/octet-stream' };

/** Sends the head of a request and, with the function it gives, the body. */
function open(url, length) {
  const sent = request(`${url}/normalize`, {
    method: 'POST',
    headers: { ...binary, 'Content-Length': length },
  });
  sent.flushHeaders();
  const answered = new Promise((resolve, reject) => {
    sent.on('error', reject);
    sent.on('response', (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode));
    });
  });
  return { answered, finish: () => sent.end(new Uint8Array(length)), abort: () => sent.destroy() };
}

describe('answers', () => {
  let service;
  before(async () => {
    service = await startService({ MAX_BODY: String(2 ** 18) });
  });
  after(() => service?.stop());

  const post = (headers, body, query = '') =>
    fetch(`${service.url}/normalize${query}`, { method: 'POST', headers, body });
  const health = async () => (await fetch(`${service.url}/health`)).json();

  test('JSON and float32 are within rounding of float64', async () => {
    const x = Float32Array.from({ length: 40 * 96 }, (_, i) => Math.sin(i * i) * 3 + 5);
    const rows = rowsOf(x, 96);
    for (const [norm, reference] of [
      ['layer', (row) => layerNorm64(row, 1e-5)],
      ['unit', unitNorm64],
    ]) {
      const asJson = await post(json, JSON.stringify(rows), `?norm=${norm}`);
      assert.equal(asJson.status, 200);
      const nested = await asJson.json();
      const asBytes = await post(binary, x, `?norm=${norm}&dims=96`);
      assert.equal(asBytes.status, 200);
      const flat = new Float32Array(await asBytes.arrayBuffer());
      assert.deepEqual(nested, rowsOf(flat, 96)); // the same bits, whichever way
      for (const [row, values] of rows.entries()) assertWithin(3, nested[row], reference(values));
    }
    assert.deepEqual(await (await post(json, '[7]', '?norm=unit')).json(), [1]); // one row
  });

  test('what the README shows', async () => {
    const { body, answer } = readmeCall(folder);
    assert.equal(await (await post(json, body)).text(), answer);
  });

  test('right under load, while memory stays where it is', async () => {
    const load = async () => {
      const args = ['load.mjs', service.url, '1', '24'];
      const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd: folder });
      assert.equal(stderr, '');
      return stdout;
    };
    await load();
    const before = await health();
    const stdout = await load();
    const after = await health();
    assert.match(stdout, /^answers with other bits than the first: 0$/m);
    assert.match(stdout, /^latency in ms: p50 [\d.]+, p90 [\d.]+, p99 [\d.]+, p100 [\d.]+$/m);
    assert.deepEqual(stdout.match(/^status .*$/gm).length, 1, stdout);
    assert.ok(Number(stdout.match(/^status 200: (\d+)$/m)[1]) >= 24, stdout);
    assert.equal(after.memoryBytes, before.memoryBytes);
    assert.deepEqual(
      [after.threads, after.liveTensors, after.active, after.waiting],
      [2, 0, 0, 0],
      JSON.stringify(after),
    );
  });

  const float32 = (...values) => new Float32Array(values);
  for (const [what, headers, body, query, status, code, message] of [
    ['ragged rows', json, '[[1,2,3],[4,5]]', '', 400, 'ERR_SHAPE', /^tensor: data is ragged/],
    ['a word', json, '[[1,"two"]]', '', 400, 'ERR_DTYPE', /'two', expected a number/],
    ['an object', json, '{"x":[1]}', '', 400, 'ERR_ARGUMENT', /expected a typed array/],
    ['half of JSON', json, '[[1', '', 400, 'ERR_JSON', /JSON/],
    ['nothing', json, '', '', 400, 'ERR_JSON', /JSON/],
    ['very deep', json, `${'['.repeat(1e5)}${']'.repeat(1e5)}`, '', 400, 'ERR_SHAPE', /rank/],
    ['too large a number', json, '[1e39,1]', '', 400, 'ERR_RANGE', /infinite/],
    ['half a row', binary, float32(1, 2, 3, 4), '?dims=3', 400, 'ERR_SHAPE', /1\.33/],
    ['no width', binary, float32(1, 2), '?dims=wide', 400, 'ERR_SHAPE', /NaN/],
    ['half a number', binary, new Uint8Array(6), '', 400, 'ERR_BODY', /^6 bytes/],
    ['another norm', json, '[1]', '?norm=toString', 400, 'ERR_NORM', /layer or unit/],
    ['another type', { 'Content-Type': 'text/csv' }, '1,2', '', 415, 'ERR_CONTENT_TYPE', /octet-stream/],
    ['too much', binary, new Uint8Array(2 ** 18 + 4), '', 413, 'ERR_TOO_LARGE', /262144/],
  ]) {
    test(`${what}: ${status} ${code}`, async () => {
      const response = await post(headers, body, query);
      const said = await response.json();
      assert.deepEqual({ status: response.status, code: said.code }, { status, code });
      assert.match(said.message, message);
      assert.equal((await health()).liveTensors, 0);
    });
  }

  test('too much that does not say so: 413', async () => {
    const body = new ReadableStream({
      start(controller) {
        for (let chunk = 0; chunk < 5; chunk++) controller.enqueue(new Uint8Array(2 ** 16));
        controller.close();
      },
    });
    const response = await fetch(`${service.url}/normalize`, {
      method: 'POST',
      headers: binary,
      body,
      duplex: 'half',
    });
    assert.equal(response.status, 413);
  });

  test('elsewhere: 404', async () => {
    assert.equal((await fetch(`${service.url}/nothing`)).status, 404);
    assert.deepEqual(service.said.length, 1, service.said.join('\n')); // nothing was a fault of the service
  });
});

/** Waits until so many requests have a place, and so many wait. */
async function until(service, active, waiting) {
  for (;;) {
    const health = await (await fetch(`${service.url}/health`)).json();
    if (health.active === active && health.waiting === waiting) return;
    await wait(5);
  }
}

const TIMEOUT = { timeout: 60_000 };

test('requests over the limits wait, others are turned away, SIGTERM lets all end', TIMEOUT, async () => {
  const service = await startService({ MAX_ACTIVE: '1', MAX_WAITING: '2' });
  try {
    const first = open(service.url, 8);
    await until(service, 1, 0);
    const second = open(service.url, 8);
    await until(service, 1, 1);
    const leaving = open(service.url, 8);
    await until(service, 1, 2);
    const response = await fetch(`${service.url}/normalize`, { method: 'POST', headers: binary });
    assert.equal(response.status, 503);
    assert.equal(response.headers.get('Retry-After'), '1');
    assert.equal((await response.json()).code, 'ERR_OVERLOADED');

    leaving.abort();
    await assert.rejects(leaving.answered);
    await until(service, 1, 1);

    service.stop('SIGTERM');
    while (!service.said.some((line) => line.startsWith('SIGTERM'))) await wait(5);
    await assert.rejects(fetch(`${service.url}/health`)); // takes no more connections
    second.finish();
    first.finish();
    assert.deepEqual(await Promise.all([first.answered, second.answered]), [200, 200]);
    assert.equal(await service.ended, 0);
    assert.deepEqual(service.said.slice(1), ['SIGTERM: 2 requests left', 'ended']);
  } finally {
    service.stop();
  }
});

test('requests that do not end are ended after the time of grace', TIMEOUT, async () => {
  const service = await startService({ GRACE: '100' });
  try {
    const { answered } = open(service.url, 8);
    const failed = assert.rejects(answered);
    await until(service, 1, 0);
    service.stop('SIGTERM');
    await failed;
    assert.equal(await service.ended, 1);
  } finally {
    service.stop();
  }
});
