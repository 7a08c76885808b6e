import { type CoreModule, checkStatus, type DType, type Instance } from './core_module.js';
import { LayerNormError } from './errors.js';
import { instantiate } from './load.js';
import type { EngineThreads } from './threads.js';

/** Most dimensions that the core takes: one bit each in a mask of axes. */
export const MAX_RANK = 32;

/** Bytes of one element. */
export const BYTES_PER_ELEMENT: Readonly<Record<DType, number>> = {
  float32: 4,
  float64: 8,
  float16: 2,
  bfloat16: 2,
};

/** A view of the memory. Elements of 16 bits are seen as their bits. */
export type HeapView = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer> | Uint16Array<ArrayBuffer>;

/** The least that the scratch block has: more than any call on a small array needs, well below the initial memory. */
const LEAST_SCRATCH_BYTES = 192 * 1024;

/** Memories by the buffers that they have had: growth leaves those of a shared one usable, as shorter views of the same bytes. */
const memories = /* @__PURE__ */ new WeakMap<ArrayBufferLike, WebAssembly.Memory>();

/** What two arrays have in common that lie in the same memory. */
export function memoryOf(buffer: ArrayBufferLike): object {
  return memories.get(buffer) ?? buffer;
}

/**
 * The memory of one instance of the core: blocks, views, and the one block that calls share as scratch.
 * Growth makes every view stale, so views are fetched anew after anything that may allocate.
 */
export class Heap {
  readonly core: CoreModule;
  readonly memory: WebAssembly.Memory;
  /** Tensors that own a block. */
  liveTensors = 0;
  /** Where a call puts the sizes of its dimensions: {@link MAX_RANK} of uint32. */
  readonly dims: number;

  #float32!: Float32Array<ArrayBuffer>;
  #float64!: Float64Array<ArrayBuffer>;
  #uint32!: Uint32Array<ArrayBuffer>;
  #scratch = 0;
  #scratchBytes = 0;

  constructor(instance: Instance) {
    this.core = instance.core;
    this.memory = instance.memory;
    this.#renewViews();
    this.dims = this.allocate('load', MAX_RANK * Uint32Array.BYTES_PER_ELEMENT);
    this.scratch('load', LEAST_SCRATCH_BYTES);
  }

  /** Writes the sizes of the dimensions to {@link dims}, where the core reads them. */
  writeDims(sizes: readonly number[]): void {
    const start = this.dims / Uint32Array.BYTES_PER_ELEMENT;
    for (let i = 0; i < sizes.length; i++) this.#uint32[start + i] = sizes[i] as number;
  }

  /** {@link writeDims} for a matrix. */
  writeRows(rows: number, columns: number): void {
    const start = this.dims / Uint32Array.BYTES_PER_ELEMENT;
    this.#uint32[start] = rows;
    this.#uint32[start + 1] = columns;
  }

  /** The whole memory in elements of `dtype`. Not to be kept across an allocation. */
  elements(dtype: DType): HeapView {
    if (dtype === 'float32') return this.#float32;
    return dtype === 'float64' ? this.#float64 : new Uint16Array(this.memory.buffer);
  }

  /** A new view of `length` elements at `address`. Valid until the memory grows. */
  view(dtype: DType, address: number, length: number): HeapView {
    this.#renewViews(); // threads that start take memory, too
    const View = dtype === 'float32' ? Float32Array : dtype === 'float64' ? Float64Array : Uint16Array;
    return new View(this.memory.buffer, address, length);
  }

  /**
   * @returns address of a new block, aligned to 64 bytes
   * @throws {@link LayerNormError} `ERR_OUT_OF_MEMORY`
   */
  allocate(operation: string, bytes: number): number {
    const address = this.#tryAllocate(bytes);
    if (address === 0) throw this.#outOfMemory(operation, bytes);
    return address;
  }

  release(address: number): void {
    this.core.release(address);
  }

