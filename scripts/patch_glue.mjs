// Edits the JavaScript that Emscripten writes beside a module ("glue"), so that bundlers, content security policies and
// Deno take it. A new Emscripten may word its glue differently: every pattern has to match exactly once, so that this is
// noticed at once.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { OWN } from './lib/emscripten.mjs';
import { at } from './lib/paths.mjs';
import { main, StepError } from './lib/run.mjs';

const ONE_THREAD = 'layernorm.mjs';
const THREADS_WEB = 'layernorm-mt.mjs';
const THREADS_NODE = 'layernorm-mt.cjs';

/** Which glue each variant of bindings/variants.cmake has. */
const LINKED = { simd: ONE_THREAD, simd_mt_web: THREADS_WEB, simd_mt_node: THREADS_NODE };

/**
 * @typedef {object} Edit
 * @property {string} glue file name of the variant it is for
 * @property {string} why
 * @property {RegExp} find
 * @property {string} replace
 */

/** An edit of the one-thread glue: takes away what `find` matches, or all of it but `replace`. */
const without = (find, why, replace = '') => ({ glue: ONE_THREAD, why, find, replace });

const HANDED_IN =
  'TypeScript hands in the compiled module and the memory; what would fetch them makes bundlers copy files, and a module ' +
  'that does not fit would be answered by a request and an unhandled rejection';
const AT_ONCE = 'everything is there when the glue is called, and nobody hooks in: it starts at once';
const FEW_VIEWS = 'it reads text and the registrations, nothing else';

/** @type {Edit[]} */
export const EDITS = [
  without(
    /\(\(\) => \{\s*var _scriptName = import\.meta\.url;\s*return \(/,
    'import.meta is a syntax error in CommonJS, and only a plain function is dropped by every bundler when unused',
    '(',
  ),
  without(/\);\s*\}\)\(\);\s*export default/, 'the end of the function around it', ');\nexport default'),
  without(/var ENVIRONMENT_IS_WEB=.*?moduleOverrides=null;/, HANDED_IN),
  without(
    /if\((Module\["wasmMemory"\])\)\{.*?new WebAssembly\.Memory\([^)]*\)\}/,
    HANDED_IN,
    'wasmMemory=$1;',
  ),
  without(/var dataURIPrefix=.*?return\[instance,module\]\}/, HANDED_IN),
  without(
    /if\(Module\["instantiateWasm"\]\)\{try\{(return [^}]*)\}.*?receiveInstance\(result\[0\]\)/,
    HANDED_IN,
    '$1',
  ),
  without(/var readyPromiseResolve,.*?readyPromiseReject=reject\}\);/, 'nobody waits: all is synchronous'),
  without(/readyPromiseResolve\(Module\);/, 'the other end of that promise'),
  without(/var __ATPRERUN__=.*?callback\(\)\}\}\}/, AT_ONCE),
  without(/addOnInit\([^)]*\);removeRunDependency\("wasm-instantiate"\);/, AT_ONCE),
  without(/addRunDependency\("wasm-instantiate"\);/, AT_ONCE),
  without(/var callRuntimeCallbacks=.*?\};/, AT_ONCE),
  without(/var calledRun;.*?doRun\(\)\}\}run\(\);/, AT_ONCE, '___wasm_call_ctors();'),
  without(/var HEAP8,HEAPU8,[^;]*;/, FEW_VIEWS, 'var HEAPU8,HEAPU32;'),
  without(
    /HEAP8=new Int8Array\(b\);.*?HEAPU64=new BigUint64Array\(b\)/,
    FEW_VIEWS,
    'HEAPU8=new Uint8Array(b);HEAPU32=new Uint32Array(b)',
  ),
  ...[THREADS_WEB, THREADS_NODE].flatMap((glue) => [
    { glue, why: HANDED_IN, find: /var dataURIPrefix=.*?return\[instance,module\]\}/, replace: '' },
    {
      glue,
      why: HANDED_IN,
      find: /if\(Module\["instantiateWasm"\]\)\{try\{(return [^}]*)\}.*?receiveInstance\(result\[0\],result\[1\]\)/,
      replace: '$1',
    },
    {
      glue,
      why: HANDED_IN,
      find: /if\((Module\["wasmMemory"\])\)\{.*?new WebAssembly\.Memory\([^)]*\)\}/,
      replace: 'wasmMemory=$1;',
    },
    {
      glue,
      why: 'TypeScript watches over the workers: it has to see them',
      find: /(worker=new Worker\([^;]*;)(PThread\.unusedWorkers\.push\(worker\))/,
      replace: '$1Module["onWorker"](worker);$2',
    },
    {
      glue,
      why: 'TypeScript notices a worker that fails, and goes on without it: nothing to say on the console',
      find: /worker\.onerror=e=>\{.*?throw e\};/,
      replace: 'worker.onerror=()=>{};',
    },
  ]),
  {
    glue: THREADS_WEB,
    why:
      'bundlers follow a worker that starts itself in circles: Turbopack waits for ever (next.js#97399), webpack warns; ' +
      'and Vite takes literal worker options only (emscripten#22394)',
    find: /new Worker\(new URL\("[^"]+",\s*import\.meta\.url\),\s*workerOptions\)/,
    replace: 'Module["newWorker"]()',
  },
  {
    glue: THREADS_NODE,
    why: 'a package does not add globals',
    find: /global\.Worker\s*=\s*worker_threads\.Worker/,
    replace: 'var Worker=worker_threads.Worker',
  },
  ...['"fs"', '"path"', '"worker_threads"', "'worker_threads'"].map((name) => ({
    glue: THREADS_NODE,
    why: 'Deno knows built-in modules by their node: names only',
    find: new RegExp(`require\\(${name}\\)`),
    replace: `require("node:${name.slice(1, -1)}")`,
  })),
];

