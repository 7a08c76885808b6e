import { CORE_DTYPE } from '../runtime/core_module.js';
import { defaultHeapOwner, type HeapOwner } from '../runtime/heap.js';
import type { DType } from '../tensor/dtype.js';
import { produce } from '../tensor/target.js';
import type { DTypeOf, Output, TensorLike } from '../tensor/tensor_like.js';
import { readOut, readParameter } from './arguments.js';
import type { ChannelOptions } from './channels.js';
import { type GroupPart, type GroupResultOf, passGroups, readGroupArguments } from './groups.js';
import type { LayerNormOutput } from './layer_norm.js';
import { readEpsilon } from './options.js';

/** Keras' default. PyTorch and ONNX have 1e-5. */
const DEFAULT_EPSILON = 1e-3;

/** Options of {@link instanceNorm} and `instanceNormForward`. `null` and `undefined` stand for the default. */
export interface InstanceNormOptions<D extends DType = DType, Out = unknown> extends ChannelOptions<D> {
  /**
   * What is added to the variance, inside the square root: a finite number that is not negative.
   * @defaultValue 1e-3, as in Keras (PyTorch and ONNX: 1e-5)
   */
  epsilon?: number | null;
  /** The offset: one summand for each channel, as for `gamma`. @defaultValue none, as if all were 0 */
  beta?: TensorLike | null;
  /**
   * Where to write y: an array of the result's type and size, `x` itself allowed. It may not overlap gamma or beta, nor x in
   * part. It is what the call returns as y, as in `layerNorm`.
   * @defaultValue a new container of the kind that x is
   */
  out?: (Out & Output) | null;
}

/** Options of {@link groupNorm} and {@link groupNormForward}. `null` and `undefined` stand for the default. */
export interface GroupNormOptions<D extends DType = DType, Out = unknown>
  extends InstanceNormOptions<D, Out> {
  /**
   * How many groups the channels are split into, neighbours together: a divisor of their number, or -1 for one each.
   * @defaultValue 32, as in Keras
   */
  groups?: number | null;
}

/** Every option of {@link InstanceNormOptions} once, for the check of their names. */
export const INSTANCE_NORM_OPTION_NAMES: Record<keyof InstanceNormOptions, true> = {
  shape: true,
  axis: true,
  epsilon: true,
  gamma: true,
  beta: true,
  dtype: true,
  out: true,
};
const OPTION_NAMES: Record<keyof GroupNormOptions, true> = { ...INSTANCE_NORM_OPTION_NAMES, groups: true };

/** What {@link groupNormForward} and `instanceNormForward` return: the output, and the statistics that the gradient needs. */
export interface GroupNormForward<X, D extends DType, Out> {
  /** The normalized x, of the same shape. */
  y: LayerNormOutput<X, D, Out>;
  /** The mean of each group: of shape [batch, groups]. */
  mean: GroupResultOf<X, D>;
  /** 1 / sqrt(variance + epsilon) of each group: of shape [batch, groups]. */
  rstd: GroupResultOf<X, D>;
}

/**
 * Group normalization: splits the channels of each sample into groups, brings each group to mean 0 and variance 1, and then
 * applies gamma and beta, one of each for a channel.
 *
 * y = (x - mean) / sqrt(variance + epsilon) * gamma + beta. Mean and biased variance are those of the elements of one sample
 * (one index of dimension 0) in channels / groups neighbouring channels, over all other dimensions.
 *
 * Shapes: x any of rank 2 to 32, y the same; gamma and beta one element for each channel. Empty x gives empty y.
 *
 * Types and containers: as in `layerNorm`. x decides, everything else is converted; of float16 and bfloat16 the parameters are float32.
 *
 * @example
 * ```ts
 * const y = groupNorm(x, { shape: [8, 64, 64, 128], groups: 32, gamma, beta });
 * ```
 *
 * @param x - what to normalize: dimension 0 is the batch
 * @param options - see {@link GroupNormOptions}
 * @returns y, or `options.out` where it is given
 * @throws {@link LayerNormError} `ERR_SHAPE`, `ERR_AXIS`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_DISPOSED`, `ERR_OUT_OF_MEMORY`,
 * `ERR_LOAD`; nothing has been written then
 * @see Wu and He 2018, Group Normalization, arXiv:1803.08494; Keras 3 `GroupNormalization`; ONNX `GroupNormalization`-21
 */
