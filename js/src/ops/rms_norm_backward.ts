import { defaultHeapOwner, type HeapOwner } from '../runtime/heap.js';
import type { DType } from '../tensor/dtype.js';
import type { DTypeOf, TensorLike } from '../tensor/tensor_like.js';
import type { LayerNormBackwardOptions, LayerNormGradients } from './layer_norm_backward.js';
import { differentiateOn, type Gradient, type NormalizationGradient } from './normalize_backward.js';

/** What {@link rmsNormBackward} can compute. */
export type RmsNormGradient = Exclude<Gradient, 'dbeta'>;

/** Options of {@link rmsNormBackward}, those that are not told here as of `layerNormBackward`. */
export interface RmsNormBackwardOptions<
  D extends DType = DType,
  Out = unknown,
  Wanted extends RmsNormGradient = RmsNormGradient,
> extends Pick<
    LayerNormBackwardOptions<D, Out, Wanted>,
    'gamma' | 'axis' | 'shape' | 'dtype' | 'outputs' | 'out'
  > {
  /**
   * 1 / sqrt(mean(x^2) + epsilon) of each group, as `rmsNormForward` gave it: with 1 at the reduced dimensions of x, or without
   * these, or flat.
   */
  rstd: TensorLike;
}

/** Every option once, for the check of their names. */
const OPTION_NAMES: Record<keyof RmsNormBackwardOptions, true> = {
  rstd: true,
  gamma: true,
  axis: true,
  shape: true,
  dtype: true,
  outputs: true,
  out: true,
};

const RMS_NORM_GRADIENT: NormalizationGradient = {
  optionNames: OPTION_NAMES,
  gradients: ['dx', 'dgamma'],
  hasMean: false,
  epsilon: 0,
  workspace: (core, ...block) => core.rmsNormBackwardWorkspace(...block),
  backward: (core, dtype, { dy, x, rstd, gamma, dx, dgamma }, block, _, part) =>
    core.rmsNormBackward(dtype, dy, x, rstd, gamma, dx, dgamma, ...block, ...part),
};

/** What {@link rmsNormBackward} returns: what was wanted. */
export type RmsNormBackward<X, D extends DType, Out, Wanted extends RmsNormGradient> = Pick<
  LayerNormGradients<X, D, Out>,
  Wanted
>;

/**
 * The gradient of RMS normalization: what a loss depends on x and gamma by, given what it depends on y by.
 *
 * With h = x * rstd and g = dy * gamma, and averages over each group: dx = rstd * (g - h * average(g * h)); dgamma = the sum of
 * dy * h over all groups.
 *
 * Shapes: dy as x; dgamma the sizes of the reduced dimensions. Empty x gives an empty dx, and zeros for dgamma. Types and
 * containers: as in `layerNormBackward`.
 *
 * @example
 * ```ts
 * const { y, rstd } = rmsNormForward(x, { shape: [32, 768], gamma });
 * const { dx, dgamma } = rmsNormBackward(dy, x, { shape: [32, 768], gamma, rstd });
 * ```
 *
 * @param dy - the gradient of y, of the shape of x
 * @param x - what was normalized
 * @param options - see {@link RmsNormBackwardOptions}; `rstd` is that of `rmsNormForward`
 * @returns the gradients that `options.outputs` lists
 * @throws {@link LayerNormError} `ERR_SHAPE`, `ERR_AXIS`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_DISPOSED`, `ERR_OUT_OF_MEMORY`,
 * `ERR_LOAD`; nothing has been written then
 * @see Zhang and Sennrich 2019, Root Mean Square Layer Normalization, arXiv:1910.07467; Keras 3 `RMSNormalization`
 */
export function rmsNormBackward<
  X extends TensorLike,
  D extends DType = DTypeOf<X>,
  Out = undefined,
  Wanted extends RmsNormGradient = RmsNormGradient,
>(dy: TensorLike, x: X, options: RmsNormBackwardOptions<D, Out, Wanted>): RmsNormBackward<X, D, Out, Wanted> {
  return rmsNormBackwardOn(defaultHeapOwner(), dy, x, options);
}

/** {@link rmsNormBackward} in the memory of one engine. */
export function rmsNormBackwardOn<
  X extends TensorLike,
  D extends DType = DTypeOf<X>,
  Out = undefined,
  Wanted extends RmsNormGradient = RmsNormGradient,
>(
  engine: HeapOwner,
  dy: TensorLike,
  x: X,
  options: RmsNormBackwardOptions<D, Out, Wanted>,
): RmsNormBackward<X, D, Out, Wanted> {
  const made = differentiateOn(RMS_NORM_GRADIENT, 'rmsNormBackward', engine, dy, x, options);
  return made as RmsNormBackward<X, D, Out, Wanted>;
}
