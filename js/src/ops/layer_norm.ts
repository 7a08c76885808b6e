import { defaultHeapOwner, type HeapOwner } from '../runtime/heap.js';
import type { DType } from '../tensor/dtype.js';
import type { DTypeOf, Output, ParameterResultOf, ResultOf, TensorLike } from '../tensor/tensor_like.js';
import { type Normalization, normalizeForwardOn, normalizeOn } from './normalize.js';

/** Options of {@link layerNorm} and {@link layerNormForward}. `null` and `undefined` stand for the default. */
export interface LayerNormOptions<D extends DType = DType, Out = unknown> {
  /**
   * Sizes of the dimensions of `x`, outermost first, for a typed array: it has one dimension by default. Anything else says
   * its shape itself.
   */
  shape?: readonly number[] | null;
  /**
   * The dimension, or the dimensions, that mean and variance are taken over, and that gamma and beta span. Negative ones
   * count from the end. Their order does not matter.
   * @defaultValue -1
   */
  axis?: number | readonly number[] | null;
  /**
   * What is added to the variance, inside the square root: a finite number that is not negative.
   * @defaultValue 1e-3, as in Keras (PyTorch and ONNX: 1e-5)
   */
  epsilon?: number | null;
  /**
   * The scale: one factor for each position in the reduced dimensions, row-major in their ascending order. If it has a
   * shape, then the sizes of the reduced dimensions, or one dimension of all of them, or the shape of x with 1 at the others.
   * @defaultValue none, as if all were 1
   */
  gamma?: TensorLike | null;
  /**
   * The offset: one summand for each position in the reduced dimensions, as for `gamma`. Not allowed with `rmsScaling`.
   * @defaultValue none, as if all were 0
   */
  beta?: TensorLike | null;
  /**
   * Keras' deprecated `rms_scaling`: x itself is scaled, not its distance from the mean. The factor is still taken from the
   * *variance*, as Keras does; it is not RMS normalization.
   * @defaultValue false
   */
  rmsScaling?: boolean | null;
  /**
   * The type of the result, and of the computation: float16 and bfloat16 are computed in float32, and the result is rounded once,
   * to nearest even. x of another type is not rounded to 16 bits before. In a call with results of 16 bits every `Uint16Array`
   * holds bits of that type.
   * @defaultValue the type of x, 'float32' for integers and numbers
   */
  dtype?: D | null;
  /**
   * Where to write y: an array of the result's type and size, `x` itself allowed. It may not overlap gamma or beta, nor x in
   * part. Given, it is what the call returns as y, but for a view of a {@link Tensor} that the memory's growth has detached
   * meanwhile: a new view then takes its place.
   * @defaultValue a new container of the kind that x is
   */
  out?: (Out & Output) | null;
}

/** Every option once, for the check of their names. */
const OPTION_NAMES: Record<keyof LayerNormOptions, true> = {
  shape: true,
  axis: true,
  epsilon: true,
  gamma: true,
  beta: true,
  rmsScaling: true,
  dtype: true,
  out: true,
};

const LAYER_NORM: Normalization = {
  optionNames: OPTION_NAMES,
  epsilon: 1e-3,
  statistics: ['mean', 'rstd'],
  workspace: (core, ...block) => core.layerNormForwardWorkspace(...block),
  forward: (core, dtype, x, y, gamma, beta, mean, rstd, workspace, bytes, dims, rank, axes, epsilon, rms) =>
    core.layerNormForward(
      dtype,
      x,
      y,
      gamma,
      beta,
      mean,
      rstd,
      workspace,
      bytes,
      dims,
      rank,
      axes,
      epsilon,
      rms,
    ),
};

/** `out` where it is given, else a new container of the kind that `X` is. */
export type LayerNormOutput<X, D extends DType, Out> = [Out] extends [Output]
  ? // Not inferred from what the result is assigned to: only the option decides.
    [Out][Out extends unknown ? 0 : never]
  : ResultOf<X, D>;

