import { batchNorm, batchNormForward } from '../ops/batch_norm.js';
import { batchNormBackward } from '../ops/batch_norm_backward.js';
import type { LayerNormGradient } from '../ops/layer_norm_backward.js';
import { isOptions, readEpsilon } from '../ops/options.js';
import { describe, LayerNormError } from '../runtime/errors.js';
import { formatShape, hasAxis, type PartialShape, readAxes, type Shape } from '../tensor/shape.js';
import type { TensorLike } from '../tensor/tensor_like.js';
import {
  type Constraint,
  type ConstraintIdentifier,
  getConstraint,
  serializeConstraint,
} from './constraints.js';
import type { PolicyName } from './dtype_policy.js';
import { type Elements, type Numbers, numbersOf, release } from './elements.js';
import {
  getInitializer,
  type Initializer,
  type InitializerIdentifier,
  serializeInitializer,
} from './initializers.js';
import type { LayerOptions } from './layer.js';
import {
  checkFits,
  initializerOrDefault,
  knownSizes,
  plain,
  readBoolean,
  readChannelAxis,
} from './layer_options.js';
import {
  getRegularizer,
  type Regularizer,
  type RegularizerIdentifier,
  serializeRegularizer,
} from './regularizers.js';
import { type Call, SameShapeLayer } from './same_shape_layer.js';
import { type Config, readNumber } from './serialization.js';
import type { Weight } from './weight.js';

/** Bounds of the correction of batch renormalization; what is missing does not bound. */
export interface RenormClipping {
  /** The most that the ratio of the standard deviations counts as. */
  rmax?: number | null;
  /** The least that it counts as. @defaultValue 0 */
  rmin?: number | null;
  /** The most that the difference of the means counts as, either way. */
  dmax?: number | null;
}

/** Options of {@link BatchNormalization}: Keras' arguments in camelCase. */
export interface BatchNormalizationOptions<P extends PolicyName = PolicyName> extends LayerOptions<P> {
  /**
   * The dimension of the channels, which have statistics, gamma and beta of their own. Negative ones count from the end.
   * @defaultValue -1
   */
  axis?: number | null;
  /** The weight of the *old* moving statistics. @defaultValue 0.99 */
  momentum?: number | null;
  /** What is added to the variance, inside the square root. @defaultValue 1e-3 */
  epsilon?: number | null;
  /** Whether there is an offset, beta. @defaultValue true */
  center?: boolean | null;
  /** Whether there is a factor, gamma. @defaultValue true */
  scale?: boolean | null;
  /** @defaultValue 'zeros' */
  betaInitializer?: InitializerIdentifier | null;
  /** @defaultValue 'ones' */
  gammaInitializer?: InitializerIdentifier | null;
  /** @defaultValue 'zeros' */
  movingMeanInitializer?: InitializerIdentifier | null;
  /** @defaultValue 'ones' */
  movingVarianceInitializer?: InitializerIdentifier | null;
  /** @defaultValue none */
  betaRegularizer?: RegularizerIdentifier | null;
  /** @defaultValue none */
  gammaRegularizer?: RegularizerIdentifier | null;
  /** @defaultValue none */
  betaConstraint?: ConstraintIdentifier | null;
  /** @defaultValue none */
  gammaConstraint?: ConstraintIdentifier | null;
  /** Only false: there is one replica, for which it would change nothing. @defaultValue false */
  synchronized?: boolean | null;
  /** Whether to correct what a batch is normalized by towards the moving statistics: batch renormalization. @defaultValue false */
  renorm?: boolean | null;
  /** Bounds of that correction. @defaultValue none */
  renormClipping?: RenormClipping | null;
  /** The weight of the old statistics that renormalization keeps. @defaultValue 0.99 */
  renormMomentum?: number | null;
}

