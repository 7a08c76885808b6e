// Makes dist/: the bundles of js/src with the glue and the wasm inside, their types, and the wasm as a file.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { at } from './lib/paths.mjs';
import { main, run, StepError, step } from './lib/run.mjs';
import { statuses } from './lib/statuses.mjs';
import { encodeText } from './lib/wasm_text.mjs';
import { built } from './patch_glue.mjs';

/** What no bundle may contain, since each breaks one of the places that a bundle is used in. */
const NODE = { find: /["'`]node:/, what: 'a module of Node (browsers have none)' };
const META = { find: /\bimport\.meta\b/, what: 'import.meta (CommonJS and classic workers have none)' };
const IMPORT = { find: /(?<![\w$.])import\s*\(/, what: 'a dynamic import (service workers forbid it)' };

/** How a bundle gets the files for threads. Where there are none, by nothing that a bundler of users would follow. */
const NO_THREADS = "export default async () => { throw new Error('this runtime has none'); };";
const THREADS = `
  // Bundlers follow the file for browsers. That for Node they have to leave alone: so its name is put together.
  const forNode = () => ['.', 'layernorm-mt.cjs'].join('/');
  export default (inNode) =>
    inNode ? import(forNode()).then((file) => file.default) : import('./layernorm-mt.mjs');
`;
/** What else tells them so, in comments, which esbuild would drop. */
const LEFT_ALONE = {
  find: /(?<![\w$.])import\((?=[\w$]+\(\)\))/,
  replace: 'import(/*webpackIgnore:true*//*@vite-ignore*/',
};

const KERNELS = [NODE, META, IMPORT];

/** Entries that share others with whoever imports those, see {@link entriesStayOutside}. */
const BUILT_ON_OTHERS = ['tfjs', 'keras', 'io', 'transformers', 'duckdb'];

/** Node shows the whole line that threw above an error nobody caught: shorter lines cost a few hundred bytes. */
const MAX_LINE = 120;
/** They break strings, too: Vite would miss the files that are named there. */
const WHOLE_LINES = 0;

/**
 * The bundles of the package. `bytes` says which wasm is inside; the edge runtimes compile it ahead of time, from
 * the import of the file, and forbid compiling bytes.
 */
const BUNDLES = [
  {
    entry: 'index.ts',
    file: 'index.js',
    format: 'esm',
    bytes: built.wasm,
    threads: THREADS,
    forbidden: [NODE, META],
  },
  // Only for `node` esbuild lists the exports in a form that Node's CommonJS lexer finds; the code is the same.
  {
    entry: 'index.ts',
    file: 'index.cjs',
    format: 'cjs',
    bytes: built.wasm,
    platform: 'node',
    threads: THREADS,
    forbidden: [NODE, META],
  },
  {
    entry: 'workerd.ts',
    file: 'workerd.js',
    format: 'esm',
    threads: NO_THREADS,
    forbidden: [NODE, META, IMPORT],
  },
  {
    entry: 'edge_light.ts',
    file: 'edge-light.js',
    format: 'esm',
    threads: NO_THREADS,
    forbidden: [NODE, META, IMPORT],
  },
  { entry: 'kernels.ts', file: 'kernels.js', format: 'esm', bytes: built.kernels, forbidden: KERNELS },
  {
    entry: 'kernels.ts',
    file: 'kernels.cjs',
    format: 'cjs',
    bytes: built.kernels,
    platform: 'node',
    forbidden: KERNELS,
  },
  { entry: 'kernels.ts', file: 'kernels-edge.js', format: 'esm', forbidden: KERNELS },
  ...BUILT_ON_OTHERS.flatMap((entry) => [
    { entry: `${entry}.ts`, file: `${entry}.js`, format: 'esm', beside: '.js', forbidden: KERNELS },
    {
      entry: `${entry}.ts`,
      file: `${entry}.cjs`,
      format: 'cjs',
      beside: '.cjs',
      platform: 'node',
      forbidden: [META, IMPORT],
    },
  ]),
  // The program `layernorm`.
  { entry: 'cli.ts', file: 'cli.js', format: 'esm', platform: 'node', beside: '.js', forbidden: [] },
  // Loaded when threads are asked for, and, but for the first, run by every worker.
  {
    entry: 'runtime/pool_web.ts',
    file: 'layernorm-mt.mjs',
    format: 'esm',
    lineLimit: WHOLE_LINES,
    forbidden: [NODE, IMPORT],
  },
  {
    entry: 'runtime/pool_worker.ts',
    file: 'layernorm-mt-worker.mjs',
    format: 'esm',
    glue: built.threads.web,
    lineLimit: WHOLE_LINES,
    forbidden: [NODE, IMPORT],
  },
  {
    entry: 'runtime/pool_node.ts',
    file: 'layernorm-mt.cjs',
    format: 'cjs',
    platform: 'node',
    glue: built.threads.node,
    lineLimit: WHOLE_LINES,
    forbidden: [META, IMPORT],
  },
];

/** The variable of a bundle that holds the wasm: a line of its own, ahead of the code. */
const BYTES = 'layernormBytes';

/** What users import by name, each with declarations of its own. */
const ENTRIES = ['index', 'kernels', ...BUILT_ON_OTHERS];

/** Everything that dist/ is made of, for those who ask whether it changed. */
export const inputs = [
  ...['js/src', 'js/tsconfig.json', 'package.json', 'package-lock.json'].map((path) => at(path)),
  ...['bundle.mjs', 'patch_glue.mjs', 'lib/statuses.mjs'].map((name) => at('scripts', name)),
  at('src', 'core', 'status.h'),
  ...[built.glue, built.wasm, built.kernels],
  ...Object.values(built.threads),
];

export const outputs = [
  ...BUNDLES.flatMap(({ file }) => [file, `${file}.map`]),
  ...ENTRIES.flatMap((entry) => [`${entry}.d.ts`, `${entry}.d.cts`]),
  ...['layernorm.wasm', 'layernorm-mt.wasm', 'layernorm-kernels.wasm'],
].map((file) => at('dist', file));

export async function bundle() {
  rmSync(at('dist'), { recursive: true, force: true });
  mkdirSync(at('dist'));
  await step('dist: bundling', async () => {
    for (const bundle of BUNDLES) await bundleOne(bundle);
    // The bytes only: their mode is executable.
    writeFileSync(at('dist', 'layernorm.wasm'), readFileSync(built.wasm));
    writeFileSync(at('dist', 'layernorm-mt.wasm'), readFileSync(built.threads.wasm));
    writeFileSync(at('dist', 'layernorm-kernels.wasm'), readFileSync(built.kernels));
  });
  await declareTypes();
}

async function bundleOne(bundle) {
  const {
    entry,
    file,
    format,
    bytes,
    platform = 'neutral',
    threads,
    forbidden,
    lineLimit = MAX_LINE,
  } = bundle;
  const esbuild = await import('esbuild');
  const outfile = at('dist', file);
  await esbuild.build({
    entryPoints: [at('js', 'src', entry)],
    outfile,
    format,
    platform,
    target: 'es2022',
    bundle: true,
    minify: true,
    lineLimit,
    banner: bytes ? { js: bytesOfWasm(format, bytes) } : {},
    sourcemap: true,
    sourcesContent: true,
    charset: 'utf8',
    legalComments: 'none',
    logLevel: 'warning',
    absWorkingDir: at(),
    plugins: [
      virtualModules(bundle),
      filesStayOutside,
      ...(bundle.beside ? [entriesStayOutside(bundle.beside)] : []),
    ],
  });

  const code = readFileSync(outfile, 'utf8').replace(LEFT_ALONE.find, LEFT_ALONE.replace);
  if (threads === THREADS && !code.includes(LEFT_ALONE.replace)) {
    throw new StepError(`dist/${file} lacks the import that bundlers leave alone`);
  }
  writeFileSync(outfile, code);
  const broken = forbidden.find(({ find }) => find.test(code));
  if (broken) throw new StepError(`dist/${file} contains ${broken.what}`);
  if (format === 'esm') await assertNoTopLevelAwait(esbuild, code, file);
}

/** Ahead of the code, so that neither the limit of lines nor the source map carries it. */
function bytesOfWasm(format, wasm) {
  const strict = format === 'cjs' ? '"use strict";' : ''; // has to stay in front
  return `${strict}var ${BYTES}="${encodeText(readFileSync(wasm))}";`;
}

/** The modules that js/src imports but only the build can make; js/src/runtime/virtual_modules.d.ts declares them. */
function virtualModules({ bytes, threads, glue = built.glue }) {
  const make = {
    '#core-glue': () => readFileSync(glue, 'utf8'),
    '#threads': () => threads,
    '#core-bytes': () => (bytes ? `export default ${BYTES};` : exportDefault('')),
    '#kernels-bytes': () => (bytes ? `export default ${BYTES};` : exportDefault('')),
    '#statuses': () => exportDefault(statuses()),
    '#version': () => exportDefault(JSON.parse(readFileSync(at('package.json'), 'utf8')).version),
  };
  return {
    name: 'virtual-modules',
    setup(build) {
      build.onResolve({ filter: /^#/ }, ({ path }) =>
        // The glue of one thread only defines a function: bundlers of users may drop it when they use nothing that starts
        // it. That of threads also is what their workers run.
        path in make ? { path, namespace: 'built', sideEffects: glue !== built.glue } : undefined,
      );
      build.onLoad({ filter: /.*/, namespace: 'built' }, ({ path }) => ({
        contents: make[path](),
        loader: 'js',
      }));
    },
  };
}

const exportDefault = (value) => `export default ${JSON.stringify(value)};`;

/** These imports are for the runtime to resolve, beside the bundle. */
const filesStayOutside = {
  name: 'files-stay-outside',
  setup(build) {
    build.onResolve({ filter: /\.wasm(\?module)?$|\/layernorm-mt(-worker)?\.mjs$/ }, ({ path }) => ({
      path,
      external: true,
    }));
  },
};

/** An entry that builds on others shares them with whoever imports those: it takes them from beside it. */
const entriesStayOutside = (extension) => ({
  name: 'entries-stay-outside',
  setup(build) {
    build.onResolve({ filter: /^\.\.?\/(index|kernels|tfjs|io)\.js$/ }, ({ path, resolveDir }) => {
      // Folders have files of these names, too.
      if (dirname(join(resolveDir, path)) !== at('js', 'src')) return undefined;
      return { path: `./${basename(path, '.js')}${extension}`, external: true };
    });
  },
});

/** Entries whose declarations are whole, without a file beside them. */
const TYPES_INSIDE = ['index', 'kernels', 'tfjs'];

/** A class that is declared twice is two classes for TypeScript: declarations, too, take those of other entries from beside them. */
const typesStayOutside = {
  name: 'types-stay-outside',
  resolveId(path) {
    const [, entry] = /^\.\.?\/(index|tfjs|io)\.js$/.exec(path) ?? [];
    return entry ? { id: `./${entry}.js`, external: 'relative' } : null;
  },
};

/** A script of the old kind cannot hold one, so esbuild refuses to turn such a module into one. */
async function assertNoTopLevelAwait(esbuild, code, file) {
  await esbuild.transform(code, { format: 'iife', target: 'es2022', logLevel: 'silent' }).catch((error) => {
    throw new StepError(
      `dist/${file} does not work as a classic script (a top-level await?): ${error.message}`,
    );
  });
}

/** One declaration file of what each entry exports, the same for both kinds of module. */
async function declareTypes() {
  const declarations = at('build', 'types');
  rmSync(declarations, { recursive: true, force: true });
  const emit = ['--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--outDir', declarations];
  await run('dist: declaring types', ['tsc', '-p', 'js', ...emit]);

  await step('dist: bundling types', async () => {
    const [{ rollup }, { dts }] = await Promise.all([import('rollup'), import('rollup-plugin-dts')]);
    for (const entry of ENTRIES) {
      const bundled = await rollup({
        input: `${declarations}/${entry}.d.ts`,
        plugins: [...(TYPES_INSIDE.includes(entry) ? [] : [typesStayOutside]), dts()],
        external: /^@tensorflow\//,
      });
      const { output } = await bundled.generate({ format: 'es' });
      await bundled.close();
      const { code } = output[0];
      writeFileSync(at('dist', `${entry}.d.ts`), code);
      writeFileSync(at('dist', `${entry}.d.cts`), code.replace(/(from '\.\/\w+)\.js'/g, "$1.cjs'"));
    }
  });
}

await main(import.meta, bundle);