/** What a glue may not contain: that of the variant `glue`, or any. */
const FORBIDDEN = [
  {
    glue: ONE_THREAD,
    find: /\b(?:import\.meta|new URL|fetch|XMLHttpRequest|document|process|console|TextDecoder|Promise)\b/,
    why: 'it runs in every scope there is and asks for nothing but its arguments',
  },
  {
    find: /\bnew Function\b/,
    why: 'content security policies forbid it: link with -sDYNAMIC_EXECUTION=0 -sEMBIND_AOT=1',
  },
  {
    find: /(?<![\w$.])eval\s*\(/,
    why: 'content security policies forbid it: link with -sDYNAMIC_EXECUTION=0',
  },
  {
    find: /(?<![\w$.])(?:await\b|import\s*\()/,
    why: 'require(esm), classic workers and service workers forbid it: link for web,worker or node, not for both',
  },
];

const KNOWN = new Set(EDITS.map(({ glue }) => glue));

/**
 * The glue with its edits applied.
 * @param {string} name file name, which tells the variant
 * @param {string} text what Emscripten wrote
 */
export function patch(name, text) {
  if (!KNOWN.has(name))
    throw new StepError(`patch_glue: no edits are known for ${name}; known: ${[...KNOWN].join(', ')}`);
  const patched = EDITS.filter(({ glue }) => glue === name).reduce(apply, text);
  for (const { glue, find, why } of FORBIDDEN) {
    const found = patched.match(find);
    if (found && (glue ?? name) === name)
      throw new StepError(`patch_glue: ${name} contains \`${found[0]}\`, but ${why}`);
  }
  return patched;
}

function apply(text, { glue, why, find, replace }) {
  const matches = text.match(new RegExp(find, 'g'))?.length ?? 0;
  if (matches === 1) return text.replace(find, replace);
  throw new StepError(
    `patch_glue: in ${glue} the pattern ${find} occurs ${matches} times, expected exactly once.\n` +
      `It is edited because ${why}.\n` +
      'Emscripten or its flags have changed: look for the new wording and adapt the table in scripts/patch_glue.mjs,\n' +
      `or, if a newer emcc on PATH was taken, set ${OWN} to build with the version that the table is for.`,
  );
}

const linked = at('build', 'wasm-release', 'bindings');
const folder = at('build', 'wasm-release', 'glue');

/** Where the edited glues and the modules lie. */
export const built = {
  glue: `${folder}/${ONE_THREAD}`,
  wasm: `${linked}/simd/layernorm.wasm`,
  kernels: `${linked}/freestanding/layernorm-kernels.wasm`,
  threads: {
    web: `${folder}/${THREADS_WEB}`,
    node: `${folder}/${THREADS_NODE}`,
    wasm: `${linked}/simd_mt_web/layernorm-mt.wasm`,
  },
};

/** Edits every glue that was linked; writes beside, so that it can be done again. */
export function patchGlues() {
  mkdirSync(folder, { recursive: true });
  for (const [variant, name] of Object.entries(LINKED)) {
    const path = `${linked}/${variant}/${name}`;
    if (!existsSync(path)) throw new StepError(`patch_glue: ${name} is not linked; run \`npm run build\``);
    writeFileSync(`${folder}/${name}`, patch(name, readFileSync(path, 'utf8')));
  }
}

await main(import.meta, async () => patchGlues());
