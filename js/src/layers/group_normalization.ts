import { groupNorm, groupNormForward } from '../ops/group_norm.js';
import { groupNormBackward } from '../ops/group_norm_backward.js';
import type { LayerNormGradient } from '../ops/layer_norm_backward.js';
import { readEpsilon } from '../ops/options.js';
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
  checkFits,
  initializerOrDefault,
  knownSizes,
  readBoolean,
  readChannelAxis,
} from './layer_options.js';
import { maskedGroupNorm, maskedGroupNormGradient } from './masked_group_norm.js';
import {
  getRegularizer,
  type Regularizer,
  type RegularizerIdentifier,
  serializeRegularizer,
} from './regularizers.js';
import { type Call, SameShapeLayer } from './same_shape_layer.js';
import type { Config } from './serialization.js';
import type { Weight } from './weight.js';

/** Options of {@link GroupNormalization}: Keras' arguments in camelCase. */
export interface GroupNormalizationOptions<P extends PolicyName = PolicyName> extends LayerOptions<P> {
  /** How many groups the channels are split into, neighbours together; -1 for one each: instance normalization. @defaultValue 32 */
  groups?: number | null;
  /** The dimension of the channels: any but 0, that of the batch. Negative ones count from the end. @defaultValue -1 */
  axis?: number | null;
  /** What is added to the variance, inside the square root. null stands for 1e-7, as in Keras. @defaultValue 1e-3 */
  epsilon?: number | null;
  /** Whether there is an offset, beta. @defaultValue true */
  center?: boolean | null;
  /** Whether there is a factor, gamma. @defaultValue true */
  scale?: boolean | null;
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

const OPTION_NAMES: Record<Exclude<keyof GroupNormalizationOptions, keyof LayerOptions>, true> = {
  groups: true,
  axis: true,
  epsilon: true,
  center: true,
  scale: true,
  betaInitializer: true,
  gammaInitializer: true,
  betaRegularizer: true,
  gammaRegularizer: true,
  betaConstraint: true,
  gammaConstraint: true,
};

/**
 * Keras' `GroupNormalization`: splits the channels of each sample into groups, brings each group to mean 0 and variance 1, and then
 * applies gamma and beta, one a channel, which it learns. Formulas, types and numerics are those of `groupNorm` and
 * `groupNormBackward`. With `groups: -1` it is instance normalization, for which Keras has no class.
 *
 * Inputs are not rounded to 16 bits before, whatever the policy.
 *
 * A mask, if `apply` is given one, weighs the elements in the statistics as in Keras 2; all are normalized. It has the shape of x, or
 * one that can be broadcast to it, or lacks the last dimension. Keras 3 ignores masks here: do not give one to do as it does.
 *
 * @example
 * ```ts
 * const y = new GroupNormalization({ groups: 8 }).apply(x, { shape: [16, 28, 28, 64] });
 * ```
 *
 * @see Wu and He 2018, Group Normalization, arXiv:1803.08494; Keras 3.16 `keras.layers.GroupNormalization`
 */
export class GroupNormalization<P extends PolicyName = 'float32'> extends SameShapeLayer<P> {
  /** As it was given; the number of channels instead of -1 once the layer is built. */
  groups: number;
  /** As it was given. */
  readonly axis: number;
  readonly epsilon: number | null;
  readonly center: boolean;
  readonly scale: boolean;
  readonly betaInitializer: Initializer | null;
  readonly gammaInitializer: Initializer | null;
  readonly betaRegularizer: Regularizer | null;
  readonly gammaRegularizer: Regularizer | null;
  readonly betaConstraint: Constraint | null;
  readonly gammaConstraint: Constraint | null;
  /** The factors, one a channel; null where there are none, and before the layer is built. */
  gamma: Weight | null = null;
  /** The summands, as {@link gamma}. */
  beta: Weight | null = null;
  override supportsMasking = true;
  /** The rank, the dimension of the channels, and their number, of what the layer is built for. */
  #built: readonly [rank: number, axis: number, channels: number] = [0, 0, 0];

