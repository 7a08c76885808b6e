// Ways to compute a variance that one finds in books and in libraries, with a rounding after every operation as the hardware
// makes it. They are shown for what they get wrong.

type Round = (value: number) => number;

export interface Computed {
  /** Where one is subtracted. */
  readonly mean?: number;
  /** Of the row; with RMS normalization its mean square. */
  readonly variance: number;
  readonly y: Float64Array;
  /** What the one-pass formula subtracts, and from what. */
  readonly parts?: { readonly meanOfSquares: number; readonly squareOfMean: number };
}

/** E[x^2] - E[x]^2, both sums in one pass, element after element. */
export function onePass(x: Float64Array, epsilon: number, round: Round, clamps: boolean): Computed {
  let sum = 0;
  let squares = 0;
  for (const value of x) {
    sum = round(sum + value);
    squares = round(squares + round(value * value));
  }
  const mean = round(sum / x.length);
  const meanOfSquares = round(squares / x.length);
  const squareOfMean = round(mean * mean);
  const variance = round(meanOfSquares - squareOfMean);
  const y = scaled(x, mean, clamps && variance < 0 ? 0 : variance, epsilon, round);
  return { mean, variance, y, parts: { meanOfSquares, squareOfMean } };
}

/** The mean first, then the mean of the squared distances from it: two plain sums, element after element. */
export function twoPass(x: Float64Array, epsilon: number, round: Round): Computed {
  let sum = 0;
  for (const value of x) sum = round(sum + value);
  const mean = round(sum / x.length);
  let squares = 0;
  for (const value of x) {
    const deviation = round(value - mean);
    squares = round(squares + round(deviation * deviation));
  }
  const variance = round(squares / x.length);
  return { mean, variance, y: scaled(x, mean, variance, epsilon, round) };
}

/** Welford 1962: mean and squares are brought up to date with every element. */
export function welford(x: Float64Array, epsilon: number, round: Round): Computed {
  let mean = 0;
  let squares = 0;
  let count = 0;
  for (const value of x) {
    count++;
    const before = round(value - mean);
    mean = round(mean + round(before / count));
    squares = round(squares + round(before * round(value - mean)));
  }
  const variance = round(squares / x.length);
  return { mean, variance, y: scaled(x, mean, variance, epsilon, round) };
}

/** RMS normalization with a plain sum of the squares. */
export function plainRms(x: Float64Array, epsilon: number, round: Round): Computed {
  let squares = 0;
  for (const value of x) squares = round(squares + round(value * value));
  const variance = round(squares / x.length);
  return { variance, y: scaled(x, 0, variance, epsilon, round) };
}

function scaled(
  x: Float64Array,
  mean: number,
  variance: number,
  epsilon: number,
  round: Round,
): Float64Array {
  const rstd = round(1 / round(Math.sqrt(round(variance + round(epsilon)))));
  return x.map((value) => round(round(value - mean) * rstd));
}
