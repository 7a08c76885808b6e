// Files, pipes and stdin, read from front to back.

import { createReadStream } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { systemFailure, usageFailure } from './failure.js';

/** The most that one call of the operating system reads or writes: Node takes less than 2 GiB. */
export const MAX_CALL = 2 ** 30;
/** What is skipped in a stream passes through this. */
const SKIPPED_BYTES = 2 ** 16;
/** What is read as a whole is read in such parts. */
const REST_BYTES = 2 ** 20;

/** Where bytes come from. */
interface Bytes {
  /** Reads up to `into.length` bytes that follow those before; 0 at the end only. */
  readSome(into: Uint8Array, position: number): Promise<number>;
  close(): Promise<void>;
}

/** Bytes that are read from front to back. */
export class Input {
  /** What messages call it. */
  readonly name: string;
  /** How many bytes there are; undefined for a stream, which can be read once only. */
  readonly size: number | undefined;
  readonly #bytes: Bytes;
  /** What has been read from {@link Bytes} and is to be read again. */
  #ahead: Uint8Array = new Uint8Array(0);
  #position = 0;

  constructor(name: string, bytes: Bytes, size?: number) {
    this.name = name;
    this.#bytes = bytes;
    this.size = size;
  }

  /** How many bytes have been read, or skipped. */
  get position(): number {
    return this.#position;
  }

  /** The next bytes, which will be read once more; fewer at the end only. */
  async peek(length: number): Promise<Uint8Array> {
    if (this.#ahead.length < length) {
      const longer = new Uint8Array(length);
      longer.set(this.#ahead);
      const more = await this.#fill(longer.subarray(this.#ahead.length), this.#position + this.#ahead.length);
      this.#ahead = longer.subarray(0, this.#ahead.length + more);
    }
    return this.#ahead.subarray(0, length);
  }

  /** Fills an array; less than all of it at the end only. Returns how many bytes were read. */
  async read(into: Uint8Array): Promise<number> {
    const known = Math.min(this.#ahead.length, into.length);
    into.set(this.#ahead.subarray(0, known));
    this.#ahead = this.#ahead.subarray(known);
    const more = await this.#fill(into.subarray(known), this.#position + known);
    this.#position += known + more;
    return known + more;
  }

  /** Everything that follows. */
  async rest(): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for (;;) {
      const part = new Uint8Array(REST_BYTES);
      const read = await this.read(part);
      parts.push(part.subarray(0, read));
      if (read < part.length) return Buffer.concat(parts);
    }
  }

  /** Goes to a byte: in a stream, where everything before it has to be read, only forwards. */
  async seek(position: number): Promise<void> {
    if (this.size !== undefined) {
      this.#ahead = new Uint8Array(0);
      this.#position = position;
      return;
    }
    const skipped = new Uint8Array(SKIPPED_BYTES);
    while (this.#position < position) {
      const wanted = Math.min(skipped.length, position - this.#position);
      if ((await this.read(skipped.subarray(0, wanted))) === 0) return;
    }
  }

  async #fill(into: Uint8Array, position: number): Promise<number> {
    let filled = 0;
    while (filled < into.length) {
      const part = into.subarray(filled, filled + MAX_CALL);
      const read = await this.#bytes.readSome(part, position + filled).catch((error) => {
        throw systemFailure(error, this.name);
      });
      if (read === 0) break;
      filled += read;
    }
    return filled;
  }

  close(): Promise<void> {
    return this.#bytes.close();
  }
}

/** Opens a file, or stdin for `-`. */
export async function openInput(path: string): Promise<Input> {
  if (path === '-') {
    if (process.stdin.isTTY)
      throw usageFailure('- stands for stdin, which is a terminal: name a file, or pipe one in');
    return new Input('stdin', streamBytes(process.stdin));
  }
  try {
    const status = await stat(path);
    if (status.isFile()) return new Input(path, fileBytes(await open(path)), status.size);
    if (!status.isDirectory()) return new Input(path, streamBytes(createReadStream(path)));
  } catch (error) {
    throw systemFailure(error, path);
  }
  throw usageFailure(`${path}: is a directory, expected a file (EISDIR)`);
}

function fileBytes(file: FileHandle): Bytes {
  return {
    readSome: async (into, position) => (await file.read(into, 0, into.length, position)).bytesRead,
    close: () => file.close(),
  };
}

/** A pipe, a terminal, or whatever else has no size. */
export function streamBytes(stream: Readable): Bytes {
  const chunks = stream[Symbol.asyncIterator]();
  let chunk: Uint8Array = new Uint8Array(0);
  return {
    async readSome(into) {
      while (chunk.length === 0) {
        const next = await chunks.next();
        if (next.done) return 0;
        chunk = next.value;
      }
      const length = Math.min(chunk.length, into.length);
      into.set(chunk.subarray(0, length));
      chunk = chunk.subarray(length);
      return length;
    },
    async close() {
      stream.destroy();
    },
  };
}
