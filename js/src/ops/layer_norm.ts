import { CORE_DTYPE } from '../runtime/core_module.js';
import { LayerNormError } from '../runtime/errors.js';
import { BYTES_PER_ELEMENT, defaultHeapOwner, type Heap, type HeapOwner, MAX_RANK } from '../runtime/heap.js';
import {
  BLOCK_BYTES,
  type BlockPlan,
  blocksOf,
  copyBlockIn,
  copyBlockOut,
  copyRun,
  planBlocks,
} from '../tensor/blocks.js';
import { type DType, type FloatArray, newArray, readDTypeOption, typedArrayName } from '../tensor/dtype.js';
import {
  elementCount,
  formatShape,
  keptAsOnes,
  readAxes,
  reducedAsOnes,
  reducedShape,
  type Shape,
  sameShape,
} from '../tensor/shape.js';
import { checkOverlap, newTarget, readOutput, type Target, targetOf } from '../tensor/target.js';
import {
  type DTypeOf,
  elementsOf,
  type Operand,
  type Output,
  type ResultOf,
  readOperand,
  type TensorLike,
} from '../tensor/tensor_like.js';
import { checkOptions, isOptions, readEpsilon, readFlag } from './options.js';

/** Keras' default. PyTorch and ONNX have 1e-5. */
const DEFAULT_EPSILON = 1e-3;

/** Blocks in the scratch memory start at multiples of this many bytes, as those that the heap gives do. */
const ALIGNMENT = 64;

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
   * The type that is computed in and that the result has.
   * @defaultValue 'float64' for float64 x, else 'float32'
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
  mean: ResultOf<X, D>;
  /** 1 / sqrt(variance + epsilon) of each group: the shape of x with 1 at the reduced dimensions. */
  rstd: ResultOf<X, D>;
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
 * to the type of x. Containers: what comes back is of the kind of x, see {@link TensorLike}. Outside the WebAssembly memory
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
 * reduced dimensions, of the type that is computed in. Groups without elements have NaN for both.
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
  owner: HeapOwner,
  x: X,
  options?: LayerNormOptions<D, Out>,
): LayerNormOutput<X, D, Out> {
  const operation = 'layerNorm';
  const given = options ?? {};
  const y = normalizeRows(operation, owner.heap(operation), x, given);
  return (y ?? run(readCall(operation, owner, x, given), false).y) as LayerNormOutput<X, D, Out>;
}

/** {@link layerNormForward} in the memory of one engine. */
export function layerNormForwardOn<X extends TensorLike, D extends DType = DTypeOf<X>, Out = undefined>(
  owner: HeapOwner,
  x: X,
  options?: LayerNormOptions<D, Out>,
): LayerNormForward<X, D, Out> {
  const call = readCall('layerNormForward', owner, x, options ?? {});
  return run(call, true) as LayerNormForward<X, D, Out>;
}

/**
 * The most frequent call, by the shortest way: a small float array normalized over its last axis, with arrays of its own type
 * for everything else, so that there is nothing to convert, to plan or to wrap. Any other call, and any mistake, gives undefined
 * with nothing done: {@link readCall} then reads the arguments again and words the errors.
 */
