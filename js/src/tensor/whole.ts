import type { DType } from '../runtime/core_module.js';
import { BYTES_PER_ELEMENT, type Heap } from '../runtime/heap.js';
import { aligned } from './passage.js';
import { copierOf } from './sixteen_bit.js';
import type { Target } from './target.js';
import { elementsOf, type Operand } from './tensor_like.js';

/** One array of a call that needs its arrays as a whole. With both an input and an output the kernel may work in place. */
export interface WholePart {
  /** What the core takes it as. */
  readonly dtype: DType;
  readonly length: number;
  readonly input?: Operand | undefined;
  readonly output?: Target | undefined;
}

/**
 * A call of the core.
 * @param from - where the part of each number is read; 0 where it has no input
 * @param to - where the part of each number is written; 0 where it has no output
 * @param workspace - address of the workspace, aligned to 64 bytes
 * @returns a status
 */
export type WholeKernel = (from: readonly number[], to: readonly number[], workspace: number) => number;

/**
 * Runs a kernel over arrays wherever they lie, where every result depends on all elements: what lies in the heap is used where it
 * is, everything else passes through the scratch block as a whole.
 * @param parts - the arrays. An output that lies in the heap may be the very input that it is paired with, but touch no other
 * @throws {@link LayerNormError} `ERR_OUT_OF_MEMORY`, with nothing written
 */
export function passWhole(
  operation: string,
  heap: Heap,
  parts: readonly WholePart[],
  workspaceBytes: number,
  kernel: WholeKernel,
): void {
  let bytes = 0;
  const places = parts.map(({ dtype, length, input, output }) => {
    const read = input && input.stored === dtype ? input.address : 0;
    const write = output && output.dtype === dtype ? output.address : 0;
    const isStaged = write === 0 && (output !== undefined || (input !== undefined && read === 0));
    const start = isStaged ? bytes : undefined;
    if (isStaged) bytes += aligned(length * BYTES_PER_ELEMENT[dtype]);
    return { read, write, start };
  });
  const scratch = heap.scratch(operation, bytes + workspaceBytes);
  const from: number[] = [];
  const to: number[] = [];
  parts.forEach(({ dtype, length, input, output }, i) => {
    const { read, write, start } = places[i] as (typeof places)[number];
    const place = start === undefined ? write : scratch + start;
    to[i] = output ? place : 0;
    from[i] = input ? read || place : 0;
    if (!input || read !== 0) return;
    const at = place / BYTES_PER_ELEMENT[dtype];
    copierOf(input.stored, dtype)(heap.elements(dtype), at, elementsOf(heap, input), 0, length);
  });
  heap.check(operation, kernel(from, to, scratch + bytes));
  parts.forEach(({ dtype, length, output }, i) => {
    if (!output || (places[i] as (typeof places)[number]).write !== 0) return;
    const at = (to[i] as number) / BYTES_PER_ELEMENT[dtype];
    copierOf(dtype, output.dtype)(output.elements(heap), 0, heap.elements(dtype), at, length);
  });
}
