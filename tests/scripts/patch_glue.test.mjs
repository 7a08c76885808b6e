import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EDITS, patch } from '../../scripts/patch_glue.mjs';

/** What Emscripten 3.1.69 writes, cut down to the lines that are edited. */
const GLUES = {
  'layernorm.mjs': [
    'var _scriptName = import.meta.url;',
    'return new URL("layernorm.wasm",import.meta.url).href}',
    '__emscripten_thread_mailbox_await(0);',
  ],
  'layernorm-mt.mjs': [
    'var workerOptions={type:"module",name:"em-pthread"};',
    'worker=new Worker(new URL("layernorm-mt.mjs",import.meta.url),workerOptions);',
  ],
  'layernorm-mt.cjs': [
    'var worker_threads=require("worker_threads");global.Worker=worker_threads.Worker;',
    'var fs=require("fs");var nodePath=require("path");',
    "if (isNode) isPthread = require('worker_threads').workerData === 'em-pthread'",
  ],
};

const glue = (name) => GLUES[name].join('\n');

test('the one-thread glue looks for no file', () => {
  const patched = patch('layernorm.mjs', glue('layernorm.mjs'));
  assert.doesNotMatch(patched, /import\.meta|new URL/);
});

test('the web thread glue has literal worker options behind a hook', () => {
  const patched = patch('layernorm-mt.mjs', glue('layernorm-mt.mjs'));
  const worker = 'new Worker(new URL("layernorm-mt.mjs",import.meta.url),{type:"module",name:"em-pthread"})';
  assert.ok(patched.includes(`worker=(Module["createWorker"]?Module["createWorker"]():${worker});`));
});

test('the Node thread glue sets no global and prefixes built-in modules', () => {
  const patched = patch('layernorm-mt.cjs', glue('layernorm-mt.cjs'));
  assert.ok(patched.includes('var Worker=worker_threads.Worker;'));
  assert.doesNotMatch(patched, /global\.|require\(["'](?!node:)/);
});

for (const { glue: name, find } of EDITS) {
  const lines = GLUES[name];
  const edited = lines.find((line) => find.test(line));

  test(`${name}: a missing ${find} is an error that names it`, () => {
    const text = lines.map((line) => line.replace(find, '')).join('\n');
    assert.throws(() => patch(name, text), { message: /occurs 0 times, expected exactly once/ });
  });

  test(`${name}: ${find} twice is an error`, () => {
    const text = [...lines, edited.match(find)[0]].join('\n');
    assert.throws(() => patch(name, text), { message: /occurs 2 times, expected exactly once/ });
  });
}

for (const code of [
  'f=new Function("x","y")',
  'eval("x")',
  'var m = await import("module")',
  'x=await 1',
  'import("a")',
]) {
  test(`a glue with \`${code}\` is refused`, () => {
    assert.throws(() => patch('layernorm.mjs', `${glue('layernorm.mjs')}\n${code}`), { message: /contains/ });
  });
}

test('a glue of an unknown name is refused', () => {
  assert.throws(() => patch('other.mjs', ''), { message: /no edits are known for other\.mjs/ });
});
