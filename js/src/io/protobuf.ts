// Walks over the fields of a message in the format of protocol buffers (https://protobuf.dev/programming-guides/encoding). It knows no
// schema: who calls it goes down into those messages that he knows, so that nesting without end is only skipped.

import { faulty } from '../files/parts.js';

/** How the value of a field is stored. */
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

const KINDS: Readonly<Record<number, string>> = {
  [VARINT]: 'an integer',
  [FIXED64]: '8 bytes',
  [BYTES]: 'bytes of a length',
  [FIXED32]: '4 bytes',
};

/** Made once: a model has a few texts for each of its nodes. */
let decoder: TextDecoder | undefined;

/** A value that has been met. */
interface Value {
  readonly kind: number;
  /** Of a varint; of the others where it begins. */
  readonly value: number;
  readonly end: number;
}

/** The fields of one message, one after the other. */
export class ProtobufReader {
  readonly #part: string;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #field = 0;
  #value: Value = { kind: VARINT, value: 0, end: 0 };

  /** @param part - what the message is, for error messages */
  constructor(part: string, bytes: Uint8Array) {
    this.#part = part;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Moves to the next field, and gives its number; 0 at the end. */
  next(): number {
    if (this.#at === this.#bytes.length) return 0;
    const start = this.#at;
    const tag = this.#varint();
    const kind = tag & 7;
    this.#field = (tag - kind) / 8;
    if (!(this.#field >= 1 && this.#field < 2 ** 29) || !(kind in KINDS)) {
      throw faulty(this.#part, `at byte ${start} there is no field of protocol buffers`);
    }
    if (kind === VARINT) {
      this.#value = { kind, value: this.#varint(), end: this.#at };
      return this.#field;
    }
    const length = kind === BYTES ? this.#varint() : kind === FIXED64 ? 8 : 4;
    const value = this.#at;
    const left = this.#bytes.length - value;
    if (!(length >= 0 && length <= left)) {
      throw faulty(this.#part, `field ${this.#field} has a length of ${length} bytes, ${left} are left`);
    }
    this.#at += length;
    this.#value = { kind, value, end: this.#at };
    return this.#field;
  }

  /** The value of the field as an integer. Those beyond 2^53 - 1 are refused. */
  integer(): number {
    const { value } = this.#expect(VARINT);
    if (Number.isSafeInteger(value)) return value;
    throw faulty(this.#part, `field ${this.#field} is about ${value}, expected at most 2^53 - 1`);
  }

  /** The value of the field as the nearest number: for integers that may be any. */
  nearestInteger(): number {
    return this.#expect(VARINT).value;
  }

  /** The bytes of the field: a view. */
  bytes(): Uint8Array {
    const { value, end } = this.#expect(BYTES);
    return this.#bytes.subarray(value, end);
  }

  text(): string {
    decoder ??= new TextDecoder();
    return decoder.decode(this.bytes());
  }

  float(): number {
    return this.#view.getFloat32(this.#expect(FIXED32).value, true);
  }

  /** Hands on the integers of a field that has one, or a packed list of them. */
  integers(take: (value: number) => void): void {
    this.#eachVarint((reader) => take(reader.integer()));
  }

  /** The same for integers that may be any. */
  nearestIntegers(take: (value: number) => void): void {
    this.#eachVarint((reader) => take(reader.nearestInteger()));
  }

  #eachVarint(take: (reader: ProtobufReader) => void): void {
    if (this.#value.kind === VARINT) {
      take(this);
      return;
    }
    const packed = new ProtobufReader(this.#part, this.bytes());
    while (packed.#at < packed.#bytes.length) {
      packed.#field = this.#field;
      packed.#value = { kind: VARINT, value: packed.#varint(), end: packed.#at };
      take(packed);
    }
  }

  /** Hands on the floats of a field that has one, or a packed list of them. */
  floats(take: (value: number) => void): void {
    this.#eachFixed(FIXED32, 4, (at) => take(this.#view.getFloat32(at, true)));
  }

  /** {@link floats} of 64 bits. */
  doubles(take: (value: number) => void): void {
    this.#eachFixed(FIXED64, 8, (at) => take(this.#view.getFloat64(at, true)));
  }

  #eachFixed(kind: number, size: number, take: (at: number) => void): void {
    const { value, end } = this.#value.kind === kind ? this.#value : this.#expect(BYTES);
    if ((end - value) % size !== 0) {
      throw faulty(
        this.#part,
        `field ${this.#field} has ${end - value} bytes, expected a multiple of ${size}`,
      );
    }
    for (let at = value; at < end; at += size) take(at);
  }

  #expect(kind: number): Value {
    if (this.#value.kind === kind) return this.#value;
    throw faulty(
      this.#part,
      `field ${this.#field} is stored as ${KINDS[this.#value.kind]}, expected ${KINDS[kind]}`,
    );
  }

  /** An integer of 64 bits with a sign, seven bits in a byte, the lowest first; not exact beyond 2^53. */
  #varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) throw faulty(this.#part, 'it is cut off in an integer');
      this.#at++;
      if (i === 9) {
        // The sign is all that the last byte has room for; lower bits of a negative number make it exact.
        if (byte > 1) throw faulty(this.#part, 'it has an integer of more than 64 bits');
        return byte === 1 ? this.#negative() : value;
      }
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte < 128) return value;
    }
    return value;
  }

  /** The negative number of the ten bytes that end here: summed up from its complement, it is exact where it is small. */
  #negative(): number {
    let complement = 0;
    for (let i = 2; i <= 10; i++)
      complement = complement * 128 + (~(this.#bytes[this.#at - i] as number) & 0x7f);
    return -complement - 1;
  }
}