const OPTION_NAMES: Record<Exclude<keyof BatchNormalizationOptions, keyof LayerOptions>, true> = {
  axis: true,
  momentum: true,
  epsilon: true,
  center: true,
  scale: true,
  betaInitializer: true,
  gammaInitializer: true,
  movingMeanInitializer: true,
  movingVarianceInitializer: true,
  betaRegularizer: true,
  gammaRegularizer: true,
  betaConstraint: true,
  gammaConstraint: true,
  synchronized: true,
  renorm: true,
  renormClipping: true,
  renormMomentum: true,
};

/** By what renormalization corrects each channel. */
interface Correction {
  /** The ratio of the standard deviation of the batch to the kept one. */
  readonly r: Float64Array;
  /** The difference of the means, in kept standard deviations. */
  readonly d: Float64Array;
}

/**
 * Keras' `BatchNormalization`: brings each channel of x to mean 0 and variance 1, and then applies gamma and beta, which it learns. In
 * training the statistics are those of the batch, and moving averages of them are kept; else they are these. Formulas, types and
 * numerics are those of `batchNormForward` and `batchNormBackward`.
 *
 * Statistics of the batch are taken if `apply` has `training: true` and the layer is `trainable`: a frozen layer normalizes as in
 * inference. The moving variance is that of the biased variance, as in Keras 3 (Keras 2 on TensorFlow: unbiased). With a mask only the
 * positions that count are summed; all are normalized. A batch without elements leaves the moving statistics as they are.
 *
 * @example
 * ```ts
 * const layer = new BatchNormalization({ momentum: 0.9 });
 * const y = layer.apply(x, { shape: [32, 28, 28, 64], training: true });
 * ```
 *
 * @see Ioffe and Szegedy 2015, Batch Normalization, arXiv:1502.03167; Ioffe 2017, Batch Renormalization, arXiv:1702.03275;
 * Keras 3.16 `keras.layers.BatchNormalization`
 */
export class BatchNormalization<P extends PolicyName = 'float32'> extends SameShapeLayer<P> {
  /** As it was given. */
  readonly axis: number;
  readonly momentum: number;
  readonly epsilon: number;
  readonly center: boolean;
  readonly scale: boolean;
  readonly betaInitializer: Initializer | null;
  readonly gammaInitializer: Initializer | null;
  readonly movingMeanInitializer: Initializer | null;
  readonly movingVarianceInitializer: Initializer | null;
  readonly betaRegularizer: Regularizer | null;
  readonly gammaRegularizer: Regularizer | null;
  readonly betaConstraint: Constraint | null;
  readonly gammaConstraint: Constraint | null;
  readonly synchronized: boolean;
  readonly renorm: boolean;
  readonly renormClipping: RenormClipping | null;
  readonly renormMomentum: number;
  /** The factors, one a channel; null where there are none, and before the layer is built. */
  gamma: Weight | null = null;
  /** The summands, as {@link gamma}. */
  beta: Weight | null = null;
  movingMean: Weight | null = null;
  movingVariance: Weight | null = null;
  /** Of renormalization: the moving average of the standard deviation, which the moving variance is computed of. */
  movingStddev: Weight | null = null;
  /** Of renormalization: the mean that batches are compared with. */
  renormMean: Weight | null = null;
  /** Of renormalization: the standard deviation that batches are compared with. */
  renormStddev: Weight | null = null;
  override supportsMasking = true;
  /** The rank, the dimension of the channels, and their number, of what the layer is built for. */
  #built: readonly [rank: number, axis: number, channels: number] = [0, 0, 0];

