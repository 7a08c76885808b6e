import {
  binCount,
  binsOver,
  carriedOver,
  countIn,
  type Elements,
  extentOf,
  joined,
} from '../../../web-demo/src/compute/histogram.js';

const elementsOf = (values: ArrayLike<number>): Elements => ({
  values,
  start: 0,
  offsets: Uint32Array.from({ length: values.length }, (_, i) => i),
});

/** The histogram in which a group is shown on its own. */
function histogramOf(values: ArrayLike<number>) {
  const elements = elementsOf(values);
  const extent = extentOf(elements);
  const bins = binsOver(extent, binCount(elements, extent));
  return { extent, bins, counts: countIn(elements, bins) };
}

/** Even numbers with a bell's shape. */
const bell = (n: number) =>
  Float64Array.from({ length: n }, (_, i) => {
    const at = (i * 0.618033988749895) % 1;
    return Math.log((at + 0.5 / n) / (1 - at + 0.5 / n));
  });

test('a group is what lies at its offsets', () => {
  const elements = { values: [9, 1, 9, 2, 9, 4.5], start: 1, offsets: Uint32Array.of(0, 2, 4) };
  const extent = extentOf(elements);
  expect(extent).toEqual({ min: 1, max: 4.5, finite: 3, nan: 0, infinite: 0, isWhole: false });
  expect(countIn(elements, { low: 1, high: 4.5, count: 2 })).toEqual([2, 1]);
});

test('the elements of an Iris flower lie in three bins', () => {
  const { bins, counts } = histogramOf([5.1, 3.5, 1.4, 0.2]);
  expect(bins).toEqual({ low: 0.2, high: 5.1, count: 3 });
  expect(counts).toEqual([2, 0, 2]);
});

// Freedman and Diaconis for n = 1000 with the quartiles of this shape, +-log 3: width 2 * 2 log 3 / 10.
test('many elements have as many bins as Freedman and Diaconis ask for, and not too many', () => {
  const values = bell(1000);
  const { bins, extent } = histogramOf(values);
  const width = (4 * Math.log(3)) / 10;
  expect(Math.abs(bins.count - (extent.max - extent.min) / width)).toBeLessThan(1.5);
  expect(histogramOf(bell(1_000_000)).bins.count).toBe(64);
});

test.each([1, 2, 4, 17, 1000, 100_000])('all of %d elements are counted', (n) => {
  const values = bell(n);
  const { counts, bins } = histogramOf(values);
  expect(counts).toHaveLength(bins.count);
  expect(counts.reduce((a, b) => a + b)).toBe(n);
  expect(bins.count).toBeGreaterThanOrEqual(1);
});

test('NaN and infinities are counted apart', () => {
  const { extent, counts } = histogramOf([
    Number.NaN,
    1,
    Number.POSITIVE_INFINITY,
    2.5,
    Number.NEGATIVE_INFINITY,
  ]);
  expect(extent).toEqual({ min: 1, max: 2.5, finite: 2, nan: 1, infinite: 2, isWhole: false });
  expect(counts).toEqual([1, 1]);
});

test('a group without any finite element has no bins', () => {
  const { extent, bins, counts } = histogramOf([Number.NaN, Number.POSITIVE_INFINITY]);
  expect(extent.finite).toBe(0);
  expect(bins.count).toBe(0);
  expect(counts).toEqual([]);
});

test.each([7, 0, -1e30, 16_777_217, 0.1])('a group of nothing but %d has one bin', (value) => {
  const { bins, counts } = histogramOf([value, value, value]);
  expect(bins.count).toBe(1);
  expect(bins.low).toBeLessThan(value);
  expect(bins.high).toBeGreaterThan(value);
  expect(counts).toEqual([3]);
});

test('whole numbers: each bin holds equally many of them, so that none stands out by chance', () => {
  const values = Uint8Array.from({ length: 25_600 }, (_, i) => i % 256);
  const { bins, counts } = histogramOf(values);
  const width = (bins.high - bins.low) / bins.count;
  expect(Number.isInteger(width)).toBe(true);
  expect(bins.low).toBe(-0.5);
  expect(new Set(counts.slice(0, -1))).toEqual(new Set([width * 100]));
});

test.each([
  ['shifted and stretched', (x: number) => 3 * x - 20],
  ['in whole numbers', (x: number) => Math.round(40 * x)],
])('what is %s has the same histogram after', (_, values) => {
  const x = bell(500).map(values);
  const y = x.map((value) => value / 16 + 5);
  const before = histogramOf(x);
  const after = extentOf(elementsOf(y));
  const bins = carriedOver(before.bins, before.extent, after);
  expect(bins && countIn(elementsOf(y), bins)).toEqual(before.counts);
});

test('bins are not carried over from or to a single place', () => {
  const [point, range] = [extentOf(elementsOf([2, 2])), extentOf(elementsOf([1, 2]))];
  const bins = { low: 1, high: 2, count: 2 };
  expect(carriedOver(bins, point, range)).toBeUndefined();
  expect(carriedOver(bins, range, point)).toBeUndefined();
});

test('groups on one axis', () => {
  const extents = [[1, 2], [Number.NaN], [-3, 7, Number.POSITIVE_INFINITY]].map((values) =>
    extentOf(elementsOf(values)),
  );
  expect(joined(extents)).toEqual({ min: -3, max: 7, finite: 4, nan: 1, infinite: 1, isWhole: true });
  expect(joined(extents.slice(1, 2)).finite).toBe(0);
});
