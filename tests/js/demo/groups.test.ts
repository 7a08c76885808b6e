import {
  type Choice,
  elementIndex,
  elementLabel,
  groupAt,
  groupLabel,
  groupsOf,
  indexIn,
  type Layout,
  layoutOf,
  parameterLabel,
  parametersOf,
  spansOf,
} from '../../../web-demo/src/compute/groups.js';

const layer = (shape: number[], axis: number[]): Layout =>
  layoutOf(shape, { method: 'layer', axis, groups: 1 }, true);
const channels = (
  method: Choice['method'],
  shape: number[],
  axis: number[],
  groups = 1,
  hasBatch = true,
): Layout => layoutOf(shape, { method, axis, groups }, hasBatch);

/** Every shape and method of this file, to find what has to be true of all. */
const LAYOUTS: [string, number[], Layout][] = [
  ...[[3], [2, 3], [0], [1, 3], [0, 2], [0, 1, 2, 3]].map((axis): [string, number[], Layout] => [
    `layer ${axis}`,
    [2, 3, 4, 5],
    layer([2, 3, 4, 5], axis),
  ]),
  ['batch', [2, 3, 4, 5], channels('batch', [2, 3, 4, 5], [1])],
  ['group', [2, 3, 4, 5], channels('group', [2, 3, 4, 5], [2], 2)],
  ['one group', [2, 3, 4, 5], channels('group', [2, 3, 4, 5], [3], 1)],
  ['instance', [2, 3, 4, 5], channels('instance', [2, 3, 4, 5], [3])],
  ['a picture in groups', [8, 5, 3], channels('group', [8, 5, 3], [2], 1, false)],
  ['a grey picture', [24, 5], channels('instance', [24, 5], [], 1, false)],
];

test.each(LAYOUTS)('every element belongs to one place of one group: %s', (_, shape, layout) => {
  const total = shape.reduce((product, size) => product * size, 1);
  const { count, size, starts, offsets } = groupsOf(layout);
  expect(count * size).toBe(total);
  const seen = new Set<number>();
  starts.forEach((start, group) => {
    const spans = spansOf(layout, group);
    offsets.forEach((offset, position) => {
      seen.add(start + offset);
      const index = elementIndex(layout, group, position);
      expect(index).toEqual(
        indexIn(
          shape,
          shape.map((_, d) => d),
          start + offset,
        ),
      );
      expect(groupAt(layout, index).group).toBe(group);
      index.forEach((k, d) => {
        const [from, to] = spans[d] as [number, number];
        expect(k >= from && k < to).toBe(true);
      });
    });
  });
  expect(seen.size).toBe(total);
});

test('positions run row-major, whatever order the axes are named in', () => {
  const { starts, offsets } = groupsOf(layer([2, 3, 4], [2, 0]));
  expect([...starts]).toEqual([0, 4, 8]);
  expect([...offsets]).toEqual([0, 1, 2, 3, 12, 13, 14, 15]);
});

test('a batch normalization group goes across samples, the others stay in one', () => {
  const { starts, offsets } = groupsOf(channels('batch', [3, 2], [1]));
  expect([...starts]).toEqual([0, 1]);
  expect([...offsets]).toEqual([0, 2, 4]);
  expect([...groupsOf(channels('group', [3, 4], [1], 2)).starts]).toEqual([0, 2, 4, 6, 8, 10]);
  expect([...groupsOf(channels('group', [3, 4], [1], 2)).offsets]).toEqual([0, 1]);
  expect(groupsOf(channels('instance', [3, 4], [1])).count).toBe(12);
});

test('gamma and beta belong to positions, or to channels', () => {
  const parametersAt = (layout: Layout): number[][] => {
    const { parameterStarts, parameterOffsets } = groupsOf(layout);
    return [...parameterStarts].map((start) => [...parameterOffsets].map((offset) => start + offset));
  };
  expect(parametersAt(layer([2, 3], [1]))).toEqual([
    [0, 1, 2],
    [0, 1, 2],
  ]);
  expect(parametersAt(channels('batch', [3, 2], [1]))).toEqual([
    [0, 0, 0],
    [1, 1, 1],
  ]);
  expect(parametersAt(channels('group', [2, 4], [1], 2))).toEqual([
    [0, 1],
    [2, 3],
    [0, 1],
    [2, 3],
  ]);
  expect(parametersAt(channels('instance', [2, 2, 2], [1]))).toEqual([
    [0, 0],
    [1, 1],
    [0, 0],
    [1, 1],
  ]);
  expect(parametersAt(channels('batch', [1, 2], [], 1, false))).toEqual([[0, 0]]);
  expect(parametersOf(channels('group', [2, 6, 5], [1], 3))).toBe(6);
  expect(parametersOf(layer([2, 6, 5], [1, 2]))).toBe(30);
  expect(parametersOf(channels('batch', [1, 2], [], 1, false))).toBe(1);
});

