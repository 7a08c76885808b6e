import { CORE_DTYPE } from '../runtime/core_module.js';
import { LayerNormError } from '../runtime/errors.js';
import {
  BYTES_PER_ELEMENT,
  defaultHeapOwner,
  type Heap,
  type HeapOwner,
  MAX_RANK,
  memoryOf,
} from '../runtime/heap.js';
import { BLOCK_BYTES, type Block, copyRun } from '../tensor/blocks.js';
import { type DType, isSixteenBit, newArray, type StoredArray, typedArrayName } from '../tensor/dtype.js';
import { HeapTensor } from '../tensor/heap_tensor.js';
import { aligned, type Part, passThrough } from '../tensor/passage.js';
import { reducedAsOnes, sameShape } from '../tensor/shape.js';
import { produce, type Target } from '../tensor/target.js';
import type {
  DTypeOf,
  Operand,
  Output,
  ParameterResultOf,
  ResultOf,
  TensorLike,
} from '../tensor/tensor_like.js';
import { type CommonArguments, readCommonArguments, readOut, readParameter } from './arguments.js';
import { isOptions, readEpsilon } from './options.js';

/** Keras' default. PyTorch and ONNX have 1e-5. */
const DEFAULT_EPSILON = 1e-3;

/** Options of {@link layerNorm} and {@link layerNormForward}. `null` and `undefined` stand for the default. */
export interface LayerNormOptions<D extends DType = DType, Out = unknown> {
  /**
   * Sizes of the dimensions of `x`, outermost first, for a typed array: it has one dimension by default. Anything else says
   * its shape itself.
   */
  shape?: readonly number[] | null;
  /**
   * The dimension, or the dimensions, that mean and variance are taken over, and that gamma and beta span. Negative ones
   * count from the end. Their order does not matter.
   * @defaultValue -1
   */
  axis?: number | readonly number[] | null;
  /**
   * What is added to the variance, inside the square root: a finite number that is not negative.
   * @defaultValue 1e-3, as in Keras (PyTorch and ONNX: 1e-5)
   */
  epsilon?: number | null;
  /**
   * The scale: one factor for each position in the reduced dimensions, row-major in their ascending order. If it has a
   * shape, then the sizes of the reduced dimensions, or one dimension of all of them, or the shape of x with 1 at the others.
   * @defaultValue none, as if all were 1
   */
  gamma?: TensorLike | null;
  /**
   * The offset: one summand for each position in the reduced dimensions, as for `gamma`. Not allowed with `rmsScaling`.
   * @defaultValue none, as if all were 0
   */
  beta?: TensorLike | null;
  /**
   * Keras' deprecated `rms_scaling`: x itself is scaled, not its distance from the mean. The factor is still taken from the
   * *variance*, as Keras does; it is not RMS normalization.
   * @defaultValue false
   */
  rmsScaling?: boolean | null;
  /**
   * The type of the result, and of the computation: float16 and bfloat16 are computed in float32, and the result is rounded once,
   * to nearest even. x of another type is not rounded to 16 bits before. In a call with results of 16 bits every `Uint16Array`
   * holds bits of that type.
   * @defaultValue the type of x, 'float32' for integers and numbers
   */
  dtype?: D | null;
  /**
   * Where to write y: an array of the result's type and size, `x` itself allowed. It may not overlap gamma or beta, nor x in
   * part. Given, it is what the call returns as y, but for a view of a {@link Tensor} that the memory's growth has detached
   * meanwhile: a new view then takes its place.
   * @defaultValue a new container of the kind that x is
   */
  out?: (Out & Output) | null;
}

/** Every option once, for the check of their names. */
const OPTION_NAMES: Record<keyof LayerNormOptions, true> = {
  shape: true,
  axis: true,
  epsilon: true,
  gamma: true,
  beta: true,
  rmsScaling: true,
  dtype: true,
  out: true,
};

/** `out` where it is given, else a new container of the kind that `X` is. */
export type LayerNormOutput<X, D extends DType, Out> = [Out] extends [Output]
  ? // Not inferred from what the result is assigned to: only the option decides.
    [Out][Out extends unknown ? 0 : never]
  : ResultOf<X, D>;

/** What {@link layerNormForward} returns: the output, and the statistics that the gradient needs. */
export interface LayerNormForward<X, D extends DType, Out> {
  /** The normalized x, of the same shape. */
  y: LayerNormOutput<X, D, Out>;
  /** The mean of each group: the shape of x with 1 at the reduced dimensions. */
  mean: ParameterResultOf<X, D>;
  /** 1 / sqrt(variance + epsilon) of each group: the shape of x with 1 at the reduced dimensions. */
  rstd: ParameterResultOf<X, D>;
}

