import { layerNorm, layerNormForward } from '../ops/layer_norm.js';
import { type LayerNormGradient, layerNormBackward } from '../ops/layer_norm_backward.js';
import { readEpsilon } from '../ops/options.js';
import { hasAxis, type PartialShape, readAxes, type Shape } from '../tensor/shape.js';
import type { TensorLike } from '../tensor/tensor_like.js';
import {
  type Constraint,
  type ConstraintIdentifier,
  getConstraint,
  serializeConstraint,
} from './constraints.js';
import type { PolicyName } from './dtype_policy.js';
import { type Elements, release } from './elements.js';
import {
  getInitializer,
  type Initializer,
  type InitializerIdentifier,
  serializeInitializer,
} from './initializers.js';
import type { LayerOptions } from './layer.js';
import {
  BACKEND_EPSILON,
  initializerOrDefault,
  knownSizes,
  readAxisOption,
  readBoolean,
} from './layer_options.js';
import {
  getRegularizer,
  type Regularizer,
  type RegularizerIdentifier,
  serializeRegularizer,
} from './regularizers.js';
import { type Call, SameShapeLayer, shortestAxis } from './same_shape_layer.js';
import type { Config } from './serialization.js';
import { warnOnce } from './warnings.js';
import type { Weight } from './weight.js';

/** Options of {@link LayerNormalization}: Keras' arguments in camelCase. */
export interface LayerNormalizationOptions<P extends PolicyName = PolicyName> extends LayerOptions<P> {
  /**
   * The dimension, or the dimensions, that mean and variance are taken over, and that gamma and beta span. Negative ones count
   * from the end. Their order does not matter.
   * @defaultValue -1
   */
  axis?: number | readonly number[];
  /** What is added to the variance, inside the square root. null stands for 1e-7, as in Keras. @defaultValue 1e-3 */
  epsilon?: number | null;
  /** Whether there is an offset, beta. @defaultValue true */
  center?: boolean | null;
  /** Whether there is a factor, gamma. @defaultValue true */
  scale?: boolean | null;
  /**
   * Deprecated: x itself is scaled by 1 / sqrt(variance + epsilon), not its distance from the mean. There is a gamma then, whatever
   * `scale` is, and no beta. For RMS normalization take `RMSNormalization`.
   * @defaultValue false
   */
  rmsScaling?: boolean | null;
  /** @defaultValue 'zeros' */
  betaInitializer?: InitializerIdentifier | null;
  /** @defaultValue 'ones' */
  gammaInitializer?: InitializerIdentifier | null;
  /** @defaultValue none */
  betaRegularizer?: RegularizerIdentifier | null;
  /** @defaultValue none */
  gammaRegularizer?: RegularizerIdentifier | null;
  /** @defaultValue none */
  betaConstraint?: ConstraintIdentifier | null;
  /** @defaultValue none */
  gammaConstraint?: ConstraintIdentifier | null;
}

const OPTION_NAMES: Record<Exclude<keyof LayerNormalizationOptions, keyof LayerOptions>, true> = {
  axis: true,
  epsilon: true,
  center: true,
  scale: true,
  rmsScaling: true,
  betaInitializer: true,
  gammaInitializer: true,
  betaRegularizer: true,
  gammaRegularizer: true,
  betaConstraint: true,
  gammaConstraint: true,
};

/**
 * Keras' `LayerNormalization`: brings each group of elements of x, the last axis by default, to mean 0 and variance 1, and then
 * applies gamma and beta, which it learns. Formulas, types and numerics are those of `layerNorm` and `layerNormBackward`.
 *
 * Inputs are not rounded to 16 bits before, whatever the policy; float64 inputs are computed in float64. Integers are converted to the
 * type of the results. Masks change nothing.
 *
 * @example
 * ```ts
 * const layer = new LayerNormalization({ epsilon: 1e-6 });
 * const y = layer.apply(x, { shape: [32, 768], training: true });
 * const dx = layer.backward(dy);
 * layer.update((weight, gradient) => weight.numbers().map((value, i) => value - 0.01 * gradient[i]));
 * ```
 *
 * @see Ba et al. 2016, Layer Normalization, arXiv:1607.06450; Keras 3.16 `keras.layers.LayerNormalization`
 */
export class LayerNormalization<P extends PolicyName = 'float32'> extends SameShapeLayer<P> {
  /** As it was given; ascending and not negative once the layer is built. */
  axis: number | readonly number[];
  readonly epsilon: number | null;
  readonly center: boolean;
  readonly scale: boolean;
  readonly rmsScaling: boolean;
  readonly betaInitializer: Initializer | null;
  readonly gammaInitializer: Initializer | null;
  readonly betaRegularizer: Regularizer | null;
  readonly gammaRegularizer: Regularizer | null;
  readonly betaConstraint: Constraint | null;
  readonly gammaConstraint: Constraint | null;
  /** The factors, of the sizes of the axes in ascending order; null where there are none, and before the layer is built. */
  gamma: Weight | null = null;
  /** The summands, as {@link gamma}. */
  beta: Weight | null = null;
  override supportsMasking = true;
  /** The sizes of the axes in the order in which these were given. */
  #givenSizes: Shape | undefined;

