import assert from 'node:assert/strict';
import { test } from 'node:test';
import { merge } from '../../bench/lib/merge.mjs';

/** The result of a process in which a peer took `times` and layernorm `base`. */
const resultOf = (base, times, more = {}) => ({
  operations: {
    rows: [
      {
        label: '1x64',
        cells: {
          layernorm: { times: base, error: 0 },
          peer: { times, error: 1e-7, ratio: { median: times[0] / base[0] }, ...more },
        },
      },
    ],
  },
});
const cellsOf = (result) => result.operations.rows[0].cells;

test('one process is left as it is', () => {
  const result = resultOf([1], [2]);
  assert.equal(merge([result]), result);
});

test('the rounds of all count, so that the spread is that of the processes', () => {
  const steady = [resultOf([1, 1, 1], [2, 2, 2]), resultOf([2, 2, 2], [2, 2, 2])];
  const result = merge(steady);
  assert.equal(result.processes, 2);
  const { peer, layernorm } = cellsOf(result);
  assert.deepEqual(peer.ratio, { median: 1.5, q1: 1, q3: 2 });
  assert.deepEqual(peer.ratioOfEach, [2, 1]);
  assert.deepEqual(layernorm.ms, { median: 1.5, q1: 1, q3: 2 });
  assert.equal(layernorm.ratio, undefined);
});

test('ratios stay within their process, and rounds without a time are left out', () => {
  const { peer } = cellsOf(merge([resultOf([1, 1], [3, null]), resultOf([10, 10], [30, 30])]));
  assert.deepEqual(peer.ratio, { median: 3, q1: 3, q3: 3 });
  assert.deepEqual(peer.times, [3, null, 30, 30]);
});

test('a failure in one process is not hidden by the others', () => {
  const failing = resultOf([1], [2], { failure: 'wrong result' });
  assert.equal(cellsOf(merge([resultOf([1], [2]), failing])).peer.failure, 'wrong result');
});

test('the largest error counts', () => {
  const { peer } = cellsOf(merge([resultOf([1], [2]), resultOf([1], [2], { error: 1e-5 })]));
  assert.equal(peer.error, 1e-5);
});

test('sections without rounds are those of the first process', () => {
  const first = { start: 1 };
  assert.equal(merge([first, { start: 2 }]), first);
});
