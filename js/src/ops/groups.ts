import { describe, LayerNormError } from '../runtime/errors.js';
import type { HeapOwner } from '../runtime/heap.js';
import type { Block } from '../tensor/blocks.js';
import type { DType } from '../tensor/dtype.js';
import { type Kernel, type Part, passThrough } from '../tensor/passage.js';
import { elementCount, formatShape } from '../tensor/shape.js';
import type { ParameterResultOf } from '../tensor/tensor_like.js';
import { type ChannelArguments, readChannelArguments } from './channels.js';

/** Keras' default. */
const DEFAULT_GROUPS = 32;

/** The container of one number for each group of each sample: of the kind that `X` is, but of float32 where `D` has 16 bits. */
export type GroupResultOf<X, D extends DType> = X extends readonly unknown[]
  ? number[][]
  : ParameterResultOf<X, D>;

/** What calls on groups of channels have in common, found right. x is seen as [batch, before, channels, inner]. */
export interface GroupArguments extends ChannelArguments {
  readonly batch: number;
  readonly before: number;
  readonly groups: number;
}

/**
 * Reads x and the options that go with it.
 * @param groups - the option `groups`
 * @param known - one key for each option
 * @throws {@link LayerNormError} `ERR_SHAPE`, `ERR_AXIS`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_DISPOSED`
 */
export function readGroupArguments(
  operation: string,
  engine: HeapOwner,
  value: unknown,
  options: { axis?: unknown; shape?: unknown; dtype?: unknown; gamma?: unknown },
  groups: unknown,
  known: object,
): GroupArguments {
  const common = readChannelArguments(operation, engine, value, options, known);
  const { shape } = common.x;
  if (common.channelAxis === 0) {
    throw new LayerNormError(
      'ERR_AXIS',
      `${operation}: axis ${describe(common.axes.axis)} is dimension 0 of x ${formatShape(shape)}, which is the batch, expected ` +
        'another one for the channels',
    );
  }
  return {
    ...common,
    batch: shape[0] as number,
    before: elementCount(shape.slice(1, common.channelAxis)),
    groups: readGroups(common, groups),
  };
}

function readGroups({ operation, x, axes, channels }: ChannelArguments, value: unknown): number {
  const groups = value ?? DEFAULT_GROUPS;
  if (groups === -1) return channels;
  const wrong = (what: string): LayerNormError =>
    new LayerNormError('ERR_ARGUMENT', `${operation}: argument \`groups\` is ${describe(groups)}, ${what}`);
  if (!Number.isInteger(groups) || (groups as number) < 1) {
    throw wrong('expected a positive integer, or -1 for one group per channel');
  }
  const where = `${channels}, the size of axis ${describe(axes.axis)} of x ${formatShape(x.shape)}`;
  if ((groups as number) > channels)
    throw wrong(`which cannot be more than the number of channels: ${where}`);
  if (channels % (groups as number) !== 0) {
    throw wrong(`of which the number of channels must be a multiple, but it is ${where}`);
  }
  return groups as number;
}

/** The sizes of x that the core is called with. */
interface GroupSizes {
  readonly batch: number;
  readonly channels: number;
  readonly groups: number;
}

/** Says of each array of a call whether it has one number for each channel, or one for each group of each sample. */
export interface GroupPart extends Omit<Part, 'per' | 'count'> {
  readonly per: 'element' | 'channel' | 'group';
}

/**
 * Runs a kernel over x wherever it lies, in blocks of whole samples; a single sample in blocks of whole groups of channels.
 * @param dtype - the type that the core works on
 * @param kernel - is told besides whether no block with the same channels came before, and whether none follows
 * @param workspaceOf - bytes that the kernel needs besides
 * @throws {@link LayerNormError} `ERR_OUT_OF_MEMORY`, with nothing written
 */
export function passGroups(
  { operation, owner, batch, before, channels, inner, groups }: GroupArguments,
  dtype: DType,
  parts: readonly GroupPart[],
  kernel: (
    sizes: GroupSizes,
    from: readonly number[],
    to: readonly number[],
    first: boolean,
    last: boolean,
    workspace: number,
    workspaceBytes: number,
  ) => number,
  workspaceOf?: (sizes: GroupSizes) => number,
): void {
  const perGroup = channels / groups;
  const single = batch === 1;
  const shape = single ? [before, groups, perGroup, inner] : [batch, before * channels * inner];
  const sizesOf = (block: Block): GroupSizes =>
    single
      ? { batch, channels: block.groups * perGroup, groups: block.groups }
      : { batch: block.groups, channels, groups };
  const placed = parts.map(({ per, input, output }): Part => {
    if (per === 'element') return { per, input, output };
    if (per === 'group') return { per, count: single ? 1 : groups, input, output };
    return single
      ? { per: 'group', count: perGroup, input, output }
      : { per: 'call', count: channels, input, output };
  });
  const run: Kernel = (block, from, to, last, workspace, workspaceBytes) => {
    const first = single || block.firstGroup === 0;
    return kernel(sizesOf(block), from, to, first, single || last, workspace, workspaceBytes);
  };
  const heap = owner.heap(operation);
  const bytesOf = workspaceOf && ((block: Block) => workspaceOf(sizesOf(block)));
  passThrough(operation, heap, dtype, shape, single ? 0b1101 : 0b10, placed, run, bytesOf);
}
