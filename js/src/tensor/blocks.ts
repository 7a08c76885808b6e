import type { NumericArray, StoredArray } from './dtype.js';
import { type CollapsedShape, collapse, elementCount, hasAxis, type Shape } from './shape.js';

/**
 * Bytes of x that are normalized at a time when x lies outside the heap: measured best. Copied in, normalized in place and
 * copied out, a block stays in the second-level cache.
 */
export const BLOCK_BYTES = 128 * 1024;

/**
 * A block copied piece by piece takes at least this much at a time. Each piece waits for memory once: at 64 bytes columns are
 * four times as slow, at 512 bytes a sixth faster for twice the scratch.
 */
const LEAST_PIECE_BYTES = 256;

/** Below this many elements a loop is faster than a view and `set`. */
const SHORT_RUN = 48;

/**
 * How an array is cut into blocks of whole groups (a group is what is normalized together). The cut goes through one
 * kept dimension; the kept dimensions before it are fixed at one index in each block, and all other dimensions are whole.
 */
export interface BlockPlan extends CollapsedShape {
  /** Elements from one index of a dimension to the next. */
  readonly strides: readonly number[];
  /** The dimension that is cut, or -1 where everything is one block. */
  readonly split: number;
  /** Indices of dimension `split` in every block but the last. */
  readonly count: number;
  /** Elements of the largest block. */
  readonly elements: number;
  /** Groups of the largest block. */
  readonly groups: number;
  /** Whether the elements of each block lie together. */
  readonly contiguous: boolean;
}

/** One block: a box of the array, made of contiguous runs. */
export interface Block extends CollapsedShape {
  /** Where the first element lies in the array. */
  readonly offset: number;
  readonly elements: number;
  /** How many groups come before: where its means lie among all means. */
  readonly firstGroup: number;
  readonly groups: number;
  /** Elements that lie together. */
  readonly run: number;
  /** The dimensions that lead from one run to the next, outermost first; none when the whole block lies together. */
  readonly along: readonly number[];
}

/**
 * Plans blocks of at most `limit` bytes, or of one group (several neighbouring groups where a group's elements do not lie
 * together) where that is more. With `limit` 0 each block is a single group.
 * @param shape - the shape of x, without zeros
 * @param axes - mask of the reduced dimensions
 * @param bytesPerElement - of the type that is computed in
 */
export function planBlocks(
  shape: Shape,
  axes: number,
  bytesPerElement: number,
  limit: number = BLOCK_BYTES,
): BlockPlan {
  const { dims, axes: collapsedAxes } = collapse(shape, axes);
  let total = 1;
  let groups = 1;
  for (let i = 0; i < dims.length; i++) {
    total *= dims[i] as number;
    if (!hasAxis(collapsedAxes, i)) groups *= dims[i] as number;
  }
  let strides: number[] = [];
  // The slab of a kept dimension: what belongs to one index of it, and of all kept dimensions before.
  let slab = total;
  let split = -1;
  let count = 1;
  let contiguous = true;
  if (groups > 1 && total * bytesPerElement > limit) {
    strides = dims.map((_, i) => elementCount(dims.slice(i + 1)));
    for (let i = 0; i < dims.length; i++) {
      if (hasAxis(collapsedAxes, i)) continue;
      slab /= dims[i] as number;
      groups /= dims[i] as number;
      split = i;
      if (slab * bytesPerElement <= limit) break;
    }
    // A reduced dimension before the cut is whole in each block, so the block takes a piece from each of its indices.
    contiguous = !dims.some((_, i) => i < split && hasAxis(collapsedAxes, i));
    const leastPiece = contiguous || limit === 0 ? 1 : LEAST_PIECE_BYTES / bytesPerElement;
    const wanted = Math.max(
      Math.floor(limit / (slab * bytesPerElement)),
      leastPiece / (strides[split] as number),
    );
    count = Math.min(Math.max(Math.ceil(wanted), 1), dims[split] as number);
  }
  const [elements, groupsPerBlock] = [count * slab, count * groups];
  return { dims, axes: collapsedAxes, strides, split, count, elements, groups: groupsPerBlock, contiguous };
}

