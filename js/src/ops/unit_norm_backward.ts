import { defaultHeapOwner, type HeapOwner } from '../runtime/heap.js';
import type { DType } from '../tensor/dtype.js';
import type { DTypeOf, TensorLike } from '../tensor/tensor_like.js';
import type { LayerNormBackwardOptions, LayerNormGradients } from './layer_norm_backward.js';
import { differentiateOn, type NormalizationGradient } from './normalize_backward.js';
import { UNIT_NORM_EPSILON } from './unit_norm.js';

/** Options of {@link unitNormBackward}, those that are not told here as of `layerNormBackward`. */
export interface UnitNormBackwardOptions<D extends DType = DType, Out = unknown>
  extends Pick<LayerNormBackwardOptions<D, Out, 'dx'>, 'axis' | 'shape' | 'dtype' | 'outputs' | 'out'> {
  /**
   * 1 / max(sqrt(sum(x^2)), epsilon) of each group, as `unitNormForward` gave it: with 1 at the reduced dimensions of x, or
   * without these, or flat.
   */
  rstd: TensorLike;
  /** The epsilon that the forward call had, see `unitNorm`. @defaultValue 1e-12 */
  epsilon?: number | null;
}

/** Every option once, for the check of their names. */
const OPTION_NAMES: Record<keyof UnitNormBackwardOptions, true> = {
  rstd: true,
  epsilon: true,
  axis: true,
  shape: true,
  dtype: true,
  outputs: true,
  out: true,
};

const UNIT_NORM_GRADIENT: NormalizationGradient = {
  optionNames: OPTION_NAMES,
  gradients: ['dx'],
  hasMean: false,
  epsilon: UNIT_NORM_EPSILON,
  workspace: (core, ...block) => core.unitNormBackwardWorkspace(...block),
  backward: (core, dtype, { dy, x, rstd, dx }, block, { epsilon }, part) =>
    core.unitNormBackward(dtype, dy, x, rstd, dx, ...block, epsilon, ...part),
};

/** What {@link unitNormBackward} returns. */
export type UnitNormBackward<X, D extends DType, Out> = Pick<LayerNormGradients<X, D, Out>, 'dx'>;

/**
 * The gradient of unit normalization: what a loss depends on x by, given what it depends on y by.
 *
 * With y = x * rstd, for each group: dx = rstd * (dy - y * sum(dy * y)); where the norm of x is not more than epsilon, which
 * rstd = 1 / epsilon says, dx = rstd * dy. So it is finite for a zero vector.
 *
 * Shapes: dy as x. Empty x gives an empty dx. Types and containers: as in `layerNormBackward`.
 *
 * @example
 * ```ts
 * const { y, rstd } = unitNormForward(x, { shape: [32, 768] });
 * const { dx } = unitNormBackward(dy, x, { shape: [32, 768], rstd });
 * ```
 *
 * @param dy - the gradient of y, of the shape of x
 * @param x - what was normalized
 * @param options - see {@link UnitNormBackwardOptions}; `rstd` is that of `unitNormForward`
 * @returns dx
 * @throws {@link LayerNormError} `ERR_SHAPE`, `ERR_AXIS`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_DISPOSED`, `ERR_OUT_OF_MEMORY`,
 * `ERR_LOAD`; nothing has been written then
 * @see Keras 3.16 `UnitNormalization`
 */
export function unitNormBackward<X extends TensorLike, D extends DType = DTypeOf<X>, Out = undefined>(
  dy: TensorLike,
  x: X,
  options: UnitNormBackwardOptions<D, Out>,
): UnitNormBackward<X, D, Out> {
  return unitNormBackwardOn(defaultHeapOwner(), dy, x, options);
}

/** {@link unitNormBackward} in the memory of one engine. */
export function unitNormBackwardOn<X extends TensorLike, D extends DType = DTypeOf<X>, Out = undefined>(
  engine: HeapOwner,
  dy: TensorLike,
  x: X,
  options: UnitNormBackwardOptions<D, Out>,
): UnitNormBackward<X, D, Out> {
  const made = differentiateOn(UNIT_NORM_GRADIENT, 'unitNormBackward', engine, dy, x, options);
  return made as UnitNormBackward<X, D, Out>;
}
