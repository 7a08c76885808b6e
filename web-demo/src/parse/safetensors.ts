// The .safetensors format: https://huggingface.co/docs/safetensors. Eight bytes with the length of the header, the header as
// JSON, and the bytes of the tensors one after the other. Nothing but the header and one tensor is read, however large the file.

import { type Dataset, ParseError, shorten } from './dataset.js';
import {
  asData,
  BFLOAT16,
  checkShape,
  checkSize,
  ELEMENT_TYPES,
  type ElementType,
  elementsOf,
  plainAxes,
  readElements,
  whole,
} from './elements.js';

/** As the reference implementation has it. */
const MAX_HEADER = 100_000_000;
/** Where the header starts. */
const START = 8;

/** What is known of a tensor before it is read. */
export interface TensorEntry {
  readonly name: string;
  /** As the file calls it: F32, BF16. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Where its bytes are in the file. */
  readonly from: number;
  readonly to: number;
}

export interface SafetensorsFile {
  readonly file: Blob;
  readonly name: string;
  /** In the order in which their bytes lie. */
  readonly tensors: readonly TensorEntry[];
}

const plain = (code: string): ElementType => ELEMENT_TYPES.get(code) as ElementType;

/** Those that can be read. */
const TYPES: ReadonlyMap<string, ElementType> = new Map([
  ['F64', plain('f8')],
  ['F32', plain('f4')],
  ['F16', plain('f2')],
  ['BF16', BFLOAT16],
  ['I64', plain('i8')],
  ['U64', plain('u8')],
  ['I32', plain('i4')],
  ['U32', plain('u4')],
  ['I16', plain('i2')],
  ['U16', plain('u2')],
  ['I8', plain('i1')],
  ['U8', plain('u1')],
  ['BOOL', plain('b1')],
]);

/** Bits of an element of the others that the format knows. */
const OTHER_TYPES: ReadonlyMap<string, number> = new Map([
  ['C64', 64],
  ['F8_E4M3', 8],
  ['F8_E5M2', 8],
  ['F8_E8M0', 8],
  ['F8_E4M3FNUZ', 8],
  ['F8_E5M2FNUZ', 8],
  ['F6_E2M3', 6],
  ['F6_E3M2', 6],
  ['F4', 4],
]);

/** Whether a file of this many bytes starts as these files do, which have no signature. */
export function isSafetensors(head: Uint8Array, fileSize: number): boolean {
  if (head[START] !== 0x7b) return false;
  const length = headerLength(head);
  return length <= MAX_HEADER && START + length <= fileSize;
}

/**
 * Reads the header.
 * @throws {@link ParseError} where it says anything that the format does not allow
 */
export async function openSafetensors(file: Blob, name: string): Promise<SafetensorsFile> {
  const fail = (message: string) => new ParseError(`This is no valid .safetensors file: ${message}`);
  if (file.size < START)
    throw fail(`it has ${file.size} bytes, and the length of its header takes ${START}.`);
  const length = headerLength(await bytesOf(file, 0, START));
  if (length > MAX_HEADER) {
    throw fail(
      `it says that its header has ${whole(length)} bytes, and at most ${whole(MAX_HEADER)} are allowed.`,
    );
  }
  if (START + length > file.size) {
    throw fail(`its header has ${whole(length)} bytes, and the file ends before. Is it cut off?`);
  }
  const bytes = await bytesOf(file, START, START + length);
  if (bytes[0] !== 0x7b) throw fail('its header does not start with {.');
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw fail('its header is not JSON.');
  }
  if (!isObject(header)) throw fail('its header is not an object.');
  const tensors = Object.entries(header)
    .filter(([key]) => key !== '__metadata__')
    .map(([key, entry]) => {
      const tensor = readEntry(key, entry, START + length);
      if (typeof tensor === 'string') throw fail(`tensor “${shorten(key)}” ${tensor}`);
      return tensor;
    })
    .sort((a, b) => a.from - b.from || a.to - b.to);
  let end = START + length;
  for (const tensor of tensors) {
    const which = `tensor “${shorten(tensor.name)}”`;
    if (tensor.from < end) throw fail(`${which} overlaps with the one before.`);
    if (tensor.from > end) throw fail(`before ${which} there are bytes that belong to none.`);
    end = tensor.to;
    if (end > file.size)
      throw fail(`${which} ends ${whole(end - file.size)} bytes after the file. Is it cut off?`);
  }
  if (end < file.size) throw fail(`its last ${whole(file.size - end)} bytes belong to no tensor.`);
  if (tensors.length === 0) throw new ParseError('This .safetensors file holds no tensors.');
  return { file, name, tensors };
}

