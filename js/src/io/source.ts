// Arrays of all kinds as the bytes of files.

import type { TensorLike } from '../index.js';
import { LayerNormError } from '../runtime/errors.js';
import { type DType, isSixteenBit, newArray, typedArrayName } from '../tensor/dtype.js';
import { copierOf } from '../tensor/sixteen_bit.js';
import { type Operand, readOperand } from '../tensor/tensor_like.js';
import { BYTES, checkFileDType, type FileDType, INTEGER_RANGES, isFileDType } from './dtypes.js';
import { CLASSES } from './elements.js';

/** How an array is to be written. */
export interface WriteOptions {
  /** Sizes of the dimensions for a typed array, `[]` for a single number: one dimension by default. Anything else says its shape itself. */
  shape?: readonly number[] | null;
  /**
   * The type of the elements in the file: by default that of the array. Floats are rounded to nearest even; integers have to hold the
   * numbers exactly. With 'float16' or 'bfloat16' a `Uint16Array` has the bits of such elements.
   */
  dtype?: FileDType | null;
}

/** An array that is to be written. */
export interface Source {
  readonly dtype: FileDType;
  readonly shape: readonly number[];
  /** The elements, row-major and little-endian: a view where they lie so. */
  readonly bytes: Uint8Array;
}

/**
 * Reads an array that is to be written.
 * @throws {@link LayerNormError} `ERR_ARGUMENT`, `ERR_DTYPE`, `ERR_SHAPE`, `ERR_DISPOSED`
 */
export function sourceOf(operation: string, argument: string, x: TensorLike, options: WriteOptions): Source {
  const { dtype: given } = options;
  if (given !== undefined && given !== null) checkFileDType(operation, argument, given);
  const value = ofThisPackage(x);
  const sizes: unknown =
    options.shape ?? (value as { dims?: unknown }).dims ?? (value as { shape?: unknown }).shape;
  // Operations take no arrays without dimensions, files do.
  const isScalar = Array.isArray(sizes) && sizes.length === 0;
  const operand = isScalar
    ? readOperand(
        operation,
        undefined,
        argument,
        withOneElement(value),
        typedArrayName(value) ? [1] : undefined,
        given,
      )
    : readOperand(operation, undefined, argument, value, options.shape, given);
  const dtype = given ?? typeOf(value, operand);
  return {
    dtype,
    shape: isScalar ? [] : [...operand.shape],
    bytes: bytesIn(operation, argument, operand, dtype),
  };
}

/** A tensor of this package as an object with data. Its class exists in each entry once, so that it is known by what it has. */
function ofThisPackage(x: unknown): unknown {
  if (typeof x !== 'object' || x === null || typedArrayName(x) !== undefined || 'data' in x) return x ?? {};
  const { array, shape, dtype } = x as Record<string, unknown>;
  return typedArrayName(array) === undefined ? x : { data: array, shape, dtype };
}

function withOneElement(value: unknown): unknown {
  if (typedArrayName(value) !== undefined) return value;
  const { type, dtype, location } = value as Record<string, unknown>;
  return {
    // Tensors of onnxruntime throw from it when their location is not the CPU, which is looked at first.
    get data() {
      return (value as { data: unknown }).data;
    },
    ...{ shape: [1], type, dtype, location },
  };
}

/** The type that an array is written in, if nobody asks for another. */
function typeOf(value: unknown, operand: Operand): FileDType {
  const { type, dtype } = value as Record<string, unknown>;
  const declared = type ?? dtype;
  if (isFileDType(declared)) return declared;
  if (operand.kind === 'nested') return operand.dtype;
  const name =
    typedArrayName(typedArrayName(value) === undefined ? (value as { data: unknown }).data : value) ?? '';
  const plain = name.replace('Clamped', '').replace('Array', '').toLowerCase();
  return operand.stored === undefined && isFileDType(plain) ? plain : operand.dtype;
}

function bytesIn(operation: string, argument: string, operand: Operand, dtype: FileDType): Uint8Array {
  const { stored, length } = operand;
  const data = operand.data as Float64Array; // or any other, of numbers
  const isBits = isSixteenBit(stored);
  const View = CLASSES[dtype];
  const range = INTEGER_RANGES[dtype];
  if (
    dtype === stored ||
    (!isBits && range && dtype !== 'bool' && typedArrayName(data) === View.name && BYTES[dtype] < 8)
  ) {
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }
  if (!range) {
    const copy = newArray(dtype as DType, length);
    copierOf(stored, dtype as DType)(copy, 0, data, 0, length);
    return new Uint8Array(copy.buffer);
  }
  const numbers = isBits ? new Float64Array(length) : data;
  if (isBits) copierOf(stored, undefined)(numbers, 0, data, 0, length);
  const [least, most] = range;
  const words = new View((length * BYTES[dtype]) / View.BYTES_PER_ELEMENT);
  for (let i = 0; i < length; i++) {
    const value = numbers[i] as number;
    if (!(Number.isInteger(value) && value >= least && value <= most)) {
      throw new LayerNormError(
        'ERR_ARGUMENT',
        `${operation}: element ${i} of ${argument} is ${value}, expected an integer from ${least} to ${most} for ${dtype}`,
      );
    }
    if (BYTES[dtype] === 8) {
      words[2 * i] = value; // modulo 2^32, as all that is written to such an array
      words[2 * i + 1] = Math.floor(value / 2 ** 32);
    } else {
      words[i] = value;
    }
  }
  return new Uint8Array(words.buffer);
}
