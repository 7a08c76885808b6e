// Files that are there as a whole or not at all, and stdout.

import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fchmodSync,
  linkSync,
  lstatSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  write,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Writable } from 'node:stream';
import { promisify } from 'node:util';
import { systemFailure, usageFailure } from './failure.js';
import { MAX_CALL } from './input.js';

/** Where a result goes. */
export interface Output {
  readonly name: string;
  /** How many bytes have been written. */
  readonly position: number;
  /** Writes all of the bytes, which may change once the promise is fulfilled. */
  write(bytes: Uint8Array): Promise<void>;
  /** Puts what was written in its place: the end of a command that went well. */
  commit(): void;
  /** Leaves nothing behind, unless {@link Output.commit} came before. */
  discard(): void;
}

/** Files that are being written, under the names that they have meanwhile. */
const unfinished = new Set<string>();

/** Removes what is unfinished: for the end of the process. */
export function discardUnfinished(): void {
  for (const path of unfinished) rmSync(path, { force: true });
}

/**
 * Opens a file to write, or stdout for `-`. It has another name, beside its own, until it is complete, so it may also be what is read.
 * @param force - whether a file that is there is replaced
 */
export function openOutput(path: string, force: boolean): Output {
  if (path === '-') {
    if (process.stdout.isTTY)
      throw usageFailure('-o - stands for stdout, which is a terminal: name a file, or pipe it on');
    return new StreamOutput('stdout', process.stdout);
  }
  try {
    const exists = lstatSync(path, { throwIfNoEntry: false }) !== undefined;
    const status = exists ? statSync(path) : undefined;
    if (status?.isDirectory())
      throw usageFailure(`${path}: is a directory, expected a name for a file (EISDIR)`);
    // Pipes and devices are written to as they are.
    if (status && !status.isFile()) return new FileOutput(path, openSync(path, 'w'));
    if (exists && !force) {
      throw usageFailure(`${path}: there is a file of this name already: --force replaces it (EEXIST)`);
    }
    // A link stays one: what it leads to is replaced.
    const target = exists ? realpathSync(path) : path;
    const partial = join(dirname(target), `.${basename(target)}.${randomUUID()}.partial`);
    const descriptor = openSync(partial, 'wx');
    unfinished.add(partial);
    if (status) fchmodSync(descriptor, status.mode);
    return new FileOutput(path, descriptor, partial, target, force);
  } catch (error) {
    throw systemFailure(error, path);
  }
}

/**
 * Writes a result to a file, or to stdout for `-`, as a whole or not at all.
 * @returns how many bytes it has
 */
export async function writeOutput(
  path: string,
  force: boolean,
  fill: (output: Output) => Promise<void>,
): Promise<number> {
  const output = openOutput(path, force);
  try {
    await fill(output);
    output.commit();
    return output.position;
  } finally {
    output.discard();
  }
}

/** Prints a text on stdout. */
export async function print(text: string): Promise<void> {
  await new StreamOutput('stdout', process.stdout).write(Buffer.from(text));
}

const writeTo = promisify(write);

class FileOutput implements Output {
  readonly name: string;
  position = 0;
  #descriptor: number | undefined;
  readonly #partial: string | undefined;
  readonly #target: string;
  /** Whether it takes the place of a file that is there. */
  readonly #replaces: boolean;

  constructor(name: string, descriptor: number, partial?: string, target = name, replaces = false) {
    this.name = name;
    this.#descriptor = descriptor;
    this.#partial = partial;
    this.#target = target;
    this.#replaces = replaces;
  }

  async write(bytes: Uint8Array): Promise<void> {
    let written = 0;
    while (written < bytes.length) {
      try {
        const length = Math.min(bytes.length - written, MAX_CALL);
        const result = await writeTo(this.#descriptor as number, bytes, written, length);
        written += result.bytesWritten;
      } catch (error) {
        throw systemFailure(error, this.name);
      }
    }
    this.position += written;
  }

  commit(): void {
    try {
      this.#close();
      if (this.#partial === undefined) return;
      if (!this.#replaces) putWhereNothingIs(this.#partial, this.#target);
      else renameSync(this.#partial, this.#target);
      unfinished.delete(this.#partial);
    } catch (error) {
      throw systemFailure(error, this.name);
    }
  }

  discard(): void {
    this.#close();
    if (this.#partial === undefined || !unfinished.delete(this.#partial)) return;
    rmSync(this.#partial, { force: true });
  }

  #close(): void {
    if (this.#descriptor === undefined) return;
    const descriptor = this.#descriptor;
    this.#descriptor = undefined;
    closeSync(descriptor);
  }
}

/** Gives a file its name, unless another one has got that name meanwhile. */
function putWhereNothingIs(partial: string, target: string): void {
  try {
    linkSync(partial, target);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Some file systems have no links.
    if (code === 'EEXIST' || existsSync(target)) throw error;
    renameSync(partial, target);
    return;
  }
  rmSync(partial);
}

export class StreamOutput implements Output {
  readonly name: string;
  position = 0;
  readonly #stream: Writable;

  constructor(name: string, stream: Writable) {
    this.name = name;
    this.#stream = stream;
    stream.on('error', () => {}); // each write reports its own
  }

  async write(bytes: Uint8Array): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#stream.write(bytes, (error) => (error ? reject(systemFailure(error, this.name)) : resolve()));
    });
    this.position += bytes.length;
  }

  /** What was written has gone. */
  commit(): void {}
  discard(): void {}
}
