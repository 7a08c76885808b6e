import type { DType } from '../runtime/core_module.js';
import type { Shape } from '../tensor/shape.js';
import type { Block } from './memory.js';

/** Which numbers lie at the addresses of a call. */
export interface ArrayArguments {
  /** Sizes of the dimensions of x, outermost first; elements lie row-major. */
  readonly shape: Shape;
  /**
   * The type of x and of all arrays of its shape, and of all others where it has not 16 bits: those are float32 then.
   * @defaultValue 'float32'
   */
  readonly dtype?: DType | null;
  /** Memory that a call works in besides, aligned to 8 bytes: as much as {@link Kernels.workspaceBytes} says. */
  readonly workspace?: Block | null;
}

/** Of normalizations over some axes. A group is what is normalized together; gamma and beta have one element for each position in it. */
export interface GroupArguments extends ArrayArguments {
  /**
   * The axis or axes to normalize over.
   * @defaultValue -1
   */
  readonly axis?: number | readonly number[] | null;
}

/** Of normalizations by channels, which gamma and beta have one element each for. */
export interface ChannelArguments extends ArrayArguments {
  /**
   * The dimension of the channels.
   * @defaultValue -1
   */
  readonly axis?: number | null;
}

/** Arguments of {@link Kernels.layerNormForward}. */
export interface LayerNormForwardArguments extends GroupArguments {
  readonly x: number;
  /** May be where x is. */
  readonly y: number;
  readonly gamma?: number | null;
  readonly beta?: number | null;
  /** For the mean of each group. */
  readonly mean?: number | null;
  /** For 1 / sqrt(variance + epsilon) of each group. */
  readonly rstd?: number | null;
  /** @defaultValue 1e-3 */
  readonly epsilon?: number | null;
  /** Whether x is divided by its standard deviation without being centred, as Keras' `rms_scaling` does. */
  readonly rmsScaling?: boolean | null;
}

/** Arguments of {@link Kernels.layerNormBackward}. */
export interface LayerNormBackwardArguments extends GroupArguments {
  readonly dy: number;
  readonly x: number;
  readonly mean: number;
  readonly rstd: number;
  readonly gamma?: number | null;
  readonly dx?: number | null;
  readonly dgamma?: number | null;
  readonly dbeta?: number | null;
  readonly rmsScaling?: boolean | null;
}

/** Arguments of {@link Kernels.rmsNormForward}. */
export interface RmsNormForwardArguments extends GroupArguments {
  readonly x: number;
  readonly y: number;
  readonly gamma?: number | null;
  /** For 1 / sqrt(mean(x^2) + epsilon) of each group. */
  readonly rstd?: number | null;
  /** @defaultValue 1e-6 */
  readonly epsilon?: number | null;
}

/** Arguments of {@link Kernels.rmsNormBackward}. */
export interface RmsNormBackwardArguments extends GroupArguments {
  readonly dy: number;
  readonly x: number;
  readonly rstd: number;
  readonly gamma?: number | null;
  readonly dx?: number | null;
  readonly dgamma?: number | null;
}

/** Arguments of {@link Kernels.unitNormForward}. */
export interface UnitNormForwardArguments extends GroupArguments {
  readonly x: number;
  readonly y: number;
  /** For 1 / sqrt(max(sum(x^2), epsilon^2)) of each group. */
  readonly rstd?: number | null;
  /** @defaultValue 1e-12 */
  readonly epsilon?: number | null;
}

/** Arguments of {@link Kernels.unitNormBackward}. */
export interface UnitNormBackwardArguments extends GroupArguments {
  readonly dy: number;
  readonly x: number;
  readonly rstd: number;
  readonly dx: number;
  /** @defaultValue 1e-12 */
  readonly epsilon?: number | null;
}

/** Arguments of {@link Kernels.batchNormForward}. */
export interface BatchNormForwardArguments extends ChannelArguments {
  readonly x: number;
  /** Absent where only the statistics are wanted. */
  readonly y?: number | null;
  readonly gamma?: number | null;
  readonly beta?: number | null;
  /** For the mean of each channel. */
  readonly mean?: number | null;
  /** For the biased variance of each channel. */
  readonly variance?: number | null;
  readonly rstd?: number | null;
  /** @defaultValue 1e-3 */
  readonly epsilon?: number | null;
}

/** Arguments of {@link Kernels.batchNormInference}. */
export interface BatchNormInferenceArguments extends ChannelArguments {
  readonly x: number;
  readonly y: number;
  readonly gamma?: number | null;
  readonly beta?: number | null;
  readonly mean: number;
  readonly variance: number;
  readonly rstd?: number | null;
  /** @defaultValue 1e-3 */
  readonly epsilon?: number | null;
}

