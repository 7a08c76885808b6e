import { defaultHeapOwner, type HeapOwner } from '../runtime/heap.js';
import type { DType } from '../tensor/dtype.js';
import type { DTypeOf, ParameterResultOf, TensorLike } from '../tensor/tensor_like.js';
import type { LayerNormOptions, LayerNormOutput } from './layer_norm.js';
import { type Normalization, normalizeForwardOn, normalizeOn } from './normalize.js';

/** Options of {@link rmsNorm} and {@link rmsNormForward}, those that are not told here as of `layerNorm`. */
export interface RmsNormOptions<D extends DType = DType, Out = unknown>
  extends Pick<LayerNormOptions<D, Out>, 'shape' | 'axis' | 'gamma' | 'dtype' | 'out'> {
  /**
   * What is added to the mean of the squares, inside the square root: a finite number that is not negative.
   * @defaultValue 1e-6, as in Keras' layer (its op: 1e-7; ONNX: 1e-5; PyTorch: the machine epsilon of the type)
   */
  epsilon?: number | null;
}

/** Every option once, for the check of their names. */
const OPTION_NAMES: Record<keyof RmsNormOptions, true> = {
  shape: true,
  axis: true,
  epsilon: true,
  gamma: true,
  dtype: true,
  out: true,
};

const RMS_NORM: Normalization = {
  optionNames: OPTION_NAMES,
  epsilon: 1e-6,
  statistics: ['rstd'],
  workspace: (core, ...block) => core.rmsNormForwardWorkspace(...block),
  forward: (core, dtype, x, y, gamma, _beta, _mean, rstd, workspace, bytes, dims, rank, axes, epsilon) =>
    core.rmsNormForward(dtype, x, y, gamma, rstd, workspace, bytes, dims, rank, axes, epsilon),
};

/** What {@link rmsNormForward} returns: the output, and the statistic that the gradient needs. */
export interface RmsNormForward<X, D extends DType, Out> {
  /** The normalized x, of the same shape. */
  y: LayerNormOutput<X, D, Out>;
  /** 1 / sqrt(mean(x^2) + epsilon) of each group: the shape of x with 1 at the reduced dimensions. */
  rstd: ParameterResultOf<X, D>;
}

/**
 * RMS normalization: divides each group of elements of x, the last axis by default, by the root of the mean of its squares, and
 * then applies gamma.
 *
 * y = x / sqrt(mean(x^2) + epsilon) * gamma.
 *
 * Shapes: x any of rank 1 to 32, y the same; gamma one element for each position in the reduced dimensions. Empty x gives
 * empty y. Types and containers: as in `layerNorm`.
 *
 * @example
 * ```ts
 * const y = rmsNorm(new Float32Array([3, 4, 6, 8]), { shape: [2, 2] });
 * ```
 *
 * @param x - what to normalize
 * @param options - see {@link RmsNormOptions}
 * @returns y, or `options.out` where it is given
 * @throws {@link LayerNormError} `ERR_SHAPE`, `ERR_AXIS`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_DISPOSED`, `ERR_OUT_OF_MEMORY`,
 * `ERR_LOAD`; nothing has been written then
 * @see Zhang and Sennrich 2019, Root Mean Square Layer Normalization, arXiv:1910.07467; Keras 3 `RMSNormalization`; ONNX
 * `RMSNormalization`-23
 */
export function rmsNorm<X extends TensorLike, D extends DType = DTypeOf<X>, Out = undefined>(
  x: X,
  options?: RmsNormOptions<D, Out>,
): LayerNormOutput<X, D, Out> {
  return rmsNormOn(defaultHeapOwner(), x, options);
}

/**
 * {@link rmsNorm} with the statistic that it used.
 *
 * @param x - what to normalize
 * @param options - see {@link RmsNormOptions}
 * @returns y as {@link rmsNorm} returns it; rstd in a new container of the kind of x, with its shape but 1 at the reduced
 * dimensions, of the type of y, but float32 where that has 16 bits. Groups without elements have NaN.
 * @throws {@link LayerNormError} as {@link rmsNorm} does
 * @see Zhang and Sennrich 2019, Root Mean Square Layer Normalization, arXiv:1910.07467
 */
export function rmsNormForward<X extends TensorLike, D extends DType = DTypeOf<X>, Out = undefined>(
  x: X,
  options?: RmsNormOptions<D, Out>,
): RmsNormForward<X, D, Out> {
  return rmsNormForwardOn(defaultHeapOwner(), x, options);
}

/** {@link rmsNorm} in the memory of one engine. */
export function rmsNormOn<X extends TensorLike, D extends DType = DTypeOf<X>, Out = undefined>(
  engine: HeapOwner,
  x: X,
  options?: RmsNormOptions<D, Out>,
): LayerNormOutput<X, D, Out> {
  return normalizeOn(RMS_NORM, 'rmsNorm', engine, x, options) as LayerNormOutput<X, D, Out>;
}

/** {@link rmsNormForward} in the memory of one engine. */
export function rmsNormForwardOn<X extends TensorLike, D extends DType = DTypeOf<X>, Out = undefined>(
  engine: HeapOwner,
  x: X,
  options?: RmsNormOptions<D, Out>,
): RmsNormForward<X, D, Out> {
  return normalizeForwardOn(RMS_NORM, 'rmsNormForward', engine, x, options) as RmsNormForward<X, D, Out>;
}
