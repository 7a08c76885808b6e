// What of TensorFlow.js is used here. It is handed in, never imported: these are types only.

import type * as core from '@tensorflow/tfjs-core';
import type * as layers from '@tensorflow/tfjs-layers';

/** The namespace of `@tensorflow/tfjs-core`. Where TypeScript takes that for CommonJS, it has a `default` of its own. */
export type TensorFlowCore = Omit<typeof core, 'default'>;

/** The namespace of `@tensorflow/tfjs`, or `{ ...tfjsCore, ...tfjsLayers }`. */
export type TensorFlow = TensorFlowCore & Omit<typeof layers, 'default'>;

export type { GradConfig, KernelConfig, KernelFunc, Tensor, TensorInfo } from '@tensorflow/tfjs-core';
export type { LayerVariable, SymbolicTensor } from '@tensorflow/tfjs-layers';

export type Shape = (number | null)[];

/** The backend `wasm`: one thread has its memory at `asm.memory`, threads at `wasmMemory`. */
export interface WasmBackend {
  readonly wasm: {
    readonly asm?: { readonly memory?: WebAssembly.Memory };
    readonly wasmMemory?: WebAssembly.Memory;
    _malloc(bytes: number): number;
    _free(address: number): void;
  };
  readonly dataIdMap: { get(id: core.DataId): { memoryOffset: number | null } };
  makeOutput(shape: readonly number[], dtype: core.DataType): core.TensorInfo;
  /** A view that the next allocation may detach. */
  typedArrayFromHeap(info: core.TensorInfo): Float32Array | Int32Array | Uint8Array;
  disposeData(id: core.DataId, force?: boolean): boolean;
}

/** The backend `cpu`. */
export interface CpuBackend {
  readSync(id: core.DataId): ArrayLike<number>;
  makeTensorInfo(shape: readonly number[], dtype: 'float32', values: Float32Array): core.TensorInfo;
}
