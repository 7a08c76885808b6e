// Tier: bounded. How exact Moments are, in ulp of what exact arithmetic gives: under every split of the data, and for numbers of
// every size.
import { type FinalMoments, Moments } from 'layernorm';
import { normal, normals, seeded } from '../support/random.js';
import { exactMoments, ulpError } from '../support/rational.js';

describe('exact whichever way the data were split', () => {
  const gauss = normal(seeded(3));
  const DATA: Record<string, (i: number) => number> = {
    'N(0,1)': gauss,
    '1e8 + N(0,1)': () => 1e8 + gauss(),
    '1e8 + N(0,1e-6)': () => 1e8 + 1e-6 * gauss(),
    '1e15 + i': (i) => 1e15 + i,
    'constant .1': () => 0.1,
    'constant 1e7/3': () => 1e7 / 3,
    'two values': (i) => (i % 3 === 0 ? 0.1 : 0.7),
    'one outlier of 1e6': (i) => (i === 5 ? 1e6 : gauss()),
    'one outlier of 1e20': (i) => (i === 5 ? 1e20 : gauss()),
    'N(0,1) * 1e150': () => 1e150 * gauss(),
    'N(0,1) * 1e-140': () => 1e-140 * gauss(),
    lognormal: () => Math.exp(gauss()),
  };
  const WAYS: Record<string, (shards: Moments[]) => Moments> = {
    'one after the other': (shards) => shards.reduce((all, one) => all.merge(one)),
    backwards: (shards) => shards.reduceRight((all, one) => all.merge(one)),
    'as a tree': (shards) => {
      let level = shards;
      while (level.length > 1) {
        level = level.flatMap((one, i) =>
          i % 2 === 0 ? [i + 1 < level.length ? one.merge(level[i + 1] as Moments) : one] : [],
        );
      }
      return level[0] as Moments;
    },
    'in any order': (shards) => {
      const random = seeded(shards.length);
      const take = (): Moments => shards.splice(Math.floor(random() * shards.length), 1)[0] as Moments;
      while (shards.length > 1) shards.push(take().merge(take()));
      return shards[0] as Moments;
    },
  };

  test.each(Object.keys(DATA))('%s', (name) => {
    const next = DATA[name] as (i: number) => number;
    for (const length of [1, 2, 3, 7, 50, 1000]) {
      const x = Float64Array.from({ length }, (_, i) => next(i));
      const exact = exactMoments(x);
      const once = new Moments({ axis: null }).update(x).finalize();
      for (const size of [1, 3, 64, 1000]) {
        for (const way of Object.values(WAYS)) {
          const shards: Moments[] = [];
          for (let from = 0; from < length; from += size) {
            shards.push(new Moments({ axis: null }).update(x.subarray(from, from + size)));
          }
          const { mean, variance, count } = way(shards).finalize();
          expect(count[0]).toBe(length);
          // Half an ulp is the best that there is.
          expect(ulpError(mean[0] as number, exact.mean)).toBeLessThan(0.51);
          expect(ulpError(variance[0] as number, exact.variance)).toBeLessThan(1);
          expect(mean).toEqual(once.mean);
        }
      }
    }
  });

  test('elements that cancel: the error is relative to their size', () => {
    const x = Float64Array.from({ length: 999 }, (_, i) => (i % 2 ? -1e20 : 1e20 + 1e6 * gauss()));
    x[0] = 0.1;
    const exact = exactMoments(x);
    const shards = Array.from({ length: 9 }, (_, i) =>
      new Moments({ axis: null }).update(x.subarray(111 * i, 111 * (i + 1))),
    );
    for (const one of [
      new Moments({ axis: null }).update(x),
      (WAYS['as a tree'] as (typeof WAYS)[string])(shards),
    ]) {
      const { mean, variance } = one.finalize();
      expect(ulpError(mean[0] as number, exact.mean)).toBeLessThan(0.51);
      expect(ulpError(variance[0] as number, exact.variance)).toBeLessThan(1);
    }
  });

  test('1e5 shards', () => {
    const x = Float64Array.from({ length: 1e5 }, () => 1e8 + gauss());
    const exact = exactMoments(x);
    for (const name of ['one after the other', 'as a tree']) {
      const shards = Array.from(x, (value) => new Moments({ axis: null }).update([value]));
      const { mean, variance, count } = (WAYS[name] as (typeof WAYS)[string])(shards).finalize();
      expect(count[0]).toBe(1e5);
      expect(ulpError(mean[0] as number, exact.mean)).toBeLessThan(0.51);
      expect(ulpError(variance[0] as number, exact.variance)).toBeLessThan(1);
    }
  });

  test('many features, in every layout: the bits of each feature alone', () => {
    const [outer, channels, inner] = [9, 5, 7];
    const shape = [outer, channels, inner];
    const x = normals(outer * channels * inner).map((value, i) => value * 10 ** (i % 5));
    const mask = Uint8Array.from(x, (value) => Number(value > -1));
    const masked = new Moments({ axis: 1 }).update(x, { shape, mask });
    const { mean, variance } = new Moments({ axis: 1 }).update(x, { shape }).finalize();
    for (let c = 0; c < channels; c++) {
      const own = x.filter((_, i) => Math.floor(i / inner) % channels === c);
      const alone = new Moments({ axis: null }).update(own).finalize();
      expect([mean[c], variance[c]]).toEqual([alone.mean[0], alone.variance[0]]);
      const shown = new Moments({ axis: null }).update(own.filter((value) => value > -1)).finalize();
      const { mean: maskedMean, variance: maskedVariance, count } = masked.finalize();
      expect([maskedMean[c], maskedVariance[c], count[c]]).toEqual([
        shown.mean[0],
        shown.variance[0],
        shown.count[0],
      ]);
    }
  });
});

