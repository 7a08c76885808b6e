// The layers, as TensorFlow.js wants them. Their classes are made for one `tf`, since they extend its `tf.layers.Layer`.

import { describe, LayerNormError } from '../runtime/errors.js';
import { formatShape, hasAxis, readAxes } from '../tensor/shape.js';
import * as operations from './operations.js';
import type { LayerVariable, Shape, Tensor, TensorFlow } from './tensorflow.js';

type Config = Record<string, unknown>;
type Layer = InstanceType<TensorFlow['layers']['Layer']>;
type Inputs = Tensor | Tensor[];
type Kwargs = Record<string, unknown>;
type Variable = ReturnType<TensorFlow['variable']>;
type Constraint = { apply(weight: Tensor): Tensor };

/** A layer class as `tf.serialization.registerClass` takes it. */
export interface LayerClass {
  new (config?: never): Layer;
  /** The name in configs. */
  readonly className: string;
  /** Makes a layer of what `getConfig` gave. */
  fromConfig(cls: never, config: never): unknown;
}

export const CLASS_NAMES = [
  'LayerNormalization',
  'RMSNormalization',
  'BatchNormalization',
  'GroupNormalization',
  'UnitNormalization',
  'SpectralNormalization',
] as const;
/** Keras' names of the layers. */
export type ClassName = (typeof CLASS_NAMES)[number];

/** What every layer of TensorFlow.js takes. */
const LAYER_ARGUMENTS = [
  ...['inputShape', 'batchInputShape', 'batchSize', 'dtype', 'name', 'trainable', 'weights', 'inputDType'],
];
const AFFINE_ARGUMENTS = [
  ...['center', 'scale', 'betaInitializer', 'gammaInitializer', 'betaRegularizer', 'gammaRegularizer'],
  ...['betaConstraint', 'gammaConstraint'],
];

/** The arguments of each class, which are Keras'. */
export const ARGUMENTS: Readonly<Record<ClassName, readonly string[]>> = {
  LayerNormalization: [...LAYER_ARGUMENTS, 'axis', 'epsilon', 'rmsScaling', ...AFFINE_ARGUMENTS],
  RMSNormalization: [...LAYER_ARGUMENTS, 'axis', 'epsilon'],
  BatchNormalization: [
    ...[...LAYER_ARGUMENTS, 'axis', 'epsilon', 'momentum', ...AFFINE_ARGUMENTS],
    ...['movingMeanInitializer', 'movingVarianceInitializer', 'synchronized'],
  ],
  GroupNormalization: [...LAYER_ARGUMENTS, 'axis', 'epsilon', 'groups', ...AFFINE_ARGUMENTS],
  UnitNormalization: [...LAYER_ARGUMENTS, 'axis', 'epsilon'],
  SpectralNormalization: [...LAYER_ARGUMENTS, 'layer', 'powerIterations'],
};

/** A layer of one input, as all of these are. */
function one<T>(className: string, inputs: T | T[]): T {
  const list = Array.isArray(inputs) ? inputs : [inputs];
  if (list.length === 1) return list[0] as T;
  throw new LayerNormError('ERR_ARGUMENT', `${className}: got ${list.length} inputs, expected one`);
}

function shapeOf(className: string, given: Shape | Shape[]): Shape {
  return Array.isArray(given[0]) ? (one(className, given as Shape[]) as Shape) : (given as Shape);
}

/** The sizes of some dimensions, which have to be known. */
function sizesOf(className: string, shape: Shape, axes: readonly number[]): number[] {
  return axes.map((axis) => {
    const size = shape[axis];
    if (typeof size === 'number') return size;
    throw new LayerNormError(
      'ERR_SHAPE',
      `${className}: axis ${axis} of x ${formatShape(shape)} has no size, which its weights need`,
    );
  });
}

function axesOf(className: string, axis: unknown, shape: readonly (number | null)[]): number[] {
  const mask = readAxes(className, axis, shape);
  return shape.map((_, d) => d).filter((d) => hasAxis(mask, d));
}

function numberOf(className: string, name: string, value: unknown, fallback: number): number {
  if (value === undefined || value === null) return fallback;
  if (Number.isFinite(value)) return value as number;
  throw refusal(className, name, value, 'a finite number');
}

