import { CORE_DTYPE } from '../runtime/core_module.js';
import { describe, LayerNormError } from '../runtime/errors.js';
import { defaultHeapOwner, type Heap, type HeapOwner } from '../runtime/heap.js';
import type { DType } from '../tensor/dtype.js';
import { type Part, passThrough } from '../tensor/passage.js';
import { copierOf } from '../tensor/sixteen_bit.js';
import { produce, type Target } from '../tensor/target.js';
import {
  type DTypeOf,
  elementsOf,
  type Operand,
  type Output,
  type TensorLike,
} from '../tensor/tensor_like.js';
import { readOut, readParameter } from './arguments.js';
import {
  allButChannels,
  type ChannelArguments,
  type ChannelOptions,
  type ChannelResultOf,
  readChannelArguments,
  readPairPerChannel,
} from './channels.js';
import type { LayerNormOutput } from './layer_norm.js';
import { type Mask, type MaskLike, passChannels, readMask } from './mask.js';
import { readEpsilon } from './options.js';

/** Keras' default. PyTorch and ONNX have 1e-5. */
const DEFAULT_EPSILON = 1e-3;

/** Keras' default. */
const DEFAULT_MOMENTUM = 0.99;

/** Options of {@link batchNorm}. `null` and `undefined` stand for the default. */
export interface BatchNormOptions<D extends DType = DType, Out = unknown> extends ChannelOptions<D> {
  /**
   * What is added to the variance, inside the square root: a finite number that is not negative.
   * @defaultValue 1e-3, as in Keras (PyTorch and ONNX: 1e-5)
   */
  epsilon?: number | null;
  /** The offset: one summand for each channel, as for `gamma`. @defaultValue none, as if all were 0 */
  beta?: TensorLike | null;
  /**
   * The mean of each channel to normalize by, as in inference; shaped as `gamma`. Only together with `variance`.
   * @defaultValue the mean of x over all dimensions but that of the channels
   */
  mean?: TensorLike | null;
  /**
   * The variance of each channel to normalize by, as in inference; shaped as `gamma`. Only together with `mean`.
   * @defaultValue the biased variance of x over all dimensions but that of the channels
   */
  variance?: TensorLike | null;
  /**
   * Which elements the statistics are taken over: of the shape of x without its last dimension, whose elements share one, whichever
   * dimension that of the channels is; each size is that of x, or 1 for all of it. All elements are normalized, whether they
   * count or not. Not allowed with `mean` and `variance`.
   * @defaultValue all elements count
   */
  mask?: MaskLike | null;
  /**
   * Where to write y: an array of the result's type and size, `x` itself allowed. It may not overlap any other argument, nor x
   * in part. It is what the call returns as y, as in `layerNorm`.
   * @defaultValue a new container of the kind that x is
   */
  out?: (Out & Output) | null;
}

/** Options of {@link batchNormForward}. `null` and `undefined` stand for the default. */
export interface BatchNormForwardOptions<
  D extends DType = DType,
  Out = unknown,
  Moving = TensorLike | null | undefined,
> extends BatchNormOptions<D, Out> {
  /**
   * The moving mean of each channel before this batch; shaped as `gamma`. It is not changed: the new one is a result. Only
   * together with `movingVariance`, and not with `mean` and `variance`.
   */
  movingMean?: Moving;
  /** The moving variance of each channel before this batch, as `movingMean`. */
  movingVariance?: TensorLike | null;
  /**
   * The weight of the *old* moving statistics: a finite number, from 0 to 1 to make sense.
   * @defaultValue 0.99, as in Keras (PyTorch's momentum is the weight of the new ones: 0.1 there is 0.9 here)
   */
  momentum?: number | null;
}

/** Every option once, for the check of their names. */
const OPTION_NAMES: Record<keyof BatchNormOptions, true> = {
  shape: true,
  axis: true,
  epsilon: true,
  gamma: true,
  beta: true,
  mean: true,
  variance: true,
  mask: true,
  dtype: true,
  out: true,
};
const FORWARD_OPTION_NAMES: Record<keyof BatchNormForwardOptions, true> = {
  ...OPTION_NAMES,
  movingMean: true,
  movingVariance: true,
  momentum: true,
};

