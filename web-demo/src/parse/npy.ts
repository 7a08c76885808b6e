// NumPy's .npy format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html

import { isNpy, npyHeader } from 'layernorm/io';
import { type Dataset, type Numbers, ParseError, shorten } from './dataset.js';
import {
  asData,
  checkShape,
  checkSize,
  ELEMENT_TYPES,
  type ElementType,
  elementsOf,
  plainAxes,
  readElements,
} from './elements.js';
import type { Bits } from './sixteen_bit.js';

export { isNpy };

/** What version 1 has room for; NumPy itself reads no longer ones, unless told to. */
const MAX_HEADER = 0xffff;

/**
 * Reads a .npy file of version 1, 2 or 3, of floats or whole numbers in either byte order, in C or Fortran order.
 * @throws {@link ParseError}
 */
export function parseNpy(buffer: ArrayBuffer, name: string): Dataset {
  const bytes = new Uint8Array(buffer);
  const view = new DataView(buffer);
  if (!isNpy(bytes)) throw new ParseError('This is not a .npy file: it does not start with \\x93NUMPY.');
  const version = bytes[6] ?? 0;
  if (version < 1 || version > 3) {
    throw new ParseError(`This .npy file has version ${version}, expected 1, 2 or 3.`);
  }
  const headerStart = version === 1 ? 10 : 12;
  if (bytes.length < headerStart) throw cutOff(headerStart, bytes.length);
  const headerEnd = headerStart + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (headerEnd - headerStart > MAX_HEADER) {
    throw new ParseError('The header of this .npy file is longer than any array of numbers needs.');
  }
  if (headerEnd > bytes.length) throw cutOff(headerEnd, bytes.length);
  const header = new TextDecoder(version === 3 ? 'utf-8' : 'latin1').decode(
    bytes.subarray(headerStart, headerEnd),
  );

  const { type, littleEndian, shape, isFortran } = readHeader(header);
  const length = elementsOf(shape);
  const expected = headerEnd + length * type.bytes;
  if (expected > bytes.length) throw cutOff(expected, bytes.length);
  checkSize(length, type.make(0) instanceof Float64Array, 'Save a part of it, such as x[:1000].');

  const data = readElements(type, bytes.subarray(headerEnd, expected), littleEndian);
  const notes: string[] = [];
  if (type.note) notes.push(type.note);
  const isReordered = isFortran && shape.length > 1;
  if (isReordered) notes.push('The file is in Fortran order; it has been brought to row-major order.');
  return {
    name,
    kind: 'npy',
    ...asData(type, isReordered ? toRowMajor(data, shape, type) : data),
    notes,
    axes: plainAxes(shape),
  };
}

interface Header {
  readonly type: ElementType;
  readonly littleEndian: boolean;
  readonly shape: readonly number[];
  readonly isFortran: boolean;
}

/** The header is a Python dictionary: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } */
function readHeader(header: string): Header {
  const field = (pattern: RegExp): string | undefined => pattern.exec(header)?.[1];
  const isFortran = field(/['"]fortran_order['"]\s*:\s*(True|False)/);
  const sizes = field(/['"]shape['"]\s*:\s*\(([^)]*)\)/);
  const descr = field(/['"]descr['"]\s*:\s*['"]([^'"]*)['"]/);
  if (isFortran === undefined || sizes === undefined) {
    throw new ParseError("The header of this .npy file lacks 'fortran_order' or 'shape'.");
  }
  if (descr === undefined) {
    throw new ParseError('This .npy file holds records. Expected an array of plain numbers: save one field.');
  }
  const [, order, code] = /^([<>|=]?)(\w+)$/.exec(descr) ?? [];
  const type = code === undefined ? undefined : ELEMENT_TYPES.get(code);
  if (!type) throw wrongType(descr, code);
  const shape = sizes
    .split(',')
    .map((size) => size.trim())
    .filter((size) => size !== '')
    .map((size) => Number(size.replace(/L$/, '')));
  if (shape.some((size) => !Number.isSafeInteger(size) || size < 0)) {
    throw new ParseError(`The shape of this .npy file is (${shorten(sizes)}), expected whole numbers.`);
  }
  checkShape(shape, 'This .npy file');
  return { type, littleEndian: order !== '>', shape, isFortran: isFortran === 'True' };
}

function wrongType(descr: string, code: string | undefined): ParseError {
  const expected = 'Expected float16, float32, float64 or whole numbers';
  const what: Record<string, string> = {
    c: 'complex numbers',
    O: 'Python objects',
    U: 'text',
    S: 'text',
    M: 'dates',
    m: 'durations',
    V: 'raw bytes, which NumPy takes for bfloat16 too',
    f: 'floats of an unusual size',
  };
  const found = what[/^(\w)\d*$/.exec(code ?? '')?.[1] ?? ''] ?? 'elements of another type';
  return new ParseError(`This array holds ${found} (${shorten(descr)}). ${expected}.`);
}

function cutOff(expected: number, came: number): ParseError {
  return new ParseError(
    `This .npy file is cut off: ${came.toLocaleString('en')} bytes, expected ${expected.toLocaleString('en')}.`,
  );
}

/** Elements of an array whose first dimension runs fastest, with the last one running fastest. */
function toRowMajor(data: Numbers, shape: readonly number[], type: ElementType): Numbers {
  const result = type.make(data.length);
  const rank = shape.length;
  const index = new Array<number>(rank).fill(0);
  const strides = shape.map((_, d) => shape.slice(0, d).reduce((product, size) => product * size, 1));
  let from = 0;
  for (let to = 0; to < result.length; to++) {
    result[to] = data[from] as number;
    for (let d = rank - 1; d >= 0; d--) {
      from += strides[d] as number;
      index[d] = (index[d] as number) + 1;
      if ((index[d] as number) < (shape[d] as number)) break;
      from -= (shape[d] as number) * (strides[d] as number);
      index[d] = 0;
    }
  }
  return result;
}

/**
 * Writes floats as a .npy file of version 1: little-endian, in C order. NumPy has no bfloat16, so that the numbers are written as
 * float32 then.
 * @param bits - of the same numbers, where they are of 16 bits
 */
export function formatNpy(
  values: Float32Array | Float64Array,
  shape: readonly number[],
  bits?: Bits | undefined,
): Blob {
  const isHalf = bits?.dtype === 'float16';
  const dtype = values instanceof Float64Array ? 'float64' : isHalf ? 'float16' : 'float32';
  const header = npyHeader({ dtype, shape }) as Uint8Array<ArrayBuffer>;
  return new Blob([header, isHalf ? bits.array : (values as Float32Array<ArrayBuffer>)]);
}
