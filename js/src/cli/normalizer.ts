// What happens to the rows: the operations of this package on a block of them.

import {
  batchNorm,
  type DType,
  type FinalMoments,
  type FloatArray,
  groupNorm,
  instanceNorm,
  layerNorm,
  type Output,
  rmsNorm,
  type Tensor,
  type TensorLike,
  tensor,
  unitNorm,
} from '../index.js';
import type { FileDType } from '../io.js';
import { newElements } from './binary.js';
import { usageFailure } from './failure.js';
import { type Block, bytesOf } from './rows.js';

export const METHODS = ['layer', 'rms', 'unit', 'instance', 'group', 'batch'] as const;
export type Method = (typeof METHODS)[number];

/** How to normalize. What is undefined is as the operation has it. */
export interface Normalization {
  readonly method: Method;
  /** One for the channels, or those that are reduced: as the operation of this package has it. */
  readonly axis?: readonly number[] | undefined;
  readonly epsilon?: number | undefined;
  readonly groups?: number | undefined;
  readonly gamma?: TensorLike | undefined;
  readonly beta?: TensorLike | undefined;
  /** Of `batch`: the statistics of all rows. */
  readonly moments?: FinalMoments | undefined;
}

/** Which options go with which method, besides axis and epsilon. */
const TAKES: Readonly<Record<Method, readonly (keyof Normalization)[]>> = {
  ...{ layer: ['gamma', 'beta'], rms: ['gamma'], unit: [] },
  ...{ instance: ['gamma', 'beta'], group: ['gamma', 'beta', 'groups'], batch: ['gamma', 'beta', 'moments'] },
};
const OPTIONAL = ['gamma', 'beta', 'groups', 'moments'] as const;

/** Refuses options that a method has no use for. */
export function checkMethod(method: Method, given: Readonly<Partial<Record<string, unknown>>>): void {
  for (const name of OPTIONAL) {
    if (given[name] === undefined || TAKES[method].includes(name)) continue;
    throw usageFailure(`--${name} is not for --method ${method}`);
  }
}

/** The axes of rows, counted from the front; what makes rows depend on each other is refused. */
export function checkAxes({ method, axis = [-1] }: Normalization, rank: number): void {
  const axes = axis.map((one) => (one < 0 ? one + rank : one));
  if (!axes.includes(0)) return; // the operations refuse those that there are not
  if (method === 'batch') {
    throw usageFailure(
      `--axis ${axis} gives each row a mean and a variance of its own, which is --method layer over the other axes`,
    );
  }
  if (method === 'instance' || method === 'group') {
    throw usageFailure(`--axis ${axis} names the batch, dimension 0, expected the dimension of the channels`);
  }
  throw usageFailure(
    `--axis ${axis} goes over all rows, expected axes from 1 to ${rank - 1}: the statistics of all rows are those of --method batch`,
  );
}

/** An array that says what it is. */
interface Given {
  readonly data: object;
  readonly shape: readonly number[];
  readonly dtype: string;
}

/** Runs the operation: its result in `out`, where that is given, else in a container of the kind of x. */
function normalize(x: Given | Tensor, how: Normalization, dtype: DType, out?: Output): unknown {
  const { method, axis, epsilon, gamma, beta, groups, moments } = how;
  const common = {
    axis: axis?.length === 1 ? axis[0] : axis,
    epsilon,
    dtype,
    // Whichever kind of container it is, the types of the operations are for those who know.
    out: out as Tensor | undefined,
  };
  // Operations on channels take one axis, and say so.
  const channels = { ...common, axis: common.axis as number | undefined, gamma, beta };
  if (method === 'layer') return layerNorm(x, { ...common, gamma, beta });
  if (method === 'rms') return rmsNorm(x, { ...common, gamma });
  if (method === 'unit') return unitNorm(x, common);
  if (method === 'instance') return instanceNorm(x, channels);
  if (method === 'group') return groupNorm(x, { ...channels, groups });
  const { mean, variance } = moments as FinalMoments;
  return batchNorm(x, { ...channels, mean, variance });
}

/** What becomes of blocks. */
export interface NormalizerOptions {
  readonly how: Normalization;
  readonly rowShape: readonly number[];
  /** The type of the rows. */
  readonly from: FileDType;
  /** The type of the results. */
  readonly to: DType;
  /** Whether threads share the work, which they do on what lies in their memory. */
  readonly threads?: boolean;
}

/**
 * Makes the function that normalizes a block. Its result is valid until the call after the next one, and may take the place of the rows.
 *
 * With `batch`, whose statistics are known in float64, it is computed in float64 and rounded once: the mean of data far from zero
 * is no number of float32.
 * @throws what the operation throws for rows of this shape, before there are any
 */
export function normalizer(options: NormalizerOptions): (block: Block) => FloatArray {
  const { how, rowShape, from, to, threads = false } = options;
  const computed = how.method === 'batch' ? 'float64' : to;
  const given = (rows: number, data: object): Given => ({ data, shape: [rows, ...rowShape], dtype: from });
  // Whatever is wrong with the options is wrong for no rows, too.
  normalize(given(0, newElements(from, 0)), how, computed);

  // One result is written while the next is computed.
  const nextResult = inTurns(2, to);
  const nextWide = inTurns(1, computed);

  return ({ rows, data }) => {
    const y = from === to ? (data as FloatArray) : nextResult(data.length);
    const x = given(rows, data);
    if (threads) return throughHeap(tensor(x), how, computed, to, y);
    if (computed === to) return normalize(x, how, to, y) as FloatArray;
    const wide = nextWide(data.length);
    normalize(x, how, computed, wide);
    return convert(wide, to, y);
  };
}

/** Makes arrays of a type, some of which are used in turns. */
function inTurns(count: number, dtype: DType): (length: number) => FloatArray {
  const arrays: FloatArray[] = [];
  let turn = 0;
  return (length) => {
    turn = (turn + 1) % count;
    const known = arrays[turn];
    const array =
      known !== undefined && known.length >= length ? known : (newElements(dtype, length) as FloatArray);
    arrays[turn] = array;
    return array.subarray(0, length);
  };
}

/** Normalizes what lies in the memory of the threads. */
function throughHeap(x: Tensor, how: Normalization, computed: DType, to: DType, y: FloatArray): FloatArray {
  try {
    const result = normalize(x, how, computed, x.dtype === computed ? x : undefined) as Tensor;
    convert(result, to, y);
    result.dispose();
    return y;
  } finally {
    x.dispose();
  }
}

/** Rounds elements to a type, into an array that has them as they are stored. */
function convert(elements: FloatArray | Tensor, to: DType, y: FloatArray): FloatArray {
  const converted = tensor(elements, undefined, to);
  bytesOf(y).set(bytesOf(converted.array));
  converted.dispose();
  return y;
}
