// Which elements share one mean: the geometry of a shape and a set of axes. Such a group is what the page calls a sample.

import type { Axis } from '../parse/dataset.js';

export interface Groups {
  readonly shape: readonly number[];
  /** Dimensions that a sample spans, ascending. */
  readonly reduced: readonly number[];
  /** Dimensions that count the samples, ascending. */
  readonly kept: readonly number[];
  /** How many samples there are. */
  readonly count: number;
  /** How many elements each of them has. */
  readonly size: number;
  /** Element p of sample g lies at starts[g] + offsets[p]. */
  readonly starts: Uint32Array;
  readonly offsets: Uint32Array;
}

export function groupsOf(shape: readonly number[], axes: readonly number[]): Groups {
  const reduced = shape.map((_, d) => d).filter((d) => axes.includes(d));
  const kept = shape.map((_, d) => d).filter((d) => !axes.includes(d));
  const offsets = offsetsOf(shape, reduced);
  const starts = offsetsOf(shape, kept);
  return { shape, reduced, kept, count: starts.length, size: offsets.length, starts, offsets };
}

/** Where each position in the chosen dimensions lies, row-major, with index 0 in all the others. */
function offsetsOf(shape: readonly number[], chosen: readonly number[]): Uint32Array {
  let offsets = new Uint32Array(1);
  for (const d of chosen) {
    const size = shape[d] as number;
    const stride = shape.slice(d + 1).reduce((product, n) => product * n, 1);
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

export interface Label {
  /** As NumPy writes it: x[50, :]. */
  readonly code: string;
  /** What the file calls it: versicolor. */
  readonly name?: string;
}

export function sampleLabel({ shape, kept }: Groups, axes: readonly Axis[], group: number): Label {
  const index = indexIn(shape, kept, group);
  const parts = shape.map((_, d) => (kept.includes(d) ? String(index[kept.indexOf(d)]) : ':'));
  const names = kept.flatMap((d, i) => axes[d]?.names?.[index[i] as number] ?? []);
  return { code: `x[${parts.join(', ')}]`, ...(names.length > 0 ? { name: names.join(', ') } : {}) };
}

/** A position inside a sample: by its name where that says it all, else by its indices. */
export function elementLabel(
  { shape, reduced }: Pick<Groups, 'shape' | 'reduced'>,
  axes: readonly Axis[],
  position: number,
): string {
  const index = indexIn(shape, reduced, position);
  const [only] = reduced;
  const axis = reduced.length === 1 && only !== undefined ? axes[only] : undefined;
  const name = axis?.names?.[position];
  if (name !== undefined && axis?.namesAreUnique) return name;
  return name === undefined ? `[${index.join(', ')}]` : `[${index.join(', ')}] ${name}`;
}
