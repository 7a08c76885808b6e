import { describe, LayerNormError } from '../runtime/errors.js';
import { checkTensorFlow } from './check.js';
import { registerKernels } from './kernels.js';
import { ARGUMENTS, CLASS_NAMES, type ClassName, type LayerClass, makeLayers } from './layers.js';
import { makeOps, type Ops } from './ops.js';
import type { SymbolicTensor, Tensor, TensorFlow } from './tensorflow.js';

/** Options of {@link install}. */
export interface InstallOptions {
  /**
   * Whether models that are loaded get these layers in place of TensorFlow.js' own `LayerNormalization` and `BatchNormalization`.
   * What `tf.layers.layerNormalization()` makes is its own in any case.
   * @defaultValue true
   */
  replaceBuiltin?: boolean | null;
}

type AnyLayer = InstanceType<TensorFlow['layers']['Layer']>;
type AnySequential = InstanceType<TensorFlow['Sequential']>;

/** Makes a layer, or applies it at once. `Args` are Keras' arguments in camelCase. */
export interface LayerFactory<Args> {
  /** The same model, with the layer added. */
  (model: AnySequential, args?: Args): AnySequential;
  /** What the layer makes of the tensor. */
  (x: SymbolicTensor, args?: Args): SymbolicTensor;
  (x: Tensor, args?: Args): Tensor;
  /** A layer. */
  (args?: Args): AnyLayer;
}

type Identifier = string | object | null;

/** What every layer of TensorFlow.js takes. */
interface LayerArgs {
  name?: string;
  trainable?: boolean;
  inputShape?: (number | null)[];
  batchInputShape?: (number | null)[];
  batchSize?: number;
  dtype?: 'float32';
  weights?: Tensor[];
}

interface AffineArgs {
  center?: boolean;
  scale?: boolean;
  betaInitializer?: Identifier;
  gammaInitializer?: Identifier;
  betaRegularizer?: Identifier;
  gammaRegularizer?: Identifier;
  betaConstraint?: Identifier;
  gammaConstraint?: Identifier;
}

/** Arguments of {@link Layers.layerNormalization}. */
export interface LayerNormalizationArgs extends LayerArgs, AffineArgs {
  /** @defaultValue -1 */
  axis?: number | number[];
  /** @defaultValue 1e-3 */
  epsilon?: number;
  /** @defaultValue false */
  rmsScaling?: boolean;
}

/** Arguments of {@link Layers.rmsNormalization}. */
export interface RmsNormalizationArgs extends LayerArgs {
  /** @defaultValue -1 */
  axis?: number | number[];
  /** @defaultValue 1e-6 */
  epsilon?: number;
}

/** Arguments of {@link Layers.unitNormalization}. */
export interface UnitNormalizationArgs extends LayerArgs {
  /** @defaultValue -1 */
  axis?: number | number[];
  /** @defaultValue 1e-12 */
  epsilon?: number;
}

/** Arguments of {@link Layers.groupNormalization}. */
export interface GroupNormalizationArgs extends LayerArgs, AffineArgs {
  /**
   * -1 for as many as there are channels: instance normalization.
   * @defaultValue 32
   */
  groups?: number;
  /** @defaultValue -1 */
  axis?: number;
  /** @defaultValue 1e-3 */
  epsilon?: number;
}

/** Arguments of {@link Layers.batchNormalization}. */
export interface BatchNormalizationArgs extends LayerArgs, AffineArgs {
  /** @defaultValue -1 */
  axis?: number;
  /** @defaultValue 1e-3 */
  epsilon?: number;
  /** @defaultValue 0.99 */
  momentum?: number;
  movingMeanInitializer?: Identifier;
  movingVarianceInitializer?: Identifier;
}

/** Arguments of {@link Layers.spectralNormalization}. */
export interface SpectralNormalizationArgs extends LayerArgs {
  /** The layer whose kernel, or embeddings, are normalized. */
  layer: AnyLayer;
  /** @defaultValue 1 */
  powerIterations?: number;
}

/** The layers for one TensorFlow.js. */
export interface Layers {
  readonly layerNormalization: LayerFactory<LayerNormalizationArgs>;
  readonly rmsNormalization: LayerFactory<RmsNormalizationArgs>;
  readonly batchNormalization: LayerFactory<BatchNormalizationArgs>;
  readonly groupNormalization: LayerFactory<GroupNormalizationArgs>;
  readonly unitNormalization: LayerFactory<UnitNormalizationArgs>;
  readonly spectralNormalization: LayerFactory<SpectralNormalizationArgs>;
  /** The operations as functions of tensors: for layers of one's own. */
  readonly ops: Ops;
  /** The classes, by Keras' names: for `instanceof`, and to derive one's own from. */
  readonly classes: Readonly<Record<ClassName, LayerClass>>;
}

/** The package that TensorFlow.js files the classes under. */
const PACKAGE = 'layernorm';

const installed = new WeakMap<object, Layers>();

