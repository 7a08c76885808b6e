import { CORE_DTYPE } from '../runtime/core_module.js';
import { describe, LayerNormError } from '../runtime/errors.js';
import { BYTES_PER_ELEMENT, defaultHeapOwner, type HeapOwner } from '../runtime/heap.js';
import { type DType, parameterDType, readDTypeOption } from '../tensor/dtype.js';
import { HeapTensor } from '../tensor/heap_tensor.js';
import { aligned } from '../tensor/passage.js';
import { formatShape, sameShape } from '../tensor/shape.js';
import { checkOverlap, checkSameShape, produce, readOutput } from '../tensor/target.js';
import {
  type DTypeOf,
  type Operand,
  type Output,
  type ParameterResultOf,
  readOperand,
  type TensorLike,
} from '../tensor/tensor_like.js';
import { passWhole } from '../tensor/whole.js';
import type { LayerNormOutput } from './layer_norm.js';
import { checkOptions, readEpsilon } from './options.js';

/** Keras' `ops.normalize` has this. */
const DEFAULT_EPSILON = 1e-7;

/** The core counts iterations by an uint32. */
const MAX_ITERATIONS = 2 ** 32 - 1;

/** Options of {@link spectralNorm}. `null` and `undefined` stand for the default. */
export interface SpectralNormOptions<D extends DType = DType, Out = unknown> {
  /**
   * The estimate of the right singular vector, to begin with: one number for each index of the kernel's last dimension, flat or of
   * shape [1, last]. In training, the `u` of the last call; at first, random numbers.
   */
  u: TensorLike;
  /** How often u and v are improved: more for a better sigma, at two passes over the kernel each. @defaultValue 1 */
  powerIterations?: number | null;
  /** The least length that u and v are divided by: a finite number that is not negative. @defaultValue 1e-7 */
  epsilon?: number | null;
  /** Sizes of the dimensions of `kernel`, outermost first, for a typed array: it has one dimension by default. */
  shape?: readonly number[] | null;
  /** The type of the result, see `layerNorm`. @defaultValue the type of the kernel, 'float32' for integers and numbers */
  dtype?: D | null;
  /**
   * Where to write the kernel divided by sigma: an array of the result's type and size, `kernel` itself allowed. It may not overlap u.
   * @defaultValue a new container of the kind that the kernel is
   */
  out?: (Out & Output) | null;
}

/** Options of {@link spectralNormBackward}. `null` and `undefined` stand for the default. */
export interface SpectralNormBackwardOptions<D extends DType = DType, Out = unknown> {
  /** As {@link spectralNorm} gave it. */
  u: TensorLike;
  /** As {@link spectralNorm} gave it. */
  v: TensorLike;
  /** As {@link spectralNorm} gave it. */
  sigma: number;
  /** Sizes of the dimensions of `kernel`, outermost first, for a typed array: it has one dimension by default. */
  shape?: readonly number[] | null;
  /** The type of the result, see `layerNorm`. @defaultValue the type of the kernel, 'float32' for integers and numbers */
  dtype?: D | null;
  /**
   * Where to write the gradient: an array of the result's type and size, `dy` or `kernel` themselves allowed.
   * @defaultValue a new container of the kind that the kernel is
   */
  out?: (Out & Output) | null;
}

/** Every option once, for the check of their names. */
const OPTION_NAMES: Record<keyof SpectralNormOptions, true> = {
  u: true,
  powerIterations: true,
  epsilon: true,
  shape: true,
  dtype: true,
  out: true,
};
const BACKWARD_OPTION_NAMES: Record<keyof SpectralNormBackwardOptions, true> = {
  u: true,
  v: true,
  sigma: true,
  shape: true,
  dtype: true,
  out: true,
};

/** The container of u and v: of the kind that `X` is. */
type VectorOf<X, D extends DType> = X extends readonly unknown[] ? number[][] : ParameterResultOf<X, D>;

