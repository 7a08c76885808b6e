// The oracle of what has one gamma and one beta for each channel: slow, obvious, in float64 with compensated sums.
import { sum } from './reference.js';

/** Of each element of x: with which others it is normalized, and which channel it belongs to. */
export interface Places {
  group: number[];
  channel: number[];
}

/** Statistics of each channel over all else. */
export function batchPlaces(shape: readonly number[], axis: number): Places {
  const channel = indices(shape, axis);
  return { group: channel, channel };
}

/** Statistics of each sample over `groups` groups of neighbouring channels. */
export function groupPlaces(shape: readonly number[], axis: number, groups: number): Places {
  const channels = shape.at(axis) as number;
  const channel = indices(shape, axis);
  const samples = indices(shape, 0);
  const group = channel.map(
    (one, i) => (samples[i] as number) * groups + Math.floor((one * groups) / channels),
  );
  return { group, channel };
}

/** The index along one dimension of each element. */
function indices(shape: readonly number[], axis: number): number[] {
  const size = shape.at(axis) as number;
  const inner = shape.slice(axis < 0 ? axis + shape.length + 1 : axis + 1).reduce((a, b) => a * b, 1);
  const length = shape.reduce((a, b) => a * b, 1);
  return Array.from({ length }, (_, i) => Math.floor(i / inner) % size);
}

/** Which elements of x count, of a mask of the shape of x without its last dimension. */
export function countsOf(mask: ArrayLike<number>, shape: readonly number[]): boolean[] {
  const last = shape.at(-1) as number;
  return Array.from({ length: mask.length * last }, (_, i) => mask[Math.floor(i / last)] !== 0);
}

const of = (array: ArrayLike<number>, i: number): number => array[i] as number;

/** The elements of each group, or of each channel, in order. */
function lists(places: readonly number[], values: (i: number) => number): number[][] {
  const all = Array.from({ length: Math.max(...places) + 1 }, (): number[] => []);
  places.forEach((place, i) => {
    all[place]?.push(values(i));
  });
  return all;
}

export interface ChannelReference {
  y: Float64Array;
  /** y before gamma and beta. */
  normalized: Float64Array;
  mean: Float64Array;
  variance: Float64Array;
  rstd: Float64Array;
}

export interface ChannelReferenceOptions {
  epsilon?: number;
  gamma?: ArrayLike<number> | undefined;
  beta?: ArrayLike<number> | undefined;
  /** Which elements count: sums are divided by their number and 1e-7 more. */
  counts?: readonly boolean[];
  /** Given rather than taken of x. */
  mean?: ArrayLike<number>;
  variance?: ArrayLike<number>;
}

/** Normalization by its formula: every element looks up its group and its channel. */
export function channelReference(
  x: ArrayLike<number>,
  { group, channel }: Places,
  options: ChannelReferenceOptions = {},
): ChannelReference {
  const { epsilon = 1e-3, gamma, beta, counts } = options;
  const weight = (i: number): number => (counts?.[i] === false ? 0 : 1);
  const sizes = lists(group, weight).map((weights) => sum(weights) + (counts ? 1e-7 : 0));
  const average = (values: (i: number) => number): Float64Array =>
    Float64Array.from(lists(group, values), (list, g) => sum(list) / of(sizes, g));
  const first = average((i) => weight(i) * of(x, i));
  // Once more, of the distances. With a mask they would not add up to the same.
  const rest = average((i) => of(x, i) - of(first, of(group, i)));
  const mean = Float64Array.from(options.mean ?? first.map((one, g) => one + (counts ? 0 : of(rest, g))));
  const variance = Float64Array.from(
    options.variance ?? average((i) => weight(i) * (of(x, i) - of(mean, of(group, i))) ** 2),
  );
  const rstd = variance.map((one) => 1 / Math.sqrt(one + epsilon));
  const normalized = Float64Array.from(group, (g, i) => (of(x, i) - of(mean, g)) * of(rstd, g));
  const y = normalized.map((one, i) => {
    const c = of(channel, i);
    return one * (gamma?.[c] ?? 1) + (beta?.[c] ?? 0);
  });
  return { y, normalized, mean, variance, rstd };
}

export interface ChannelGradientReference {
  dx: Float64Array;
  dgamma: Float64Array;
  dbeta: Float64Array;
  /** What the rounding errors of each element are relative to: the sums of the absolute values that it is made of. */
  sizes: { dx: Float64Array; dgamma: Float64Array; dbeta: Float64Array };
}

/** The gradient by its formula, from mean and rstd as they were saved. */
export function channelGradientReference(
  dy: ArrayLike<number>,
  x: ArrayLike<number>,
  { group, channel }: Places,
  {
    mean,
    rstd,
    gamma,
    counts,
    training = true,
  }: {
    mean: ArrayLike<number>;
    rstd: ArrayLike<number>;
    gamma?: ArrayLike<number> | undefined;
    counts?: readonly boolean[];
    /** Whether mean and rstd depend on x. */
    training?: boolean;
  },
): ChannelGradientReference {
  const weight = (i: number): number => (counts?.[i] === false ? 0 : 1);
  const totals = lists(group, weight).map((weights) => sum(weights) + (counts ? 1e-7 : 0));
  const h = (i: number): number => (of(x, i) - of(mean, of(group, i))) * of(rstd, of(group, i));
  const g = (i: number): number => of(dy, i) * (gamma?.[of(channel, i)] ?? 1);
  const sums = (places: readonly number[], values: (i: number) => number): Float64Array =>
    Float64Array.from(lists(places, values), sum);
  const dx = (size: (value: number) => number): Float64Array => {
    const sumG = sums(group, (i) => size(g(i)));
    const sumGh = sums(group, (i) => size(g(i) * h(i)));
    return Float64Array.from(group, (at, i) => {
      const scale = training ? (weight(i) / of(totals, at)) * of(rstd, at) : 0;
      return size(g(i) * of(rstd, at)) + size(-scale) * of(sumG, at) + size(-scale * h(i)) * of(sumGh, at);
    });
  };
  const parameters = (size: (value: number) => number) => ({
    dgamma: sums(channel, (i) => size(of(dy, i) * h(i))),
    dbeta: sums(channel, (i) => size(of(dy, i))),
  });
  const same = (value: number): number => value;
  return {
    dx: dx(same),
    ...parameters(same),
    sizes: { dx: dx(Math.abs), ...parameters(Math.abs) },
  };
}
