// What each function of the core takes, in its order. See core_module.ts, which documents the arguments.

import type { KernelName } from './arguments.js';

/**
 * How many elements an array has: as x, as skip, or as what is kept of x; or one for each position in a group, group, channel, group of a
 * sample, row, column; or one.
 */
export type Extent =
  | 'elements'
  | 'parameters'
  | 'groups'
  | 'channels'
  | 'channelGroups'
  | 'skipElements'
  | 'keptElements'
  | 'rows'
  | 'columns'
  | 'one';

/** An address. Those of elements of any kind have the type of x, all others that of the statistics. */
interface ArrayItem {
  readonly kind: 'array';
  readonly name: string;
  readonly extent: Extent;
  readonly isOptional: boolean;
}

/** Anything else. */
interface OtherItem {
  /**
   * A number, count or flag of the caller's; zero; that nothing is masked, and in which runs; the workspace, and its bytes; or the
   * sizes, as the layout has them.
   */
  readonly kind: 'number' | 'count' | 'flag' | 'zero' | 'true' | 'mask' | 'workspace' | 'layout';
  readonly name: string;
  readonly fallback?: number;
}

export type Item = ArrayItem | OtherItem;

/** How the core sees x: with axes to normalize over, by channels, by groups of channels, or as a matrix. */
export type LayoutKind = 'axes' | 'channels' | 'groups' | 'matrix' | 'skip' | 'prefix';

export interface Operation {
  readonly layout: LayoutKind;
  /** The function that says how much of a workspace is needed, if any is. */
  readonly workspace?: string;
  readonly items: readonly Item[];
}

/** `name:extent`, with a question mark behind the name where the array may be absent. */
function arrays(text: string): Item[] {
  return text.split(' ').map((word) => {
    const [name = '', extent] = word.split(':');
    const isOptional = name.endsWith('?');
    return {
      kind: 'array',
      name: isOptional ? name.slice(0, -1) : name,
      extent: extent as Extent,
      isOptional,
    };
  });
}

const other = (kind: OtherItem['kind'], name: string = kind, fallback?: number): Item =>
  fallback === undefined ? { kind, name } : { kind, name, fallback };

const WORKSPACE = other('workspace');
const SIZES = other('layout');
const epsilon = (fallback: number): Item => other('number', 'epsilon', fallback);
/** A gradient is asked for as a whole: no groups were before, and none follow. */
const AS_A_WHOLE = [other('zero'), other('true')];

const STATISTICS = 'mean?:groups rstd?:groups';
const CHANNEL_GRADIENTS = 'dx?:elements dgamma?:channels dbeta?:channels';

