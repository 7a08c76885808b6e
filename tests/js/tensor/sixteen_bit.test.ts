import { isSixteenBit, type SixteenBit } from '../../../js/src/tensor/dtype.js';
import { copierOf } from '../../../js/src/tensor/sixteen_bit.js';

/** Explicit bits of the mantissa, the bias, and the bits of infinity. */
const FORMATS = [
  ['float16', 10, 15, 0x7c00],
  ['bfloat16', 7, 127, 0x7f80],
] as const;

/** What bits stand for, by the definition; what would follow the largest where they are those of infinity. */
function numberOf(bits: number, mantissa: number, bias: number): number {
  const exponent = bits >> mantissa;
  const fraction = (bits % 2 ** mantissa) / 2 ** mantissa;
  return exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias);
}

function narrowed(type: SixteenBit, numbers: number[]): number[] {
  const bits = new Uint16Array(numbers.length);
  copierOf(undefined, type)(bits, 0, Float64Array.from(numbers), 0, numbers.length);
  return Array.from(bits);
}

const EVERY = Uint16Array.from({ length: 65536 }, (_, i) => i);

test('names', () => {
  expect(['float16', 'bfloat16', 'float32', undefined, 16].map(isSixteenBit)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});

describe.each(FORMATS)('%s', (type, mantissa, bias, infinity) => {
  test('every pattern is widened exactly, and narrowed to itself', () => {
    const numbers = new Float64Array(65536);
    copierOf(type, 'float64')(numbers, 0, EVERY, 0, 65536);
    for (const [bits, number] of numbers.entries()) {
      const magnitude = bits & 0x7fff;
      const expected =
        magnitude > infinity
          ? Number.NaN
          : magnitude === infinity
            ? Number.POSITIVE_INFINITY
            : numberOf(magnitude, mantissa, bias);
      if (!Object.is(number, bits >> 15 ? -expected : expected)) throw new Error(`${bits} gave ${number}`);
    }
    const bits = new Uint16Array(65536);
    copierOf('float64', type)(bits, 0, numbers, 0, 65536);
    for (const [i, one] of bits.entries()) {
      const expected = (i & 0x7fff) > infinity ? 0xffff : i;
      if (one !== expected) throw new Error(`${i} gave ${one}`);
    }
  });

  test('around every midpoint of two neighbours: to nearest even, once', () => {
    for (let bits = 0; bits < infinity; bits++) {
      const middle = (numberOf(bits, mantissa, bias) + numberOf(bits + 1, mantissa, bias)) / 2;
      // The next doubles: rounding to float32 in between would not see them.
      const [below, above] = [middle * (1 - 2 ** -52), middle * (1 + 2 ** -52)];
      const even = bits + (bits % 2);
      const expected = [bits, even, bits + 1, bits | 0x8000, even | 0x8000, (bits + 1) | 0x8000];
      const found = narrowed(type, [below, middle, above, -below, -middle, -above]);
      if (found.join() !== expected.join())
        throw new Error(`around ${middle}: ${found}, expected ${expected}`);
    }
  });

  test('what is too large, too small, or no number', () => {
    const largest = numberOf(infinity, mantissa, bias);
    expect(narrowed(type, [largest, 1e300, -Infinity, 5e-324, -1e-300, Number.NaN])).toEqual([
      infinity,
      infinity,
      infinity | 0x8000,
      0,
      0x8000,
      0xffff,
    ]);
  });
});

test('from one to the other, and parts of arrays', () => {
  const target = new Uint16Array(4);
  copierOf('float16', 'bfloat16')(target, 1, new Uint16Array([9, 0x3c00, 0xc000, 9]), 1, 2);
  expect(Array.from(target)).toEqual([0, 0x3f80, 0xc000, 0]);
});

test('one type is copied as it is', () => {
  const target = new Uint16Array(2);
  copierOf('bfloat16', 'bfloat16')(target, 0, new Uint16Array([0x7f81, 1]), 0, 2);
  expect(Array.from(target)).toEqual([0x7f81, 1]);
});
