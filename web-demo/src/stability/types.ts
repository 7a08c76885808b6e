// Types of floats: how numbers are rounded to them, and what a unit in the last place is.

import type { TypeName } from './settings.js';

export interface FloatType {
  /** Bits of the mantissa, the hidden one aside. */
  readonly mantissaBits: number;
  /** Of the smallest normal number, as a power of two. */
  readonly leastExponent: number;
  readonly largest: number;
  /** To nearest, ties to even; infinite beyond the largest. */
  readonly round: (value: number) => number;
}

export const TYPES: Readonly<Record<TypeName, FloatType>> = {
  float64: {
    mantissaBits: 52,
    leastExponent: -1022,
    largest: Number.MAX_VALUE,
    round: (value) => value,
  },
  float32: {
    mantissaBits: 23,
    leastExponent: -126,
    largest: (2 - 2 ** -23) * 2 ** 127,
    round: Math.fround,
  },
  float16: sixteenBit(10, -14, 65504),
  bfloat16: sixteenBit(7, -126, (2 - 2 ** -7) * 2 ** 127),
};

/** The type whose arithmetic formulas use for an input: 16 bits are widened to float32, as everybody does. */
export function arithmeticOf(type: TypeName): 'float32' | 'float64' {
  return type === 'float64' ? 'float64' : 'float32';
}

export function isSixteenBit(type: TypeName): type is 'float16' | 'bfloat16' {
  return type === 'float16' || type === 'bfloat16';
}

/** The distance of neighbouring numbers of a type at a value. */
export function spacingAt(value: number, { mantissaBits, leastExponent }: FloatType): number {
  return 2 ** (Math.max(exponentOf(Math.abs(value)), leastExponent) - mantissaBits);
}

const number = new Float64Array(2);
const words = new Uint32Array(number.buffer);

/** The power of two that a positive number lies at or above; that of the smallest normal number for zero and denormals. */
function exponentOf(value: number): number {
  number[0] = value;
  return Math.max(((words[1] as number) >>> 20) - 1023, -1022);
}

/**
 * What is computed in float64 of numbers with up to 11 bits and then rounded is rounded as if it had been computed exactly, so
 * that one rounding after each operation makes the arithmetic of the type.
 */
function sixteenBit(mantissaBits: number, leastExponent: number, largest: number): FloatType {
  const limit = largest * (1 + 1 / (2 ** (mantissaBits + 2) - 2)); // half a step beyond the largest
  const round = (value: number): number => {
    if (value === 0 || Number.isNaN(value)) return value;
    const magnitude = Math.abs(value);
    if (magnitude >= limit) return Math.sign(value) * Number.POSITIVE_INFINITY;
    const exponent = Math.max(exponentOf(magnitude), leastExponent);
    // The sum with so large a power of two has no room for more bits than are wanted.
    words[2] = 0;
    words[3] = (exponent - mantissaBits + 52 + 1023) << 20;
    const power = number[1] as number;
    const rounded = magnitude + power - power;
    return value < 0 ? -rounded : rounded;
  };
  return { mantissaBits, leastExponent, largest, round };
}

/** The bits of numbers that a 16-bit type has. */
export function toBits(values: ArrayLike<number>, type: 'float16' | 'bfloat16'): Uint16Array<ArrayBuffer> {
  const { mantissaBits, leastExponent } = TYPES[type];
  const infinity = 0x7fff & ~((1 << mantissaBits) - 1);
  return Uint16Array.from(values, (value) => {
    const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
    if (Number.isNaN(value)) return 0x7fff;
    const magnitude = Math.abs(value);
    if (magnitude === Number.POSITIVE_INFINITY) return sign | infinity;
    const exponent = Math.max(exponentOf(magnitude), leastExponent);
    const steps = magnitude / 2 ** (exponent - mantissaBits);
    // The hidden bit, where there is one, counts the exponent up by one.
    return sign | (((exponent - leastExponent) << mantissaBits) + steps);
  });
}

export function fromBits(bits: ArrayLike<number>, type: 'float16' | 'bfloat16'): Float64Array {
  const { mantissaBits, leastExponent } = TYPES[type];
  const largest = 0x7fff >> mantissaBits;
  return Float64Array.from(bits, (word) => {
    const exponent = (word & 0x7fff) >> mantissaBits;
    const fraction = word & ((1 << mantissaBits) - 1);
    const sign = word >> 15 ? -1 : 1;
    if (exponent === largest) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    const hidden = exponent === 0 ? 0 : 1 << mantissaBits;
    return sign * (hidden + fraction) * 2 ** (leastExponent + Math.max(exponent - 1, 0) - mantissaBits);
  });
}
