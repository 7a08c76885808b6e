import version from '#version';
import type { layerNorm, layerNormForward } from './ops/layer_norm.js';
import { layerNormForwardOn, layerNormOn } from './ops/layer_norm.js';
import type { layerNormBackward } from './ops/layer_norm_backward.js';
import { layerNormBackwardOn } from './ops/layer_norm_backward.js';
import { checkOptions } from './ops/options.js';
import { describe, LayerNormError } from './runtime/errors.js';
import { defaultHeapOwner, HeapOwner } from './runtime/heap.js';
import { instantiate } from './runtime/load.js';
import { Disposing, type UsingDisposable } from './tensor/disposable.js';
import type { tensor } from './tensor/tensor.js';
import { tensorOn } from './tensor/tensor.js';

/** What runs, and what it uses. */
export interface Info {
  /** The build of the core: 'simd' is WebAssembly with fixed-width SIMD, whose results are the same bits everywhere. */
  readonly variant: 'simd';
  /** How many threads work on a call, the calling one included. */
  readonly threads: number;
  /** Why it is one thread only. */
  readonly reason?: string;
  /** The version of this package. */
  readonly version: string;
  /** Bytes of the WebAssembly memory. It grows as needed and never shrinks; a disposed engine gives all of it back. */
  readonly memoryBytes: number;
  /** Tensors that have been made and not been disposed. */
  readonly liveTensors: number;
}

/** `WebAssembly.Module` where the user's TypeScript knows it: neither its `lib` without the DOM nor Node's types do. */
export type CompiledModule = typeof globalThis extends {
  WebAssembly: { Module: new (bytes: never) => infer Module };
}
  ? Module
  : object;

/** Options of {@link createEngine}. */
export interface EngineOptions {
  /**
   * How many bytes the engine's memory may grow to, from 1 MiB to 4 GiB, rounded down to whole pages of 64 KiB.
   * @defaultValue 4 GiB
   */
  maxMemory?: number | null;
  /**
   * The compiled `layernorm/layernorm.wasm` of this very version, for runtimes that forbid compiling from bytes.
   * @defaultValue the module inside this package
   */
  module?: CompiledModule | null;
}

/** Every option once, for the check of their names. */
const OPTION_NAMES: Record<keyof EngineOptions, true> = { maxMemory: true, module: true };

/** The functions of this package over a memory of their own, which goes when the engine does. */
export interface Engine extends UsingDisposable {
  /** `layerNorm` in this engine's memory. */
  readonly layerNorm: typeof layerNorm;
  /** `layerNormForward` in this engine's memory. */
  readonly layerNormForward: typeof layerNormForward;
  /** `layerNormBackward` in this engine's memory. */
  readonly layerNormBackward: typeof layerNormBackward;
  /** `tensor` in this engine's memory. Its tensors can be passed to this engine only. */
  readonly tensor: typeof tensor;
  /**
   * What runs, and what it uses.
   * @throws {@link LayerNormError} `ERR_DISPOSED`
   */
  info(): Info;
  /** Gives up the memory with all tensors in it. Further calls do nothing; any other use throws `ERR_DISPOSED`. */
  dispose(): void;
}

/** The one implementation of {@link Engine}. Its functions need no `this`, so they can be taken apart. */
class OwnEngine extends Disposing implements Engine {
  readonly #owner: HeapOwner;
  readonly layerNorm: typeof layerNorm = (x, options) => layerNormOn(this.#owner, x, options);
  readonly layerNormForward: typeof layerNormForward = (x, options) =>
    layerNormForwardOn(this.#owner, x, options);
  readonly layerNormBackward: typeof layerNormBackward = (dy, x, options) =>
    layerNormBackwardOn(this.#owner, dy, x, options);
  readonly tensor: typeof tensor = (data, shape, dtype) => tensorOn(this.#owner, data, shape, dtype);

  constructor(owner: HeapOwner) {
    super();
    this.#owner = owner;
  }

  info(): Info {
    return infoOf(this.#owner);
  }

  dispose(): void {
    this.#owner.dispose();
  }
}

/**
 * Makes an engine: the same functions over a memory of their own. All engines share one compiled module.
 *
 * @example
 * ```ts
 * using engine = await createEngine({ maxMemory: 64 * 2 ** 20 });
 * const y = engine.layerNorm(x);
 * ```
 *
 * @param options - see {@link EngineOptions}
 * @returns the engine, to be disposed of with `using` or {@link Engine.dispose}
 * @throws {@link LayerNormError} `ERR_ARGUMENT`, `ERR_OUT_OF_MEMORY`; `ERR_LOAD` when the module cannot be compiled or is
 * of another version
 */
export async function createEngine(options: EngineOptions = {}): Promise<Engine> {
  const operation = 'createEngine';
  checkOptions(operation, options, OPTION_NAMES);
  const module = options.module ?? undefined;
  if (module !== undefined && Object.prototype.toString.call(module) !== '[object WebAssembly.Module]') {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `${operation}: module is ${describe(module)}, expected a compiled WebAssembly.Module`,
    );
  }
  return new OwnEngine(new HeapOwner(instantiate(operation, module, options.maxMemory ?? undefined)));
}

/**
 * Says what the functions that are exported on their own run on. Loads the WebAssembly module if no call has done so yet.
 * @throws {@link LayerNormError} `ERR_LOAD`
 */
export function info(): Info {
  return infoOf(defaultHeapOwner());
}

function infoOf(owner: HeapOwner): Info {
  const heap = owner.heap('info');
  return {
    variant: 'simd',
    threads: 1,
    reason: 'this release runs on one thread',
    version,
    memoryBytes: heap.memory.buffer.byteLength,
    liveTensors: heap.liveTensors,
  };
}
