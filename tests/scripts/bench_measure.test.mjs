import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measure, medianTime } from '../../bench/lib/measure.mjs';
import { randomNumbers } from '../../bench/lib/random.mjs';

const precision = { rounds: 9, warmUpMs: 1, sampleMs: 1 };
const measureAll = (candidates, more) =>
  measure(candidates, { ...precision, random: randomNumbers(1), ...more });

/** A candidate that says itself how long it takes. */
const taking = (name, msOfCall, log = []) => ({
  name,
  async sample(calls) {
    log.push(name);
    return calls * msOfCall;
  },
});

test('gives the time of one call', async () => {
  const { slow, quick } = await measureAll([taking('slow', 2), taking('quick', 0.25)]);
  assert.equal(medianTime(slow), 2);
  assert.equal(medianTime(quick), 0.25);
  assert.equal(quick.times.length, precision.rounds);
  assert.ok(quick.times.every((time) => time === 0.25));
});

test('candidates take turns in changing order', async () => {
  const log = [];
  await measureAll([taking('a', 5, log), taking('b', 5, log)]); // of 5 ms: no uncounted calls
  const rounds = log.slice(-2 * precision.rounds).join('');
  assert.match(rounds, /^(ab|ba)+$/);
  assert.match(rounds, /abba|baab/);
});

test('functions and async functions are timed by the clock', async () => {
  let count = 0;
  const { sync, later } = await measureAll([
    { name: 'sync', call: () => count++ },
    { name: 'later', callAsync: async () => count++ },
  ]);
  assert.ok(count > 2 * precision.rounds);
  assert.ok(medianTime(sync) > 0 && medianTime(later) > 0);
});

test('a slow candidate skips rounds, but not all', async () => {
  const { slow, base } = await measureAll([taking('base', 1), taking('slow', 5000)]);
  assert.equal(slow.times.filter((time) => time !== null).length, 3);
  assert.equal(base.times.filter((time) => time !== null).length, precision.rounds);
});

test('a failure is kept, and the others go on', async () => {
  let calls = 0;
  const breaks = {
    name: 'breaks',
    async sample() {
      if (++calls > 3) throw new Error('out of luck\nwith details');
      return 5;
    },
  };
  const never = {
    name: 'never',
    call() {
      throw new Error('not today');
    },
  };
  const result = await measureAll([breaks, never, taking('good', 1)], { warmUpMs: 0 });
  assert.equal(result.breaks.failure, 'out of luck');
  assert.equal(result.never.failure, 'not today');
  assert.equal(medianTime(result.never), undefined);
  assert.equal(medianTime(result.good), 1);
});
