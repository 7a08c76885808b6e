// The bad formulas are bad in the way that they are said to be: operation by operation as float32 hardware has it.

import { onePass, plainRms, twoPass, welford } from '../../../web-demo/src/stability/formulas.js';
import { RowMaker } from '../../../web-demo/src/stability/row.js';
import { DEFAULTS, type Settings } from '../../../web-demo/src/stability/settings.js';
import { TYPES } from '../../../web-demo/src/stability/types.js';

const make = (settings: Partial<Settings>) => new RowMaker().make({ ...DEFAULTS, ...settings });
const { fround } = Math;
const exact = (value: number) => value;

/** A register of float32: what is stored is rounded. */
function register(): { value: number } {
  const memory = new Float32Array(1);
  return {
    get value() {
      return memory[0] as number;
    },
    set value(value) {
      memory[0] = value;
    },
  };
}

test('one pass takes the steps of a float32 loop', () => {
  const x = make({ offset: 1e4 });
  const [sum, squares, square, mean, power] = [register(), register(), register(), register(), register()];
  for (const value of x) {
    sum.value += value;
    square.value = value * value;
    squares.value += square.value;
  }
  mean.value = sum.value / 256;
  power.value = squares.value / 256;
  square.value = mean.value * mean.value;
  const got = onePass(x, 1e-5, fround, false);
  expect(got.mean).toBe(mean.value);
  expect(got.parts).toEqual({ meanOfSquares: power.value, squareOfMean: square.value });
  expect(got.variance).toBe(power.value - square.value);
  const rstd = fround(1 / fround(Math.sqrt(fround(got.variance + fround(1e-5)))));
  expect([...got.y]).toEqual([...x].map((value) => fround(fround(value - mean.value) * rstd)));
});

test('what rounding does is known for small rows', () => {
  // 4097^2 = 16785409 is not a float32; the nearest one is 16785408.
  const x = Float64Array.of(4097, 4097);
  expect(onePass(x, 0, fround, false)).toMatchObject({ mean: 4097, variance: 0 });
  expect(fround(4097 * 4097)).toBe(16785408);
  // 1 + 2^-24 is 1 in float32, so the second element is lost from the sum.
  expect(twoPass(Float64Array.of(1, 2 ** -24), 0, fround).mean).toBe(0.5);
  expect(twoPass(Float64Array.of(1, 2 ** -24), 0, exact).mean).toBe((1 + 2 ** -24) / 2);
});

test('a negative variance is NaN, or 0 where it is clamped', () => {
  const x = make({ offset: 1234, spread: 0 });
  const open = onePass(x, 1e-5, fround, false);
  expect(open.variance).toBeLessThan(0);
  expect([...open.y].every(Number.isNaN)).toBe(true);
  const clamped = onePass(x, 1e-5, fround, true);
  expect(clamped.variance).toBe(open.variance);
  expect([...clamped.y].every((value) => Math.abs(value) < 1)).toBe(true);
});

test('a bfloat16 sum stands still', () => {
  // From 256 on neighbouring numbers are 2 apart, and 256 + 1 is 256.
  const ones = new Float64Array(4096).fill(1);
  const { mean } = twoPass(ones, 1e-5, TYPES.bfloat16.round);
  expect(mean).toBe(256 / 4096);
});

test('without rounding all formulas give one result', () => {
  const x = make({ offset: 0, type: 'float64' });
  const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
  const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length;
  for (const { mean: m, variance: v, y } of [
    onePass(x, 1e-5, exact, false),
    twoPass(x, 1e-5, exact),
    welford(x, 1e-5, exact),
  ]) {
    expect(m).toBeCloseTo(mean, 13);
    expect(v).toBeCloseTo(variance, 13);
    y.forEach((value, i) => {
      expect(value).toBeCloseTo(((x[i] as number) - mean) / Math.sqrt(variance + 1e-5), 12);
    });
  }
  const { variance: power, y, mean: none } = plainRms(x, 1e-5, exact);
  expect(none).toBeUndefined();
  expect(power).toBeCloseTo(variance + mean * mean, 13);
  expect(y[5]).toBeCloseTo((x[5] as number) / Math.sqrt(power + 1e-5), 13);
});
