import fc from 'fast-check';
import {
  type Block,
  type BlockPlan,
  blocksOf,
  copyBlockIn,
  copyBlockOut,
  copyRun,
  planBlocks,
} from '../../../js/src/tensor/blocks.js';
import { elementCount } from '../../../js/src/tensor/shape.js';

const KiB = 1024;

const summary = (plan: BlockPlan): { dims: number[]; run: number; blocks: number } => {
  const blocks = [...blocksOf(plan)];
  const { dims, run } = blocks[0] as Block;
  return { dims, run, blocks: blocks.length };
};

describe('blocks of 128 KiB', () => {
  test('what fits is one block, whatever its axes', () => {
    expect(summary(planBlocks([4, 8], 0b01, 4))).toEqual({ dims: [4, 8], run: 32, blocks: 1 });
    expect(summary(planBlocks([2, 3, 4], 0b101, 4))).toEqual({ dims: [2, 3, 4], run: 24, blocks: 1 });
  });

  test('rows: as many as fit', () => {
    expect(summary(planBlocks([2048, 768], 0b10, 4))).toEqual({ dims: [42, 768], run: 42 * 768, blocks: 49 });
    expect(summary(planBlocks([2048, 768], 0b10, 8))).toEqual({ dims: [21, 768], run: 21 * 768, blocks: 98 });
  });

  test('a row that is larger is a block of its own', () => {
    expect(summary(planBlocks([3, 100_000], 0b10, 4))).toEqual({
      dims: [1, 100_000],
      run: 100_000,
      blocks: 3,
    });
  });

  test('columns: side by side, at least 256 bytes of them', () => {
    expect(summary(planBlocks([100, 768], 0b01, 4))).toEqual({ dims: [100, 327], run: 327, blocks: 3 });
    expect(summary(planBlocks([100_000, 768], 0b01, 4))).toEqual({
      dims: [100_000, 64],
      run: 64,
      blocks: 12,
    });
    expect(summary(planBlocks([100_000, 768], 0b01, 8))).toEqual({
      dims: [100_000, 32],
      run: 32,
      blocks: 24,
    });
  });

  test('the cut goes through the first kept dimension that is small enough', () => {
    expect(summary(planBlocks([64, 128, 256], 0b010, 4))).toEqual({
      dims: [1, 128, 256],
      run: 32768,
      blocks: 64,
    });
    expect(summary(planBlocks([4, 128, 1024], 0b010, 4))).toEqual({
      dims: [1, 128, 256],
      run: 256,
      blocks: 16,
    });
    expect(summary(planBlocks([6, 64, 8, 32], 0b1010, 4))).toEqual({
      dims: [2, 64, 8, 32],
      run: 32768,
      blocks: 3,
    });
  });

  test('one group is one block', () => {
    expect(summary(planBlocks([1000, 1000], 0b11, 4))).toEqual({
      dims: [1_000_000],
      run: 1_000_000,
      blocks: 1,
    });
  });

  test('nothing is cut without a limit', () => {
    expect(planBlocks([100_000, 768], 0b01, 4, Number.MAX_SAFE_INTEGER)).toMatchObject({
      split: -1,
      groups: 768,
    });
  });

  test('with limit 0 each block is one group', () => {
    const plan = planBlocks([10, 20, 30], 0b010, 4, 0);
    expect(plan).toMatchObject({ elements: 20, groups: 1 });
    expect(summary(plan)).toEqual({ dims: [1, 20, 1], run: 1, blocks: 300 });
  });
});

/** Shapes of up to five dimensions, with a set of axes and a limit that cuts them finely. */
const problems = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 5 }).chain((shape) =>
  fc.record({
    shape: fc.constant(shape),
    axes: fc.integer({ min: 1, max: 2 ** shape.length - 1 }),
    limit: fc.constantFrom(0, 4, 16, 64, 256, 1024, 128 * KiB),
  }),
);

test('blocks cover every element once, group after group, within the size that the plan promises', () => {
  fc.assert(
    fc.property(problems, ({ shape, axes, limit }) => {
      const size = elementCount(shape);
      const plan = planBlocks(shape, axes, 4, limit);
      const source = Float32Array.from({ length: size }, (_, i) => i + 1);
      const heap = new Float32Array(plan.elements);
      const seen = new Float32Array(size);
      let groups = 0;
      for (const block of blocksOf(plan)) {
        expect(block.firstGroup).toBe(groups);
        expect(elementCount(block.dims)).toBe(block.elements);
        expect(block.elements).toBeLessThanOrEqual(plan.elements);
        expect(block.groups).toBeLessThanOrEqual(plan.groups);
        if (plan.contiguous) expect(block.run).toBe(block.elements);
        groups += block.groups;
        heap.fill(0);
        copyBlockIn(heap, 0, source, plan, block);
        expect(heap.subarray(0, block.elements).includes(0)).toBe(false);
        copyBlockOut(seen, heap, 0, plan, block);
      }
      expect(seen).toEqual(source);
      expect(groups).toBe(elementCount(shape.filter((_, i) => ((axes >>> i) & 1) === 0)));
    }),
  );
});

test('each block holds whole groups, in the order in which the core expects them', () => {
  fc.assert(
    fc.property(problems, ({ shape, axes, limit }) => {
      const isReduced = (d: number): boolean => ((axes >>> d) & 1) === 1;
      // Every element carries the number of its group.
      const groupOf = Float32Array.from({ length: elementCount(shape) }, (_, i) => {
        let [rest, group, scale] = [i, 0, 1];
        for (let d = shape.length - 1; d >= 0; d--) {
          const size = shape[d] as number;
          if (!isReduced(d)) {
            group += (rest % size) * scale;
            scale *= size;
          }
          rest = Math.floor(rest / size);
        }
        return group;
      });
      const plan = planBlocks(shape, axes, 4, limit);
      const heap = new Float32Array(plan.elements);
      for (const block of blocksOf(plan)) {
        copyBlockIn(heap, 0, groupOf, plan, block);
        for (let i = 0; i < block.elements; i++) {
          let [rest, group, scale] = [i, 0, 1];
          for (let d = block.dims.length - 1; d >= 0; d--) {
            const size = block.dims[d] as number;
            if (((block.axes >>> d) & 1) === 0) {
              group += (rest % size) * scale;
              scale *= size;
            }
            rest = Math.floor(rest / size);
          }
          expect(heap[i]).toBe(block.firstGroup + group);
        }
      }
    }),
  );
});

test.each([10, 48, 49, 500])('copies a run of %i elements, whole or from the middle', (length) => {
  const source = Float64Array.from({ length: length + 20 }, (_, i) => i + 0.1);
  const target = new Float32Array(length + 40);
  copyRun(target, 7, source, 3, length);
  expect(Array.from(target.subarray(7, 7 + length))).toEqual(
    Array.from(source.subarray(3, 3 + length), Math.fround),
  );
  expect(target.subarray(0, 7).some(Boolean) || target.subarray(7 + length).some(Boolean)).toBe(false);
  copyRun(target, 0, source, 0, source.length);
  expect(target[length + 19]).toBe(Math.fround(length + 19.1));
});
