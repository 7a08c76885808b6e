// Holds the sources to the design: who may use whom, where intrinsics live, and that every source file has its test at
// the same place of the mirror tree.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { at, shown } from './lib/paths.mjs';
import { main, StepError } from './lib/run.mjs';

/** Folders of js/src and of src, each with those it may import from, and entries that it builds on. Files beside the folders may import all. */
const JS_LAYERS = {
  runtime: ['runtime'],
  tensor: ['tensor', 'runtime'],
  kernels: ['kernels', 'tensor', 'runtime'],
  ops: ['ops', 'tensor', 'runtime'],
  tfjs: ['tfjs', 'tensor', 'runtime', 'index.js', 'kernels.js'],
  files: ['files', 'runtime'],
  keras: ['keras', 'files', 'layers', 'runtime', 'index.js', 'tfjs.js'],
  io: ['io', 'files', 'tensor', 'runtime', 'index.js'],
  transformers: ['transformers', 'tensor', 'runtime', 'index.js'],
  duckdb: ['duckdb', 'runtime', 'index.js'],
  cli: ['cli', 'index.js', 'io.js'],
  layers: ['layers', 'ops', 'tensor', 'runtime'],
};
const CPP_LAYERS = {
  core: ['core'],
  simd: ['simd', 'core'],
  parallel: ['parallel', 'core'],
  ops: ['ops', 'parallel', 'simd', 'core'],
};

/** The one file that may know the instruction set. */
const INTRINSICS = 'src/simd/simd128.h';

/** Source files without a test of their own, each with the reason. */
const UNTESTED = {
  'js/src/cli/help.ts': 'text, whose examples tests/package/cli.test.mjs runs',
  'js/src/cli/program.ts': 'the program itself, which tests/package/cli.test.mjs runs',
  'js/src/duckdb/node_api.ts': 'declarations only',
  'js/src/kernels/arguments.ts': 'declarations only',
  'js/src/runtime/node.d.ts': 'declarations only',
  'js/src/runtime/pool_node.ts': 'an entry of dist/, which tests/js/threads.test.ts loads',
  'js/src/runtime/pool_worker.ts': 'an entry of dist/, which tests/browser/threads.test.mjs loads',
  'js/src/runtime/pool_web.ts': 'an entry of dist/, which tests/browser/threads.test.mjs loads',
  'js/src/runtime/virtual_modules.d.ts': 'declarations only',
  'js/src/tfjs/tensorflow.ts': 'declarations only',
  'src/parallel/futex.h': 'thread_pool_test.cpp sleeps and wakes',
  'src/simd/build.h': 'only lists the vectors that the typed test suites run on',
  'src/simd/emulated.h': 'vector_test.cpp runs on every vector',
  'src/simd/lanes.h': 'vector_test.cpp runs on every vector',
  'src/simd/simd128.h': 'vector_test.cpp runs on every vector',
  'src/simd/unroll.h': 'a pragma, which changes no result',
};

await main(import.meta, async () => {
  const js = filesBelow('js/src', /\.ts$/);
  const cpp = filesBelow('src', /\.(h|cpp)$/);
  const problems = [
    ...js.flatMap((file) => badImports(file, 'js/src', JS_LAYERS, importsOfTs(file))),
    ...cpp.flatMap((file) => badImports(file, 'src', CPP_LAYERS, includesOfCpp(file))),
    ...cpp.flatMap(badTokens),
    ...js.flatMap((file) => missingTest(file, 'js/src', 'tests/js', '.test.ts')),
    ...cpp.flatMap((file) => missingTest(file, 'src', 'tests/cpp', '_test.cpp')),
    ...Object.keys(UNTESTED)
      .filter((file) => !existsSync(at(file)))
      .map((file) => `${file} is listed as untested in check_layers.mjs, but is gone`),
  ];
  if (problems.length > 0) throw new StepError(problems.join('\n'));
  console.log(`${js.length} TypeScript and ${cpp.length} C++ files keep to the layers and have their tests.`);
});

function filesBelow(folder, pattern) {
  const entries = readdirSync(at(folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => shown(join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}

/** The code without its comments, which may talk about anything. */
function codeOf(file) {
  return readFileSync(at(file), 'utf8').replace(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*/g, '');
}

/** Paths, relative to the repository, of the files that a TypeScript file imports by a relative path. */
function importsOfTs(file) {
  const specifiers = [...codeOf(file).matchAll(/\b(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g)];
  return specifiers.map(([, path]) => join(dirname(file), path));
}

/** The same of a C++ file, whose quoted includes start at src. */
function includesOfCpp(file) {
  return [...codeOf(file).matchAll(/^\s*#include "([^"]+)"/gm)].map(([, path]) => join('src', path));
}

function badImports(file, root, layers, imported) {
  const layer = folderBelow(root, file);
  if (layer === undefined) return [];
  const allowed = layers[layer];
  if (!allowed) return [`${file}: the folder ${layer} is no layer of the design`];
  return imported
    .filter((path) => !allowed.includes(folderBelow(root, path) ?? basename(path)))
    .map((path) => `${file} imports ${path}: ${layer} may import ${allowed.join(', ')} only`);
}

/** The first folder of a path below `root`; undefined for files in `root` itself. */
function folderBelow(root, path) {
  const parts = path.slice(root.length + 1).split('/');
  return parts.length > 1 ? parts[0] : undefined;
}

function badTokens(file) {
  const found = file === INTRINSICS ? null : codeOf(file).match(/\b(wasm_|emscripten)\w*/i);
  return found
    ? [`${file} uses ${found[0]}: the core knows nothing of it, intrinsics belong in ${INTRINSICS}`]
    : [];
}

/** Files beside the layers' folders only put together what lies in them; they are tested through the package. */
function missingTest(file, root, tests, suffix) {
  if (dirname(file) === root || file in UNTESTED) return [];
  const name = basename(file).replace(/\.\w+$/, '');
  const test = join(tests, dirname(file).slice(root.length), name + suffix);
  return existsSync(at(test))
    ? []
    : [`${file} has no test: ${test} is missing (or give a reason in check_layers.mjs)`];
}
