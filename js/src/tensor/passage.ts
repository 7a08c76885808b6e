import type { DType } from '../runtime/core_module.js';
import { BYTES_PER_ELEMENT, type Heap } from '../runtime/heap.js';
import {
  BLOCK_BYTES,
  type Block,
  type BlockPlan,
  blocksOf,
  copyBlockIn,
  copyBlockOut,
  copyRun,
  planBlocks,
} from './blocks.js';
import { elementCount, reducedShape, type Shape } from './shape.js';
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
  /** How many elements it has: as many as x, one a group, or one for each position in the reduced dimensions. */
  readonly per: 'element' | 'group' | 'position';
  readonly input?: Operand | undefined;
  readonly output?: Target | undefined;
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

/** Whether the core can use an operand where it lies. */
function isDirect(operand: Operand, dtype: DType): boolean {
  return operand.address !== 0 && operand.stored === dtype;
}

/**
 * Runs a kernel over arrays wherever they lie. What lies in the heap is used where it is; everything else passes through the
 * scratch block, in blocks of whole groups and in their order.
 * @param shape - of x, without zeros
 * @param axes - mask of its reduced dimensions
 * @param parts - the arrays. An output that lies in the heap may be the very input that it is paired with, but touch no other
 * @param workspaceOf - bytes that the kernel needs besides, given the first block, of which there is none larger
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
  workspaceOf: (first: Block) => number = () => 0,
): void {
  const bytesPerElement = BYTES_PER_ELEMENT[dtype];
  const positions = elementCount(reducedShape(shape, axes));
  /** Whether the elements that one block has of a part do not lie together. */
  const isApart = (part: Part, plan: BlockPlan): boolean => part.per === 'element' && !plan.contiguous;
  const isCopiedIn = (part: Part, plan: BlockPlan): boolean =>
    part.input !== undefined && (isApart(part, plan) || !isDirect(part.input, dtype));
  const layOut = (limit: number): Layout => {
    const plan = planBlocks(shape, axes, bytesPerElement, limit);
    let bytes = 0;
    const reserve = (size: number): number => {
      const start = bytes;
      bytes += aligned(size);
      return start;
    };
    const most = { element: plan.elements, group: plan.groups, position: positions };
    const starts = parts.map((part) => {
      const { per, output } = part;
      const staged = output ? output.address === 0 || isApart(part, plan) : isCopiedIn(part, plan);
      return staged ? reserve(most[per] * bytesPerElement) : undefined;
    });
    const workspaceBytes = workspaceOf(blocksOf(plan).next().value as Block);
    const workspace = reserve(workspaceBytes);
    return { plan, bytes, starts, workspace, workspaceBytes };
  };

  const cut = parts.filter(({ per }) => per === 'element');
  const inHeap = cut.every(
    ({ input, output }) => (!input || isDirect(input, dtype)) && output?.address !== 0,
  );
  let layout = layOut(inHeap ? Number.MAX_SAFE_INTEGER : BLOCK_BYTES / cut.length);
  if (heap.tryScratch(layout.bytes) === 0) {
    // Slower, but it needs the least: one group at a time.
    layout = layOut(0);
  }
  const scratch = heap.scratch(operation, layout.bytes);
  const { plan, starts, workspaceBytes } = layout;

  // Nothing allocates from here on, so views stay valid.
  const elements = heap.elements(dtype);
  const sources = parts.map((part) => isCopiedIn(part, plan) && elementsOf(heap, part.input as Operand));
  const sinks = parts.map(({ output }, i) => starts[i] !== undefined && output?.elements(heap));
  const from: number[] = [];
  const to: number[] = [];
  for (const block of blocksOf(plan)) {
    const { firstGroup, groups } = block;
    const last = (firstGroup + groups) * positions === elementCount(shape);
    const offsets = { element: block.offset, group: firstGroup, position: 0 };
    const counts = { element: block.elements, group: groups, position: positions };
    parts.forEach(({ per, input, output }, i) => {
      const start = starts[i];
      const addressOf = (array: Operand | Target): number => array.address + offsets[per] * bytesPerElement;
      const array = output ?? input;
      const place = start !== undefined ? scratch + start : array ? addressOf(array) : 0;
      const source = sources[i];
      from[i] = input && !source ? addressOf(input) : place;
      to[i] = output ? place : 0;
      const at = place / bytesPerElement;
      if (!source) return;
      if (per === 'element') copyBlockIn(elements, at, source, plan, block);
      else if (per === 'group' || firstGroup === 0) copyRun(elements, at, source, offsets[per], counts[per]);
    });
    heap.writeDims(block.dims);
    const workspace = scratch + layout.workspace;
    heap.check(operation, kernel(block, from, to, last, workspace, workspaceBytes));
    parts.forEach(({ per }, i) => {
      const sink = sinks[i];
      const at = (to[i] as number) / bytesPerElement;
      if (!sink) return;
      if (per === 'element') copyBlockOut(sink, elements, at, plan, block);
      else if (per === 'group' || last) copyRun(sink, offsets[per], elements, at, counts[per]);
    });
  }
}
