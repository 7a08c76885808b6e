import { CORE_DTYPE } from '../runtime/core_module.js';
import { describe, LayerNormError } from '../runtime/errors.js';
import { defaultHeapOwner, type HeapOwner } from '../runtime/heap.js';
import { type DType, isSixteenBit } from '../tensor/dtype.js';
import { isDirect, type Part, passThrough } from '../tensor/passage.js';
import { elementCount, formatShape, hasAxis, reducedAsOnes, type Shape } from '../tensor/shape.js';
import { checkOverlap, produce } from '../tensor/target.js';
import {
  type DTypeOf,
  type Operand,
  type Output,
  type ParameterResultOf,
  readOperand,
  type TensorLike,
} from '../tensor/tensor_like.js';
import {
  type CommonArguments,
  computedWith,
  readCommonArguments,
  readOut,
  readParameter,
} from './arguments.js';
import type { LayerNormOptions, LayerNormOutput } from './layer_norm.js';
import { readEpsilon } from './options.js';

/** Options of {@link skipRmsNorm} and {@link skipRmsNormForward}, those that are not told here as of `layerNorm`. */
export interface SkipRmsNormOptions<D extends DType = DType, Out = unknown, SumOut = unknown>
  extends Pick<LayerNormOptions<D, Out>, 'shape' | 'gamma' | 'dtype'> {
  /**
   * The dimension, or the dimensions, that the sum is normalized over, and that bias and gamma span: the last one, or the last few.
   * @defaultValue -1
   */
  axis?: number | readonly number[] | null;
  /**
   * What is added to the mean of the squares, inside the square root: a finite number that is not negative.
   * @defaultValue 1e-6, as in `rmsNorm` (ONNX Runtime: 1e-12)
   */
  epsilon?: number | null;
  /** What is added to x besides skip: one summand for each position in the reduced dimensions, as for `gamma`. @defaultValue none */
  bias?: TensorLike | null;
  /**
   * Where to write y: an array of the result's type and size, `x` itself allowed unless it is `sumOut`. It may overlap no other input,
   * nor x in part.
   * @defaultValue a new container of the kind that x is
   */
  out?: (Out & Output) | null;
  /**
   * Where to write the sum: as `out`, and apart from it. With `x` itself, the residual stream is added to in place.
   * @defaultValue a new container of the kind that x is
   */
  sumOut?: (SumOut & Output) | null;
}

/** Options of {@link skipLayerNorm} and {@link skipLayerNormForward}, those that are not told here as of `skipRmsNorm`. */
export interface SkipLayerNormOptions<D extends DType = DType, Out = unknown, SumOut = unknown>
  extends SkipRmsNormOptions<D, Out, SumOut> {
  /**
   * What is added to the variance, inside the square root: a finite number that is not negative.
   * @defaultValue 1e-3, as in `layerNorm` (ONNX Runtime: 1e-12)
   */
  epsilon?: number | null;
  /** The offset of what is normalized: one summand for each position in the reduced dimensions, as for `gamma`. @defaultValue none */
  beta?: TensorLike | null;
}

/** Every option once, for the check of their names. */
const RMS_OPTION_NAMES: Record<keyof SkipRmsNormOptions, true> = {
  shape: true,
  bias: true,
  gamma: true,
  axis: true,
  epsilon: true,
  dtype: true,
  out: true,
  sumOut: true,
};
const OPTION_NAMES: Record<keyof SkipLayerNormOptions, true> = { ...RMS_OPTION_NAMES, beta: true };

/** What {@link skipLayerNorm} and {@link skipRmsNorm} return. */
export interface SkipNorm<X, D extends DType, Out, SumOut> {
  /** The normalized sum, of the shape of x. */
  y: LayerNormOutput<X, D, Out>;
  /** x + skip, + bias where there is one: of the shape of x. */
  sum: LayerNormOutput<X, D, SumOut>;
}

