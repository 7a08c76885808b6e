import { defaultHeapOwner, type HeapOwner } from '../runtime/heap.js';
import type { DType } from '../tensor/dtype.js';
import type { DTypeOf, ParameterResultOf, TensorLike } from '../tensor/tensor_like.js';
import type { LayerNormOptions, LayerNormOutput } from './layer_norm.js';
import { type Normalization, normalizeForwardOn, normalizeOn } from './normalize.js';

/** Keras' constant in `UnitNormalization`. */
export const UNIT_NORM_EPSILON = 1e-12;

/** Options of {@link unitNorm} and {@link unitNormForward}, those that are not told here as of `layerNorm`. */
export interface UnitNormOptions<D extends DType = DType, Out = unknown>
  extends Pick<LayerNormOptions<D, Out>, 'shape' | 'axis' | 'dtype' | 'out'> {
  /**
   * The least norm that is divided by, so that a zero vector stays one: a finite number that is not negative.
   * @defaultValue 1e-12, as in Keras 3.16 and PyTorch
   */
  epsilon?: number | null;
}

/** Every option once, for the check of their names. */
const OPTION_NAMES: Record<keyof UnitNormOptions, true> = {
  shape: true,
  axis: true,
  epsilon: true,
  dtype: true,
  out: true,
};

const UNIT_NORM: Normalization = {
  optionNames: OPTION_NAMES,
  epsilon: UNIT_NORM_EPSILON,
  statistics: ['rstd'],
  workspace: (core, ...block) => core.unitNormForwardWorkspace(...block),
  forward: (core, dtype, x, y, _gamma, _beta, _mean, rstd, workspace, bytes, dims, rank, axes, epsilon) =>
    core.unitNormForward(dtype, x, y, rstd, workspace, bytes, dims, rank, axes, epsilon),
};

/** What {@link unitNormForward} returns: the output, and the statistic that the gradient needs. */
export interface UnitNormForward<X, D extends DType, Out> {
  /** The normalized x, of the same shape. */
  y: LayerNormOutput<X, D, Out>;
  /** 1 / max(sqrt(sum(x^2)), epsilon) of each group: the shape of x with 1 at the reduced dimensions. */
  rstd: ParameterResultOf<X, D>;
}

/**
 * Unit normalization, or L2 normalization: divides each group of elements of x, the last axis by default, by its Euclidean norm.
 *
 * y = x / sqrt(max(sum(x^2), epsilon^2)).
 *
 * Shapes: x any of rank 1 to 32, y the same. Empty x gives empty y. Types and containers: as in `layerNorm`.
 *
 * @example
 * ```ts
 * const y = unitNorm(new Float32Array([3, 4, 6, 8]), { shape: [2, 2] }); // [0.6, 0.8, 0.6, 0.8]
 * ```
 *
 * @param x - what to normalize
 * @param options - see {@link UnitNormOptions}
 * @returns y, or `options.out` where it is given
 * @throws {@link LayerNormError} `ERR_SHAPE`, `ERR_AXIS`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_DISPOSED`, `ERR_OUT_OF_MEMORY`,
 * `ERR_LOAD`; nothing has been written then
 * @see Keras 3.16 `UnitNormalization` and `ops.normalize` of order 2; ONNX `LpNormalization`-22 of p = 2, without an epsilon
 */
export function unitNorm<X extends TensorLike, D extends DType = DTypeOf<X>, Out = undefined>(
  x: X,
  options?: UnitNormOptions<D, Out>,
): LayerNormOutput<X, D, Out> {
  return unitNormOn(defaultHeapOwner(), x, options);
}

/**
 * {@link unitNorm} with the statistic that it used.
 *
 * @param x - what to normalize
 * @param options - see {@link UnitNormOptions}
 * @returns y as {@link unitNorm} returns it; rstd in a new container of the kind of x, with its shape but 1 at the reduced
 * dimensions, of the type of y, but float32 where that has 16 bits. Groups without elements have NaN.
 * @throws {@link LayerNormError} as {@link unitNorm} does
 * @see Keras 3.16 `UnitNormalization`
 */
export function unitNormForward<X extends TensorLike, D extends DType = DTypeOf<X>, Out = undefined>(
  x: X,
  options?: UnitNormOptions<D, Out>,
): UnitNormForward<X, D, Out> {
  return unitNormForwardOn(defaultHeapOwner(), x, options);
}

/** {@link unitNorm} in the memory of one engine. */
export function unitNormOn<X extends TensorLike, D extends DType = DTypeOf<X>, Out = undefined>(
  engine: HeapOwner,
  x: X,
  options?: UnitNormOptions<D, Out>,
): LayerNormOutput<X, D, Out> {
  return normalizeOn(UNIT_NORM, 'unitNorm', engine, x, options) as LayerNormOutput<X, D, Out>;
}

/** {@link unitNormForward} in the memory of one engine. */
export function unitNormForwardOn<X extends TensorLike, D extends DType = DTypeOf<X>, Out = undefined>(
  engine: HeapOwner,
  x: X,
  options?: UnitNormOptions<D, Out>,
): UnitNormForward<X, D, Out> {
  return normalizeForwardOn(UNIT_NORM, 'unitNormForward', engine, x, options) as UnitNormForward<X, D, Out>;
}
