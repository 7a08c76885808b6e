// Random numbers that are the same in every engine: integer arithmetic, and of floating point only + - * / and sqrt, which are
// rounded correctly everywhere. Math.log and Math.cos are not, so the normal distribution brings its own logarithm.

/** The finalizer of MurmurHash3: a bijection of 32 bits that spreads every one of them. */
function mixed(word: number): number {
  let h = word | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** Outputs to throw away at the start: a state from similar seeds takes some steps to become dissimilar. */
const WARM_UP = 16;

/** One stream of random numbers: xoshiro128** (Blackman and Vigna 2018, arXiv:1805.01407), started from a seed. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  /** Starts at a constant other than zero, since the state must not be all zeros. */
  #d = 0x6c617965;
  /** The second of two normal numbers that are made together. */
  #spare: number | undefined;

  /**
   * @param seed - any safe integer
   * @param stream - number of the stream of that seed, a safe integer: different streams are independent
   */
  constructor(seed: number, stream = 0) {
    this.#a = mixed((seed % 2 ** 32) | 0);
    this.#b = mixed(Math.floor(seed / 2 ** 32) + 0x3c6ef372);
    this.#c = mixed(((stream % 2 ** 32) | 0) + 0x78dde6e4);
    for (let i = 0; i < WARM_UP; i++) this.#word();
  }

  /** An integer from 0 to 2^32 - 1. */
  #word(): number {
    const product = Math.imul(this.#b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9);
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result >>> 0;
  }

  /** A number from 0 up to 1 without 1: a multiple of 2^-53, each as likely. */
  uniform(): number {
    return ((this.#word() >>> 5) * 2 ** 26 + (this.#word() >>> 6)) * 2 ** -53;
  }

  /** A number of the standard normal distribution, by the polar method (Marsaglia and Bray 1964). */
  normal(): number {
    if (this.#spare !== undefined) {
      const spare = this.#spare;
      this.#spare = undefined;
      return spare;
    }
    for (;;) {
      const u = 2 * this.uniform() - 1;
      const v = 2 * this.uniform() - 1;
      const s = u * u + v * v;
      if (s === 0 || s >= 1) continue;
      const radius = Math.sqrt((-2 * naturalLogarithm(s)) / s);
      this.#spare = v * radius;
      return u * radius;
    }
  }

  /** A number of the standard normal distribution between -2 and 2: others are drawn again. */
  truncatedNormal(): number {
    for (;;) {
      const value = this.normal();
      if (Math.abs(value) <= 2) return value;
    }
  }
}

/** Terms of the series below: with |z| <= 0.172 what is left out is less than 2^-60 of the sum. */
const TERMS = 12;

/**
 * ln(x) to a few ulp, of 2^-106 <= x < 1: x = m 2^-k with m from sqrt(1/2) to sqrt(2), and
 * ln(m) = 2 artanh(z) = 2 (z + z^3/3 + z^5/5 + ...) with z = (m - 1) / (m + 1).
 */
export function naturalLogarithm(x: number): number {
  let halvings = 0;
  for (; x < Math.SQRT1_2; x *= 2) halvings++;
  const z = (x - 1) / (x + 1);
  const square = z * z;
  let sum = 0;
  for (let i = TERMS; i >= 0; i--) sum = sum * square + 1 / (2 * i + 1);
  return 2 * z * sum - halvings * Math.LN2;
}

/**
 * cos(2 pi numerator / denominator) of integers, to a few ulp: exactly 0, 1 and -1 at the quarters.
 * The angle is brought to an eighth of a turn in integers, so that no multiple of pi has to be taken off it.
 */
export function cosineOfTurns(numerator: number, denominator: number): number {
  let n = Math.abs(numerator) % denominator;
  if (2 * n > denominator) n = denominator - n;
  if (4 * n > denominator) return -cosineOfTurns(denominator - 2 * n, 2 * denominator);
  return 8 * n > denominator
    ? sine((TWO_PI * (denominator - 4 * n)) / (4 * denominator))
    : 1 - 2 * sine((TWO_PI * n) / (2 * denominator)) ** 2;
}

const TWO_PI = 6.283185307179586;

/** The Taylor series of sin(x), for 0 <= x <= pi / 4: what is left out is less than 2^-60. */
function sine(x: number): number {
  const square = x * x;
  let sum = 0;
  for (let i = 17; i >= 1; i -= 2) sum = 1 - (sum * square) / ((i + 1) * (i + 2));
  return x * sum;
}
