import { CORE_DTYPE } from '../runtime/core_module.js';
import { defaultHeapOwner, type HeapOwner } from '../runtime/heap.js';
import type { DType } from '../tensor/dtype.js';
import { type Part, passThrough } from '../tensor/passage.js';
import { readAxes, reducedAsOnes, reducedShape } from '../tensor/shape.js';
import { produce } from '../tensor/target.js';
import type { DTypeOf, ReducedResultOf, TensorLike } from '../tensor/tensor_like.js';
import { readInput } from './arguments.js';
import { readFlag } from './options.js';

/** Options of {@link moments}. `null` and `undefined` stand for the default. */
export interface MomentsCallOptions<D extends DType = DType> {
  /**
   * Sizes of the dimensions of `x`, outermost first, for a typed array: it has one dimension by default. Anything else says
   * its shape itself.
   */
  shape?: readonly number[] | null;
  /**
   * The dimension, or the dimensions, that mean and variance are taken over. Negative ones count from the end.
   * @defaultValue all of them
   */
  axis?: number | readonly number[] | null;
  /** Whether the results keep the dimensions that they are taken over, with size 1. @defaultValue false */
  keepDims?: boolean | null;
  /**
   * The type of the results, and of the computation; float32 for 'float16' and 'bfloat16'. In a call with one of these every
   * `Uint16Array` holds bits of that type.
   * @defaultValue the type of x, 'float32' for integers and numbers
   */
  dtype?: D | null;
}

/** Every option once, for the check of their names. */
const OPTION_NAMES: Record<keyof MomentsCallOptions, true> = {
  shape: true,
  axis: true,
  keepDims: true,
  dtype: true,
};

/** What {@link moments} returns. */
export interface MomentsResult<X, D extends DType> {
  /** The mean of each group of elements. */
  mean: ReducedResultOf<X, D>;
  /** The biased variance of each group of elements: the average of the squared distances from the mean. */
  variance: ReducedResultOf<X, D>;
}

/**
 * Mean and biased variance of x over some of its dimensions, or over all.
 *
 * mean = average(x), variance = average((x - mean)^2), accurate to a few units in the last place also where the mean is large and
 * the variance small. Groups of no elements have NaN for both.
 *
 * Shapes: x any of rank 1 to 32; the results its dimensions but those of `axis`, in their order; with `keepDims` these are 1. Taken
 * over all dimensions they have shape [1], as there is no array of rank 0 here.
 *
 * Types and containers: as the statistics of `layerNormForward`: of the type of x, but float32 for integers and elements of 16
 * bits, in new containers of the kind that x is.
 *
 * @example
 * ```ts
 * const { mean, variance } = moments(x, { shape: [32, 28, 28, 64], axis: [0, 1, 2] });
 * ```
 *
 * @param x - what to take them of
 * @param options - see {@link MomentsCallOptions}
 * @returns both
 * @throws {@link LayerNormError} `ERR_SHAPE`, `ERR_AXIS`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_DISPOSED`, `ERR_OUT_OF_MEMORY`,
 * `ERR_LOAD`
 * @see Keras 3 `ops.moments`; Chan, Golub and LeVeque 1983, Algorithms for Computing the Sample Variance
 */
export function moments<X extends TensorLike, D extends DType = DTypeOf<X>>(
  x: X,
  options?: MomentsCallOptions<D>,
): MomentsResult<X, D> {
  return momentsOn(defaultHeapOwner(), x, options);
}

/** {@link moments} in the memory of one engine. */
export function momentsOn<X extends TensorLike, D extends DType = DTypeOf<X>>(
  engine: HeapOwner,
  value: X,
  options?: MomentsCallOptions<D>,
): MomentsResult<X, D> {
  const operation = 'moments';
  const given: MomentsCallOptions = options ?? {};
  const { owner, x, dtype, computed } = readInput(operation, engine, value, given, OPTION_NAMES);
  const axes = readAxes(operation, given.axis ?? x.shape.map((_, i) => i), x.shape);
  const keepDims = readFlag(operation, 'keepDims', given.keepDims);
  const kept = keepDims ? reducedAsOnes(x.shape, axes) : reducedShape(x.shape, ~axes);
  const shape = kept.length === 0 ? [1] : kept;
  const heap = owner.heap(operation);
  const { core } = heap;
  const type = CORE_DTYPE[computed];
  const made = produce<'mean' | 'variance'>(
    operation,
    owner,
    x,
    dtype,
    { mean: shape, variance: shape },
    ({ mean, variance }) => {
      if (x.length === 0) {
        mean?.elements(heap).fill(Number.NaN);
        variance?.elements(heap).fill(Number.NaN);
        return;
      }
      const parts: Part[] = [
        { per: 'element', input: x, output: undefined },
        { per: 'group', input: undefined, output: mean },
        { per: 'group', input: undefined, output: variance },
      ];
      passThrough(operation, heap, computed, x.shape, axes, parts, (block, from, to) =>
        core.moments(
          type,
          from[0] as number,
          to[1] as number,
          to[2] as number,
          heap.dims,
          block.dims.length,
          block.axes,
        ),
      );
    },
  );
  return made as MomentsResult<X, D>;
}
