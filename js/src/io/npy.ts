// NumPy's .npy format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html

import { knownOptions } from '../files/options.js';
import { bytesOf, faulty, quoted } from '../files/parts.js';
import type { TensorLike } from '../index.js';
import { describe, LayerNormError } from '../runtime/errors.js';
import { BYTES, checkFileDType, checkSizes, countElements, type FileDType } from './dtypes.js';
import { elementsOf, type FileArray } from './elements.js';
import { Scanner } from './scanner.js';
import { sourceOf, type WriteOptions } from './source.js';

/** What a `.npy` file says about its array. */
export interface NpyHeader {
  /** The type of its elements. */
  readonly dtype: FileDType;
  /** Sizes of the dimensions, outermost first; none for a single number. */
  readonly shape: readonly number[];
  /** Whether the elements lie with the first dimension running fastest. */
  readonly fortranOrder: boolean;
  /** Whether the lowest byte of an element stands first. */
  readonly littleEndian: boolean;
  /** Where the elements begin in the file. */
  readonly dataOffset: number;
  /** How many bytes they take. */
  readonly dataBytes: number;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY
/** What tells how long the header is: magic, version and the length itself, of 2 bytes in version 1 and of 4 later. */
const PREFIX = [10, 12] as const;
/** What version 1 has room for: no array of numbers needs more, and NumPy itself reads no longer ones unless told to. */
const MAX_HEADER = 0xffff;
/** Elements begin at a multiple of this, so that they can be mapped into memory. */
const ALIGNMENT = 64;
/** Digits that NumPy leaves room for, so that the size that grows can be overwritten. */
const GROWTH_DIGITS = 21;

const FILE = 'the .npy file';

/** The codes that NumPy has for the types. It has none for bfloat16. */
const CODES: ReadonlyMap<string, FileDType> = /* @__PURE__ */ new Map<string, FileDType>([
  ...([
    ['f2', 'float16'],
    ['f4', 'float32'],
    ['f8', 'float64'],
    ['b1', 'bool'],
  ] as const),
  ...([
    ['i1', 'int8'],
    ['i2', 'int16'],
    ['i4', 'int32'],
    ['i8', 'int64'],
  ] as const),
  ...([
    ['u1', 'uint8'],
    ['u2', 'uint16'],
    ['u4', 'uint32'],
    ['u8', 'uint64'],
  ] as const),
]);

/** What the letters of other codes stand for. */
const OTHER_KINDS: Readonly<Record<string, string>> = {
  c: 'complex numbers',
  O: 'Python objects',
  U: 'text',
  S: 'text',
  a: 'text',
  M: 'dates',
  m: 'durations',
  V: 'raw bytes, which bfloat16 is to NumPy, too',
  f: 'floats of an unusual size',
};

/** Whether bytes begin as a `.npy` file does. */
export function isNpy(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, i) => bytes[i] === byte);
}

/**
 * How many bytes {@link readNpyHeader} needs: the offset of the elements.
 * @param bytes - the first 12 bytes of a file, or more
 * @throws {@link LayerNormError} `ERR_FILE` for fewer, and for another format
 */
export function npyHeaderBytes(bytes: Uint8Array): number {
  return headerBytes(FILE, bytesOf('npyHeaderBytes', 'bytes', bytes));
}

function headerBytes(part: string, head: Uint8Array): number {
  const magic = MAGIC.slice(0, head.length);
  if (!magic.every((byte, i) => head[i] === byte)) throw faulty(part, 'it does not begin with \\x93NUMPY');
  if (head.length < PREFIX[1]) throw faulty(part, cutOff(head.length, PREFIX[1]));
  const version = head[6] as number;
  if (version < 1 || version > 3) throw faulty(part, `its version is ${version}, expected 1, 2 or 3`);
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > MAX_HEADER) {
    throw faulty(
      part,
      `its header has ${length} bytes, expected at most ${MAX_HEADER}, enough for any array`,
    );
  }
  return (version === 1 ? PREFIX[0] : PREFIX[1]) + length;
}

/**
 * Reads the header of a `.npy` file of version 1, 2 or 3. What it says is compared with the size of the file, if that is given.
 *
 * @example
 * ```ts
 * const file = await open('x.npy');
 * const { buffer } = await file.read(new Uint8Array(12), 0, 12, 0);
 * const size = npyHeaderBytes(buffer);
 * const { dtype, shape } = readNpyHeader((await file.read(new Uint8Array(size), 0, size, 0)).buffer);
 * ```
 *
 * @param bytes - the file, or its beginning: {@link npyHeaderBytes} says how much of it is needed
 * @param fileBytes - the size of the whole file
 * @throws {@link LayerNormError} `ERR_FILE`; of a header that is cut off the message says how many bytes it takes
 */
