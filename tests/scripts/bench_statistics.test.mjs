import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomNumbers, shuffle } from '../../bench/lib/random.mjs';
import { geometricMean, median, quantile, ratios, summary } from '../../bench/lib/statistics.mjs';

test('quantiles are interpolated and do not depend on the order', () => {
  const values = [40, 10, 30, 20];
  assert.equal(quantile(values, 0), 10);
  assert.equal(quantile(values, 1), 40);
  assert.equal(quantile(values, 0.25), 17.5);
  assert.equal(median(values), 25);
  assert.deepEqual(values, [40, 10, 30, 20], 'the values stay as they are');
  assert.equal(median([7]), 7);
  assert.throws(() => quantile([], 0.5), RangeError);
});

test('numbers are sorted as numbers', () => {
  assert.equal(median([9, 10, 100]), 10);
});

test('a summary has the median between its quartiles', () => {
  assert.deepEqual(summary([1, 2, 3, 4, 5]), { median: 3, q1: 2, q3: 4 });
});

test('ratios are those of single rounds, so that a slow round slows both', () => {
  // Round by round it is always twice the time, although the machine is ten times as slow in the last one.
  assert.deepEqual(ratios([2, 4, 20], [1, 2, 10]), { median: 2, q1: 2, q3: 2 });
});

test('ratios leave out rounds that only one of them took part in', () => {
  assert.deepEqual(ratios([3, null, 9], [1, 1, 3]), { median: 3, q1: 3, q3: 3 });
  assert.equal(ratios([null], [1]), undefined);
});

test('the geometric mean of a ratio and its inverse is 1', () => {
  assert.ok(Math.abs(geometricMean([4, 0.25]) - 1) < 1e-12);
});

test('random numbers are the same for a seed, and within [0, 1)', () => {
  const take = (seed) => Array.from({ length: 1000 }, randomNumbers(seed));
  assert.deepEqual(take(1), take(1));
  assert.notDeepEqual(take(1), take(2));
  assert.ok(take(3).every((value) => value >= 0 && value < 1));
  const mean = take(4).reduce((sum, value) => sum + value, 0) / 1000;
  assert.ok(Math.abs(mean - 0.5) < 0.05, `mean ${mean}`);
});

test('shuffling keeps all elements and gives every order', () => {
  const random = randomNumbers(5);
  const seen = new Set();
  for (let n = 0; n < 200; n++) seen.add(shuffle(['a', 'b', 'c'], random).join(''));
  assert.deepEqual([...seen].sort(), ['abc', 'acb', 'bac', 'bca', 'cab', 'cba']);
});
