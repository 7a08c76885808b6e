import text from '#core-bytes';
import createCore from '#core-glue';
import version from '#version';
import { compile, decodeText } from './compile.js';
import {
  type CoreFactoryOptions,
  type CoreModule,
  INITIAL_PAGES,
  type Instance,
  MAXIMUM_PAGES,
  PAGE_BYTES,
  readText,
} from './core_module.js';
import { describe, LayerNormError } from './errors.js';

/** Compiled once and shared by all engines: instances differ in their memory only. */
let defaultModule: WebAssembly.Module | undefined;

/** Gives the module where the runtime compiles it ahead of time and forbids compiling from bytes. */
export function setDefaultModule(module: WebAssembly.Module): void {
  defaultModule = module;
}

/**
 * Makes an instance of the core with its own memory, synchronously.
 * @param operation - the caller's name, for error messages
 * @param module - the compiled core; the one inside this package by default
 * @param maxMemory - how many bytes the memory may grow to; 4 GiB by default
 */
export function instantiate(
  operation: string,
  module?: WebAssembly.Module,
  maxMemory: number = MAXIMUM_PAGES * PAGE_BYTES,
): Instance {
  const maximum = Math.floor(maxMemory / PAGE_BYTES);
  if (!(maximum >= INITIAL_PAGES && maximum <= MAXIMUM_PAGES)) {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `${operation}: maxMemory is ${describe(maxMemory)} bytes, expected ${INITIAL_PAGES * PAGE_BYTES} to ` +
        `${MAXIMUM_PAGES * PAGE_BYTES}`,
    );
  }
  module ??= defaultModule ??= compile(decodeText(text));
  const memory = createMemory(operation, maximum);
  const core = start(operation, module, memory);
  const built = readText(memory, core.version());
  if (built !== version) {
    throw new LayerNormError(
      'ERR_LOAD',
      `${operation}: the WebAssembly module is of layernorm ${built}, expected ${version}, the version of this JavaScript`,
    );
  }
  return { core, memory };
}

function createMemory(operation: string, maximum: number): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum });
  } catch (cause) {
    throw new LayerNormError(
      'ERR_OUT_OF_MEMORY',
      `${operation}: a WebAssembly memory of ${INITIAL_PAGES * PAGE_BYTES} bytes that may grow to ${maximum * PAGE_BYTES} ` +
        'was refused; createEngine({ maxMemory }) asks for less',
      cause,
    );
  }
}

/** Runs the glue, which fills the very object it is given. */
function start(operation: string, module: WebAssembly.Module, memory: WebAssembly.Memory): CoreModule {
  const core: CoreFactoryOptions = {
    wasmMemory: memory,
    instantiateWasm: (imports, receive) => receive(new WebAssembly.Instance(module, imports), module),
  };
  try {
    createCore(core);
  } catch (cause) {
    throw new LayerNormError(
      'ERR_LOAD',
      `${operation}: the WebAssembly module does not fit this JavaScript, which is layernorm ${version}`,
      cause,
    );
  }
  return core as unknown as CoreModule;
}