export function readNpyHeader(bytes: Uint8Array, fileBytes?: number | null): NpyHeader {
  return headerOf(FILE, bytesOf('readNpyHeader', 'bytes', bytes), fileBytes);
}

function headerOf(part: string, head: Uint8Array, fileBytes: number | null | undefined): NpyHeader {
  const dataOffset = headerBytes(part, head);
  if (head.length < dataOffset) throw faulty(part, cutOff(head.length, dataOffset));
  const version = head[6] as number;
  // NumPy writes version 3 where names of fields are not of latin1.
  const text = new TextDecoder(version === 3 ? 'utf-8' : 'latin1').decode(
    head.subarray(version === 1 ? PREFIX[0] : PREFIX[1], dataOffset),
  );
  const { descr, fortranOrder, shape } = readDictionary(part, text);
  const [dtype, littleEndian] = typeOf(part, descr);
  const dataBytes = countElements(part, shape) * BYTES[dtype];
  const header = { dtype, shape, fortranOrder, littleEndian, dataOffset, dataBytes };
  if (fileBytes !== undefined && fileBytes !== null) checkFileBytes(part, header, fileBytes);
  return header;
}

function cutOff(came: number, needed: number): string {
  return `it is cut off: ${came} bytes came, its header takes ${needed}`;
}

function checkFileBytes(
  part: string,
  { dtype, shape, dataOffset, dataBytes }: NpyHeader,
  fileBytes: number,
): void {
  const came = fileBytes - dataOffset;
  if (came === dataBytes) return;
  const what = `${dtype} of shape [${shape.join(', ')}] takes ${dataBytes} bytes, and ${came} follow the header`;
  throw faulty(part, came < dataBytes ? `${what}: it is cut off` : `${what}: expected one array in a file`);
}

interface Dictionary {
  readonly descr: string;
  readonly fortranOrder: boolean;
  readonly shape: number[];
}

/** The header is a Python dictionary of three keys: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } */
function readDictionary(part: string, text: string): Dictionary {
  const scanner = new Scanner(`${part}: the header`, text);
  let descr: string | undefined;
  let fortranOrder: boolean | undefined;
  let shape: number[] | undefined;
  scanner.expect('{');
  while (!scanner.accept('}')) {
    const key = scanner.pythonString();
    scanner.expect(':');
    if (key === 'descr' && descr === undefined) {
      if (scanner.accept('[')) throw faulty(part, 'it holds records, expected plain numbers: save one field');
      descr = scanner.pythonString();
    } else if (key === 'fortran_order' && fortranOrder === undefined) {
      fortranOrder = scanner.acceptWord('True');
      if (!fortranOrder && !scanner.acceptWord('False')) throw scanner.unexpected('True or False');
    } else if (key === 'shape' && shape === undefined) {
      shape = readTuple(part, scanner);
    } else {
      throw faulty(
        part,
        `its header has a key ${quoted(key)}, expected 'descr', 'fortran_order' and 'shape', each once`,
      );
    }
    if (!scanner.accept(',')) {
      scanner.expect('}');
      break;
    }
  }
  scanner.end();
  if (descr === undefined || fortranOrder === undefined || shape === undefined) {
    throw faulty(part, "its header lacks a key, expected 'descr', 'fortran_order' and 'shape'");
  }
  return { descr, fortranOrder, shape };
}

function readTuple(part: string, scanner: Scanner): number[] {
  const sizes: number[] = [];
  scanner.expect('(');
  while (!scanner.accept(')')) {
    sizes.push(scanner.size());
    scanner.acceptWord('L'); // as Python 2 wrote integers
    // One number in parentheses is no tuple, without a comma.
    if (scanner.expect(',', ')') === ')') {
      if (sizes.length > 1) break;
      throw faulty(part, `its shape is (${sizes}), expected a tuple: (${sizes},)`);
    }
  }
  return sizes;
}

function typeOf(part: string, descr: string): [dtype: FileDType, littleEndian: boolean] {
  // '|' stands where there is no order, '=' for that of the machine, which is this one where WebAssembly runs.
  const [, order, code = ''] = /^([<>|=]?)([a-zA-Z]\d*)$/.exec(descr) ?? [];
  const dtype = CODES.get(code);
  if (dtype !== undefined) return [dtype, order !== '>'];
  const kind = OTHER_KINDS[code[0] ?? ''] ?? 'elements of another type';
  throw faulty(part, `it holds ${kind} (${quoted(descr)}), expected floats, integers or booleans`);
}

