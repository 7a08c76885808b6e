// The safetensors format: https://github.com/huggingface/safetensors#format. Eight bytes with the length of the header, the header as JSON,
// and the bytes of the tensors, which cover the rest of the file without holes.

import { knownOptions } from '../files/options.js';
import { bytesOf, faulty, quoted } from '../files/parts.js';
import type { TensorLike } from '../index.js';
import { describe, LayerNormError } from '../runtime/errors.js';
import { BYTES, checkFileDType, checkSizes, countElements, type FileDType } from './dtypes.js';
import { elementsOf, type FileArray } from './elements.js';
import { Scanner } from './scanner.js';
import { sourceOf } from './source.js';

/** What a safetensors file says about one of its tensors. */
export interface SafetensorsEntry {
  /** The type of its elements; null for those that are not read here: complex numbers, and floats of 4, 6 and 8 bits. */
  readonly dtype: FileDType | null;
  /** The same as the file calls it: `F32`, `BF16`, `F8_E4M3`. */
  readonly storedDType: string;
  /** Sizes of the dimensions, outermost first; none for a single number. */
  readonly shape: readonly number[];
  /** Where its bytes begin in the file. */
  readonly start: number;
  /** Where they end. */
  readonly end: number;
}

/** The header of a safetensors file. */
export interface SafetensorsHeader {
  /** The tensors by their names, in the order in which their bytes lie in the file. */
  readonly tensors: ReadonlyMap<string, SafetensorsEntry>;
  /** What the writer has noted, such as `format: 'pt'`. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Where the bytes of the tensors begin in the file. */
  readonly dataOffset: number;
  /** Where the last of them ends: the size that the file has. */
  readonly fileBytes: number;
}

/** Where the header begins: after its length. */
const START = 8;
/** What the reference implementation takes. */
const MAX_HEADER = 100_000_000;
/** Elements of every type begin at a multiple of this, if the first tensor does. */
const ALIGNMENT = 8;

const PART = 'the safetensors header';
const METADATA = '__metadata__';

/** The names that the format has for the types. */
const NAMES: ReadonlyMap<string, FileDType> = /* @__PURE__ */ new Map<string, FileDType>([
  ...([
    ['F16', 'float16'],
    ['BF16', 'bfloat16'],
    ['F32', 'float32'],
    ['F64', 'float64'],
    ['BOOL', 'bool'],
  ] as const),
  ...([
    ['I8', 'int8'],
    ['I16', 'int16'],
    ['I32', 'int32'],
    ['I64', 'int64'],
  ] as const),
  ...([
    ['U8', 'uint8'],
    ['U16', 'uint16'],
    ['U32', 'uint32'],
    ['U64', 'uint64'],
  ] as const),
]);

/** Bits of an element of the other types that the format has. */
const OTHER_BITS: ReadonlyMap<string, number> = /* @__PURE__ */ new Map([
  ...([
    ['C64', 64],
    ['F8_E4M3', 8],
    ['F8_E5M2', 8],
    ['F8_E8M0', 8],
    ['F8_E4M3FNUZ', 8],
    ['F8_E5M2FNUZ', 8],
  ] as const),
  ...([
    ['F6_E2M3', 6],
    ['F6_E3M2', 6],
    ['F4', 4],
  ] as const),
]);

/**
 * How many bytes {@link readSafetensorsHeader} needs: the offset of the tensors.
 * @param bytes - the first 8 bytes of a file, or more
 * @throws {@link LayerNormError} `ERR_FILE` for fewer, and for a header of more than 100 MB, which is no header
 */
export function safetensorsHeaderBytes(bytes: Uint8Array): number {
  const head = bytesOf('safetensorsHeaderBytes', 'bytes', bytes);
  if (head.length < START)
    throw faulty(PART, `it is cut off: ${head.length} bytes came, its length takes ${START}`);
  const length = new DataView(head.buffer, head.byteOffset, START).getBigUint64(0, true);
  if (length > MAX_HEADER) {
    throw faulty(PART, `it says that it has ${length} bytes, expected at most ${MAX_HEADER}`);
  }
  return START + Number(length);
}

