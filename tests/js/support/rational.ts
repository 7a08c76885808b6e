// Exact statistics: every float64 is an integer times a power of two, so sums and squares of them are, too.

/** numerator / denominator, the latter positive. */
export interface Rational {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** A finite number as mantissa * 2 ** exponent. */
function split(value: number): [mantissa: bigint, exponent: number] {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const biased = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & ((1n << 52n) - 1n);
  const mantissa = biased === 0 ? fraction : fraction | (1n << 52n);
  return [value < 0 ? -mantissa : mantissa, Math.max(biased, 1) - 1075];
}

/** numerator * 2 ** exponent / denominator. */
function scaled(numerator: bigint, exponent: number, denominator: bigint): Rational {
  return exponent >= 0
    ? { numerator: numerator << BigInt(exponent), denominator }
    : { numerator, denominator: denominator << BigInt(-exponent) };
}

/** Mean, biased variance and mean absolute value of finite numbers, without any rounding. */
export function exactMoments(values: ArrayLike<number>): Record<'mean' | 'variance' | 'size', Rational> {
  const parts = Array.from(values, split);
  const exponent = Math.min(...new Set(parts.map(([, one]) => one)));
  let [sum, squares, size] = [0n, 0n, 0n];
  for (const [mantissa, one] of parts) {
    const integer = mantissa << BigInt(one - exponent);
    sum += integer;
    size += integer < 0n ? -integer : integer;
    squares += integer * integer;
  }
  const count = BigInt(parts.length);
  return {
    mean: scaled(sum, exponent, count),
    variance: scaled(squares * count - sum * sum, 2 * exponent, count * count),
    size: scaled(size, exponent, count),
  };
}

/** The float64 number nearest to a rational one, but for a second rounding below 2 ** -1022. */
export function toNumber({ numerator, denominator }: Rational): number {
  const magnitude = numerator < 0n ? -numerator : numerator;
  if (magnitude === 0n) return 0;
  const length = (value: bigint): number => value.toString(16).length * 4;
  // A quotient of at least 64 bits, the last of which says whether there was a rest.
  const shift = 72 + length(denominator) - length(magnitude);
  const top = shift > 0 ? magnitude << BigInt(shift) : magnitude;
  const bottom = shift > 0 ? denominator : denominator << BigInt(-shift);
  const quotient = Number((top / bottom) | (top % bottom === 0n ? 0n : 1n));
  const half = Math.trunc(-shift / 2);
  return (numerator < 0n ? -quotient : quotient) * 2 ** half * 2 ** (-shift - half);
}

/** How far a finite number is from the exact one, in ulp of `at`: by default of the exact one. */
export function ulpError(actual: number, exact: Rational, at: number = toNumber(exact)): number {
  const [mantissa, exponent] = split(actual);
  const one = scaled(mantissa, exponent, 1n);
  const difference = one.numerator * exact.denominator - exact.numerator * one.denominator;
  const error = toNumber({ numerator: difference, denominator: exact.denominator * one.denominator });
  const ulp = 2 ** (Math.max(Math.floor(Math.log2(Math.abs(at))), -1022) - 52);
  return error === 0 ? 0 : Math.abs(error) / ulp;
}
