// Which elements share one mean: the geometry of a shape and a method. Such a group is what the page shows as a row.

import type { Axis } from '../parse/dataset.js';
import { METHODS, type MethodName } from './methods.js';

/** How a shape falls into groups, without a list of them. */
export interface Layout {
  /** The shape of x, a dimension that is cut as two: which part, and where in it. */
  readonly shape: readonly number[];
  /** Dimensions of this shape that a group spans, ascending. */
  readonly reduced: readonly number[];
  /** Dimensions of this shape that count the groups, ascending. */
  readonly kept: readonly number[];
  /** The dimension of x that is cut: that of the channels, where the method knows any. */
  readonly cut?: number;
  /** Dimensions of this shape that gamma and beta have: those that a group spans, or those of the channels. */
  readonly parameters: readonly number[];
}

export interface Groups extends Layout {
  /** How many groups there are. */
  readonly count: number;
  /** How many elements each of them has. */
  readonly size: number;
  /** Element p of group g lies at starts[g] + offsets[p]. */
  readonly starts: Uint32Array;
  readonly offsets: Uint32Array;
  /** Its gamma and beta lie at parameterStarts[g] + parameterOffsets[p]. */
  readonly parameterStarts: Uint32Array;
  readonly parameterOffsets: Uint32Array;
}

/** The part of the settings that the geometry depends on. */
export interface Choice {
  readonly method: MethodName;
  /** The dimensions that a sample spans; or that of the channels, none where all of x is one channel. */
  readonly axis: readonly number[];
  /** How many groups the channels are split into, where the method asks for that. */
  readonly groups: number;
}

/** @param hasBatch - whether dimension 0 counts samples; else all of x is one sample */
export function layoutOf(shape: readonly number[], choice: Choice, hasBatch: boolean): Layout {
  const { isPerChannel, keepsSamples } = METHODS[choice.method];
  const all = shape.map((_, d) => d);
  if (!isPerChannel) {
    const reduced = all.filter((d) => choice.axis.includes(d));
    return { shape, reduced, kept: all.filter((d) => !reduced.includes(d)), parameters: reduced };
  }
  const [cut] = choice.axis;
  if (cut === undefined) return { shape, reduced: all, kept: [], parameters: [] };
  const channels = shape[cut] as number;
  const parts = choice.method === 'group' ? choice.groups : channels;
  const split = [...shape.slice(0, cut), parts, channels / parts, ...shape.slice(cut + 1)];
  const kept = keepsSamples && hasBatch ? [0, cut] : [cut];
  return {
    shape: split,
    reduced: split.map((_, d) => d).filter((d) => !kept.includes(d)),
    kept,
    cut,
    parameters: [cut, cut + 1],
  };
}

export function groupsOf(layout: Layout): Groups {
  const { shape, reduced, kept, parameters } = layout;
  const offsets = offsetsOf(shape, reduced);
  const starts = offsetsOf(shape, kept);
  return {
    ...layout,
    count: starts.length,
    size: offsets.length,
    starts,
    offsets,
    parameterStarts: offsetsOf(shape, kept, parameters),
    parameterOffsets: offsetsOf(shape, reduced, parameters),
  };
}

export function countOf({ shape, kept }: Pick<Layout, 'shape' | 'kept'>): number {
  return kept.reduce((product, d) => product * (shape[d] as number), 1);
}

/**
 * Where each position in the chosen dimensions lies, row-major, with index 0 in all the others.
 * @param within - the dimensions of the array that it lies in, the others do not move it there
 */
function offsetsOf(
  shape: readonly number[],
  chosen: readonly number[],
  within: readonly number[] = shape.map((_, d) => d),
): Uint32Array {
  let offsets = new Uint32Array(1);
  for (const d of chosen) {
    const size = shape[d] as number;
    const stride = within.includes(d)
      ? within.filter((w) => w > d).reduce((product, w) => product * (shape[w] as number), 1)
      : 0;
    const next = new Uint32Array(offsets.length * size);
    for (let i = 0; i < offsets.length; i++) {
      for (let k = 0; k < size; k++) next[i * size + k] = (offsets[i] as number) + k * stride;
    }
    offsets = next;
  }
  return offsets;
}

