import version from '#version';
import type { batchNorm, batchNormForward } from './ops/batch_norm.js';
import { batchNormForwardOn, batchNormOn } from './ops/batch_norm.js';
import type { batchNormBackward } from './ops/batch_norm_backward.js';
import { batchNormBackwardOn } from './ops/batch_norm_backward.js';
import type { groupNorm, groupNormForward } from './ops/group_norm.js';
import { groupNormForwardOn, groupNormOn } from './ops/group_norm.js';
import type { groupNormBackward } from './ops/group_norm_backward.js';
import { groupNormBackwardOn } from './ops/group_norm_backward.js';
import type { instanceNorm, instanceNormBackward, instanceNormForward } from './ops/instance_norm.js';
import { instanceNormBackwardOn, instanceNormForwardOn, instanceNormOn } from './ops/instance_norm.js';
import type { layerNorm, layerNormForward } from './ops/layer_norm.js';
import { layerNormForwardOn, layerNormOn } from './ops/layer_norm.js';
import type { layerNormBackward } from './ops/layer_norm_backward.js';
import { layerNormBackwardOn } from './ops/layer_norm_backward.js';
import type { matryoshka } from './ops/matryoshka.js';
import { matryoshkaOn } from './ops/matryoshka.js';
import type { moments } from './ops/moments.js';
import { momentsOn } from './ops/moments.js';
import { checkOptions, readFlag } from './ops/options.js';
import type { rmsNorm, rmsNormForward } from './ops/rms_norm.js';
import { rmsNormForwardOn, rmsNormOn } from './ops/rms_norm.js';
import type { rmsNormBackward } from './ops/rms_norm_backward.js';
import { rmsNormBackwardOn } from './ops/rms_norm_backward.js';
import type {
  skipLayerNorm,
  skipLayerNormForward,
  skipRmsNorm,
  skipRmsNormForward,
} from './ops/skip_layer_norm.js';
import {
  skipLayerNormForwardOn,
  skipLayerNormOn,
  skipRmsNormForwardOn,
  skipRmsNormOn,
} from './ops/skip_layer_norm.js';
import type { spectralNorm, spectralNormBackward } from './ops/spectral_norm.js';
import { spectralNormBackwardOn, spectralNormOn } from './ops/spectral_norm.js';
import type { unitNorm, unitNormForward } from './ops/unit_norm.js';
import { unitNormForwardOn, unitNormOn } from './ops/unit_norm.js';
import type { unitNormBackward } from './ops/unit_norm_backward.js';
import { unitNormBackwardOn } from './ops/unit_norm_backward.js';
import { describe, LayerNormError } from './runtime/errors.js';
import { defaultHeapOwner, HeapOwner } from './runtime/heap.js';
import { instantiate } from './runtime/load.js';
import { type Info, readThreads, useThreads } from './runtime/threads.js';
import { Disposing, type UsingDisposable } from './tensor/disposable.js';
import type { tensor } from './tensor/tensor.js';
import { tensorOn } from './tensor/tensor.js';

/** `WebAssembly.Module` where the user's TypeScript knows it: neither its `lib` without the DOM nor Node's types do. */
export type CompiledModule = typeof globalThis extends {
  WebAssembly: { Module: new (bytes: never) => infer Module };
}
  ? Module
  : object;

/** Options of {@link configure}. */
export interface ThreadOptions {
  /**
   * How many threads may work on a call, the calling one included: 1 to 32, or 'auto' for half of the processors, at least one
   * and at most four.
   * @defaultValue 1
   */
  threads?: number | 'auto' | null;
  /**
   * Whether to reject with `ERR_THREADS_UNAVAILABLE` where the threads cannot start, rather than to go on with one.
   * @defaultValue false
   */
  requireThreads?: boolean | null;
}

