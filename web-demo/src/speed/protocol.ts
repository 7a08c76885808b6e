// What the view and its service say to each other.

import type { Times } from './measure.js';
import type { Settings, Shape } from './settings.js';

/** What runs, as the package says it, and what the browser allows. */
export interface Engine {
  readonly version: string;
  readonly variant: string;
  readonly threads: number;
  /** Why it is one thread, if it is. */
  readonly reason?: string;
  /** The steps of the clock in ms. */
  readonly clockStep: number;
}

/** What is timed. */
export type ContenderName = 'tensor' | 'one' | 'array' | 'loop' | 'copy';

export type Finding = { readonly run: number } & (
  | { readonly kind: 'engine'; readonly engine: Engine }
  /** `fraction` of all the work is done. */
  | { readonly kind: 'doing'; readonly what: string; readonly fraction: number }
  /** The largest errors in ulp, by contender. */
  | { readonly kind: 'checked'; readonly errors: Readonly<Partial<Record<ContenderName, number>>> }
  /** `series` tells what else is measured in the same run: the size in a sweep. */
  | { readonly kind: 'round'; readonly series: string; readonly times: Times; readonly rounds: number }
);

export type Requests = {
  /** What the threads are like here: whether two can start. */
  probe: { takes: Record<string, never>; gives: { engine: Engine; threadsReason?: string } };
  /** One shape; series 'shape', and 'call' for the cost of a call on a single number. */
  run: { takes: { run: number; settings: Settings }; gives: null };
  /** The sizes; a series for each, by its index. */
  sweep: { takes: { run: number; settings: Settings; sizes: readonly Shape[] }; gives: null };
  /** The tensor with several numbers of threads, which are the names of the contenders. */
  scaling: { takes: { run: number; settings: Settings; steps: readonly number[] }; gives: null };
};
