import { describe, LayerNormError } from '../runtime/errors.js';
import { MAX_RANK } from '../runtime/heap.js';

/** Sizes of the dimensions, outermost first; elements lie row-major. */
export type Shape = readonly number[];

/** The largest size that the core takes: an uint32. */
const MAX_SIZE = 2 ** 32 - 1;

/** Sizes of which some are not known yet: null. */
export type PartialShape = readonly (number | null)[];

/** Writes a shape as error messages show it: `[2, 4]`, `[null, 4]`. */
export function formatShape(shape: PartialShape): string {
  return `[${shape.map(String).join(', ')}]`;
}

/** Number of elements: the product of the sizes, 1 for rank 0. */
export function elementCount(shape: Shape): number {
  let count = 1;
  for (let i = 0; i < shape.length; i++) count *= shape[i] as number;
  return count;
}

/**
 * Checks that a value is a list of sizes whose product is a number of elements.
 * @param argument - what the shape belongs to, for error messages
 * @throws {@link LayerNormError} `ERR_SHAPE`
 */
export function checkShape(operation: string, argument: string, shape: unknown): asserts shape is Shape {
  if (!Array.isArray(shape)) {
    throw new LayerNormError(
      'ERR_SHAPE',
      `${operation}: the shape of ${argument} is ${describe(shape)}, expected an array of sizes`,
    );
  }
  if (shape.length === 0 || shape.length > MAX_RANK) {
    throw new LayerNormError(
      'ERR_SHAPE',
      `${operation}: ${argument} has rank ${shape.length}, expected 1 to ${MAX_RANK} dimensions`,
    );
  }
  let count = 1;
  for (let i = 0; i < shape.length; i++) {
    const size: unknown = shape[i];
    if (!Number.isInteger(size) || (size as number) < 0 || (size as number) > MAX_SIZE) {
      throw new LayerNormError(
        'ERR_SHAPE',
        `${operation}: dimension ${i} of the shape ${describe(shape)} of ${argument} is ${describe(size)}, expected an ` +
          `integer from 0 to ${MAX_SIZE}`,
      );
    }
    // Zero does not hide what overflows beside it: [0, 2 ** 31, 2 ** 31] is refused as well.
    count *= Math.max(size as number, 1);
  }
  if (count > Number.MAX_SAFE_INTEGER) {
    throw new LayerNormError(
      'ERR_SHAPE',
      `${operation}: the shape ${formatShape(shape)} of ${argument} has too many elements to count`,
    );
  }
}

/** Whether two shapes are the same. */
export function sameShape(a: Shape, b: Shape): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/**
 * Reads Keras' `axis` argument: an integer or a list of integers from -rank to rank - 1, each dimension once.
 * @param shape - the shape of x
 * @returns a mask whose bit i stands for dimension i
 * @throws {@link LayerNormError} `ERR_AXIS`
 */
export function readAxes(operation: string, axis: unknown, shape: PartialShape): number {
  const rank = shape.length;
  if (!isAxisList(axis)) {
    throw new LayerNormError(
      'ERR_AXIS',
      `${operation}: Expected an int or a list/tuple of ints for the argument 'axis', got ${describe(axis)}`,
    );
  }
  if (typeof axis === 'number') return maskOfAxis(operation, axis, shape);
  if (axis.length === 0) {
    throw new LayerNormError('ERR_AXIS', `${operation}: axis is an empty list, expected at least one axis`);
  }
  let axes = 0;
  for (const item of axis) {
    const mask = maskOfAxis(operation, item, shape);
    if (axes & mask) {
      throw new LayerNormError(
        'ERR_AXIS',
        `${operation}: Duplicate axes: axis is ${describe(axis)}, which names dimension ${item < 0 ? item + rank : item} of x ` +
          `${formatShape(shape)} twice`,
      );
    }
    axes |= mask;
  }
  return axes >>> 0;
}

function isAxisList(axis: unknown): axis is number | readonly number[] {
  return Array.isArray(axis) ? axis.every(Number.isInteger) : Number.isInteger(axis);
}

function maskOfAxis(operation: string, axis: number, shape: PartialShape): number {
  const rank = shape.length;
  if (axis < -rank || axis >= rank) {
    throw new LayerNormError(
      'ERR_AXIS',
      `${operation}: axis ${axis} is out of bounds for x ${formatShape(shape)}, expected ${-rank} to ${rank - 1}`,
    );
  }
  return (1 << (axis < 0 ? axis + rank : axis)) >>> 0;
}

/** Whether dimension `i` is in a mask of axes. */
export function hasAxis(axes: number, i: number): boolean {
  return ((axes >>> i) & 1) === 1;
}

/** The sizes of the reduced dimensions, in ascending order: the shape that gamma and beta have. */
export function reducedShape(shape: Shape, axes: number): number[] {
  return shape.filter((_, i) => hasAxis(axes, i));
}

/** The shape with 1 in place of every kept size. */
export function keptAsOnes(shape: Shape, axes: number): number[] {
  return shape.map((size, i) => (hasAxis(axes, i) ? size : 1));
}

/** The shape with 1 in place of every reduced size: the shape that mean and rstd have. */
export function reducedAsOnes(shape: Shape, axes: number): number[] {
  return shape.map((size, i) => (hasAxis(axes, i) ? 1 : size));
}

/** A shape of as few dimensions as possible, and the mask of the reduced ones among them. */
export interface CollapsedShape {
  readonly dims: number[];
  readonly axes: number;
}

/** Merges neighbouring dimensions of the same kind and leaves out those of size 1: the elements lie the same way. */
export function collapse(shape: Shape, axes: number): CollapsedShape {
  const dims: number[] = [];
  let collapsed = 0;
  let previous: boolean | undefined;
  for (let i = 0; i < shape.length; i++) {
    const size = shape[i] as number;
    if (size === 1) continue;
    const reduced = hasAxis(axes, i);
    if (reduced === previous) {
      dims[dims.length - 1] = (dims[dims.length - 1] as number) * size;
    } else {
      dims.push(size);
      if (reduced) collapsed |= 1 << (dims.length - 1);
    }
    previous = reduced;
  }
  // Groups of one element: something has to be reduced.
  if (collapsed === 0) collapsed = 1 << (dims.push(1) - 1);
  return { dims, axes: collapsed >>> 0 };
}

/** Goes through all indices of some dimensions, the last of them varying fastest, with the sum of what their `steps` lead to. */
export function eachIndex(
  dims: Shape,
  steps: readonly number[],
  visit: (sum: number, index: number) => void,
): void {
  const count = elementCount(dims);
  const indices = new Array<number>(dims.length).fill(0);
  let sum = 0;
  for (let index = 0; index < count; index++) {
    visit(sum, index);
    // Counts up as an odometer does.
    for (let i = dims.length - 1; i >= 0; i--) {
      const next = (indices[i] as number) + 1;
      if (next < (dims[i] as number)) {
        indices[i] = next;
        sum += steps[i] as number;
        break;
      }
      sum -= (next - 1) * (steps[i] as number);
      indices[i] = 0;
    }
  }
}
