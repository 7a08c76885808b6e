// NumPy's .npy format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html

import { type Dataset, type Numbers, ParseError } from './dataset.js';

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY
/** `layerNorm` takes tensors of up to this many dimensions. */
const MAX_RANK = 32;

/** Reads one element of `bytes` at a byte offset. */
type ReadElement = (view: DataView, offset: number, littleEndian: boolean) => number;

interface ElementType {
  readonly bytes: number;
  readonly make: (length: number) => Numbers;
  readonly read: ReadElement;
  /** Said to the user where elements are converted. */
  readonly note?: string;
}

const WIDE = 'Whole numbers of 64 bits are read as float64: exact up to 2⁵³.';

const ELEMENT_TYPES: Record<string, ElementType> = {
  f4: { bytes: 4, make: (n) => new Float32Array(n), read: (v, at, le) => v.getFloat32(at, le) },
  f8: { bytes: 8, make: (n) => new Float64Array(n), read: (v, at, le) => v.getFloat64(at, le) },
  i1: { bytes: 1, make: (n) => new Int8Array(n), read: (v, at) => v.getInt8(at) },
  u1: { bytes: 1, make: (n) => new Uint8Array(n), read: (v, at) => v.getUint8(at) },
  b1: { bytes: 1, make: (n) => new Uint8Array(n), read: (v, at) => v.getUint8(at) },
  i2: { bytes: 2, make: (n) => new Int16Array(n), read: (v, at, le) => v.getInt16(at, le) },
  u2: { bytes: 2, make: (n) => new Uint16Array(n), read: (v, at, le) => v.getUint16(at, le) },
  i4: { bytes: 4, make: (n) => new Int32Array(n), read: (v, at, le) => v.getInt32(at, le) },
  u4: { bytes: 4, make: (n) => new Uint32Array(n), read: (v, at, le) => v.getUint32(at, le) },
  i8: {
    bytes: 8,
    make: (n) => new Float64Array(n),
    read: (v, at, le) => Number(v.getBigInt64(at, le)),
    note: WIDE,
  },
  u8: {
    bytes: 8,
    make: (n) => new Float64Array(n),
    read: (v, at, le) => Number(v.getBigUint64(at, le)),
    note: WIDE,
  },
};

/** Whether a file starts as .npy files do. */
export function isNpy(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, i) => bytes[i] === byte);
}

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
  if (headerEnd > bytes.length) throw cutOff(headerEnd, bytes.length);
  const header = new TextDecoder(version === 3 ? 'utf-8' : 'latin1').decode(
    bytes.subarray(headerStart, headerEnd),
  );

  const { type, littleEndian, shape, isFortran } = readHeader(header);
  const length = shape.reduce((product, size) => product * size, 1);
  const expected = headerEnd + length * type.bytes;
  if (expected > bytes.length) throw cutOff(expected, bytes.length);

  const data = type.make(length);
  if (littleEndian && data.BYTES_PER_ELEMENT === type.bytes && !type.note) {
    // The file's own bytes, which machines that run WebAssembly have in the same order.
    new Uint8Array(data.buffer).set(bytes.subarray(headerEnd, expected));
  } else {
    for (let i = 0; i < length; i++) data[i] = type.read(view, headerEnd + i * type.bytes, littleEndian);
  }
  const notes: string[] = [];
  if (type.note) notes.push(type.note);
  const isReordered = isFortran && shape.length > 1;
  if (isReordered) notes.push('The file is in Fortran order; it has been brought to row-major order.');
  return {
    name,
    kind: 'npy',
    data: isReordered ? toRowMajor(data, shape, type) : data,
    notes,
    axes: shape.map((size) => ({ size })),
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
  const type = code === undefined ? undefined : ELEMENT_TYPES[code];
  if (!type) throw wrongType(descr, code);
  const shape = sizes
    .split(',')
    .map((size) => size.trim())
    .filter((size) => size !== '')
    .map((size) => Number(size.replace(/L$/, '')));
  if (shape.some((size) => !Number.isSafeInteger(size) || size < 0)) {
    throw new ParseError(`The shape of this .npy file is (${sizes}), expected whole numbers.`);
  }
  if (shape.length === 0) {
    throw new ParseError('This .npy file holds a single number, without dimensions. Expected an array.');
  }
  if (shape.length > MAX_RANK) {
    throw new ParseError(`This array has ${shape.length} dimensions, expected at most ${MAX_RANK}.`);
  }
  if (shape.includes(0)) {
    throw new ParseError(
      `This array of shape (${shape.join(', ')}) has no elements: there is nothing to normalize.`,
    );
  }
  return { type, littleEndian: order !== '>', shape, isFortran: isFortran === 'True' };
}

function wrongType(descr: string, code: string | undefined): ParseError {
  const expected = 'Expected float32, float64 or whole numbers';
  if (code === 'f2') {
    return new ParseError(`This array is float16, which is not supported yet. ${expected}: x.astype('f4').`);
  }
  const what: Record<string, string> = {
    c: 'complex numbers',
    O: 'Python objects',
    U: 'text',
    S: 'text',
    M: 'dates',
    m: 'durations',
    V: 'raw bytes or bfloat16',
    f: 'floats of an unusual size',
  };
  const found = what[code?.[0] ?? ''] ?? 'elements of another type';
  return new ParseError(`This array holds ${found} (${descr}). ${expected}.`);
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

/** Writes floats as a .npy file of version 1: little-endian, in C order. */
export function formatNpy(values: Float32Array | Float64Array, shape: readonly number[]): Blob {
  const type = values instanceof Float64Array ? '<f8' : '<f4';
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': (${sizes}), }`;
  // The numbers begin at a multiple of 64 bytes, and a line break comes before them.
  const start = MAGIC.length + 4;
  const length = Math.ceil((start + text.length + 1) / 64) * 64 - start;
  const header = new TextEncoder().encode(`${text.padEnd(length - 1)}\n`);
  const lead = new Uint8Array([...MAGIC, 1, 0, length & 0xff, length >> 8]);
  return new Blob([lead, header, values as Float32Array<ArrayBuffer>]);
}
