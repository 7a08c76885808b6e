// The oracle: slow, obvious, in float64 with compensated sums.

/** Sum with the rounding error of every addition added at the end (Neumaier). */
export function sum(values: readonly number[]): number {
  let total = 0;
  let lost = 0;
  for (const value of values) {
    const next = total + value;
    lost += Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total;
    total = next;
  }
  return total + lost;
}

export interface Reference {
  y: Float64Array;
  /** y before gamma and beta. */
  normalized: Float64Array;
  /** One for each group, row-major over the kept dimensions. */
  mean: Float64Array;
  rstd: Float64Array;
}

export interface ReferenceOptions {
  axes: readonly number[];
  epsilon?: number;
  gamma?: ArrayLike<number>;
  beta?: ArrayLike<number>;
  rmsScaling?: boolean;
}

/** Layer normalization by its formula: every element looks up its group and its place in gamma and beta. */
export function layerNormReference(
  x: ArrayLike<number>,
  shape: readonly number[],
  { axes, epsilon = 1e-3, gamma, beta, rmsScaling = false }: ReferenceOptions,
): Reference {
  const groups: number[][] = [];
  const groupOf: number[] = [];
  const positionOf: number[] = [];
  for (let i = 0; i < x.length; i++) {
    const index = indexOf(i, shape);
    const group = flatten(index, shape, (d) => !axes.includes(d));
    groupOf[i] = group;
    positionOf[i] = flatten(index, shape, (d) => axes.includes(d));
    groups[group] ??= [];
    groups[group].push(x[i] as number);
  }
  const mean = Float64Array.from(groups, (group) => {
    const first = sum(group) / group.length;
    return first + sum(group.map((value) => value - first)) / group.length;
  });
  const rstd = Float64Array.from(groups, (group, g) => {
    const variance = sum(group.map((value) => (value - (mean[g] as number)) ** 2)) / group.length;
    return 1 / Math.sqrt(variance + epsilon);
  });
  const normalized = Float64Array.from(groupOf, (g, i) => {
    return ((x[i] as number) - (rmsScaling ? 0 : (mean[g] as number))) * (rstd[g] as number);
  });
  const y = normalized.map((value, i) => {
    const position = positionOf[i] as number;
    return value * (gamma?.[position] ?? 1) + (beta?.[position] ?? 0);
  });
  return { y, normalized, mean, rstd };
}

export interface BackwardReference {
  dx: Float64Array;
  dgamma: Float64Array;
  dbeta: Float64Array;
  /** What the rounding errors of each element are relative to: the sums of the absolute values that it is made of. */
  sizes: { dx: Float64Array; dgamma: Float64Array; dbeta: Float64Array };
}

/** The gradient by its formula, from mean and rstd as they were saved. */
export function layerNormBackwardReference(
  dy: ArrayLike<number>,
  x: ArrayLike<number>,
  shape: readonly number[],
  {
    axes,
    mean,
    rstd,
    gamma,
    rmsScaling = false,
  }: Pick<ReferenceOptions, 'axes' | 'gamma' | 'rmsScaling'> & {
    mean: ArrayLike<number>;
    rstd: ArrayLike<number>;
  },
): BackwardReference {
  const place = Array.from({ length: x.length }, (_, i) => {
    const index = indexOf(i, shape);
    return {
      group: flatten(index, shape, (d) => !axes.includes(d)),
      position: flatten(index, shape, (d) => axes.includes(d)),
    };
  });
  const count = axes.reduce((product, d) => product * (shape[d] as number), 1);
  const of = (array: ArrayLike<number>, i: number): number => array[i] as number;
  const centred = place.map(({ group }, i) => of(x, i) - of(mean, group));
  const h = place.map(({ group }, i) => (rmsScaling ? of(x, i) : of(centred, i)) * of(rstd, group));
  const g = place.map(({ position }, i) => of(dy, i) * (gamma?.[position] ?? 1));
  const sumBy = (key: 'group' | 'position', values: (i: number) => number): Float64Array => {
    const lists: number[][] = [];
    place.forEach((one, i) => {
      lists[one[key]] ??= [];
      lists[one[key]]?.push(values(i));
    });
    return Float64Array.from(lists, sum);
  };
  const sums = (size: (value: number) => number) => {
    const sumG = rmsScaling ? undefined : sumBy('group', (i) => size(of(g, i)));
    const sumGh = sumBy('group', (i) => size(of(g, i) * of(h, i)));
    return Float64Array.from(place, ({ group }, i) => {
      const r = of(rstd, group);
      const scaled = size(-of(centred, i) * r * r) * (of(sumGh, group) / count);
      const offset = size(-r) * (sumG ? of(sumG, group) / count : 0);
      return size(of(g, i) * r) + scaled + offset;
    });
  };
  return {
    dx: sums((value) => value),
    dgamma: sumBy('position', (i) => of(dy, i) * of(h, i)),
    dbeta: sumBy('position', (i) => of(dy, i)),
    sizes: {
      dx: sums(Math.abs),
      dgamma: sumBy('position', (i) => Math.abs(of(dy, i) * of(h, i))),
      dbeta: sumBy('position', (i) => Math.abs(of(dy, i))),
    },
  };
}

