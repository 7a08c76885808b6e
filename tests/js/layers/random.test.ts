import { cosineOfTurns, naturalLogarithm, Random } from '../../../js/src/layers/random.js';

const COUNT = 20000;
const drawn = (next: (random: Random) => number, seed = 1): number[] => {
  const random = new Random(seed);
  return Array.from({ length: COUNT }, () => next(random));
};

test('the first numbers of a seed are these, in every engine', () => {
  const random = new Random(42);
  expect([random.uniform(), random.uniform()]).toEqual([0.9960876061646731, 0.6283956451311069]);
  expect([random.normal(), random.normal(), random.normal()]).toEqual([
    -1.9442868050960294, -2.3916032183702844, 0.28151290129402023,
  ]);
});

test('a seed gives the same numbers again; other seeds and streams give others', () => {
  const first = (seed: number, stream?: number): number => new Random(seed, stream).uniform();
  expect(first(7)).toBe(first(7));
  const seeds = [
    0,
    1,
    2,
    -1,
    2 ** 32,
    2 ** 32 + 1,
    2 ** 31,
    Number.MAX_SAFE_INTEGER,
    Number.MIN_SAFE_INTEGER,
  ];
  const all = seeds.flatMap((seed) => [0, 1, 2, 2 ** 31].map((stream) => first(seed, stream)));
  expect(new Set(all).size).toBe(all.length);
});

/** The largest distance between the distribution of a sample and the one it should have (Kolmogorov and Smirnov). */
function distance(values: readonly number[], cumulative: (value: number) => number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.max(
    ...sorted.map((value, i) => {
      const expected = cumulative(value);
      return Math.max(Math.abs(expected - i / COUNT), Math.abs(expected - (i + 1) / COUNT));
    }),
  );
}

/** Exceeded by one sample in a thousand; ours are always the same. */
const LIMIT = 1.95 / Math.sqrt(COUNT);

/** By the integral of the density, in steps of Simpson's rule. */
function normalCumulative(x: number): number {
  const steps = 60;
  const h = x / steps;
  let sum = 0;
  for (let i = 0; i < steps; i++) {
    const [a, b, c] = [i * h, (i + 0.5) * h, (i + 1) * h].map((t) => Math.exp(-t * t * 0.5)) as [
      number,
      number,
      number,
    ];
    sum += (h / 6) * (a + 4 * b + c);
  }
  return 0.5 + sum / Math.sqrt(2 * Math.PI);
}

test('uniform numbers are', () => {
  const values = drawn((random) => random.uniform());
  expect(distance(values, (x) => x)).toBeLessThan(LIMIT);
  expect(values.every((x) => x >= 0 && x < 1)).toBe(true);
});

test('neighbours of a uniform sequence have nothing to do with each other', () => {
  const values = drawn((random) => random.uniform() - 0.5);
  const product = values.slice(1).reduce((sum, x, i) => sum + x * (values[i] as number), 0);
  expect(Math.abs((product / COUNT) * 12)).toBeLessThan(4 / Math.sqrt(COUNT));
});

test('normal numbers are', () => {
  const values = drawn((random) => random.normal());
  expect(distance(values, normalCumulative)).toBeLessThan(LIMIT);
  expect(Math.max(...values)).toBeGreaterThan(3);
});

test('truncated normal numbers are', () => {
  const values = drawn((random) => random.truncatedNormal());
  const [low, high] = [normalCumulative(-2), normalCumulative(2)];
  expect(distance(values, (x) => (normalCumulative(x) - low) / (high - low))).toBeLessThan(LIMIT);
  expect(values.every((x) => Math.abs(x) <= 2)).toBe(true);
});

test('the logarithm is within a few ulp of the exact one', () => {
  const random = new Random(3);
  for (let i = 0; i < 1000; i++) {
    const x = random.uniform() * 2 ** -(i % 100);
    const error = Math.abs(naturalLogarithm(x) / Math.log(x) - 1);
    expect(error).toBeLessThan(2 ** -50);
  }
  expect(naturalLogarithm(1 - 2 ** -53) / -(2 ** -53)).toBeCloseTo(1, 14);
  expect(naturalLogarithm(2 ** -106)).toBeCloseTo(-106 * Math.LN2, 12);
});

test('the cosine of parts of a turn is within a few ulp, and exact at quarters', () => {
  expect([0, 1, 2, 3, 4, 5, 8].map((n) => cosineOfTurns(n, 4))).toEqual([1, 0, -1, 0, 1, 0, 1]);
  for (const denominator of [1, 2, 3, 7, 8, 12, 100, 1023]) {
    for (let n = -denominator; n <= denominator; n++) {
      const error = Math.abs(cosineOfTurns(n, denominator) - Math.cos((2 * Math.PI * n) / denominator));
      // Of which up to 9e-16 is due to the angle that Math.cos gets.
      expect(error).toBeLessThan(1.2e-15);
      expect(cosineOfTurns(n + 3 * denominator, denominator)).toBe(cosineOfTurns(n, denominator));
    }
  }
});
