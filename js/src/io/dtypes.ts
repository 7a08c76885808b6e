// The types of the elements of files: their sizes, the arrays they are read into, and how many bytes a shape of them takes.

import { faulty } from '../files/parts.js';
import { describe, LayerNormError } from '../runtime/errors.js';

/** The types of elements that files are read and written in. */
export type FileDType =
  | 'float16'
  | 'bfloat16'
  | 'float32'
  | 'float64'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'bool';

/** Bytes of one element. */
export const BYTES: Readonly<Record<FileDType, number>> = {
  ...{ float16: 2, bfloat16: 2, float32: 4, float64: 8 },
  ...{ int8: 1, int16: 2, int32: 4, int64: 8 },
  ...{ uint8: 1, uint16: 2, uint32: 4, uint64: 8 },
  bool: 1,
};

/** The least and the largest number of each type of integers, as far as float64 is exact. */
export const INTEGER_RANGES: Partial<Record<FileDType, readonly [number, number]>> = {
  ...{ int8: [-(2 ** 7), 2 ** 7 - 1], uint8: [0, 2 ** 8 - 1], bool: [0, 1] },
  ...{ int16: [-(2 ** 15), 2 ** 15 - 1], uint16: [0, 2 ** 16 - 1] },
  ...{ int32: [-(2 ** 31), 2 ** 31 - 1], uint32: [0, 2 ** 32 - 1] },
  ...{ int64: [-(2 ** 53) + 1, 2 ** 53 - 1], uint64: [0, 2 ** 53 - 1] },
};

const DTYPES = Object.keys(BYTES) as FileDType[];

/** Whether a value is the name of a type of elements. */
export function isFileDType(name: unknown): name is FileDType {
  return typeof name === 'string' && Object.hasOwn(BYTES, name);
}

/** The most dimensions that NumPy has. */
export const MAX_RANK = 64;

/**
 * Checks the sizes that a caller gives for an array that is to be written.
 * @throws {@link LayerNormError} `ERR_SHAPE`
 */
export function checkSizes(
  operation: string,
  argument: string,
  shape: unknown,
): asserts shape is readonly number[] {
  const isList = Array.isArray(shape) && shape.length <= MAX_RANK;
  const isSize = (size: unknown): boolean => Number.isSafeInteger(size) && (size as number) >= 0;
  if (!isList || !shape.every(isSize) || isUncountable(shape)) {
    throw new LayerNormError(
      'ERR_SHAPE',
      `${operation}: the shape of ${argument} is ${describe(shape)}, expected at most ${MAX_RANK} sizes of an array that can be counted`,
    );
  }
}

/**
 * Checks the name of a type that a caller gives.
 * @throws {@link LayerNormError} `ERR_DTYPE`
 */
export function checkFileDType(
  operation: string,
  argument: string,
  dtype: unknown,
): asserts dtype is FileDType {
  if (isFileDType(dtype)) return;
  throw new LayerNormError(
    'ERR_DTYPE',
    `${operation}: the dtype of ${argument} is ${describe(dtype)}, expected one of ${DTYPES.join(', ')}`,
  );
}

/** Zero does not hide what overflows beside it; the bits of the widest elements still are counted exactly. */
function isUncountable(shape: readonly number[]): boolean {
  return shape.reduce((most, size) => most * Math.max(size, 1), 1) > Number.MAX_SAFE_INTEGER / 128;
}

/** How many elements an array of a file has. */
export function countElements(part: string, shape: readonly number[]): number {
  if (shape.length > MAX_RANK) {
    throw faulty(part, `its shape has ${shape.length} dimensions, expected at most ${MAX_RANK}`);
  }
  if (isUncountable(shape))
    throw faulty(part, `its shape [${shape.join(', ')}] has too many elements to count`);
  return shape.reduce((count, size) => count * size, 1);
}