test('samples are named as NumPy would, and as the file does', () => {
  const axes = [{ size: 2, names: ['setosa', 'virginica'] }, { size: 4 }];
  expect(groupLabel(layer([2, 4], [1]), axes, 1)).toEqual({ code: 'x[1, :]', name: 'virginica' });
  expect(groupLabel(layer([2, 4], [0]), axes, 3)).toEqual({ code: 'x[:, 3]' });
  expect(groupLabel(layer([2, 4], [0, 1]), axes, 0)).toEqual({ code: 'x[:, :]' });
  expect(groupLabel(layer([2, 3, 4], [2]), [], 5)).toEqual({ code: 'x[1, 2, :]' });
});

test('channels and groups are named by number, or as the file does', () => {
  const axes = [{ size: 2, names: ['setosa', 'virginica'] }, { size: 4 }];
  const plain = [{ size: 2 }, { size: 4, names: ['a', 'b', 'c', 'd'] }];
  const shape = [2, 4];
  expect(groupLabel(channels('batch', shape, [1]), axes, 3)).toEqual({ code: 'x[:, 3]', name: 'channel 3' });
  expect(groupLabel(channels('batch', shape, [1]), plain, 3)).toEqual({ code: 'x[:, 3]', name: 'd' });
  expect(groupLabel(channels('group', shape, [1], 2), axes, 3)).toEqual({
    code: 'x[1, 2:4]',
    name: 'virginica, group 1',
  });
  expect(groupLabel(channels('group', shape, [1], 1), plain, 1)).toEqual({
    code: 'x[1, :]',
    name: 'sample 1, group 0',
  });
  expect(groupLabel(channels('instance', shape, [1]), plain, 5)).toEqual({
    code: 'x[1, 1]',
    name: 'sample 1, b',
  });
  expect(groupLabel(channels('instance', [2, 3, 4], [1]), [], 4)).toEqual({
    code: 'x[1, 1, :]',
    name: 'sample 1, channel 1',
  });
  expect(groupLabel(channels('batch', [5, 6], [], 1, false), [], 0)).toEqual({ code: 'x[:, :]' });
});

test('elements are named by their column, or else by their indices', () => {
  const axes = [
    { size: 2, names: ['setosa', 'setosa'] },
    { size: 2, names: ['a', 'b'], namesAreUnique: true },
  ];
  expect(elementLabel(layer([2, 2], [1]), axes, 1, undefined)).toBe('b');
  expect(elementLabel(layer([2, 2], [0]), axes, 1, undefined)).toBe('[1] setosa');
  expect(elementLabel(layer([2, 2], [0, 1]), axes, 2, undefined)).toBe('[1, 0]');
  expect(elementLabel(channels('batch', [2, 2], [1]), axes, 1, undefined)).toBe('[1] setosa');
  expect(elementLabel(channels('instance', [2, 2], [1]), axes, 0, undefined)).toBe('the only element');
});

test('an element of a group of channels is named in its group, or by its place in any', () => {
  const axes = [{ size: 2 }, { size: 4, names: ['a', 'b', 'c', 'd'], namesAreUnique: true }];
  const flat = channels('group', [2, 4], [1], 2);
  expect(elementLabel(flat, axes, 1, 3)).toBe('d');
  expect(elementLabel(flat, axes, 1, undefined)).toBe('channel 2 of 2');
  const deep = channels('group', [2, 4, 3], [1], 2);
  const three = [...axes, { size: 3 }];
  expect(elementLabel(deep, three, 4, 1)).toBe('[3, 1]');
  expect(elementLabel(deep, three, 4, undefined)).toBe('[+1, 1]');
  expect(elementLabel(channels('group', [2, 4], [1], 1), axes, 3, undefined)).toBe('d');
});

test('parameters are named by their position or their channel', () => {
  const axes = [{ size: 2 }, { size: 2, names: ['a', 'b'], namesAreUnique: true }];
  expect(parameterLabel(layer([2, 2], [1]), axes, 1)).toBe('b');
  expect(parameterLabel(channels('batch', [2, 2], [1]), axes, 1)).toBe('b');
  expect(parameterLabel(channels('instance', [2, 2], [0]), axes, 1)).toBe('channel 1');
  expect(parameterLabel(channels('batch', [2, 2], [], 1, false), axes, 0)).toBe('the only channel');
});

test('indices of a position', () => {
  expect(indexIn([2, 3, 4], [0, 2], 6)).toEqual([1, 2]);
  expect(indexIn([2, 3, 4], [], 0)).toEqual([]);
});
