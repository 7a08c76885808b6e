import { defaultHeapOwner, type HeapOwner } from '../runtime/heap.js';
import { copyRun } from './blocks.js';
import { type DType, readDTypeOption } from './dtype.js';
import { HeapTensor, type Tensor } from './heap_tensor.js';
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
 * @param dtype - type of the elements: 'float64' for float64 data, else 'float32' by default
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
  const source = readOperand('tensor', place, 'data', data, shape);
  const type = readDTypeOption('tensor', dtype, source.dtype) as D;
  const made = new HeapTensor('tensor', place, source.shape, type);
  copyRun(made.array, 0, elementsOf(place.heap('tensor'), source), 0, source.length);
  return made;
}