/** What {@link skipRmsNormForward} returns: the outputs, and the statistic that the gradient needs. */
export interface SkipRmsNormForward<X, D extends DType, Out, SumOut> extends SkipNorm<X, D, Out, SumOut> {
  /** 1 / sqrt(mean(sum^2) + epsilon) of each group: the shape of x with 1 at the reduced dimensions. */
  rstd: ParameterResultOf<X, D>;
}

/** What {@link skipLayerNormForward} returns: the outputs, and the statistics that the gradient needs. */
export interface SkipLayerNormForward<X, D extends DType, Out, SumOut> extends SkipNorm<X, D, Out, SumOut> {
  /** The mean of each group of the sum: the shape of x with 1 at the reduced dimensions. */
  mean: ParameterResultOf<X, D>;
  /** 1 / sqrt(variance + epsilon) of each group of the sum: the shape of x with 1 at the reduced dimensions. */
  rstd: ParameterResultOf<X, D>;
}

/**
 * Adds what a block of a transformer has computed to its residual stream, and normalizes the sum, in one pass over memory.
 *
 * sum = (x + skip) + bias; y = (sum - mean) / sqrt(variance + epsilon) * gamma + beta, with the mean and the biased variance of each
 * group of the sum, as in `layerNorm`.
 *
 * Shapes: x any of rank 1 to 32, y and sum the same. skip has the shape of x, or trailing dimensions of it that include the reduced
 * ones, with 1 or nothing before them: it is then added to each sample of the batch. A typed array needs only the number of elements.
 * bias, gamma and beta have one element for each position in the reduced dimensions. Empty x gives empty results.
 *
 * Types and containers: as in `layerNorm`, x decides, everything else is converted. y has the bits that `layerNorm` makes of sum. Of
 * float16 and bfloat16 the sum is float32, y is computed of it as it is, and both are rounded once.
 *
 * The gradient needs no function of its own: with the `sum`, `mean` and `rstd` of {@link skipLayerNormForward}, that of x is
 * `layerNormBackward(dy, sum, { mean, rstd, gamma }).dx` plus what the loss depends on `sum` by. That of skip is the same, and that of
 * bias its sum over all groups; a skip that was repeated has its sum over the samples. dgamma and dbeta come from the same call.
 *
 * @example
 * ```ts
 * const { y, sum } = skipLayerNorm(x, attention, { shape: [8, 128, 768], bias, gamma, beta, sumOut: x });
 * ```
 *
 * @param x - the residual stream
 * @param skip - what is added to it
 * @param options - see {@link SkipLayerNormOptions}
 * @returns y and sum, or `options.out` and `options.sumOut` where they are given
 * @throws {@link LayerNormError} `ERR_SHAPE`, `ERR_AXIS`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_DISPOSED`, `ERR_OUT_OF_MEMORY`,
 * `ERR_LOAD`; nothing has been written then
 * @see Ba et al. 2016, Layer Normalization, arXiv:1607.06450; ONNX Runtime `SkipLayerNormalization`
 */
export function skipLayerNorm<
  X extends TensorLike,
  D extends DType = DTypeOf<X>,
  Out = undefined,
  SumOut = undefined,
>(x: X, skip: TensorLike, options?: SkipLayerNormOptions<D, Out, SumOut>): SkipNorm<X, D, Out, SumOut> {
  return skipLayerNormOn(defaultHeapOwner(), x, skip, options);
}

/**
 * {@link skipLayerNorm} with the statistics that it used.
 *
 * @param x - the residual stream
 * @param skip - what is added to it
 * @param options - see {@link SkipLayerNormOptions}
 * @returns y and sum as {@link skipLayerNorm} returns them; mean and rstd in new containers of the kind of x, with its shape but 1 at
 * the reduced dimensions, of the type of y, but float32 where that has 16 bits. Groups without elements have NaN for both.
 * @throws {@link LayerNormError} as {@link skipLayerNorm} does
 * @see ONNX Runtime `SkipLayerNormalization`
 */
