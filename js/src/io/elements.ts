// The elements of files as arrays: a view of the file's own bytes where that is possible.

import { bytesOf, faulty } from '../files/parts.js';
import { eachIndex, elementCount, formatShape } from '../tensor/shape.js';
import { BYTES, checkFileDType, checkSizes, type FileDType } from './dtypes.js';

/** The array that elements of each type are read into. */
interface ArrayTypes {
  float16: Uint16Array;
  bfloat16: Uint16Array;
  float32: Float32Array;
  float64: Float64Array;
  int8: Int8Array;
  int16: Int16Array;
  int32: Int32Array;
  int64: Float64Array;
  uint8: Uint8Array;
  uint16: Uint16Array;
  uint32: Uint32Array;
  uint64: Float64Array;
  bool: Uint8Array;
}

/** An array of elements of type `D`. */
export interface FileArrayOf<D extends FileDType> {
  /**
   * The elements, row-major: of float16 and bfloat16 the bits; of int64 and uint64 the numbers as float64, which are exact; of bool 0
   * and 1. A view of the file's bytes where alignment, byte order and order allow, else a copy.
   */
  readonly data: ArrayTypes[D];
  /** Sizes of the dimensions, outermost first; none for a single number. */
  readonly shape: readonly number[];
  /** The type that the elements have in the file. */
  readonly dtype: D;
}

/** An array of a file: what every function of this package takes. */
export type FileArray = { [D in FileDType]: FileArrayOf<D> }[FileDType];

/** How elements lie in bytes. */
export interface ElementLayout {
  readonly dtype: FileDType;
  /** Sizes of the dimensions, outermost first; none for a single number. */
  readonly shape: readonly number[];
  /** Whether the lowest byte of an element stands first. @defaultValue true */
  readonly littleEndian?: boolean;
  /** Whether the first dimension runs fastest. @defaultValue false */
  readonly fortranOrder?: boolean;
}

/** The classes of typed arrays that bytes are seen as. */
export const CLASSES = {
  ...{ float16: Uint16Array, bfloat16: Uint16Array, float32: Float32Array, float64: Float64Array },
  ...{ int8: Int8Array, int16: Int16Array, int32: Int32Array, int64: Uint32Array },
  ...{ uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, uint64: Uint32Array },
  bool: Uint8Array,
} as const;

/**
 * Makes an array of the bytes of its elements, such as those that the header of a file tells the place of. It is a view of `bytes`
 * where they are aligned to the elements, little-endian and row-major, and not of int64 or uint64; else a copy.
 * @param bytes - the elements' bytes and nothing more
 * @param layout - see {@link ElementLayout}
 * @throws {@link LayerNormError} `ERR_FILE` where there are fewer or more bytes, for integers beyond 2^53 - 1 and booleans that are neither 0
 * nor 1; `ERR_DTYPE`, `ERR_SHAPE`
 */
export function readElements(bytes: Uint8Array, layout: ElementLayout): FileArray {
  const { dtype, shape } = layout;
  checkFileDType('readElements', 'the array', dtype);
  checkSizes('readElements', 'the array', shape);
  return elementsOf('the elements', bytesOf('readElements', 'bytes', bytes), layout);
}

/** {@link readElements} of a part of a file, whose layout has been checked. */
export function elementsOf(part: string, bytes: Uint8Array, layout: ElementLayout): FileArray {
  const { dtype, shape, littleEndian = true, fortranOrder = false } = layout;
  const length = elementCount(shape);
  const size = BYTES[dtype];
  if (bytes.length !== length * size) {
    throw faulty(
      part,
      `it has ${bytes.length} bytes, ${dtype} of shape ${formatShape(shape)} takes ${length * size}`,
    );
  }
  const ordered = littleEndian || size === 1 ? bytes : reversed(bytes, size);
  const View = CLASSES[dtype];
  const aligned = ordered.byteOffset % View.BYTES_PER_ELEMENT === 0 ? ordered : ordered.slice();
  const view = new View(
    aligned.buffer as ArrayBuffer,
    aligned.byteOffset,
    aligned.byteLength / View.BYTES_PER_ELEMENT,
  );
  const data =
    dtype === 'int64' || dtype === 'uint64' ? wholeNumbers(part, dtype, view as Uint32Array) : view;
  if (dtype === 'bool') checkBooleans(part, data);
  const rowMajor = fortranOrder && shape.length > 1 ? transposed(data, shape) : data;
  return { data: rowMajor, shape: [...shape], dtype } as FileArray;
}

/** A copy with the bytes of each element the other way round. */
function reversed(bytes: Uint8Array, size: number): Uint8Array {
  const copy = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i += size) {
    for (let j = 0; j < size; j++) copy[i + j] = bytes[i + size - 1 - j] as number;
  }
  return copy;
}

/** Integers of 64 bits, given as two words each. */
function wholeNumbers(part: string, dtype: FileDType, words: Uint32Array): Float64Array {
  const numbers = new Float64Array(words.length / 2);
  for (let i = 0; i < numbers.length; i++) {
    const upper = words[2 * i + 1] as number;
    const value = (dtype === 'int64' ? upper | 0 : upper) * 2 ** 32 + (words[2 * i] as number);
    if (!Number.isSafeInteger(value)) {
      throw faulty(
        part,
        `element ${i}, of ${dtype}, is about ${value}, expected at most 2^53 - 1, up to which float64 is exact`,
      );
    }
    numbers[i] = value;
  }
  return numbers;
}

function checkBooleans(part: string, data: ArrayLike<number>): void {
  for (let i = 0; i < data.length; i++) {
    if ((data[i] as number) > 1) throw faulty(part, `element ${i}, of bool, is ${data[i]}, expected 0 or 1`);
  }
}

type AnyArray = InstanceType<(typeof CLASSES)[FileDType]> | Float64Array;

/** A copy with the last dimension running fastest of elements whose first dimension does. */
function transposed(data: AnyArray, shape: readonly number[]): AnyArray {
  const strides = shape.map((_, i) => elementCount(shape.slice(0, i)));
  const copy = new (data.constructor as new (length: number) => AnyArray)(data.length);
  eachIndex(shape, strides, (from, to) => {
    copy[to] = data[from] as number;
  });
  return copy;
}
