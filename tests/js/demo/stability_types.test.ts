// Rounding to each type, against the package's own and against all numbers that a type has.

import { layerNorm, tensor } from 'layernorm';
import { fromBits, spacingAt, TYPES, toBits } from '../../../web-demo/src/stability/types.js';

const ALL_BITS = Uint16Array.from({ length: 65536 }, (_, i) => i);

describe.each(['float16', 'bfloat16'] as const)('%s', (type) => {
  const { round, largest } = TYPES[type];
  const all = fromBits(ALL_BITS, type);

  test('every number of the type is its own rounding, and has its bits', () => {
    const bits = toBits(all, type);
    const wrong = all.filter((value, i) => {
      const isOwn = Object.is(round(value), value);
      return !isOwn || (!Number.isNaN(value) && bits[i] !== i);
    });
    expect([...wrong]).toEqual([]);
    expect(Math.max(...all.filter(Number.isFinite))).toBe(largest);
    expect(bits.filter((_, i) => Number.isNaN(all[i] as number)).every((word) => word === 0x7fff)).toBe(true);
  });

  test('what lies between two numbers goes to the nearer one, the middle to the even one', () => {
    const positive = all.slice(0, 0x7fff).filter(Number.isFinite);
    const wrong = positive.slice(1).filter((high, i) => {
      const low = positive[i] as number;
      const [step, format] = [high - low, TYPES[type]];
      return (
        round((low + high) / 2) !== (i % 2 === 0 ? low : high) ||
        round(low + step * 0.49) !== low ||
        round(-(low + step * 0.51)) !== -high ||
        spacingAt(low, format) !== step
      );
    });
    expect([...wrong]).toEqual([]);
    expect(positive.length).toBeGreaterThan(30_000);
  });

  test('what is too large becomes infinite from half a step on', () => {
    const half = spacingAt(largest, TYPES[type]) / 2;
    expect(round(largest + half)).toBe(Number.POSITIVE_INFINITY);
    expect(round(-largest - half)).toBe(Number.NEGATIVE_INFINITY);
    expect(round(largest + half * 0.999)).toBe(largest);
    expect(round(Number.NaN)).toBeNaN();
    expect(round(Number.NEGATIVE_INFINITY)).toBe(Number.NEGATIVE_INFINITY);
  });

  test('the package takes these bits for the same numbers', () => {
    const bits = toBits([round(0.3), -round(0.3)], type);
    const y = layerNorm(bits, { dtype: type, epsilon: 0 });
    expect([...fromBits(y, type)]).toEqual([1, -1]);
    const values = [0.1, 65504, 1e-7, -2.5e-8];
    const held = tensor(Float64Array.from(values), [4], type);
    expect([...fromBits(held.array as ArrayLike<number>, type)]).toEqual(values.map(round));
    held.dispose();
  });
});

test('spacing of float32 and float64, denormals included', () => {
  expect(spacingAt(1, TYPES.float32)).toBe(2 ** -23);
  expect(spacingAt(1.999, TYPES.float64)).toBe(2 ** -52);
  expect(spacingAt(-1e8, TYPES.float32)).toBe(8);
  expect(spacingAt(0, TYPES.float32)).toBe(2 ** -149);
  expect(spacingAt(1e-42, TYPES.float32)).toBe(2 ** -149);
  expect(spacingAt(0, TYPES.float64)).toBe(2 ** -1074);
});
