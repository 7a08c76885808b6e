import { unitNorm, unitNormForward } from '../ops/unit_norm.js';
import { unitNormBackward } from '../ops/unit_norm_backward.js';
import { type PartialShape, readAxes } from '../tensor/shape.js';
import type { TensorLike } from '../tensor/tensor_like.js';
import type { PolicyName } from './dtype_policy.js';
import { type Elements, release } from './elements.js';
import type { LayerOptions } from './layer.js';
import { readAxisOption } from './layer_options.js';
import { type Call, SameShapeLayer, shortestAxis } from './same_shape_layer.js';
import type { Config } from './serialization.js';

/** Options of {@link UnitNormalization}: Keras' arguments in camelCase. */
export interface UnitNormalizationOptions<P extends PolicyName = PolicyName> extends LayerOptions<P> {
  /**
   * The dimension, or the dimensions, that the norm is taken over. Negative ones count from the end. Their order does not matter.
   * @defaultValue -1
   */
  axis?: number | readonly number[];
}

const OPTION_NAMES: Record<Exclude<keyof UnitNormalizationOptions, keyof LayerOptions>, true> = {
  axis: true,
};

/**
 * Keras' `UnitNormalization`: divides each group of elements of x, the last axis by default, by its L2 norm. It has no weights.
 * Formulas, types and numerics are those of `unitNorm` and `unitNormBackward`; a group of zeros stays one.
 *
 * @example
 * ```ts
 * const y = new UnitNormalization().apply(x, { shape: [32, 768] });
 * ```
 *
 * @see Keras 3.16 `keras.layers.UnitNormalization`
 */
export class UnitNormalization<P extends PolicyName = 'float32'> extends SameShapeLayer<P> {
  /** As it was given. */
  readonly axis: number | readonly number[];
  override supportsMasking = true;

  /**
   * @param options - see {@link UnitNormalizationOptions}
   * @throws {@link LayerNormError} `ERR_ARGUMENT`, `ERR_AXIS`, `ERR_DTYPE`
   */
  constructor(options?: UnitNormalizationOptions<P> | null) {
    super('UnitNormalization', options, OPTION_NAMES);
    this.axis = readAxisOption(
      this.className,
      options?.axis,
      'Invalid value for `axis` argument: expected an int or a list/tuple of ints.',
    );
    this.buildWithoutShape();
  }

  override computeOutputShape(inputShape: PartialShape): (number | null)[] {
    const shape = super.computeOutputShape(inputShape);
    readAxes(`${this.className}.computeOutputShape`, this.axis, inputShape);
    return shape;
  }

  override getConfig(): Config {
    return { ...super.getConfig(), axis: typeof this.axis === 'number' ? this.axis : [...this.axis] };
  }

  protected override makeWeights(): void {}

  protected override forward(call: Call): Elements {
    if (!call.training) return unitNorm(call.x as TensorLike, this.#options(call)) as Elements;
    const { y, rstd } = unitNormForward(call.x as TensorLike, this.#options(call));
    call.saved.rstd = rstd as Elements;
    return y as Elements;
  }

  protected override gradient(call: Call, dy: Elements): Elements {
    const options = { ...this.#options(call), dtype: call.dtype };
    if (!call.saved.rstd) {
      const { y, rstd } = unitNormForward(call.x as TensorLike, options);
      release(y);
      call.saved.rstd = rstd as Elements;
    }
    const { dx } = unitNormBackward(dy as TensorLike, call.x as TensorLike, {
      ...options,
      rstd: call.saved.rstd as TensorLike,
    });
    return dx as Elements;
  }

  #options(call: Call) {
    const axis = shortestAxis(this.axis, call.shape.length);
    return { shape: call.shapeOption, dtype: call.dtypeOption, axis };
  }
}
