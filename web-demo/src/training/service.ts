// What the training view computes: the runs, in slices so that they can be stopped, and gradients of one sample.

import { info } from 'layernorm';
import type { Service } from '../worker/service.js';
import { gradientsOf } from './gradients.js';
import type { Progress, Requests, Settings, Started } from './protocol.js';
import { makeTrainer, type Trainer } from './trainers.js';

/** The longest that work goes on without a look at what else is wanted, and the longest that a run plays, in milliseconds. */
const [SLICE_MS, LONGEST_MS] = [20, 120_000];

let trainer: Trainer | undefined;
let runs = 0;
let steps = 0;
let speed: number = Number.MAX_SAFE_INTEGER;

function current(): Trainer {
  if (!trainer) throw new Error('No run has been started yet.');
  return trainer;
}

function start(settings: Settings): Started {
  const next = makeTrainer(settings);
  trainer?.dispose();
  trainer = next;
  runs++;
  steps = 0;
  const { version, variant, threads } = info();
  return { engine: { version, variant, threads }, ...next.known, progress: progress() };
}

function progress(perSecond?: number): Progress {
  const { every, layers } = current();
  return { run: runs, steps, every, learners: current().learners(), layers, perSecond };
}

function work(count: number): Progress {
  const begin = performance.now();
  for (let i = 0; i < count; i++, steps++) current().step();
  return progress((1000 * count) / (performance.now() - begin));
}

/** As many steps as the speed asks for, or as there is time for. */
async function play(
  frame: number,
  signal: AbortSignal,
  notify: (progress: Progress) => void,
): Promise<Progress> {
  const begin = performance.now();
  let [shown, clock, pace, due] = [begin, begin, speed, 1];
  let [done, spent] = [0, 0];
  let rate: number | undefined;
  while (!signal.aborted && performance.now() - begin < LONGEST_MS) {
    const now = performance.now();
    // What a change of the speed has left undone is not made up for.
    due = pace === speed ? Math.min(due + ((now - clock) / 1000) * speed, Math.max(1, speed)) : 1;
    [clock, pace] = [now, speed];
    let at = now;
    while (due >= 1 && at - now < SLICE_MS) {
      current().step();
      steps++;
      done++;
      due--;
      at = performance.now();
    }
    spent += at - now;
    if (at - shown >= frame && done > 0) {
      rate = (1000 * done) / spent;
      [done, spent, shown] = [0, 0, at];
      notify(progress(rate));
    }
    await new Promise((resume) => setTimeout(resume, due >= 1 ? 0 : 8));
  }
  return progress(rate);
}

export const service: Service<Requests, Progress> = {
  start,
  step: ({ count }) => work(count),
  play: ({ frame }, { signal, notify }) => play(frame, signal, notify),
  speed: ({ perSecond }) => {
    speed = perSecond;
    return undefined;
  },
  gradients: gradientsOf,
};
