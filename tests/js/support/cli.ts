import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Failure } from '../../../js/src/cli/failure.js';
import { Input, streamBytes } from '../../../js/src/cli/input.js';
import type { Output } from '../../../js/src/cli/output.js';
import type { Block } from '../../../js/src/cli/rows.js';
import { type FileDType, npyHeader } from '../../../js/src/io.js';

/** A folder for the tests of one file, gone when they have ended. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'layernorm-cli-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** An input that gives at most `most` bytes at once, as pipes do. */
export function fileOf(bytes: Uint8Array, most = bytes.length): Input {
  const source = {
    readSome: async (into: Uint8Array, position: number) => {
      const part = bytes.subarray(position, position + Math.min(into.length, most));
      into.set(part);
      return part.length;
    },
    close: async () => {},
  };
  return new Input('x', source, bytes.length);
}

/** An input without a size, whose bytes come in pieces of `piece`. */
export function streamOf(bytes: Uint8Array, piece = 5): Input {
  const pieces = Array.from({ length: Math.ceil(bytes.length / piece) }, (_, i) =>
    Buffer.from(bytes.subarray(i * piece, (i + 1) * piece)),
  );
  return new Input('stream', streamBytes(Readable.from(pieces)));
}

/** An output that keeps what it gets. */
export class Collected implements Output {
  readonly name = 'collected';
  readonly #parts: Uint8Array[] = [];

  get position(): number {
    return this.bytes.length;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }

  async write(bytes: Uint8Array): Promise<void> {
    // As a slow disk does: what is written has to stay until then.
    await new Promise((resolve) => setImmediate(resolve));
    this.#parts.push(Buffer.from(bytes));
  }

  commit(): void {}
  discard(): void {}
}

/** The bytes of an array. */
export function bytesIn({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** A .npy file. */
export function npyOf(data: ArrayBufferView, shape: readonly number[], dtype: FileDType = 'float32'): Buffer {
  return Buffer.concat([npyHeader({ dtype, shape }), bytesIn(data)]);
}

/** All elements of blocks, in their order. */
export async function elementsOf(blocks: AsyncIterable<Block>): Promise<number[]> {
  const all: number[] = [];
  for await (const { data } of blocks) all.push(...(data as Float32Array));
  return all;
}

/** Expects a promise to fail with words for users, and an exit code. */
export async function expectFailure(
  promise: Promise<unknown>,
  message: string | RegExp,
  exitCode = 1,
): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (thrown) => thrown,
  );
  expect(error).toBeInstanceOf(Failure);
  expect(error.exitCode).toBe(exitCode);
  if (typeof message === 'string') expect(error.message).toBe(message);
  else expect(error.message).toMatch(message);
}
