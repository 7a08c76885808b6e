// Made by the build: the glue that Emscripten writes, the module it belongs to, and the version of package.json.

declare module '#core-glue' {
  /** Fills the object it is given, synchronously when its `instantiateWasm` is synchronous. */
  const createCore: (module: object) => unknown;
  export default createCore;
}

declare module '#core-bytes' {
  /**
   * The bytes of the WebAssembly module in hexadecimal digits; empty where the runtime brings the module compiled.
   * Digits keep bytes whole, so that gzip finds what repeats: a third smaller on the wire than base64.
   */
  const hex: string;
  export default hex;
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
