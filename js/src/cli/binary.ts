// Rows that lie in a file as the bytes of their elements: in .npy and .safetensors files.

import type { DType, NumericArray } from '../index.js';
import { type FileDType, readElements } from '../io.js';
import { Failure, within } from './failure.js';
import type { Input } from './input.js';
import { BLOCK_BYTES, BLOCKS_IN_USE, type Block, bytesOf, type RowRange } from './rows.js';

const FLOATS: readonly string[] = ['float16', 'bfloat16', 'float32', 'float64'] satisfies DType[];

/** Whether elements of a type are floats of a size that is computed with. */
export function isFloat(dtype: FileDType | null): dtype is DType {
  return dtype !== null && FLOATS.includes(dtype);
}

/** The type that elements of a file are computed in: integers become float32, as everywhere in this package. */
export function computedDType(dtype: FileDType): DType {
  return isFloat(dtype) ? dtype : 'float32';
}

/** An array for elements as they are read, and stored: those of 16 bits as their bits. */
export function newElements(dtype: FileDType, length: number): NumericArray {
  const { data } = readElements(new Uint8Array(0), { dtype, shape: [0] });
  return length === 0 ? data : new (data.constructor as new (length: number) => NumericArray)(length);
}

/** How many elements a shape has. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** How many bytes a row takes. */
export function rowBytesOf(dtype: FileDType, rowShape: readonly number[]): number {
  return elementCount(rowShape) * newElements(dtype, 0).BYTES_PER_ELEMENT;
}

/** Where rows lie in an input, and as what. */
export interface BinaryRows {
  readonly input: Input;
  /** Where the first row begins. */
  readonly start: number;
  readonly dtype: FileDType;
  readonly littleEndian: boolean;
  readonly rowShape: readonly number[];
}

/** Reads rows in blocks, into few arrays that take turns. A row of any size is a block if need be. */
export async function* readBinaryRows(
  { input, start, dtype, littleEndian, rowShape }: BinaryRows,
  { from, to }: RowRange,
  blockBytes: number = BLOCK_BYTES,
): AsyncGenerator<Block> {
  const rowBytes = rowBytesOf(dtype, rowShape);
  const rowsPerBlock = Math.min(Math.max(1, Math.floor(blockBytes / Math.max(rowBytes, 1))), to - from);
  const buffers: ArrayBuffer[] = [];
  await input.seek(start + from * rowBytes);
  for (let row = from, turn = 0; row < to; row += rowsPerBlock, turn = (turn + 1) % BLOCKS_IN_USE) {
    const rows = Math.min(rowsPerBlock, to - row);
    const buffer = buffers[turn] ?? new ArrayBuffer(rowsPerBlock * rowBytes);
    buffers[turn] = buffer;
    const bytes = new Uint8Array(buffer, 0, rows * rowBytes);
    const read = await input.read(bytes);
    if (read < bytes.length) {
      const missing = bytes.length - read + (to - row - rows) * rowBytes;
      throw new Failure(
        `${input.name}: is cut off: ${missing} bytes are missing, of row ${row} and those after it`,
      );
    }
    const layout = { dtype, shape: [rows, ...rowShape], littleEndian };
    const { data } = within(input.name, () => readElements(bytes, layout));
    yield { rows, data, encode: bytesOf };
  }
}
