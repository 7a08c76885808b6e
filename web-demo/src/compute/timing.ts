/** Short calls are repeated for this long: one alone is below the resolution of the clock. */
const MEASURED_MS = 10;
/** Before, they run for this long, so that the engine has optimized what it is going to. */
const WARM_UP_MS = 25;
/** Calls between two looks at the clock, at most. */
const MAX_BATCH = 256;

/** Mean time of a call. A call that is longer than all of that is made once. */
export function timeCall(call: () => void): { milliseconds: number; calls: number } {
  const first = repeat(call, 0.001);
  if (first.milliseconds >= MEASURED_MS) return first;
  repeat(call, WARM_UP_MS);
  return repeat(call, MEASURED_MS);
}

function repeat(call: () => void, budget: number): { milliseconds: number; calls: number } {
  const start = performance.now();
  let elapsed = 0;
  let calls = 0;
  for (let batch = 1; elapsed < budget; batch = Math.min(MAX_BATCH, batch * 2)) {
    for (let i = 0; i < batch; i++) call();
    calls += batch;
    elapsed = performance.now() - start;
  }
  return { milliseconds: elapsed / calls, calls };
}