/** The moving statistics that {@link batchNormForward} returns where it is given some. */
export interface BatchNormMoving<X, D extends DType> {
  /** movingMean * momentum + mean * (1 - momentum). */
  movingMean: ChannelResultOf<X, D>;
  /** movingVariance * momentum + variance * (1 - momentum), with the biased variance, as in Keras (PyTorch: unbiased). */
  movingVariance: ChannelResultOf<X, D>;
}

/** What {@link batchNormForward} returns: the output, and the statistics that it used. */
export type BatchNormForward<X, D extends DType, Out, Moving> = {
  /** The normalized x, of the same shape. */
  y: LayerNormOutput<X, D, Out>;
  /** The mean of each channel. */
  mean: ChannelResultOf<X, D>;
  /** The biased variance of each channel. */
  variance: ChannelResultOf<X, D>;
  /** 1 / sqrt(variance + epsilon) of each channel. */
  rstd: ChannelResultOf<X, D>;
} & ([Moving] extends [TensorLike] ? BatchNormMoving<X, D> : Partial<BatchNormMoving<X, D>>);

/**
 * Batch normalization: brings each channel of x to mean 0 and variance 1 over the whole batch, and then applies gamma and beta;
 * or, as in inference, does so by a mean and a variance that are given.
 *
 * y = (x - mean) / sqrt(variance + epsilon) * gamma + beta. The mean and the biased variance are taken over all dimensions but
 * `axis`. With `mask` only the elements that count are summed, and the sums divided by their number plus 1e-7, as in Keras:
 * where none counts, mean and variance are 0.
 *
 * Shapes: x any of rank 1 to 32, y the same; gamma, beta, mean and variance one element for each channel. Empty x gives empty y.
 *
 * Types and containers: as in `layerNorm`. x decides, everything else is converted; of float16 and bfloat16 the parameters are float32.
 *
 * @example
 * ```ts
 * const y = batchNorm(x, { shape: [32, 28, 28, 64], gamma, beta, mean: movingMean, variance: movingVariance });
 * ```
 *
 * @param x - what to normalize
 * @param options - see {@link BatchNormOptions}
 * @returns y, or `options.out` where it is given
 * @throws {@link LayerNormError} `ERR_SHAPE`, `ERR_AXIS`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_DISPOSED`, `ERR_OUT_OF_MEMORY`,
 * `ERR_LOAD`; nothing has been written then
 * @see Ioffe and Szegedy 2015, Batch Normalization, arXiv:1502.03167; Keras 3 `BatchNormalization`; ONNX `BatchNormalization`-15
 */
export function batchNorm<X extends TensorLike, D extends DType = DTypeOf<X>, Out = undefined>(
  x: X,
  options?: BatchNormOptions<D, Out>,
): LayerNormOutput<X, D, Out> {
  return batchNormOn(defaultHeapOwner(), x, options);
}

/**
 * {@link batchNorm} with the statistics that it used, and with moving statistics brought up to date.
 *
 * @example
 * ```ts
 * const { y, mean, rstd, movingMean, movingVariance } = batchNormForward(x, { shape: [32, 64], movingMean: m, movingVariance: v });
 * ```
 *
 * @param x - what to normalize
 * @param options - see {@link BatchNormForwardOptions}
 * @returns y as {@link batchNorm} returns it; all else of shape [channels] in new containers of the kind of x, of the type of y,
 * but float32 where that has 16 bits. Channels without elements have NaN for mean, variance and rstd, and leave the moving
 * statistics as they are.
 * @throws {@link LayerNormError} as {@link batchNorm} does
 * @see Ioffe and Szegedy 2015, Batch Normalization, arXiv:1502.03167; Keras 3 `BatchNormalization`; ONNX `BatchNormalization`-15
 */
export function batchNormForward<
  X extends TensorLike,
  D extends DType = DTypeOf<X>,
  Out = undefined,
  Moving extends TensorLike | null | undefined = undefined,
>(x: X, options?: BatchNormForwardOptions<D, Out, Moving>): BatchNormForward<X, D, Out, Moving> {
  return batchNormForwardOn(defaultHeapOwner(), x, options);
}

/** {@link batchNorm} in the memory of one engine. */
export function batchNormOn<X extends TensorLike, D extends DType = DTypeOf<X>, Out = undefined>(
  engine: HeapOwner,
  x: X,
  options?: BatchNormOptions<D, Out>,
): LayerNormOutput<X, D, Out> {
  const call = readCall('batchNorm', engine, x, options ?? {}, OPTION_NAMES);
  return run(call, false).y as LayerNormOutput<X, D, Out>;
}

