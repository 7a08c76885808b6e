// Writes HDF5 files as Keras does: groups by symbol tables, contiguous arrays, attributes of text. By hand, so that a test can
// have any field wrong.

/** An array of a file: its bytes, and the datatype message that says what they are. */
export interface Hdf5Array {
  shape: number[];
  type: Uint8Array;
  bytes: Uint8Array;
  attributes?: Record<string, string>;
}

/** A group of a file. */
export interface Hdf5Tree {
  attributes?: Record<string, string>;
  groups?: Record<string, Hdf5Tree>;
  arrays?: Record<string, Hdf5Array>;
}

/** What a field of a file is, and where: to put something wrong there. */
export type Hdf5Marks = Map<string, number>;

const UNDEFINED = 0xffffffffffffffffn;
/** Entries that a node of symbols has room for, twice this. */
const LEAF_K = 32;

const FLOAT_BITS: Record<number, number[]> = {
  // Sign, exponent at and of, mantissa at and of, bias.
  2: [15, 10, 5, 0, 10, 15],
  4: [31, 23, 8, 0, 23, 127],
  8: [63, 52, 11, 0, 52, 1023],
};

/** The datatype of floating-point numbers of some bytes. */
export function floatType(size: 2 | 4 | 8): Uint8Array {
  const [sign, exponentAt, exponentSize, mantissaAt, mantissaSize, bias] = FLOAT_BITS[size] as number[];
  const type = new Uint8Array(20);
  const view = new DataView(type.buffer);
  type.set([0x11, 0x20, sign as number, 0]);
  view.setUint32(4, size, true);
  view.setUint16(10, size * 8, true);
  type.set([exponentAt, exponentSize, mantissaAt, mantissaSize] as number[], 12);
  view.setUint32(16, bias as number, true);
  return type;
}

/** The datatype of integers of some bytes. */
export function integerType(size: number, signed: boolean): Uint8Array {
  const type = new Uint8Array(12);
  const view = new DataView(type.buffer);
  type.set([0x10, signed ? 8 : 0]);
  view.setUint32(4, size, true);
  view.setUint16(10, size * 8, true);
  return type;
}

/** The datatype of bytes without a meaning, as Keras has bfloat16. */
export function opaqueType(size: number): Uint8Array {
  const type = new Uint8Array(16);
  type.set([0x15, 8]);
  new DataView(type.buffer).setUint32(4, size, true);
  return type;
}

/** The datatype of text of some bytes. */
export function textType(size: number): Uint8Array {
  const type = new Uint8Array(8);
  type.set([0x13, 1]); // padded with zeros
  new DataView(type.buffer).setUint32(4, size, true);
  return type;
}

/** An array of float32. */
export function float32(shape: number[], values: ArrayLike<number>): Hdf5Array {
  const bytes = new Uint8Array(Float32Array.from(values).buffer);
  return { shape, type: floatType(4), bytes };
}

/** A file with a tree of groups. */
export function writeHdf5(root: Hdf5Tree, marks: Hdf5Marks = new Map()): Uint8Array {
  const writer = new Writer(marks);
  writer.allocate(96);
  const header = writer.group(root, '');
  const { bytes, view, size } = writer;
  bytes.set([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0, 0, 8, 8, 0]);
  view.setUint16(16, LEAF_K, true);
  view.setUint16(18, 16, true);
  view.setBigUint64(32, UNDEFINED, true);
  view.setBigUint64(40, BigInt(size), true);
  view.setBigUint64(48, UNDEFINED, true);
  view.setBigUint64(64, BigInt(header), true);
  return bytes.slice(0, size);
}

type Message = [type: number, data: Uint8Array, mark?: string];

class Writer {
  bytes = new Uint8Array(1 << 16);
  view = new DataView(this.bytes.buffer);
  size = 0;
  readonly marks: Hdf5Marks;

  constructor(marks: Hdf5Marks) {
    this.marks = marks;
  }

  allocate(count: number): number {
    const at = this.size;
    this.size = at + count + ((8 - (count % 8)) % 8);
    if (this.size > this.bytes.length) {
      const larger = new Uint8Array(2 * this.size);
      larger.set(this.bytes);
      this.bytes = larger;
      this.view = new DataView(larger.buffer);
    }
    return at;
  }

