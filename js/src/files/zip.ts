// Zip archives: the few entries of a model, the arrays of an .npz file. The directory at the end says how large they are; nothing is
// unpacked before that has been compared with the limits, nor beyond what it says.

import { describe, LayerNormError } from '../runtime/errors.js';
import { faulty, quoted, reading, readingFailed } from './parts.js';

/** What inflates: fflate's namespace, `import * as fflate from 'fflate'`, or a class that is called as `Inflate` is there. */
export interface Unzip {
  readonly Inflate: new (
    onData: (chunk: Uint8Array, final: boolean) => void,
  ) => { push(chunk: Uint8Array, final?: boolean): void };
}

/** An archive that is open. */
export interface Archive {
  /** The names of all entries. */
  readonly names: readonly string[];
  /** Unpacks an entry. */
  read(name: string): Promise<Uint8Array>;
}

interface Entry {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly offset: number;
}

const END = 0x06054b50;
const END_SIZE = 22;
const DIRECTORY = 0x02014b50;
const DIRECTORY_SIZE = 46;
const LOCAL = 0x04034b50;
const LOCAL_SIZE = 30;
const ZIP64 = 0x0001;
const STORED = 0;
const DEFLATED = 8;
/** Flags of an entry: its bytes are encrypted, or a patch of others. */
const UNREADABLE = 0x0001 | 0x0020 | 0x0040;

/** Weights compress by a few tenths; those of zeros alone up to a thousandfold, but are small then. */
const MAX_RATIO = 200;
/** Bytes from which on the ratio is looked at. */
const RATIO_FLOOR = 64 * 2 ** 20;
/** What is handed to the inflater at once: it may grow a thousandfold before anybody sees the result. */
const PIECE = 2 ** 14;

/** Whether bytes begin as a zip archive does. */
export function isZip(bytes: Uint8Array): boolean {
  const [p, k, kind] = bytes;
  return p === 0x50 && k === 0x4b && (kind === 3 || kind === 5);
}

/**
 * Reads the directory of an archive.
 * @param operation - who reads it, for error messages about `unzip`
 * @param maxBytes - what all entries that are read may come to, each counted once
 * @throws {@link LayerNormError} `ERR_FILE`
 */
export function openZip(
  operation: string,
  bytes: Uint8Array,
  maxBytes: number,
  unzip: Unzip | undefined,
): Archive {
  checkUnzip(operation, unzip);
  const { entries, end } = reading('the directory of the zip file', 'the reader', () => readDirectory(bytes));
  const named = new Map(entries.map((entry) => [entry.name, entry]));
  const repeated = new Set(
    entries.filter((entry) => named.get(entry.name) !== entry).map(({ name }) => name),
  );
  const counted = new Set<string>();
  let left = maxBytes;
  return {
    names: entries.map(({ name }) => name),
    async read(name) {
      const entry = named.get(name);
      if (!entry) {
        const names = entries.slice(0, 12).map((one) => quoted(one.name));
        throw faulty(name, `it is missing: the zip file holds ${names.join(', ') || 'nothing'}`);
      }
      if (repeated.has(name)) throw faulty(name, 'it is in the zip file twice');
      const isNew = !counted.has(name);
      checkEntry(entry, isNew ? left : maxBytes, maxBytes);
      if (isNew) left -= entry.size;
      counted.add(name);
      const packed = packedBytes(bytes, entry, end);
      const data = entry.method === STORED ? packed : await inflate(operation, entry, packed, unzip);
      if (crc32(data) !== entry.crc) throw faulty(name, 'its checksum does not fit: the file is damaged');
      return data;
    },
  };
}

function checkUnzip(operation: string, unzip: unknown): void {
  if (unzip === undefined || unzip === null) return;
  if (typeof (unzip as Partial<Unzip>).Inflate === 'function') return;
  throw new LayerNormError(
    'ERR_ARGUMENT',
    `${operation}: unzip is ${describe(unzip)}, expected an object with a class Inflate, such as import * as fflate from 'fflate'`,
  );
}

