// Rows of numbers on their way from an input to an output, some at a time.

import type { DType, FloatArray, NumericArray } from '../index.js';
import { usageFailure } from './failure.js';
import type { Output } from './output.js';

/** Some rows, one after the other. */
export interface Block {
  readonly rows: number;
  /** Their elements, row-major; those of 16 bits as their bits. Valid until the block after the next one is asked for. */
  readonly data: NumericArray;
  /** What an output gets where these rows have become `y`, as elements of this type are stored. */
  encode(y: FloatArray, dtype: DType): Uint8Array;
}

/** Rows `from` up to, without it, `to`; `Infinity` where nobody knows how many there are. */
export interface RowRange {
  readonly from: number;
  readonly to: number;
}

/** How many bytes of rows are read at a time: so few that what waits on its way hardly counts, and enough to keep disks busy. */
export const BLOCK_BYTES = 4 * 2 ** 20;
/** One block is read while one is computed and one is written. */
export const BLOCKS_IN_USE = 3;

/**
 * Reads the option `--rows`: `a:b` as in NumPy, or `i/n` for part i, from 0, of n parts of nearly the same size.
 * @param rows - how many there are; undefined where nobody knows before the end
 */
export function readRange(text: string | undefined, rows: number | undefined): RowRange {
  const end = rows ?? Number.POSITIVE_INFINITY;
  if (text === undefined) return { from: 0, to: end };
  const [, first, last] = /^(\d*):(\d*)$/.exec(text) ?? [];
  if (first !== undefined) {
    const range = { from: Number(first), to: last ? Number(last) : end };
    if (range.from <= range.to && (range.to <= end || range.to === Number.POSITIVE_INFINITY)) return range;
    throw usageFailure(`--rows is ${text}, expected rows from 0 to ${end}, the first one first`);
  }
  const [, index, parts] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  if (index === undefined || Number(index) >= Number(parts)) {
    throw usageFailure(`--rows is ${text}, expected a:b for rows, or i/n for part i, from 0, of n`);
  }
  if (rows === undefined) {
    throw usageFailure(
      `--rows is ${text}, but how many rows there are is not known before they are read: expected a:b`,
    );
  }
  const start = (part: number): number => Number((BigInt(part) * BigInt(rows)) / BigInt(parts as string));
  return { from: start(Number(index)), to: start(Number(index) + 1) };
}

/**
 * Takes blocks through `apply` to an output, in their order: the next one is read and the one before is written meanwhile.
 * @param dtype - of what `apply` gives
 * @param advance - is told how many rows have been written
 */
export async function pump(
  blocks: AsyncIterator<Block>,
  apply: (block: Block) => FloatArray,
  dtype: DType,
  output: Output,
  advance: (rows: number) => void,
): Promise<void> {
  let writing: Promise<void> = Promise.resolve();
  try {
    let reading = blocks.next();
    for (;;) {
      const { done, value: block } = await reading;
      if (done) break;
      reading = blocks.next();
      reading.catch(() => {}); // its turn comes
      const y = apply(block);
      await writing;
      writing = output.write(block.encode(y, dtype)).then(() => advance(block.rows));
      writing.catch(() => {});
    }
    await writing;
  } finally {
    // Whoever closes the output has to know that nothing is on its way.
    await writing.catch(() => {});
  }
}

/** The elements of an array as they lie in memory. */
export function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
