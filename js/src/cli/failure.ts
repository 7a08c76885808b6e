// What goes wrong, worded for whoever types commands.

import { getSystemErrorMap } from 'node:util';
import { LayerNormError } from '../index.js';

/** The exit codes of the program. A signal ends it with 128 and the number of the signal, as shells do: 130 for Ctrl-C. */
export const EXIT = { ok: 0, failure: 1, usage: 2 } as const;

/** An error whose message is all that its reader needs. */
export class Failure extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT.failure) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** A command line that makes no sense. */
export function usageFailure(message: string): Failure {
  return new Failure(message, EXIT.usage);
}

/**
 * A failure of the operating system in words, after the file that it is about.
 * @param name - the file, where the error does not tell
 */
export function systemFailure(error: unknown, name: string): unknown {
  const { code, errno } = error as NodeJS.ErrnoException;
  const known = errno === undefined ? undefined : getSystemErrorMap().get(errno);
  if (known === undefined) return error;
  const [, words] = known;
  const hint = code === 'EPIPE' ? ': nobody reads it any longer' : '';
  return new Failure(`${name}: ${words} (${code})${hint}`);
}

/** Text of files for a terminal: what would steer it is written out. */
export function harmless(text: string): string {
  return text.replace(/\p{Cc}/gu, (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** What to print for an error, and the code to end with. */
export function reportOf(error: unknown): { message: string; exitCode: number } {
  if (error instanceof Failure) return { message: harmless(error.message), exitCode: error.exitCode };
  if (error instanceof LayerNormError) return { message: harmless(error.message), exitCode: EXIT.failure };
  const { code, message } = error as NodeJS.ErrnoException;
  if (typeof code === 'string' && code.startsWith('ERR_PARSE_ARGS')) {
    // Its first sentence: the others are about arguments that begin with a hyphen.
    return { message: message.replace(/(?<=')\. .*/s, ''), exitCode: EXIT.usage };
  }
  // Arrays that no engine can make: a single row of more bytes than one may have.
  if (error instanceof RangeError && /\b(array|allocation|string length)\b/i.test(message)) {
    return { message: `a row is too large for the memory: ${message}`, exitCode: EXIT.failure };
  }
  return { message: (error as Error).stack ?? String(error), exitCode: EXIT.failure };
}

/** Runs what reads a part of a file; errors of this package become failures that name the file. */
export function within<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof LayerNormError ? new Failure(`${name}: ${error.message}`) : error;
  }
}
