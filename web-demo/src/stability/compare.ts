// How far results are from the truth, in units in the last place, as compute/reference.ts counts them.

import type { Method, TypeName } from './settings.js';
import type { Truth } from './truth.js';
import { spacingAt, TYPES } from './types.js';

export interface Comparison {
  /** The largest error, in ulp of the type at max(|y|, 1), or at |y| where no mean is subtracted; infinite where a number lacks. */
  readonly ulp: number;
  /** Results that are NaN or infinite. */
  readonly notFinite: number;
  /** Those of them that should be numbers. */
  readonly missing: number;
  /** Numbers that should be NaN. */
  readonly invented: number;
}

export function compare(y: Float64Array, truth: Truth, type: TypeName, method: Method): Comparison {
  const format = TYPES[type];
  const least = method === 'layer' ? 1 : 0;
  let ulp = 0;
  let [notFinite, missing, invented] = [0, 0, 0];
  y.forEach((got, i) => {
    const expected = truth.y[i] as number;
    if (!Number.isFinite(got)) notFinite++;
    if (!Number.isFinite(expected)) {
      if (Number.isFinite(got)) invented++;
      return;
    }
    if (!Number.isFinite(got)) {
      missing++;
      ulp = Number.POSITIVE_INFINITY;
      return;
    }
    const error = Math.abs(got - expected - (truth.rest[i] as number));
    if (error > 0) ulp = Math.max(ulp, error / spacingAt(Math.max(Math.abs(expected), least), format));
  });
  return { ulp, notFinite, missing, invented };
}