  group({ groups = {}, arrays = {}, attributes = {} }: Hdf5Tree, path: string): number {
    const names = [...Object.keys(groups), ...Object.keys(arrays)].sort();
    if (names.length > 2 * LEAF_K) throw new Error('more than one node holds');
    const headers = names.map((name) => {
      const below = `${path}/${name}`;
      const group = groups[name];
      return group ? this.group(group, below) : this.array(arrays[name] as Hdf5Array, below);
    });

    const texts = names.map((name) => new TextEncoder().encode(name));
    const room = texts.reduce((sum, text) => sum + 8 * Math.ceil((text.length + 1) / 8), 8);
    const data = this.allocate(room);
    const heap = this.allocate(32);
    this.bytes.set([0x48, 0x45, 0x41, 0x50], heap);
    this.words(heap + 8, room, 1, data);

    const node = this.allocate(8 + 2 * LEAF_K * 40);
    this.marks.set(`${path}: symbols`, node);
    this.bytes.set([0x53, 0x4e, 0x4f, 0x44, 1], node);
    this.view.setUint16(node + 6, names.length, true);
    let offset = 8;
    let last = 0;
    texts.forEach((text, i) => {
      this.bytes.set(text, data + offset);
      this.words(node + 8 + i * 40, offset, headers[i] as number);
      last = offset;
      offset += 8 * Math.ceil((text.length + 1) / 8);
    });

    const tree = this.allocate(24 + 33 * 16);
    this.marks.set(`${path}: tree`, tree);
    this.bytes.set([0x54, 0x52, 0x45, 0x45], tree);
    this.view.setUint16(tree + 6, names.length > 0 ? 1 : 0, true);
    this.view.setBigUint64(tree + 8, UNDEFINED, true);
    this.view.setBigUint64(tree + 16, UNDEFINED, true);
    this.words(tree + 24, 0, node, last);

    const table = new Uint8Array(16);
    new DataView(table.buffer).setBigUint64(0, BigInt(tree), true);
    new DataView(table.buffer).setBigUint64(8, BigInt(heap), true);
    return this.header([[0x11, table], ...attributesOf(attributes)], path);
  }

  array({ shape, type, bytes, attributes = {} }: Hdf5Array, path: string): number {
    const data = this.allocate(bytes.length);
    this.bytes.set(bytes, data);
    const layout = new Uint8Array(24);
    layout.set([3, 1]);
    const view = new DataView(layout.buffer);
    view.setBigUint64(2, BigInt(data), true);
    view.setBigUint64(10, BigInt(bytes.length), true);
    const messages: Message[] = [
      [1, dataspace(shape), 'space'],
      [3, padded(type), 'type'],
      [5, Uint8Array.of(2, 2, 0, 0, 0, 0, 0, 0)],
      [8, layout, 'layout'],
      ...attributesOf(attributes),
    ];
    return this.header(messages, path);
  }

  header(messages: Message[], path: string): number {
    const size = messages.reduce((sum, [, data]) => sum + 8 + data.length, 0);
    const at = this.allocate(16 + size);
    this.marks.set(`${path}: header`, at);
    this.bytes[at] = 1;
    this.view.setUint16(at + 2, messages.length, true);
    this.view.setUint32(at + 4, 1, true);
    this.view.setUint32(at + 8, size, true);
    let offset = at + 16;
    for (const [type, data, mark] of messages) {
      this.view.setUint16(offset, type, true);
      this.view.setUint16(offset + 2, data.length, true);
      this.bytes.set(data, offset + 8);
      if (mark) this.marks.set(`${path}: ${mark}`, offset + 8);
      else if (type === 12) this.marks.set(`${path}: attribute`, offset + 8);
      offset += 8 + data.length;
    }
    return at;
  }

  words(at: number, ...values: number[]): void {
    values.forEach((value, i) => {
      this.view.setBigUint64(at + 8 * i, BigInt(value), true);
    });
  }
}

function attributesOf(attributes: Record<string, string>): Message[] {
  return Object.entries(attributes).map(([name, value]) => {
    const text = new TextEncoder().encode(value);
    const title = padded(new TextEncoder().encode(`${name}\0`));
    const [type, space] = [textType(text.length), dataspace([])];
    const head = new Uint8Array(8);
    const view = new DataView(head.buffer);
    head[0] = 1;
    view.setUint16(2, name.length + 1, true);
    view.setUint16(4, type.length, true);
    view.setUint16(6, space.length, true);
    return [12, joined([head, title, type, space, padded(text)])];
  });
}

function dataspace(shape: number[]): Uint8Array {
  const space = new Uint8Array(8 + 8 * shape.length);
  space.set([1, shape.length]);
  const view = new DataView(space.buffer);
  shape.forEach((size, i) => {
    view.setBigUint64(8 + 8 * i, BigInt(size), true);
  });
  return space;
}

function padded(bytes: Uint8Array): Uint8Array {
  const result = new Uint8Array(8 * Math.ceil(bytes.length / 8));
  result.set(bytes);
  return result;
}

function joined(parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
