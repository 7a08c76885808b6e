/** Runs until the machine code is the optimized one: V8 takes up to 12 ms of running to get there. */
const WARM_UP_MS = 80;
/** One sample lasts about this long, far beyond what the clock resolves. */
const SAMPLE_MS = 4;

/**
 * Times candidates in turn, round after round, so that a change of the machine's speed meets them all.
 * @param {Record<string, () => void>} candidates
 * @returns {Record<string, number[]>} sorted times of one call in ms, by candidate
 */
export function measure(candidates, rounds = 21) {
  const calls = {};
  for (const [name, call] of Object.entries(candidates)) {
    const start = performance.now();
    let count = 0;
    do {
      call();
      count++;
    } while (performance.now() - start < WARM_UP_MS);
    calls[name] = Math.max(1, Math.round((count * SAMPLE_MS) / WARM_UP_MS));
  }
  const times = Object.fromEntries(Object.keys(candidates).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, call] of Object.entries(candidates)) {
      const start = performance.now();
      for (let n = 0; n < calls[name]; n++) call();
      times[name].push((performance.now() - start) / calls[name]);
    }
  }
  for (const list of Object.values(times)) list.sort((a, b) => a - b);
  return times;
}

export const median = (sorted) => sorted[sorted.length >> 1];
