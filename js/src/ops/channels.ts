import { describe, LayerNormError } from '../runtime/errors.js';
import type { HeapOwner } from '../runtime/heap.js';
import type { DType } from '../tensor/dtype.js';
import { elementCount } from '../tensor/shape.js';
import { produce, type Target } from '../tensor/target.js';
import type { Operand, Output, ParameterResultOf, TensorLike } from '../tensor/tensor_like.js';
import {
  type CommonArguments,
  computedWith,
  readCommonArguments,
  readDxOut,
  readDy,
  readOutputs,
  readPositions,
} from './arguments.js';
import type { LayerNormOutput } from './layer_norm.js';
import { GRADIENTS, type Gradient } from './normalize_backward.js';

/** Options of all calls whose parameters are one for each channel. `null` and `undefined` stand for the default. */
export interface ChannelOptions<D extends DType = DType> {
  /**
   * Sizes of the dimensions of `x`, outermost first, for a typed array: it has one dimension by default. Anything else says
   * its shape itself.
   */
  shape?: readonly number[] | null;
  /**
   * The dimension of the channels, counted from the end if it is negative: -1 for channels last (NHWC), 1 for channels first (NCHW).
   * @defaultValue -1, as in Keras (PyTorch and ONNX: 1)
   */
  axis?: number | null;
  /**
   * The scale: one factor for each channel. If it has a shape, then one dimension, or the shape of x with 1 at all others.
   * @defaultValue none, as if all were 1
   */
  gamma?: TensorLike | null;
  /**
   * The type of the result, and of the computation: float16 and bfloat16 are computed in float32, and the result is rounded
   * once, to nearest even; parameters, statistics and their gradients are float32 then. In a call with results of 16 bits every
   * `Uint16Array` holds bits of that type.
   * @defaultValue the type of x, 'float32' for integers and numbers
   */
  dtype?: D | null;
}

/** The container of one number for each channel: of the kind that `X` is, but of float32 where `D` has 16 bits. */
export type ChannelResultOf<X, D extends DType> = X extends readonly unknown[]
  ? number[]
  : ParameterResultOf<X, D>;

/** What calls on channels have in common, found right. x is seen as [outer, channels, inner]. */
export interface ChannelArguments extends CommonArguments {
  /** Which dimension of x it is. */
  readonly channelAxis: number;
  readonly outer: number;
  readonly channels: number;
  readonly inner: number;
}

/**
 * Reads x and the options that go with it; the axes are that of the channels alone.
 * @param known - one key for each option
 * @throws {@link LayerNormError} `ERR_SHAPE`, `ERR_AXIS`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_DISPOSED`
 */
export function readChannelArguments(
  operation: string,
  engine: HeapOwner,
  value: unknown,
  options: { axis?: unknown; shape?: unknown; dtype?: unknown; gamma?: unknown },
  known: object,
): ChannelArguments {
  const { axis } = options;
  if (axis !== undefined && axis !== null && !Number.isInteger(axis)) {
    throw new LayerNormError(
      'ERR_AXIS',
      `${operation}: axis is ${describe(axis)}, expected an integer: the dimension of the channels`,
    );
  }
  const common = readCommonArguments(operation, engine, value, options, known);
  const sizes = common.x.shape;
  const channelAxis = 31 - Math.clz32(common.axes.mask);
  return {
    ...common,
    channelAxis,
    outer: elementCount(sizes.slice(0, channelAxis)),
    channels: sizes[channelAxis] as number,
    inner: elementCount(sizes.slice(channelAxis + 1)),
  };
}

/**
 * Reads what has to be given: one element for each channel, in whichever of the three shapes that say so.
 * @throws {@link LayerNormError} `ERR_SHAPE`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_DISPOSED`
 */
export function readPerChannel(
  { operation, owner, x, axes, dtype }: ChannelArguments,
  name: string,
  value: unknown,
): Operand {
  return readPositions(operation, owner, name, value, x.shape, axes, dtype);
}

/**
 * Reads two arrays of one element for each channel that make sense together only.
 * @returns undefined when neither is given
 * @throws {@link LayerNormError} `ERR_ARGUMENT` when one is missing, and what {@link readPerChannel} throws
 */
export function readPairPerChannel(
  common: ChannelArguments,
  names: readonly [string, string],
  values: readonly [unknown, unknown],
): [Operand, Operand] | undefined {
  const missing = values.map((value) => value === undefined || value === null);
  if (missing[0] && missing[1]) return undefined;
  if (missing[0] || missing[1]) {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `${common.operation}: ${names[missing[0] ? 1 : 0]} is given without ${names[missing[0] ? 0 : 1]}, expected both ` +
        `${names[0]} and ${names[1]}, or neither`,
    );
  }
  return [readPerChannel(common, names[0], values[0]), readPerChannel(common, names[1], values[1])];
}

