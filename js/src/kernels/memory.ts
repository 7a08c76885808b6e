import { describe, LayerNormError } from '../runtime/errors.js';
import { MAX_RANK } from '../runtime/heap.js';

/** A block of somebody's memory. */
export interface Block {
  /** Byte offset into the memory. */
  readonly address: number;
  readonly bytes: number;
}

/** What calls take of the stack at most, rounded up: the core's deepest frame has 49 KiB. */
const FRAME_BYTES = 64 * 1024;
/** Where a call puts the sizes of its dimensions. */
const DIMS_BYTES = MAX_RANK * Uint32Array.BYTES_PER_ELEMENT;

/** The least size of {@link KernelsOptions.stack}: 64 KiB for what calls keep while they run, and the sizes of a shape. */
export const STACK_BYTES = FRAME_BYTES + DIMS_BYTES;

/** Stacks begin at multiples of this. */
const STACK_ALIGNMENT = 16;

/**
 * Checks that a block lies in a memory.
 * @param alignment - what its address is a multiple of
 * @throws {@link LayerNormError} `ERR_ARGUMENT`
 */
export function checkBlock(
  operation: string,
  name: string,
  memory: WebAssembly.Memory,
  { address, bytes }: Block,
  alignment: number,
): void {
  const isAddress = Number.isInteger(address) && address > 0;
  if (!isAddress || address % alignment !== 0) {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `${operation}: ${name} is at ${describe(address)}, expected an address: a positive integer` +
        (alignment > 1 ? `, a multiple of ${alignment}` : ''),
    );
  }
  const size = memory.buffer.byteLength;
  if (!Number.isInteger(bytes) || bytes < 0 || address + bytes > size) {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `${operation}: ${name} has ${describe(bytes)} bytes from address ${address} on, but the memory ends at ${size}`,
    );
  }
}

/** The part of a memory that calls work in. */
export class Stack {
  /** Where the sizes of the dimensions are written. */
  readonly dims: number;
  /** Where the stack begins: it grows down. */
  readonly top: number;
  readonly #block: Block;

  constructor(operation: string, memory: WebAssembly.Memory, block: Block) {
    checkBlock(operation, 'stack', memory, block, 4);
    if (block.bytes < STACK_BYTES) {
      throw new LayerNormError(
        'ERR_ARGUMENT',
        `${operation}: stack has ${block.bytes} bytes, expected at least STACK_BYTES, which is ${STACK_BYTES}`,
      );
    }
    this.#block = block;
    this.dims = block.address;
    const end = block.address + block.bytes;
    this.top = end - (end % STACK_ALIGNMENT);
  }

  /** Whether another block shares a byte with it. */
  overlaps({ address, bytes }: Block): boolean {
    return address < this.#block.address + this.#block.bytes && this.#block.address < address + bytes;
  }
}