/**
 * Layer normalization: brings each group of elements of x, the last axis by default, to mean 0 and variance 1, and then
 * applies gamma and beta.
 *
 * y = (x - mean) / sqrt(variance + epsilon) * gamma + beta, with the biased variance (the sum of squared deviations divided
 * by the number of elements); with `rmsScaling` y = x / sqrt(variance + epsilon) * gamma.
 *
 * Shapes: x any of rank 1 to 32, y the same; gamma and beta one element for each position in the reduced dimensions. Empty x
 * gives empty y.
 *
 * Types: float32 and float64 are computed and returned as such, integers are converted to float32; gamma and beta are converted
 * to the type of x. float16 and bfloat16 give exactly what float32 gives of the same numbers, rounded once to nearest even;
 * gamma, beta, mean and rstd are float32 then. Containers: what comes back is of the kind of x, see {@link TensorLike}. Outside the WebAssembly memory
 * x is copied through it block by block, so it may be larger than that memory; a {@link Tensor} is not copied at all.
 *
 * @example
 * ```ts
 * const y = layerNorm(new Float32Array([1, 2, 3, 10, 20, 30]), { shape: [2, 3] });
 * ```
 *
 * @param x - what to normalize
 * @param options - see {@link LayerNormOptions}
 * @returns y, or `options.out` where it is given
 * @throws {@link LayerNormError} `ERR_SHAPE`, `ERR_AXIS`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_DISPOSED`, `ERR_OUT_OF_MEMORY`,
 * `ERR_LOAD`; nothing has been written then
 * @see Ba et al. 2016, Layer Normalization, arXiv:1607.06450; Keras 3 `LayerNormalization`; ONNX `LayerNormalization`-17
 */
export function layerNorm<X extends TensorLike, D extends DType = DTypeOf<X>, Out = undefined>(
  x: X,
  options?: LayerNormOptions<D, Out>,
): LayerNormOutput<X, D, Out> {
  return layerNormOn(defaultHeapOwner(), x, options);
}

/**
 * {@link layerNorm} with the statistics that it used, as ONNX's Mean and InvStdDev.
 *
 * @param x - what to normalize
 * @param options - see {@link LayerNormOptions}
 * @returns y as {@link layerNorm} returns it; mean and rstd in new containers of the kind of x, with its shape but 1 at the
 * reduced dimensions, of the type of y, but float32 where that has 16 bits. Groups without elements have NaN for both.
 * @throws {@link LayerNormError} as {@link layerNorm} does
 * @see Ba et al. 2016, Layer Normalization, arXiv:1607.06450; ONNX `LayerNormalization`-17
 */
export function layerNormForward<X extends TensorLike, D extends DType = DTypeOf<X>, Out = undefined>(
  x: X,
  options?: LayerNormOptions<D, Out>,
): LayerNormForward<X, D, Out> {
  return layerNormForwardOn(defaultHeapOwner(), x, options);
}

/** {@link layerNorm} in the memory of one engine. */
export function layerNormOn<X extends TensorLike, D extends DType = DTypeOf<X>, Out = undefined>(
  engine: HeapOwner,
  x: X,
  options?: LayerNormOptions<D, Out>,
): LayerNormOutput<X, D, Out> {
  const operation = 'layerNorm';
  const given = options ?? {};
  const y = normalizeRows(operation, engine, x, given);
  return (y ?? run(readCall(operation, engine, x, given), false).y) as LayerNormOutput<X, D, Out>;
}

/** {@link layerNormForward} in the memory of one engine. */
export function layerNormForwardOn<X extends TensorLike, D extends DType = DTypeOf<X>, Out = undefined>(
  engine: HeapOwner,
  x: X,
  options?: LayerNormOptions<D, Out>,
): LayerNormForward<X, D, Out> {
  const call = readCall('layerNormForward', engine, x, options ?? {});
  return run(call, true) as LayerNormForward<X, D, Out>;
}

/**
 * The most frequent calls, by the shortest way: over the last axis, with a tensor or a small float array for x and arrays of its
 * kind and type for everything else, so that there is nothing to convert, to plan or to wrap. Any other call, and any mistake,
 * gives undefined with nothing done: {@link readCall} then reads the arguments again and words the errors.
 */