function readDirectory(bytes: Uint8Array): { entries: Entry[]; end: number } {
  const part = 'the directory of the zip file';
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = findEnd(view);
  if (at < 0) throw faulty(part, 'it is missing: the file is cut off, or no zip file');
  if (view.getUint16(at + 4, true) !== 0 || view.getUint16(at + 6, true) !== 0) {
    throw faulty(part, 'the archive is spread over several files');
  }
  const count = view.getUint16(at + 10, true);
  const size = view.getUint32(at + 12, true);
  const start = view.getUint32(at + 16, true);
  if (start + size > at) throw faulty(part, `its offset ${start} and size ${size} lie outside the file`);

  const entries: Entry[] = [];
  let offset = start;
  for (let i = 0; i < count; ++i) {
    if (offset + DIRECTORY_SIZE > start + size || view.getUint32(offset, true) !== DIRECTORY) {
      throw faulty(part, `entry ${i} of ${count} is none`);
    }
    const [nameSize, extraSize, commentSize] = [28, 30, 32].map((o) => view.getUint16(offset + o, true)) as [
      number,
      number,
      number,
    ];
    const next = offset + DIRECTORY_SIZE + nameSize + extraSize + commentSize;
    if (next > start + size) throw faulty(part, `entry ${i} of ${count} is cut off`);
    const name = textOf(bytes, offset + DIRECTORY_SIZE, nameSize);
    const [packed, unpacked, local] = sizesOf(part, view, offset, nameSize, extraSize);
    entries.push({
      name,
      flags: view.getUint16(offset + 8, true),
      method: view.getUint16(offset + 10, true),
      crc: view.getUint32(offset + 16, true),
      packed,
      size: unpacked,
      offset: local,
    });
    offset = next;
  }
  return { entries, end: start };
}

/** The record at the end may be followed by a comment, of which it knows the length. */
function findEnd(view: DataView): number {
  const first = Math.max(0, view.byteLength - END_SIZE - 0xffff);
  for (let at = view.byteLength - END_SIZE; at >= first; --at) {
    const fits = at + END_SIZE + view.getUint16(at + 20, true) === view.byteLength;
    if (fits && view.getUint32(at, true) === END) return at;
  }
  return -1;
}

/** Packed and unpacked size and offset, which archives made for large files repeat in 64 bits. */
function sizesOf(
  part: string,
  view: DataView,
  offset: number,
  nameSize: number,
  extraSize: number,
): [number, number, number] {
  const size = view.getUint32(offset + 24, true);
  const packed = view.getUint32(offset + 20, true);
  const local = view.getUint32(offset + 42, true);
  const large = [size, packed, local].map((value) => value === 0xffffffff);
  const values = [size, packed, local];
  if (large.includes(true)) {
    let at = offset + DIRECTORY_SIZE + nameSize;
    const end = at + extraSize;
    while (at + 4 <= end && view.getUint16(at, true) !== ZIP64) at += 4 + view.getUint16(at + 2, true);
    at += 4;
    for (let i = 0; i < 3; ++i) {
      if (!large[i]) continue;
      if (at + 8 > end) throw faulty(part, 'an entry of more than 4 GB lacks its size');
      values[i] = Number(view.getBigUint64(at, true));
      at += 8;
    }
  }
  return [values[1] as number, values[0] as number, values[2] as number];
}

function checkEntry({ name, flags, method, packed, size }: Entry, left: number, maxBytes: number): void {
  if (flags & UNREADABLE) throw faulty(name, 'it is encrypted');
  if (method !== STORED && method !== DEFLATED) {
    throw faulty(name, `it is compressed by method ${method}, expected 0 (stored) or 8 (deflated)`);
  }
  if (size > left) {
    throw faulty(
      name,
      `it unpacks to ${size} bytes, more than maxBytes allows (${left} of ${maxBytes} are left)`,
    );
  }
  if (method === STORED && packed !== size) {
    throw faulty(name, `it is stored, but its sizes are ${packed} and ${size}`);
  }
  if (size > RATIO_FLOOR && size > packed * MAX_RATIO) {
    throw faulty(
      name,
      `it unpacks from ${packed} to ${size} bytes, more than ${MAX_RATIO} times as many: a zip bomb`,
    );
  }
}

