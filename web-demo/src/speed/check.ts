// Whether what is timed is right: some groups of each result against float64.

import { METHODS } from '../compute/methods.js';
import { checkGroups } from '../compute/reference.js';
import type { Numbers } from './plain_loops.js';
import type { DType, OperationName, Shape } from './settings.js';

export interface Checked extends Shape {
  readonly operation: OperationName;
  readonly dtype: DType;
  readonly epsilon: number;
  /** As they are stored: of types of 16 bits as the bits, or as a Float16Array. */
  readonly x: Numbers;
  readonly y: Numbers;
  readonly gamma: Float32Array | Float64Array;
  readonly beta: Float32Array | Float64Array;
}

/** How many groups are looked at, at most. */
const GROUPS = 8;
const MANTISSA_BITS: Record<DType, number> = { float32: 23, float64: 52, float16: 10, bfloat16: 7 };

/** The largest error in units in the last place of the type, at the size of gamma * max(|normalized|, 1) or beta. */
export function largestError({
  operation,
  dtype,
  epsilon,
  rows,
  columns,
  x,
  y,
  gamma,
  beta,
}: Checked): number {
  const isPerColumn = METHODS[operation].isPerChannel;
  const [count, size] = isPerColumn ? [columns, rows] : [rows, columns];
  const picked = spread(count, GROUPS);
  const Floats = dtype === 'float64' ? Float64Array : Float32Array;
  const gather = (from: Numbers) => {
    const read = readerOf(dtype, from);
    const numbers = new Floats(picked.length * size);
    picked.forEach((group, g) => {
      for (let p = 0; p < size; p++) {
        numbers[g * size + p] = read(isPerColumn ? p * columns + group : group * columns + p);
      }
    });
    return numbers;
  };
  const { hasGamma, hasBeta } = METHODS[operation];
  const { ulp } = checkGroups(
    {
      method: operation,
      x: gather(x),
      y: gather(y),
      epsilon,
      gamma: hasGamma ? gamma : undefined,
      beta: hasBeta ? beta : undefined,
      groups: {
        shape: [picked.length, size],
        kept: [0],
        reduced: [1],
        parameters: [isPerColumn ? 0 : 1],
        count: picked.length,
        size,
        starts: Uint32Array.from(picked, (_, g) => g * size),
        offsets: Uint32Array.from({ length: size }, (_, p) => p),
        parameterStarts: Uint32Array.from(picked, (group) => (isPerColumn ? group : 0)),
        parameterOffsets: Uint32Array.from({ length: size }, (_, p) => (isPerColumn ? 0 : p)),
      },
    },
    0,
    picked.length,
    { absolute: 0, ulp: 0, notFinite: 0 },
  );
  // The check counts in units of what it is given.
  return ulp / 2 ** ((dtype === 'float64' ? 52 : 23) - MANTISSA_BITS[dtype]);
}

/** Some of the indices below `count`, the first and the last among them. */
function spread(count: number, most: number): number[] {
  if (count <= most) return Array.from({ length: count }, (_, i) => i);
  return Array.from({ length: most }, (_, i) => Math.round((i * (count - 1)) / (most - 1)));
}

function readerOf(dtype: DType, from: Numbers): (i: number) => number {
  if (!(from instanceof Uint16Array)) return (i) => from[i] as number;
  const decode = dtype === 'float16' ? fromFloat16 : fromBfloat16;
  return (i) => decode(from[i] as number);
}

const real = new Float32Array(1);
const word = new Uint32Array(real.buffer);

export function fromBfloat16(bits: number): number {
  word[0] = bits << 16;
  return real[0] as number;
}

export function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 0x3ff;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent ? (1024 + fraction) * 2 ** (exponent - 25) : fraction * 2 ** -24);
}
