// Builds the app of consumers/web by each bundler as its users do it: without any configuration for the package. All of them
// are the repository's own; the package is the one that is installed in the app.

import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as esbuild from 'esbuild';
import { build as viteBuild } from 'vite';
import webpack from 'webpack';

/** @typedef {(app: string, outputFolder: string) => Promise<string[]>} Bundle gives the warnings */

/** @type {Record<string, Bundle>} */
export const BUNDLERS = {
  async vite(app, outDir) {
    const warnings = [];
    const warn = (message) => warnings.push(message);
    await viteBuild({
      root: app,
      configFile: false,
      customLogger: {
        info() {},
        clearScreen() {},
        warn,
        warnOnce: warn,
        error: warn,
        hasErrorLogged: () => false,
        hasWarned: false,
      },
      build: { outDir, emptyOutDir: true },
    });
    return warnings;
  },

  async webpack(app, path) {
    const stats = await new Promise((resolve, reject) => {
      const compiler = webpack({ mode: 'production', context: app, entry: './main.js', output: { path } });
      compiler.run((error, result) =>
        compiler.close((closing) => ((error ?? closing) ? reject(error ?? closing) : resolve(result))),
      );
    });
    const { errors, warnings } = stats.toJson({ all: false, errors: true, warnings: true });
    if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join('\n'));
    copyFileSync(join(app, 'index.html'), join(path, 'index.html'));
    return warnings.map(({ message }) => message);
  },

  async esbuild(app, outdir) {
    const { warnings } = await esbuild.build({
      absWorkingDir: app,
      entryPoints: ['main.js', 'worker.js'],
      outdir,
      bundle: true,
      minify: true,
      format: 'esm',
      logLevel: 'silent',
    });
    copyFileSync(join(app, 'index.html'), join(outdir, 'index.html'));
    return warnings.map(({ text }) => text);
  },

  /** No bundler: the files as they are, the package by its address, which stands where its name stood. */
  async 'no bundler'(app, folder) {
    mkdirSync(folder, { recursive: true });
    const dist = join(app, 'node_modules', 'layernorm', 'dist');
    copyFileSync(join(dist, 'index.js'), join(folder, 'layernorm.js'));
    for (const name of ['layernorm-mt.mjs', 'layernorm-mt-worker.mjs', 'layernorm-mt.wasm'])
      copyFileSync(join(dist, name), join(folder, name));
    const isThere = (name) => existsSync(join(app, name));
    for (const name of ['main.js', 'worker.js', 'share.js', 'post.js'].filter(isThere)) {
      const code = readFileSync(join(app, name), 'utf8').replace("from 'layernorm'", "from './layernorm.js'");
      writeFileSync(join(folder, name), code);
    }
    for (const name of ['compute.js', 'index.html', 'posting.html'].filter(isThere)) {
      copyFileSync(join(app, name), join(folder, name));
    }
    return [];
  },
};
