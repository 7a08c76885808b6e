// Every operation as a kernel of TensorFlow.js, for its backends `wasm` and `cpu`.

import {
  batchNormBackward,
  batchNormForward,
  groupNormBackward,
  groupNormForward,
  layerNormBackward,
  layerNormForward,
  rmsNormBackward,
  rmsNormForward,
  spectralNorm,
  unitNormBackward,
  unitNormForward,
} from '../index.js';
import { hostOf, type Settings } from './host.js';
import type { CpuBackend, KernelFunc, Tensor, TensorFlow, TensorInfo, WasmBackend } from './tensorflow.js';

type Arrays = Record<string, Float32Array>;

/** The operations that layers need, as the package computes them from arrays: for the backend `cpu`. */
const FUNCTIONS = {
  layerNormForward: ({ x, ...given }, settings) =>
    layerNormForward(x as Float32Array, { ...settings, ...given }),
  layerNormBackward: ({ dy, x, ...given }, settings, outputs) =>
    layerNormBackward(dy as Float32Array, x as Float32Array, { ...settings, ...given, outputs } as never),
  rmsNormForward: ({ x, ...given }, settings) => rmsNormForward(x as Float32Array, { ...settings, ...given }),
  rmsNormBackward: ({ dy, x, ...given }, settings, outputs) =>
    rmsNormBackward(dy as Float32Array, x as Float32Array, { ...settings, ...given, outputs } as never),
  unitNormForward: ({ x }, settings) => unitNormForward(x as Float32Array, settings),
  unitNormBackward: ({ dy, x, ...given }, settings) =>
    unitNormBackward(dy as Float32Array, x as Float32Array, { ...settings, ...given } as never),
  batchNormForward: ({ x, ...given }, settings) =>
    batchNormForward(x as Float32Array, { ...settings, ...given } as never),
  batchNormInference: ({ x, ...given }, settings) =>
    batchNormForward(x as Float32Array, { ...settings, ...given } as never),
  batchNormBackward: ({ dy, x, ...given }, settings, outputs) =>
    batchNormBackward(dy as Float32Array, x as Float32Array, { ...settings, ...given, outputs } as never),
  groupNormForward: ({ x, ...given }, settings) =>
    groupNormForward(x as Float32Array, { ...settings, ...given } as never),
  groupNormBackward: ({ dy, x, ...given }, settings, outputs) =>
    groupNormBackward(dy as Float32Array, x as Float32Array, { ...settings, ...given, outputs } as never),
  spectralNormForward: ({ kernel, u }, settings) => {
    const result = spectralNorm(kernel as Float32Array, { ...settings, u } as never) as unknown as Arrays;
    return { y: result.kernel, uOut: result.u };
  },
} satisfies Record<
  string,
  (given: Arrays, settings: Settings & { shape: number[] }, outputs: string[]) => unknown
>;

export type FusedName = keyof typeof FUNCTIONS;

/** What a kernel gets besides its tensors. */
interface Attributes {
  /** Which results are wanted, in this order, and their shapes. */
  readonly outputs: Readonly<Record<string, readonly number[]>>;
  readonly settings: Settings;
}

/** In the registry of TensorFlow.js, which is one for all of its copies. */
const kernelName = (name: FusedName): string => `layernorm/${name}`;

const onWasm =
  (name: FusedName): KernelFunc =>
  ({ inputs, backend, attrs }) => {
    const { outputs, settings } = attrs as unknown as Attributes;
    return hostOf(backend as unknown as WasmBackend).run(
      name,
      inputs as Record<string, TensorInfo>,
      outputs,
      settings,
    );
  };

const onCpu =
  (name: FusedName): KernelFunc =>
  ({ inputs, backend, attrs }) => {
    const { outputs, settings } = attrs as unknown as Attributes;
    const cpu = backend as unknown as CpuBackend;
    const given: Arrays = {};
    for (const [key, { dataId }] of Object.entries(inputs as Record<string, TensorInfo>)) {
      // A cast keeps the array of integers on this backend.
      const values = cpu.readSync(dataId);
      given[key] = values instanceof Float32Array ? values : Float32Array.from(values);
    }
    const results = FUNCTIONS[name](
      given,
      { ...settings, shape: [...settings.shape] },
      Object.keys(outputs),
    ) as unknown as Arrays;
    return Object.entries(outputs).map(([key, sizes]) =>
      cpu.makeTensorInfo(sizes, 'float32', results[key] as Float32Array),
    );
  };

const BACKENDS: Readonly<Record<string, (name: FusedName) => KernelFunc>> = { wasm: onWasm, cpu: onCpu };

/** Registers the kernels where they are not yet. */
export function registerKernels(tf: TensorFlow): void {
  for (const [backendName, make] of Object.entries(BACKENDS)) {
    for (const name of Object.keys(FUNCTIONS) as FusedName[]) {
      if (tf.getKernel(kernelName(name), backendName)) continue;
      tf.registerKernel({ kernelName: kernelName(name), backendName, kernelFunc: make(name) });
    }
  }
}

/** Whether the backend that is in use has the kernels. On others operations are put together from those of TensorFlow.js. */
export function hasKernels(tf: TensorFlow): boolean {
  return tf.getKernel(kernelName('layerNormForward'), tf.getBackend()) !== undefined;
}

/** Runs a kernel on the backend that is in use. */
export function runFused(
  tf: TensorFlow,
  name: FusedName,
  inputs: Readonly<Record<string, Tensor | undefined>>,
  outputs: Attributes['outputs'],
  settings: Settings,
): Tensor[] {
  const given = Object.fromEntries(Object.entries(inputs).filter(([, tensor]) => tensor !== undefined));
  const attributes = { outputs, settings } as never;
  return tf.engine().runKernel(kernelName(name), given as never, attributes) as Tensor[];
}
