import { type Choice, countOf, groupAt, groupsOf, layoutOf } from '../../../web-demo/src/compute/groups.js';
import {
  type Block,
  bestCamera,
  blockOf,
  isBefore,
  paintOrder,
  WAYS,
  waysOf,
} from '../../../web-demo/src/explore/figure/block.js';
import { projector } from '../../../web-demo/src/ui/projection.js';

type Case = [string, number[], Choice, boolean];

const choice = (method: Choice['method'], axis: number[], groups = 1): Choice => ({ method, axis, groups });
const CASES: Case[] = [
  ['a row', [5], choice('layer', [0]), true],
  ['layer of [N, D]', [6, 8], choice('layer', [1]), true],
  ['the columns of [N, D]', [6, 8], choice('layer', [0]), true],
  ['batch of [N, D]', [6, 8], choice('batch', [1]), true],
  ['layer of [B, T, D]', [2, 3, 6], choice('layer', [2]), true],
  ['layer of [B, T, D], two axes', [2, 3, 6], choice('layer', [1, 2]), true],
  ['batch of [B, T, D]', [2, 3, 6], choice('batch', [2]), true],
  ['batch of [N, C, L]', [2, 3, 6], choice('batch', [1]), true],
  ['layer of [N, C, H, W]', [2, 4, 3, 3], choice('layer', [1, 2, 3]), true],
  ['batch of [N, C, H, W]', [2, 4, 3, 3], choice('batch', [1]), true],
  ['group of [N, C, H, W]', [2, 4, 3, 3], choice('group', [1], 2), true],
  ['instance of [N, H, W, C]', [2, 3, 3, 4], choice('instance', [3]), true],
  ['everything', [2, 4, 3, 3], choice('layer', [0, 1, 2, 3]), true],
  ['a large tensor', [32, 64, 14, 14], choice('batch', [1]), true],
  ['five axes', [3, 4, 2, 5, 2], choice('group', [1], 2), true],
  ['a picture', [40, 50, 3], choice('batch', [2]), false],
];

/** The groups that are looked at, from the first to the last. */
function blocksOf([, shape, chosen, hasBatch]: Case): { block: Block; group: number; position: number }[] {
  const axes = shape.map((size) => ({ size }));
  const layout = layoutOf(shape, chosen, hasBatch);
  const { size } = groupsOf(layout);
  const count = countOf(layout);
  let before: Block | undefined;
  return [0, Math.floor(count / 2), count - 1].map((group, i) => {
    const position = Math.floor((i * (size - 1)) / 2);
    before = blockOf(axes, layout, hasBatch, group, position, before);
    return { block: before, group, position };
  });
}

test.each(CASES)('the cubes of the group are those that share its statistic: %s', (...one) => {
  const [, shape, chosen, hasBatch] = one;
  const layout = layoutOf(shape, chosen, hasBatch);
  const { starts, offsets } = groupsOf(layout);
  for (const { block, group, position } of blocksOf(one)) {
    const members = new Set([...offsets].map((offset) => (starts[group] as number) + offset));
    const flat = (index: readonly number[]): number =>
      index.reduce((at, k, d) => at * (shape[d] as number) + k, 0);
    const seen = new Set<number>();
    for (const { index, isSame, isFocus, group: own } of block.cubes) {
      index.forEach((k, d) => {
        expect(k >= 0 && k < (shape[d] as number)).toBe(true);
      });
      seen.add(flat(index));
      expect(isSame).toBe(members.has(flat(index)));
      expect(own).toBe(groupAt(layout, index).group);
      expect(isFocus).toBe(flat(index) === (starts[group] as number) + (offsets[position] as number));
    }
    expect(seen.size).toBe(block.cubes.length);
    expect(block.cubes.filter(({ isFocus }) => isFocus).length).toBe(1);
    expect(block.cubes.length).toBeLessThanOrEqual(8 * 9 * 6);
  }
});

test.each(CASES)('every dimension goes one way, and small tensors are drawn as a whole: %s', (...one) => {
  const [, shape] = one;
  for (const { block } of blocksOf(one)) {
    expect(WAYS.flatMap((way) => [...block.sides[way].dims]).sort()).toEqual(shape.map((_, d) => d));
    const total = shape.reduce((product, size) => product * size, 1);
    if (total <= 72) expect(block.cubes.length).toBe(total);
  }
});

test('what is drawn stays while the cell in focus is in it', () => {
  const layout = layoutOf([100, 4], choice('layer', [1]), true);
  const axes = [{ size: 100 }, { size: 4 }];
  const rows = (block: Block) => [block.sides.down.first, block.sides.down.count];
  const far = blockOf(axes, layout, true, 50, 0);
  expect(rows(far)).toEqual([45, 6]);
  const near = blockOf(axes, layout, true, 47, 0, far);
  expect(rows(near)).toEqual([45, 6]);
  expect(rows(blockOf(axes, layout, true, 44, 0, near))).toEqual([44, 6]);
});