/**
 * Reads the header of a safetensors file. What it says is compared with the size of the file, if that is given.
 * @param bytes - the file, or its beginning: {@link safetensorsHeaderBytes} says how much of it is needed
 * @param fileBytes - the size of the whole file
 * @throws {@link LayerNormError} `ERR_FILE` for all that the format does not allow: names that come twice, tensors that overlap or leave
 * holes, sizes that do not fit; of a header that is cut off the message says how many bytes it takes
 */
export function readSafetensorsHeader(bytes: Uint8Array, fileBytes?: number | null): SafetensorsHeader {
  const head = bytesOf('readSafetensorsHeader', 'bytes', bytes);
  const dataOffset = safetensorsHeaderBytes(head);
  if (head.length < dataOffset)
    throw faulty(PART, `it is cut off: ${head.length} bytes came, it takes ${dataOffset}`);
  if (head[START] !== 0x7b) throw faulty(PART, 'it does not begin with {');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(head.subarray(START, dataOffset));
  } catch (error) {
    throw faulty(PART, 'it is no UTF-8 text', error);
  }
  const { entries, metadata } = readJson(text, dataOffset);
  const tensors = new Map([...entries].sort(([, a], [, b]) => a.start - b.start || a.end - b.end));
  const end = checkCover(tensors, dataOffset);
  if (fileBytes !== undefined && fileBytes !== null && end !== fileBytes) {
    throw faulty(
      PART,
      end > fileBytes
        ? `its tensors end at byte ${end}, the file at ${fileBytes}: it is cut off`
        : `the last ${fileBytes - end} bytes of the file belong to no tensor`,
    );
  }
  return { tensors, metadata, dataOffset, fileBytes: end };
}

/** The header is one object of objects; nothing else is read, however deep it may be nested. */
function readJson(
  text: string,
  dataOffset: number,
): { entries: Map<string, SafetensorsEntry>; metadata: Map<string, string> } {
  const scanner = new Scanner(PART, text);
  const entries = new Map<string, SafetensorsEntry>();
  const metadata = new Map<string, string>();
  let hasMetadata = false;
  readObject(scanner, (name) => {
    if (name !== METADATA) {
      if (entries.has(name)) throw faulty(PART, `it has two tensors ${quoted(name)}`);
      entries.set(name, readEntry(scanner, name, dataOffset));
      return;
    }
    if (hasMetadata) throw faulty(PART, `it has ${METADATA} twice`);
    hasMetadata = true;
    readObject(scanner, (key) => {
      if (metadata.has(key)) throw faulty(`${PART}: ${METADATA}`, `it has ${quoted(key)} twice`);
      metadata.set(key, scanner.jsonString());
    });
  });
  scanner.end();
  return { entries, metadata };
}

/** Reads an object of JSON: `read` is called where the value of each key begins. */
function readObject(scanner: Scanner, read: (key: string) => void): void {
  scanner.expect('{');
  if (scanner.accept('}')) return;
  do {
    const key = scanner.jsonString();
    scanner.expect(':');
    read(key);
  } while (scanner.expect(',', '}') === ',');
}

function readSizes(scanner: Scanner): number[] {
  const sizes: number[] = [];
  scanner.expect('[');
  if (scanner.accept(']')) return sizes;
  do sizes.push(scanner.size());
  while (scanner.expect(',', ']') === ',');
  return sizes;
}

function readEntry(scanner: Scanner, name: string, dataOffset: number): SafetensorsEntry {
  const part = `tensor ${quoted(name)}`;
  let storedDType: string | undefined;
  let shape: number[] | undefined;
  let offsets: number[] | undefined;
  readObject(scanner, (key) => {
    if (key === 'dtype' && storedDType === undefined) storedDType = scanner.jsonString();
    else if (key === 'shape' && shape === undefined) shape = readSizes(scanner);
    else if (key === 'data_offsets' && offsets === undefined) offsets = readSizes(scanner);
    else throw faulty(part, `it has a key ${quoted(key)}, expected dtype, shape and data_offsets, each once`);
  });
  if (storedDType === undefined || shape === undefined || offsets === undefined) {
    throw faulty(part, 'it lacks a key, expected dtype, shape and data_offsets');
  }
  const dtype = NAMES.get(storedDType) ?? null;
  const bits = dtype === null ? OTHER_BITS.get(storedDType) : BYTES[dtype] * 8;
  if (bits === undefined) throw faulty(part, `its dtype ${quoted(storedDType)} is none of the format`);
  const [start = 0, end = -1] = offsets;
  if (offsets.length !== 2 || start > end) {
    throw faulty(part, `its data_offsets are ${describe(offsets)}, expected a start and an end`);
  }
  const bytes = (countElements(part, shape) * bits) / 8;
  if (bytes !== end - start) {
    throw faulty(
      part,
      `it has ${end - start} bytes, and ${storedDType} of shape [${shape.join(', ')}] takes ${bytes}`,
    );
  }
  return { dtype, storedDType, shape, start: dataOffset + start, end: dataOffset + end };
}