describe('special values', () => {
  const moments = (...values: number[]): Moments =>
    new Moments({ axis: null }).update(new Float64Array(values));
  const bothWays = (...values: number[]): FinalMoments[] => [
    moments(...values).finalize(),
    values.reduce((all, value) => all.merge(moments(value)), moments()).finalize(),
  ];

  test.each([
    [[1, Number.POSITIVE_INFINITY, 2], Number.POSITIVE_INFINITY],
    [[Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY], Number.NEGATIVE_INFINITY],
    [[Number.POSITIVE_INFINITY, 1, Number.NEGATIVE_INFINITY], Number.NaN],
    [[1, Number.NaN, 2], Number.NaN],
  ])('%p: mean %p, variance NaN', (values, expected) => {
    for (const { mean, variance } of bothWays(...values)) {
      expect([mean[0], variance[0]]).toEqual([expected, Number.NaN]);
    }
  });

  test('stay in their feature', () => {
    const { mean, variance } = new Moments()
      .update([
        [1, Number.NaN, 2, Number.POSITIVE_INFINITY],
        [3, 4, 2, 5],
      ])
      .finalize();
    expect([...mean]).toEqual([2, Number.NaN, 2, Number.POSITIVE_INFINITY]);
    expect([...variance]).toEqual([1, Number.NaN, 0, Number.NaN]);
  });

  test.each([
    [[1e308, 1e308, 1e308], 1e308, 0],
    [[1.5e308, -1.5e308], 0, Number.POSITIVE_INFINITY],
    [[1.5e308, 1.5e308, 1.5e308, -1.5e308], 7.5e307, Number.POSITIVE_INFINITY],
    [[2 ** 600, 0], 2 ** 599, Number.POSITIVE_INFINITY],
    [[2 ** 500, -(2 ** 500)], 0, 2 ** 1000],
    [[2 ** 1000, 2 ** 1000], 2 ** 1000, 0],
    [[5e-324, 5e-324], 5e-324, 0],
  ])('huge and tiny ones: %p', (values, expectedMean, expectedVariance) => {
    for (const { mean, variance } of bothWays(...values)) {
      expect([mean[0], variance[0]]).toEqual([expectedMean, expectedVariance]);
    }
  });

  test('counts up to 2 ** 53', () => {
    const one = moments(1, 3);
    for (let i = 0; i < 51; i++) one.merge(one.clone());
    const { mean, variance, count } = one.merge(moments(2)).finalize();
    expect([mean[0], count[0]]).toEqual([2, 2 ** 52 + 1]);
    expect(variance[0]).toBeCloseTo(1, 15);
  });
});
