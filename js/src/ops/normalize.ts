import { CORE_DTYPE, type CoreModule } from '../runtime/core_module.js';
import { LayerNormError } from '../runtime/errors.js';
import { BYTES_PER_ELEMENT, type Heap, type HeapOwner, MAX_RANK, memoryOf } from '../runtime/heap.js';
import { BLOCK_BYTES, type Block, copyRun } from '../tensor/blocks.js';
import { type DType, isSixteenBit, newArray, type StoredArray, typedArrayName } from '../tensor/dtype.js';
import { HeapTensor } from '../tensor/heap_tensor.js';
import { aligned, type Part, passThrough } from '../tensor/passage.js';
import { reducedAsOnes, type Shape, sameShape } from '../tensor/shape.js';
import { produce, type Target } from '../tensor/target.js';
import type { Operand } from '../tensor/tensor_like.js';
import { type CommonArguments, readCommonArguments, readOut, readParameter } from './arguments.js';
import { isOptions, readEpsilon } from './options.js';

/** What is known of each group, besides y. */
export type Statistic = 'mean' | 'rstd';

/** An operation that normalizes groups, as the functions below see it: each has what it needs of the same arguments. */
export interface Normalization {
  /** Every option once. One that is missing here is refused, so that it is not looked for. */
  readonly optionNames: object;
  /** Its default. */
  readonly epsilon: number;
  /** What the gradient needs. */
  readonly statistics: readonly Statistic[];
  /** Bytes that {@link forward} needs besides, for the same dimensions. */
  workspace(core: CoreModule, dtype: number, dims: number, rank: number, axes: number): number;
  /** Calls the core, see {@link CoreModule.layerNormForward}: 0 is given for what the operation does not have. */
  forward(
    core: CoreModule,
    dtype: number,
    x: number,
    y: number,
    gamma: number,
    beta: number,
    mean: number,
    rstd: number,
    workspace: number,
    workspaceBytes: number,
    dims: number,
    rank: number,
    axes: number,
    epsilon: number,
    rmsScaling: boolean,
  ): number;
}

/** The options of all these operations, not yet checked. */
interface NormalizeOptions {
  shape?: unknown;
  axis?: unknown;
  epsilon?: number | null;
  gamma?: unknown;
  beta?: unknown;
  rmsScaling?: boolean | null;
  dtype?: unknown;
  out?: unknown;
}

/** y of a call. */
export function normalizeOn(
  of: Normalization,
  operation: string,
  engine: HeapOwner,
  x: unknown,
  options: NormalizeOptions | undefined,
): object {
  const given = options ?? {};
  const y = normalizeRows(of, operation, engine, x, given);
  return y ?? (run(readCall(of, operation, engine, x, given), []).y as object);
}

/** y of a call, and the statistics that it used. */
export function normalizeForwardOn(
  of: Normalization,
  operation: string,
  engine: HeapOwner,
  x: unknown,
  options: NormalizeOptions | undefined,
): object {
  return run(readCall(of, operation, engine, x, options ?? {}), of.statistics);
}

/**
 * The most frequent calls, by the shortest way: over the last axis, with a tensor or a small float array for x and arrays of its
 * kind and type for everything else, so that there is nothing to convert, to plan or to wrap (the option `dtype` may name that type).
 * Any other call, and any mistake, gives undefined with nothing done: {@link readCall} then reads the arguments again and words the
 * errors.
 */
function normalizeRows(
  of: Normalization,
  operation: string,
  engine: HeapOwner,
  x: unknown,
  options: NormalizeOptions,
): object | undefined {
  if (!isOptions(options)) return undefined;
  for (const key in options) if (!Object.hasOwn(of.optionNames, key)) return undefined;
  const { axis, rmsScaling } = options;
  if ((axis ?? -1) !== -1 || (rmsScaling ?? false) !== false) return undefined;
  const epsilon = options.epsilon ?? of.epsilon;
  if (!(Number.isFinite(epsilon) && epsilon >= 0)) return undefined;
  return HeapTensor.is(x)
    ? normalizeTensorRows(of, operation, HeapTensor.ownerFor(engine, x), x, options, epsilon)
    : normalizeArrayRows(of, operation, engine.heap(operation), x, options, epsilon);
}

