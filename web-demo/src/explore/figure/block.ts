// A tensor as a block of cubes: which dimension goes where, which cubes are drawn, to which group each belongs, and from where
// one sees the group best.

import { elementIndex, groupAt, indexIn, type Layout } from '../../compute/groups.js';
import type { Axis } from '../../parse/dataset.js';
import type { Camera, Vec3 } from '../../ui/projection.js';

/** The ways through the block: to the right, down, and away from the viewer. */
export const WAYS = ['across', 'down', 'deep'] as const;
export type Way = (typeof WAYS)[number];
export type PerWay<T> = Readonly<Record<Way, T>>;

/** The dimensions of x that one way stands for, all of their positions, and those that are drawn. */
export interface Side {
  readonly dims: readonly number[];
  readonly size: number;
  readonly first: number;
  readonly count: number;
  /** Where the centre of each drawn cube is, from that of the first one. */
  readonly centres: readonly number[];
}

export interface Cube {
  /** Among those drawn, from the left, from above, and from the front. */
  readonly at: PerWay<number>;
  /** Its indices in x. */
  readonly index: readonly number[];
  readonly group: number;
  /** Whether it is in the group of the cell in focus, and whether it is that cell. */
  readonly isSame: boolean;
  readonly isFocus: boolean;
  /** Neighbouring groups differ in it. */
  readonly isOdd: boolean;
  readonly centre: Vec3;
}

export interface Block {
  readonly sides: PerWay<Side>;
  readonly cubes: readonly Cube[];
  /** How far the block reaches from its centre, in cubes. */
  readonly half: Vec3;
  /** Which drawn positions the group in focus takes. */
  readonly span: PerWay<readonly [first: number, last: number]>;
  /** The face of the group that says most: it should be seen. */
  readonly facing: 'front' | 'side' | 'top' | 'all';
  /** The drawn cubes have one row in depth. */
  readonly isSheet: boolean;
}

/** A way that is a little longer than MOST is drawn as a whole: "..." would take as much room. */
const MOST: PerWay<number> = { across: 8, down: 6, deep: 6 };
const MOST_WHOLE: PerWay<number> = { across: 8, down: 9, deep: 6 };
/** Between samples that lie one behind the other or one below the other, and between the runs of a dimension inside another. In cubes. */
const [DEEP_GAP, DOWN_GAP, RUN_GAP] = [0.6, 0.35, 0.18];

/** Which dimensions of x go which way. Samples lie one behind the other, or one below the other where there are but two axes. */
export function waysOf(
  axes: readonly Pick<Axis, 'noun'>[],
  { cut }: Pick<Layout, 'cut'>,
  hasBatch: boolean,
): PerWay<readonly number[]> {
  const all = axes.map((_, d) => d);
  if (all.length === 1) return { across: all, down: [], deep: [] };
  if (all.length === 2) return { across: [1], down: [0], deep: [] };
  if (!hasBatch) return { across: [1], down: [0], deep: all.slice(2) };
  if (all.length === 3) return { across: [2], down: [1], deep: [0] };
  const named = axes.findIndex(({ noun }) => noun === 'channels');
  const channel = named > 0 ? named : cut !== undefined && cut > 0 ? cut : 1;
  return { across: [channel], down: all.filter((d) => d > 0 && d !== channel), deep: [0] };
}

/**
 * @param before - what was drawn before: what is drawn stays as it is while the cell in focus is in it
 */
