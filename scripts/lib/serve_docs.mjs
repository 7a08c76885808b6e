// Serves build/docs beside the demo page while that is developed, under docs/.

import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { at } from './paths.mjs';
import { run, StepError } from './run.mjs';

const TYPES = {
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
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
        const { pathname } = new URL(request.url, 'http://localhost');
        if (!request.originalUrl.startsWith('/docs/')) {
          response.writeHead(302, { Location: '/docs/' }).end();
          return;
        }
        const path = normalize(
          decodeURIComponent(pathname.endsWith('/') ? `${pathname}index.html` : pathname),
        );
        try {
          if (path === '/index.html') await upToDate();
        } catch (error) {
          if (!(error instanceof StepError)) throw error;
          console.error(error.message);
          response.writeHead(500, { 'Content-Type': 'text/plain; charset=utf-8' }).end(error.message);
          return;
        }
        const body = await readFile(join(at('build', 'docs'), path)).catch(() => undefined);
        const type = TYPES[extname(path)] ?? 'application/octet-stream';
        if (body) response.writeHead(200, { 'Content-Type': type }).end(body);
        else response.writeHead(404, { 'Content-Type': 'text/plain' }).end('not found');
      });
    },
  };
}
