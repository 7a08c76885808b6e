import {
  createKernels,
  type KernelArguments,
  type KernelName,
  type Kernels,
  STACK_BYTES,
} from '../kernels.js';
import { LayerNormError } from '../runtime/errors.js';
import type { TensorInfo, WasmBackend } from './tensorflow.js';

/** What a call of a kernel takes besides its arrays. */
export type Settings = { readonly shape: readonly number[] } & Readonly<Record<string, unknown>>;

/** The kernels in the heap of TensorFlow.js: its tensors are normalized where they are. */
class Host {
  readonly #backend: WasmBackend;
  readonly #kernels: Kernels;

  constructor(backend: WasmBackend) {
    this.#backend = backend;
    const { wasmMemory, asm } = backend.wasm;
    const memory = wasmMemory ?? asm?.memory;
    if (!memory) {
      throw new LayerNormError(
        'ERR_LOAD',
        "layernorm/tfjs: the backend 'wasm' shows no memory, expected TensorFlow.js 4.10 or newer",
      );
    }
    // It stays with the backend, which frees all of its memory at once when it is disposed of.
    const stack = { address: allocate(backend, STACK_BYTES), bytes: STACK_BYTES };
    this.#kernels = createKernels({ memory, stack });
  }

  run(
    name: KernelName,
    inputs: Readonly<Record<string, TensorInfo>>,
    outputs: Readonly<Record<string, readonly number[]>>,
    settings: Settings,
  ): TensorInfo[] {
    const backend = this.#backend;
    const made: TensorInfo[] = [];
    const places: Record<string, unknown> = { ...settings };
    let workspace = 0;
    try {
      for (const [key, shape] of Object.entries(outputs)) {
        const info = this.#makeOutput(shape);
        made.push(info);
        places[key] = this.#addressOf(info);
      }
      for (const [key, info] of Object.entries(inputs)) places[key] = this.#addressOf(info);
      const bytes = this.#kernels.workspaceBytes(name, settings);
      if (bytes > 0) {
        workspace = allocate(backend, bytes);
        places.workspace = { address: workspace, bytes };
      }
      const call = this.#kernels[name] as (given: KernelArguments[KernelName]) => void;
      call.call(this.#kernels, places as unknown as KernelArguments[KernelName]);
      return made;
    } catch (error) {
      for (const { dataId } of made) backend.disposeData(dataId, true);
      throw error;
    } finally {
      if (workspace !== 0) backend.wasm._free(workspace);
    }
  }

  /**
   * Calls a function that stands in for a kernel of TensorFlow.js (bindings/tensorflow.h): the addresses of its output and of its
   * inputs, then numbers.
   */
  standIn(
    name: string,
    shape: readonly number[],
    inputs: readonly TensorInfo[],
    numbers: readonly number[],
  ): TensorInfo {
    const made = this.#makeOutput(shape);
    const addresses = [made, ...inputs].map((info) => this.#addressOf(info));
    (this.#kernels.core[name] as (...values: number[]) => void)(...addresses, ...numbers);
    return made;
  }

  #makeOutput(shape: readonly number[]): TensorInfo {
    const info = this.#backend.makeOutput(shape, 'float32');
    if (this.#addressOf(info) !== 0) return info;
    this.#backend.disposeData(info.dataId, true);
    throw outOfMemory(4 * shape.reduce((a, b) => a * b, 1));
  }

  #addressOf({ dataId }: TensorInfo): number {
    return this.#backend.dataIdMap.get(dataId).memoryOffset as number;
  }
}

function allocate({ wasm }: WasmBackend, bytes: number): number {
  const address = wasm._malloc(bytes);
  if (address !== 0) return address;
  throw outOfMemory(bytes);
}

function outOfMemory(bytes: number): LayerNormError {
  return new LayerNormError('ERR_OUT_OF_MEMORY', `layernorm/tfjs: TensorFlow.js has no ${bytes} bytes left`);
}

/** One for each backend: TensorFlow.js may dispose of it and make another one. */
const hosts = new WeakMap<WasmBackend, Host>();

export function hostOf(backend: WasmBackend): Host {
  let host = hosts.get(backend);
  if (!host) {
    host = new Host(backend);
    hosts.set(backend, host);
  }
  return host;
}
