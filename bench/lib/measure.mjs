// Times several candidates in turn, round after round in random order, so that a change of the machine's speed meets all.

import { shuffle } from './random.mjs';
import { median } from './statistics.mjs';

/**
 * Something to be timed: it has one of `call`, `callAsync` and `sample`.
 * @typedef {object} Candidate
 * @property {string} name
 * @property {() => void} [call] does the work once
 * @property {() => Promise<unknown>} [callAsync] does the work once
 * @property {(calls: number) => Promise<number>} [sample] does the work so often, elsewhere, and says how many ms it took
 */

/**
 * @typedef {object} Timing
 * @property {(number | null)[]} times ms of one call, by round; null in rounds that went without it
 * @property {number} [calls] how many calls a sample is the mean of
 * @property {string} [failure] why there are no (more) times
 */

/** How exact a measurement is, and how long it takes. */
export const THOROUGH = { rounds: 31, warmUpMs: 100, sampleMs: 4 };
export const QUICK = { rounds: 9, warmUpMs: 60, sampleMs: 2 };

/** A slow candidate is left out of some rounds, so that its samples take no longer than this in all, but for so many. */
const SLOW_MS = 600;
const LEAST_SAMPLES = 3;
/** A sample of quick calls starts with one that is not counted: it brings the data back to the cache. */
const UNCOUNTED_BELOW_MS = 4;

/**
 * @param {Candidate[]} candidates
 * @param {{ rounds: number, warmUpMs: number, sampleMs: number, slowMs?: number, random: () => number }} options `warmUpMs` is no
 *   less than 60: V8 runs code of its quick compiler for up to 12 ms before the optimized one takes over; `slowMs` is how long the
 *   samples of one candidate may take in all before it is left out of some rounds
 * @returns {Promise<Record<string, Timing>>}
 */
export async function measure(candidates, { rounds, warmUpMs, sampleMs, slowMs = SLOW_MS, random }) {
  const entries = [];
  const results = {};
  for (const candidate of candidates) {
    const timing = { times: new Array(rounds).fill(null) };
    results[candidate.name] = timing;
    const sample = samplerOf(candidate);
    try {
      const callMs = await warmUp(sample, warmUpMs);
      const calls = Math.max(1, Math.round(sampleMs / callMs));
      const most = Math.max(1, Math.floor(rounds / LEAST_SAMPLES));
      const every = Math.min(most, Math.max(1, Math.ceil((calls * callMs * rounds) / slowMs)));
      timing.calls = calls;
      entries.push({ timing, sample, calls, every, uncounted: callMs < UNCOUNTED_BELOW_MS ? 1 : 0 });
    } catch (error) {
      timing.failure = reasonOf(error);
    }
  }
  for (let round = 0; round < rounds; round++) {
    const now = entries.filter(({ timing, every }) => !timing.failure && round % every === 0);
    for (const { timing, sample, calls, uncounted } of shuffle(now, random)) {
      try {
        if (uncounted) await sample(uncounted);
        timing.times[round] = (await sample(calls)) / calls;
      } catch (error) {
        timing.failure = reasonOf(error);
      }
    }
  }
  return results;
}

/** Runs until the machine code is the optimized one. */
async function warmUp(sample, warmUpMs) {
  const start = performance.now();
  let calls = 1;
  let callMs = await sample(1);
  while (performance.now() - start < warmUpMs) {
    // In growing steps, so that the last one is long enough for the clock.
    calls = Math.min(calls * 2, Math.max(1, Math.floor(warmUpMs / 4 / Math.max(callMs, 1e-5))));
    callMs = (await sample(calls)) / calls;
  }
  return Math.max(callMs, 1e-5);
}

/** @returns {(calls: number) => Promise<number>} does the work so often and says how many ms it took */
export function samplerOf({ call, callAsync, sample }) {
  if (sample) return sample;
  if (call) return async (calls) => timeOf(call, calls);
  return async (calls) => {
    const start = performance.now();
    for (let n = 0; n < calls; n++) await callAsync();
    return performance.now() - start;
  };
}

function timeOf(call, calls) {
  const start = performance.now();
  for (let n = 0; n < calls; n++) call();
  return performance.now() - start;
}

/** The first line of what went wrong: a table has no room for more. */
export const reasonOf = (error) => String(error?.message ?? error).split('\n')[0];

/** The median time of one call in ms; undefined when there is none. */
export function medianTime({ times }) {
  const counted = times.filter((time) => time !== null);
  return counted.length === 0 ? undefined : median(counted);
}