/**
 * The header of a `.npy` file, byte for byte as NumPy writes it: version 1, little-endian, row-major. The elements follow it, at a
 * multiple of 64 bytes.
 * @param array - the type of the elements (NumPy has no bfloat16), and the shape, `[]` for a single number
 * @throws {@link LayerNormError} `ERR_DTYPE`, `ERR_SHAPE`
 */
export function npyHeader(array: { dtype: FileDType; shape: readonly number[] }): Uint8Array {
  return header('npyHeader', array.dtype, array.shape);
}

function header(operation: string, dtype: FileDType, shape: readonly number[]): Uint8Array {
  checkFileDType(operation, 'the array', dtype);
  checkSizes(operation, 'the array', shape);
  const [code] = [...CODES].find(([, type]) => type === dtype) ?? [];
  if (code === undefined) {
    throw new LayerNormError(
      'ERR_DTYPE',
      `${operation}: dtype is ${describe(dtype)}, which NumPy has not, expected float32, which holds the same numbers`,
    );
  }
  const order = BYTES[dtype] === 1 ? '|' : '<';
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const room = shape.length === 0 ? 0 : GROWTH_DIGITS - `${shape[0]}`.length;
  const text = `{'descr': '${order}${code}', 'fortran_order': False, 'shape': (${sizes}), }${' '.repeat(room)}`;

  // A line break comes before the elements, and as in NumPy at least one space before it.
  const header = new Uint8Array(Math.floor((PREFIX[0] + text.length + 1) / ALIGNMENT + 1) * ALIGNMENT).fill(
    0x20,
  );
  header.set([...MAGIC, 1, 0]);
  new DataView(header.buffer).setUint16(8, header.length - PREFIX[0], true);
  header.set(new TextEncoder().encode(text), PREFIX[0]);
  header[header.length - 1] = 0x0a;
  return header;
}

/**
 * Reads a `.npy` file of version 1, 2 or 3: floats, integers or booleans in either byte order, in C or Fortran order.
 *
 * @example
 * ```ts
 * const y = layerNorm(readNpy(await readFile('x.npy')), { gamma: readNpy(await readFile('gamma.npy')) });
 * ```
 *
 * @param bytes - the file
 * @returns the array, see {@link FileArrayOf.data} for when it is a view of `bytes`
 * @throws {@link LayerNormError} `ERR_FILE` for files that are damaged, of another format or longer than their array, for elements that
 * are no numbers, and for integers beyond 2^53 - 1
 */
export function readNpy(bytes: Uint8Array | ArrayBufferLike | ArrayBufferView): FileArray {
  return readNpyPart(FILE, bytesOf('readNpy', 'bytes', bytes));
}

/** {@link readNpy} of a part of a file. */
export function readNpyPart(part: string, bytes: Uint8Array): FileArray {
  const layout = headerOf(part, bytes, bytes.length);
  return elementsOf(part, bytes.subarray(layout.dataOffset), layout);
}

/**
 * Writes a `.npy` file, byte for byte as NumPy does.
 *
 * @example
 * ```ts
 * await writeFile('y.npy', writeNpy(y, { shape: [2, 3] }));
 * ```
 *
 * @param x - the array, see {@link TensorLike}. NumPy has no bfloat16: such elements are written as float32, which holds the same numbers
 * @param options - see {@link WriteOptions}
 * @returns the bytes of the file
 * @throws {@link LayerNormError} `ERR_ARGUMENT` for numbers that integers do not hold; `ERR_SHAPE`, `ERR_DTYPE`, `ERR_DISPOSED`
 */
export function writeNpy(x: TensorLike, options?: WriteOptions | null): Uint8Array {
  const given = knownOptions('writeNpy', options, { shape: true, dtype: true });
  let source = sourceOf('writeNpy', 'x', x, given);
  if (source.dtype === 'bfloat16' && given.dtype !== 'bfloat16') {
    source = sourceOf('writeNpy', 'x', x, { ...given, dtype: 'float32' });
  }
  const head = header('writeNpy', source.dtype, source.shape);
  const file = new Uint8Array(head.length + source.bytes.length);
  file.set(head);
  file.set(source.bytes, head.length);
  return file;
}
