import { defaultHeapOwner, type HeapOwner } from '../runtime/heap.js';
import type { DType } from '../tensor/dtype.js';
import type { DTypeOf, Output, ReducedResultOf, TensorLike } from '../tensor/tensor_like.js';
import type { LayerNormOutput } from './layer_norm.js';
import {
  differentiateOn,
  GRADIENTS,
  type Gradient,
  type NormalizationGradient,
} from './normalize_backward.js';

/** What {@link layerNormBackward} can compute. */
export type LayerNormGradient = Gradient;

/** Options of {@link layerNormBackward}. `null` and `undefined` stand for the default. */
export interface LayerNormBackwardOptions<
  D extends DType = DType,
  Out = unknown,
  Wanted extends LayerNormGradient = LayerNormGradient,
  Rms extends boolean = boolean,
> {
  /**
   * The mean of each group, as `layerNormForward` gave it: with 1 at the reduced dimensions of x, or without these, or flat.
   */
  mean: TensorLike;
  /** 1 / sqrt(variance + epsilon) of each group, as `layerNormForward` gave it; shaped as `mean`. */
  rstd: TensorLike;
  /** The scale that the forward call had, see `layerNorm`. */
  gamma?: TensorLike | null;
  /** The axes that the forward call had, see `layerNorm`. @defaultValue -1 */
  axis?: number | readonly number[] | null;
  /** Sizes of the dimensions of `x`, outermost first, for a typed array: it has one dimension by default. */
  shape?: readonly number[] | null;
  /** Whether the forward call had `rmsScaling`; there is no `dbeta` then. @defaultValue false */
  rmsScaling?: Rms | null;
  /**
   * The type of the results, as in `layerNorm`; but dgamma and dbeta are float32 where it has 16 bits: sums over many groups soon
   * leave the range of float16.
   * @defaultValue the type of x, 'float32' for integers and numbers
   */
  dtype?: D | null;
  /** Which gradients to compute. @defaultValue all: `['dx', 'dgamma', 'dbeta']` */
  outputs?: readonly Wanted[] | null;
  /**
   * Where to write dx: an array of the results' type and of the size of x; `dy` and `x` themselves are allowed. It may not
   * overlap anything else that is given. It is what the call returns as dx, as in `layerNorm`.
   * @defaultValue a new container of the kind that x is
   */
  out?: (Out & Output) | null;
}

/** Every option once, for the check of their names. */
const OPTION_NAMES: Record<keyof LayerNormBackwardOptions, true> = {
  mean: true,
  rstd: true,
  gamma: true,
  axis: true,
  shape: true,
  rmsScaling: true,
  dtype: true,
  outputs: true,
  out: true,
};

const LAYER_NORM_GRADIENT: NormalizationGradient = {
  optionNames: OPTION_NAMES,
  gradients: GRADIENTS,
  hasMean: true,
  epsilon: 0,
  workspace: (core, ...block) => core.layerNormBackwardWorkspace(...block),
  backward: (core, dtype, { dy, x, mean, rstd, gamma, dx, dgamma, dbeta }, block, { common }, part) =>
    core.layerNormBackward(
      dtype,
      dy,
      x,
      mean,
      rstd,
      gamma,
      dx,
      dgamma,
      dbeta,
      ...block,
      common.rmsScaling,
      ...part,
    ),
};

/** All that {@link layerNormBackward} computes. */
export interface LayerNormGradients<X, D extends DType, Out> {
  /** The gradient of x, of its shape. */
  dx: LayerNormOutput<X, D, Out>;
  /** The gradient of gamma, also where there is none: of the shape of the reduced dimensions. */
  dgamma: ReducedResultOf<X, D>;
  /** The gradient of beta, also where there is none: of the shape of the reduced dimensions. */
  dbeta: ReducedResultOf<X, D>;
}

/** What {@link layerNormBackward} returns: what was wanted, but no dbeta with `rmsScaling`. */
export type LayerNormBackward<
  X,
  D extends DType,
  Out,
  Wanted extends LayerNormGradient,
  Rms extends boolean,
> = [Rms] extends [false]
  ? Pick<LayerNormGradients<X, D, Out>, Wanted>
  : Pick<LayerNormGradients<X, D, Out>, Exclude<Wanted, 'dbeta'>> &
      Partial<Pick<LayerNormGradients<X, D, Out>, Extract<Wanted, 'dbeta'>>>;

/**
 * The gradient of layer normalization: what a loss depends on x, gamma and beta by, given what it depends on y by.
 *
 * With h = (x - mean) * rstd and g = dy * gamma, and averages over each group: dx = rstd * (g - average(g) - h * average(g * h));
 * dgamma = the sum of dy * h over all groups; dbeta = the sum of dy over all groups. With `rmsScaling` h = x * rstd and
 * dx = rstd * g - (x - mean) * rstd^2 * average(g * h), and there is no dbeta.
 *
 * Shapes: dy as x; dgamma and dbeta the sizes of the reduced dimensions. Empty x gives an empty dx, and zeros for the rest.
 *
 * Types and containers: as in `layerNorm`, x decides; all else is converted to the type that is computed in. Of float16 and
 * bfloat16 that is float32, dx is rounded once to nearest even, and dgamma and dbeta are float32.
 *
 * @example
 * ```ts
 * const { y, mean, rstd } = layerNormForward(x, { shape: [32, 768], gamma, beta });
 * const { dx, dgamma, dbeta } = layerNormBackward(dy, x, { shape: [32, 768], gamma, mean, rstd });
 * ```
 *
 * @param dy - the gradient of y, of the shape of x
 * @param x - what was normalized
 * @param options - see {@link LayerNormBackwardOptions}; `mean` and `rstd` are those of `layerNormForward`
 * @returns the gradients that `options.outputs` lists
 * @throws {@link LayerNormError} `ERR_SHAPE`, `ERR_AXIS`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_DISPOSED`, `ERR_OUT_OF_MEMORY`,
 * `ERR_LOAD`; nothing has been written then
 * @see Ba et al. 2016, Layer Normalization, arXiv:1607.06450; Keras 3 `LayerNormalization`
 */
export function layerNormBackward<
  X extends TensorLike,
  D extends DType = DTypeOf<X>,
  Out = undefined,
  Wanted extends LayerNormGradient = LayerNormGradient,
  Rms extends boolean = false,
>(
  dy: TensorLike,
  x: X,
  options: LayerNormBackwardOptions<D, Out, Wanted, Rms>,
): LayerNormBackward<X, D, Out, Wanted, Rms> {
  return layerNormBackwardOn(defaultHeapOwner(), dy, x, options);
}

/** {@link layerNormBackward} in the memory of one engine. */
export function layerNormBackwardOn<
  X extends TensorLike,
  D extends DType = DTypeOf<X>,
  Out = undefined,
  Wanted extends LayerNormGradient = LayerNormGradient,
  Rms extends boolean = false,
>(
  engine: HeapOwner,
  dy: TensorLike,
  x: X,
  options: LayerNormBackwardOptions<D, Out, Wanted, Rms>,
): LayerNormBackward<X, D, Out, Wanted, Rms> {
  const made = differentiateOn(LAYER_NORM_GRADIENT, 'layerNormBackward', engine, dy, x, options);
  return made as LayerNormBackward<X, D, Out, Wanted, Rms>;
}
