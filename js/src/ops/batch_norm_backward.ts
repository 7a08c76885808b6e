import { CORE_DTYPE } from '../runtime/core_module.js';
import { LayerNormError } from '../runtime/errors.js';
import { defaultHeapOwner, type HeapOwner } from '../runtime/heap.js';
import type { DType } from '../tensor/dtype.js';
import { gradientParts, type Part } from '../tensor/passage.js';
import type { DTypeOf, TensorLike } from '../tensor/tensor_like.js';
import {
  BACKWARD_OPTION_NAMES,
  type ChannelBackwardOptions,
  type ChannelGradients,
  produceChannelGradients,
  readChannelArguments,
  readChannelGradient,
  readPerChannel,
} from './channels.js';
import { type MaskLike, passChannels, readMask } from './mask.js';
import type { Gradient } from './normalize_backward.js';
import { readFlag } from './options.js';

/** Options of {@link batchNormBackward}. `null` and `undefined` stand for the default. */
export interface BatchNormBackwardOptions<
  D extends DType = DType,
  Out = unknown,
  Wanted extends Gradient = Gradient,
> extends ChannelBackwardOptions<D, Out, Wanted> {
  /**
   * Whether the forward call took the statistics of x, so that they depend on it; `false` where they were given to it.
   * @defaultValue true
   */
  training?: boolean | null;
  /** The mask that the forward call had, see `batchNorm`. Not allowed with `training: false`. */
  mask?: MaskLike | null;
}

/** Every option once, for the check of their names. */
const OPTION_NAMES: Record<keyof BatchNormBackwardOptions, true> = {
  ...BACKWARD_OPTION_NAMES,
  training: true,
  mask: true,
};

/**
 * The gradient of batch normalization: what a loss depends on x, gamma and beta by, given what it depends on y by.
 *
 * With h = (x - mean) * rstd, and averages over each channel: dx = gamma * rstd * (dy - average(dy) - h * average(dy * h));
 * dgamma = the sum of dy * h over each channel; dbeta = the sum of dy. With `training: false` dx = gamma * rstd * dy. With `mask`,
 * S being the number of elements that count plus 1e-7, the averages are sums over *all* elements divided by S, and what is
 * subtracted is so from the elements that count only. Moving statistics carry no gradient.
 *
 * Shapes: dy as x; dgamma and dbeta [channels]. Empty x gives an empty dx, and zeros for the rest.
 *
 * Types and containers: as in `layerNormBackward`: x decides; of float16 and bfloat16 dgamma and dbeta are float32.
 *
 * @example
 * ```ts
 * const { y, mean, rstd } = batchNormForward(x, { shape: [32, 64], gamma, beta });
 * const { dx, dgamma, dbeta } = batchNormBackward(dy, x, { shape: [32, 64], gamma, mean, rstd });
 * ```
 *
 * @param dy - the gradient of y, of the shape of x
 * @param x - what was normalized
 * @param options - see {@link BatchNormBackwardOptions}; `mean` and `rstd` are those of `batchNormForward`
 * @returns the gradients that `options.outputs` lists
 * @throws {@link LayerNormError} `ERR_SHAPE`, `ERR_AXIS`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_DISPOSED`, `ERR_OUT_OF_MEMORY`,
 * `ERR_LOAD`; nothing has been written then
 * @see Ioffe and Szegedy 2015, Batch Normalization, arXiv:1502.03167; Keras 3 `BatchNormalization`
 */
export function batchNormBackward<
  X extends TensorLike,
  D extends DType = DTypeOf<X>,
  Out = undefined,
  Wanted extends Gradient = Gradient,
>(
  dy: TensorLike,
  x: X,
  options: BatchNormBackwardOptions<D, Out, Wanted>,
): Pick<ChannelGradients<X, D, Out>, Wanted> {
  return batchNormBackwardOn(defaultHeapOwner(), dy, x, options);
}

/** {@link batchNormBackward} in the memory of one engine. */
export function batchNormBackwardOn<
  X extends TensorLike,
  D extends DType = DTypeOf<X>,
  Out = undefined,
  Wanted extends Gradient = Gradient,
>(
  engine: HeapOwner,
  dy: TensorLike,
  x: X,
  options: BatchNormBackwardOptions<D, Out, Wanted>,
): Pick<ChannelGradients<X, D, Out>, Wanted> {
  const operation = 'batchNormBackward';
  const given: BatchNormBackwardOptions = options ?? {};
  const common = readChannelArguments(operation, engine, x, given, OPTION_NAMES);
  const call = readChannelGradient(common, dy, given, (name, value) => readPerChannel(common, name, value));
  const training = readTraining(operation, given.training);
  const mask = readMask(common, given.mask);
  if (mask && !training) {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `${operation}: mask is given with training false, expected one of them: no statistics were taken of x then`,
    );
  }
  const { outer, inner } = common;
  const { core } = common.owner.heap(operation);
  const type = CORE_DTYPE[call.computed];
  const made = produceChannelGradients(common, call, ({ dx, dgamma, dbeta }) => {
    const parts: Part[] = [
      ...gradientParts(call.dy, common.x, dx),
      { per: 'group', input: call.mean, output: undefined },
      { per: 'group', input: call.rstd, output: undefined },
      { per: 'group', input: common.gamma, output: undefined },
      { per: 'group', input: undefined, output: dgamma },
      { per: 'group', input: undefined, output: dbeta },
    ];
    passChannels(
      common,
      call.computed,
      parts,
      mask,
      (channels) => core.batchNormWorkspace(type, outer, channels, inner),
      (from, to, channels, maskAt, maskRun, workspace, workspaceBytes) =>
        core.batchNormBackward(
          type,
          from[0] as number,
          from[1] as number,
          from[2] as number,
          from[3] as number,
          from[4] as number,
          maskAt,
          maskRun,
          (to[0] || to[1]) as number,
          to[5] as number,
          to[6] as number,
          workspace,
          workspaceBytes,
          outer,
          channels,
          inner,
          training,
        ),
    );
  });
  return made as Pick<ChannelGradients<X, D, Out>, Wanted>;
}

/** On unless it is said otherwise, as gradients are asked for in training. */
function readTraining(operation: string, value: unknown): boolean {
  return value === undefined || value === null || readFlag(operation, 'training', value);
}
