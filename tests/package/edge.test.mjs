// The installed package at the edge, where WebAssembly arrives compiled: in Cloudflare's runtime, which is run here, and
// bundled for Vercel's, which is not.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { before, test } from 'node:test';
import * as esbuild from 'esbuild';
import { at } from '../../scripts/lib/paths.mjs';
import { install, run } from './support/installed.mjs';

/** The path of the program, where there is one for this platform. */
const workerd = await import('workerd').then(
  ({ default: { default: path } }) => path,
  () => undefined,
);
const skip = workerd === undefined && 'npm has installed no workerd for this platform';

let app;
before(() => {
  app = install('edge');
  copyFileSync(at('tests', 'package', 'consumers', 'web', 'compute.js'), join(app, 'compute.js'));
});

/**
 * Bundles the worker as the tools of these platforms do: their conditions, and imports of .wasm left to the runtime.
 * @returns {Promise<{ folder: string, imports: string[] }>} `imports` are the full paths of the .wasm files with their queries
 */
async function bundle(name, conditions) {
  const folder = join(app, name);
  const imports = [];
  await esbuild.build({
    absWorkingDir: app,
    entryPoints: ['worker.js'],
    outdir: folder,
    bundle: true,
    format: 'esm',
    conditions,
    logLevel: 'silent',
    plugins: [
      {
        name: 'wasm',
        setup(build) {
          build.onResolve({ filter: /\.wasm(\?.*)?$/ }, ({ path, importer }) => {
            if (path.startsWith('.')) imports.push(join(dirname(importer), path));
            return { path, external: true };
          });
        },
      },
    ],
  });
  return { folder, imports };
}

/** Runs workerd until `use` is done with the address it listens at. */
async function withWorkerd(config, use) {
  const child = spawn(workerd, ['serve', config, '--control-fd=3'], {
    cwd: app,
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  try {
    const port = await new Promise((resolve, reject) => {
      child.once('error', reject);
      ended.then((code) => reject(new Error(`workerd ended with ${code}`)));
      createInterface(child.stdio[3]).on('line', (line) => {
        const { event, port } = JSON.parse(line);
        if (event.startsWith('listen')) resolve(port);
      });
    });
    await use(`http://127.0.0.1:${port}/`);
  } finally {
    child.kill();
    await ended;
  }
}

test('Cloudflare Workers: workerd answers with the bits that Node computes', { skip }, async () => {
  const { folder, imports } = await bundle('bundle', ['workerd', 'worker', 'browser']);
  assert.deepEqual(imports, [join(app, 'node_modules', 'layernorm', 'dist', 'layernorm.wasm')]);
  copyFileSync(imports[0], join(folder, 'layernorm.wasm'));
  copyFileSync(at('tests', 'package', 'consumers', 'web', 'node.mjs'), join(app, 'node.mjs'));
  const expected = JSON.parse(run(process.execPath, ['node.mjs'], { cwd: app }).stdout);

  await withWorkerd('workerd.capnp', async (address) => {
    const response = await fetch(address);
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), {
      shared: expected,
      own: expected,
      mistake: 'true ERR_SHAPE layerNorm: x has 6 elements, expected 8, the product of its shape [2, 4]',
      kernels: true,
      threads: 1,
    });
  });
});

test('Vercel Edge: the bundle asks for a compiled module that is there, and carries no bytes (not run)', async () => {
  const { folder, imports } = await bundle('edge-light', ['edge-light', 'worker', 'browser']);
  assert.deepEqual(imports, [join(app, 'node_modules', 'layernorm', 'dist', 'layernorm.wasm?module')]);
  assert.ok(existsSync(imports[0].replace('?module', '')));
  const code = readFileSync(join(folder, 'worker.js'), 'utf8');
  assert.match(code, /import [\w$]+ from "\.\/layernorm\.wasm\?module"/);
  assert.ok(!code.includes('0061736d01000000'));
});