/** What {@link spectralNorm} returns. */
export interface SpectralNorm<X, D extends DType, Out> {
  /** The kernel divided by sigma, of the same shape. */
  kernel: LayerNormOutput<X, D, Out>;
  /** The improved u, for the next call and for the gradient: of shape [1, last]. */
  u: VectorOf<X, D>;
  /** The left singular vector that goes with u: of shape [1, product of all other sizes]. */
  v: VectorOf<X, D>;
  /** The estimate of the largest singular value. */
  sigma: number;
}

/**
 * Spectral normalization: divides a kernel by an estimate of its largest singular value, which power iteration improves from call to
 * call, as u does.
 *
 * With W the kernel as a matrix whose columns are its last dimension, and l2(a) = a / max(|a|, epsilon): `powerIterations` times
 * v = l2(u W^T) and u = l2(v W); then sigma = v W u^T, and the result is W / sigma. A kernel of zeros alone is returned as it is,
 * with u unchanged, v of zeros and sigma 1, as in Keras.
 *
 * Shapes: kernel any of rank 1 to 32, the result the same. Types and containers: as in `layerNorm`, the kernel decides; u and v
 * are float32 where it has 16 bits. The sums are float64, those of float64 compensated. Unlike x of `layerNorm` the kernel is needed as
 * a whole: outside the WebAssembly memory it has to fit into it.
 *
 * @example
 * ```ts
 * let u = initializers.get('truncated_normal').call([1, 64]);
 * const normalized = spectralNorm(kernel, { shape: [128, 64], u });
 * ({ u } = normalized);
 * ```
 *
 * @param kernel - what to divide
 * @param options - see {@link SpectralNormOptions}
 * @returns the quotient, or `options.out` where it is given; u, v and sigma
 * @throws {@link LayerNormError} `ERR_SHAPE`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_DISPOSED`, `ERR_OUT_OF_MEMORY`, `ERR_LOAD`; nothing
 * has been written then
 * @see Miyato et al. 2018, Spectral Normalization for Generative Adversarial Networks, arXiv:1802.05957; Keras 3
 * `SpectralNormalization`
 */
export function spectralNorm<X extends TensorLike, D extends DType = DTypeOf<X>, Out = undefined>(
  kernel: X,
  options: SpectralNormOptions<D, Out>,
): SpectralNorm<X, D, Out> {
  return spectralNormOn(defaultHeapOwner(), kernel, options);
}

/** {@link spectralNorm} in the memory of one engine. */
export function spectralNormOn<X extends TensorLike, D extends DType = DTypeOf<X>, Out = undefined>(
  engine: HeapOwner,
  kernel: X,
  options: SpectralNormOptions<D, Out>,
): SpectralNorm<X, D, Out> {
  const operation = 'spectralNorm';
  const given: Partial<SpectralNormOptions> = options ?? {};
  const call = readKernel(operation, engine, kernel, given, OPTION_NAMES);
  const { owner, kernel: w, dtype, rows, cols } = call;
  const u = readVector(call, 'u', given.u, cols);
  const powerIterations = readIterations(operation, given.powerIterations);
  const epsilon = readEpsilon(operation, given.epsilon, DEFAULT_EPSILON);
  const out = readOut(call, given.out, { kernel: w, u }, ['kernel']);
  const computed = w.stored === dtype ? dtype : parameterDType(dtype);
  const parameterType = parameterDType(dtype);
  let sigma = 1;
  const wanted = { y: out ?? w.shape, u: [1, cols], v: [1, rows] };
  const made = produce(operation, owner, w, dtype, wanted, (targets) => {
    const heap = owner.heap(operation);
    const { core } = heap;
    const workspaceBytes = core.spectralNormWorkspace(rows, cols);
    const parts = [
      { dtype: computed, length: w.length, input: w, output: targets.y },
      { dtype: parameterType, length: cols, input: u, output: targets.u },
      { dtype: parameterType, length: rows, output: targets.v },
    ];
    const room = aligned(workspaceBytes) + BYTES_PER_ELEMENT[parameterType];
    passWhole(operation, heap, parts, room, (from, to, workspace) => {
      const sigmaAddress = workspace + aligned(workspaceBytes);
      const status = core.spectralNormForward(
        CORE_DTYPE[computed],
        from[0] as number,
        from[1] as number,
        to[0] as number,
        to[1] as number,
        to[2] as number,
        sigmaAddress,
        workspace,
        workspaceBytes,
        rows,
        cols,
        powerIterations,
        epsilon,
      );
      const at = sigmaAddress / BYTES_PER_ELEMENT[parameterType];
      sigma = heap.elements(parameterType)[at] as number;
      return status;
    });
  });
  return { kernel: made.y, u: made.u, v: made.v, sigma } as SpectralNorm<X, D, Out>;
}

