import type { DType } from '../runtime/core_module.js';
import { BYTES_PER_ELEMENT, type Heap } from '../runtime/heap.js';
import {
  BLOCK_BYTES,
  type Block,
  type BlockPlan,
  blocksOf,
  type Copy,
  copyBlockIn,
  copyBlockOut,
  planBlocks,
} from './blocks.js';
import { type NumericArray, parameterDType, type StoredArray } from './dtype.js';
import { elementCount, reducedShape, type Shape } from './shape.js';
import { copierOf } from './sixteen_bit.js';
import type { Target } from './target.js';
import { elementsOf, type Operand } from './tensor_like.js';

/** What lies in the scratch block starts at multiples of this many bytes, as blocks that the heap gives do. */
const ALIGNMENT = 64;

/** The next multiple of {@link ALIGNMENT}. */
export function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

/** One array of a call. With both an input and an output the kernel may work in place; with neither it is absent. */
export interface Part {
  /**
   * How many elements it has: as many as x, some a group, one for each position in the reduced dimensions, or some in all. The
   * last two are the same for every block.
   */
  readonly per: 'element' | 'group' | 'position' | 'call';
  /** How many a group has, or the call. @defaultValue 1 */
  readonly count?: number;
  /**
   * Whether the input, `per` element of x, has fewer of them, and starts over as often as it takes. It has to be whole groups, and
   * those of x have to lie together. Where the core can use it as it lies, the kernel finds it as a whole; else as many elements as
   * the block has.
   */
  readonly repeats?: boolean;
  /** Whether it has the type of x, and may be as large, though it is not `per` element. */
  readonly likeX?: boolean;
  readonly input: Operand | undefined;
  readonly output: Target | undefined;
}

/**
 * A call of the core on one block, whose sizes it finds where it reads them.
 * @param from - where the part of each number is read, or written where it has no input; 0 where it is absent
 * @param to - where the part of each number is written; 0 where it has no output
 * @param last - whether no block follows
 * @returns a status
 */
export type Kernel = (
  block: Block,
  from: readonly number[],
  to: readonly number[],
  last: boolean,
  workspace: number,
  workspaceBytes: number,
) => number;

/** The blocks of a call, and where in the scratch block those arrays lie that the core cannot use where they are. */
interface Layout {
  readonly plan: BlockPlan;
  /** Size of the scratch block. */
  readonly bytes: number;
  /** Where each part starts in it; undefined for those that take no place there. */
  readonly starts: readonly (number | undefined)[];
  readonly workspace: number;
  readonly workspaceBytes: number;
}

/** Whether the core can use an array where it lies. */
export function isDirect(address: number, stored: DType | undefined, dtype: DType): boolean {
  return address !== 0 && stored === dtype;
}

/** Whether a block of a part's input is copied: it lies outside, is of another type, or does not lie together. */
function isCopiedIn({ per, input }: Part, dtype: DType, plan: BlockPlan): boolean {
  if (input === undefined) return false;
  return !isDirect(input.address, input.stored, dtype) || (per === 'element' && !plan.contiguous);
}

/** Copies a block of an array that starts over and over to `heap[at]` and what follows. */
function copyRepeated(
  heap: StoredArray,
  at: number,
  source: NumericArray,
  { offset, elements }: Block,
  copy: Copy,
): void {
  for (let done = 0; done < elements; ) {
    const from = (offset + done) % source.length;
    const length = Math.min(source.length - from, elements - done);
    copy(heap, at + done, source, from, length);
    done += length;
  }
}

/**
 * The arrays of a gradient that have as many elements as x. dx takes the place of dy, unless it is x: what comes from outside
 * would then be copied over x.
 */
export function gradientParts(dy: Operand, x: Operand, dx: Target | undefined): [dy: Part, x: Part] {
  const isX = dx !== undefined && dx.address !== 0 && dx.address === x.address;
  return [
    { per: 'element', input: dy, output: isX ? undefined : dx },
    { per: 'element', input: x, output: isX ? dx : undefined },
  ];
}

/**
 * Runs a kernel over arrays wherever they lie. What lies in the heap is used where it is; everything else passes through the
 * scratch block, in blocks of whole groups and in their order.
 * @param shape - of x, without zeros
 * @param axes - mask of its reduced dimensions
 * @param parts - the arrays. An output that lies in the heap may be the very input that it is paired with, but touch no other
 * @param workspaceOf - bytes that the kernel needs besides, given the first block, of which there is none larger
 * @param oneByOne - whether each block is a single group
 * @throws {@link LayerNormError} `ERR_OUT_OF_MEMORY`, with nothing written
 */
