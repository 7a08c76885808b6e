import { LayerNormError } from '../runtime/errors.js';
import { BYTES_PER_ELEMENT, type Heap, type HeapOwner } from '../runtime/heap.js';
import { type DType, type FloatArray, newArray } from './dtype.js';
import { HeapTensor } from './heap_tensor.js';
import { elementCount, formatShape, type Shape, sameShape } from './shape.js';
import { elementsOf, type Operand, readOperand, wrapLike } from './tensor_like.js';

/** Where a result is written. */
export interface Target {
  /** Where it lies in the heap of the call; 0 when it lies elsewhere. */
  readonly address: number;
  /** Its elements, row-major. For those in the heap a view that is valid until the memory grows. */
  elements(heap: Heap): FloatArray;
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
      elements: () => tensor.array,
      finish: () => tensor,
      discard: () => tensor.dispose(),
    };
  }
  const data = newArray(dtype, elementCount(shape));
  return {
    address: 0,
    elements: () => data,
    finish: () => wrapLike(operation, like, data, shape, dtype),
    discard: () => {},
  };
}

/** A container that the caller gave. */
export function targetOf(out: Operand): Target {
  return {
    address: out.address,
    elements: (heap) => elementsOf(heap, out) as FloatArray,
    finish: (heap) => {
      const detached = out.kind === 'typed array' && (out.value as FloatArray).length !== out.length;
      return detached ? elementsOf(heap, out) : out.value;
    },
    discard: () => {},
  };
}

/**
 * Reads the option `out`.
 * @param shape - what the result has
 * @throws {@link LayerNormError} `ERR_ARGUMENT`, `ERR_DTYPE`, `ERR_SHAPE`, `ERR_DISPOSED`
 */
export function readOutput(
  operation: string,
  owner: HeapOwner,
  out: unknown,
  dtype: DType,
  shape: Shape,
): Operand {
  const operand = readOperand(operation, owner, 'out', out);
  if (operand.copied) {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `${operation}: out cannot be written in place, expected a typed array, a tensor, or an object with contiguous data`,
    );
  }
  if (operand.stored !== dtype) {
    throw new LayerNormError(
      'ERR_DTYPE',
      `${operation}: out has elements of ${operand.stored ?? 'an integer type'}, expected ${dtype}, the type of the result`,
    );
  }
  if (operand.shaped ? !sameShape(operand.shape, shape) : operand.length !== elementCount(shape)) {
    throw new LayerNormError(
      'ERR_SHAPE',
      operand.shaped
        ? `${operation}: out has shape ${formatShape(operand.shape)}, expected ${formatShape(shape)}, the shape of x`
        : `${operation}: out has ${operand.length} elements, expected ${elementCount(shape)}, as x ${formatShape(shape)} has`,
    );
  }
  return operand;
}

/**
 * Refuses an output that would overwrite what is still to be read. That it *is* the input, element for element, is fine.
 * @param inPlace - whether the input may be the output
 * @throws {@link LayerNormError} `ERR_ARGUMENT`
 */
export function checkOverlap(
  operation: string,
  heap: Heap,
  out: Operand,
  argument: string,
  input: Operand,
  inPlace: boolean,
): void {
  const [outBuffer, outStart, outBytes] = memoryOf(heap, out);
  const [buffer, start, bytes] = memoryOf(heap, input);
  if (outBuffer !== buffer || outStart >= start + bytes || start >= outStart + outBytes) return;
  if (inPlace && outStart === start && outBytes === bytes) return;
  throw new LayerNormError(
    'ERR_ARGUMENT',
    `${operation}: out overlaps ${argument} in memory, expected ${inPlace ? `all of ${argument} or none of it` : 'an array of its own'}`,
  );
}

function memoryOf(heap: Heap, operand: Operand): [ArrayBufferLike, number, number] {
  if (operand.data !== undefined) {
    return [operand.data.buffer, operand.data.byteOffset, operand.data.byteLength];
  }
  const bytes = operand.length * BYTES_PER_ELEMENT[operand.stored as DType];
  return [heap.memory.buffer, operand.address, bytes];
}