/**
 * The gradient of {@link spectralNorm} by the kernel: what a loss depends on the kernel by, given what it depends on the quotient by.
 * u and v count as constants, but sigma = v W u^T does not, as in PyTorch.
 *
 * dW = (dy - (sum of dy * W / sigma) * v^T u) / sigma.
 *
 * Keras differs: its layer overwrites the kernel with the quotient, and applies dy to that.
 *
 * Shapes: dy as the kernel. Types and containers: as in `spectralNorm`, the kernel decides.
 *
 * @param dy - the gradient of the quotient, of the shape of the kernel
 * @param kernel - the kernel as it was before it was divided
 * @param options - see {@link SpectralNormBackwardOptions}; u, v and sigma are those that `spectralNorm` returned
 * @returns the gradient of the kernel, or `options.out` where it is given
 * @throws {@link LayerNormError} `ERR_SHAPE`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_DISPOSED`, `ERR_OUT_OF_MEMORY`, `ERR_LOAD`; nothing
 * has been written then
 * @see Miyato et al. 2018, arXiv:1802.05957, equation 12
 */
export function spectralNormBackward<X extends TensorLike, D extends DType = DTypeOf<X>, Out = undefined>(
  dy: TensorLike,
  kernel: X,
  options: SpectralNormBackwardOptions<D, Out>,
): LayerNormOutput<X, D, Out> {
  return spectralNormBackwardOn(defaultHeapOwner(), dy, kernel, options);
}

/** {@link spectralNormBackward} in the memory of one engine. */
export function spectralNormBackwardOn<X extends TensorLike, D extends DType = DTypeOf<X>, Out = undefined>(
  engine: HeapOwner,
  dyValue: TensorLike,
  kernel: X,
  options: SpectralNormBackwardOptions<D, Out>,
): LayerNormOutput<X, D, Out> {
  const operation = 'spectralNormBackward';
  const given: Partial<SpectralNormBackwardOptions> = options ?? {};
  const call = readKernel(operation, engine, kernel, given, BACKWARD_OPTION_NAMES);
  const { owner, kernel: w, dtype, rows, cols } = call;
  const dy = readOperand(operation, owner, 'dy', dyValue, undefined, dtype);
  checkSameShape(operation, 'dy', dy, w.shape, 'the kernel');
  const u = readVector(call, 'u', given.u, cols);
  const v = readVector(call, 'v', given.v, rows);
  const sigma: unknown = given.sigma;
  if (typeof sigma !== 'number') {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `${operation}: sigma is ${describe(sigma)}, expected the number that spectralNorm returned`,
    );
  }
  const out = readOut(call, given.out, { dy, kernel: w, u, v }, ['dy', 'kernel']);
  const computed = w.stored === dtype && dy.stored === dtype ? dtype : parameterDType(dtype);
  const made = produce(operation, owner, w, dtype, { dx: out ?? w.shape }, ({ dx }) => {
    const heap = owner.heap(operation);
    const { core } = heap;
    const workspaceBytes = core.spectralNormWorkspace(rows, cols);
    // dx takes the place of dy, unless it is the kernel: what comes from outside would then be copied over it.
    const isKernel = dx !== undefined && dx.address !== 0 && dx.address === w.address;
    const parts = [
      { dtype: computed, length: w.length, input: dy, output: isKernel ? undefined : dx },
      { dtype: computed, length: w.length, input: w, output: isKernel ? dx : undefined },
      { dtype: parameterDType(dtype), length: cols, input: u },
      { dtype: parameterDType(dtype), length: rows, input: v },
    ];
    passWhole(operation, heap, parts, workspaceBytes, (from, to, workspace) =>
      core.spectralNormBackward(
        CORE_DTYPE[computed],
        from[0] as number,
        from[1] as number,
        from[2] as number,
        from[3] as number,
        sigma,
        to[isKernel ? 1 : 0] as number,
        workspace,
        workspaceBytes,
        rows,
        cols,
      ),
    );
  });
  return made.dx as LayerNormOutput<X, D, Out>;
}