/** Which tensor one wants to see first: the first of floats that can be read and has a dimension, else any that can be read. */
export function firstTensor({ tensors }: SafetensorsFile): number {
  const canBeRead = ({ dtype, shape }: TensorEntry) =>
    TYPES.has(dtype) && shape.length > 0 && elementsOf(shape) > 0;
  const floats = tensors.findIndex((tensor) => canBeRead(tensor) && /^B?F/.test(tensor.dtype));
  return Math.max(0, floats >= 0 ? floats : tensors.findIndex(canBeRead));
}

/** Reads one tensor. */
export async function readTensor({ file, name, tensors }: SafetensorsFile, index: number): Promise<Dataset> {
  const tensor = tensors[index];
  if (!tensor)
    throw new ParseError(`This file has ${tensors.length} tensors, and none with number ${index}.`);
  const { dtype, shape, from, to } = tensor;
  const what = `Tensor “${shorten(tensor.name)}”`;
  const type = TYPES.get(dtype);
  if (!type) throw new ParseError(`${what} ${wayOut(dtype)}`);
  checkShape(shape, what);
  checkSize(
    elementsOf(shape),
    type.make(0) instanceof Float64Array,
    'Save a part of it under a name of its own.',
  );
  return {
    name,
    kind: 'safetensors',
    ...asData(type, readElements(type, await bytesOf(file, from, to))),
    notes: type.note ? [type.note] : [],
    axes: plainAxes(shape),
  };
}

/** What is known of a tensor from its part of the header; or what is wrong with it. */
function readEntry(name: string, entry: unknown, start: number): TensorEntry | string {
  if (!isObject(entry)) return 'is not described by an object.';
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== 'string') return 'has no dtype.';
  const type = TYPES.get(dtype);
  const bits = type ? type.bytes * 8 : OTHER_TYPES.get(dtype);
  if (bits === undefined) return `has dtype “${shorten(dtype)}”, which is unknown.`;
  if (!isSizes(shape)) return 'has no shape of whole numbers.';
  if (!isSizes(offsets) || offsets.length !== 2) return 'has no data_offsets of two whole numbers.';
  const [from, to] = offsets as [number, number];
  if (from > to) return `starts at byte ${from} of the data and ends at ${to}.`;
  // Each product has to be exact: sizes that multiply to more than any file has would wrap around elsewhere.
  let elements = 1;
  for (const size of shape) {
    elements *= size;
    if (!Number.isSafeInteger(elements)) return `has a shape of more elements than can be counted.`;
  }
  const bytes = (elements * bits) / 8;
  if (bytes !== to - from) {
    return `has ${whole(to - from)} bytes, and ${dtype} of shape [${shorten(shape.join(', '))}] takes ${whole(bytes)}.`;
  }
  return { name, dtype, shape, from: start + from, to: start + to };
}

/** What to do about a type that cannot be read. */
function wayOut(dtype: string): string {
  if (dtype.startsWith('F8') || dtype.startsWith('F6') || dtype.startsWith('F4')) {
    return `holds floats of ${dtype[1]} bits (${dtype}), which mean little without their scales. Save it as BF16 or F32: tensor.to(torch.bfloat16).`;
  }
  return `holds complex numbers (${dtype}). Save their real part: tensor.real.`;
}

function headerLength(head: Uint8Array): number {
  return Number(new DataView(head.buffer, head.byteOffset, START).getBigUint64(0, true));
}

async function bytesOf(file: Blob, from: number, to: number): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await file.slice(from, to).arrayBuffer());
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && (size as number) >= 0);
}
