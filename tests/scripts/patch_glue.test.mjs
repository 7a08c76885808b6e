import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EDITS, patch } from '../../scripts/patch_glue.mjs';

/** What Emscripten 3.1.69 writes, cut down to the lines that are edited. */
const GLUES = {
  'layernorm.mjs': [
    'var createLayernormCore = (() => {\n  var _scriptName = import.meta.url;\n  \n  return (',
    'function(moduleArg = {}) {\n  var moduleRtn;\n\nvar Module=moduleArg;',
    'var readyPromiseResolve,readyPromiseReject;var readyPromise=new Promise((resolve,reject)=>{readyPromiseResolve=resolve;readyPromiseReject=reject});',
    'var ENVIRONMENT_IS_WEB=typeof window=="object";var moduleOverrides=Object.assign({},Module);function locateFile(path){return scriptDirectory+path}readBinary=url=>{var xhr=new XMLHttpRequest;};readAsync=url=>fetch(url,{credentials:"same-origin"}).then(response=>{});var err=console.error.bind(console);Object.assign(Module,moduleOverrides);moduleOverrides=null;',
    'if(Module["wasmMemory"]){wasmMemory=Module["wasmMemory"]}else{var INITIAL_MEMORY=1048576;wasmMemory=new WebAssembly.Memory({initial:INITIAL_MEMORY/65536,maximum:65536})}',
    'var HEAP8,HEAPU8,HEAPU32,HEAPU64;function updateMemoryViews(){var b=wasmMemory.buffer;HEAP8=new Int8Array(b);HEAPU64=new BigUint64Array(b)}updateMemoryViews();',
    'var __ATPRERUN__=[];function addOnInit(cb){__ATINIT__.unshift(cb)}function removeRunDependency(id){if(dependenciesFulfilled){if(id){callback()}}}function getWasmImports(){}',
    'var dataURIPrefix="data:";function findWasmBinary(){return new URL("layernorm.wasm",import.meta.url).href}function instantiateSync(file,info){return[instance,module]}',
    'function createWasm(){function receiveInstance(instance,module){addOnInit(wasmExports["m"]);removeRunDependency("wasm-instantiate");return wasmExports}addRunDependency("wasm-instantiate");',
    'if(Module["instantiateWasm"]){try{return Module["instantiateWasm"](info,receiveInstance)}catch(e){err("failed");readyPromiseReject(e)}}wasmBinaryFile??=findWasmBinary();var result=instantiateSync(wasmBinaryFile,info);return receiveInstance(result[0])',
    '}var callRuntimeCallbacks=callbacks=>{callbacks.forEach(f=>f(Module))};',
    'var ___wasm_call_ctors=wasmExports["m"];',
    'var calledRun;var calledPrerun;dependenciesFulfilled=function runCaller(){};function run(){function doRun(){initRuntime();readyPromiseResolve(Module);postRun()}{doRun()}}run();moduleRtn=Module;',
    '  return moduleRtn;\n}\n',
    ');\n})();\nexport default createLayernormCore;',
  ],
  'layernorm-mt.mjs': [
    'var workerOptions={type:"module",name:"em-pthread"};',
    'worker=new Worker(new URL("layernorm-mt.mjs",import.meta.url),workerOptions);PThread.unusedWorkers.push(worker)},',
  ],
  'layernorm-mt.cjs': [
    'var worker_threads=require("worker_threads");global.Worker=worker_threads.Worker;',
    'var fs=require("fs");var nodePath=require("path");',
    "if (isNode) isPthread = require('worker_threads').workerData === 'em-pthread'",
    'var pthreadMainJs=_scriptName;worker=new Worker(pthreadMainJs,workerOptions);PThread.unusedWorkers.push(worker)},',
  ],
};

/** What both glues for threads have, and that of one thread in words of its own. */
for (const name of ['layernorm-mt.mjs', 'layernorm-mt.cjs']) {
  GLUES[name].push(
    'if(Module["wasmMemory"]){wasmMemory=Module["wasmMemory"]}else{wasmMemory=new WebAssembly.Memory({initial:16,shared:true})}',
    'var dataURIPrefix="data:";function instantiateSync(file,info){return[instance,module]}',
    'if(Module["instantiateWasm"]){try{return Module["instantiateWasm"](info,receiveInstance)}catch(e){}}return receiveInstance(result[0],result[1])',
    'worker.onerror=e=>{var message="worker sent an error!";err(message);throw e};',
  );
}

const glue = (name) => GLUES[name].join('\n');

test('the one-thread glue is a function that has module and memory handed in', () => {
  assert.equal(
    patch('layernorm.mjs', glue('layernorm.mjs')).replace(/\n\s*/g, ''),
    [
      'var createLayernormCore = (function(moduleArg = {}) {var moduleRtn;var Module=moduleArg;',
      'wasmMemory=Module["wasmMemory"];',
      'var HEAPU8,HEAPU32;function updateMemoryViews(){var b=wasmMemory.buffer;HEAPU8=new Uint8Array(b);HEAPU32=new Uint32Array(b)}updateMemoryViews();',
      'function getWasmImports(){}',
      'function createWasm(){function receiveInstance(instance,module){return wasmExports}',
      'return Module["instantiateWasm"](info,receiveInstance)}',
      'var ___wasm_call_ctors=wasmExports["m"];___wasm_call_ctors();moduleRtn=Module;return moduleRtn;',
      '});export default createLayernormCore;',
    ].join(''),
  );
});

test('the web thread glue is given its workers', () => {
  const patched = patch('layernorm-mt.mjs', glue('layernorm-mt.mjs'));
  assert.ok(patched.includes('worker=Module["newWorker"]();'));
  assert.doesNotMatch(patched, /new Worker\(/);
});

for (const name of ['layernorm-mt.mjs', 'layernorm-mt.cjs']) {
  test(`${name} shows each worker to TypeScript, and keeps quiet about its errors`, () => {
    const patched = patch(name, glue(name));
    assert.match(patched, /worker=[^;]*;Module\["onWorker"\]\(worker\);PThread\.unusedWorkers/);
    assert.ok(patched.includes('worker.onerror=()=>{};'));
    assert.ok(patched.includes('\nreturn Module["instantiateWasm"](info,receiveInstance)\n'));
    assert.ok(patched.includes('\nwasmMemory=Module["wasmMemory"];\n'));
  });
}

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
  'fetch("a")',
  'new TextDecoder',
  'import.meta.url',
  'console.error("a")',
]) {
  test(`a glue with \`${code}\` is refused`, () => {
    assert.throws(() => patch('layernorm.mjs', `${glue('layernorm.mjs')}\n${code}`), { message: /contains/ });
  });
}

test('a glue of an unknown name is refused', () => {
  assert.throws(() => patch('other.mjs', ''), { message: /no edits are known for other\.mjs/ });
});
