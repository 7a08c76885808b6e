import { readEpsilon } from '../ops/options.js';
import { rmsNorm, rmsNormForward } from '../ops/rms_norm.js';
import { type RmsNormGradient, rmsNormBackward } from '../ops/rms_norm_backward.js';
import { hasAxis, type PartialShape, readAxes, type Shape } from '../tensor/shape.js';
import type { TensorLike } from '../tensor/tensor_like.js';
import type { PolicyName } from './dtype_policy.js';
import { type Elements, release } from './elements.js';
import { getInitializer } from './initializers.js';
import type { LayerOptions } from './layer.js';
import { BACKEND_EPSILON, knownSizes, readAxisOption } from './layer_options.js';
import { type Call, SameShapeLayer, shortestAxis } from './same_shape_layer.js';
import type { Config } from './serialization.js';
import type { Weight } from './weight.js';

/** Options of {@link RMSNormalization}: Keras' arguments in camelCase. */
export interface RMSNormalizationOptions<P extends PolicyName = PolicyName> extends LayerOptions<P> {
  /**
   * The dimension, or the dimensions, that the mean square is taken over, and that the scale spans. Negative ones count from the
   * end. Their order does not matter.
   * @defaultValue -1
   */
  axis?: number | readonly number[];
  /** What is added to the mean square, inside the square root. null stands for 1e-7, as in Keras. @defaultValue 1e-6 */
  epsilon?: number | null;
}

const OPTION_NAMES: Record<Exclude<keyof RMSNormalizationOptions, keyof LayerOptions>, true> = {
  axis: true,
  epsilon: true,
};

/**
 * Keras' `RMSNormalization`: divides each group of elements of x, the last axis by default, by its root mean square, and then
 * multiplies by a scale, which it learns. Formulas, types and numerics are those of `rmsNorm` and `rmsNormBackward`.
 *
 * As in Keras it does not support masking: set `supportsMasking` to pass masks on. The axes need not be the last ones.
 *
 * @example
 * ```ts
 * const y = new RMSNormalization().apply(x, { shape: [32, 768] });
 * ```
 *
 * @see Zhang and Sennrich 2019, Root Mean Square Layer Normalization, arXiv:1910.07467; Keras 3.16 `keras.layers.RMSNormalization`
 */
export class RMSNormalization<P extends PolicyName = 'float32'> extends SameShapeLayer<P> {
  /** As it was given; a list, ascending, once the layer is built. */
  axis: number | readonly number[];
  readonly epsilon: number | null;
  /** The factors, of the sizes of the axes in ascending order; null before the layer is built. */
  scale: Weight | null = null;
  /** The sizes of the axes in the order in which Keras 3.16 has them, which does not canonicalise negative ones. */
  #givenSizes: Shape | undefined;

  /**
   * @param options - see {@link RMSNormalizationOptions}
   * @throws {@link LayerNormError} `ERR_ARGUMENT`, `ERR_AXIS`, `ERR_DTYPE`
   */
  constructor(options?: RMSNormalizationOptions<P> | null) {
    super('RMSNormalization', options, OPTION_NAMES);
    const given: RMSNormalizationOptions = options ?? {};
    this.axis = readAxisOption(this.className, given.axis);
    this.epsilon = given.epsilon === null ? null : readEpsilon(this.className, given.epsilon, 1e-6);
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
    };
  }

  protected override makeWeights(operation: string, inputShape: PartialShape): void {
    const mask = readAxes(operation, this.axis, inputShape);
    const axes = inputShape.map((_, i) => i).filter((i) => hasAxis(mask, i));
    const given = typeof this.axis === 'number' ? [this.axis] : [...this.axis].sort((a, b) => a - b);
    this.#givenSizes = given.map((axis) => inputShape.at(axis) as number);
    this.scale = this.addWeight({
      name: 'scale',
      shape: knownSizes(operation, inputShape, axes),
      initializer: getInitializer('ones'),
    });
    this.axis = given;
  }

  protected override otherShapesOf(): Shape[] {
    return this.#givenSizes ? [this.#givenSizes] : [];
  }

  protected override forward(call: Call): Elements {
    if (!call.training) return rmsNorm(call.x as TensorLike, this.#options(call)) as Elements;
    const { y, rstd } = rmsNormForward(call.x as TensorLike, this.#options(call));
    call.saved.rstd = rstd as Elements;
    return y as Elements;
  }

  protected override gradient(call: Call, dy: Elements): Elements {
    const { epsilon, ...options } = { ...this.#options(call), dtype: call.dtype };
    if (!call.saved.rstd) {
      const { y, rstd } = rmsNormForward(call.x as TensorLike, { epsilon, ...options });
      release(y);
      call.saved.rstd = rstd as Elements;
    }
    const outputs: RmsNormGradient[] = ['dx'];
    if (this.isLearned(this.scale)) outputs.push('dgamma');
    const made = rmsNormBackward(dy as TensorLike, call.x as TensorLike, {
      ...options,
      outputs,
      rstd: call.saved.rstd as TensorLike,
    }) as Partial<Record<RmsNormGradient, Elements>>;
    this.setGradient(this.scale, made.dgamma, call);
    return made.dx as Elements;
  }

  #options(call: Call) {
    return {
      shape: call.shapeOption,
      dtype: call.dtypeOption,
      axis: shortestAxis(this.axis, call.shape.length),
      epsilon: this.epsilon ?? BACKEND_EPSILON,
      gamma: this.parameterOf(this.scale, this.autocast),
    };
  }
}
