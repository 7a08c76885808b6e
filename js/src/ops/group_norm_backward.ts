import { CORE_DTYPE } from '../runtime/core_module.js';
import { defaultHeapOwner, type HeapOwner } from '../runtime/heap.js';
import type { DType } from '../tensor/dtype.js';
import { gradientParts } from '../tensor/passage.js';
import { formatShape } from '../tensor/shape.js';
import type { DTypeOf, Operand, TensorLike } from '../tensor/tensor_like.js';
import { readSpan } from './arguments.js';
import {
  BACKWARD_OPTION_NAMES,
  type ChannelBackwardOptions,
  type ChannelGradients,
  produceChannelGradients,
  readChannelGradient,
} from './channels.js';
import { type GroupArguments, type GroupPart, passGroups, readGroupArguments } from './groups.js';
import type { Gradient } from './normalize_backward.js';

/** Options of {@link groupNormBackward}. `null` and `undefined` stand for the default. */
export interface GroupNormBackwardOptions<
  D extends DType = DType,
  Out = unknown,
  Wanted extends Gradient = Gradient,
> extends ChannelBackwardOptions<D, Out, Wanted> {
  /** The groups that the forward call had, see `groupNorm`. @defaultValue 32 */
  groups?: number | null;
}

/** Every option once, for the check of their names. */
const OPTION_NAMES: Record<keyof GroupNormBackwardOptions, true> = { ...BACKWARD_OPTION_NAMES, groups: true };

/**
 * The gradient of group normalization: what a loss depends on x, gamma and beta by, given what it depends on y by.
 *
 * With h = (x - mean) * rstd and g = dy * gamma, and averages over each group of each sample:
 * dx = rstd * (g - average(g) - h * average(g * h)); dgamma = the sum of dy * h over each channel, of all samples; dbeta = the
 * sum of dy.
 *
 * Shapes: dy as x; mean and rstd [batch, groups]; dgamma and dbeta [channels]. Empty x gives an empty dx, and zeros for the rest.
 *
 * Types and containers: as in `layerNormBackward`: x decides; of float16 and bfloat16 dgamma and dbeta are float32.
 *
 * @example
 * ```ts
 * const { y, mean, rstd } = groupNormForward(x, { shape: [8, 64, 128], groups: 16, gamma, beta });
 * const { dx, dgamma, dbeta } = groupNormBackward(dy, x, { shape: [8, 64, 128], groups: 16, gamma, mean, rstd });
 * ```
 *
 * @param dy - the gradient of y, of the shape of x
 * @param x - what was normalized
 * @param options - see {@link GroupNormBackwardOptions}; `mean` and `rstd` are those of `groupNormForward`
 * @returns the gradients that `options.outputs` lists
 * @throws {@link LayerNormError} `ERR_SHAPE`, `ERR_AXIS`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_DISPOSED`, `ERR_OUT_OF_MEMORY`,
 * `ERR_LOAD`; nothing has been written then
 * @see Wu and He 2018, Group Normalization, arXiv:1803.08494; Keras 3 `GroupNormalization`
 */
export function groupNormBackward<
  X extends TensorLike,
  D extends DType = DTypeOf<X>,
  Out = undefined,
  Wanted extends Gradient = Gradient,
>(
  dy: TensorLike,
  x: X,
  options: GroupNormBackwardOptions<D, Out, Wanted>,
): Pick<ChannelGradients<X, D, Out>, Wanted> {
  return groupNormBackwardOn(defaultHeapOwner(), dy, x, options);
}

/** {@link groupNormBackward} in the memory of one engine. */
export function groupNormBackwardOn<
  X extends TensorLike,
  D extends DType = DTypeOf<X>,
  Out = undefined,
  Wanted extends Gradient = Gradient,
>(
  engine: HeapOwner,
  dy: TensorLike,
  x: X,
  options: GroupNormBackwardOptions<D, Out, Wanted>,
): Pick<ChannelGradients<X, D, Out>, Wanted> {
  const given: GroupNormBackwardOptions = options ?? {};
  const made = differentiateGroups('groupNormBackward', engine, dy, x, given, given.groups, OPTION_NAMES);
  return made as Pick<ChannelGradients<X, D, Out>, Wanted>;
}

/** The gradient of group normalization under any name. */
export function differentiateGroups(
  operation: string,
  engine: HeapOwner,
  dy: unknown,
  x: unknown,
  options: ChannelBackwardOptions,
  givenGroups: unknown,
  known: object,
): object {
  const common = readGroupArguments(operation, engine, x, options, givenGroups, known);
  const call = readChannelGradient(common, dy, options, (name, value) => readPerGroup(common, name, value));
  const { before, inner } = common;
  const { core } = common.owner.heap(operation);
  const type = CORE_DTYPE[call.computed];
  return produceChannelGradients(common, call, ({ dx, dgamma, dbeta }) => {
    const [dyPart, xPart] = gradientParts(call.dy, common.x, dx);
    const parts: GroupPart[] = [
      { ...dyPart, per: 'element' },
      { ...xPart, per: 'element' },
      { per: 'group', input: call.mean, output: undefined },
      { per: 'group', input: call.rstd, output: undefined },
      { per: 'channel', input: common.gamma, output: undefined },
      { per: 'channel', input: undefined, output: dgamma },
      { per: 'channel', input: undefined, output: dbeta },
    ];
    passGroups(
      common,
      call.computed,
      parts,
      (sizes, from, to, first, last, workspace, workspaceBytes) =>
        core.groupNormBackward(
          type,
          from[0] as number,
          from[1] as number,
          from[2] as number,
          from[3] as number,
          from[4] as number,
          (to[0] || to[1]) as number,
          to[5] as number,
          to[6] as number,
          workspace,
          workspaceBytes,
          sizes.batch,
          before,
          sizes.channels,
          inner,
          sizes.groups,
          first,
          last,
        ),
      ({ batch, channels, groups }) =>
        core.groupNormBackwardWorkspace(type, batch, before, channels, inner, groups),
    );
  });
}

/** mean or rstd: one element for each group of each sample, flat or of shape [batch, groups]. */
function readPerGroup(
  { operation, owner, x, dtype, batch, groups }: GroupArguments,
  name: string,
  value: unknown,
): Operand {
  const where = (): string =>
    `${groups} groups for each of the ${batch} samples of x ${formatShape(x.shape)}`;
  return readSpan(operation, owner, name, value, [batch, groups], 0b11, dtype, where);
}