export function groupNorm<X extends TensorLike, D extends DType = DTypeOf<X>, Out = undefined>(
  x: X,
  options?: GroupNormOptions<D, Out>,
): LayerNormOutput<X, D, Out> {
  return groupNormOn(defaultHeapOwner(), x, options);
}

/**
 * {@link groupNorm} with the statistics that it used.
 *
 * @param x - what to normalize: dimension 0 is the batch
 * @param options - see {@link GroupNormOptions}
 * @returns y as {@link groupNorm} returns it; mean and rstd of shape [batch, groups] in new containers of the kind of x, of the type
 * of y, but float32 where that has 16 bits. Groups without elements have NaN for both.
 * @throws {@link LayerNormError} as {@link groupNorm} does
 * @see Wu and He 2018, Group Normalization, arXiv:1803.08494
 */
export function groupNormForward<X extends TensorLike, D extends DType = DTypeOf<X>, Out = undefined>(
  x: X,
  options?: GroupNormOptions<D, Out>,
): GroupNormForward<X, D, Out> {
  return groupNormForwardOn(defaultHeapOwner(), x, options);
}

/** {@link groupNorm} in the memory of one engine. */
export function groupNormOn<X extends TensorLike, D extends DType = DTypeOf<X>, Out = undefined>(
  engine: HeapOwner,
  x: X,
  options?: GroupNormOptions<D, Out>,
): LayerNormOutput<X, D, Out> {
  const given = options ?? {};
  return normalizeGroups('groupNorm', engine, x, given, given.groups, OPTION_NAMES, false)
    .y as LayerNormOutput<X, D, Out>;
}

/** {@link groupNormForward} in the memory of one engine. */
export function groupNormForwardOn<X extends TensorLike, D extends DType = DTypeOf<X>, Out = undefined>(
  engine: HeapOwner,
  x: X,
  options?: GroupNormOptions<D, Out>,
): GroupNormForward<X, D, Out> {
  const given = options ?? {};
  const made = normalizeGroups('groupNormForward', engine, x, given, given.groups, OPTION_NAMES, true);
  return made as GroupNormForward<X, D, Out>;
}

/** Group normalization under any name. */
export function normalizeGroups(
  operation: string,
  engine: HeapOwner,
  value: unknown,
  options: InstanceNormOptions,
  givenGroups: unknown,
  known: object,
  withStatistics: boolean,
): { y?: object; mean?: object; rstd?: object } {
  const common = readGroupArguments(operation, engine, value, options, givenGroups, known);
  const { owner, x, dtype, computed, axes, gamma, batch, before, inner, groups } = common;
  const epsilon = readEpsilon(operation, options.epsilon, DEFAULT_EPSILON);
  const beta = readParameter(operation, owner, 'beta', options.beta, x.shape, axes, dtype);
  const out = readOut(common, options.out, { x, gamma, beta });
  const statistic = withStatistics ? [batch, groups] : undefined;
  const wanted = { y: out ?? x.shape, mean: statistic, rstd: statistic };
  return produce<'y' | 'mean' | 'rstd'>(operation, owner, x, dtype, wanted, ({ y, mean, rstd }) => {
    const heap = owner.heap(operation);
    if (x.length === 0) {
      // Groups of no elements have statistics all the same: 0 / 0.
      mean?.elements(heap).fill(Number.NaN);
      rstd?.elements(heap).fill(Number.NaN);
      return;
    }
    const { core } = heap;
    const type = CORE_DTYPE[computed];
    const parts: GroupPart[] = [
      { per: 'element', input: x, output: y },
      { per: 'channel', input: gamma, output: undefined },
      { per: 'channel', input: beta, output: undefined },
      { per: 'group', input: undefined, output: mean },
      { per: 'group', input: undefined, output: rstd },
    ];
    passGroups(common, computed, parts, (sizes, from, to) =>
      core.groupNormForward(
        type,
        from[0] as number,
        to[0] as number,
        from[1] as number,
        from[2] as number,
        to[3] as number,
        to[4] as number,
        sizes.batch,
        before,
        sizes.channels,
        inner,
        sizes.groups,
        epsilon,
      ),
    );
  });
}