  /**
   * @param options - see {@link GroupNormalizationOptions}
   * @throws {@link LayerNormError} `ERR_ARGUMENT`, `ERR_AXIS`, `ERR_DTYPE`
   */
  constructor(options?: GroupNormalizationOptions<P> | null) {
    super('GroupNormalization', options, OPTION_NAMES);
    const given: GroupNormalizationOptions = options ?? {};
    const { className } = this;
    this.groups = readGroups(className, given.groups);
    this.axis = readChannelAxis(className, given.axis);
    this.epsilon = given.epsilon === null ? null : readEpsilon(className, given.epsilon, 1e-3);
    this.center = readBoolean(className, 'center', given.center, true);
    this.scale = readBoolean(className, 'scale', given.scale, true);
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
  }

  override getConfig(): Config {
    return {
      ...super.getConfig(),
      groups: this.groups,
      axis: this.axis,
      epsilon: this.epsilon,
      center: this.center,
      scale: this.scale,
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
    const axis = inputShape.findIndex((_, i) => hasAxis(mask, i));
    if (axis === 0) {
      throw new LayerNormError(
        'ERR_AXIS',
        `${operation}: axis is ${this.axis}, dimension 0 of inputs ${formatShape(inputShape)}, expected another: dimension 0 is the ` +
          'batch',
      );
    }
    const shape = knownSizes(operation, inputShape, [axis]);
    const channels = shape[0] as number;
    const groups = this.groups === -1 ? channels : this.groups;
    if (channels < groups) {
      throw new LayerNormError(
        'ERR_SHAPE',
        `${operation}: Number of groups (${groups}) cannot be more than the number of channels (${channels})`,
      );
    }
    if (channels % groups !== 0) {
      throw new LayerNormError(
        'ERR_SHAPE',
        `${operation}: Number of groups (${groups}) must be a multiple of the number of channels (${channels}): the other way ` +
          'round, expected a divisor of it',
      );
    }
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
    this.groups = groups;
    this.#built = [inputShape.length, axis, channels];
  }

  protected override checkInput(operation: string, shape: Shape): void {
    const [rank, axis, channels] = this.#built;
    checkFits(operation, this.name, shape, rank, axis, channels);
  }

  protected override forward(call: Call): Elements {
    if (call.mask !== undefined) {
      const { epsilon, gamma, beta } = this.#options(call);
      return maskedGroupNorm(call, call.mask, {
        groups: this.groups,
        axis: this.#built[1],
        epsilon,
        gamma,
        beta,
      });
    }
    if (!call.training) return groupNorm(call.x as TensorLike, this.#options(call)) as Elements;
    const { y, mean, rstd } = groupNormForward(call.x as TensorLike, this.#options(call));
    Object.assign(call.saved, { mean, rstd });
    return y as Elements;
  }

  protected override gradient(call: Call, dy: Elements): Elements {
    const { beta: _, epsilon, ...options } = this.#options(call);
    const outputs: LayerNormGradient[] = ['dx'];
    if (this.isLearned(this.gamma)) outputs.push('dgamma');
    if (this.isLearned(this.beta)) outputs.push('dbeta');
    let made: Partial<Record<LayerNormGradient, Elements>>;
    if (call.mask !== undefined) {
      made = maskedGroupNormGradient(call, dy, {
        groups: this.groups,
        axis: this.#built[1],
        gamma: options.gamma,
      });
    } else {
      if (!call.saved.mean) {
        const { y, mean, rstd } = groupNormForward(call.x as TensorLike, { epsilon, ...options });
        release(y);
        Object.assign(call.saved, { mean, rstd });
      }
      made = groupNormBackward(dy as TensorLike, call.x as TensorLike, {
        ...options,
        outputs,
        mean: call.saved.mean as TensorLike,
        rstd: call.saved.rstd as TensorLike,
      }) as typeof made;
    }
    if (outputs.includes('dgamma')) this.setGradient(this.gamma, made.dgamma, call);
    if (outputs.includes('dbeta')) this.setGradient(this.beta, made.dbeta, call);
    return made.dx as Elements;
  }

  #options(call: Call) {
    return {
      shape: call.shapeOption,
      dtype: call.dtype,
      groups: this.groups,
      axis: this.axis,
      epsilon: this.epsilon ?? BACKEND_EPSILON,
      gamma: this.parameterOf(this.gamma),
      beta: this.parameterOf(this.beta),
    };
  }
}

function readGroups(className: string, groups: unknown): number {
  const value = groups ?? 32;
  if (Number.isInteger(value) && ((value as number) > 0 || value === -1)) return value as number;
  throw new LayerNormError(
    'ERR_ARGUMENT',
    `${className}: Invalid value for argument \`groups\`: expected a positive integer or -1, got ${describe(groups)}`,
  );
}
