// Elements of binary files: which types there are, how their bytes become numbers, and how many fit into memory.

import { type Axis, type Dataset, type Numbers, ParseError } from './dataset.js';
import { type SixteenBit, widen } from './sixteen_bit.js';

/** `layerNorm` takes tensors of up to this many dimensions. */
export const MAX_RANK = 32;

/**
 * Bytes of the numbers in the type that they are computed in, at most. The page and the memory of the package hold a handful of
 * copies of them, which have to fit into what a browser gives to a page.
 */
export const MAX_BYTES = 320e6;

export interface ElementType {
  readonly bytes: number;
  readonly make: (length: number) => Numbers;
  /** Reads one element at a byte offset. */
  readonly read: (view: DataView, offset: number, littleEndian: boolean) => number;
  /** What the elements are the bits of. */
  readonly bits?: SixteenBit;
  /** Whether they become others, since the package does not take them as they are. */
  readonly isConverted?: boolean;
  /** Said to the user where elements are converted. */
  readonly note?: string;
}

const WIDE = 'Whole numbers of 64 bits are read as float64: exact up to 2⁵³.';

/** By the codes that NumPy has for them. A map: what a file names may be anything, such as a property that every object has. */
export const ELEMENT_TYPES: ReadonlyMap<string, ElementType> = new Map<string, ElementType>([
  ['f4', { bytes: 4, make: (n) => new Float32Array(n), read: (v, at, le) => v.getFloat32(at, le) }],
  ['f8', { bytes: 8, make: (n) => new Float64Array(n), read: (v, at, le) => v.getFloat64(at, le) }],
  ['f2', sixteenBit('float16')],
  ['i1', { bytes: 1, make: (n) => new Int8Array(n), read: (v, at) => v.getInt8(at) }],
  ['u1', { bytes: 1, make: (n) => new Uint8Array(n), read: (v, at) => v.getUint8(at) }],
  ['b1', { bytes: 1, make: (n) => new Uint8Array(n), read: (v, at) => v.getUint8(at) }],
  ['i2', { bytes: 2, make: (n) => new Int16Array(n), read: (v, at, le) => v.getInt16(at, le) }],
  ['u2', { bytes: 2, make: (n) => new Uint16Array(n), read: (v, at, le) => v.getUint16(at, le) }],
  ['i4', { bytes: 4, make: (n) => new Int32Array(n), read: (v, at, le) => v.getInt32(at, le) }],
  ['u4', { bytes: 4, make: (n) => new Uint32Array(n), read: (v, at, le) => v.getUint32(at, le) }],
  [
    'i8',
    {
      bytes: 8,
      make: (n) => new Float64Array(n),
      read: (v, at, le) => Number(v.getBigInt64(at, le)),
      isConverted: true,
      note: WIDE,
    },
  ],
  [
    'u8',
    {
      bytes: 8,
      make: (n) => new Float64Array(n),
      read: (v, at, le) => Number(v.getBigUint64(at, le)),
      isConverted: true,
      note: WIDE,
    },
  ],
]);

/** Which NumPy has no code for. */
export const BFLOAT16 = sixteenBit('bfloat16');

function sixteenBit(bits: SixteenBit): ElementType {
  return { bytes: 2, make: (n) => new Uint16Array(n), read: (v, at, le) => v.getUint16(at, le), bits };
}

/** Elements from bytes, which have to be as many as they need. */
export function readElements(
  type: ElementType,
  bytes: Uint8Array<ArrayBuffer>,
  littleEndian = true,
): Numbers {
  const length = bytes.length / type.bytes;
  const data = type.make(length);
  if (littleEndian && !type.isConverted) {
    // The file's own bytes, which machines that run WebAssembly have in the same order; a copy, since they may be at any address.
    new Uint8Array(data.buffer).set(bytes);
    return data;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < length; i++) data[i] = type.read(view, i * type.bytes, littleEndian);
  return data;
}

/** Numbers as a dataset has them: of bits both they and what they stand for. */
export function asData(type: ElementType, data: Numbers): Pick<Dataset, 'data' | 'bits'> {
  if (!type.bits) return { data };
  const bits = { dtype: type.bits, array: data as Uint16Array<ArrayBuffer> };
  return { data: widen(bits), bits };
}

export function plainAxes(shape: readonly number[]): Axis[] {
  return shape.map((size) => ({ size }));
}

export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** @throws {@link ParseError} where an array has no dimensions, too many of them, or no elements */
export function checkShape(shape: readonly number[], what: string): void {
  if (shape.length === 0) {
    throw new ParseError(`${what} holds a single number, without dimensions. Expected an array.`);
  }
  if (shape.length > MAX_RANK) {
    throw new ParseError(`${what} has ${shape.length} dimensions, expected at most ${MAX_RANK}.`);
  }
  if (shape.includes(0)) {
    throw new ParseError(
      `${what} of shape (${shape.join(', ')}) has no elements: there is nothing to normalize.`,
    );
  }
}

/** @throws {@link ParseError} where there are more elements than fit */
export function checkSize(elements: number, isDouble: boolean, way: string): void {
  const most = MAX_BYTES / (isDouble ? 8 : 4);
  if (elements <= most) return;
  throw new ParseError(
    `${whole(elements)} numbers are more than a page can hold: at most ${whole(most)}${isDouble ? ' of float64' : ''}. ${way}`,
  );
}

export function whole(n: number): string {
  return n < 1e15 ? n.toLocaleString('en') : n.toExponential(1);
}
