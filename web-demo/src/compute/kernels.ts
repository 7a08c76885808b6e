// The calls of layernorm: which function does what has been chosen, with which options.

import {
  batchNorm,
  batchNormForward,
  groupNorm,
  groupNormForward,
  instanceNorm,
  instanceNormForward,
  layerNorm,
  layerNormForward,
  moments,
  rmsNorm,
  rmsNormForward,
  tensor,
  unitNorm,
  unitNormForward,
} from 'layernorm';
import type { Numbers } from '../parse/dataset.js';
import type { Bits, SixteenBit } from '../parse/sixteen_bit.js';
import type { Choice, Layout } from './groups.js';
import { epsilonText, METHODS, type MethodName } from './methods.js';

export type Floats = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

/** Options of a call; only those that its function knows. */
export interface CallOptions {
  shape: number[];
  /** What x, a `Uint16Array`, holds the bits of. */
  dtype?: SixteenBit;
  axis: number | number[];
  groups?: number;
  epsilon: number;
  gamma?: Floats;
  beta?: Floats;
  out?: Floats | Uint16Array<ArrayBuffer>;
}

interface Forward {
  /** Bits where x is. */
  readonly y: Floats | Uint16Array<ArrayBuffer>;
  readonly mean?: Floats;
  readonly rstd: Floats;
}

// What x is decides what all results are, which the types of the functions cannot say of a union of arrays.
type Typed = (x: Numbers, options: never) => unknown;
const PLAIN: Record<MethodName, Typed> = {
  layer: layerNorm,
  rms: rmsNorm,
  unit: unitNorm,
  batch: batchNorm,
  group: groupNorm,
  instance: instanceNorm,
};
const FORWARD: Record<MethodName, Typed> = {
  layer: layerNormForward,
  rms: rmsNormForward,
  unit: unitNormForward,
  batch: batchNormForward,
  group: groupNormForward,
  instance: instanceNormForward,
};

/** @returns y; of an x of 16 bits as bits, which {@link normalizeForward} says */
export function normalize(method: MethodName, x: Numbers, options: CallOptions): Floats {
  return PLAIN[method](x, options as never) as Floats;
}

export function normalizeForward(method: MethodName, x: Numbers, options: CallOptions): Forward {
  return FORWARD[method](x, options as never) as Forward;
}

/**
 * @param hasBatch - whether dimension 0 counts samples; else x becomes a batch of one where the method knows batches
 * @param dtype - of an x of 16 bits
 */
export function optionsOf(
  shape: readonly number[],
  { method, axis, groups, epsilon }: Choice & { epsilon: number },
  hasBatch: boolean,
  gamma: Floats | undefined,
  beta: Floats | undefined,
  dtype?: SixteenBit | undefined,
): CallOptions {
  const { isPerChannel, hasGamma, hasBeta } = METHODS[method];
  const options: CallOptions = { shape: [...shape], axis: [...axis], epsilon };
  if (isPerChannel) {
    const [channel] = axis;
    options.shape = [...(hasBatch ? [] : [1]), ...shape, ...(channel === undefined ? [1] : [])];
    options.axis = channel === undefined ? options.shape.length - 1 : channel + (hasBatch ? 0 : 1);
  }
  if (dtype) options.dtype = dtype;
  if (method === 'group') options.groups = groups;
  if (hasGamma && gamma) options.gamma = gamma;
  if (hasBeta && beta) options.beta = beta;
  return options;
}

/** The call as one would write it. */
export function callText(
  method: MethodName,
  { shape, dtype, axis, groups, epsilon, gamma, beta }: CallOptions,
): string {
  const list = (numbers: readonly number[]): string => `[${numbers.join(', ')}]`;
  const options = [
    `shape: ${list(shape)}`,
    dtype ? `dtype: '${dtype}'` : [],
    `axis: ${typeof axis === 'number' ? axis : axis.length === 1 ? axis[0] : list(axis)}`,
    groups === undefined ? [] : `groups: ${groups}`,
    `epsilon: ${epsilonText(epsilon)}`,
    gamma ? 'gamma' : [],
    beta ? 'beta' : [],
  ];
  return `${METHODS[method].operation}(x, { ${options.flat().join(', ')} })`;
}

/** The mean of each group, and what the method divides by, computed by the kernel: without epsilon, rstd is 1 / that. */
export function statistics(
  method: MethodName,
  values: Numbers,
  layout: Layout,
  out: Floats,
): { mean: Floats; scale: Floats } {
  const { scale } = METHODS[method];
  const { shape, axis } = merged(layout);
  const options: CallOptions = { shape, axis, epsilon: 0, out };
  const reduction = scale === 'std' ? 'layer' : scale === 'rms' ? 'rms' : 'unit';
  const { mean: given, rstd } = normalizeForward(reduction, values, options);
  const mean = given ?? (moments(values, { shape, axis }).mean as Floats);
  // NaN and infinities leave a group without either.
  return { mean, scale: rstd.map((value, g) => (Number.isNaN(mean[g]) ? Number.NaN : 1 / value)) as Floats };
}

/** Neighbouring dimensions of the same role as one: a dimension that is cut may be one too many for the package. */
function merged({ shape, reduced }: Layout): { shape: number[]; axis: number[] } {
  const sizes: number[] = [];
  const roles: boolean[] = [];
  shape.forEach((size, d) => {
    const role = reduced.includes(d);
    const last = sizes.length - 1;
    if (roles[last] === role) sizes[last] = (sizes[last] as number) * size;
    else {
      sizes.push(size);
      roles.push(role);
    }
  });
  return { shape: sizes, axis: sizes.map((_, d) => d).filter((d) => roles[d]) };
}

/** Numbers rounded to a type of 16 bits, by the package. */
export function narrow(numbers: Floats, dtype: SixteenBit): Bits {
  const rounded = tensor(numbers, [numbers.length], dtype);
  // Browsers that know Float16Array show one.
  const { buffer, byteOffset, length } = rounded.array;
  const array = new Uint16Array(buffer, byteOffset, length).slice();
  rounded.dispose();
  return { dtype, array };
}
