import { bytes, columnFormat, duration, significant } from '../../../web-demo/src/ui/format.js';

test.each([
  [0, '0'],
  [-0, '0'],
  [1.23456, '1.235'],
  [-0.5, '−0.5'],
  [1e-5, '1e−5'],
  [0.001, '0.001'],
  [123456, '123500'],
  [1.5e7, '1.5e7'],
  [Number.NaN, 'NaN'],
  [Number.NEGATIVE_INFINITY, '−∞'],
])('%d on its own is %s', (value, text) => {
  expect(significant(value)).toBe(text);
});

test('the numbers of a column have the same decimals, and no negative zero', () => {
  const format = columnFormat(12);
  expect([12.3456, -1, 1e-9, -1e-9].map(format)).toEqual(['12.35', '−1.00', '0.00', '0.00']);
  expect(columnFormat(0)(0)).toBe('0.000');
  expect([-1.5e8, 1234, 0].map(columnFormat(1e8))).toEqual(['−1.5e8', '1230', '0']);
  expect(columnFormat(1)(Number.NaN)).toBe('NaN');
});

test('times and sizes', () => {
  expect([0.0021, 3.4567, 2000].map(duration)).toEqual(['2.1 µs', '3.46 ms', '2 s']);
  expect([4800, 12, 2.5e9].map(bytes)).toEqual(['4.8 kB', '12 B', '2.5 GB']);
});
