import text from '#core-bytes';
import createCore from '#core-glue';
import version from '#version';
import { compile, decodeText } from './compile.js';
import { type CoreFactoryOptions, type CoreModule, readText } from './core_module.js';
import { describe, LayerNormError } from './errors.js';
import type { Pool } from './pool.js';

/** Bytes of one page of WebAssembly memory. */
const PAGE_BYTES = 65536;

/** What the module declares as its initial memory: 1 MiB. Must equal INITIAL_MEMORY of the linker, in pages. */
const INITIAL_PAGES = 16;

/** What 32-bit addresses reach: 4 GiB. */
const MAXIMUM_PAGES = 65536;

/** A module with a memory of its own. */
export interface Instance {
  readonly core: CoreModule;
  readonly memory: WebAssembly.Memory;
  /** The threads that share its work, where it is the build with threads. */
  readonly pool: Pool<unknown> | undefined;
}

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
 * @param pool - given, `module` is the build with threads and the memory is shared
 */
export function instantiate(
  operation: string,
  module?: WebAssembly.Module,
  maxMemory: number = MAXIMUM_PAGES * PAGE_BYTES,
  pool?: Pool<unknown>,
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
  const memory = createMemory(operation, maximum, pool !== undefined);
  const core = start(operation, module, memory, pool);
  const built = readText(memory, core.version());
  if (built !== version) {
    throw new LayerNormError(
      'ERR_LOAD',
      `${operation}: the WebAssembly module is of layernorm ${built}, expected ${version}, the version of this JavaScript`,
    );
  }
  return { core, memory, pool };
}

function createMemory(operation: string, maximum: number, shared: boolean): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum, shared });
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
function start(
  operation: string,
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  pool: Pool<unknown> | undefined,
): CoreModule {
  const core: CoreFactoryOptions = {
    ...pool?.hooks,
    wasmMemory: memory,
    instantiateWasm: (imports, receive) => receive(new WebAssembly.Instance(module, imports), module),
  };
  try {
    (pool?.createCore ?? createCore)(core);
  } catch (cause) {
    throw new LayerNormError(
      'ERR_LOAD',
      `${operation}: the WebAssembly module does not fit this JavaScript, which is layernorm ${version}`,
      cause,
    );
  }
  return core as unknown as CoreModule;
}
