// Measures the layers for TensorFlow.js beside its own: node bench/tfjs/run.mjs --help.

import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { folders } from '../lib/folders.mjs';
import { reasonOf } from '../lib/measure.mjs';
import { report } from './report.mjs';
import { labelOf, measureRow, PRECISION, QUICK_PRECISION, ROWS } from './rows.mjs';

const HELP = `node bench/tfjs/run.mjs [options]      (after npm run build)

  --quick             fewer rounds and smaller shapes
  --in <where>        node, chromium, or both of them: node,chromium
  --backend <names>   wasm, cpu; wasm without it
  --cases <pattern>   only rows that this regular expression matches, such as 'fit' or 'batchNorm'
  --json <file>       writes everything that was measured
  --help              shows this`;

const require = createRequire(import.meta.url);
const wasmFolder = dirname(require.resolve('@tensorflow/tfjs-backend-wasm'));

/** @callback Measure @param {string} backend @param {object} row @param {object} precision */

async function inNode() {
  require('@tensorflow/tfjs-backend-cpu');
  const wasm = require('@tensorflow/tfjs-backend-wasm');
  const tf = { ...require('@tensorflow/tfjs-core'), ...require('@tensorflow/tfjs-layers') };
  const api = await import('layernorm/tfjs');
  wasm.setWasmPaths(join(wasmFolder, '/'));
  wasm.setThreadsCount(1);
  return {
    where: `Node ${process.versions.node}`,
    version: tf.version_core,
    async measure(backend, row, precision) {
      await tf.setBackend(backend);
      return measureRow(tf, api, row, precision);
    },
    close() {},
  };
}

async function inChromium() {
  const [{ chromium }, { build }, { ensureChromium }] = await Promise.all([
    import('playwright-core'),
    import('esbuild'),
    import('../../scripts/lib/chromium.mjs'),
  ]);
  const { outputFiles } = await build({
    entryPoints: [join(folders.bench, 'tfjs', 'page.mjs')],
    bundle: true,
    format: 'esm',
    write: false,
    target: 'es2022',
    logLevel: 'error',
  });
  const server = createServer(async ({ url }, response) => {
    const send = (type, body) => response.writeHead(200, { 'Content-Type': type }).end(body);
    if (url === '/')
      return send('text/html', '<!doctype html><script type="module" src="/page.js"></script>');
    if (url === '/page.js') return send('text/javascript', outputFiles[0].contents);
    if (/^\/[\w-]+\.wasm$/.test(url)) return send('application/wasm', await readFile(join(wasmFolder, url)));
    response.writeHead(404).end();
  });
  await new Promise((resolve) => server.listen(0, 'localhost', resolve));
  const browser = await chromium.launch({ executablePath: await ensureChromium(), args: ['--no-sandbox'] });
  const page = await browser.newPage();
  await page.goto(`http://localhost:${server.address().port}/`);
  await page.waitForFunction(() => globalThis.versions);
  return {
    where: `Chromium ${browser.version()}`,
    version: await page.evaluate(() => globalThis.versions.tf),
    // The clock of pages counts in steps of 0.1 ms.
    measure: (backend, row, precision) =>
      page.evaluate(
        (given) => globalThis.measureIn(...given),
        [backend, row, { ...precision, sampleMs: 20 }],
      ),
    async close() {
      await browser.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const PLACES = { node: inNode, chromium: inChromium };
const BACKENDS = ['wasm', 'cpu'];

class UsageError extends Error {}

function namesOf(option, text, known) {
  const names = text.split(',');
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return names;
  throw new UsageError(`--${option}: there is no ${unknown}, expected some of ${known.join(', ')}`);
}

async function main() {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      in: { type: 'string', default: 'node' },
      backend: { type: 'string', default: 'wasm' },
      cases: { type: 'string', default: '' },
      json: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return console.log(HELP);
  const places = namesOf('in', values.in, Object.keys(PLACES));
  const backends = namesOf('backend', values.backend, BACKENDS);
  const pattern = new RegExp(values.cases);
  const rows = ROWS.filter((row) => (row.quick || !values.quick) && pattern.test(labelOf(row)));
  if (rows.length === 0) throw new UsageError('--cases leaves no row');

  const results = [];
  for (const name of places) {
    const place = await PLACES[name]();
    try {
      for (const backend of backends) {
        const measured = [];
        for (const [i, row] of rows.entries()) {
          const label = labelOf(row);
          if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${i + 1} of ${rows.length}, ${label}`);
          const failed = (error) => ({ label, failure: reasonOf(error) });
          measured.push(
            await place.measure(backend, row, values.quick ? QUICK_PRECISION : PRECISION).catch(failed),
          );
        }
        if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
        results.push({ where: place.where, version: place.version, backend, rows: measured });
      }
    } finally {
      await place.close();
    }
  }
  console.log(report(results));
  if (values.json) await writeFile(values.json, `${JSON.stringify(results, null, 1)}\n`);
  if (results.some((result) => result.rows.some(({ failure }) => failure))) process.exitCode = 1;
}

main().catch((error) => {
  const expected =
    error instanceof UsageError || error.code?.startsWith('ERR_PARSE') || error instanceof SyntaxError;
  console.error(expected ? error.message : error);
  process.exitCode = 1;
});
