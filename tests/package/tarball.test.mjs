// What is in the tarball, and what the validators of packages say about it.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import ts from 'typescript';
import { encodeText } from '../../scripts/lib/wasm_text.mjs';
import { bin, install, manifest, pack, run } from './support/installed.mjs';

const FILES = [
  'LICENSE',
  'README.md',
  'dist/cli.js',
  'dist/cli.js.map',
  'dist/duckdb.cjs',
  'dist/duckdb.cjs.map',
  'dist/duckdb.d.cts',
  'dist/duckdb.d.ts',
  'dist/duckdb.js',
  'dist/duckdb.js.map',
  'dist/edge-light.js',
  'dist/edge-light.js.map',
  'dist/index.cjs',
  'dist/index.cjs.map',
  'dist/index.d.cts',
  'dist/index.d.ts',
  'dist/index.js',
  'dist/index.js.map',
  'dist/io.cjs',
  'dist/io.cjs.map',
  'dist/io.d.cts',
  'dist/io.d.ts',
  'dist/io.js',
  'dist/io.js.map',
  'dist/keras.cjs',
  'dist/keras.cjs.map',
  'dist/keras.d.cts',
  'dist/keras.d.ts',
  'dist/keras.js',
  'dist/keras.js.map',
  'dist/kernels-edge.js',
  'dist/kernels-edge.js.map',
  'dist/kernels.cjs',
  'dist/kernels.cjs.map',
  'dist/kernels.d.cts',
  'dist/kernels.d.ts',
  'dist/kernels.js',
  'dist/kernels.js.map',
  'dist/layernorm-kernels.wasm',
  'dist/layernorm-mt-worker.mjs',
  'dist/layernorm-mt-worker.mjs.map',
  'dist/layernorm-mt.cjs',
  'dist/layernorm-mt.cjs.map',
  'dist/layernorm-mt.mjs',
  'dist/layernorm-mt.mjs.map',
  'dist/layernorm-mt.wasm',
  'dist/layernorm.wasm',
  'dist/tfjs.cjs',
  'dist/tfjs.cjs.map',
  'dist/tfjs.d.cts',
  'dist/tfjs.d.ts',
  'dist/tfjs.js',
  'dist/tfjs.js.map',
  'dist/transformers.cjs',
  'dist/transformers.cjs.map',
  'dist/transformers.d.cts',
  'dist/transformers.d.ts',
  'dist/transformers.js',
  'dist/transformers.js.map',
  'dist/workerd.js',
  'dist/workerd.js.map',
  'package.json',
];
const SCRIPTS = FILES.filter((path) => /\.[cm]?js$/.test(path));
/** The one file that is run, and is for Node only. */
const PROGRAM = 'dist/cli.js';
/** What is loaded when threads are asked for. */
const THREADS = SCRIPTS.filter((path) => path.includes('layernorm-mt'));

/** A source of every file that is not of the main entry, by a part of the file's name. */
const OWN = [
  ['-mt.', 'runtime/pool.ts'],
  ['cli', 'cli/program.ts'],
  ['duckdb', 'duckdb/functions.ts'],
  ['/io.', 'io/npy.ts'],
  ['keras', 'keras/load.ts'],
  ['kernels', 'kernels/kernels.ts'],
  ['tfjs', 'tfjs/install.ts'],
  ['transformers', 'transformers/layer_norm.ts'],
];

/** Bytes of the tarball. Far above what it has: a picture or a second copy of the maps would show. */
const MAX_TARBALL = 2_400_000;

let app;
before(() => {
  app = install('node');
});

const installed = (path) => join(app, 'node_modules', 'layernorm', path);
const text = (path) => readFileSync(installed(path), 'utf8');