/** What {@link layerNormForward} returns: the output, and the statistics that the gradient needs. */
export interface LayerNormForward<X, D extends DType, Out> {
  /** The normalized x, of the same shape. */
  y: LayerNormOutput<X, D, Out>;
  /** The mean of each group: the shape of x with 1 at the reduced dimensions. */
  mean: ParameterResultOf<X, D>;
  /** 1 / sqrt(variance + epsilon) of each group: the shape of x with 1 at the reduced dimensions. */
  rstd: ParameterResultOf<X, D>;
}

/**
 * Layer normalization: brings each group of elements of x, the last axis by default, to mean 0 and variance 1, and then
 * applies gamma and beta.
 *
 * y = (x - mean) / sqrt(variance + epsilon) * gamma + beta, with the biased variance (the sum of squared deviations divided
 * by the number of elements); with `rmsScaling` y = x / sqrt(variance + epsilon) * gamma.
 *
 * Shapes: x any of rank 1 to 32, y the same; gamma and beta one element for each position in the reduced dimensions. Empty x
 * gives empty y.
 *
 * Types: float32 and float64 are computed and returned as such, integers are converted to float32; gamma and beta are converted
 * to the type of x. float16 and bfloat16 give exactly what float32 gives of the same numbers, rounded once to nearest even;
 * gamma, beta, mean and rstd are float32 then. Containers: what comes back is of the kind of x, see {@link TensorLike}. Outside the WebAssembly memory
 * x is copied through it block by block, so it may be larger than that memory; a {@link Tensor} is not copied at all.
 *
 * @example
 * ```ts
 * const y = layerNorm(new Float32Array([1, 2, 3, 10, 20, 30]), { shape: [2, 3] });
 * ```
 *
 * @param x - what to normalize
 * @param options - see {@link LayerNormOptions}
 * @returns y, or `options.out` where it is given
 * @throws {@link LayerNormError} `ERR_SHAPE`, `ERR_AXIS`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_DISPOSED`, `ERR_OUT_OF_MEMORY`,
 * `ERR_LOAD`; nothing has been written then
 * @see Ba et al. 2016, Layer Normalization, arXiv:1607.06450; Keras 3 `LayerNormalization`; ONNX `LayerNormalization`-17
 */
export function layerNorm<X extends TensorLike, D extends DType = DTypeOf<X>, Out = undefined>(
  x: X,
  options?: LayerNormOptions<D, Out>,
): LayerNormOutput<X, D, Out> {
  return layerNormOn(defaultHeapOwner(), x, options);
}

/**
 * {@link layerNorm} with the statistics that it used, as ONNX's Mean and InvStdDev.
 *
 * @param x - what to normalize
 * @param options - see {@link LayerNormOptions}
 * @returns y as {@link layerNorm} returns it; mean and rstd in new containers of the kind of x, with its shape but 1 at the
 * reduced dimensions, of the type of y, but float32 where that has 16 bits. Groups without elements have NaN for both.
 * @throws {@link LayerNormError} as {@link layerNorm} does
 * @see Ba et al. 2016, Layer Normalization, arXiv:1607.06450; ONNX `LayerNormalization`-17
 */
export function layerNormForward<X extends TensorLike, D extends DType = DTypeOf<X>, Out = undefined>(
  x: X,
  options?: LayerNormOptions<D, Out>,
): LayerNormForward<X, D, Out> {
  return layerNormForwardOn(defaultHeapOwner(), x, options);
}

/** {@link layerNorm} in the memory of one engine. */
export function layerNormOn<X extends TensorLike, D extends DType = DTypeOf<X>, Out = undefined>(
  engine: HeapOwner,
  x: X,
  options?: LayerNormOptions<D, Out>,
): LayerNormOutput<X, D, Out> {
  return normalizeOn(LAYER_NORM, 'layerNorm', engine, x, options) as LayerNormOutput<X, D, Out>;
}

/** {@link layerNormForward} in the memory of one engine. */
export function layerNormForwardOn<X extends TensorLike, D extends DType = DTypeOf<X>, Out = undefined>(
  engine: HeapOwner,
  x: X,
  options?: LayerNormOptions<D, Out>,
): LayerNormForward<X, D, Out> {
  const made = normalizeForwardOn(LAYER_NORM, 'layerNormForward', engine, x, options);
  return made as LayerNormForward<X, D, Out>;
}