  /**
   * @param options - see {@link BatchNormalizationOptions}
   * @throws {@link LayerNormError} `ERR_ARGUMENT`, `ERR_AXIS`, `ERR_DTYPE`
   */
  constructor(options?: BatchNormalizationOptions<P> | null) {
    super('BatchNormalization', options, OPTION_NAMES);
    const given: BatchNormalizationOptions = options ?? {};
    const { className } = this;
    const initializer = (value: InitializerIdentifier | null | undefined, fallback: string) =>
      getInitializer(value === undefined ? fallback : value);
    this.axis = readChannelAxis(className, given.axis);
    this.momentum = readNumber(className, 'momentum', given.momentum, 0.99);
    this.epsilon = readEpsilon(className, given.epsilon, 1e-3);
    this.center = readBoolean(className, 'center', given.center, true);
    this.scale = readBoolean(className, 'scale', given.scale, true);
    this.betaInitializer = initializer(given.betaInitializer, 'zeros');
    this.gammaInitializer = initializer(given.gammaInitializer, 'ones');
    this.movingMeanInitializer = initializer(given.movingMeanInitializer, 'zeros');
    this.movingVarianceInitializer = initializer(given.movingVarianceInitializer, 'ones');
    this.betaRegularizer = getRegularizer(given.betaRegularizer);
    this.gammaRegularizer = getRegularizer(given.gammaRegularizer);
    this.betaConstraint = getConstraint(given.betaConstraint);
    this.gammaConstraint = getConstraint(given.gammaConstraint);
    this.synchronized = readBoolean(className, 'synchronized', given.synchronized, false);
    this.renorm = readBoolean(className, 'renorm', given.renorm, false);
    this.renormClipping = readClipping(className, given.renormClipping);
    this.renormMomentum = readNumber(className, 'renormMomentum', given.renormMomentum, 0.99);
    if (this.synchronized) {
      throw new LayerNormError(
        'ERR_ARGUMENT',
        `${className}: Argument synchronized=True is only supported where there are several replicas, expected false`,
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
      axis: this.axis,
      momentum: this.momentum,
      epsilon: this.epsilon,
      center: this.center,
      scale: this.scale,
      beta_initializer: serializeInitializer(this.betaInitializer),
      gamma_initializer: serializeInitializer(this.gammaInitializer),
      moving_mean_initializer: serializeInitializer(this.movingMeanInitializer),
      moving_variance_initializer: serializeInitializer(this.movingVarianceInitializer),
      beta_regularizer: serializeRegularizer(this.betaRegularizer),
      gamma_regularizer: serializeRegularizer(this.gammaRegularizer),
      beta_constraint: serializeConstraint(this.betaConstraint),
      gamma_constraint: serializeConstraint(this.gammaConstraint),
      synchronized: this.synchronized,
      renorm: this.renorm,
      renorm_clipping: this.renormClipping && { ...this.renormClipping },
      renorm_momentum: this.renormMomentum,
    };
  }

  protected override makeWeights(operation: string, inputShape: PartialShape): void {
    const mask = readAxes(operation, this.axis, inputShape);
    const axis = inputShape.findIndex((_, i) => hasAxis(mask, i));
    const shape = knownSizes(operation, inputShape, [axis]);
    this.#built = [inputShape.length, axis, shape[0] as number];
    if (this.scale) {
      this.gamma = this.addWeight({
        name: 'gamma',
        shape,
        initializer: initializerOrDefault(this.gammaInitializer),
        regularizer: this.gammaRegularizer,
        constraint: this.gammaConstraint,
      });
    }
    if (this.center) {
      this.beta = this.addWeight({
        name: 'beta',
        shape,
        initializer: initializerOrDefault(this.betaInitializer),
        regularizer: this.betaRegularizer,
        constraint: this.betaConstraint,
      });
    }
    const statistic = (name: string, initializer: Initializer): Weight =>
      this.addWeight({ name, shape, initializer, trainable: false });
    const mean = initializerOrDefault(this.movingMeanInitializer);
    const variance = initializerOrDefault(this.movingVarianceInitializer);
    this.movingMean = statistic('moving_mean', mean);
    this.movingVariance = statistic('moving_variance', variance);
    if (!this.renorm) return;
    const stddev: Initializer = {
      call: (sizes, dtype) => Float64Array.from(variance.call(sizes, dtype), Math.sqrt),
    };
    this.movingStddev = statistic('moving_stddev', stddev);
    this.renormMean = statistic('renorm_mean', mean);
    this.renormStddev = statistic('renorm_stddev', stddev);
  }

  protected override checkInput(operation: string, shape: Shape): void {
    const [rank, axis, channels] = this.#built;
    checkFits(operation, this.name, shape, rank, axis, channels);
  }

  protected override forward(call: Call): Elements {
    const x = call.x as TensorLike;
    checkMaskRank(call);
    // A frozen layer normalizes as in inference.
    if (!(call.training && this.trainable)) {
      const [mean, variance] = [this.#numbers(this.movingMean), this.#numbers(this.movingVariance)];
      if (call.isKept) {
        // Later calls may move them.
        call.saved.movingMean = mean.slice();
        call.saved.movingRstd = variance.map((value) => 1 / Math.sqrt(value + this.epsilon));
      }
      return batchNorm(x, { ...this.#options(call), ...this.#parameters(), mean, variance }) as Elements;
    }
    const options = { ...this.#options(call), mask: call.mask };
    const made = batchNormForward(x, { ...options, ...(this.renorm ? {} : this.#parameters()) });
    const { mean, rstd } = made as { mean: Elements; rstd: Elements };
    Object.assign(call.saved, { mean, rstd });
    const means = numbersOf(mean, call.dtype);
    const variances = numbersOf(made.variance as Elements, call.dtype);
    release(made.variance);
    const isEmpty = call.shape.includes(0);
    if (!this.renorm) {
      if (!isEmpty) {
        move(this.movingMean, means, this.momentum);
        move(this.movingVariance, variances, this.momentum);
      }
      return made.y as Elements;
    }
    release(made.y);
    const stddevs = Float64Array.from(variances, (value) => Math.sqrt(value + this.epsilon));
    const correction = this.#correctionOf(means, stddevs);
    Object.assign(call.saved, correction);
    if (!isEmpty) {
      move(this.renormMean, means, this.renormMomentum);
      move(this.renormStddev, stddevs, this.renormMomentum);
      move(this.movingMean, means, this.momentum);
      move(this.movingStddev, stddevs, this.momentum);
      const moving = this.#numbers(this.movingStddev);
      this.movingVariance?.assign(moving.map((value) => Math.max(value ** 2 - this.epsilon, 0)));
    }
    return batchNorm(x, {
      ...this.#options(call),
      ...this.#parameters(correction),
      mean: means,
      variance: variances,
    }) as Elements;
  }

  protected override gradient(call: Call, dy: Elements): Elements {
    const { epsilon: _, ...options } = this.#options(call);
    const { mean, rstd, movingMean, movingRstd, r, d } = call.saved;
    const training = movingRstd === undefined;
    const correction = r && d ? ({ r, d } as Correction) : undefined;
    const outputs: LayerNormGradient[] = ['dx'];
    const [hasGamma, hasBeta] = [this.isLearned(this.gamma), this.isLearned(this.beta)];
    if (hasGamma) outputs.push('dgamma');
    if (hasBeta || (hasGamma && correction)) outputs.push('dbeta');
    const made = batchNormBackward(dy as TensorLike, call.x as TensorLike, {
      ...options,
      gamma: this.#parameters(correction).gamma,
      outputs,
      training,
      mask: training ? call.mask : undefined,
      mean: (training ? mean : movingMean) as TensorLike,
      rstd: (training ? rstd : movingRstd) as TensorLike,
    }) as Partial<Record<LayerNormGradient, Elements>>;
    if (correction && hasGamma) {
      // gamma multiplies h * r + d, not h.
      const dgamma = numbersOf(made.dgamma as Elements, call.dtype);
      const dbeta = numbersOf(made.dbeta as Elements, call.dtype);
      const corrected = dgamma.map(
        (value, i) =>
          value * (correction.r[i] as number) + (dbeta[i] as number) * (correction.d[i] as number),
      );
      release(made.dgamma);
      made.dgamma = corrected;
    }
    this.setGradient(this.gamma, made.dgamma, call);
    if (hasBeta) this.setGradient(this.beta, made.dbeta, call);
    else release(made.dbeta);
    return made.dx as Elements;
  }

  #options(call: Call) {
    return { shape: call.shapeOption, dtype: call.dtype, axis: this.axis, epsilon: this.epsilon };
  }

  /** gamma and beta; with renormalization (h * r + d) * gamma + beta in the form h * gamma + beta. */
  #parameters(correction?: Correction): { gamma: Numbers | undefined; beta: Numbers | undefined } {
    const gamma = this.parameterOf(this.gamma);
    const beta = this.parameterOf(this.beta);
    if (!correction) return { gamma, beta };
    const { r, d } = correction;
    return {
      gamma: r.map((value, i) => value * (gamma?.[i] ?? 1)),
      beta: d.map((value, i) => value * (gamma?.[i] ?? 1) + (beta?.[i] ?? 0)),
    };
  }

  #numbers(weight: Weight | null): Numbers {
    return (weight as Weight).numbers();
  }

  #correctionOf(means: Numbers, stddevs: Float64Array): Correction {
    const { rmax, rmin, dmax } = this.renormClipping ?? {};
    const [largest, least, furthest] = [rmax ?? Infinity, rmin ?? 0, dmax ?? Infinity];
    const kept = this.#numbers(this.renormMean);
    // Keras' guard against a kept deviation of zero.
    const floor = Math.sqrt(this.epsilon);
    const deviations = Float64Array.from(this.#numbers(this.renormStddev), (value) => Math.max(value, floor));
    const clip = (value: number, from: number, to: number): number => Math.min(Math.max(value, from), to);
    return {
      r: stddevs.map((value, i) => clip(value / (deviations[i] as number), least, largest)),
      d: Float64Array.from(means, (value, i) =>
        clip((value - (kept[i] as number)) / (deviations[i] as number), -furthest, furthest),
      ),
    };
  }
}

/** Moves an average towards new values. */
function move(weight: Weight | null, values: ArrayLike<number>, momentum: number): void {
  const old = (weight as Weight).numbers();
  const moved = Float64Array.from(
    old,
    (value, i) => value * momentum + (values[i] as number) * (1 - momentum),
  );
  weight?.assign(moved);
}

/** Keras looks at the rank of a mask even where it is not used. */
function checkMaskRank({ operation, mask, shape }: Call): void {
  if (mask === undefined) return;
  const { shape: sizes, dims } = mask as { shape?: Shape; dims?: Shape };
  const given = Array.isArray(mask) ? shapeOfNested(mask) : (dims ?? sizes);
  if (given === undefined || given.length === shape.length - 1) return;
  throw new LayerNormError(
    'ERR_SHAPE',
    `${operation}: The mask provided should be one dimension less than the inputs, got mask ${formatShape(given)} for x ` +
      formatShape(shape),
  );
}

function shapeOfNested(value: unknown): number[] {
  if (Array.isArray(value)) return [value.length, ...shapeOfNested(value[0])];
  return ArrayBuffer.isView(value) ? [(value as unknown as ArrayLike<number>).length] : [];
}

function readClipping(className: string, clipping: unknown): RenormClipping | null {
  const given = plain(clipping);
  if (given === undefined || given === null) return null;
  if (!isOptions(given)) {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `${className}: renormClipping is ${describe(given)}, expected an object such as { rmax: 3, rmin: 0.3, dmax: 5 }`,
    );
  }
  const known = ['rmax', 'rmin', 'dmax'];
  const invalid = Object.keys(given).filter((key) => !known.includes(key));
  if (invalid.length > 0) {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `${className}: renormClipping: Received invalid keys ${describe(invalid)}, expected some of ${describe(known)}`,
    );
  }
  const { rmax, rmin, dmax } = given as Record<string, unknown>;
  const name = (key: string): string => `renormClipping.${key}`;
  const largest = readNumber(className, name('rmax'), rmax, Infinity);
  const least = readNumber(className, name('rmin'), rmin, 0);
  const furthest = readNumber(className, name('dmax'), dmax, 0);
  if (largest < least) {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `${className}: renormClipping: rmax should be at least rmin, got rmax ${largest} and rmin ${least}`,
    );
  }
  if (furthest < 0) {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `${className}: renormClipping: dmax should be non-negative, got ${furthest}`,
    );
  }
  return { ...(given as RenormClipping) };
}