export function skipLayerNormForward<
  X extends TensorLike,
  D extends DType = DTypeOf<X>,
  Out = undefined,
  SumOut = undefined,
>(
  x: X,
  skip: TensorLike,
  options?: SkipLayerNormOptions<D, Out, SumOut>,
): SkipLayerNormForward<X, D, Out, SumOut> {
  return skipLayerNormForwardOn(defaultHeapOwner(), x, skip, options);
}

/**
 * {@link skipLayerNorm} with RMS normalization: there is no mean, and no beta.
 *
 * sum = (x + skip) + bias; y = sum / sqrt(mean(sum^2) + epsilon) * gamma, as in `rmsNorm`.
 *
 * Shapes, types and containers: as in {@link skipLayerNorm}. The gradient: as there, of `rmsNormBackward(dy, sum, { rstd, gamma })`.
 *
 * @example
 * ```ts
 * const { y, sum } = skipRmsNorm(x, attention, { shape: [8, 128, 768], gamma, sumOut: x });
 * ```
 *
 * @param x - the residual stream
 * @param skip - what is added to it
 * @param options - see {@link SkipRmsNormOptions}
 * @returns y and sum, or `options.out` and `options.sumOut` where they are given
 * @throws {@link LayerNormError} as {@link skipLayerNorm} does
 * @see Zhang and Sennrich 2019, Root Mean Square Layer Normalization, arXiv:1910.07467; ONNX Runtime
 * `SkipSimplifiedLayerNormalization`
 */
export function skipRmsNorm<
  X extends TensorLike,
  D extends DType = DTypeOf<X>,
  Out = undefined,
  SumOut = undefined,
>(x: X, skip: TensorLike, options?: SkipRmsNormOptions<D, Out, SumOut>): SkipNorm<X, D, Out, SumOut> {
  return skipRmsNormOn(defaultHeapOwner(), x, skip, options);
}

/**
 * {@link skipRmsNorm} with the statistic that it used.
 *
 * @param x - the residual stream
 * @param skip - what is added to it
 * @param options - see {@link SkipRmsNormOptions}
 * @returns y and sum as {@link skipRmsNorm} returns them; rstd as {@link skipLayerNormForward} does
 * @throws {@link LayerNormError} as {@link skipLayerNorm} does
 * @see ONNX Runtime `SkipSimplifiedLayerNormalization`
 */
export function skipRmsNormForward<
  X extends TensorLike,
  D extends DType = DTypeOf<X>,
  Out = undefined,
  SumOut = undefined,
>(
  x: X,
  skip: TensorLike,
  options?: SkipRmsNormOptions<D, Out, SumOut>,
): SkipRmsNormForward<X, D, Out, SumOut> {
  return skipRmsNormForwardOn(defaultHeapOwner(), x, skip, options);
}

/** {@link skipLayerNorm} in the memory of one engine. */
export function skipLayerNormOn<
  X extends TensorLike,
  D extends DType = DTypeOf<X>,
  Out = undefined,
  SumOut = undefined,
>(
  engine: HeapOwner,
  x: X,
  skip: TensorLike,
  options?: SkipLayerNormOptions<D, Out, SumOut>,
): SkipNorm<X, D, Out, SumOut> {
  const made = addAndNormalize('skipLayerNorm', engine, x, skip, options ?? {}, false, []);
  return made as SkipNorm<X, D, Out, SumOut>;
}

/** {@link skipLayerNormForward} in the memory of one engine. */
export function skipLayerNormForwardOn<
  X extends TensorLike,
  D extends DType = DTypeOf<X>,
  Out = undefined,
  SumOut = undefined,
>(
  engine: HeapOwner,
  x: X,
  skip: TensorLike,
  options?: SkipLayerNormOptions<D, Out, SumOut>,
): SkipLayerNormForward<X, D, Out, SumOut> {
  const statistics = ['mean', 'rstd'] as const;
  const made = addAndNormalize('skipLayerNormForward', engine, x, skip, options ?? {}, false, statistics);
  return made as SkipLayerNormForward<X, D, Out, SumOut>;
}