/** {@link batchNormForward} in the memory of one engine. */
export function batchNormForwardOn<
  X extends TensorLike,
  D extends DType = DTypeOf<X>,
  Out = undefined,
  Moving extends TensorLike | null | undefined = undefined,
>(
  engine: HeapOwner,
  x: X,
  options?: BatchNormForwardOptions<D, Out, Moving>,
): BatchNormForward<X, D, Out, Moving> {
  const call = readCall('batchNormForward', engine, x, options ?? {}, FORWARD_OPTION_NAMES);
  return run(call, true) as BatchNormForward<X, D, Out, Moving>;
}

/** A call whose arguments have been found right: only memory can be missing now. */
interface Call {
  readonly common: ChannelArguments;
  readonly epsilon: number;
  readonly beta: Operand | undefined;
  /** Mean and variance, where they are given. */
  readonly given: readonly [Operand, Operand] | undefined;
  readonly mask: Mask | undefined;
  /** Moving mean and variance, where they are given. */
  readonly moving: readonly [Operand, Operand] | undefined;
  readonly momentum: number;
  readonly out: Operand | undefined;
}

type Result = 'y' | 'mean' | 'variance' | 'rstd' | 'movingMean' | 'movingVariance';
type Targets = Readonly<Partial<Record<Result, Target>>>;

function readCall(
  operation: string,
  engine: HeapOwner,
  value: unknown,
  options: BatchNormForwardOptions,
  known: object,
): Call {
  const common = readChannelArguments(operation, engine, value, options, known);
  const { owner, x, axes, gamma, dtype } = common;
  const epsilon = readEpsilon(operation, options.epsilon, DEFAULT_EPSILON);
  const beta = readParameter(operation, owner, 'beta', options.beta, x.shape, axes, dtype);
  const given = readPairPerChannel(common, ['mean', 'variance'], [options.mean, options.variance]);
  const mask = readMask(common, options.mask);
  const { movingMean, movingVariance } = options;
  const moving = readPairPerChannel(common, ['movingMean', 'movingVariance'], [movingMean, movingVariance]);
  const momentum = readMomentum(operation, options.momentum);
  if (given && (mask || moving)) {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `${operation}: ${mask ? 'mask is' : 'movingMean and movingVariance are'} given with mean and variance, expected one of ` +
        'them: no statistics are taken of x then',
    );
  }
  const out = readOut(common, options.out, {
    x,
    gamma,
    beta,
    mean: given?.[0],
    variance: given?.[1],
    movingMean: moving?.[0],
    movingVariance: moving?.[1],
  });
  return { common, epsilon, beta, given, mask, moving, momentum, out };
}

/** Keras does not check that it is from 0 to 1 either. */
function readMomentum(operation: string, momentum: unknown): number {
  if (momentum === undefined || momentum === null) return DEFAULT_MOMENTUM;
  if (Number.isFinite(momentum)) return momentum as number;
  throw new LayerNormError(
    'ERR_ARGUMENT',
    `${operation}: momentum is ${describe(momentum)}, expected a finite number, from 0 to 1 as a rule`,
  );
}

function run(call: Call, withStatistics: boolean): Partial<Record<Result, object>> {
  const { operation, owner, x, dtype, channels } = call.common;
  const statistic = withStatistics ? [channels] : undefined;
  const moving = call.moving && [channels];
  const wanted = {
    y: call.out ?? x.shape,
    mean: statistic,
    variance: statistic,
    rstd: statistic,
    movingMean: moving,
    movingVariance: moving,
  };
  return produce<Result>(operation, owner, x, dtype, wanted, (targets) => {
    const heap = owner.heap(operation);
    if (x.length === 0) leaveEmpty(heap, call, targets);
    else if (call.given) normalizeBy(heap, call, call.given, targets);
    else normalizeBatch(heap, call, targets);
    updateMoving(heap, call, targets);
  });
}

/** Channels of no elements have statistics all the same: 0 / 0, unless they are given. */
function leaveEmpty(heap: Heap, { given, epsilon }: Call, { mean, variance, rstd }: Targets): void {
  for (const target of [mean, variance, rstd]) target?.elements(heap).fill(Number.NaN);
  if (!given) return;
  copyTo(heap, given[0], mean);
  copyTo(heap, given[1], variance);
  const variances = numbersOf(heap, given[1]);
  rstd?.elements(heap).set(variances.map((one) => 1 / Math.sqrt(one + epsilon)));
}

