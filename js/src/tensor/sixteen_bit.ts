import type { DType } from '../runtime/core_module.js';
import { type Copy, copyRun } from './blocks.js';
import { isSixteenBit, type SixteenBit } from './dtype.js';

/** Bits of the mantissa, the hidden one aside. */
const MANTISSA: Readonly<Record<SixteenBit, number>> = { float16: 10, bfloat16: 7 };

/**
 * What copies elements of one type to another; undefined stands for numbers in an array of any kind.
 * To 16 bits it rounds to nearest even; all that is too large becomes infinite, and NaN stays NaN. From them it is exact.
 */
export function copierOf(source: DType | undefined, target: DType | undefined): Copy {
  if (source === target) return copyRun;
  if (isSixteenBit(source) && isSixteenBit(target)) {
    return (to, at, from, start, length) => {
      const numbers = new Float32Array(length);
      widen(source, numbers, 0, from, start, length);
      narrow(target, to, at, numbers, 0, length);
    };
  }
  if (isSixteenBit(source)) return (...run) => widen(source, ...run);
  return isSixteenBit(target) ? (...run) => narrow(target, ...run) : copyRun;
}

function widen(type: SixteenBit, ...[target, to, source, from, length]: Parameters<Copy>): void {
  const mantissa = MANTISSA[type];
  const largest = 0x7fff >> mantissa;
  const bias = largest >> 1;
  const smallest = 2 ** (1 - bias - mantissa);
  const number = new Float64Array(1);
  const words = new Uint32Array(number.buffer);
  for (let i = 0; i < length; i++) {
    const bits = source[from + i] as number;
    const exponent = (bits & 0x7fff) >> mantissa;
    const fraction = bits & ((1 << mantissa) - 1);
    words[1] =
      ((exponent === largest ? 0x7ff : exponent - bias + 1023) << 20) | (fraction << (20 - mantissa));
    const magnitude = exponent === 0 ? fraction * smallest : (number[0] as number);
    target[to + i] = bits >> 15 ? -magnitude : magnitude;
  }
}

function narrow(type: SixteenBit, ...[target, to, source, from, length]: Parameters<Copy>): void {
  const mantissa = MANTISSA[type];
  const largest = 0x7fff >> mantissa;
  const bias = largest >> 1;
  const limit = 2 ** (bias + 1);
  const number = new Float64Array(2);
  const words = new Uint32Array(number.buffer);
  for (let i = 0; i < length; i++) {
    const value = source[from + i] as number;
    const magnitude = Math.abs(value);
    let bits = largest << mantissa;
    number[0] = value;
    const sign = ((words[1] as number) >>> 16) & 0x8000;
    if (magnitude < limit) {
      const exponent = Math.max((((words[1] as number) >>> 20) & 0x7ff) - 1023, 1 - bias);
      // The sum with so large a power of two ends in the bits that are wanted, rounded by the addition.
      words[3] = (exponent - mantissa + 52 + 1023) << 20;
      number[0] = magnitude + (number[1] as number);
      bits = ((exponent + bias - 1) << mantissa) + (words[0] as number);
    }
    target[to + i] = Number.isNaN(value) ? 0xffff : sign | bits;
  }
}
