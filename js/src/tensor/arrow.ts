import { describe, LayerNormError } from '../runtime/errors.js';
import { type NumericArray, typedArrayName } from './dtype.js';

/** A vector of Apache Arrow: of numbers, or of lists of one size (`FixedSizeList`) of numbers, to any depth. */
export interface ArrowVector {
  readonly type: { readonly typeId: number };
  readonly data: readonly { readonly nullCount: number }[];
  readonly length: number;
}

/** What a vector of Apache Arrow says of its elements. */
interface ArrowType {
  readonly typeId: number;
  /** Of a Float. */
  readonly precision: number;
  /** Of a FixedSizeList, as is `children`. */
  readonly listSize: number;
  readonly children: readonly { readonly type: ArrowType }[];
}

/** A part of a vector that lies together; that of lists has the part of their elements as its only child. */
interface ArrowChunk {
  readonly length: number;
  readonly nullCount: number;
  readonly values: unknown;
  readonly children: readonly ArrowChunk[];
}

// The numbers of Apache Arrow's enumeration `Type`.
const INT = 2;
const FLOAT = 3;
const FIXED_SIZE_LIST = 16;

/** By the numbers of its enumeration `Precision`. */
const FLOATS = ['float16', 'float32', 'float64'];

/** Whether an object is a vector of Apache Arrow, of whatever copy and version of the library. */
export function isArrowVector(value: object): value is ArrowVector {
  const vector = value as Partial<ArrowVector>;
  // In this order: `data` of a tensor of onnxruntime throws where it is not on the CPU.
  return typeof vector.type?.typeId === 'number' && Array.isArray(vector.data);
}

/** A vector as the object of `shape`, `data` and `type` that it could have been. */
export interface ArrowContents {
  readonly shape: readonly number[];
  /** Those of one chunk as they lie there, those of several in a copy. */
  readonly data: NumericArray;
  /** The name of a float, or none of those: 16 bits may be a float16 or an integer. */
  readonly type: string;
  readonly copied: boolean;
}

/**
 * Reads the elements of a vector.
 * @throws {@link LayerNormError} `ERR_DTYPE` for anything but numbers, `ERR_ARGUMENT` for nulls, `ERR_SHAPE` where elements are
 * missing
 */
export function readArrow(operation: string, argument: string, vector: ArrowVector): ArrowContents {
  let type = vector.type as ArrowType;
  let chunks = vector.data as readonly ArrowChunk[];
  const shape = [vector.length];
  const counts = chunks.map(({ length }) => length);
  for (;;) {
    // What lies in the place of a null is not defined.
    if (chunks.some(({ nullCount }) => nullCount > 0)) {
      throw new LayerNormError(
        'ERR_ARGUMENT',
        `${operation}: ${argument} is an Arrow vector with null values, expected none: leave out their rows first`,
      );
    }
    if (type?.typeId !== FIXED_SIZE_LIST) break;
    const { listSize } = type;
    shape.push(listSize);
    counts.forEach((count, i) => {
      counts[i] = count * listSize;
    });
    type = type.children?.[0]?.type as ArrowType;
    chunks = chunks.flatMap(({ children }) => children?.[0] ?? []);
  }
  if (type?.typeId !== INT && type?.typeId !== FLOAT) {
    throw new LayerNormError(
      'ERR_DTYPE',
      `${operation}: ${argument} is an Arrow vector of ${describe(type)}, expected Float, Int, or FixedSizeList of them`,
    );
  }
  const parts = chunks.map(({ values }, i) => {
    const count = counts[i] as number;
    const part = values as NumericArray; // longer where the buffer is padded
    if (typedArrayName(part) !== undefined && part.length >= count) return part.subarray(0, count);
    throw new LayerNormError(
      'ERR_SHAPE',
      `${operation}: chunk ${i} of ${argument} has ${part?.length ?? 'no'} elements, expected ${count}`,
    );
  });
  return {
    shape,
    data: joined(parts),
    type: (type.typeId === FLOAT && FLOATS[type.precision]) || 'int',
    copied: parts.length > 1,
  };
}

/** Arrays of one class, one after another; a single one as it is. */
function joined(parts: readonly NumericArray[]): NumericArray {
  if (parts.length === 1) return parts[0] as NumericArray;
  // Not their constructor, which may be that of a subclass.
  const className = typedArrayName(parts[0]) ?? 'Float32Array';
  const Class = (globalThis as unknown as Record<string, new (length: number) => Float32Array>)[
    className
  ] as new (
    length: number,
  ) => Float32Array;
  const all = new Class(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
