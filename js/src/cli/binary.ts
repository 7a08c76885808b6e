// Rows that lie in a file as the bytes of their elements: in .npy and .safetensors files.

import type { DType, FloatArray, NumericArray } from '../index.js';
import type { FileDType } from '../io.js';
import { Failure } from './failure.js';
import type { Input } from './input.js';
import { BLOCK_BYTES, BLOCKS_IN_USE, type Block, bytesOf, type RowRange } from './rows.js';

type View = new (
  buffer: ArrayBuffer,
  byteOffset: number,
  length: number,
) => NumericArray | BigInt64Array | BigUint64Array;

/** What the elements of each type are read as: those of 16 bits as their bits. */
const VIEWS: Readonly<Record<FileDType, View & { readonly BYTES_PER_ELEMENT: number }>> = {
  ...{ float16: Uint16Array, bfloat16: Uint16Array, float32: Float32Array, float64: Float64Array },
  ...{ int8: Int8Array, int16: Int16Array, int32: Int32Array, int64: BigInt64Array },
  ...{ uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, uint64: BigUint64Array },
  bool: Uint8Array,
};

const FLOATS: readonly string[] = ['float16', 'bfloat16', 'float32', 'float64'] satisfies DType[];

/** Whether elements of a type are floats of a size that is computed with. */
export function isFloat(dtype: FileDType | null): dtype is DType {
  return dtype !== null && FLOATS.includes(dtype);
}

/** The type that elements of a file are computed in: integers become float32, as everywhere in this package. */
export function computedDType(dtype: FileDType): DType {
  return isFloat(dtype) ? dtype : 'float32';
}

/** No elements of a type. */
export function emptyOf(dtype: FileDType): NumericArray {
  return numbersOf(new VIEWS[dtype](new ArrayBuffer(0), 0, 0));
}

/** An array for floats as they are stored. */
export function newFloats(dtype: DType, length: number): FloatArray {
  const View = VIEWS[dtype];
  return new View(new ArrayBuffer(length * View.BYTES_PER_ELEMENT), 0, length) as FloatArray;
}

/** How many elements a shape has. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
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
  const View = VIEWS[dtype];
  const rowElements = elementCount(rowShape);
  const rowBytes = rowElements * View.BYTES_PER_ELEMENT;
  const rowsPerBlock = Math.min(Math.max(1, Math.floor(blockBytes / Math.max(rowBytes, 1))), to - from);
  const buffers: ArrayBuffer[] = [];
  await input.seek(start + from * rowBytes);
  for (let row = from, turn = 0; row < to; row += rowsPerBlock, turn = (turn + 1) % BLOCKS_IN_USE) {
    const rows = Math.min(rowsPerBlock, to - row);
    const buffer = buffers[turn] ?? new ArrayBuffer(rowsPerBlock * rowBytes);
    buffers[turn] = buffer;
    const bytes = Buffer.from(buffer, 0, rows * rowBytes);
    const read = await input.read(bytes);
    if (read < bytes.length) {
      const missing = bytes.length - read + (to - row - rows) * rowBytes;
      throw new Failure(
        `${input.name}: is cut off: ${missing} bytes are missing, of row ${row} and those after it`,
      );
    }
    if (!littleEndian) swap(bytes, View.BYTES_PER_ELEMENT);
    const data = new View(buffer, 0, rows * rowElements);
    yield { rows, data: numbersOf(data), encode: bytesOf };
  }
}

/** Puts the bytes of each element in the order that this machine has, as all that run WebAssembly do. */
function swap(bytes: Buffer, elementBytes: number): void {
  if (elementBytes === 2) bytes.swap16();
  else if (elementBytes === 4) bytes.swap32();
  else if (elementBytes === 8) bytes.swap64();
}

/** Integers of 64 bits as the nearest numbers. */
function numbersOf(data: NumericArray | BigInt64Array | BigUint64Array): NumericArray {
  const isBig = data instanceof BigInt64Array || data instanceof BigUint64Array;
  return isBig ? Float64Array.from(data as Iterable<bigint>, Number) : data;
}
