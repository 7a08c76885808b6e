// What the geometry view and its service say to each other.

/** Points one after the other, three coordinates each. */
export type Points = Float32Array<ArrayBuffer>;

export type MethodName = 'layer' | 'rms';

/** x; without its mean; divided as well; with gamma and beta. */
export const STEPS = [0, 1, 2, 3] as const;
export type Step = (typeof STEPS)[number];

export type Triple = readonly [number, number, number];

export interface Job {
  readonly method: MethodName;
  readonly epsilon: number;
  readonly gamma: Triple;
  /** RMS normalization has none, and leaves it alone. */
  readonly beta: Triple;
  readonly points: Points;
}

export interface Stage {
  readonly points: Points;
  /** The mean of each point's coordinates, and how far from the origin the point is. */
  readonly mean: readonly number[];
  readonly distance: readonly number[];
}

export interface Outcome {
  readonly stages: readonly [Stage, Stage, Stage, Stage];
  /** What each point has been multiplied by in the step of dividing. */
  readonly rstd: readonly number[];
  readonly engine: { readonly version: string; readonly variant: string; readonly threads: number };
}

export type Requests = { normalize: { takes: Job; gives: Outcome } };