/** Indices in some dimensions of the i-th position in them, row-major. */
export function indexIn(shape: readonly number[], chosen: readonly number[], i: number): number[] {
  const index: number[] = [];
  let rest = i;
  for (const d of [...chosen].reverse()) {
    const size = shape[d] as number;
    index.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return index;
}

/** The group of an element of x, and its indices in the dimensions that count the groups. */
export function groupAt(layout: Layout, index: readonly number[]): { group: number; kept: number[] } {
  const { shape, cut } = layout;
  const width = cut === undefined ? 1 : (shape[cut + 1] as number);
  const split = index.flatMap((k, d) => (d === cut ? [Math.floor(k / width), k % width] : [k]));
  const kept = layout.kept.map((d) => split[d] as number);
  const group = layout.kept.reduce((at, d, i) => at * (shape[d] as number) + (kept[i] as number), 0);
  return { group, kept };
}

/** Where an element of x stands in its group. */
export function positionAt({ shape, reduced, cut }: Layout, index: readonly number[]): number {
  const width = cut === undefined ? 1 : (shape[cut + 1] as number);
  const split = index.flatMap((k, d) => (d === cut ? [Math.floor(k / width), k % width] : [k]));
  return reduced.reduce((at, d) => at * (shape[d] as number) + (split[d] as number), 0);
}

/** From where to where a group goes in each dimension of x; the end is not in it. */
export function spansOf(layout: Layout, group: number): [number, number][] {
  const { shape, kept, cut } = layout;
  const index = indexIn(shape, kept, group);
  const spans = shape.map((size, d): [number, number] => {
    const at = index[kept.indexOf(d)];
    return at === undefined ? [0, size] : [at, at + 1];
  });
  if (cut === undefined) return spans;
  const [[from], [, width]] = spans.slice(cut, cut + 2) as [[number, number], [number, number]];
  return [...spans.slice(0, cut), [from * width, (from + 1) * width], ...spans.slice(cut + 2)];
}

/** The indices in x of an element. */
export function elementIndex(layout: Layout, group: number, position: number): number[] {
  const { shape, kept, reduced, cut } = layout;
  const inGroup = indexIn(shape, reduced, position);
  const ofGroup = indexIn(shape, kept, group);
  const index = shape.map(
    (_, d) => (kept.includes(d) ? ofGroup[kept.indexOf(d)] : inGroup[reduced.indexOf(d)]) as number,
  );
  if (cut === undefined) return index;
  const [part, k] = index.slice(cut, cut + 2) as [number, number];
  return [...index.slice(0, cut), part * (shape[cut + 1] as number) + k, ...index.slice(cut + 2)];
}

export interface Label {
  /** As NumPy writes it: x[50, :]. */
  readonly code: string;
  /** What the file calls it: versicolor; or what the method does: sample 50, group 1. */
  readonly name?: string;
}

export function groupLabel(layout: Layout, axes: readonly Axis[], group: number): Label {
  const { shape, kept, cut } = layout;
  const spans = spansOf(layout, group);
  const isWhole = (d: number): boolean =>
    d === cut ? shape[cut] === 1 && (shape[cut + 1] as number) > 1 : !kept.includes(placeOf(layout, d));
  const parts = spans.map(([from, to], d) =>
    isWhole(d) ? ':' : to - from === 1 ? String(from) : `${from}:${to}`,
  );
  const names = spans.flatMap(([from], d): string | readonly [] => {
    if (!kept.includes(placeOf(layout, d))) return [];
    if (cut === undefined) return axes[d]?.names?.[from] ?? [];
    if (d !== cut) return axes[d]?.names?.[from] ?? `sample ${from}`;
    const width = shape[cut + 1] as number;
    return width === 1 ? (axes[d]?.names?.[from] ?? `channel ${from}`) : `group ${from / width}`;
  });
  return { code: `x[${parts.join(', ')}]`, ...(names.length > 0 ? { name: names.join(', ') } : {}) };
}

/** Where a dimension of x is in the shape of a layout; of one that is cut, the first of the two. */
function placeOf({ cut }: Layout, d: number): number {
  return cut !== undefined && d > cut ? d + 1 : d;
}

/** A position inside a group: by its name where that says it all, else by its indices. Channels depend on the group. */
export function elementLabel(
  layout: Layout,
  axes: readonly Axis[],
  position: number,
  group: number | undefined,
): string {
  const { shape, reduced, cut } = layout;
  const width = cut === undefined ? 1 : (shape[cut + 1] as number);
  const spanned = axes
    .map((_, d) => d)
    .filter((d) => (d === cut ? width > 1 : reduced.includes(placeOf(layout, d))));
  if (spanned.length === 0) return 'the only element';
  const isAnyGroup = group === undefined && cut !== undefined && width > 1 && shape[cut] !== 1;
  const index = elementIndex(layout, group ?? 0, position);
  if (isAnyGroup) {
    const place = index[cut] as number;
    if (spanned.length === 1) return `channel ${place + 1} of ${width}`;
    return `[${spanned.map((d) => (d === cut ? `+${place}` : index[d])).join(', ')}]`;
  }
  const [only] = spanned;
  const axis = spanned.length === 1 && only !== undefined ? axes[only] : undefined;
  const name = axis?.names?.[index[only as number] as number];
  if (name !== undefined && axis?.namesAreUnique) return name;
  const code = `[${spanned.map((d) => index[d]).join(', ')}]`;
  return name === undefined ? code : `${code} ${name}`;
}

/** Which parameter it is: by the position that it belongs to, or by the channel. */
export function parameterLabel(layout: Layout, axes: readonly Axis[], i: number): string {
  const { cut } = layout;
  if (layout.parameters.length === 0) return 'the only channel';
  if (cut === undefined) return elementLabel(layout, axes, i, undefined);
  const { names, namesAreUnique } = axes[cut] ?? {};
  const name = names?.[i];
  if (name === undefined) return `channel ${i}`;
  return namesAreUnique ? name : `channel ${i} ${name}`;
}

/** How many parameters there are. */
export function parametersOf({ shape, parameters }: Layout): number {
  return parameters.reduce((product, d) => product * (shape[d] as number), 1);
}
