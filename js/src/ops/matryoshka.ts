import { CORE_DTYPE } from '../runtime/core_module.js';
import { describe, LayerNormError } from '../runtime/errors.js';
import { BYTES_PER_ELEMENT, defaultHeapOwner, type Heap, type HeapOwner } from '../runtime/heap.js';
import { BLOCK_BYTES, copyRun } from '../tensor/blocks.js';
import { type DType, newArray, type StoredArray, typedArrayName } from '../tensor/dtype.js';
import { HeapTensor } from '../tensor/heap_tensor.js';
import { aligned, type Part, passThrough } from '../tensor/passage.js';
import { formatShape, type Shape } from '../tensor/shape.js';
import { checkOverlap, produce, readOutput } from '../tensor/target.js';
import type { DTypeOf, Output, TensorLike } from '../tensor/tensor_like.js';
import { readInput } from './arguments.js';
import type { LayerNormOptions, LayerNormOutput } from './layer_norm.js';
import { columnsOf } from './normalize.js';
import { isOptions, readEpsilon } from './options.js';

/** PyTorch's default in `layer_norm`. */
const DEFAULT_EPSILON = 1e-5;

/** Options of {@link matryoshka}, those that are not told here as of `layerNorm`. */
export interface MatryoshkaOptions<D extends DType = DType, Out = unknown>
  extends Pick<LayerNormOptions<D, Out>, 'shape' | 'dtype'> {
  /** How many elements of each embedding are kept: an integer from 1 to the size of the last dimension of x. */
  dimensions: number;
  /**
   * What is added to the variance, inside the square root: a finite number that is not negative.
   * @defaultValue 1e-5, as in PyTorch and in the models' own examples
   */
  epsilon?: number | null;
  /**
   * Where to write y: an array of the result's type and size. It may overlap nothing of x. Given, it is what the call returns, but for a
   * view of a {@link Tensor} that the memory's growth has detached meanwhile: a new view then takes its place.
   * @defaultValue a new container of the kind that x is
   */
  out?: (Out & Output) | null;
}

/** Every option once, for the check of their names. */
const OPTION_NAMES: Record<keyof MatryoshkaOptions, true> = {
  shape: true,
  dimensions: true,
  epsilon: true,
  dtype: true,
  out: true,
};

/**
 * Shortens Matryoshka embeddings as the models that are trained for it ask for: layer normalization of each embedding, its first
 * `dimensions` elements, and these divided by their Euclidean norm, in one pass over memory.
 *
 * z = (x - mean) / sqrt(variance + epsilon) over all elements of an embedding, with the biased variance and neither gamma nor beta;
 * y = z[0 .. dimensions) / max(|z[0 .. dimensions)|, 1e-12). In PyTorch: `F.normalize(F.layer_norm(x, x.shape[-1:])[..., :dimensions],
 * dim=-1)`. z is not rounded in between.
 *
 * Shapes: x [..., D] of rank 1 to 32, D at least 1; y [..., dimensions]. No embeddings give none.
 *
 * Types and containers: as in `layerNorm`. A constant embedding gives zeros, with an epsilon of 0 NaN; NaN and infinities make their own
 * embedding NaN.
 *
 * @example
 * ```ts
 * const y = matryoshka(embeddings, { shape: [1000, 768], dimensions: 256 }); // 1000 vectors of norm 1
 * ```
 *
 * @param x - the embeddings, after pooling
 * @param options - see {@link MatryoshkaOptions}
 * @returns y, or `options.out` where it is given
 * @throws {@link LayerNormError} `ERR_SHAPE`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_DISPOSED`, `ERR_OUT_OF_MEMORY`, `ERR_LOAD`; nothing has
 * been written then
 * @see Kusupati et al. 2022, Matryoshka Representation Learning, arXiv:2205.13147; the model card of `nomic-embed-text-v1.5`,
 * "Adjusting Dimensionality"
 */
export function matryoshka<X extends TensorLike, D extends DType = DTypeOf<X>, Out = undefined>(
  x: X,
  options: MatryoshkaOptions<D, Out>,
): LayerNormOutput<X, D, Out> {
  return matryoshkaOn(defaultHeapOwner(), x, options);
}

/** {@link matryoshka} in the memory of one engine. */
export function matryoshkaOn<X extends TensorLike, D extends DType = DTypeOf<X>, Out = undefined>(
  engine: HeapOwner,
  value: X,
  options: MatryoshkaOptions<D, Out>,
): LayerNormOutput<X, D, Out> {
  const operation = 'matryoshka';
  const given: Partial<MatryoshkaOptions> = options ?? {};
  const short = matryoshkaRows(operation, engine, value, given);
  if (short !== undefined) return short as LayerNormOutput<X, D, Out>;
  const { owner, x, dtype, computed } = readInput(operation, engine, value, given, OPTION_NAMES);
  const last = x.shape.length - 1;
  const columns = x.shape[last] as number;
  const dimensions = readDimensions(operation, given.dimensions, x.shape);
  const epsilon = readEpsilon(operation, given.epsilon, DEFAULT_EPSILON);
  const shape = [...x.shape.slice(0, last), dimensions];
  const heap = owner.heap(operation);
  let out: ReturnType<typeof readOutput> | undefined;
  if (given.out !== undefined && given.out !== null) {
    out = readOutput(operation, owner, given.out, dtype, shape, 'the result');
    checkOverlap(operation, heap, out, 'x', x, false);
  }
  const made = produce(operation, owner, x, dtype, { y: out ?? shape }, ({ y }) => {
    if (x.length === 0) return;
    const parts: Part[] = [
      { per: 'element', input: x, output: undefined },
      { per: 'group', count: dimensions, likeX: true, input: undefined, output: y },
    ];
    const axes = (1 << last) >>> 0;
    passThrough(operation, heap, computed, x.shape, axes, parts, ({ groups }, from, to) =>
      heap.core.matryoshka(
        CORE_DTYPE[computed],
        from[0] as number,
        to[1] as number,
        groups,
        columns,
        dimensions,
        epsilon,
      ),
    );
  });
  return made.y as LayerNormOutput<X, D, Out>;
}