/** {@link skipRmsNorm} in the memory of one engine. */
export function skipRmsNormOn<
  X extends TensorLike,
  D extends DType = DTypeOf<X>,
  Out = undefined,
  SumOut = undefined,
>(
  engine: HeapOwner,
  x: X,
  skip: TensorLike,
  options?: SkipRmsNormOptions<D, Out, SumOut>,
): SkipNorm<X, D, Out, SumOut> {
  const made = addAndNormalize('skipRmsNorm', engine, x, skip, options ?? {}, true, []);
  return made as SkipNorm<X, D, Out, SumOut>;
}

/** {@link skipRmsNormForward} in the memory of one engine. */
export function skipRmsNormForwardOn<
  X extends TensorLike,
  D extends DType = DTypeOf<X>,
  Out = undefined,
  SumOut = undefined,
>(
  engine: HeapOwner,
  x: X,
  skip: TensorLike,
  options?: SkipRmsNormOptions<D, Out, SumOut>,
): SkipRmsNormForward<X, D, Out, SumOut> {
  const made = addAndNormalize('skipRmsNormForward', engine, x, skip, options ?? {}, true, ['rstd']);
  return made as SkipRmsNormForward<X, D, Out, SumOut>;
}

/** What of a call comes out: `mean` and `rstd` where they are wanted. */
type Name = 'y' | 'sum' | 'mean' | 'rstd';

function addAndNormalize(
  operation: string,
  engine: HeapOwner,
  value: unknown,
  skipValue: unknown,
  options: SkipLayerNormOptions,
  rms: boolean,
  statistics: readonly ('mean' | 'rstd')[],
): Partial<Record<Name, object>> {
  const known = rms ? RMS_OPTION_NAMES : OPTION_NAMES;
  const common = readCommonArguments(operation, engine, value, options, known);
  const { owner, x, dtype, axes, gamma } = common;
  const cols = columnsOf(common);
  const { skip, rows: skipRows } = readSkip(common, skipValue);
  const epsilon = readEpsilon(operation, options.epsilon, rms ? 1e-6 : 1e-3);
  const bias = readParameter(operation, owner, 'bias', options.bias, x.shape, axes, dtype);
  const beta = readParameter(operation, owner, 'beta', options.beta, x.shape, axes, dtype);
  const inputs = { x, skip, bias, gamma, beta };
  const out = readOut(common, options.out, inputs);
  const sumOut = readOut(common, options.sumOut, inputs, 'sumOut');
  if (out && sumOut) checkOverlap(operation, owner.heap(operation), sumOut, 'out', out, false, 'sumOut');
  const wanted: Partial<Record<Name, Shape | Operand>> = { y: out ?? x.shape, sum: sumOut ?? x.shape };
  for (const name of statistics) wanted[name] = reducedAsOnes(x.shape, axes.mask);
  return produce(operation, owner, x, dtype, wanted, ({ y, sum, mean, rstd }) => {
    const heap = owner.heap(operation);
    if (x.length === 0) {
      // Groups of no elements have statistics all the same: 0 / 0.
      mean?.elements(heap).fill(Number.NaN);
      rstd?.elements(heap).fill(Number.NaN);
      return;
    }
    const { core } = heap;
    const computed = computedWith(common, skip);
    const type = CORE_DTYPE[computed];
    const repeats = skip.length < x.length;
    const isWhole = repeats && isDirect(skip.address, skip.stored, computed);
    // The output that may be x takes its place.
    const sumIsX = sum !== undefined && sum.address !== 0 && sum.address === x.address;
    const parts: Part[] = [
      { per: 'element', input: x, output: sumIsX ? sum : y },
      { per: 'element', input: skip, output: undefined, repeats },
      { per: 'element', input: undefined, output: sumIsX ? y : sum },
      { per: 'position', input: bias, output: undefined },
      { per: 'position', input: gamma, output: undefined },
      { per: 'position', input: beta, output: undefined },
      { per: 'group', input: undefined, output: mean },
      { per: 'group', input: undefined, output: rstd },
    ];
    passThrough(
      operation,
      heap,
      computed,
      x.shape,
      axes.mask,
      parts,
      ({ groups, firstGroup }, from, to, _, workspace, workspaceBytes) =>
        core.skipLayerNorm(
          type,
          from[0] as number,
          from[1] as number,
          from[3] as number,
          from[4] as number,
          from[5] as number,
          to[sumIsX ? 2 : 0] as number,
          to[sumIsX ? 0 : 2] as number,
          to[6] as number,
          to[7] as number,
          workspace,
          workspaceBytes,
          groups,
          cols,
          isWhole ? skipRows : groups,
          isWhole ? firstGroup % skipRows : 0,
          epsilon,
          rms,
        ),
      isSixteenBit(computed) ? ({ groups }) => core.skipLayerNormWorkspace(type, groups, cols) : undefined,
    );
  });
}