function normalizeRows(
  operation: string,
  engine: HeapOwner,
  x: unknown,
  options: LayerNormOptions,
): object | undefined {
  if (!isOptions(options)) return undefined;
  for (const key in options) if (!Object.hasOwn(OPTION_NAMES, key)) return undefined;
  const { axis, dtype, rmsScaling } = options;
  if ((axis ?? -1) !== -1 || (dtype ?? null) !== null || (rmsScaling ?? false) !== false) return undefined;
  const epsilon = options.epsilon ?? DEFAULT_EPSILON;
  if (!(Number.isFinite(epsilon) && epsilon >= 0)) return undefined;
  return HeapTensor.is(x)
    ? normalizeTensorRows(operation, HeapTensor.ownerFor(engine, x), x, options, epsilon)
    : normalizeArrayRows(operation, engine.heap(operation), x, options, epsilon);
}

/** {@link normalizeRows} of a tensor. */
function normalizeTensorRows(
  operation: string,
  owner: HeapOwner,
  x: HeapTensor,
  { shape, gamma, beta, out }: LayerNormOptions,
  epsilon: number,
): object | undefined {
  const { dtype, size } = x;
  const columns = x.shape[x.shape.length - 1] as number;
  // Those of 16 bits have parameters of another type.
  if ((shape ?? null) !== null || size === 0 || isSixteenBit(dtype)) return undefined;
  const hasOut = out !== undefined && out !== null;
  if (hasOut && !(HeapTensor.is(out) && out.dtype === dtype && sameShape(out.shape, x.shape)))
    return undefined;
  const xAddress = x.placeIn(owner);
  const gammaAddress = parameterAddress(owner, gamma, dtype, columns);
  const betaAddress = parameterAddress(owner, beta, dtype, columns);
  if (xAddress === 0 || gammaAddress < 0 || betaAddress < 0) return undefined;
  // Tensors overlap only where they are the same.
  const outAddress = hasOut ? out.placeIn(owner) : 0;
  if (hasOut && (outAddress === 0 || outAddress === gammaAddress || outAddress === betaAddress))
    return undefined;
  const y = hasOut ? out : new HeapTensor(operation, owner, x.shape, dtype);
  const heap = owner.heap(operation);
  try {
    callOnRows(
      operation,
      heap,
      dtype,
      xAddress,
      y.placeIn(owner),
      gammaAddress,
      betaAddress,
      size,
      columns,
      epsilon,
    );
  } catch (error) {
    if (!hasOut) y.dispose();
    throw error;
  }
  return y;
}

/** Where gamma or beta lies; 0 where it is not given, -1 where it is no tensor of `count` elements in this heap. */
function parameterAddress(owner: HeapOwner, value: unknown, dtype: DType, count: number): number {
  if (value === undefined || value === null) return 0;
  if (!HeapTensor.is(value)) return -1;
  return value.dtype === dtype && value.size === count && value.shape.length === 1
    ? value.placeIn(owner) || -1
    : -1;
}

/** {@link normalizeRows} of a typed array through the scratch block. */
function normalizeArrayRows(
  operation: string,
  heap: Heap,
  x: unknown,
  { shape, gamma, beta, out }: LayerNormOptions,
  epsilon: number,
): StoredArray | undefined {
  const className = typedArrayName(x);
  if (className !== 'Float32Array' && className !== 'Float64Array') return undefined;
  const input = x as StoredArray;
  const { length } = input;
  const columns = columnsOf(shape, length);
  const hasGamma = gamma !== undefined && gamma !== null;
  const hasBeta = beta !== undefined && beta !== null;
  if (columns === 0) return undefined;
  if (hasGamma && !isArrayLike(gamma, className, columns)) return undefined;
  if (hasBeta && !isArrayLike(beta, className, columns)) return undefined;
  if (out !== undefined && out !== null) {
    if (!isArrayLike(out, className, length)) return undefined;
    const memory = memoryOf(out.buffer);
    const isApart =
      (out === x || memory !== memoryOf(input.buffer)) &&
      !(hasGamma && memory === memoryOf(gamma.buffer)) &&
      !(hasBeta && memory === memoryOf(beta.buffer));
    if (!isApart) return undefined;
  }

  const type = className === 'Float32Array' ? 'float32' : 'float64';
  const bytesPerElement = BYTES_PER_ELEMENT[type];
  const gammaStart = aligned(length * bytesPerElement);
  const betaStart = gammaStart + aligned(columns * bytesPerElement);
  const bytes = betaStart + aligned(columns * bytesPerElement);
  // Growth would detach arguments that are views of the heap.
  if (gammaStart > BLOCK_BYTES || bytes > heap.scratchBytes) return undefined;
  const scratch = heap.scratch(operation, bytes);
  const elements = heap.elements(type);
  const start = scratch / bytesPerElement;
  copyRun(elements, start, input, 0, length);
  if (hasGamma) copyRun(elements, start + gammaStart / bytesPerElement, gamma, 0, columns);
  if (hasBeta) copyRun(elements, start + betaStart / bytesPerElement, beta, 0, columns);
  const gammaAddress = hasGamma ? scratch + gammaStart : 0;
  const betaAddress = hasBeta ? scratch + betaStart : 0;
  callOnRows(operation, heap, type, scratch, scratch, gammaAddress, betaAddress, length, columns, epsilon);
  const y = (out as StoredArray | null | undefined) ?? newArray(type, length);
  copyRun(y, 0, elements, start, length);
  return y;
}