export function passThrough(
  operation: string,
  heap: Heap,
  dtype: DType,
  shape: Shape,
  axes: number,
  parts: readonly Part[],
  kernel: Kernel,
  workspaceOf?: (first: Block) => number,
  oneByOne = false,
): void {
  const parameterType = parameterDType(dtype);
  const isLikeX = ({ per, likeX }: Part): boolean => per === 'element' || likeX === true;
  const typeOf = (part: Part): DType => (isLikeX(part) ? dtype : parameterType);
  const total = elementCount(shape);
  const positions = elementCount(reducedShape(shape, axes));
  const counts = parts.map(({ per, count = 1 }) => (per === 'position' ? positions : count));
  // Small calls spend their time here: plain loops over the parts.
  const layOut = (limit: number): Layout => {
    const plan = planBlocks(shape, axes, BYTES_PER_ELEMENT[dtype], limit);
    const starts: (number | undefined)[] = [];
    let bytes = 0;
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i] as Part;
      const count = counts[i] as number;
      const { per, output } = part;
      const type = typeOf(part);
      const apart = per === 'element' && !plan.contiguous;
      const staged = output
        ? apart || !isDirect(output.address, output.dtype, type)
        : isCopiedIn(part, type, plan);
      starts.push(staged ? bytes : undefined);
      const most = per === 'element' ? plan.elements : per === 'group' ? plan.groups * count : count;
      if (staged) bytes += aligned(most * BYTES_PER_ELEMENT[type]);
    }
    const workspaceBytes = workspaceOf ? workspaceOf(blocksOf(plan).next().value as Block) : 0;
    return { plan, starts, workspace: bytes, workspaceBytes, bytes: bytes + aligned(workspaceBytes) };
  };

  let cut = 0;
  let inHeap = true;
  for (const part of parts) {
    if (!isLikeX(part)) continue;
    const { input, output } = part;
    cut++;
    if (input && !isDirect(input.address, input.stored, dtype)) inHeap = false;
    if (output && !isDirect(output.address, output.dtype, dtype)) inHeap = false;
  }
  let layout = layOut(oneByOne ? 0 : inHeap ? Number.MAX_SAFE_INTEGER : BLOCK_BYTES / cut);
  if (heap.tryScratch(layout.bytes) === 0) {
    // Slower, but it needs the least: one group at a time.
    layout = layOut(0);
  }
  const scratch = heap.scratch(operation, layout.bytes);
  const { plan, starts, workspaceBytes } = layout;

  // Nothing allocates from here on, so views stay valid.
  const elements = heap.elements(dtype);
  const parameters = heap.elements(parameterType);
  const sources: (NumericArray | undefined)[] = [];
  const sinks: (StoredArray | undefined)[] = [];
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] as Part;
    sources.push(isCopiedIn(part, typeOf(part), plan) ? elementsOf(heap, part.input as Operand) : undefined);
    sinks.push(starts[i] === undefined ? undefined : part.output?.elements(heap));
  }
  const from: number[] = [];
  const to: number[] = [];
  for (const block of blocksOf(plan)) {
    const { firstGroup, groups } = block;
    const last = (firstGroup + groups) * positions === total;
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i] as Part;
      const { per, input, output, repeats } = part;
      const count = counts[i] as number;
      const type = typeOf(part);
      const bytesPerElement = BYTES_PER_ELEMENT[type];
      const offset = repeats
        ? 0
        : per === 'element'
          ? block.offset
          : per === 'group'
            ? firstGroup * count
            : 0;
      const start = starts[i];
      const source = sources[i];
      const array = output ?? input;
      let place = 0;
      if (start !== undefined) place = scratch + start;
      else if (array) place = array.address + offset * bytesPerElement;
      from[i] = input && !source ? input.address + offset * bytesPerElement : place;
      to[i] = output ? place : 0;
      const at = place / bytesPerElement;
      if (!source) continue;
      const copy = copierOf(input?.stored, type);
      if (repeats) copyRepeated(elements, at, source, block, copy);
      else if (per === 'element') copyBlockIn(elements, at, source, plan, block, copy);
      else if (per === 'group') copy(parameters, at, source, offset, groups * count);
      else if (firstGroup === 0) copy(parameters, at, source, 0, count);
    }
    heap.writeDims(block.dims);
    const workspace = scratch + layout.workspace;
    heap.check(operation, kernel(block, from, to, last, workspace, workspaceBytes));
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i] as Part;
      const { per, output } = part;
      const sink = sinks[i];
      if (!sink) continue;
      const count = counts[i] as number;
      const type = typeOf(part);
      const at = (to[i] as number) / BYTES_PER_ELEMENT[type];
      const copy = copierOf(type, output?.dtype);
      if (per === 'element') copyBlockOut(sink, elements, at, plan, block, copy);
      else if (per === 'group')
        copy(sink, firstGroup * count, isLikeX(part) ? elements : parameters, at, groups * count);
      else if (last) copy(sink, 0, parameters, at, count);
    }
  }
}
