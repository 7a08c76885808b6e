// Serves a folder of files, with a Content-Security-Policy, and remembers what was asked for.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const TYPES = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

/**
 * @param {string} folder
 * @param {string} policy sent with every file
 * @param {Record<string, string>} headers sent with every file as well
 * @returns {Promise<{ url: string, requests: string[], posted: Promise<unknown>, close: () => Promise<void> }>} `requests` are
 *   paths, those that were not found included; `posted` is what the first page sends that sends anything
 */
export async function serve(folder, policy, headers = {}) {
  const requests = [];
  let receive;
  const posted = new Promise((resolve) => {
    receive = resolve;
  });
  const server = createServer(async (request, response) => {
    if (request.method === 'POST') {
      let body = '';
      for await (const part of request) body += part;
      receive(JSON.parse(body));
      return response.writeHead(204).end();
    }
    const path = normalize(new URL(request.url, 'http://localhost').pathname);
    if (path === '/favicon.ico') return response.writeHead(204).end(); // browsers ask for it unasked
    requests.push(path);
    const file = join(folder, path.endsWith('/') ? `${path}index.html` : path);
    const body = await readFile(file).catch(() => undefined);
    response.writeHead(body ? 200 : 404, {
      'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream',
      'Content-Security-Policy': policy,
      'Cache-Control': 'no-store',
      ...headers,
    });
    response.end(body ?? '');
  });
  await new Promise((resolve) => server.listen(0, 'localhost', resolve));
  const close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://localhost:${server.address().port}/`, requests, posted, close };
}