describe('contents', () => {
  test('the files that are meant to be there, and no others', () => {
    const { files, size } = pack();
    console.log(`tarball: ${size} bytes`);
    assert.deepEqual(files.map(({ path }) => path).sort(), [...FILES].sort());
    for (const { path, mode, size: bytes } of files) {
      assert.equal((mode & 0o111) !== 0, path === PROGRAM, `${path} has the mode ${mode.toString(8)}`);
      assert.ok(bytes > 0, `${path} is empty`);
    }
    assert.ok(size < MAX_TARBALL, `the tarball has ${size} bytes`);
  });

  test('no dependencies, and nothing that runs at installation', () => {
    const { dependencies, optionalDependencies, bundledDependencies, scripts, ...rest } = manifest(app);
    assert.deepEqual(
      { dependencies, optionalDependencies, bundledDependencies },
      { dependencies: undefined, optionalDependencies: undefined, bundledDependencies: undefined },
    );
    // Whom some entries work with. They are handed in, and nobody has to have them.
    const peers = Object.keys(rest.peerDependencies);
    assert.deepEqual(peers, ['@duckdb/node-api', '@tensorflow/tfjs-core', '@tensorflow/tfjs-layers']);
    for (const peer of peers) assert.deepEqual(rest.peerDependenciesMeta[peer], { optional: true });
    for (const scope of ['@duckdb', '@tensorflow']) assert.ok(!existsSync(join(app, 'node_modules', scope)));
    for (const name of ['preinstall', 'install', 'postinstall', 'prepare'])
      assert.ok(!(name in scripts), name);
  });

  test('everything that package.json names exists', () => {
    const { main, module, types, exports } = manifest(app);
    const targets = (entry) => (typeof entry === 'string' ? [entry] : Object.values(entry).flatMap(targets));
    for (const target of [main, module, types, ...targets(exports)]) {
      assert.ok(existsSync(installed(target)), target);
    }
  });

  for (const path of SCRIPTS) {
    test(`${path}: its source map is there and carries the sources, of the repository only`, () => {
      const [, name] = text(path).match(/\n\/\/# sourceMappingURL=(.+)\n$/);
      const { sources, sourcesContent } = JSON.parse(text(join('dist', name)));
      assert.equal(sources.length, sourcesContent.length);
      sources.forEach((source, i) => {
        assert.match(source, /^(\.\.\/js\/src\/[\w/]+\.ts|built:#[\w-]+)$/);
        assert.equal(typeof sourcesContent[i], 'string', source);
      });
      if (path === 'dist/layernorm-mt-worker.mjs') return assert.deepEqual(sources, ['built:#core-glue']);
      const [, own] = OWN.find(([name]) => path.includes(name)) ?? ['', 'ops/layer_norm.ts'];
      assert.ok(sources.includes(`../js/src/${own}`));
      assert.ok(!sourcesContent.join('').includes('0061736d'), 'the map carries the wasm');
    });
  }
});

describe('code', () => {
  /** What breaks somewhere: under a policy, in a bundler, in a service worker, in Deno. */
  const FORBIDDEN = {
    'code from strings': /\bnew Function\b|(?<![\w$.])eval\s*\(|\bFunction\s*\(/,
    'a dynamic import': /(?<![\w$.])import\s*\(/,
    'an address of its own': /\bimport\.meta\b|\bnew URL\b|\bdocument\b|\bcurrentScript\b|__dirname/,
    'a request': /\bfetch\b|\bXMLHttpRequest\b|\bimportScripts\b/,
    'a module of Node': /\brequire\s*\(|["'`]node:|\bprocess\b/,
    'a line on the console': /\bconsole\b/,
    'a promise at the top level': /(?<![\w$.])await\s+import\b/,
  };

  /** Two imports, of which the first is for Node and unknown to bundlers; nothing else asks for what is outside. */
  const LOADERS =
    /import\(\/\*webpackIgnore:true\*\/\/\*@vite-ignore\*\/[\w$]+\(\)\)|import\("\.\/layernorm-mt\.mjs"\)/g;
  /** How that is decided. */
  const NODE_OR_NOT = /\{\s*process:\s*\w+\s*\}\s*=\s*globalThis|process\.type/g;

  /** Entries that build on others, which lie beside them. */
  const BESIDE = /\brequire\("\.\/(index|kernels|tfjs)\.cjs"\)/g;

  /** Where the warnings of layers go when nobody else takes them. */
  const WARNING = /globalThis\.console\?\.warn\(/g;

  test('index.js and index.cjs import the files for threads, when they are asked for', () => {
    for (const path of ['dist/index.js', 'dist/index.cjs'])
      assert.equal(text(path).match(LOADERS)?.length, 2);
  });

  for (const path of SCRIPTS.filter((one) => !THREADS.includes(one))) {
    test(`${path} has nothing that breaks somewhere`, () => {
      const rest = text(path)
        .replace(LOADERS, '')
        .replace(NODE_OR_NOT, '')
        .replace(WARNING, '')
        .replace(BESIDE, '');
      for (const [what, pattern] of Object.entries(FORBIDDEN)) {
        if (path === PROGRAM && pattern === FORBIDDEN['a module of Node']) continue;
        const found = rest.match(pattern);
        assert.equal(found, null, `${what}: ...${rest.slice(found?.index - 40, found?.index + 40)}...`);
      }
    });
  }

  test('the language and WebAssembly are all that index.js asks for', () => {
    const path = installed('dist/index.js');
    const program = ts.createProgram([path], {
      allowJs: true,
      checkJs: true,
      noEmit: true,
      target: ts.ScriptTarget.ES2022,
      lib: ['lib.es2022.d.ts'],
      types: [],
    });
    const missing = ts
      .getPreEmitDiagnostics(program)
      .map(({ messageText }) =>
        ts.flattenDiagnosticMessageText(messageText, ' ').match(/^Cannot find name '(\w+)'/),
      )
      .flatMap((match) => (match ? [match[1]] : []));
    assert.deepEqual([...new Set(missing)], ['WebAssembly']);
  });

  for (const [wasm, entry] of [
    ['layernorm.wasm', 'index'],
    ['layernorm-kernels.wasm', 'kernels'],
  ]) {
    test(`${wasm} is inside the entries that need it, and only there`, () => {
      const module = encodeText(readFileSync(installed(`dist/${wasm}`)));
      const holders = SCRIPTS.filter((path) => text(path).includes(module));
      assert.deepEqual(holders, [`dist/${entry}.cjs`, `dist/${entry}.js`]);
      assert.deepEqual(
        SCRIPTS.filter((path) => text(path).includes(module.slice(0, 64))),
        holders,
      );
    });
  }
});

describe('validators', () => {
  test('publint has nothing to remark, not even a suggestion', () => {
    const { status, stdout, stderr } = run(bin('publint'), [
      'run',
      pack().tarball,
      '--strict',
      '--level',
      'suggestion',
    ]);
    console.log(stdout + stderr);
    assert.match(stdout, /All good!/);
    assert.equal(status, 0);
  });

  test('are the types wrong? No, under node16 and bundler', () => {
    const { status, stdout, stderr } = run(bin('attw'), [
      pack().tarball,
      ...[
        '--profile',
        'node16',
        '--exclude-entrypoints',
        'layernorm.wasm',
        'layernorm-mt.wasm',
        'layernorm-kernels.wasm',
        '--format',
        'ascii',
      ],
      ...['--no-emoji', '--no-color'],
    ]);
    console.log(stdout + stderr);
    // Entries beside the main one are not found under node10, which knows no exports; that is not asked for.
    const found = stdout.match(/^(node16|bundler)\b.*$/gm) ?? [];
    assert.equal(found.length, 8 * 3);
    for (const line of found) assert.match(line, /: OK/);
    assert.equal(status, 0);
  });
});
