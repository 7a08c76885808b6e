// What all that is read here shares: errors that name the part of the file.

import { describe, LayerNormError } from '../runtime/errors.js';

/** Names come from files: they are cut and their control characters shown, since messages go to terminals and logs. */
export function quoted(name: unknown): string {
  if (typeof name !== 'string') return describe(name);
  const short = name.length > 80 ? `${name.slice(0, 77)}...` : name;
  return `'${JSON.stringify(short).slice(1, -1)}'`;
}

/** Says what is wrong with a part of a file. */
export function faulty(part: string, problem: string, cause?: unknown): LayerNormError {
  return new LayerNormError('ERR_FILE', `${part}: ${problem}`, cause);
}

/** Runs what other libraries do with a part of a file; whatever they throw becomes an error that names the part. */
export function reading<T>(part: string, who: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw readingFailed(part, who, error);
  }
}

/** What a library threw, as an error of this package. */
export function readingFailed(part: string, who: string, error: unknown): LayerNormError {
  if (error instanceof LayerNormError) return error;
  const words = error instanceof Error ? error.message : String(error);
  return faulty(part, `${who} cannot read it (${quoted(words)})`, error);
}

/** The bytes of a file, as a view that nobody else writes to while they are read. */
export function bytesOf(operation: string, argument: string, value: unknown): Uint8Array {
  const isBuffer = value instanceof ArrayBuffer || tagOf(value) === 'ArrayBuffer';
  const isShared = tagOf(value) === 'SharedArrayBuffer';
  if (!isBuffer && !isShared && !ArrayBuffer.isView(value)) {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `${operation}: ${argument} is ${describe(value)}, expected the bytes of a file: a Uint8Array or an ArrayBuffer`,
    );
  }
  let view: Uint8Array;
  try {
    view = ArrayBuffer.isView(value)
      ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
      : new Uint8Array(value as ArrayBuffer);
  } catch (error) {
    const problem = `the buffer of ${argument} is detached: it was transferred`;
    throw new LayerNormError('ERR_DISPOSED', `${operation}: ${problem}`, error);
  }
  // Decoders refuse shared memory, and another thread could write there after a check.
  return tagOf(view.buffer) === 'SharedArrayBuffer' ? view.slice() : view;
}

function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}
