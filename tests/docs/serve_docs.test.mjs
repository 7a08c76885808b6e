// That `npm start` serves the documentation beside the page, and nothing else of the repository.

import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import { after, before, test } from 'node:test';
import { serveDocs } from '../../scripts/lib/serve_docs.mjs';

let server;
before(async () => {
  /** As Vite calls what is used below a path: without it in `url`. */
  const use = (path, handle) => {
    server = createServer((request, response) => {
      request.originalUrl = request.url;
      request.url = request.url.slice(path.length) || '/';
      handle(request, response);
    });
  };
  serveDocs().configureServer({ middlewares: { use } });
  await new Promise((resolve) => server.listen(0, 'localhost', resolve));
});
after(() => server.close());

/** Not fetch, which takes `..` out of an address. */
const get = (path) =>
  new Promise((resolve, reject) => {
    const { port } = server.address();
    request({ host: 'localhost', port, path }, async (response) => {
      const { statusCode, headers } = response;
      let body = '';
      for await (const part of response.setEncoding('utf8')) body += part;
      resolve({ status: statusCode, type: headers['content-type'], location: headers.location, body });
    })
      .on('error', reject)
      .end();
  });

test('pages and what they load', async () => {
  const page = await get('/docs/');
  assert.deepEqual([page.status, page.type], [200, 'text/html; charset=utf-8']);
  assert.match(page.body, /<title>layernorm/);
  const script = await get('/docs/assets/main.js');
  assert.deepEqual([script.status, script.type], [200, 'text/javascript; charset=utf-8']);
});

test('the folder is where its pages are relative to', async () => {
  const { status, location } = await get('/docs');
  assert.deepEqual([status, location], [302, '/docs/']);
});

for (const path of [
  '/docs/none.html',
  '/docs/../../package.json',
  '/docs/..%2f..%2fpackage.json',
  '/docs/%E0%A4%A',
]) {
  test(`${path} is not found`, async () => assert.equal((await get(path)).status, 404));
}