/** Arguments of {@link Kernels.batchNormBackward}. */
export interface BatchNormBackwardArguments extends ChannelArguments {
  readonly dy: number;
  readonly x: number;
  readonly mean: number;
  readonly rstd: number;
  readonly gamma?: number | null;
  readonly dx?: number | null;
  readonly dgamma?: number | null;
  readonly dbeta?: number | null;
  /**
   * Whether the statistics are those of x itself; false where they were given.
   * @defaultValue true
   */
  readonly training?: boolean | null;
}

/** Arguments of {@link Kernels.groupNormForward}. */
export interface GroupNormForwardArguments extends ChannelArguments {
  /**
   * How many groups the channels of each sample are split into.
   * @defaultValue 32, as in Keras
   */
  readonly groups?: number | null;
  readonly x: number;
  readonly y: number;
  readonly gamma?: number | null;
  readonly beta?: number | null;
  /** For the mean of each group: shape [samples, groups]. */
  readonly mean?: number | null;
  readonly rstd?: number | null;
  /** @defaultValue 1e-3 */
  readonly epsilon?: number | null;
}

/** Arguments of {@link Kernels.groupNormBackward}. */
export interface GroupNormBackwardArguments extends ChannelArguments {
  /** @defaultValue 32, as in Keras */
  readonly groups?: number | null;
  readonly dy: number;
  readonly x: number;
  readonly mean: number;
  readonly rstd: number;
  readonly gamma?: number | null;
  readonly dx?: number | null;
  readonly dgamma?: number | null;
  readonly dbeta?: number | null;
}

/** Arguments of {@link Kernels.matryoshka}, over the last axis. */
export interface MatryoshkaArguments extends ArrayArguments {
  readonly x: number;
  /** For the first `dimensions` elements of each row, one row after the other. May overlap nothing of x. */
  readonly y: number;
  /** How many elements of each row are kept: 1 to the size of the last axis. */
  readonly dimensions: number;
  /** @defaultValue 1e-5 */
  readonly epsilon?: number | null;
}

/** Arguments of {@link Kernels.moments}. */
export interface MomentsArguments extends GroupArguments {
  readonly x: number;
  readonly mean?: number | null;
  /** For the biased variance of each group. */
  readonly variance?: number | null;
}

/** Arguments of {@link Kernels.skipLayerNorm}, over the last axis. */
export interface SkipLayerNormArguments extends ArrayArguments {
  readonly x: number;
  /** Of the shape of x, or of fewer rows, which are repeated then. */
  readonly skip: number;
  /**
   * How many rows skip has.
   * @defaultValue as many as x
   */
  readonly skipRows?: number | null;
  readonly bias?: number | null;
  readonly gamma?: number | null;
  readonly beta?: number | null;
  readonly y: number;
  /** For (x + skip) + bias. */
  readonly sum?: number | null;
  readonly mean?: number | null;
  readonly rstd?: number | null;
  /** @defaultValue 1e-3 */
  readonly epsilon?: number | null;
  /** Whether the sum is normalized as {@link Kernels.rmsNormForward} does it: without mean and beta. */
  readonly rms?: boolean | null;
}

/** Arguments of {@link Kernels.spectralNormForward}: `shape` is that of the kernel, of which all but the last axis are rows. */
export interface SpectralNormForwardArguments extends ArrayArguments {
  readonly kernel: number;
  /** One element for each column. */
  readonly u: number;
  readonly y: number;
  /** For the new u, may be where u is. */
  readonly uOut?: number | null;
  /** For one element a row. */
  readonly v?: number | null;
  /** For one element. */
  readonly sigma?: number | null;
  /** @defaultValue 1 */
  readonly powerIterations?: number | null;
  /** @defaultValue 1e-7 */
  readonly epsilon?: number | null;
}

/** Arguments of {@link Kernels.spectralNormBackward}. */
export interface SpectralNormBackwardArguments extends ArrayArguments {
  readonly dy: number;
  readonly kernel: number;
  readonly u: number;
  readonly v: number;
  /** The number that the forward call wrote: no address. */
  readonly sigma: number;
  readonly dkernel: number;
}

/** The arguments of each operation. */
export interface KernelArguments {
  layerNormForward: LayerNormForwardArguments;
  layerNormBackward: LayerNormBackwardArguments;
  rmsNormForward: RmsNormForwardArguments;
  rmsNormBackward: RmsNormBackwardArguments;
  unitNormForward: UnitNormForwardArguments;
  unitNormBackward: UnitNormBackwardArguments;
  batchNormForward: BatchNormForwardArguments;
  batchNormInference: BatchNormInferenceArguments;
  batchNormBackward: BatchNormBackwardArguments;
  groupNormForward: GroupNormForwardArguments;
  groupNormBackward: GroupNormBackwardArguments;
  matryoshka: MatryoshkaArguments;
  moments: MomentsArguments;
  skipLayerNorm: SkipLayerNormArguments;
  spectralNormForward: SpectralNormForwardArguments;
  spectralNormBackward: SpectralNormBackwardArguments;
}

export type KernelName = keyof KernelArguments;