/** A kernel and what follows from it, found right. */
interface KernelCall {
  readonly operation: string;
  /** Of the engine's heaps, the one that the call runs in. */
  readonly owner: HeapOwner;
  readonly kernel: Operand;
  /** The type of the result. */
  readonly dtype: DType;
  /** Of the kernel as a matrix. */
  readonly rows: number;
  readonly cols: number;
}

function readKernel(
  operation: string,
  engine: HeapOwner,
  value: unknown,
  options: { shape?: unknown; dtype?: unknown },
  known: object,
): KernelCall {
  engine.heap(operation);
  checkOptions(operation, options, known);
  const owner = HeapTensor.ownerFor(engine, value);
  const kernel = readOperand(operation, owner, 'kernel', value, options.shape, options.dtype);
  const dtype = readDTypeOption(operation, options.dtype, kernel.dtype);
  const { shape } = kernel;
  const cols = shape[shape.length - 1] as number;
  const rows = shape.slice(0, -1).reduce((product, size) => product * size, 1);
  return { operation, owner, kernel, dtype, rows, cols };
}

/** u or v: `count` elements, flat or as one row. */
function readVector(
  { operation, owner, kernel, dtype }: KernelCall,
  name: 'u' | 'v',
  value: unknown,
  count: number,
): Operand {
  const operand = readOperand(operation, owner, name, value, undefined, dtype);
  const { shape, shaped, length } = operand;
  if (shaped ? sameShape(shape, [1, count]) || sameShape(shape, [count]) : length === count) return operand;
  const found = shaped ? `shape ${formatShape(shape)}` : `${length} elements`;
  const where = name === 'u' ? 'the last size' : 'the product of all sizes but the last';
  throw new LayerNormError(
    'ERR_SHAPE',
    `${operation}: ${name} has ${found}, expected ${shaped ? `[1, ${count}] or [${count}]` : count}: ${where} of the kernel ` +
      formatShape(kernel.shape),
  );
}

function readIterations(operation: string, value: unknown): number {
  if (value === undefined || value === null) return 1;
  if (Number.isInteger(value) && (value as number) > 0 && (value as number) <= MAX_ITERATIONS)
    return value as number;
  throw new LayerNormError(
    'ERR_ARGUMENT',
    `${operation}: powerIterations is ${describe(value)}; \`power_iterations\` should be greater than zero, and an integer`,
  );
}

/** The option `out`: it overlaps none of the inputs, unless it is one that it may replace. */
function readOut(
  { operation, owner, kernel, dtype }: KernelCall,
  value: unknown,
  inputs: Readonly<Record<string, Operand>>,
  replaceable: readonly string[],
): Operand | undefined {
  if (value === undefined || value === null) return undefined;
  const out = readOutput(operation, owner, value, dtype, kernel.shape, 'the kernel');
  const heap = owner.heap(operation);
  for (const [name, input] of Object.entries(inputs)) {
    checkOverlap(operation, heap, out, name, input, replaceable.includes(name));
  }
  return out;
}