/** Each tensor has to begin where the one before ends. Gives the end of the last. */
function checkCover(tensors: ReadonlyMap<string, SafetensorsEntry>, dataOffset: number): number {
  let last = dataOffset;
  for (const [name, { start, end }] of tensors) {
    if (start < last) throw faulty(`tensor ${quoted(name)}`, 'it overlaps with the one before');
    if (start > last) {
      throw faulty(`tensor ${quoted(name)}`, `the ${start - last} bytes before it belong to no tensor`);
    }
    last = end;
  }
  return last;
}

/** What {@link safetensorsHeader} needs to know of a tensor. */
export interface SafetensorsTensor {
  readonly name: string;
  readonly dtype: FileDType;
  /** Sizes of the dimensions; none for a single number. */
  readonly shape: readonly number[];
}

/**
 * The header of a safetensors file, padded so that the first tensor begins at a multiple of 8 bytes. The bytes of the tensors follow, in
 * the order given, little-endian and row-major, without anything between them: in falling order of their elements' sizes, as the
 * reference implementation writes them, each is aligned to its elements.
 * @param tensors - what the file is to hold
 * @param metadata - notes of your own
 * @returns the bytes; {@link readSafetensorsHeader} gives the offsets
 * @throws {@link LayerNormError} `ERR_DTYPE`, `ERR_SHAPE`; `ERR_ARGUMENT` for names that come twice
 */
export function safetensorsHeader(
  tensors: Iterable<SafetensorsTensor>,
  metadata?: Readonly<Record<string, string>> | null,
): Uint8Array {
  const fields = new Map<string, string>();
  const notes = Object.entries(metadata ?? {});
  for (const [key, value] of notes) {
    if (typeof value !== 'string') {
      throw new LayerNormError(
        'ERR_ARGUMENT',
        `safetensorsHeader: metadata.${key} is ${describe(value)}, expected a string`,
      );
    }
  }
  if (notes.length > 0) fields.set(METADATA, JSON.stringify(Object.fromEntries(notes)));
  let end = 0;
  for (const { name, dtype, shape } of tensors) {
    const argument = `tensor ${quoted(name)}`;
    if (typeof name !== 'string' || name === METADATA || fields.has(name)) {
      throw new LayerNormError(
        'ERR_ARGUMENT',
        `safetensorsHeader: a tensor has the name ${quoted(name)}, expected a string that no other has, nor ${METADATA}`,
      );
    }
    checkFileDType('safetensorsHeader', argument, dtype);
    checkSizes('safetensorsHeader', argument, shape);
    const start = end;
    end += countElements(argument, shape) * BYTES[dtype];
    const [storedDType] = [...NAMES].find(([, type]) => type === dtype) as [string, FileDType];
    fields.set(name, JSON.stringify({ dtype: storedDType, shape, data_offsets: [start, end] }));
  }
  // Put together as text: an object would put names such as '1' first.
  const text = `{${[...fields].map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`;
  const json = new TextEncoder().encode(text);
  const length = Math.ceil(json.length / ALIGNMENT) * ALIGNMENT;
  if (length > MAX_HEADER) {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `safetensorsHeader: the header comes to ${length} bytes, expected at most ${MAX_HEADER}`,
    );
  }
  const header = new Uint8Array(START + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(json, START);
  return header;
}

/** A safetensors file. */
export interface SafetensorsFile extends SafetensorsHeader {
  /** The names of the tensors, in the order in which they lie in the file. */
  readonly names: readonly string[];
  /**
   * One of the tensors.
   * @throws {@link LayerNormError} `ERR_FILE` for elements that are not read here, and integers beyond 2^53 - 1; `ERR_ARGUMENT` where
   * there is no such tensor
   */
  get(name: string): FileArray;
}