test('channels go to the right, wherever they are', () => {
  const axes = [{}, {}, {}, {}];
  expect(waysOf(axes, { cut: 3 }, true).across).toEqual([3]);
  expect(waysOf(axes, {}, true)).toEqual({ across: [1], down: [2, 3], deep: [0] });
  expect(waysOf([{}, {}, {}, { noun: 'channels' }], {}, true).across).toEqual([3]);
});

test('a group in one sample is seen from the front, one through all samples from a side or from above', () => {
  const facing = (shape: number[], chosen: Choice) =>
    blocksOf(['', shape, chosen, true]).map(({ block }) => block.facing)[0];
  expect(facing([2, 4, 3, 3], choice('layer', [1, 2, 3]))).toBe('front');
  expect(facing([2, 3, 6], choice('layer', [2]))).toBe('front');
  expect(facing([2, 4, 3, 3], choice('instance', [1]))).toBe('front');
  expect(facing([2, 4, 3, 3], choice('batch', [1]))).toBe('side');
  expect(facing([2, 3, 6], choice('batch', [1]))).toBe('top');
  expect(facing([2, 3, 6], choice('layer', [0, 1, 2]))).toBe('all');
});

/** Whether a point is in the outline of a cube's front, side or top, as it is seen. */
function faceCovers(
  at: { x: number; y: number },
  faces: [number, number, number][][],
  camera: { yaw: number; pitch: number },
) {
  const project = projector(camera);
  return faces.some((face) => {
    const corners = face.map((corner) => project(corner));
    const signs = corners.map((a, i) => {
      const b = corners[(i + 1) % 4] as (typeof corners)[number];
      return (b.x - a.x) * (at.y - a.y) - (b.y - a.y) * (at.x - a.x);
    });
    return signs.every((sign) => sign > 1e-9) || signs.every((sign) => sign < -1e-9);
  });
}

test.each(CASES)('nothing opaque hides the cubes of the group: %s', (...one) => {
  for (const { block } of blocksOf(one)) {
    if (block.facing === 'all') continue;
    const camera = bestCamera(block);
    const side = camera.yaw < 0 ? -0.5 : 0.5;
    const project = projector(camera);
    const order = paintOrder(block, camera, (cube) => isBefore(block, cube, camera));
    expect(order.length).toBe(block.cubes.length);
    order.forEach(({ cube, faces }, i) => {
      if (!cube.isSame || faces.length === 0) return;
      // Some face of it is in sight: its middle is not painted over by a cube of another group.
      const [x, y, z] = cube.centre;
      const middles = {
        front: [x, y, z + 0.5],
        side: [x + side, y, z],
        top: [x, y + 0.5, z],
      } as const;
      const isSeen = faces.some((face) => {
        const at = project(middles[face]);
        return !order.slice(i + 1).some(({ cube: other, faces: painted }) => {
          if (other.isSame || isBefore(block, other, camera)) return false;
          const [ox, oy, oz] = other.centre;
          const square = (make: (a: number, b: number) => [number, number, number]) =>
            [make(-0.5, -0.5), make(0.5, -0.5), make(0.5, 0.5), make(-0.5, 0.5)] as [
              number,
              number,
              number,
            ][];
          const all = {
            front: square((a, b) => [ox + a, oy + b, oz + 0.5]),
            side: square((a, b) => [ox + side, oy + a, oz + b]),
            top: square((a, b) => [ox + a, oy + 0.5, oz + b]),
          };
          return faceCovers(
            at,
            painted.map((name) => all[name]),
            camera,
          );
        });
      });
      expect(isSeen).toBe(true);
    });
  }
});

test('what is nearer is painted later, from either side', () => {
  const layout = layoutOf([3, 3, 3], choice('layer', [2]), true);
  const block = blockOf([{ size: 3 }, { size: 3 }, { size: 3 }], layout, true, 4, 1);
  for (const camera of [
    { yaw: 50, pitch: 30 },
    { yaw: -50, pitch: 30 },
  ]) {
    const order = paintOrder(block, camera, () => false).map(({ cube }) => cube);
    const near = camera.yaw < 0 ? -1 : 1;
    order.forEach((a, i) => {
      for (const b of order.slice(i + 1)) {
        // b must not lie behind a in every direction.
        const isBehind =
          b.at.deep >= a.at.deep && b.at.down >= a.at.down && (b.at.across - a.at.across) * near <= 0;
        expect(isBehind).toBe(false);
      }
    });
  }
});
