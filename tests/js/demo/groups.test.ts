import { elementLabel, groupsOf, indexIn, sampleLabel } from '../../../web-demo/src/compute/groups.js';

test('every element belongs to one place of one sample', () => {
  const shape = [2, 3, 4, 5];
  for (const axes of [[3], [2, 3], [0], [1, 3], [0, 2], [0, 1, 2, 3]]) {
    const { count, size, starts, offsets } = groupsOf(shape, axes);
    const places = [...starts].flatMap((start) => [...offsets].map((offset) => start + offset));
    expect(count * size).toBe(120);
    expect(new Set(places).size).toBe(120);
  }
});

test('positions run row-major, whatever order the axes are named in', () => {
  const { starts, offsets } = groupsOf([2, 3, 4], [2, 0]);
  expect([...starts]).toEqual([0, 4, 8]);
  expect([...offsets]).toEqual([0, 1, 2, 3, 12, 13, 14, 15]);
});

test('samples are named as NumPy would, and as the file does', () => {
  const axes = [{ size: 2, names: ['setosa', 'virginica'] }, { size: 4 }];
  expect(sampleLabel(groupsOf([2, 4], [1]), axes, 1)).toEqual({ code: 'x[1, :]', name: 'virginica' });
  expect(sampleLabel(groupsOf([2, 4], [0]), axes, 3)).toEqual({ code: 'x[:, 3]' });
  expect(sampleLabel(groupsOf([2, 4], [0, 1]), axes, 0)).toEqual({ code: 'x[:, :]' });
  expect(sampleLabel(groupsOf([2, 3, 4], [2]), [], 5)).toEqual({ code: 'x[1, 2, :]' });
});

test('elements are named by their column, or else by their indices', () => {
  const axes = [
    { size: 2, names: ['setosa', 'setosa'] },
    { size: 2, names: ['a', 'b'], namesAreUnique: true },
  ];
  expect(elementLabel(groupsOf([2, 2], [1]), axes, 1)).toBe('b');
  expect(elementLabel(groupsOf([2, 2], [0]), axes, 1)).toBe('[1] setosa');
  expect(elementLabel(groupsOf([2, 2], [0, 1]), axes, 2)).toBe('[1, 0]');
});

test('indices of a position', () => {
  expect(indexIn([2, 3, 4], [0, 2], 6)).toEqual([1, 2]);
  expect(indexIn([2, 3, 4], [], 0)).toEqual([]);
});
