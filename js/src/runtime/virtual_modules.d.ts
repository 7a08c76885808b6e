// Made by the build: the glue that Emscripten writes, the module it belongs to, and the version of package.json.

declare module '#core-glue' {
  /** Fills the object it is given, synchronously when its `instantiateWasm` is synchronous. */
  const createCore: (module: object) => unknown;
  export default createCore;
}

declare module '*/layernorm-mt-worker.mjs' {
  /** The glue of the threads of browsers, which the build puts into a file of its own. */
  export { default } from '#core-glue';
}

declare module '#core-bytes' {
  /** The WebAssembly module as scripts/lib/wasm_text.mjs writes it; empty where the runtime brings it compiled. */
  const text: string;
  export default text;
}

declare module '#kernels-bytes' {
  /** The freestanding module, written likewise. */
  const text: string;
  export default text;
}

declare module '#statuses' {
  /** Code and text of each status of the core, src/core/status.h, which the freestanding module cannot carry itself. */
  const statuses: readonly (readonly [code: string, text: string])[];
  export default statuses;
}

declare module '#threads' {
  /** Loads what threads need: the file for Node, or that for browsers. */
  const loadThreads: (inNode: boolean) => Promise<import('./threads.js').ThreadsModule>;
  export default loadThreads;
}

declare module '#version' {
  const version: string;
  export default version;
}

declare module '*.wasm' {
  const module: WebAssembly.Module;
  export default module;
}

declare module '*.wasm?module' {
  const module: WebAssembly.Module;
  export default module;
}
