// What is asked of a reader of HDF5, and how jsfive and h5wasm answer it. None is imported: the caller hands one in.

import { faulty, reading, readingFailed } from '../files/parts.js';
import { describe, LayerNormError } from '../runtime/errors.js';

/** A group of an HDF5 file. */
export interface Hdf5Group {
  readonly kind: 'group';
  /** The names of what it holds. */
  readonly keys: readonly string[];
  /** What it holds by a name; null for links that lead nowhere, and for anything but groups and datasets. */
  get(name: string): Hdf5Group | Hdf5Dataset | null;
  /** The value of an attribute; undefined where there is none. */
  attribute(name: string): unknown;
}

/** An array of an HDF5 file. */
export interface Hdf5Dataset {
  readonly kind: 'dataset';
  /** Sizes of the dimensions, outermost first. */
  readonly shape: readonly number[];
  /** The type of its elements: `float32`, `int64` and so on, or `opaque2` for two bytes of no type. */
  readonly dtype: string;
  /** The value of an attribute; undefined where there is none. */
  attribute(name: string): unknown;
  /**
   * The elements, row-major: numbers, or the bytes of an opaque type. It is called only when they are fewer than the limits allow.
   */
  read(): ArrayLike<number | bigint>;
}

/** A file that is open. */
export interface Hdf5File {
  readonly root: Hdf5Group;
  /** Gives up what the reader holds. */
  close?(): void;
}

/** A reader of your own. */
export type Hdf5Reader = (bytes: Uint8Array) => Hdf5File | Promise<Hdf5File>;

/** The namespace of jsfive: `import * as hdf5 from 'jsfive'`. */
export interface JsFive {
  readonly File: new (bytes: ArrayBuffer, name?: string) => unknown;
  readonly Group: unknown;
  readonly Filters: unknown;
}

/** The namespace of h5wasm: `import * as hdf5 from 'h5wasm'`. */
export interface H5Wasm {
  readonly File: new (name: string, mode: 'r') => unknown;
  readonly ready: Promise<unknown>;
}

/** Opens the file with what the caller has given. */
export async function openHdf5(part: string, bytes: Uint8Array, hdf5: unknown): Promise<Hdf5File> {
  const library = unwrapped(hdf5);
  const who = 'the HDF5 reader';
  try {
    if (typeof library === 'function') return await (library as Hdf5Reader)(bytes);
    if (isH5Wasm(library)) return await openWithH5Wasm(bytes, library);
    if (isJsFive(library)) return openWithJsFive(part, bytes, library);
  } catch (error) {
    throw readingFailed(part, who, error);
  }
  throw new LayerNormError(
    'ERR_ARGUMENT',
    `loadKeras: hdf5 is ${describe(hdf5)}, expected a reader of HDF5: import * as hdf5 from 'jsfive', ` +
      "import * as hdf5 from 'h5wasm', or a function that opens a file",
  );
}

/** Both are CommonJS for some importers, who have all of it in `default`. */
function unwrapped(hdf5: unknown): unknown {
  if (typeof hdf5 !== 'object' || hdf5 === null || 'File' in hdf5) return hdf5;
  return (hdf5 as { default?: unknown }).default ?? hdf5;
}

function isH5Wasm(library: unknown): library is H5Wasm {
  const { File, ready } = (library ?? {}) as Partial<H5Wasm>;
  return typeof File === 'function' && typeof (ready as Partial<PromiseLike<unknown>>)?.then === 'function';
}

function isJsFive(library: unknown): library is JsFive {
  const { File, Group } = (library ?? {}) as Partial<JsFive>;
  return typeof File === 'function' && typeof Group === 'function';
}

// --- jsfive ---------------------------------------------------------------------------------------------------------

/** What is used of an object of jsfive. */
interface FiveObject {
  readonly keys: readonly string[];
  readonly attrs: Record<string, unknown>;
  get(name: string): FiveObject | null;
  readonly shape: readonly number[];
  readonly dtype: unknown;
  readonly value: ArrayLike<number>;
  readonly _dataobjects: {
    readonly chunks: readonly number[] | null;
    find_msg_type(type: number): Map<string, number>[];
  };
}