/** Options of {@link createEngine}. */
export interface EngineOptions extends ThreadOptions {
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
const THREAD_OPTION_NAMES: Record<keyof ThreadOptions, true> = { threads: true, requireThreads: true };
const OPTION_NAMES: Record<keyof EngineOptions, true> = {
  ...THREAD_OPTION_NAMES,
  maxMemory: true,
  module: true,
};

/** The functions of this package over a memory of their own, which goes when the engine does. */
export interface Engine extends UsingDisposable {
  /** `layerNorm` in this engine's memory. */
  readonly layerNorm: typeof layerNorm;
  /** `layerNormForward` in this engine's memory. */
  readonly layerNormForward: typeof layerNormForward;
  /** `layerNormBackward` in this engine's memory. */
  readonly layerNormBackward: typeof layerNormBackward;
  /** `batchNorm` in this engine's memory. */
  readonly batchNorm: typeof batchNorm;
  /** `batchNormForward` in this engine's memory. */
  readonly batchNormForward: typeof batchNormForward;
  /** `batchNormBackward` in this engine's memory. */
  readonly batchNormBackward: typeof batchNormBackward;
  /** `groupNorm` in this engine's memory. */
  readonly groupNorm: typeof groupNorm;
  /** `groupNormForward` in this engine's memory. */
  readonly groupNormForward: typeof groupNormForward;
  /** `groupNormBackward` in this engine's memory. */
  readonly groupNormBackward: typeof groupNormBackward;
  /** `instanceNorm` in this engine's memory. */
  readonly instanceNorm: typeof instanceNorm;
  /** `instanceNormForward` in this engine's memory. */
  readonly instanceNormForward: typeof instanceNormForward;
  /** `instanceNormBackward` in this engine's memory. */
  readonly instanceNormBackward: typeof instanceNormBackward;
  /** `matryoshka` in this engine's memory. */
  readonly matryoshka: typeof matryoshka;
  /** `moments` in this engine's memory. */
  readonly moments: typeof moments;
  /** `rmsNorm` in this engine's memory. */
  readonly rmsNorm: typeof rmsNorm;
  /** `rmsNormForward` in this engine's memory. */
  readonly rmsNormForward: typeof rmsNormForward;
  /** `rmsNormBackward` in this engine's memory. */
  readonly rmsNormBackward: typeof rmsNormBackward;
  /** `unitNorm` in this engine's memory. */
  readonly unitNorm: typeof unitNorm;
  /** `unitNormForward` in this engine's memory. */
  readonly unitNormForward: typeof unitNormForward;
  /** `unitNormBackward` in this engine's memory. */
  readonly unitNormBackward: typeof unitNormBackward;
  /** `skipLayerNorm` in this engine's memory. */
  readonly skipLayerNorm: typeof skipLayerNorm;
  /** `skipLayerNormForward` in this engine's memory. */
  readonly skipLayerNormForward: typeof skipLayerNormForward;
  /** `skipRmsNorm` in this engine's memory. */
  readonly skipRmsNorm: typeof skipRmsNorm;
  /** `skipRmsNormForward` in this engine's memory. */
  readonly skipRmsNormForward: typeof skipRmsNormForward;
  /** `spectralNorm` in this engine's memory. */
  readonly spectralNorm: typeof spectralNorm;
  /** `spectralNormBackward` in this engine's memory. */
  readonly spectralNormBackward: typeof spectralNormBackward;
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
  readonly batchNorm: typeof batchNorm = (x, options) => batchNormOn(this.#owner, x, options);
  readonly batchNormForward: typeof batchNormForward = (x, options) =>
    batchNormForwardOn(this.#owner, x, options);
  readonly batchNormBackward: typeof batchNormBackward = (dy, x, options) =>
    batchNormBackwardOn(this.#owner, dy, x, options);
  readonly groupNorm: typeof groupNorm = (x, options) => groupNormOn(this.#owner, x, options);
  readonly groupNormForward: typeof groupNormForward = (x, options) =>
    groupNormForwardOn(this.#owner, x, options);
  readonly groupNormBackward: typeof groupNormBackward = (dy, x, options) =>
    groupNormBackwardOn(this.#owner, dy, x, options);
  readonly instanceNorm: typeof instanceNorm = (x, options) => instanceNormOn(this.#owner, x, options);
  readonly instanceNormForward: typeof instanceNormForward = (x, options) =>
    instanceNormForwardOn(this.#owner, x, options);
  readonly instanceNormBackward: typeof instanceNormBackward = (dy, x, options) =>
    instanceNormBackwardOn(this.#owner, dy, x, options);
  readonly matryoshka: typeof matryoshka = (x, options) => matryoshkaOn(this.#owner, x, options);
  readonly moments: typeof moments = (x, options) => momentsOn(this.#owner, x, options);
  readonly rmsNorm: typeof rmsNorm = (x, options) => rmsNormOn(this.#owner, x, options);
  readonly rmsNormForward: typeof rmsNormForward = (x, options) => rmsNormForwardOn(this.#owner, x, options);
  readonly rmsNormBackward: typeof rmsNormBackward = (dy, x, options) =>
    rmsNormBackwardOn(this.#owner, dy, x, options);
  readonly unitNorm: typeof unitNorm = (x, options) => unitNormOn(this.#owner, x, options);
  readonly unitNormForward: typeof unitNormForward = (x, options) =>
    unitNormForwardOn(this.#owner, x, options);
  readonly unitNormBackward: typeof unitNormBackward = (dy, x, options) =>
    unitNormBackwardOn(this.#owner, dy, x, options);
  readonly skipLayerNorm: typeof skipLayerNorm = (x, skip, options) =>
    skipLayerNormOn(this.#owner, x, skip, options);
  readonly skipLayerNormForward: typeof skipLayerNormForward = (x, skip, options) =>
    skipLayerNormForwardOn(this.#owner, x, skip, options);
  readonly skipRmsNorm: typeof skipRmsNorm = (x, skip, options) =>
    skipRmsNormOn(this.#owner, x, skip, options);
  readonly skipRmsNormForward: typeof skipRmsNormForward = (x, skip, options) =>
    skipRmsNormForwardOn(this.#owner, x, skip, options);
  readonly spectralNorm: typeof spectralNorm = (kernel, options) =>
    spectralNormOn(this.#owner, kernel, options);
  readonly spectralNormBackward: typeof spectralNormBackward = (dy, kernel, options) =>
    spectralNormBackwardOn(this.#owner, dy, kernel, options);
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
  const maxMemory = options.maxMemory ?? undefined;
  const threads = readThreads(operation, options.threads);
  const required = readFlag(operation, 'requireThreads', options.requireThreads);
  const owner = new HeapOwner(instantiate(operation, module, maxMemory));
  await useThreads(operation, owner, threads, required, maxMemory);
  return new OwnEngine(owner);
}

/** Calls of {@link configure} come one after the other. */
let configuring: Promise<unknown> = /* @__PURE__ */ Promise.resolve();

/**
 * Says how many threads may work on a call of the functions that are exported on their own. Without this, it is one. The
 * threads have started when the promise is fulfilled. Where they cannot start, everything works with one thread, and the
 * `reason` says why. Can be called again to change the number.
 *
 * Threads share the work on {@link Tensor}s that are made afterwards. Those that were there before can be used as ever, by one
 * thread, and so are arrays outside the WebAssembly memory: copying them to and from a memory that threads share takes longer
 * than threads save.
 *
 * @example
 * ```ts
 * const { threads, reason } = await configure({ threads: 'auto' });
 * ```
 *
 * @param options - see {@link ThreadOptions}
 * @returns what runs from now on
 * @throws {@link LayerNormError} `ERR_ARGUMENT`, `ERR_OUT_OF_MEMORY`; `ERR_THREADS_UNAVAILABLE` with `requireThreads`
 */
export async function configure(options: ThreadOptions = {}): Promise<Info> {
  const operation = 'configure';
  checkOptions(operation, options, THREAD_OPTION_NAMES);
  const threads = readThreads(operation, options.threads);
  const required = readFlag(operation, 'requireThreads', options.requireThreads);
  const result = configuring.then(() => useThreads(operation, defaultHeapOwner(), threads, required));
  configuring = result.catch(() => {});
  await result;
  return info();
}

/**
 * Says what the functions that are exported on their own run on. Loads the WebAssembly module if no call has done so yet.
 * @throws {@link LayerNormError} `ERR_LOAD`
 */
export function info(): Info {
  return infoOf(defaultHeapOwner());
}

function infoOf(engine: HeapOwner): Info {
  const { memory, liveTensors } = engine.heap('info');
  const one: Info = {
    variant: 'simd',
    threads: 1,
    reason: engine.reason,
    version,
    memoryBytes: memory.buffer.byteLength,
    liveTensors,
  };
  return engine.threads?.info(one) ?? one;
}
