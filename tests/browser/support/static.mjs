// A plain static server, as any host of files: it sends no headers but the type.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const TYPES = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

/**
 * Serves a folder below a path.
 * @param {string} folder
 * @param {string} path with slashes around it
 */
export async function serve(folder, path = '/') {
  const requests = [];
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    requests.push(pathname);
    const inside = pathname.startsWith(path) ? normalize(`/${pathname.slice(path.length)}`) : undefined;
    const file = inside && join(at.folder, inside.endsWith('/') ? `${inside}index.html` : inside);
    const body = file && (await readFile(file).catch(() => undefined));
    response.writeHead(body ? 200 : 404, {
      'Content-Type': (file && TYPES[extname(file)]) ?? 'application/octet-stream',
    });
    response.end(body ?? '');
  });
  await new Promise((resolve) => server.listen(0, 'localhost', resolve));
  const { port } = server.address();
  const at = {
    /** May be changed, as a host does that has a new version. */
    folder,
    url: `http://localhost:${port}${path}`,
    requests,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return at;
}
