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
    const place = (key: string, { dataId }: TensorInfo): void => {
      places[key] = backend.dataIdMap.get(dataId).memoryOffset;
    };
    let workspace = 0;
    try {
      for (const [key, shape] of Object.entries(outputs)) {
        const info = backend.makeOutput(shape, 'float32');
        made.push(info);
        place(key, info);
        if (places[key] === 0) throw outOfMemory(4 * shape.reduce((a, b) => a * b, 1));
      }
      for (const [key, info] of Object.entries(inputs)) place(key, info);
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