/**
 * How many elements a group has. The reduced dimensions have to be the last ones.
 * @throws {@link LayerNormError} `ERR_AXIS`
 */
function columnsOf({ operation, x: { shape }, axes }: CommonArguments): number {
  const kept = keptDimensions(axes.mask);
  for (let i = kept; i < shape.length; i++) {
    if (hasAxis(axes.mask, i)) continue;
    throw new LayerNormError(
      'ERR_AXIS',
      `${operation}: axis is ${describe(axes.axis)}, expected trailing dimensions of x ${formatShape(shape)}: ` +
        `dimension ${i} is not among them`,
    );
  }
  return elementCount(shape.slice(kept));
}

/** How many dimensions come before the first reduced one. */
function keptDimensions(mask: number): number {
  let kept = 0;
  while (!hasAxis(mask, kept)) kept++;
  return kept;
}

/**
 * skip: like x, or like its trailing dimensions.
 * @returns also how many groups it has
 * @throws {@link LayerNormError} `ERR_SHAPE`, and what {@link readOperand} throws
 */
function readSkip(
  { operation, owner, x, dtype, axes }: CommonArguments,
  value: unknown,
): { skip: Operand; rows: number } {
  const skip = readOperand(operation, owner, 'skip', value, undefined, dtype);
  const { shape } = x;
  const kept = keptDimensions(axes.mask);
  const first = skip.shaped ? firstLike(skip.shape, shape) : firstOf(skip.length, shape);
  if (first <= kept) return { skip, rows: elementCount(shape.slice(first, kept)) };
  const found = skip.shaped ? `shape ${formatShape(skip.shape)}` : `${skip.length} elements`;
  const [all, least] = [shape, shape.slice(kept)].map((one) =>
    skip.shaped ? formatShape(one) : elementCount(one),
  );
  throw new LayerNormError(
    'ERR_SHAPE',
    `${operation}: skip has ${found}, expected ${all}, as x ${formatShape(shape)} has, or ${least}, or that of more of ` +
      'the last dimensions',
  );
}

/** The first of the trailing dimensions that two shapes have in common, where there are but ones before them; else infinity. */
function firstLike(skip: Shape, shape: Shape): number {
  const lead = shape.length - skip.length;
  let first = shape.length;
  while (first > Math.max(lead, 0) && skip[first - 1 - lead] === shape[first - 1]) first--;
  const isLike = lead >= 0 && skip.slice(0, first - lead).every((size) => size === 1);
  return isLike ? first : Number.POSITIVE_INFINITY;
}

/** The first of the trailing dimensions that have `length` elements together; infinity where none has. */
function firstOf(length: number, shape: Shape): number {
  const first = shape.findIndex((_, i) => elementCount(shape.slice(i)) === length);
  return first < 0 ? Number.POSITIVE_INFINITY : first;
}
