// What the view and its worker say to each other.

export const TASKS = ['recover', 'rings', 'spirals'] as const;
export type Task = (typeof TASKS)[number];

/** What decides a run, to the last digit. */
export interface Settings {
  readonly task: Task;
  readonly rate: number;
  readonly batch: number;
  readonly seed: number;
  readonly center: boolean;
  readonly scale: boolean;
  /** The inputs of the classifiers are multiplied by 10 to the power of this. */
  readonly input: number;
}

/** The weights of one layer of the package, with the gradients of the last step. */
export interface Weights {
  readonly gamma: readonly number[] | undefined;
  readonly beta: readonly number[] | undefined;
  readonly dgamma: readonly number[] | undefined;
  readonly dbeta: readonly number[] | undefined;
}

/** One of the things that learn, side by side. */
export interface Learner {
  /** Of the batch of the last step; undefined before the first. */
  readonly loss: number | undefined;
  /** Means over `every` steps. */
  readonly losses: Float64Array;
  /** Length of the gradient of all weights in the last step. */
  readonly gradient: number | undefined;
  /** Of a classifier: its loss on all points, the part of them that it gets right, and the likelihood of class 1 on a grid. */
  readonly fit: { readonly loss: number; readonly right: number; readonly map: Float32Array } | undefined;
}

export interface Progress {
  /** Counts the runs. */
  readonly run: number;
  readonly steps: number;
  /** How many steps each of the losses stands for. */
  readonly every: number;
  readonly learners: readonly Learner[];
  readonly layers: readonly Weights[];
  /** Of the last slice of work, in which nothing else was done. */
  readonly perSecond: number | undefined;
}

export interface Started {
  readonly engine: { readonly version: string; readonly variant: string; readonly threads: number };
  /** Of the task to find gamma and beta. */
  readonly hidden:
    | { readonly gamma: readonly number[]; readonly beta: readonly number[]; readonly lowest: number }
    | undefined;
  /** Of the classifiers. */
  readonly points: { readonly places: Float32Array; readonly classes: Uint8Array } | undefined;
  readonly progress: Progress;
}

export const NORMS = ['layer', 'rms'] as const;
export type NormName = (typeof NORMS)[number];

/** One sample and what comes back to it. */
export interface Sample {
  readonly norm: NormName;
  readonly epsilon: number;
  readonly x: readonly number[];
  readonly dy: readonly number[];
  readonly gamma: readonly number[];
}

/** What is left of a gradient, and what is not. dx / rstd = g - alongOnes - alongHat. */
export interface Gradients {
  readonly hat: readonly number[];
  readonly rstd: number;
  readonly g: readonly number[];
  /** The part along (1, ..., 1), which RMS normalization leaves in. */
  readonly alongOnes: readonly number[];
  readonly alongHat: readonly number[];
  readonly left: readonly number[];
  readonly dx: readonly number[];
}

export type Requests = {
  /** Begins anew. A run that plays goes on with what there is now. */
  start: { takes: Settings; gives: Started };
  step: { takes: { count: number }; gives: Progress };
  /** Until it is aborted, or has gone on for a long time. Says how far it is every `frame` milliseconds. */
  play: { takes: { frame: number }; gives: Progress };
  /** Steps a second, if there is time for so many. */
  speed: { takes: { perSecond: number }; gives: undefined };
  gradients: { takes: Sample; gives: Gradients };
};
