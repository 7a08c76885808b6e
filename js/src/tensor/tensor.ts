import { defaultHeapOwner, type HeapOwner } from '../runtime/heap.js';
import { type DType, readDTypeOption } from './dtype.js';
import { HeapTensor, type Tensor } from './heap_tensor.js';
import { copierOf } from './sixteen_bit.js';
import { type DTypeOf, elementsOf, readOperand, type TensorLike } from './tensor_like.js';

/**
 * Copies an array into the memory of the WebAssembly module, where operations use it without copying.
 *
 * @example
 * ```ts
 * using x = tensor(data, [32, 768]);
 * layerNorm(x, { out: x });
 * console.log(x.array);
 * ```
 *
 * @param data - the elements, see {@link TensorLike}
 * @param shape - sizes of the dimensions for a typed array: one dimension by default; anything else says its shape itself
 * @param dtype - type of the elements: by default that of `data`, or 'float32' for integers and numbers. With 'float16' or
 * 'bfloat16' a `Uint16Array` has the bits of such elements; all else is rounded to nearest even
 * @returns a tensor, to be disposed of with `using` or {@link Tensor.dispose}
 * @throws {@link LayerNormError} `ERR_SHAPE`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_DISPOSED`, `ERR_OUT_OF_MEMORY`, `ERR_LOAD`
 */
export function tensor<X extends TensorLike, D extends DType = DTypeOf<X>>(
  data: X,
  shape?: readonly number[] | null,
  dtype?: D | null,
): Tensor<D> {
  return tensorOn(defaultHeapOwner(), data, shape, dtype);
}

/** {@link tensor} in the memory of one engine. */
export function tensorOn<X extends TensorLike, D extends DType = DTypeOf<X>>(
  owner: HeapOwner,
  data: X,
  shape?: readonly number[] | null,
  dtype?: D | null,
): Tensor<D> {
  const place = owner.forTensors;
  const source = readOperand('tensor', place, 'data', data, shape, dtype);
  const type = readDTypeOption('tensor', dtype, source.dtype) as D;
  const made = new HeapTensor('tensor', place, source.shape, type);
  const heap = place.heap('tensor');
  const elements = heap.view(type, made.addressIn('tensor', 'data', place), source.length);
  copierOf(source.stored, type)(elements, 0, elementsOf(heap, source), 0, source.length);
  return made;
}