const LAYOUT_MESSAGE = 8;
const CONTIGUOUS = 1;
const KINDS: Record<string, string> = { f: 'float', i: 'int', u: 'uint' };

function openWithJsFive(part: string, bytes: Uint8Array, library: JsFive): Hdf5File {
  const buffer = watched(part, bytes);
  return { root: groupOfFive(part, new library.File(buffer) as FiveObject, buffer) };
}

function groupOfFive(part: string, group: FiveObject, buffer: ArrayBuffer): Hdf5Group {
  return {
    kind: 'group',
    keys: group.keys,
    get(name) {
      const found = group.get(name);
      if (!found) return null;
      // Its datasets are arrays.
      return Array.isArray(found) ? datasetOfFive(part, found, buffer) : groupOfFive(part, found, buffer);
    },
    attribute: (name) => ownValue(group.attrs, name),
  };
}

function datasetOfFive(part: string, dataset: FiveObject, buffer: ArrayBuffer): Hdf5Dataset {
  let type: string | undefined;
  const dtype = (): string => {
    type ??= typeOfFive(dataset);
    return type;
  };
  return {
    kind: 'dataset',
    get shape() {
      return dataset.shape;
    },
    get dtype() {
      return dtype();
    },
    attribute: (name) => ownValue(dataset.attrs, name),
    read() {
      // It walks all places of a chunk, and inflates without a limit, however little is asked for.
      if (dataset._dataobjects.chunks) {
        throw faulty(part, 'an array is stored in chunks, which Keras does not do: expected h5wasm for it');
      }
      return dtype() === 'opaque2' ? bytesOfFive(part, dataset, buffer) : dataset.value;
    },
  };
}

function typeOfFive(dataset: FiveObject): string {
  let dtype: unknown;
  try {
    ({ dtype } = dataset);
  } catch (error) {
    // How Keras' arrays of bfloat16 come: jsfive knows no opaque types, whose bytes are there nevertheless.
    if (String(error).includes('Opaque')) return 'opaque2';
    throw error;
  }
  const [, kind = '', size = ''] =
    typeof dtype === 'string' ? (/^[<>|=]?([fiu])(\d)$/.exec(dtype) ?? []) : [];
  return kind === '' ? `${dtype}` : `${KINDS[kind]}${Number(size) * 8}`;
}

/** The bytes of an array of two-byte elements, from where its layout says that they lie. */
function bytesOfFive(part: string, dataset: FiveObject, buffer: ArrayBuffer): Uint8Array {
  const at = dataset._dataobjects.find_msg_type(LAYOUT_MESSAGE)[0]?.get('offset_to_message') ?? -1;
  const view = new DataView(buffer);
  if (view.getUint8(at) !== 3 || view.getUint8(at + 1) !== CONTIGUOUS) {
    throw faulty(part, 'an array of bfloat16 has a layout that Keras does not write');
  }
  const start = Number(view.getBigUint64(at + 2, true));
  return new Uint8Array(buffer, start, 2 * countOf(dataset.shape));
}

/** Bytes of a file for each time that jsfive may copy some of it: models that Keras writes have about a hundred. */
const BYTES_PER_COPY = 16;
/** How often each byte may be copied: once or twice is usual. */
const COPIES_PER_BYTE = 64;
const FREE_COPIES = 20_000;
const FREE_BYTES = 2 ** 22;
/** Seconds after which a file is given up. */
const PATIENCE = 30;

/**
 * A copy of a file that notices when jsfive goes in circles. Trees whose nodes name each other, or that say that they have billions of
 * elements of no size, would keep it busy for ever; but it copies the signature of every node and the bytes of every text with
 * `slice`.
 */