  /**
   * @param options - see {@link LayerNormalizationOptions}
   * @throws {@link LayerNormError} `ERR_ARGUMENT`, `ERR_AXIS`, `ERR_DTYPE`
   */
  constructor(options?: LayerNormalizationOptions<P> | null) {
    super('LayerNormalization', options, OPTION_NAMES);
    const given: LayerNormalizationOptions = options ?? {};
    const { className } = this;
    this.axis = readAxisOption(className, given.axis);
    this.epsilon = given.epsilon === null ? null : readEpsilon(className, given.epsilon, 1e-3);
    this.center = readBoolean(className, 'center', given.center, true);
    this.scale = readBoolean(className, 'scale', given.scale, true);
    this.rmsScaling = readBoolean(className, 'rmsScaling', given.rmsScaling, false);
    this.betaInitializer = getInitializer(
      given.betaInitializer === undefined ? 'zeros' : given.betaInitializer,
    );
    this.gammaInitializer = getInitializer(
      given.gammaInitializer === undefined ? 'ones' : given.gammaInitializer,
    );
    this.betaRegularizer = getRegularizer(given.betaRegularizer);
    this.gammaRegularizer = getRegularizer(given.gammaRegularizer);
    this.betaConstraint = getConstraint(given.betaConstraint);
    this.gammaConstraint = getConstraint(given.gammaConstraint);
    this.autocast = false;
    if (this.rmsScaling) {
      warnOnce(
        `${className}: rmsScaling is deprecated, and will not be what was meant: it scales by the variance, not by the mean square. ` +
          'Use RMSNormalization.',
      );
    }
  }

  override computeOutputShape(inputShape: PartialShape): (number | null)[] {
    const shape = super.computeOutputShape(inputShape);
    readAxes(`${this.className}.computeOutputShape`, this.axis, inputShape);
    return shape;
  }

  override getConfig(): Config {
    return {
      ...super.getConfig(),
      axis: typeof this.axis === 'number' ? this.axis : [...this.axis],
      epsilon: this.epsilon,
      center: this.center,
      scale: this.scale,
      rms_scaling: this.rmsScaling,
      beta_initializer: serializeInitializer(this.betaInitializer),
      gamma_initializer: serializeInitializer(this.gammaInitializer),
      beta_regularizer: serializeRegularizer(this.betaRegularizer),
      gamma_regularizer: serializeRegularizer(this.gammaRegularizer),
      beta_constraint: serializeConstraint(this.betaConstraint),
      gamma_constraint: serializeConstraint(this.gammaConstraint),
    };
  }

  protected override makeWeights(operation: string, inputShape: PartialShape): void {
    const mask = readAxes(operation, this.axis, inputShape);
    const axes = inputShape.map((_, i) => i).filter((i) => hasAxis(mask, i));
    const shape = knownSizes(operation, inputShape, axes);
    const given = typeof this.axis === 'number' ? [this.axis] : this.axis;
    this.#givenSizes = given.map((axis) => inputShape.at(axis) as number);
    if (this.scale || this.rmsScaling) {
      this.gamma = this.addWeight({
        name: 'gamma',
        shape,
        initializer: initializerOrDefault(this.gammaInitializer),
        regularizer: this.gammaRegularizer,
        constraint: this.gammaConstraint,
      });
    }
    if (this.center && !this.rmsScaling) {
      this.beta = this.addWeight({
        name: 'beta',
        shape,
        initializer: initializerOrDefault(this.betaInitializer),
        regularizer: this.betaRegularizer,
        constraint: this.betaConstraint,
      });
    }
    this.axis = axes;
  }

  /** Keras before March 2026 kept gamma and beta in the order in which the axes were given, their elements in ascending order. */
  protected override otherShapesOf(): Shape[] {
    return this.#givenSizes ? [this.#givenSizes] : [];
  }

  protected override forward(call: Call): Elements {
    if (!call.training) return layerNorm(call.x as TensorLike, this.#options(call)) as Elements;
    const { y, mean, rstd } = layerNormForward(call.x as TensorLike, this.#options(call));
    Object.assign(call.saved, { mean, rstd });
    return y as Elements;
  }

  protected override gradient(call: Call, dy: Elements): Elements {
    const { axis, epsilon, beta, ...options } = { ...this.#options(call), dtype: call.dtype };
    const { gamma, rmsScaling } = this;
    if (!call.saved.mean) {
      const { y, mean, rstd } = layerNormForward(call.x as TensorLike, { axis, epsilon, ...options });
      release(y);
      Object.assign(call.saved, { mean, rstd });
    }
    const outputs: LayerNormGradient[] = ['dx'];
    if (this.isLearned(gamma)) outputs.push('dgamma');
    if (this.isLearned(this.beta)) outputs.push('dbeta');
    const made = layerNormBackward(dy as TensorLike, call.x as TensorLike, {
      ...options,
      axis,
      rmsScaling,
      outputs,
      mean: call.saved.mean as TensorLike,
      rstd: call.saved.rstd as TensorLike,
    }) as Partial<Record<LayerNormGradient, Elements>>;
    this.setGradient(gamma, made.dgamma, call);
    this.setGradient(this.beta, made.dbeta, call);
    return made.dx as Elements;
  }

  #options(call: Call) {
    return {
      shape: call.shapeOption,
      dtype: call.dtypeOption,
      axis: shortestAxis(this.axis, call.shape.length),
      epsilon: this.epsilon ?? BACKEND_EPSILON,
      rmsScaling: this.rmsScaling,
      gamma: this.parameterOf(this.gamma),
      beta: this.parameterOf(this.beta),
    };
  }
}