function isArrayLike(value: unknown, className: string, count: number): value is StoredArray {
  return typedArrayName(value) === className && (value as StoredArray).length === count;
}

/** Calls the core on `size` elements in rows of `columns`. */
function callOnRows(
  operation: string,
  heap: Heap,
  dtype: DType,
  x: number,
  y: number,
  gamma: number,
  beta: number,
  size: number,
  columns: number,
  epsilon: number,
): void {
  heap.writeRows(size / columns, columns);
  const { core, dims } = heap;
  const type = CORE_DTYPE[dtype];
  const status = core.layerNormForward(type, x, y, gamma, beta, 0, 0, 0, 0, dims, 2, 0b10, epsilon, false);
  heap.check(operation, status);
}

/** The last size of a shape of `length` elements, more than none; 0 for everything else. */
function columnsOf(shape: unknown, length: number): number {
  if (shape === undefined || shape === null) return length;
  if (!Array.isArray(shape) || shape.length > MAX_RANK) return 0;
  let count = 1;
  let size = 0;
  for (let i = 0; i < shape.length; i++) {
    size = shape[i];
    if (!(Number.isInteger(size) && size > 0)) return 0;
    count *= size;
  }
  return count === length ? size : 0;
}

/** A call whose arguments have been found right: only memory can be missing now. */
interface Call {
  readonly common: CommonArguments;
  readonly epsilon: number;
  readonly beta: Operand | undefined;
  readonly out: Operand | undefined;
}

function readCall(operation: string, engine: HeapOwner, value: unknown, options: LayerNormOptions): Call {
  const common = readCommonArguments(operation, engine, value, options, OPTION_NAMES);
  const { owner, x, axes, gamma } = common;
  const epsilon = readEpsilon(operation, options.epsilon, DEFAULT_EPSILON);
  const beta = readParameter(operation, owner, 'beta', options.beta, x.shape, axes, common.dtype);
  if (common.rmsScaling && beta) {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `${operation}: beta is given with rmsScaling, expected one of them: scaling without centring has no offset`,
    );
  }
  return { common, epsilon, beta, out: readOut(common, options.out, { x, gamma, beta }) };
}

function run(call: Call, withStatistics: boolean): { y?: object; mean?: object; rstd?: object } {
  const { operation, owner, x, dtype, axes } = call.common;
  const statistic = withStatistics ? reducedAsOnes(x.shape, axes.mask) : undefined;
  const wanted = { y: call.out ?? x.shape, mean: statistic, rstd: statistic };
  return produce(operation, owner, x, dtype, wanted, (targets) => normalize(call, targets));
}

function normalize(call: Call, { y, mean, rstd }: { y?: Target; mean?: Target; rstd?: Target }): void {
  const { operation, owner, x, computed, axes, rmsScaling, gamma } = call.common;
  const heap = owner.heap(operation);
  if (x.length === 0) {
    // Groups of no elements have statistics all the same: 0 / 0.
    mean?.elements(heap).fill(Number.NaN);
    rstd?.elements(heap).fill(Number.NaN);
    return;
  }
  const parts: Part[] = [
    { per: 'element', input: x, output: y },
    { per: 'position', input: gamma, output: undefined },
    { per: 'position', input: call.beta, output: undefined },
    { per: 'group', input: undefined, output: mean },
    { per: 'group', input: undefined, output: rstd },
  ];
  const type = CORE_DTYPE[computed];
  const workspaceOf = ({ dims, axes: mask }: Block): number => {
    heap.writeDims(dims);
    return heap.core.layerNormForwardWorkspace(type, heap.dims, dims.length, mask);
  };
  passThrough(
    operation,
    heap,
    computed,
    x.shape,
    axes.mask,
    parts,
    (block, from, to, _, workspace, workspaceBytes) =>
      heap.core.layerNormForward(
        type,
        from[0] as number,
        to[0] as number,
        from[1] as number,
        from[2] as number,
        to[3] as number,
        to[4] as number,
        workspace,
        workspaceBytes,
        heap.dims,
        block.dims.length,
        block.axes,
        call.epsilon,
        rmsScaling,
      ),
    // Other types need none.
    isSixteenBit(computed) ? workspaceOf : undefined,
  );
}