function watched(part: string, bytes: Uint8Array): ArrayBuffer {
  const buffer = bytes.slice().buffer as ArrayBuffer;
  const view = new DataView(buffer);
  let copies = FREE_COPIES + buffer.byteLength / BYTES_PER_COPY;
  let copied = FREE_BYTES + buffer.byteLength * COPIES_PER_BYTE;
  const start = Date.now();
  const slice = (from?: number, to?: number): ArrayBuffer => {
    const result = ArrayBuffer.prototype.slice.call(buffer, from as number, to) as ArrayBuffer;
    copies -= 1 + entriesAt(view, from ?? 0);
    copied -= result.byteLength;
    if (copies < 0 || copied < 0 || Date.now() - start > PATIENCE * 1000) {
      throw faulty(part, 'its groups are linked in a way that has no end');
    }
    return result;
  };
  Object.defineProperty(buffer, 'slice', { value: slice });
  return buffer;
}

/** The entries of a node of a tree, which jsfive reads without copying. */
function entriesAt(view: DataView, at: number): number {
  const isTree = at >= 0 && at + 8 <= view.byteLength && view.getUint32(at) === 0x54524545;
  return isTree ? view.getUint16(at + 6, true) : 0;
}

// --- h5wasm ---------------------------------------------------------------------------------------------------------

/** What is used of an object of h5wasm. */
interface WasmObject {
  readonly type: string;
  keys(): readonly string[];
  get(name: string): WasmObject | null;
  readonly attrs: Record<string, { readonly value: unknown }>;
  readonly shape: readonly number[] | null;
  readonly metadata: { readonly type: number; readonly size: number; readonly signed: boolean };
  readonly value: ArrayLike<number | bigint>;
  readonly file_id: bigint;
  close(): void;
}

/** Its file system. */
interface WasmFiles {
  writeFile(name: string, bytes: Uint8Array): void;
  unlink(name: string): void;
}

const INTEGER = 0;
const FLOAT = 1;
const OPAQUE = 5;

/** Under Node `h5wasm/node` has the working folder for files, where nothing of the same name may lie. */
function unusedName(): string {
  const random = (): string => Math.random().toString(36).slice(2);
  return `layernorm-${random()}${random()}.h5`;
}

async function openWithH5Wasm(bytes: Uint8Array, library: H5Wasm): Promise<Hdf5File> {
  const { FS: files } = (await library.ready) as { FS: WasmFiles };
  const name = unusedName();
  files.writeFile(name, bytes);
  let file: WasmObject;
  try {
    file = new library.File(name, 'r') as WasmObject;
    if (file.file_id < 0n) throw new Error('it is no HDF5 file');
  } catch (error) {
    files.unlink(name);
    throw error;
  }
  return {
    root: groupOfWasm(file),
    close() {
      file.close();
      files.unlink(name);
    },
  };
}

function groupOfWasm(group: WasmObject): Hdf5Group {
  return {
    kind: 'group',
    get keys() {
      return group.keys();
    },
    get(name) {
      const found = group.get(name);
      if (found?.type === 'Group') return groupOfWasm(found);
      return found?.type === 'Dataset' ? datasetOfWasm(found) : null;
    },
    attribute: (name) => ownValue(group.attrs, name)?.value,
  };
}

function datasetOfWasm(dataset: WasmObject): Hdf5Dataset {
  return {
    kind: 'dataset',
    get shape() {
      return dataset.shape ?? [];
    },
    get dtype() {
      const { type, size, signed } = dataset.metadata;
      if (type === FLOAT) return `float${size * 8}`;
      if (type === INTEGER) return `${signed ? '' : 'u'}int${size * 8}`;
      return type === OPAQUE ? `opaque${size}` : `type ${type}`;
    },
    attribute: (name) => ownValue(dataset.attrs, name)?.value,
    read() {
      const { value } = dataset;
      return typeof value === 'number' || typeof value === 'bigint' ? [value] : value;
    },
  };
}

// --------------------------------------------------------------------------------------------------------------------

/** Names come from files: one such as `constructor` finds nothing here. */
function ownValue<T>(values: Record<string, T>, name: string): T | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined;
}

/** How many elements there are. */
export function countOf(shape: readonly number[]): number {
  return shape.reduce((count, size) => count * size, 1);
}

/** Asks a reader for something of a part of the file. */
export function asking<T>(part: string, ask: () => T): T {
  return reading(part, 'the HDF5 reader', ask);
}