export interface AboutZeroReference {
  y: Float64Array;
  /** One for each group, row-major over the kept dimensions. */
  rstd: Float64Array;
  /** Of the sum of y * dy; zeros without dy. */
  dx: Float64Array;
  dgamma: Float64Array;
}

/**
 * RMS normalization and its gradient by their formulas, or with `unit` those of unit normalization, whose gradient is a
 * constant's where the norm is not above epsilon.
 */
export function aboutZeroReference(
  x: ArrayLike<number>,
  shape: readonly number[],
  {
    axes,
    epsilon,
    unit = false,
    gamma,
    dy,
  }: {
    axes: readonly number[];
    epsilon: number;
    unit?: boolean;
    gamma?: ArrayLike<number> | undefined;
    dy?: ArrayLike<number>;
  },
): AboutZeroReference {
  const groupOf: number[] = [];
  const positionOf: number[] = [];
  const members: number[][] = [];
  for (let i = 0; i < x.length; i++) {
    const index = indexOf(i, shape);
    const group = flatten(index, shape, (d) => !axes.includes(d));
    groupOf[i] = group;
    positionOf[i] = flatten(index, shape, (d) => axes.includes(d));
    members[group] ??= [];
    members[group].push(i);
  }
  const at = (array: ArrayLike<number>, i: number): number => array[i] as number;
  const squares = members.map((group) => sum(group.map((i) => at(x, i) ** 2)));
  const count = members[0]?.length ?? 0;
  const rstd = Float64Array.from(squares, (square) =>
    unit ? 1 / Math.max(Math.sqrt(square), epsilon) : 1 / Math.sqrt(square / count + epsilon),
  );
  const h = Float64Array.from(groupOf, (group, i) => at(x, i) * at(rstd, group));
  const factor = positionOf.map((position) => gamma?.[position] ?? 1);
  const g = factor.map((value, i) => value * (dy?.[i] ?? 0));
  const part = members.map((group, n) => {
    if (unit && Math.sqrt(at(squares, n)) <= epsilon) return 0;
    return sum(group.map((i) => at(g, i) * at(h, i))) / (unit ? 1 : count);
  });
  const dgamma = new Float64Array(count);
  for (let i = 0; i < x.length; i++) {
    const position = at(positionOf, i);
    dgamma[position] = at(dgamma, position) + (dy?.[i] ?? 0) * at(h, i);
  }
  return {
    y: h.map((value, i) => value * at(factor, i)),
    rstd,
    dx: h.map((value, i) => at(rstd, at(groupOf, i)) * (at(g, i) - value * at(part, at(groupOf, i)))),
    dgamma,
  };
}

/** The indices, outermost first, of the i-th element in row-major order. */
function indexOf(i: number, shape: readonly number[]): number[] {
  const index: number[] = [];
  let rest = i;
  for (let d = shape.length - 1; d >= 0; d--) {
    const size = shape[d] as number;
    index.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return index;
}

/** Where an element lies, row-major, in an array of the chosen dimensions only. */
function flatten(index: readonly number[], shape: readonly number[], chosen: (d: number) => boolean): number {
  return index.reduce((at, value, d) => (chosen(d) ? at * (shape[d] as number) + value : at), 0);
}
