import { defaultHeapOwner, type HeapOwner } from '../runtime/heap.js';
import type { DType } from '../tensor/dtype.js';
import type { DTypeOf, TensorLike } from '../tensor/tensor_like.js';
import { BACKWARD_OPTION_NAMES, type ChannelBackwardOptions, type ChannelGradients } from './channels.js';
import {
  type GroupNormForward,
  INSTANCE_NORM_OPTION_NAMES,
  type InstanceNormOptions,
  normalizeGroups,
} from './group_norm.js';
import { differentiateGroups } from './group_norm_backward.js';
import type { LayerNormOutput } from './layer_norm.js';
import type { Gradient } from './normalize_backward.js';

/** Groups of one channel each. */
const ONE_EACH = -1;

/**
 * Instance normalization: brings each channel of each sample to mean 0 and variance 1, and then applies gamma and beta. It is
 * `groupNorm` with `groups: -1`.
 *
 * y = (x - mean) / sqrt(variance + epsilon) * gamma + beta, with the mean and the biased variance over all dimensions but the
 * batch, which is dimension 0, and the channels.
 *
 * Shapes: x any of rank 2 to 32, y the same; gamma and beta one element for each channel. Empty x gives empty y. With nothing but
 * batch and channels y is beta, since each element then is its own mean.
 *
 * Types and containers: as in `layerNorm`.
 *
 * @example
 * ```ts
 * const y = instanceNorm(x, { shape: [1, 3, 256, 256], axis: 1, epsilon: 1e-5 });
 * ```
 *
 * @param x - what to normalize: dimension 0 is the batch
 * @param options - see {@link InstanceNormOptions}
 * @returns y, or `options.out` where it is given
 * @throws {@link LayerNormError} `ERR_SHAPE`, `ERR_AXIS`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_DISPOSED`, `ERR_OUT_OF_MEMORY`,
 * `ERR_LOAD`; nothing has been written then
 * @see Ulyanov et al. 2016, Instance Normalization, arXiv:1607.08022; ONNX `InstanceNormalization`-22
 */
export function instanceNorm<X extends TensorLike, D extends DType = DTypeOf<X>, Out = undefined>(
  x: X,
  options?: InstanceNormOptions<D, Out>,
): LayerNormOutput<X, D, Out> {
  return instanceNormOn(defaultHeapOwner(), x, options);
}

/**
 * {@link instanceNorm} with the statistics that it used.
 *
 * @param x - what to normalize: dimension 0 is the batch
 * @param options - see {@link InstanceNormOptions}
 * @returns as `groupNormForward` does: mean and rstd are of shape [batch, channels]
 * @throws {@link LayerNormError} as {@link instanceNorm} does
 * @see Ulyanov et al. 2016, Instance Normalization, arXiv:1607.08022
 */
export function instanceNormForward<X extends TensorLike, D extends DType = DTypeOf<X>, Out = undefined>(
  x: X,
  options?: InstanceNormOptions<D, Out>,
): GroupNormForward<X, D, Out> {
  return instanceNormForwardOn(defaultHeapOwner(), x, options);
}

/**
 * The gradient of instance normalization: that of `groupNormBackward` with `groups: -1`.
 *
 * @param dy - the gradient of y, of the shape of x
 * @param x - what was normalized
 * @param options - see {@link ChannelBackwardOptions}; `mean` and `rstd` are those of `instanceNormForward`
 * @returns the gradients that `options.outputs` lists
 * @throws {@link LayerNormError} `ERR_SHAPE`, `ERR_AXIS`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_DISPOSED`, `ERR_OUT_OF_MEMORY`,
 * `ERR_LOAD`; nothing has been written then
 * @see Ulyanov et al. 2016, Instance Normalization, arXiv:1607.08022
 */
export function instanceNormBackward<
  X extends TensorLike,
  D extends DType = DTypeOf<X>,
  Out = undefined,
  Wanted extends Gradient = Gradient,
>(
  dy: TensorLike,
  x: X,
  options: ChannelBackwardOptions<D, Out, Wanted>,
): Pick<ChannelGradients<X, D, Out>, Wanted> {
  return instanceNormBackwardOn(defaultHeapOwner(), dy, x, options);
}

/** {@link instanceNorm} in the memory of one engine. */
export function instanceNormOn<X extends TensorLike, D extends DType = DTypeOf<X>, Out = undefined>(
  engine: HeapOwner,
  x: X,
  options?: InstanceNormOptions<D, Out>,
): LayerNormOutput<X, D, Out> {
  const names = INSTANCE_NORM_OPTION_NAMES;
  const { y } = normalizeGroups('instanceNorm', engine, x, options ?? {}, ONE_EACH, names, false);
  return y as LayerNormOutput<X, D, Out>;
}

/** {@link instanceNormForward} in the memory of one engine. */
export function instanceNormForwardOn<X extends TensorLike, D extends DType = DTypeOf<X>, Out = undefined>(
  engine: HeapOwner,
  x: X,
  options?: InstanceNormOptions<D, Out>,
): GroupNormForward<X, D, Out> {
  const names = INSTANCE_NORM_OPTION_NAMES;
  const made = normalizeGroups('instanceNormForward', engine, x, options ?? {}, ONE_EACH, names, true);
  return made as GroupNormForward<X, D, Out>;
}

/** {@link instanceNormBackward} in the memory of one engine. */
export function instanceNormBackwardOn<
  X extends TensorLike,
  D extends DType = DTypeOf<X>,
  Out = undefined,
  Wanted extends Gradient = Gradient,
>(
  engine: HeapOwner,
  dy: TensorLike,
  x: X,
  options: ChannelBackwardOptions<D, Out, Wanted>,
): Pick<ChannelGradients<X, D, Out>, Wanted> {
  const operation = 'instanceNormBackward';
  const given: ChannelBackwardOptions = options ?? {};
  const made = differentiateGroups(operation, engine, dy, x, given, ONE_EACH, BACKWARD_OPTION_NAMES);
  return made as Pick<ChannelGradients<X, D, Out>, Wanted>;
}
