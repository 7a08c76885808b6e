// What stands on the command line, read and checked.

import { type ParseArgsConfig, parseArgs } from 'node:util';
import type { DType } from '../index.js';
import { usageFailure } from './failure.js';

export type Options = NonNullable<ParseArgsConfig['options']>;

/** What `util.parseArgs` is asked to do. */
interface Config<T extends Options> {
  args: string[];
  options: T;
  allowPositionals: true;
  allowNegative: true;
}

export const TEXT = { type: 'string' } as const;
export const FLAG = { type: 'boolean' } as const;

/** What every command takes. */
export const COMMON_OPTIONS = {
  help: { ...FLAG, short: 'h' },
  quiet: { ...FLAG, short: 'q' },
  json: FLAG,
} as const satisfies Options;

/** What tells the rows of a file. */
export const READ_OPTIONS = {
  axis: TEXT,
  rows: TEXT,
  tensor: TEXT,
  header: FLAG,
  columns: TEXT,
  delimiter: TEXT,
} as const satisfies Options;

/** What tells where a result goes. */
export const WRITE_OPTIONS = {
  output: { ...TEXT, short: 'o' },
  force: { ...FLAG, short: 'f' },
} as const satisfies Options;

/**
 * Reads the arguments of a command. `--no-header` is the opposite of `--header`, and a negative number may follow its option.
 * @throws what `util.parseArgs` throws
 */
export function readArguments<const T extends Options>(
  args: readonly string[],
  options: T,
): ReturnType<typeof parseArgs<Config<T>>> {
  const joined: string[] = [];
  for (const one of args) {
    const last = joined.at(-1);
    // parseArgs would ask for the two in one.
    if (/^-[\d.]/.test(one) && last !== undefined && /^--[a-z]+$/.test(last)) {
      joined[joined.length - 1] = `${last}=${one}`;
    } else joined.push(one);
  }
  return parseArgs({ args: joined, options, allowPositionals: true, allowNegative: true });
}

/** The one argument of a command. */
export function onlyPositional(positionals: readonly string[], what: string): string {
  const [first] = positionals;
  if (first !== undefined && positionals.length === 1) return first;
  throw usageFailure(
    first === undefined
      ? `${what} is missing`
      : `${positionals.length} files are named, expected one: ${what}`,
  );
}

/** One of some names. */
export function readChoice<T extends string>(
  name: string,
  text: string | undefined,
  choices: readonly T[],
): T | undefined {
  if (text === undefined || choices.includes(text as T)) return text as T | undefined;
  throw usageFailure(`--${name} is '${text}', expected ${choices.join(', ')}`);
}

/** A number. What it may be the operation says that takes it. */
export function readNumber(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const number = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isFinite(number)) return number;
  throw usageFailure(`--${name} is '${text}', expected a number`);
}

/** One axis or several: `-1`, `1,2`. */
export function readAxes(text: string | undefined): number[] | undefined {
  if (text === undefined) return undefined;
  if (/^-?\d+(,-?\d+)*$/.test(text)) return text.split(',').map(Number);
  throw usageFailure(`--axis is '${text}', expected integers, separated by commas`);
}

export function readThreads(text: string | undefined): number | 'auto' | undefined {
  if (text === undefined || text === 'auto') return text;
  const threads = Number(text);
  if (/^\d+$/.test(text) && threads >= 1 && threads <= 32) return threads;
  throw usageFailure(`--threads is '${text}', expected 1 to 32, or auto`);
}

export const DTYPES = ['float16', 'bfloat16', 'float32', 'float64'] as const satisfies readonly DType[];
