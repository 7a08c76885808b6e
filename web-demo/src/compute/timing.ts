/** Calls are repeated for this long, in batches: one alone is below the resolution of the clock. */
const MEASURED_MS = 20;
const BATCH_MS = 0.5;
/** Before, they run for this long, so that the engine has optimized what it is going to. */
const WARM_UP_MS = 30;

export interface Timing {
  /** Of one call: the median of the batches, since other programs interrupt some of them. */
  readonly milliseconds: number;
  readonly calls: number;
}

/** Times a call. One that is longer than the whole measurement is made twice, and the faster one counts. */
export function timeCall(call: () => void): Timing {
  // A first call may be slow for other reasons than its work.
  const first = Math.min(timeBatch(call, 1), timeBatch(call, 1));
  if (first >= MEASURED_MS) return { milliseconds: first, calls: 1 };

  let perBatch = 1;
  for (const end = performance.now() + WARM_UP_MS; performance.now() < end; ) {
    if (timeBatch(call, perBatch) < BATCH_MS) perBatch *= 2;
  }
  const batches: number[] = [];
  for (const end = performance.now() + MEASURED_MS; performance.now() < end; ) {
    batches.push(timeBatch(call, perBatch) / perBatch);
  }
  batches.sort((a, b) => a - b);
  return { milliseconds: batches[batches.length >> 1] ?? first, calls: batches.length * perBatch };
}

function timeBatch(call: () => void, calls: number): number {
  const start = performance.now();
  for (let i = 0; i < calls; i++) call();
  return performance.now() - start;
}
