// The range of values that a colour scale spans.

/** Colours reach this many standard deviations from the mean; what lies beyond gets the colour of the end. */
const REACH = 4;

export interface Spread {
  readonly min: number;
  readonly max: number;
  /** Ends of the colour scale: min and max, or nearer to the mean where a few values lie far away. */
  readonly low: number;
  readonly high: number;
}

/** Of the finite values. */
export function spreadOf(values: ArrayLike<number>): Spread {
  let [min, max, total, n] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (!Number.isFinite(value)) continue;
    if (value < min) min = value;
    if (value > max) max = value;
    total += value;
    n++;
  }
  if (n === 0) return { min: 0, max: 0, low: 0, high: 0 };
  const mean = total / n;
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (Number.isFinite(value)) squares += (value - mean) ** 2;
  }
  const reach = REACH * Math.sqrt(squares / n);
  return { min, max, low: Math.max(min, mean - reach), high: Math.min(max, mean + reach) };
}

/** How far a colour scale centred on 0 reaches to both sides. */
export function reachFromZero(values: ArrayLike<number>): number {
  let [largest, squares, n] = [0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = Math.abs(values[i] as number);
    if (!Number.isFinite(value)) continue;
    if (value > largest) largest = value;
    squares += value * value;
    n++;
  }
  return n === 0 ? 0 : Math.min(largest, REACH * Math.sqrt(squares / n));
}