  /**
   * The block that all calls share, grown when it is smaller than `bytes`, which may be 0. Its content does not survive the
   * call.
   * @throws {@link LayerNormError} `ERR_OUT_OF_MEMORY`
   */
  scratch(operation: string, bytes: number): number {
    const address = this.tryScratch(bytes);
    if (address === 0) throw this.#outOfMemory(operation, bytes);
    return address;
  }

  /** How large the scratch block may be asked for without growing the memory. */
  get scratchBytes(): number {
    return this.#scratchBytes;
  }

  /** As {@link scratch}, but 0 when the memory cannot grow that far. */
  tryScratch(bytes: number): number {
    if (bytes > this.#scratchBytes || this.#scratch === 0) {
      // Released first: the new block may then take its place.
      if (this.#scratch !== 0) this.release(this.#scratch);
      const wanted = Math.max(bytes, LEAST_SCRATCH_BYTES);
      this.#scratch = this.#tryAllocate(wanted);
      this.#scratchBytes = this.#scratch === 0 ? 0 : wanted;
    }
    return this.#scratch;
  }

  /** Throws the error that a kernel's status stands for, if it is one. */
  check(operation: string, status: number): void {
    checkStatus(this.core, this.memory, operation, status);
  }

  /** Whether an array with this buffer lies in this memory. */
  owns(buffer: ArrayBufferLike): boolean {
    return memoryOf(buffer) === this.memory;
  }

  /** Addresses end at 4 GiB: what lies beyond would wrap around on its way into the core. */
  #tryAllocate(bytes: number): number {
    const address = bytes < 2 ** 32 ? this.core.allocate(bytes) : 0;
    this.#renewViews();
    return address;
  }

  /** After the memory may have grown. */
  #renewViews(): void {
    const { buffer } = this.memory;
    if (buffer === this.#float32?.buffer) return;
    memories.set(buffer, this.memory);
    this.#float32 = new Float32Array(buffer);
    this.#float64 = new Float64Array(buffer);
    this.#uint32 = new Uint32Array(buffer);
  }

  #outOfMemory(operation: string, bytes: number): LayerNormError {
    return new LayerNormError(
      'ERR_OUT_OF_MEMORY',
      `${operation}: ${bytes} bytes are needed, which the WebAssembly memory, now ${this.memory.buffer.byteLength} bytes ` +
        'large, cannot grow by',
    );
  }
}

/**
 * A heap that can be given up as a whole: what engines are made on. Where an engine has threads, they have a heap of their own,
 * in which new tensors lie. Arrays go on passing through the first: copying to and from a shared memory takes engines two to
 * four times as long, which is more than threads win.
 */
export class HeapOwner {
  /** The owner that the engine began with; itself, if this is it. */
  readonly engine: HeapOwner;
  /** Of an engine: what was loaded for its threads. */
  threads: EngineThreads | undefined;
  /** Of an engine: why nothing was loaded. */
  reason = "nobody has asked for threads: await configure({ threads: 'auto' })";
  #heap: Heap | undefined;

  constructor(instance: Instance, engine?: HeapOwner) {
    this.#heap = new Heap(instance);
    this.engine = engine ?? this;
  }

  get disposed(): boolean {
    return this.#heap === undefined;
  }

  /** The owner in whose heap new tensors of the engine lie. */
  get forTensors(): HeapOwner {
    return this.threads?.owner ?? this;
  }

  /** @throws {@link LayerNormError} `ERR_DISPOSED` once {@link dispose} has been called */
  heap(operation: string): Heap {
    if (this.#heap === undefined) {
      throw new LayerNormError('ERR_DISPOSED', `${operation}: the engine has been disposed`);
    }
    return this.#heap;
  }

  /** Lets go of the memory, so that the garbage collector can take it. */
  dispose(): void {
    this.threads?.dispose();
    this.#heap = undefined;
  }
}

let defaultOwner: HeapOwner | undefined;

/** The heap behind the functions that are exported on their own: made on the first call, never disposed. */
export function defaultHeapOwner(): HeapOwner {
  defaultOwner ??= new HeapOwner(instantiate('load'));
  return defaultOwner;
}
