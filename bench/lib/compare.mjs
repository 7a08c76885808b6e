// One case after the other: makes the candidates, looks whether they are right, and times them against each other.

import { labelOf } from './cases.mjs';
import { measure, medianTime, reasonOf, samplerOf } from './measure.mjs';
import {
  arrayCandidate,
  disposeAll,
  heapCandidate,
  isSixteenBit,
  OPERATIONS,
  problemOf,
  stepsCandidate,
  tensorsOf,
} from './operations.mjs';
import { largestError } from './reference.mjs';
import { ratios, summary } from './statistics.mjs';

/** The candidate that the others are compared with. */
export const BASE = 'layernorm';

/** Far beyond float32's rounding on ordinary rows, and far below what a wrong set-up gives. */
const LOOSE = 1e-3;
/** The same where results are rounded to 16 bits. */
const LOOSE_OF = { float16: 3e-3, bfloat16: 2e-2 };

/**
 * @typedef {object} Cell
 * @property {import('./statistics.mjs').Summary} [ms] of one call
 * @property {(number | null)[]} [times] the same round by round, each the mean of so many calls:
 * @property {number} [calls]
 * @property {import('./statistics.mjs').Summary} [ratio] of its time to the base's
 * @property {number} [error] largest one against float64, in units of max(|y|, 1)
 * @property {boolean} [wrong] the error is large; told, and timed all the same, where rows are hard on purpose
 * @property {string} [failure]
 */

/**
 * @typedef {object} Row
 * @property {string} operation
 * @property {string} dtype
 * @property {string} label
 * @property {boolean} headline
 * @property {number} bytes that a call moves, at least
 * @property {Record<string, Cell>} cells by candidate
 */

/**
 * @param {import('./cases.mjs').Case} one
 * @param {{ builds: { name: string, api: object, again: () =>
 *   Promise<object> }[], peers: Record<string, import('../peers/index.mjs').Peer>, withArrays:
 *   boolean, precision: object, random: () => number }} options the first build is the base; `again` imports a second copy of it
 * @returns {Promise<Row>}
 */
export async function compare(one, { builds, ...context }) {
  if (one.threads === 1) return compareNow(one, { builds, ...context });
  const onOneThread = { name: '1 thread', api: await builds[0].again() };
  for (const { api } of builds) await api.configure({ threads: one.threads });
  try {
    return await compareNow(one, { builds: [...builds, onOneThread], ...context });
  } finally {
    for (const { api } of builds) await api.configure({ threads: 1 });
  }
}

async function compareNow(one, { builds, peers, withArrays, precision, random }) {
  const problem = problemOf(one);
  const inHeaps = builds.map(({ api }) => tensorsOf(api, problem));
  problem.tensors = inHeaps[0];

  /** @type {Record<string, Cell>} */
  const cells = {};
  const candidates = builds.map(({ name, api }, i) => heapCandidate(name, api, problem, inHeaps[i]));
  if (isSixteenBit(one.dtype)) {
    // What the project aims at is how many elements a second these are, beside float32.
    const inFloat32 = { ...problem, case: { ...one, dtype: 'float32' } };
    const tensors = tensorsOf(builds[0].api, inFloat32);
    inHeaps.push(tensors);
    candidates.push(heapCandidate('float32', builds[0].api, inFloat32, tensors));
  } else if (withArrays) {
    candidates.push(arrayCandidate('arrays', builds[0].api, problem));
  }
  if (!isSixteenBit(one.dtype)) {
    const inSteps = stepsCandidate('in steps', builds[0].api, problem, inHeaps[0]);
    if (inSteps) candidates.push(inSteps);
  }
  for (const [name, peer] of Object.entries(peers)) {
    if (one.threads > 1 && !peer.threads) continue;
    try {
      const candidate = await peer.candidate(problem);
      if (candidate) candidates.push({ ...candidate, name });
    } catch (error) {
      cells[name] = { failure: reasonOf(error) };
    }
  }

  const expected = OPERATIONS[one.operation].expected(problem);
  const sound = [];
  for (const candidate of candidates) {
    cells[candidate.name] = await check(
      candidate,
      candidate.expected ?? expected,
      LOOSE_OF[one.dtype] ?? LOOSE,
      one.data === 'centred',
    );
    if (!cells[candidate.name].failure) sound.push(candidate);
  }
  for (const { reset } of sound) await reset?.();

  const timings = await measure(sound, { ...precision, random });
  const base = timings[BASE];
  for (const [name, timing] of Object.entries(timings)) {
    const cell = cells[name];
    if (timing.failure) cell.failure = timing.failure;
    if (medianTime(timing) === undefined) continue;
    cell.calls = timing.calls;
    cell.times = timing.times;
    cell.ms = summary(timing.times.filter((time) => time !== null));
    if (base && name !== BASE) cell.ratio = ratios(timing.times, base.times);
  }
  for (const { dispose } of candidates) await dispose?.();
  for (const tensors of inHeaps) disposeAll(Object.values(tensors));

  const { operation, dtype, headline } = one;
  const bytes = (OPERATIONS[operation].passes * problem.arrays.x.byteLength) / (isSixteenBit(dtype) ? 2 : 1);
  return { operation, dtype, label: labelOf(one), headline, bytes, cells };
}

/** @returns {Promise<Cell>} */
async function check(candidate, expected, loose, strict) {
  try {
    await candidate.reset?.();
    await samplerOf(candidate)(1);
    const results = await candidate.results();
    if (results.length !== expected.length) {
      throw new Error(`gave ${results.length} results, expected ${expected.length}`);
    }
    const error = Math.max(...expected.map((one, i) => largestError(results[i], one)));
    const wrong = !(error < loose);
    if (wrong && strict) return { error, failure: `wrong result, off by ${error.toPrecision(2)}` };
    return { error, ...(wrong && { wrong }) };
  } catch (error) {
    return { failure: reasonOf(error) };
  }
}