function flagOf(className: string, name: string, value: unknown, fallback: boolean): boolean {
  if (value === undefined || value === null) return fallback;
  if (typeof value === 'boolean') return value;
  throw refusal(className, name, value, 'true or false');
}

function refusal(className: string, name: string, value: unknown, expected: string): LayerNormError {
  return new LayerNormError(
    'ERR_ARGUMENT',
    `${className}: ${name} is ${describe(value)}, expected ${expected}`,
  );
}

/** Keras has three classes of these regularizers, TensorFlow.js one, whose missing factors are not 0. */
function asL1L2(value: unknown): unknown {
  const isName = typeof value === 'string';
  const { className, config } = (isName ? { className: value } : value) as {
    className?: unknown;
    config?: object;
  };
  const factor = /^l[12]$/i.test(String(className)) && String(className).toLowerCase();
  if (!factor) return value;
  return { className: 'L1L2', config: { l1: 0, l2: 0, [factor]: 0.01, ...config } };
}

/** Makes the classes for one TensorFlow.js. */
export function makeLayers(tf: TensorFlow): Readonly<Record<ClassName, LayerClass>> {
  /**
   * The functions that turn names and configs of initializers, regularizers and constraints into objects, and back, are not exported;
   * a batch normalization has them all.
   */
  class Resolved {
    readonly #layer: Layer & Record<string, never>;
    readonly #names: readonly string[];

    constructor(className: string, given: Config, names: readonly string[]) {
      this.#names = names;
      const chosen = names.filter((name) => given[name] !== undefined && given[name] !== null);
      const config = Object.fromEntries(chosen.map((name) => [name, asL1L2(given[name])]));
      try {
        this.#layer = tf.layers.batchNormalization({ ...config, name: 'layernorm_resolver' }) as never;
      } catch (cause) {
        throw new LayerNormError('ERR_ARGUMENT', `${className}: ${(cause as Error).message}`, cause);
      }
    }

    get(name: string): never {
      return this.#layer[name] as never;
    }

    getConfig(): Config {
      const config = this.#layer.getConfig() as Config;
      return Object.fromEntries(this.#names.map((name) => [name, config[name] ?? null]));
    }
  }

  /** TensorFlow.js applies a constraint to what is set, but not to the steps of optimizers, which assign to the variable itself. */
  function constrain(weight: LayerVariable, constraint: Constraint): void {
    const variable = weight.read() as Variable;
    const assign = variable.assign.bind(variable);
    variable.assign = (value) => tf.tidy(() => assign(constraint.apply(value) as typeof value));
  }

  /** What all of them have in common: they keep the shape, take one input, and compute in float32. */
  abstract class Normalization extends tf.layers.Layer {
    readonly axis: number | readonly number[];
    readonly epsilon: number;

    constructor(config: Config, epsilon: number) {
      super(config as never);
      this.supportsMasking = true;
      this.axis = (config.axis ?? -1) as number | number[];
      this.epsilon = numberOf(this.getClassName(), 'epsilon', config.epsilon, epsilon);
      if (this.epsilon < 0) {
        throw refusal(this.getClassName(), 'epsilon', this.epsilon, 'a number that is not negative');
      }
    }

    override computeOutputShape(inputShape: Shape | Shape[]): Shape {
      return [...shapeOf(this.getClassName(), inputShape)];
    }

    override call(inputs: Inputs, kwargs: Kwargs): Tensor {
      return tf.tidy(() => {
        this.invokeCallHook(inputs, kwargs as never);
        const input = one(this.getClassName(), inputs);
        return this.compute(input.dtype === 'float32' ? input : tf.cast(input, 'float32'), kwargs);
      });
    }

    abstract compute(x: Tensor, kwargs: Kwargs): Tensor;

    override getConfig(): never {
      const axis = typeof this.axis === 'number' ? this.axis : [...this.axis];
      return { ...super.getConfig(), axis, epsilon: this.epsilon } as never;
    }

    axesIn(shape: readonly (number | null)[]): number[] {
      return axesOf(this.getClassName(), this.axis, shape);
    }

    axisIn(shape: readonly (number | null)[]): number {
      const axes = this.axesIn(shape);
      if (axes.length === 1) return axes[0] as number;
      throw new LayerNormError(
        'ERR_AXIS',
        `${this.getClassName()}: axis is ${describe(this.axis)}, expected one: that of the channels`,
      );
    }
  }

  /** Those with gamma and beta, each of which can be left out. */
  abstract class AffineNormalization extends Normalization {
    readonly center: boolean;
    readonly scale: boolean;
    gamma: LayerVariable | null = null;
    beta: LayerVariable | null = null;
    readonly resolved: Resolved;

    constructor(config: Config, resolved: readonly string[] = AFFINE_ARGUMENTS.slice(2)) {
      super(config, 1e-3);
      const className = this.getClassName();
      this.center = flagOf(className, 'center', config.center, true);
      this.scale = flagOf(className, 'scale', config.scale, true);
      this.resolved = new Resolved(className, config, resolved);
    }

    addAffine(sizes: number[], hasGamma = this.scale, hasBeta = this.center): void {
      if (hasGamma) this.gamma = this.addParameter('gamma', sizes);
      if (hasBeta) this.beta = this.addParameter('beta', sizes);
    }

    addParameter(name: 'gamma' | 'beta', sizes: number[]): LayerVariable {
      const [initializer, regularizer, constraint] = ['Initializer', 'Regularizer', 'Constraint'].map(
        (kind) => this.resolved.get(name + kind),
      ) as unknown as [never, never, Constraint | null];
      const weight = this.addWeight(
        name,
        sizes,
        'float32',
        initializer,
        regularizer,
        true,
        constraint as never,
      );
      if (constraint) constrain(weight, constraint);
      return weight;
    }

    get affine(): { gamma?: Tensor; beta?: Tensor } {
      const [gamma, beta] = [this.gamma?.read(), this.beta?.read()];
      return { ...(gamma && { gamma }), ...(beta && { beta }) };
    }

    override getConfig(): never {
      const { center, scale } = this;
      return { ...(super.getConfig() as Config), center, scale, ...this.resolved.getConfig() } as never;
    }
  }

  class LayerNormalization extends AffineNormalization {
    static className = 'LayerNormalization';
    readonly rmsScaling: boolean;

    constructor(config: Config = {}) {
      super(config);
      this.rmsScaling = flagOf(this.getClassName(), 'rmsScaling', config.rmsScaling, false);
    }

    override build(inputShape: Shape | Shape[]): void {
      const shape = shapeOf(this.getClassName(), inputShape);
      const sizes = sizesOf(this.getClassName(), shape, this.axesIn(shape));
      this.addAffine(sizes, this.scale || this.rmsScaling, this.center && !this.rmsScaling);
      this.built = true;
    }

    override compute(x: Tensor): Tensor {
      const { epsilon, rmsScaling, affine } = this;
      return operations.layerNorm(tf, x, { axis: this.axesIn(x.shape), epsilon, rmsScaling, ...affine });
    }

    override getConfig(): never {
      return { ...(super.getConfig() as Config), rmsScaling: this.rmsScaling } as never;
    }
  }

  class RMSNormalization extends Normalization {
    static className = 'RMSNormalization';
    scaling: LayerVariable | null = null;

    constructor(config: Config = {}) {
      super(config, 1e-6);
    }

    override build(inputShape: Shape | Shape[]): void {
      const shape = shapeOf(this.getClassName(), inputShape);
      const sizes = sizesOf(this.getClassName(), shape, this.axesIn(shape));
      this.scaling = this.addWeight('scale', sizes, 'float32', tf.initializers.ones());
      this.built = true;
    }

    override compute(x: Tensor): Tensor {
      const options = { axis: this.axesIn(x.shape), epsilon: this.epsilon };
      return operations.rmsNorm(tf, x, { ...options, gamma: this.scaling?.read() });
    }
  }

  class UnitNormalization extends Normalization {
    static className = 'UnitNormalization';

    constructor(config: Config = {}) {
      super(config, 1e-12);
    }

    override build(inputShape: Shape | Shape[]): void {
      this.axesIn(shapeOf(this.getClassName(), inputShape));
      this.built = true;
    }

    override compute(x: Tensor): Tensor {
      return operations.unitNorm(tf, x, { axis: this.axesIn(x.shape), epsilon: this.epsilon });
    }
  }

  class GroupNormalization extends AffineNormalization {
    static className = 'GroupNormalization';
    readonly groups: number;

    constructor(config: Config = {}) {
      super(config);
      this.groups = numberOf(this.getClassName(), 'groups', config.groups, 32);
      if (this.groups !== -1 && !(Number.isInteger(this.groups) && this.groups >= 1)) {
        throw refusal(this.getClassName(), 'groups', this.groups, 'an integer from 1 on, or -1');
      }
    }

    override build(inputShape: Shape | Shape[]): void {
      const shape = shapeOf(this.getClassName(), inputShape);
      this.groupsIn(shape);
      this.addAffine(sizesOf(this.getClassName(), shape, [this.axisIn(shape)]));
      this.built = true;
    }

    /** -1 stands for as many as there are channels. */
    groupsIn(shape: readonly (number | null)[]): number {
      const axis = this.axisIn(shape);
      const channels = shape[axis] ?? Number.NaN;
      const groups = this.groups === -1 ? channels : this.groups;
      if (axis !== 0 && channels % groups === 0) return groups;
      throw new LayerNormError(
        axis === 0 ? 'ERR_AXIS' : 'ERR_ARGUMENT',
        `${this.getClassName()}: groups is ${this.groups} and axis ${axis} of x ${formatShape(shape)}, expected an axis that is not ` +
          'that of the samples and a size that is a multiple of the groups',
      );
    }

    override compute(x: Tensor): Tensor {
      const groups = this.groupsIn(x.shape);
      const options = { axis: this.axisIn(x.shape), epsilon: this.epsilon, groups };
      return operations.groupNorm(tf, x, { ...options, ...this.affine });
    }

    override getConfig(): never {
      return { ...(super.getConfig() as Config), groups: this.groups } as never;
    }
  }

  class BatchNormalization extends AffineNormalization {
    static className = 'BatchNormalization';
    readonly momentum: number;
    movingMean: LayerVariable | null = null;
    movingVariance: LayerVariable | null = null;

    constructor(config: Config = {}) {
      super(config, [...AFFINE_ARGUMENTS.slice(2), 'movingMeanInitializer', 'movingVarianceInitializer']);
      this.momentum = numberOf(this.getClassName(), 'momentum', config.momentum, 0.99);
      if (config.synchronized) {
        throw refusal(this.getClassName(), 'synchronized', true, 'false: there is one replica only');
      }
    }

    override build(inputShape: Shape | Shape[]): void {
      const shape = shapeOf(this.getClassName(), inputShape);
      const sizes = sizesOf(this.getClassName(), shape, [this.axisIn(shape)]);
      this.addAffine(sizes);
      const add = (name: string, initializer: string): LayerVariable =>
        this.addWeight(name, sizes, 'float32', this.resolved.get(initializer), undefined, false);
      this.movingMean = add('moving_mean', 'movingMeanInitializer');
      this.movingVariance = add('moving_variance', 'movingVarianceInitializer');
      this.built = true;
    }

    override compute(x: Tensor, kwargs: Kwargs): Tensor {
      const [movingMean, movingVariance] = [this.movingMean, this.movingVariance] as [
        LayerVariable,
        LayerVariable,
      ];
      const options = { axis: this.axisIn(x.shape), epsilon: this.epsilon, ...this.affine };
      // A frozen one does not train (Keras 2 and 3).
      if (kwargs.training !== true || !this.trainable) {
        const [mean, variance] = [movingMean.read(), movingVariance.read()];
        return operations.batchNormInference(tf, x, { ...options, mean, variance });
      }
      const mask = kwargs.mask as Tensor | undefined;
      return operations.batchNormTraining(tf, x, { ...options, mask }, (mean, variance) => {
        this.move(movingMean, mean);
        this.move(movingVariance, variance);
      });
    }

    /** moving * momentum + batch * (1 - momentum), as Keras 3 has it: of the biased variance. */
    move(moving: LayerVariable, batch: Tensor): void {
      const { momentum } = this;
      moving.write(tf.add(tf.mul(moving.read(), momentum), tf.mul(batch, 1 - momentum)));
    }

    override getConfig(): never {
      return { ...(super.getConfig() as Config), momentum: this.momentum } as never;
    }
  }

  /** Keras' wrapper: in training it replaces the kernel of its layer by the kernel divided by its largest singular value. */
  class SpectralNormalization extends tf.layers.Layer {
    static className = 'SpectralNormalization';
    readonly layer: Layer & Record<string, unknown>;
    readonly powerIterations: number;
    vectorU: LayerVariable | null = null;

    constructor(config: Config = {}) {
      super(config as never);
      if (!(config.layer instanceof tf.layers.Layer)) {
        const expected = 'a layer with a kernel, such as tf.layers.dense';
        throw refusal('SpectralNormalization', 'layer', config.layer, expected);
      }
      this.layer = config.layer as never;
      this.powerIterations = numberOf('SpectralNormalization', 'powerIterations', config.powerIterations, 1);
      if (!(Number.isInteger(this.powerIterations) && this.powerIterations >= 1)) {
        const expected = 'an integer from 1 on';
        throw refusal('SpectralNormalization', 'powerIterations', this.powerIterations, expected);
      }
    }

    get kernel(): LayerVariable {
      const kernel = this.layer.kernel ?? this.layer.embeddings;
      if (kernel) return kernel as LayerVariable;
      throw new LayerNormError(
        'ERR_ARGUMENT',
        `SpectralNormalization: a ${this.layer.getClassName()} has neither kernel nor embeddings`,
      );
    }

    override build(inputShape: Shape | Shape[]): void {
      if (!this.layer.built) {
        this.layer.build(inputShape);
        this.layer.built = true;
      }
      const columns = this.kernel.shape.at(-1) as number;
      const initializer = tf.initializers.truncatedNormal({ mean: 0, stddev: 0.02 });
      this.vectorU = this.addWeight('vector_u', [1, columns], 'float32', initializer, undefined, false);
      this.built = true;
    }

    override call(inputs: Inputs, kwargs: Kwargs): Tensor | Tensor[] {
      return tf.tidy(() => {
        this.invokeCallHook(inputs, kwargs as never);
        if (kwargs.training === true) this.normalize();
        return this.layer.call(inputs, kwargs as never);
      });
    }

    normalize(): void {
      const [kernel, vectorU] = [this.kernel, this.vectorU as LayerVariable];
      const [weights, u] = [kernel.read(), vectorU.read()];
      const normalized = operations.spectralNorm(tf, weights, u, this.powerIterations);
      // A kernel of zeros has no direction: it stays, and so does u.
      const isZero = tf.equal(tf.max(tf.abs(weights)), 0);
      kernel.write(tf.where(isZero, weights, normalized.y));
      vectorU.write(tf.where(isZero, u, normalized.u));
    }

    override computeMask(inputs: Inputs, mask?: Tensor | Tensor[]): Tensor | Tensor[] {
      return this.layer.computeMask(inputs, mask);
    }

    override calculateLosses(): ReturnType<Layer['calculateLosses']> {
      return this.layer.calculateLosses();
    }

    override computeOutputShape(inputShape: Shape | Shape[]): Shape | Shape[] {
      return this.layer.computeOutputShape(inputShape);
    }

    override get trainableWeights(): LayerVariable[] {
      return this.trainable ? this.layer.trainableWeights : [];
    }
    override set trainableWeights(_: LayerVariable[]) {}

    override get nonTrainableWeights(): LayerVariable[] {
      const own = this.vectorU ? [this.vectorU] : [];
      const inner = this.trainable ? this.layer.nonTrainableWeights : this.layer.weights;
      return [...own, ...inner];
    }
    override set nonTrainableWeights(_: LayerVariable[]) {}

    override getConfig(): never {
      const layer = { className: this.layer.getClassName(), config: this.layer.getConfig() };
      return { ...super.getConfig(), layer, powerIterations: this.powerIterations } as never;
    }

    static override fromConfig(cls: never, config: Config): never {
      const { className, config: inner } = config.layer as { className: string; config: never };
      const found = tf.serialization.SerializationMap.getMap().classNameMap[className];
      if (!found) {
        throw new LayerNormError(
          'ERR_ARGUMENT',
          `SpectralNormalization: layer is a ${className}, which is not registered`,
        );
      }
      const [innerClass, fromConfig] = found;
      const Class = cls as new (config: Config) => never;
      return new Class({ ...config, layer: fromConfig(innerClass, inner) });
    }
  }

  const classes = {
    ...{ LayerNormalization, RMSNormalization, BatchNormalization, GroupNormalization },
    ...{ UnitNormalization, SpectralNormalization },
  };
  return classes as unknown as Record<ClassName, LayerClass>;
}
