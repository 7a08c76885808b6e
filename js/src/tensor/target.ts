import { LayerNormError } from '../runtime/errors.js';
import { BYTES_PER_ELEMENT, type Heap, type HeapOwner, memoryOf } from '../runtime/heap.js';
import { asFloat16, type DType, newArray, parameterDType, type StoredArray } from './dtype.js';
import { HeapTensor } from './heap_tensor.js';
import { elementCount, formatShape, type Shape, sameShape } from './shape.js';
import { elementsOf, type Operand, readOperand, wrapLike } from './tensor_like.js';

/** Where a result is written. */
export interface Target {
  /** Where it lies in the heap of the call; 0 when it lies elsewhere. */
  readonly address: number;
  readonly dtype: DType;
  /** Its elements, row-major. For those in the heap a view that is valid until the memory grows. */
  elements(heap: Heap): StoredArray;
  /** The container that the caller gets, once the elements are written. */
  finish(heap: Heap): object;
  /** Frees what was taken, when the call fails. */
  discard(): void;
}

/**
 * A new container of the kind that `like` is.
 * @throws {@link LayerNormError} `ERR_OUT_OF_MEMORY`
 */
export function newTarget(
  operation: string,
  owner: HeapOwner,
  like: Operand,
  dtype: DType,
  shape: Shape,
): Target {
  if (like.kind === 'tensor') {
    const tensor = new HeapTensor(operation, owner, shape, dtype);
    return {
      address: tensor.addressIn(operation, 'the result', owner),
      dtype,
      elements: (heap) => heap.view(dtype, tensor.addressIn(operation, 'the result', owner), tensor.size),
      finish: () => tensor,
      discard: () => tensor.dispose(),
    };
  }
  const elements = newArray(dtype, elementCount(shape));
  // What came as bits goes as bits.
  const asBits = dtype !== 'float16' || (like.stored === dtype && !like.isFloat16Array);
  const data = (!asBits && asFloat16(elements)) || elements;
  // That the class of x cannot be constructed so has to be known before anything is written, to `out` for example.
  if (like.kind === 'object') wrapLike(operation, like, data, shape, dtype);
  return {
    address: 0,
    dtype,
    elements: () => elements,
    finish: () => wrapLike(operation, like, data, shape, dtype),
    discard: () => {},
  };
}

/** A container that the caller gave. */
export function targetOf(out: Operand): Target {
  return {
    address: out.address,
    dtype: out.stored as DType,
    elements: (heap) => elementsOf(heap, out) as StoredArray,
    finish: (heap) => {
      const detached = out.kind === 'typed array' && (out.value as StoredArray).length !== out.length;
      if (!detached) return out.value;
      const elements = elementsOf(heap, out) as StoredArray;
      return (out.isFloat16Array && asFloat16(elements)) || elements;
    },
    discard: () => {},
  };
}

/**
 * Makes the containers of a call's results, has them filled, and hands them over; frees them when that fails.
 * @param dtype - of the results that have the size of x; the others have the type of its parameters
 * @param wanted - for each result the shape of a new container, or the one that the caller gave, or undefined to leave it out
 * @param fill - runs the call
 * @throws what `fill` throws, and {@link LayerNormError} `ERR_OUT_OF_MEMORY`
 */
export function produce<Name extends string>(
  operation: string,
  owner: HeapOwner,
  like: Operand,
  dtype: DType,
  wanted: Readonly<Partial<Record<Name, Shape | Operand | undefined>>>,
  fill: (targets: Readonly<Partial<Record<Name, Target>>>) => void,
): Partial<Record<Name, object>> {
  const targets: Partial<Record<Name, Target>> = {};
  try {
    for (const name in wanted) {
      const one = wanted[name] as Shape | Operand | undefined;
      if (one === undefined) continue;
      const type = name === 'y' || name === 'sum' || name === 'dx' ? dtype : parameterDType(dtype);
      targets[name] = 'kind' in one ? targetOf(one) : newTarget(operation, owner, like, type, one);
    }
    fill(targets);
    const results: Partial<Record<Name, object>> = {};
    for (const name in targets) results[name] = targets[name]?.finish(owner.heap(operation));
    return results;
  } catch (error) {
    for (const name in targets) targets[name]?.discard();
    throw error;
  }
}

/**
 * Refuses an array that does not have the shape of x; a typed array need only have as many elements.
 * @param like - what x is called in this operation
 * @throws {@link LayerNormError} `ERR_SHAPE`
 */
export function checkSameShape(
  operation: string,
  argument: string,
  operand: Operand,
  shape: Shape,
  like = 'x',
): void {
  if (operand.shaped ? sameShape(operand.shape, shape) : operand.length === elementCount(shape)) return;
  throw new LayerNormError(
    'ERR_SHAPE',
    operand.shaped
      ? `${operation}: ${argument} has shape ${formatShape(operand.shape)}, expected ${formatShape(shape)}, the shape of ${like}`
      : `${operation}: ${argument} has ${operand.length} elements, expected ${elementCount(shape)}, as ${like} ${formatShape(shape)} has`,
  );
}

/**
 * Reads the option `out`, or another one that says where a result is written.
 * @param shape - what the result has
 * @param like - what x is called in this operation
 * @param name - of the option
 * @throws {@link LayerNormError} `ERR_ARGUMENT`, `ERR_DTYPE`, `ERR_SHAPE`, `ERR_DISPOSED`
 */
export function readOutput(
  operation: string,
  owner: HeapOwner,
  out: unknown,
  dtype: DType,
  shape: Shape,
  like = 'x',
  name = 'out',
): Operand {
  const operand = readOperand(operation, owner, name, out, undefined, dtype);
  if (operand.copied) {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `${operation}: ${name} cannot be written in place, expected a typed array, a tensor, or an object with contiguous data`,
    );
  }
  if (operand.stored !== dtype) {
    throw new LayerNormError(
      'ERR_DTYPE',
      `${operation}: ${name} has elements of ${operand.stored ?? 'an integer type'}, expected ${dtype}, the type of the result`,
    );
  }
  checkSameShape(operation, name, operand, shape, like);
  return operand;
}

/**
 * Refuses an output that would overwrite what is still to be read. That it *is* the input, element for element, is fine.
 * @param inPlace - whether the input may be the output
 * @param name - what the output is called
 * @throws {@link LayerNormError} `ERR_ARGUMENT`
 */
export function checkOverlap(
  operation: string,
  heap: Heap,
  out: Operand,
  argument: string,
  input: Operand,
  inPlace: boolean,
  name = 'out',
): void {
  const a = regionOf(heap, out);
  const b = regionOf(heap, input);
  const [start, end] = [b.start - a.start, b.start + b.bytes - a.start];
  if (a.memory !== b.memory || start >= a.bytes || end <= 0) return;
  if (inPlace && start === 0 && end === a.bytes) return;
  throw new LayerNormError(
    'ERR_ARGUMENT',
    `${operation}: ${name} overlaps ${argument} in memory, expected ${inPlace ? `all of ${argument} or none of it` : 'an array of its own'}`,
  );
}

/** Where the elements of an operand lie. Without a view of the heap: that would take longer than all other checks. */
function regionOf(
  heap: Heap,
  { data, address, stored, length }: Operand,
): { memory: object; start: number; bytes: number } {
  if (data) return { memory: memoryOf(data.buffer), start: data.byteOffset, bytes: data.byteLength };
  return {
    memory: heap.memory,
    start: address,
    bytes: length * BYTES_PER_ELEMENT[stored as DType],
  };
}
