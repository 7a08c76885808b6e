// What the stability lab and its worker say to each other.

import type { Comparison } from './compare.js';
import type { Computed } from './formulas.js';
import type { Kept } from './row.js';
import type { Settings } from './settings.js';

export const FORMULA_NAMES = ['kernel', 'onePass', 'twoPass', 'welford', 'plainRms', 'sixteenBit'] as const;
export type FormulaName = (typeof FORMULA_NAMES)[number];

/** What one way to compute gave. */
export interface FormulaResult extends Comparison {
  readonly name: FormulaName;
  readonly mean: number | undefined;
  /** With RMS normalization the mean square; undefined for the kernel then, which gives none. */
  readonly variance: number | undefined;
  /** The first ones. */
  readonly y: Float64Array;
  readonly parts: Computed['parts'];
}

export interface Outcome {
  readonly settings: Settings;
  /** The first elements. */
  readonly x: Float64Array;
  readonly kept: Kept;
  readonly truth: { readonly mean: number; readonly variance: number; readonly y: Float64Array };
  readonly truthNotFinite: number;
  readonly results: readonly FormulaResult[];
  /** The call of the package, as one would write it. */
  readonly call: string;
  readonly engine: { readonly version: string; readonly variant: string; readonly threads: number };
}

/** The largest errors at one offset, in ulp. */
export interface SweepPoint {
  readonly offset: number;
  /** How many different numbers rounding has left in the row. */
  readonly distinct: number;
  readonly ulp: Partial<Record<FormulaName, number>>;
}

export type Requests = {
  run: { takes: Settings; gives: Outcome };
  /** Goes through all offsets. Gives false where it was stopped. */
  sweep: { takes: { sweep: number; settings: Settings }; gives: boolean };
};

/** A point of a sweep has been computed. */
export interface Event {
  readonly sweep: number;
  readonly point: SweepPoint;
}
