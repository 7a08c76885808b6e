// Made by the build: the glue that Emscripten writes, the module it belongs to, and the version of package.json.

declare module '#core-glue' {
  /** Fills the object it is given, synchronously when its `instantiateWasm` is synchronous. */
  const createCore: (module: object) => unknown;
  export default createCore;
}

declare module '#core-bytes' {
  /** The WebAssembly module as scripts/lib/wasm_text.mjs writes it; empty where the runtime brings it compiled. */
  const text: string;
  export default text;
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