export const OPERATIONS: Readonly<Record<KernelName, Operation>> = {
  layerNormForward: {
    layout: 'axes',
    workspace: 'layerNormForwardWorkspace',
    items: [
      ...arrays(`x:elements y:elements gamma?:parameters beta?:parameters ${STATISTICS}`),
      ...[WORKSPACE, SIZES, epsilon(1e-3), other('flag', 'rmsScaling')],
    ],
  },
  layerNormBackward: {
    layout: 'axes',
    workspace: 'layerNormBackwardWorkspace',
    items: [
      ...arrays('dy:elements x:elements mean:groups rstd:groups gamma?:parameters'),
      ...arrays('dx?:elements dgamma?:parameters dbeta?:parameters'),
      ...[WORKSPACE, SIZES, other('flag', 'rmsScaling'), ...AS_A_WHOLE],
    ],
  },
  rmsNormForward: {
    layout: 'axes',
    workspace: 'rmsNormForwardWorkspace',
    items: [
      ...arrays('x:elements y:elements gamma?:parameters rstd?:groups'),
      ...[WORKSPACE, SIZES, epsilon(1e-6)],
    ],
  },
  rmsNormBackward: {
    layout: 'axes',
    workspace: 'rmsNormBackwardWorkspace',
    items: [
      ...arrays('dy:elements x:elements rstd:groups gamma?:parameters dx?:elements dgamma?:parameters'),
      ...[WORKSPACE, SIZES, ...AS_A_WHOLE],
    ],
  },
  unitNormForward: {
    layout: 'axes',
    workspace: 'unitNormForwardWorkspace',
    items: [...arrays('x:elements y:elements rstd?:groups'), WORKSPACE, SIZES, epsilon(1e-12)],
  },
  unitNormBackward: {
    layout: 'axes',
    workspace: 'unitNormBackwardWorkspace',
    items: [
      ...arrays('dy:elements x:elements rstd:groups dx:elements'),
      ...[WORKSPACE, SIZES, epsilon(1e-12), ...AS_A_WHOLE],
    ],
  },
  batchNormForward: {
    layout: 'channels',
    workspace: 'batchNormWorkspace',
    items: [
      ...arrays('x:elements y?:elements gamma?:channels beta?:channels'),
      ...arrays('mean?:channels variance?:channels rstd?:channels'),
      ...[other('mask'), WORKSPACE, SIZES, epsilon(1e-3)],
    ],
  },
  batchNormInference: {
    layout: 'channels',
    workspace: 'batchNormWorkspace',
    items: [
      ...arrays('x:elements y:elements gamma?:channels beta?:channels'),
      ...arrays('mean:channels variance:channels rstd?:channels'),
      ...[WORKSPACE, SIZES, epsilon(1e-3)],
    ],
  },
  batchNormBackward: {
    layout: 'channels',
    workspace: 'batchNormWorkspace',
    items: [
      ...arrays('dy:elements x:elements mean:channels rstd:channels gamma?:channels'),
      ...[other('mask'), ...arrays(CHANNEL_GRADIENTS)],
      ...[WORKSPACE, SIZES, other('flag', 'training', 1)],
    ],
  },
  groupNormForward: {
    layout: 'groups',
    items: [
      ...arrays('x:elements y:elements gamma?:channels beta?:channels'),
      ...arrays('mean?:channelGroups rstd?:channelGroups'),
      ...[SIZES, epsilon(1e-3)],
    ],
  },
  groupNormBackward: {
    layout: 'groups',
    workspace: 'groupNormBackwardWorkspace',
    items: [
      ...arrays('dy:elements x:elements mean:channelGroups rstd:channelGroups gamma?:channels'),
      ...arrays(CHANNEL_GRADIENTS),
      ...[WORKSPACE, SIZES, other('true'), other('true')],
    ],
  },
  matryoshka: {
    layout: 'prefix',
    items: [...arrays('x:elements y:keptElements'), SIZES, epsilon(1e-5)],
  },
  moments: {
    layout: 'axes',
    items: [...arrays('x:elements mean?:groups variance?:groups'), SIZES],
  },
  skipLayerNorm: {
    layout: 'skip',
    workspace: 'skipLayerNormWorkspace',
    items: [
      ...arrays('x:elements skip:skipElements bias?:columns gamma?:columns beta?:columns'),
      ...arrays('y:elements sum?:elements mean?:rows rstd?:rows'),
      ...[WORKSPACE, SIZES, epsilon(1e-3), other('flag', 'rms')],
    ],
  },
  spectralNormForward: {
    layout: 'matrix',
    workspace: 'spectralNormWorkspace',
    items: [
      ...arrays('kernel:elements u:columns y:elements uOut?:columns v?:rows sigma?:one'),
      ...[WORKSPACE, SIZES, other('count', 'powerIterations', 1), epsilon(1e-7)],
    ],
  },
  spectralNormBackward: {
    layout: 'matrix',
    workspace: 'spectralNormWorkspace',
    items: [
      ...arrays('dy:elements kernel:elements u:columns v:rows'),
      other('number', 'sigma'),
      ...arrays('dkernel:elements'),
      ...[WORKSPACE, SIZES],
    ],
  },
};