/** {@link normalizeRows} of a tensor. */
function normalizeTensorRows(
  of: Normalization,
  operation: string,
  owner: HeapOwner,
  x: HeapTensor,
  { shape, gamma, beta, dtype: wanted, out }: NormalizeOptions,
  epsilon: number,
): object | undefined {
  const { dtype, size } = x;
  const columns = x.shape[x.shape.length - 1] as number;
  // Those of 16 bits have parameters of another type.
  if ((shape ?? null) !== null || size === 0 || isSixteenBit(dtype)) return undefined;
  if ((wanted ?? dtype) !== dtype) return undefined;
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
      of,
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
  of: Normalization,
  operation: string,
  heap: Heap,
  x: unknown,
  { shape, gamma, beta, dtype, out }: NormalizeOptions,
  epsilon: number,
): StoredArray | undefined {
  const className = typedArrayName(x);
  if (className !== 'Float32Array' && className !== 'Float64Array') return undefined;
  const type = className === 'Float32Array' ? 'float32' : 'float64';
  if ((dtype ?? type) !== type) return undefined;
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
  callOnRows(
    of,
    operation,
    heap,
    type,
    scratch,
    scratch,
    gammaAddress,
    betaAddress,
    length,
    columns,
    epsilon,
  );
  const y = (out as StoredArray | null | undefined) ?? newArray(type, length);
  copyRun(y, 0, elements, start, length);
  return y;
}

function isArrayLike(value: unknown, className: string, count: number): value is StoredArray {
  return typedArrayName(value) === className && (value as StoredArray).length === count;
}

/** Calls the core on `size` elements in rows of `columns`. */
function callOnRows(
  of: Normalization,
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
  const status = of.forward(core, type, x, y, gamma, beta, 0, 0, 0, 0, dims, 2, 0b10, epsilon, false);
  heap.check(operation, status);
}

/** The last size of a shape of `length` elements, more than none; 0 for everything else. */
export function columnsOf(shape: unknown, length: number): number {
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
  readonly of: Normalization;
  readonly common: CommonArguments;
  readonly epsilon: number;
  readonly beta: Operand | undefined;
  readonly out: Operand | undefined;
}

function readCall(
  of: Normalization,
  operation: string,
  engine: HeapOwner,
  value: unknown,
  options: NormalizeOptions,
): Call {
  const common = readCommonArguments(operation, engine, value, options, of.optionNames);
  const { owner, x, axes, gamma } = common;
  const epsilon = readEpsilon(operation, options.epsilon, of.epsilon);
  const beta = readParameter(operation, owner, 'beta', options.beta, x.shape, axes, common.dtype);
  if (common.rmsScaling && beta) {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `${operation}: beta is given with rmsScaling, expected one of them: scaling without centring has no offset`,
    );
  }
  return { of, common, epsilon, beta, out: readOut(common, options.out, { x, gamma, beta }) };
}

function run(call: Call, statistics: readonly Statistic[]): Partial<Record<'y' | Statistic, object>> {
  const { operation, owner, x, dtype, axes } = call.common;
  const wanted: Partial<Record<'y' | Statistic, Shape | Operand>> = { y: call.out ?? x.shape };
  for (const name of statistics) wanted[name] = reducedAsOnes(x.shape, axes.mask);
  return produce(operation, owner, x, dtype, wanted, (targets) => normalize(call, targets));
}

function normalize(call: Call, { y, mean, rstd }: Partial<Record<'y' | Statistic, Target>>): void {
  const { of } = call;
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
    return of.workspace(heap.core, type, heap.dims, dims.length, mask);
  };
  passThrough(
    operation,
    heap,
    computed,
    x.shape,
    axes.mask,
    parts,
    (block, from, to, _, workspace, workspaceBytes) =>
      of.forward(
        heap.core,
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