/**
 * Reads a safetensors file. Its tensors are looked at when they are asked for.
 *
 * @example
 * ```ts
 * const weights = readSafetensors(await readFile('model.safetensors'));
 * const y = layerNorm(x, { gamma: weights.get('norm.weight'), beta: weights.get('norm.bias'), epsilon: 1e-5 });
 * ```
 *
 * @param bytes - the file. For one that is larger than memory, read its header with {@link readSafetensorsHeader}, then the bytes of the
 * tensors that are wanted, and give those to {@link readElements}
 * @throws {@link LayerNormError} `ERR_FILE`, see {@link readSafetensorsHeader}
 */
export function readSafetensors(bytes: Uint8Array | ArrayBufferLike | ArrayBufferView): SafetensorsFile {
  const data = bytesOf('readSafetensors', 'bytes', bytes);
  const header = readSafetensorsHeader(data, data.length);
  const names = [...header.tensors.keys()];
  return {
    ...header,
    names,
    get(name) {
      const entry = header.tensors.get(name);
      if (!entry) {
        throw new LayerNormError(
          'ERR_ARGUMENT',
          `SafetensorsFile.get: there is no tensor ${quoted(name)}, expected one of ${names.slice(0, 12).map(quoted).join(', ') || 'none'}`,
        );
      }
      const { dtype, storedDType, shape, start, end } = entry;
      const part = `tensor ${quoted(name)}`;
      if (dtype === null)
        throw faulty(
          part,
          `its elements are of type ${storedDType}, expected floats of 16 bits or more, or integers`,
        );
      return elementsOf(part, data.subarray(start, end), { dtype, shape });
    },
  };
}

/** Options of {@link writeSafetensors}. */
export interface WriteSafetensorsOptions {
  /** Notes of your own, such as `{ format: 'pt' }`. */
  metadata?: Readonly<Record<string, string>> | null;
}

/**
 * Writes a safetensors file. Tensors of larger elements come first, as the reference implementation has them, so that all are aligned.
 *
 * @example
 * ```ts
 * const bytes = writeSafetensors({ 'norm.weight': gamma, 'norm.bias': { data: bits, shape: [64], dtype: 'bfloat16' } });
 * ```
 *
 * @param tensors - the tensors by their names, as an object or a map, see {@link TensorLike}: a typed array has one dimension
 * @param options - see {@link WriteSafetensorsOptions}
 * @returns the bytes of the file
 * @throws {@link LayerNormError} `ERR_ARGUMENT`, `ERR_SHAPE`, `ERR_DTYPE`, `ERR_DISPOSED`
 */
export function writeSafetensors(
  tensors: Readonly<Record<string, TensorLike>> | ReadonlyMap<string, TensorLike>,
  options?: WriteSafetensorsOptions | null,
): Uint8Array {
  const { metadata } = knownOptions('writeSafetensors', options, { metadata: true });
  if (
    typeof tensors !== 'object' ||
    tensors === null ||
    ArrayBuffer.isView(tensors) ||
    Array.isArray(tensors)
  ) {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `writeSafetensors: tensors is ${describe(tensors)}, expected an object or a map of tensors by their names`,
    );
  }
  const entries = isMap(tensors) ? [...tensors] : Object.entries(tensors);
  const sources = entries.map(([name, x]) => ({
    name,
    ...sourceOf('writeSafetensors', quoted(name), x, {}),
  }));
  sources.sort((a, b) => BYTES[b.dtype] - BYTES[a.dtype]);
  const header = safetensorsHeader(sources, metadata);
  const file = new Uint8Array(sources.reduce((end, { bytes }) => end + bytes.length, header.length));
  file.set(header);
  let end = header.length;
  for (const { bytes } of sources) {
    file.set(bytes, end);
    end += bytes.length;
  }
  return file;
}

/** Maps of other realms have another class. */
function isMap<T>(
  tensors: Readonly<Record<string, T>> | ReadonlyMap<string, T>,
): tensors is ReadonlyMap<string, T> {
  return Object.prototype.toString.call(tensors) === '[object Map]';
}