/**
 * Makes the normalization layers of Keras for TensorFlow.js, on the kernels of this package: in the heap of its backend `wasm`
 * without copies, on its backend `cpu`, and put together from operations of TensorFlow.js on all others. They train in
 * `model.fit`, are saved and loaded with their models, and compute in float32.
 *
 * @param tf - TensorFlow.js 4.10 or newer: `import * as tf from '@tensorflow/tfjs'`, or `{ ...tfjsCore, ...tfjsLayers }`
 * @param options - see {@link InstallOptions}
 * @returns factories; the same for the same `tf`
 * @throws {@link LayerNormError} `ERR_ARGUMENT` when `tf` is something else
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { install } from 'layernorm/tfjs';
 *
 * const { layerNormalization } = install(tf);
 * const model = tf.sequential();
 * model.add(tf.layers.dense({ units: 64, activation: 'relu', inputShape: [10] }));
 * model.add(layerNormalization({ axis: -1 }));
 * ```
 */
export function install(tf: TensorFlow, options?: InstallOptions | null): Layers {
  const replaceBuiltin = readOptions(options);
  checkTensorFlow('install', tf, ['layers', 'engine', 'customGrad', 'registerKernel', 'serialization']);
  let layers = installed.get(tf.layers.Layer);
  if (!layers) {
    registerKernels(tf);
    layers = makeFactories(tf);
    installed.set(tf.layers.Layer, layers);
    for (const name of CLASS_NAMES) {
      const isBuiltin = name === 'LayerNormalization' || name === 'BatchNormalization';
      if (!isBuiltin) register(tf, layers.classes[name]);
    }
  }
  if (replaceBuiltin) {
    register(tf, layers.classes.LayerNormalization);
    register(tf, layers.classes.BatchNormalization);
  }
  return layers;
}

function readOptions(options: unknown): boolean {
  const given = options ?? {};
  if (typeof given !== 'object' || Array.isArray(given)) {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `install: options is ${describe(given)}, expected an object such as { replaceBuiltin: false }`,
    );
  }
  const unknown = Object.keys(given).find((key) => key !== 'replaceBuiltin');
  if (unknown !== undefined) {
    throw new LayerNormError('ERR_ARGUMENT', `install: unknown option '${unknown}', expected replaceBuiltin`);
  }
  const { replaceBuiltin } = given as { replaceBuiltin?: unknown };
  if (replaceBuiltin === undefined || replaceBuiltin === null) return true;
  if (typeof replaceBuiltin === 'boolean') return replaceBuiltin;
  throw new LayerNormError(
    'ERR_ARGUMENT',
    `install: replaceBuiltin is ${describe(replaceBuiltin)}, expected true or false`,
  );
}

function register(tf: TensorFlow, layerClass: LayerClass): void {
  tf.serialization.registerClass(layerClass as never, PACKAGE);
}

function makeFactories(tf: TensorFlow): Layers {
  const classes = makeLayers(tf);
  const factory = (name: ClassName): never => {
    const make = (args: unknown): AnyLayer => {
      checkArguments(name, args);
      return new classes[name]((args ?? {}) as never);
    };
    const build = (first?: unknown, second?: unknown): unknown => {
      if (first instanceof tf.Sequential) {
        first.add(make(second));
        return first;
      }
      if (first instanceof tf.SymbolicTensor) return make(second).apply(first);
      if (first instanceof tf.Tensor) return applyOnce(make(second), first, second);
      return make(first);
    };
    return build as never;
  };
  return {
    layerNormalization: factory('LayerNormalization'),
    rmsNormalization: factory('RMSNormalization'),
    batchNormalization: factory('BatchNormalization'),
    groupNormalization: factory('GroupNormalization'),
    unitNormalization: factory('UnitNormalization'),
    spectralNormalization: factory('SpectralNormalization'),
    ops: makeOps(tf),
    classes,
  };
}

/** Nobody has the layer afterwards: its weights go, but for those of a layer that was given. */
function applyOnce(layer: AnyLayer, x: Tensor, args: unknown): unknown {
  try {
    return layer.apply(x);
  } finally {
    const others = (args as { layer?: AnyLayer } | null | undefined)?.layer?.weights ?? [];
    for (const weight of layer.weights) if (!others.includes(weight)) weight.dispose();
  }
}

/** TensorFlow.js ignores what it does not know; a misspelled argument would do nothing. */
function checkArguments(name: ClassName, args: unknown): void {
  if (args === undefined || args === null) return;
  // What has methods is a model or a layer, or a tensor or Sequential of another copy of TensorFlow.js.
  if (typeof args !== 'object' || Object.getPrototypeOf(Object.getPrototypeOf(args) ?? {}) !== null) {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `${name}: got ${describe(args)}, expected arguments such as { axis: -1 }, a tensor or a Sequential of the same TensorFlow.js`,
    );
  }
  const unknown = Object.keys(args).find((key) => !ARGUMENTS[name].includes(key));
  if (unknown === undefined) return;
  throw new LayerNormError(
    'ERR_ARGUMENT',
    `${name}: unknown argument '${unknown}', expected ${ARGUMENTS[name].join(', ')}`,
  );
}