export function blockOf(
  axes: readonly Axis[],
  layout: Layout,
  hasBatch: boolean,
  group: number,
  position: number,
  before?: Block,
): Block {
  const sizes = axes.map(({ size }) => size);
  const focus = elementIndex(layout, group, position);
  const ways = waysOf(axes, layout, hasBatch);
  const placeIn = (dims: readonly number[], index: readonly number[]): number =>
    dims.reduce((at, d) => at * (sizes[d] as number) + (index[d] as number), 0);
  const perWay = <T>(make: (way: Way) => T): PerWay<T> => ({
    across: make('across'),
    down: make('down'),
    deep: make('deep'),
  });

  const sides = perWay((way): Side => {
    const dims = ways[way];
    const size = dims.reduce((product, d) => product * (sizes[d] as number), 1);
    const count = size <= MOST_WHOLE[way] ? size : MOST[way];
    const place = placeIn(dims, focus);
    const last = before?.sides[way];
    const kept = last?.size === size ? last.first : 0;
    const first = Math.max(Math.min(kept, place, size - count), place - count + 1);
    const isSamples = hasBatch && dims.length === 1 && dims[0] === 0 && sizes.length > 1;
    const gap = !isSamples ? 0 : way === 'deep' ? DEEP_GAP : DOWN_GAP;
    const run = dims.length > 1 ? (sizes[dims.at(-1) as number] as number) : 1;
    const centres = Array.from({ length: count }, (_, i) => {
      const runs = Math.floor((first + i) / run) - Math.floor(first / run);
      return i * (1 + gap) + (run > 1 ? runs * RUN_GAP : 0);
    });
    return { dims, size, first, count, centres };
  });
  const half = ([sides.across, sides.down, sides.deep] as const).map(
    ({ centres }) => ((centres.at(-1) as number) + 1) / 2,
  ) as unknown as Vec3;
  const focusAt = perWay((way) => placeIn(ways[way], focus) - sides[way].first);

  const cubes: Cube[] = [];
  const span = perWay((): [number, number] => [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
  for (let deep = 0; deep < sides.deep.count; deep++) {
    for (let down = 0; down < sides.down.count; down++) {
      for (let across = 0; across < sides.across.count; across++) {
        const at = { across, down, deep };
        const index = new Array<number>(sizes.length).fill(0);
        for (const way of WAYS) {
          const { dims, first } = sides[way];
          indexIn(sizes, dims, first + at[way]).forEach((k, i) => {
            index[dims[i] as number] = k;
          });
        }
        const { group: own, kept } = groupAt(layout, index);
        const isSame = own === group;
        if (isSame) {
          for (const way of WAYS) {
            span[way][0] = Math.min(span[way][0], at[way]);
            span[way][1] = Math.max(span[way][1], at[way]);
          }
        }
        cubes.push({
          at,
          index,
          group: own,
          isSame,
          isFocus: WAYS.every((way) => at[way] === focusAt[way]),
          isOdd: kept.reduce((total, k) => total + k, 0) % 2 === 1,
          centre: [
            (sides.across.centres[across] as number) + 0.5 - half[0],
            half[1] - 0.5 - (sides.down.centres[down] as number),
            half[2] - 0.5 - (sides.deep.centres[deep] as number),
          ],
        });
      }
    }
  }

  const isPart = (way: Way): boolean => span[way][1] - span[way][0] + 1 < sides[way].count;
  return {
    sides,
    cubes,
    half,
    span,
    facing: isPart('deep') ? 'front' : isPart('across') ? 'side' : isPart('down') ? 'top' : 'all',
    isSheet: sides.deep.count === 1,
  };
}

/** From where the group is best seen. A slab that stands upright is seen from the side that it is nearer to. */
export function bestCamera({ facing, isSheet, sides, span }: Block): Camera {
  const [first, last] = span.across;
  const isLeft = first + last < sides.across.count - 1;
  if (isSheet) {
    if (facing === 'side') return { yaw: isLeft ? -38 : 38, pitch: 16 };
    return { yaw: 24, pitch: facing === 'all' ? 18 : 32 };
  }
  switch (facing) {
    case 'front':
      return { yaw: 30, pitch: 24 };
    case 'side':
      return { yaw: isLeft ? -60 : 60, pitch: 24 };
    case 'top':
      return { yaw: 34, pitch: 50 };
    case 'all':
      return { yaw: 44, pitch: 32 };
  }
}

/** Whether a cube stands before the face of the group that is to be seen, and has to let the eye through. */
export function isBefore({ facing, span, isSheet }: Block, { at }: Cube, { yaw }: Camera): boolean {
  if (isSheet) return false;
  switch (facing) {
    case 'front':
      return at.deep < span.deep[0];
    case 'side':
      return yaw < 0 ? at.across < span.across[0] : at.across > span.across[1];
    case 'top':
      return at.down < span.down[0];
    case 'all':
      return false;
  }
}

/** The faces of cubes that can be seen; which of the two sides depends on where one stands. */
export type Face = 'front' | 'top' | 'side';

/**
 * Draws from the back to the front: each cube, with those of its faces that no neighbour hides.
 * @param isClear - whether one sees through a cube
 */
export function paintOrder(
  { sides, cubes }: Block,
  { yaw }: Camera,
  isClear: (cube: Cube) => boolean,
): { cube: Cube; faces: Face[] }[] {
  const [width, height, depth] = [sides.across.count, sides.down.count, sides.deep.count];
  const cubeAt = (across: number, down: number, deep: number): Cube | undefined =>
    across < 0 || across >= width || down < 0 || deep < 0
      ? undefined
      : cubes[(deep * height + down) * width + across];
  const touches = (way: Way, i: number, k: number): boolean => {
    const { centres } = sides[way];
    return Math.abs((centres[i] as number) - (centres[k] as number)) < 1.001;
  };
  const order: { cube: Cube; faces: Face[] }[] = [];
  const near = yaw < 0 ? -1 : 1;
  for (let deep = depth - 1; deep >= 0; deep--) {
    for (let down = height - 1; down >= 0; down--) {
      for (let i = 0; i < width; i++) {
        const across = yaw < 0 ? width - 1 - i : i;
        const cube = cubeAt(across, down, deep) as Cube;
        const hides = (other: Cube | undefined, way: Way): boolean =>
          other !== undefined &&
          touches(way, cube.at[way], other.at[way]) &&
          (!isClear(other) || isClear(cube));
        const faces: Face[] = [];
        if (!hides(cubeAt(across, down, deep - 1), 'deep')) faces.push('front');
        if (!hides(cubeAt(across, down - 1, deep), 'down')) faces.push('top');
        if (!hides(cubeAt(across + near, down, deep), 'across')) faces.push('side');
        order.push({ cube, faces });
      }
    }
  }
  return order;
}