/**
 * Few embeddings, by the shortest way, as `normalizeRows` of ops/normalize.ts: a tensor or a small float array, no `out`. Any other call,
 * and any mistake, gives undefined with nothing done.
 */
function matryoshkaRows(
  operation: string,
  engine: HeapOwner,
  x: unknown,
  options: Partial<MatryoshkaOptions>,
): object | undefined {
  if (!isOptions(options) || (options.out ?? null) !== null) return undefined;
  for (const key in options) if (!Object.hasOwn(OPTION_NAMES, key)) return undefined;
  const { dimensions = 0 } = options;
  const epsilon = options.epsilon ?? DEFAULT_EPSILON;
  const isKnown = Number.isInteger(dimensions) && dimensions > 0 && Number.isFinite(epsilon) && epsilon >= 0;
  if (!isKnown) return undefined;
  return HeapTensor.is(x)
    ? matryoshkaTensor(operation, HeapTensor.ownerFor(engine, x), x, options, dimensions, epsilon)
    : matryoshkaArray(operation, engine.heap(operation), x, options, dimensions, epsilon);
}

/** {@link matryoshkaRows} of a tensor. */
function matryoshkaTensor(
  operation: string,
  owner: HeapOwner,
  x: HeapTensor,
  options: Partial<MatryoshkaOptions>,
  dimensions: number,
  epsilon: number,
): object | undefined {
  const { dtype, size } = x;
  const columns = x.shape[x.shape.length - 1] as number;
  if ((options.shape ?? null) !== null || (options.dtype ?? dtype) !== dtype) return undefined;
  const address = size > 0 && dimensions <= columns ? x.placeIn(owner) : 0;
  if (address === 0) return undefined;
  const y = new HeapTensor(operation, owner, [...x.shape.slice(0, -1), dimensions], dtype);
  try {
    const [heap, target] = [owner.heap(operation), y.placeIn(owner)];
    callCore(operation, heap, dtype, address, target, size / columns, columns, dimensions, epsilon);
  } catch (error) {
    y.dispose();
    throw error;
  }
  return y;
}

/** {@link matryoshkaRows} of a typed array through the scratch block. */
function matryoshkaArray(
  operation: string,
  heap: Heap,
  x: unknown,
  options: Partial<MatryoshkaOptions>,
  dimensions: number,
  epsilon: number,
): StoredArray | undefined {
  const className = typedArrayName(x);
  if (className !== 'Float32Array' && className !== 'Float64Array') return undefined;
  const dtype = className === 'Float32Array' ? 'float32' : 'float64';
  const input = x as StoredArray;
  const { length } = input;
  const columns = columnsOf(options.shape, length);
  if (columns === 0 || dimensions > columns || (options.dtype ?? dtype) !== dtype) return undefined;
  const rows = length / columns;
  const bytesPerElement = BYTES_PER_ELEMENT[dtype];
  const yStart = aligned(length * bytesPerElement);
  const bytes = yStart + rows * dimensions * bytesPerElement;
  // Growth would detach x where it is a view of the heap.
  if (yStart > BLOCK_BYTES || bytes > heap.scratchBytes) return undefined;
  const scratch = heap.scratch(operation, bytes);
  const elements = heap.elements(dtype);
  copyRun(elements, scratch / bytesPerElement, input, 0, length);
  callCore(operation, heap, dtype, scratch, scratch + yStart, rows, columns, dimensions, epsilon);
  const y = newArray(dtype, rows * dimensions);
  copyRun(y, 0, elements, (scratch + yStart) / bytesPerElement, y.length);
  return y;
}

/** Calls the core on `rows` embeddings. */
function callCore(
  operation: string,
  heap: Heap,
  dtype: DType,
  x: number,
  y: number,
  rows: number,
  columns: number,
  dimensions: number,
  epsilon: number,
): void {
  const type = CORE_DTYPE[dtype];
  heap.check(operation, heap.core.matryoshka(type, x, y, rows, columns, dimensions, epsilon));
}

/** @throws {@link LayerNormError} `ERR_ARGUMENT`, and `ERR_SHAPE` where there is nothing to keep */
function readDimensions(operation: string, dimensions: unknown, shape: Shape): number {
  const columns = shape[shape.length - 1] as number;
  if (columns === 0) {
    throw new LayerNormError(
      'ERR_SHAPE',
      `${operation}: x has shape ${formatShape(shape)}, expected at least one element in its last dimension`,
    );
  }
  if (Number.isInteger(dimensions) && (dimensions as number) >= 1 && (dimensions as number) <= columns) {
    return dimensions as number;
  }
  throw new LayerNormError(
    'ERR_ARGUMENT',
    `${operation}: dimensions is ${describe(dimensions)}, expected an integer from 1 to ${columns}, the size of the last ` +
      `dimension of x ${formatShape(shape)}`,
  );
}