/** The mask of all dimensions of x but that of the channels. */
export function allButChannels({ x, axes }: ChannelArguments): number {
  return ((0xffffffff >>> (32 - x.shape.length)) ^ axes.mask) >>> 0;
}

/** Options of all gradients whose parameters are one for each channel. `null` and `undefined` stand for the default. */
export interface ChannelBackwardOptions<
  D extends DType = DType,
  Out = unknown,
  Wanted extends Gradient = Gradient,
> extends ChannelOptions<D> {
  /** The mean of each group that was normalized together, as the forward call gave it. */
  mean: TensorLike;
  /** 1 / sqrt(variance + epsilon) of each group, as the forward call gave it; shaped as `mean`. */
  rstd: TensorLike;
  /** Which gradients to compute. @defaultValue all: `['dx', 'dgamma', 'dbeta']` */
  outputs?: readonly Wanted[] | null;
  /**
   * Where to write dx: an array of the results' type and of the size of x; `dy` and `x` themselves are allowed. It may not
   * overlap anything else that is given. It is what the call returns as dx, as in `layerNorm`.
   * @defaultValue a new container of the kind that x is
   */
  out?: (Out & Output) | null;
}

/** Every option of {@link ChannelBackwardOptions} once, for the check of their names. */
export const BACKWARD_OPTION_NAMES: Record<keyof ChannelBackwardOptions, true> = {
  mean: true,
  rstd: true,
  gamma: true,
  axis: true,
  shape: true,
  dtype: true,
  outputs: true,
  out: true,
};

/** The gradients of an operation whose parameters are one for each channel. */
export interface ChannelGradients<X, D extends DType, Out> {
  /** The gradient of x, of its shape. */
  dx: LayerNormOutput<X, D, Out>;
  /** The gradient of gamma, also where there is none: of shape [channels]. */
  dgamma: ChannelResultOf<X, D>;
  /** The gradient of beta, also where there is none: of shape [channels]. */
  dbeta: ChannelResultOf<X, D>;
}

/** What a gradient is computed of, found right: only memory can be missing now. */
export interface ChannelGradientArguments {
  readonly dy: Operand;
  readonly mean: Operand;
  readonly rstd: Operand;
  readonly outputs: readonly Gradient[];
  readonly out: Operand | undefined;
  /** The type that the core works on. */
  readonly computed: DType;
}

/**
 * Reads what all gradients have besides x, gamma and the axis.
 * @param readStatistic - reads mean and rstd
 * @throws {@link LayerNormError} `ERR_SHAPE`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_DISPOSED`
 */
export function readChannelGradient(
  common: ChannelArguments,
  dyValue: unknown,
  options: { mean?: unknown; rstd?: unknown; outputs?: unknown; out?: unknown },
  readStatistic: (name: string, value: unknown) => Operand,
): ChannelGradientArguments {
  const dy = readDy(common, dyValue);
  const mean = readStatistic('mean', options.mean);
  const rstd = readStatistic('rstd', options.rstd);
  const outputs = readOutputs(common.operation, options.outputs, GRADIENTS);
  const out = readDxOut(common, options.out, outputs, { dy, x: common.x, mean, rstd, gamma: common.gamma });
  return { dy, mean, rstd, outputs, out, computed: computedWith(common, dy) };
}

/**
 * Makes the containers of the gradients that are wanted, and has them filled, unless x is empty.
 * @throws what `differentiate` throws, and {@link LayerNormError} `ERR_OUT_OF_MEMORY`
 */
export function produceChannelGradients(
  { operation, owner, x, dtype, channels }: ChannelArguments,
  { outputs, out }: ChannelGradientArguments,
  differentiate: (targets: Readonly<Partial<Record<Gradient, Target>>>) => void,
): Partial<Record<Gradient, object>> {
  const wanted = {
    dx: outputs.includes('dx') ? (out ?? x.shape) : undefined,
    dgamma: outputs.includes('dgamma') ? [channels] : undefined,
    dbeta: outputs.includes('dbeta') ? [channels] : undefined,
  };
  return produce<Gradient>(operation, owner, x, dtype, wanted, (targets) => {
    if (x.length > 0) return differentiate(targets);
    // Nothing to sum over.
    const heap = owner.heap(operation);
    targets.dgamma?.elements(heap).fill(0);
    targets.dbeta?.elements(heap).fill(0);
  });
}
