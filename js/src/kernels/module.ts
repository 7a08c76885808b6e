import text from '#kernels-bytes';
import version from '#version';
import { compile, decodeText } from '../runtime/compile.js';
import { PAGE_BYTES } from '../runtime/core_module.js';
import { describe, LayerNormError } from '../runtime/errors.js';

/** What the module exports: the functions of the core by their names, and where its stack is. */
export type KernelExports = Record<string, (...values: number[]) => number> & {
  readonly __stack_pointer: WebAssembly.Global<'i32'>;
};

const IMPORT_SECTION = 2;
/** Limits of a memory: a minimum alone; or shared, with a maximum, which a shared one must have. */
const [UNSHARED, SHARED] = [0, 3];
/** 65536 pages in LEB128: the most that a memory can have, so that any shared one fits. */
const ANY_MAXIMUM = [0x80, 0x80, 0x04];

/** The freestanding module at work on a memory. */
export interface KernelInstance {
  readonly exports: KernelExports;
  /** What it is an instance of. */
  readonly module: WebAssembly.Module;
}

/** Compiled once each, and shared by all instances. */
let unshared: WebAssembly.Module | undefined;
let shared: WebAssembly.Module | undefined;

/**
 * Makes an instance of the freestanding module on a memory, synchronously.
 * @param module - layernorm-kernels.wasm compiled; the one inside this package by default
 * @throws {@link LayerNormError} `ERR_ARGUMENT` for what is no memory, `ERR_LOAD`
 */
export function instantiate(
  operation: string,
  memory: WebAssembly.Memory,
  module?: WebAssembly.Module,
): KernelInstance {
  if (Object.prototype.toString.call(memory) !== '[object WebAssembly.Memory]') {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `${operation}: memory is ${describe(memory)}, expected a WebAssembly.Memory`,
    );
  }
  module ??= ownModule(operation, memory);
  const [imported] = WebAssembly.Module.imports(module);
  if (imported?.module !== 'env' || imported.name !== 'memory') {
    throw new LayerNormError('ERR_LOAD', `${operation}: module is not layernorm-kernels.wasm`);
  }
  const exports = start(operation, module, memory);
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  if (exports.version?.() !== (major * 1000 + minor) * 1000 + patch) {
    throw new LayerNormError(
      'ERR_LOAD',
      `${operation}: the module is not the layernorm-kernels.wasm of layernorm ${version}, the version of this JavaScript`,
    );
  }
  return { exports, module };
}

function start(operation: string, module: WebAssembly.Module, memory: WebAssembly.Memory): KernelExports {
  try {
    const instance = new WebAssembly.Instance(module, { env: { memory } });
    return instance.exports as unknown as KernelExports;
  } catch (cause) {
    throw new LayerNormError(
      'ERR_LOAD',
      `${operation}: the module does not fit the memory, which has ${memory.buffer.byteLength} bytes of at least ` +
        `${PAGE_BYTES}${isShared(memory) ? ' and is shared, so that the module must be made for shared ones' : ''}`,
      cause,
    );
  }
}

function isShared(memory: WebAssembly.Memory): boolean {
  return Object.prototype.toString.call(memory.buffer) === '[object SharedArrayBuffer]';
}

function ownModule(operation: string, memory: WebAssembly.Memory): WebAssembly.Module {
  if (text === '') {
    throw new LayerNormError(
      'ERR_LOAD',
      `${operation}: this runtime compiles no bytes: import 'layernorm/layernorm-kernels.wasm' and pass it as module`,
    );
  }
  if (isShared(memory)) {
    shared ??= compile(forSharedMemory(decodeText(text)));
    return shared;
  }
  unshared ??= compile(decodeText(text));
  return unshared;
}

/**
 * The same module for a shared memory: which kind of memory it imports is the one thing that differs, since it uses no atomics.
 * @param bytes - a module whose only import is a memory without a maximum
 */
export function forSharedMemory(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const section = findSection(bytes, IMPORT_SECTION);
  const limits = section.end - 2; // the kind of the limits, and the minimum: one page
  if (bytes[limits] !== UNSHARED || section.end - section.start > 0x7f - ANY_MAXIMUM.length) {
    throw new LayerNormError('ERR_LOAD', 'createKernels: the module imports more than a memory');
  }
  const result = new Uint8Array(bytes.length + ANY_MAXIMUM.length);
  result.set(bytes.subarray(0, section.end));
  result[section.start - 1] = section.end - section.start + ANY_MAXIMUM.length; // its size
  result[limits] = SHARED;
  result.set(ANY_MAXIMUM, section.end);
  result.set(bytes.subarray(section.end), section.end + ANY_MAXIMUM.length);
  return result;
}

function findSection(bytes: Uint8Array, wanted: number): { start: number; end: number } {
  let at = 8; // after the magic number and the version
  while (at < bytes.length) {
    const id = bytes[at++];
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] as number;
      size += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    if (id === wanted) return { start: at, end: at + size };
    at += size;
  }
  throw new LayerNormError('ERR_LOAD', 'createKernels: the module imports nothing');
}
