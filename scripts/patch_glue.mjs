// Edits the JavaScript that Emscripten writes beside a module ("glue"), so that bundlers, content security policies and
// Deno take it. A new Emscripten may word its glue differently: every pattern has to match exactly once, so that this is
// noticed at once.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { OWN } from './lib/emscripten.mjs';
import { at } from './lib/paths.mjs';
import { main, StepError } from './lib/run.mjs';

const ONE_THREAD = 'layernorm.mjs';
const THREADS_WEB = 'layernorm-mt.mjs';
const THREADS_NODE = 'layernorm-mt.cjs';

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
const NEVER_BOUND =
  'no function that is bound takes or returns such a type, and the decoders of text that come with it are missing in audio worklets';

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
  without(
    /var stringToUTF8Array=.*?var __embind_register_void=/,
    NEVER_BOUND,
    'var __embind_register_std_string=()=>{};var __embind_register_std_wstring=()=>{};var __embind_register_void=',
  ),
  without(
    /(function __embind_register_memory_view\([^{]*\{).*?\{ignoreDuplicateRegistrations:true\}\)\}/,
    NEVER_BOUND,
    '$1}',
  ),
  without(
    /var emval_freelist=.*?function readPointer.*?(function __embind_register_emval\([^{]*\{)[^}]*\}/,
    NEVER_BOUND,
    '$1}',
  ),
  without(/init_emval\(\);/, 'the start of what was taken away'),
  without(/(function __embind_register_bigint\([^{]*\{).*?destructorFunction:null\}\)\}/, NEVER_BOUND, '$1}'),
  {
    glue: THREADS_WEB,
    why: 'Vite takes literal worker options only (emscripten#22394); createWorker is the hook for workerUrl',
    find: /new Worker\((new URL\("[^"]+",\s*import\.meta\.url\)),\s*workerOptions\)/,
    replace:
      '(Module["createWorker"]?Module["createWorker"]():new Worker($1,{type:"module",name:"em-pthread"}))',
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

/** Where the edited glue of a variant lies. */
export const patchedGlue = at('build', 'wasm-release', 'glue', ONE_THREAD);

/** Edits every glue that was linked; writes beside, so that it can be done again. */
export function patchGlues() {
  const names = existsSync(linked) ? readdirSync(linked).filter((name) => /\.[cm]js$/.test(name)) : [];
  if (!names.includes(ONE_THREAD))
    throw new StepError(`patch_glue: ${ONE_THREAD} is not linked; run \`npm run build\``);
  mkdirSync(folder, { recursive: true });
  for (const name of names)
    writeFileSync(`${folder}/${name}`, patch(name, readFileSync(`${linked}/${name}`, 'utf8')));
}

await main(import.meta, async () => patchGlues());
