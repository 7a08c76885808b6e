// What of the package reaches a bundle that uses next to nothing of it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import * as esbuild from 'esbuild';
import { build as viteBuild } from 'vite';
import webpack from 'webpack';
import { install } from './support/installed.mjs';

/** How the wasm begins, in the digits that the package carries it in. */
const WASM = '0061736d01000000';
/** Bytes: the class, and some constants whose making a bundler cannot prove to be idle. Anything with the core has 100 KB. */
const MAX_BYTES = 4096;

const ENTRY = 'only_error.js';

/** @type {Record<string, (app: string) => Promise<string>>} each gives the code of its bundle */
const BUNDLERS = {
  async esbuild(app) {
    const { outputFiles } = await esbuild.build({
      absWorkingDir: app,
      entryPoints: [ENTRY],
      bundle: true,
      minify: true,
      format: 'esm',
      write: false,
    });
    return outputFiles[0].text;
  },

  async webpack(app) {
    const path = join(app, 'webpack');
    await new Promise((resolve, reject) => {
      webpack({ mode: 'production', context: app, entry: `./${ENTRY}`, output: { path } }, (error, stats) =>
        error || stats.hasErrors() ? reject(error ?? new Error(String(stats))) : resolve(),
      );
    });
    return readFileSync(join(path, 'main.js'), 'utf8');
  },

  async vite(app) {
    const { output } = await viteBuild({
      root: app,
      configFile: false,
      logLevel: 'silent',
      build: { write: false, rollupOptions: { input: join(app, ENTRY) } },
    });
    return output[0].code;
  },
};

let app;
before(() => {
  app = install('web');
});

describe('an import of LayerNormError alone brings the class, and no WebAssembly', () => {
  for (const [name, bundle] of Object.entries(BUNDLERS)) {
    test(name, async () => {
      const code = await bundle(app);
      console.log(`${name}: ${Buffer.byteLength(code)} bytes`);
      assert.match(code, /LayerNormError/);
      assert.ok(!code.includes(WASM), 'the bundle carries the wasm');
      assert.ok(Buffer.byteLength(code) < MAX_BYTES);
    });
  }
});