/** The blocks of a plan, in the order of their groups. */
export function* blocksOf(plan: BlockPlan): Generator<Block> {
  const { dims, axes, strides, split, count } = plan;
  if (split === -1) {
    const { elements, groups } = plan;
    yield { dims, axes, offset: 0, elements, firstGroup: 0, groups, run: elements, along: [] };
    return;
  }
  const outer = dims.map((_, i) => i).filter((i) => i < split && !hasAxis(axes, i));
  const outerCount = elementCount(outer.map((i) => dims[i] as number));
  const elementsPerIndex = plan.elements / count;
  const groupsPerIndex = plan.groups / count;
  let firstGroup = 0;
  for (let index = 0; index < outerCount; index++) {
    const base = offsetOf(index, outer, plan);
    for (let start = 0; start < (dims[split] as number); start += count) {
      const taken = Math.min(count, (dims[split] as number) - start);
      const box = dims.map((size, i) => (i === split ? taken : outer.includes(i) ? 1 : size));
      const elements = taken * elementsPerIndex;
      const first = firstOfRun(box, plan);
      yield {
        dims: box,
        axes,
        offset: base + start * (strides[split] as number),
        elements,
        firstGroup,
        groups: taken * groupsPerIndex,
        run: (box[first] as number) * (strides[first] as number),
        along: box.map((_, i) => i).filter((i) => i < first && box[i] !== 1),
      };
      firstGroup += taken * groupsPerIndex;
    }
  }
}

/** The dimension from which on a box lies together: all dimensions after it are whole. */
function firstOfRun(box: Shape, plan: BlockPlan): number {
  let i = plan.split;
  while (i > 0 && box[i] === plan.dims[i]) i--;
  return i;
}

/** Where the index-th combination of indices of the dimensions `along` lies, the last of them varying fastest. */
function offsetOf(index: number, along: readonly number[], plan: BlockPlan): number {
  let offset = 0;
  let rest = index;
  for (let k = along.length - 1; k >= 0; k--) {
    const i = along[k] as number;
    const size = plan.dims[i] as number;
    offset += (rest % size) * (plan.strides[i] as number);
    rest = Math.floor(rest / size);
  }
  return offset;
}

/** Copies `length` elements from `source[from]` on to `target[to]` and what follows, converting them. */
export type Copy = (
  target: StoredArray,
  to: number,
  source: NumericArray,
  from: number,
  length: number,
) => void;

/** Copies a block of `source`, converted, to `heap[at]` and what follows. */
export function copyBlockIn(
  heap: StoredArray,
  at: number,
  source: NumericArray,
  plan: BlockPlan,
  block: Block,
  copy: Copy = copyRun,
): void {
  eachRun(plan, block, (from, passed) => copy(heap, at + passed, source, from, block.run));
}

/** Copies a block from `heap[at]` and what follows to its place in `target`. */
export function copyBlockOut(
  target: StoredArray,
  heap: StoredArray,
  at: number,
  plan: BlockPlan,
  block: Block,
  copy: Copy = copyRun,
): void {
  eachRun(plan, block, (to, passed) => copy(target, to, heap, at + passed, block.run));
}

/** Says of each run of a block where it lies in the array, and how many elements of the block come before. */
function eachRun(plan: BlockPlan, block: Block, copy: (offset: number, passed: number) => void): void {
  const { dims, along, elements, run } = block;
  // The innermost of the dimensions that lead from run to run has a loop of its own.
  const inner = along.at(-1);
  const outer = along.slice(0, -1);
  const size = inner === undefined ? 1 : (dims[inner] as number);
  const stride = inner === undefined ? 0 : (plan.strides[inner] as number);
  let passed = 0;
  for (let index = 0; passed < elements; index++) {
    let offset = block.offset + offsetOf(index, outer, plan);
    for (let i = 0; i < size; i++, offset += stride, passed += run) copy(offset, passed);
  }
}

/** Copies `length` elements from `source[from]` on to `target[to]` and what follows, converting them. */
export function copyRun(
  target: StoredArray,
  to: number,
  source: NumericArray,
  from: number,
  length: number,
): void {
  if (length <= SHORT_RUN) {
    for (let i = 0; i < length; i++) target[to + i] = source[from + i] as number;
  } else if (from === 0 && length === source.length) {
    target.set(source, to);
  } else {
    target.set(source.subarray(from, from + length), to);
  }
}
