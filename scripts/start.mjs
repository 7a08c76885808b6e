// npm start: builds the package and serves the demo page, and beside it the documentation. `npm start -- --port 8080`;
// `--host 0.0.0.0` lets other machines in.

import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { at } from './lib/paths.mjs';
import { main } from './lib/run.mjs';
import { serveDocs } from './lib/serve_docs.mjs';

await main(import.meta, async () => {
  const { values } = parseArgs({
    options: { port: { type: 'string' }, host: { type: 'string', default: 'localhost' } },
  });
  await build();

  const { createServer } = await import('vite');
  const server = await createServer({
    root: at('web-demo'),
    configFile: at('web-demo', 'vite.config.ts'),
    plugins: [serveDocs()],
    server: { host: values.host, ...(values.port ? { port: Number(values.port), strictPort: true } : {}) },
  });
  await server.listen();
  const { local, network } = server.resolvedUrls;
  console.log(`\nThe demo page is at ${[...local, ...network].join(' and ')} (Ctrl-C ends it)`);
  console.log(`The documentation is at ${local[0]}docs/`);
});