/** The bytes of an entry as they lie in the file. Its own header repeats the name, and may have other fields of another length. */
function packedBytes(bytes: Uint8Array, { name, offset, packed }: Entry, end: number): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (offset + LOCAL_SIZE > end || view.getUint32(offset, true) !== LOCAL) {
    throw faulty(name, `there is no entry at its offset ${offset} in the zip file`);
  }
  const nameSize = view.getUint16(offset + 26, true);
  const start = offset + LOCAL_SIZE + nameSize + view.getUint16(offset + 28, true);
  if (start + packed > end) throw faulty(name, `its ${packed} bytes reach beyond the end of the entries`);
  if (textOf(bytes, offset + LOCAL_SIZE, nameSize) !== name) {
    throw faulty(name, `the entry at its offset ${offset} has another name`);
  }
  return bytes.subarray(start, start + packed);
}

function textOf(bytes: Uint8Array, offset: number, size: number): string {
  return new TextDecoder().decode(bytes.subarray(offset, offset + size));
}

async function inflate(
  operation: string,
  entry: Entry,
  packed: Uint8Array,
  unzip: Unzip | undefined,
): Promise<Uint8Array> {
  const { name, size } = entry;
  const out = new Uint8Array(size);
  let filled = 0;
  const take = (chunk: Uint8Array): void => {
    if (filled + chunk.length > size) {
      throw faulty(name, `it unpacks to more than the ${size} bytes that the directory says`);
    }
    out.set(chunk, filled);
    filled += chunk.length;
  };
  try {
    if (unzip) inflateWith(unzip, packed, take);
    else await inflateHere(operation, name, packed, take);
  } catch (error) {
    throw readingFailed(name, 'the inflater', error);
  }
  if (filled !== size) throw faulty(name, `it unpacks to ${filled} bytes, the directory says ${size}`);
  return out;
}

function inflateWith(unzip: Unzip, packed: Uint8Array, take: (chunk: Uint8Array) => void): void {
  const inflater = new unzip.Inflate((chunk) => take(chunk));
  for (let at = 0; at === 0 || at < packed.length; at += PIECE) {
    inflater.push(packed.subarray(at, at + PIECE), at + PIECE >= packed.length);
  }
}

async function inflateHere(
  operation: string,
  name: string,
  packed: Uint8Array,
  take: (chunk: Uint8Array) => void,
): Promise<void> {
  const { DecompressionStream: Decompression } = globalThis;
  if (typeof Decompression !== 'function') {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `${operation}: ${name} is compressed, and this runtime has no DecompressionStream: expected unzip, ` +
        "such as import * as fflate from 'fflate'",
    );
  }
  const stream = new Decompression('deflate-raw');
  const writer = stream.writable.getWriter();
  // What goes wrong in writing is seen in reading as well.
  const ignore = (): void => {};
  writer.write(packed as never).catch(ignore);
  writer.close().catch(ignore);
  const reader = stream.readable.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      take(value);
    }
  } finally {
    reader.cancel().catch(ignore);
  }
}

let crcTable: Uint32Array | undefined;

/** The checksum of zip: CRC-32 with the reversed polynomial 0xedb88320. */
export function crc32(bytes: Uint8Array): number {
  if (!crcTable) {
    crcTable = new Uint32Array(256);
    for (let n = 0; n < 256; ++n) {
      let value = n;
      for (let bit = 0; bit < 8; ++bit) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
      crcTable[n] = value;
    }
  }
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; ++i) {
    crc = (crc >>> 8) ^ (crcTable[(crc ^ (bytes[i] as number)) & 0xff] as number);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