function normalizeRows(
  operation: string,
  heap: Heap,
  x: unknown,
  options: LayerNormOptions,
): FloatArray | undefined {
  const className = typedArrayName(x);
  if ((className !== 'Float32Array' && className !== 'Float64Array') || !isOptions(options)) return undefined;
  for (const key in options) if (!Object.hasOwn(OPTION_NAMES, key)) return undefined;
  const { shape, axis, gamma, beta, out, dtype, rmsScaling } = options;
  if ((axis ?? -1) !== -1 || (dtype ?? null) !== null || (rmsScaling ?? false) !== false) return undefined;
  const epsilon = options.epsilon ?? DEFAULT_EPSILON;
  if (!(Number.isFinite(epsilon) && epsilon >= 0)) return undefined;

  const input = x as FloatArray;
  const { length } = input;
  const columns = columnsOf(shape, length);
  const isLike = (value: unknown, count: number): value is FloatArray =>
    typedArrayName(value) === className && (value as FloatArray).length === count;
  const hasGamma = gamma !== undefined && gamma !== null;
  const hasBeta = beta !== undefined && beta !== null;
  if (columns === 0 || (hasGamma && !isLike(gamma, columns)) || (hasBeta && !isLike(beta, columns))) {
    return undefined;
  }
  if (out !== undefined && out !== null) {
    if (!isLike(out, length)) return undefined;
    const { buffer } = out;
    const isApart =
      (out === x || buffer !== input.buffer) &&
      !(hasGamma && buffer === gamma.buffer) &&
      !(hasBeta && buffer === beta.buffer);
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
  heap.writeDims([length / columns, columns]);
  const status = heap.core.layerNormForward(
    CORE_DTYPE[type],
    scratch,
    scratch,
    hasGamma ? scratch + gammaStart : 0,
    hasBeta ? scratch + betaStart : 0,
    0,
    0,
    heap.dims,
    2,
    0b10,
    epsilon,
    false,
  );
  heap.check(operation, status);
  const y = (out as FloatArray | null | undefined) ?? newArray(type, length);
  copyRun(y, 0, elements, start, length);
  return y;
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

/** The next multiple of {@link ALIGNMENT}. */
function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

/** A call whose arguments have been found right: only memory can be missing now. */
interface Call {
  readonly operation: string;
  readonly owner: HeapOwner;
  readonly x: Operand;
  readonly dtype: DType;
  /** Mask of the reduced dimensions of x. */
  readonly axes: number;
  readonly epsilon: number;
  readonly rmsScaling: boolean;
  readonly gamma: Operand | undefined;
  readonly beta: Operand | undefined;
  readonly out: Operand | undefined;
}

function readCall(operation: string, owner: HeapOwner, value: unknown, options: LayerNormOptions): Call {
  const heap = owner.heap(operation);
  checkOptions(operation, options, OPTION_NAMES);
  const x = readOperand(operation, owner, 'x', value, options.shape);
  const dtype = readDTypeOption(operation, options.dtype, x.dtype);
  const axis = options.axis ?? -1;
  const axes = readAxes(operation, axis, x.shape);
  const epsilon = readEpsilon(operation, options.epsilon, DEFAULT_EPSILON);
  const rmsScaling = readFlag(operation, 'rmsScaling', options.rmsScaling);
  if (rmsScaling && options.beta !== undefined && options.beta !== null) {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `${operation}: beta is given with rmsScaling, expected one of them: scaling without centring has no offset`,
    );
  }
  const gamma = readParameter(operation, owner, 'gamma', options.gamma, x.shape, axes, axis);
  const beta = readParameter(operation, owner, 'beta', options.beta, x.shape, axes, axis);
  let out: Operand | undefined;
  if (options.out !== undefined && options.out !== null) {
    out = readOutput(operation, owner, options.out, dtype, x.shape);
    checkOverlap(operation, heap, out, 'x', x, true);
    if (gamma) checkOverlap(operation, heap, out, 'gamma', gamma, false);
    if (beta) checkOverlap(operation, heap, out, 'beta', beta, false);
  }
  return { operation, owner, x, dtype, axes, epsilon, rmsScaling, gamma, beta, out };
}

/** gamma or beta: one element for each reduced position, in whichever of the three shapes that say so. */
function readParameter(
  operation: string,
  owner: HeapOwner,
  name: string,
  value: unknown,
  shape: Shape,
  axes: number,
  axis: number | readonly number[],
): Operand | undefined {
  if (value === undefined || value === null) return undefined;
  const parameter = readOperand(operation, owner, name, value);
  const sizes = reducedShape(shape, axes);
  const count = elementCount(sizes);
  const where = (): string =>
    typeof axis === 'number'
      ? `the size of axis ${axis} of x ${formatShape(shape)}`
      : `the product of the sizes of axes ${formatShape(axis)} of x ${formatShape(shape)}`;
  if (parameter.length !== count) {
    throw new LayerNormError(
      'ERR_SHAPE',
      `${operation}: ${name} has ${parameter.length} elements, expected ${count}, ${where()}`,
    );
  }
  if (parameter.shaped) {
    const allowed = [[count], sizes, keptAsOnes(shape, axes)];
    if (!allowed.some((one) => sameShape(one, parameter.shape))) {
      throw new LayerNormError(
        'ERR_SHAPE',
        `${operation}: ${name} has shape ${formatShape(parameter.shape)}, expected ` +
          `${[...new Set(allowed.map(formatShape))].join(' or ')}: ${count} is ${where()}`,
      );
    }
  }
  return parameter;
}

/** Makes the containers, fills them, and hands them over; frees them when memory runs out on the way. */
function run(call: Call, withStatistics: boolean): { y: object; mean?: object; rstd?: object } {
  const { operation, owner, x, dtype, axes } = call;
  const made: Target[] = [];
  const make = (shape: Shape): Target => {
    const target = newTarget(operation, owner, x, dtype, shape);
    made.push(target);
    return target;
  };
  try {
    const y = call.out ? targetOf(call.out) : make(x.shape);
    if (!withStatistics) {
      normalize(call, y);
      return { y: y.finish(owner.heap(operation)) };
    }
    const mean = make(reducedAsOnes(x.shape, axes));
    const rstd = make(reducedAsOnes(x.shape, axes));
    normalize(call, y, mean, rstd);
    const heap = owner.heap(operation);
    return { y: y.finish(heap), mean: mean.finish(heap), rstd: rstd.finish(heap) };
  } catch (error) {
    for (const target of made) target.discard();
    throw error;
  }
}

/** Whether the core can use an operand where it lies. */
function isDirect(operand: Operand, dtype: DType): boolean {
  return operand.address !== 0 && operand.stored === dtype;
}

/** The blocks of a call, and where in the scratch block those arrays lie that the core cannot use where they are. */
interface Layout {
  readonly plan: BlockPlan;
  /** Size of the scratch block. */
  readonly bytes: number;
  readonly gamma: number | undefined;
  readonly beta: number | undefined;
  readonly mean: number | undefined;
  readonly rstd: number | undefined;
  /** One block of x, which becomes that of y in place. */
  readonly block: number | undefined;
}

function layOut(
  call: Call,
  y: Target,
  mean: Target | undefined,
  rstd: Target | undefined,
  limit: number,
): Layout {
  const { x, dtype, gamma, beta } = call;
  const bytesPerElement = BYTES_PER_ELEMENT[dtype];
  const plan = planBlocks(x.shape, call.axes, bytesPerElement, limit);
  let bytes = 0;
  const reserve = (elements: number): number => {
    const start = bytes;
    bytes += aligned(elements * bytesPerElement);
    return start;
  };
  const parts = {
    gamma: gamma && !isDirect(gamma, dtype) ? reserve(gamma.length) : undefined,
    beta: beta && !isDirect(beta, dtype) ? reserve(beta.length) : undefined,
    mean: mean?.address === 0 ? reserve(plan.groups) : undefined,
    rstd: rstd?.address === 0 ? reserve(plan.groups) : undefined,
    block: y.address !== 0 && plan.contiguous ? undefined : reserve(plan.elements),
  };
  return { plan, bytes, ...parts };
}

/**
 * Runs the kernel over x. What lies in the heap is used where it is; everything else passes through the scratch block, x in
 * blocks of whole groups.
 */
function normalize(call: Call, y: Target, mean?: Target, rstd?: Target): void {
  const { operation, x, dtype, gamma, beta } = call;
  const heap = call.owner.heap(operation);
  if (x.length === 0) {
    // Groups of no elements have statistics all the same: 0 / 0.
    mean?.elements(heap).fill(Number.NaN);
    rstd?.elements(heap).fill(Number.NaN);
    return;
  }
  const xInHeap = isDirect(x, dtype);
  const limit = xInHeap && y.address !== 0 ? Number.MAX_SAFE_INTEGER : BLOCK_BYTES;
  let layout = layOut(call, y, mean, rstd, limit);
  if (heap.tryScratch(layout.bytes) === 0) {
    // Slower, but it needs the least: one group at a time.
    layout = layOut(call, y, mean, rstd, 0);
  }
  const scratch = heap.scratch(operation, layout.bytes);
  const { plan } = layout;

  // Nothing allocates from here on, so views stay valid.
  const bytesPerElement = BYTES_PER_ELEMENT[dtype];
  const elements = heap.elements(dtype);
  const source = elementsOf(heap, x);
  const result = y.elements(heap);
  const parameter = (operand: Operand | undefined, start: number | undefined): number => {
    if (operand === undefined) return 0;
    if (start === undefined) return operand.address;
    copyRun(elements, (scratch + start) / bytesPerElement, elementsOf(heap, operand), 0, operand.length);
    return scratch + start;
  };
  const gammaAddress = parameter(gamma, layout.gamma);
  const betaAddress = parameter(beta, layout.beta);
  const statistic = (target: Target | undefined, start: number | undefined, group: number): number => {
    if (target === undefined) return 0;
    return start === undefined ? target.address + group * bytesPerElement : scratch + start;
  };

  for (const block of blocksOf(plan)) {
    const { offset, firstGroup, groups } = block;
    const inPlace =
      layout.block === undefined ? y.address + offset * bytesPerElement : scratch + layout.block;
    let from = inPlace;
    if (xInHeap && plan.contiguous) from = x.address + offset * bytesPerElement;
    else copyBlockIn(elements, inPlace / bytesPerElement, source, plan, block);
    const meanAddress = statistic(mean, layout.mean, firstGroup);
    const rstdAddress = statistic(rstd, layout.rstd, firstGroup);
    heap.writeDims(block.dims);
    const status = heap.core.layerNormForward(
      CORE_DTYPE[dtype],
      from,
      inPlace,
      gammaAddress,
      betaAddress,
      meanAddress,
      rstdAddress,
      heap.dims,
      block.dims.length,
      block.axes,
      call.epsilon,
      call.rmsScaling,
    );
    heap.check(operation, status);
    if (layout.block !== undefined) {
      copyBlockOut(result, elements, inPlace / bytesPerElement, plan, block);
    }
    if (mean && layout.mean !== undefined) {
      copyRun(mean.elements(heap), firstGroup, elements, meanAddress / bytesPerElement, groups);
    }
    if (rstd && layout.rstd !== undefined) {
      copyRun(rstd.elements(heap), firstGroup, elements, rstdAddress / bytesPerElement, groups);
    }
  }
}