/** Copies an argument to a result. */
function copyTo(heap: Heap, from: Operand, to: Target | undefined): void {
  if (to) copierOf(from.stored, to.dtype)(to.elements(heap), 0, elementsOf(heap, from), 0, from.length);
}

/** The elements of an argument as numbers, whatever they are stored in. */
function numbersOf(heap: Heap, from: Operand): Float64Array {
  const numbers = new Float64Array(from.length);
  copierOf(from.stored, undefined)(numbers, 0, elementsOf(heap, from), 0, from.length);
  return numbers;
}

/** Normalizes by the statistics of x. A group is a channel. */
function normalizeBatch(heap: Heap, call: Call, { y, mean, variance, rstd }: Targets): void {
  const { x, computed, gamma, outer, inner } = call.common;
  const { core } = heap;
  const type = CORE_DTYPE[computed];
  const parts: Part[] = [
    { per: 'element', input: x, output: y },
    { per: 'group', input: gamma, output: undefined },
    { per: 'group', input: call.beta, output: undefined },
    { per: 'group', input: undefined, output: mean },
    { per: 'group', input: undefined, output: variance },
    { per: 'group', input: undefined, output: rstd },
  ];
  passChannels(
    call.common,
    computed,
    parts,
    call.mask,
    (channels) => core.batchNormWorkspace(type, outer, channels, inner),
    (from, to, channels, mask, maskRun, workspace, workspaceBytes) =>
      core.batchNormForward(
        type,
        from[0] as number,
        to[0] as number,
        from[1] as number,
        from[2] as number,
        to[3] as number,
        to[4] as number,
        to[5] as number,
        mask,
        maskRun,
        workspace,
        workspaceBytes,
        outer,
        channels,
        inner,
        call.epsilon,
      ),
  );
}

/** Normalizes by given statistics. Any cut will do: the one whose blocks lie together. */
function normalizeBy(
  heap: Heap,
  call: Call,
  [mean, variance]: readonly [Operand, Operand],
  targets: Targets,
): void {
  const { operation, x, computed, gamma, axes, outer, channels, inner } = call.common;
  const { core } = heap;
  const type = CORE_DTYPE[computed];
  // With one row its channels are the groups, else the rows are.
  const byChannel = outer === 1;
  const [per, count] = byChannel ? (['group', 1] as const) : (['call', channels] as const);
  const parts: Part[] = [
    { per: 'element', input: x, output: targets.y },
    { per, count, input: gamma, output: undefined },
    { per, count, input: call.beta, output: undefined },
    { per, count, input: mean, output: undefined },
    { per, count, input: variance, output: undefined },
    { per, count, input: undefined, output: targets.rstd },
  ];
  passThrough(
    operation,
    heap,
    computed,
    x.shape,
    byChannel ? allButChannels(call.common) : ~(axes.mask - 1) >>> 0,
    parts,
    ({ groups }, from, to, _, workspace, workspaceBytes) =>
      core.batchNormInference(
        type,
        from[0] as number,
        to[0] as number,
        from[1] as number,
        from[2] as number,
        from[3] as number,
        from[4] as number,
        to[5] as number,
        workspace,
        workspaceBytes,
        byChannel ? 1 : groups,
        byChannel ? groups : channels,
        inner,
        call.epsilon,
      ),
    ({ groups }) =>
      core.batchNormWorkspace(type, byChannel ? 1 : groups, byChannel ? groups : channels, inner),
  );
  copyTo(heap, mean, targets.mean);
  copyTo(heap, variance, targets.variance);
}

/** Makes the new moving statistics, in float64, of those of the batch as they are returned. */
function updateMoving(heap: Heap, { moving, momentum, common }: Call, targets: Targets): void {
  if (!moving) return;
  const { mean, variance, movingMean, movingVariance } = targets;
  const update = (old: Operand, batch: Target | undefined, target: Target | undefined): void => {
    const result = numbersOf(heap, old);
    const now = batch?.elements(heap);
    if (now && common.x.length > 0) {
      for (let i = 0; i < result.length; i++)
        result[i] = (result[i] as number) * momentum + (now[i] as number) * (1 - momentum);
    }
    target?.elements(heap).set(result);
  };
  update(moving[0], mean, movingMean);
  update(moving[1], variance, movingVariance);
}
