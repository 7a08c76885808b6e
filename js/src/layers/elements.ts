// What layers do with arrays of all kinds: they bring them into one of two forms before they call an operation, and bring what
// comes out into the form of what came in.

import { defaultHeapOwner } from '../runtime/heap.js';
import {
  asFloat16,
  type DType,
  type FloatArray,
  isSixteenBit,
  type NumericArray,
  newArray,
  type OwnFloat32Array,
  type OwnFloat64Array,
  type StoredArray,
  typedArrayName,
} from '../tensor/dtype.js';
import { HeapTensor, type Tensor } from '../tensor/heap_tensor.js';
import type { Shape } from '../tensor/shape.js';
import { copierOf } from '../tensor/sixteen_bit.js';
import { tensorOn } from '../tensor/tensor.js';
import { elementsOf, type Operand, readOperand, wrapLike } from '../tensor/tensor_like.js';

/** An array, row-major, its shape kept beside it; one of 16 bits as its bits. Or a tensor. */
export type Elements = NumericArray | Tensor;

/** Whether elements lie in the heap: every tensor of this package does. */
export function isTensor(elements: Elements): elements is HeapTensor & Tensor {
  return HeapTensor.is(elements);
}

/** An array whose elements are what they look like. */
export type Numbers = OwnFloat32Array | OwnFloat64Array;

/**
 * Finds out what an argument of a layer is.
 * @param shape - sizes that the caller gave for a typed array
 * @param bits - what a `Uint16Array` holds the bits of, if that is a type of 16 bits
 * @throws {@link LayerNormError} `ERR_ARGUMENT`, `ERR_DTYPE`, `ERR_SHAPE`, `ERR_DISPOSED`
 */
export function readInput(
  operation: string,
  argument: string,
  value: unknown,
  shape: unknown,
  bits: DType,
): Operand {
  return readOperand(operation, HeapTensor.ownerFor(defaultHeapOwner(), value), argument, value, shape, bits);
}

/** The elements of an argument for an operation that computes in `dtype`: the very ones where that can be, else a copy. */
export function elementsFor(operation: string, operand: Operand, dtype: DType): Elements {
  const { kind, value, stored, data, length } = operand;
  if (kind === 'tensor') return value as HeapTensor;
  const owner = HeapTensor.ownerFor(defaultHeapOwner(), value);
  // Growth of the memory would detach a view of it.
  const elements = data ?? (elementsOf(owner.heap(operation), operand).slice() as NumericArray);
  // Bits are taken for such only by calls that compute in their type.
  return isSixteenBit(stored) && stored !== dtype ? converted(elements, stored, 'float32', length) : elements;
}

function converted(elements: NumericArray, from: DType | undefined, to: DType, length: number): StoredArray {
  const made = newArray(to, length);
  copierOf(from, to)(made, 0, elements, 0, length);
  return made;
}

/** The bits of a `Float16Array`; any other array as it is. */
function asBits(elements: NumericArray): NumericArray {
  if (typedArrayName(elements) !== 'Float16Array') return elements;
  return new Uint16Array(elements.buffer, elements.byteOffset, elements.length);
}

/** What the elements of an array are stored as: undefined for numbers to be converted. */
function storedType(elements: NumericArray, dtype: DType): DType | undefined {
  if (isSixteenBit(dtype) && typedArrayName(elements) === 'Uint16Array') return dtype;
  return undefined;
}

/**
 * The elements in another type, rounded once to nearest even: a new array or tensor, unless they have it.
 * @param from - the type that they have
 */
export function cast(elements: Elements, shape: Shape, from: DType, to: DType): Elements {
  if (from === to) return elements;
  if (isTensor(elements)) return tensorOn(defaultHeapOwner(), elements, shape, to);
  const stored = asBits(elements as NumericArray);
  return converted(stored, storedType(stored, from), to, stored.length);
}

/** The elements as numbers, those of a tensor copied. Integers are float32. */
export function numbersOf(elements: Elements, dtype: DType): Numbers {
  const stored = isTensor(elements) ? elements.stored : asBits(elements as NumericArray);
  const type = dtype === 'float64' ? 'float64' : 'float32';
  const name = type === 'float64' ? 'Float64Array' : 'Float32Array';
  if (!isTensor(elements) && typedArrayName(stored) === name) return stored as Numbers;
  return converted(stored, storedType(stored, dtype), type, stored.length) as Numbers;
}

/** Gives back what an operation made, where it is a tensor. */
export function release(elements: unknown): void {
  if (HeapTensor.is(elements)) elements.dispose();
}

/** {@link numbersOf} what an operation made and nobody else has, which is given back. */
export function takeNumbers(elements: Elements, dtype: DType): Numbers {
  const numbers = numbersOf(elements, dtype);
  release(elements);
  return numbers;
}

/**
 * What an operation made, in a container of the kind that an argument came in.
 * @param elements - of type `dtype`; taken over: a tensor that is not what is wanted is given back
 */
export function containerLike(
  operation: string,
  operand: Operand,
  elements: Elements,
  shape: Shape,
  dtype: DType,
): object {
  if (operand.kind === 'tensor') {
    return isTensor(elements) ? elements : tensorOn(defaultHeapOwner(), elements, shape, dtype);
  }
  let stored: NumericArray;
  if (isTensor(elements)) {
    stored = elements.stored.slice();
    elements.dispose();
  } else {
    stored = asBits(elements as NumericArray);
  }
  // What came as bits goes as bits.
  const bits = dtype !== 'float16' || (operand.stored === dtype && !operand.isFloat16Array);
  const data = (!bits && asFloat16(stored as StoredArray)) || (stored as FloatArray);
  return wrapLike(operation, operand, data, shape, dtype);
}
