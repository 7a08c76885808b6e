// Serves build/docs beside the demo page while that is developed, under docs/.

import { readFile } from 'node:fs/promises';
import { extname, normalize } from 'node:path';
import { at } from './paths.mjs';
import { run } from './run.mjs';

const TYPES = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
};

/**
 * A plugin of Vite. The first visit of a page builds what has changed, in a process of its own: TypeDoc would stop this one for
 * many seconds.
 * @returns {import('vite').Plugin}
 */
export function serveDocs() {
  let building;
  const upToDate = () => {
    building ??= run('docs: building, for the first visit', ['node', 'scripts/docs.mjs']).finally(() => {
      building = undefined;
    });
    return building;
  };

  return {
    name: 'serve-docs',
    configureServer({ middlewares }) {
      middlewares.use('/docs', async (request, response) => {
        const answer = (status, type, body) =>
          response.writeHead(status, { 'Content-Type': `${type}; charset=utf-8` }).end(body);
        if (!request.originalUrl.startsWith('/docs/')) {
          response.writeHead(302, { Location: '/docs/' }).end();
          return;
        }
        const path = fileOf(request.url);
        if (path === '/index.html') {
          const error = await upToDate().catch((caught) => caught);
          if (error) {
            console.error(error.message);
            answer(500, 'text/plain', error.message);
            return;
          }
        }
        const body = path && (await readFile(at('build', 'docs', path)).catch(() => undefined));
        if (body) answer(200, TYPES[extname(path)] ?? 'application/octet-stream', body);
        else answer(404, 'text/plain', 'not found');
      });
    },
  };
}

/** The path of a file below the folder; undefined for an address that is malformed. */
function fileOf(url) {
  try {
    const { pathname } = new URL(url, 'http://localhost');
    return normalize(decodeURIComponent(pathname.endsWith('/') ? `${pathname}index.html` : pathname));
  } catch {
    return undefined;
  }
}
