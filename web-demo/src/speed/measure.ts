// Times several calls in turn, round after round in random order, so that a change of the machine's speed meets all of them.

export interface Contender {
  readonly name: string;
  readonly call: () => void;
  /** Done before each sample, outside of its time. */
  readonly prepare?: () => Promise<void>;
}

/** Milliseconds of one call, by name. */
export type Times = Record<string, number>;

export interface Plan {
  /** How long a sample lasts, at least: long against the steps of the clock. */
  readonly sampleMs: number;
  /** Before, each runs for so long: the engine has optimized it by then. */
  readonly warmUpMs: number;
  /** How long all rounds may take, if they are not too few then. */
  readonly budgetMs: number;
}

interface Watcher {
  onWarmUp(name: string, index: number): void;
  onRound(times: Times, round: number, rounds: number): void;
  /** Lets messages go out and in. */
  pause(): Promise<void>;
}

export const [FEWEST_ROUNDS, MOST_ROUNDS] = [5, 51];
/** A sample of quick calls starts with one that is not counted: it brings the data back to the cache. */
const UNCOUNTED_BELOW_MS = 4;
/** No call is taken for shorter. */
const LEAST_MS = 1e-6;

export async function measure(
  contenders: readonly Contender[],
  { sampleMs, warmUpMs, budgetMs }: Plan,
  { onWarmUp, onRound, pause }: Watcher,
  now: () => number = () => performance.now(),
  random: () => number = Math.random,
): Promise<void> {
  const entries: { contender: Contender; calls: number; isQuick: boolean }[] = [];
  let roundMs = 0;
  for (const [index, contender] of contenders.entries()) {
    onWarmUp(contender.name, index);
    await pause();
    await contender.prepare?.();
    const callMs = warmUp(contender.call, warmUpMs, now);
    const calls = Math.max(1, Math.round(sampleMs / callMs));
    entries.push({ contender, calls, isQuick: callMs < UNCOUNTED_BELOW_MS });
    roundMs += calls * callMs;
  }
  const rounds = Math.min(MOST_ROUNDS, Math.max(FEWEST_ROUNDS, Math.floor(budgetMs / roundMs)));
  for (let round = 1; round <= rounds; round++) {
    const times: Times = {};
    for (const { contender, calls, isQuick } of shuffled(entries, random)) {
      await contender.prepare?.();
      if (isQuick) contender.call();
      times[contender.name] = Math.max(LEAST_MS, timeOf(contender.call, calls, now) / calls);
    }
    onRound(times, round, rounds);
    await pause();
  }
}

/** @returns about how long a call takes */
function warmUp(call: () => void, warmUpMs: number, now: () => number): number {
  const end = now() + warmUpMs;
  let calls = 1;
  let callMs = timeOf(call, 1, now);
  while (now() < end) {
    // In growing steps, so that the last one is long enough for the clock.
    calls = Math.min(calls * 2, Math.max(1, Math.floor(warmUpMs / 4 / Math.max(callMs, LEAST_MS))));
    callMs = timeOf(call, calls, now) / calls;
  }
  return Math.max(callMs, LEAST_MS);
}

function timeOf(call: () => void, calls: number, now: () => number): number {
  const start = now();
  for (let n = 0; n < calls; n++) call();
  return now() - start;
}

function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const result = [...list];
  for (let i = result.length - 1; i > 0; i--) {
    const k = Math.floor(random() * (i + 1));
    [result[i], result[k]] = [result[k] as T, result[i] as T];
  }
  return result;
}

/** In what steps a clock goes, in ms: browsers make it coarse, more so without cross-origin isolation. */
export function clockStep(now: () => number = () => performance.now()): number {
  let step = Number.POSITIVE_INFINITY;
  for (let n = 0; n < 5; n++) {
    const start = now();
    let next = start;
    while (next === start) next = now();
    step = Math.min(step, next - start);
  }
  return step;
}

/** Samples last so long that a step of the clock is one percent of them, within reason. */
export function sampleLength(step: number): number {
  return Math.min(100, Math.max(4, 100 * step));
}
