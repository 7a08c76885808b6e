// Options of the functions that read and write files.

import { describe, LayerNormError } from '../runtime/errors.js';

/**
 * Refuses options that are not known: a misspelled one would otherwise be ignored in silence.
 * @param names - one key for each option
 * @returns the options, none for undefined and null
 * @throws {@link LayerNormError} `ERR_ARGUMENT`
 */
export function knownOptions<T extends object>(
  operation: string,
  options: T | null | undefined,
  names: Readonly<Record<keyof T, true>>,
): Partial<T> {
  if (options === undefined || options === null) return {};
  if (typeof options !== 'object' || Array.isArray(options) || ArrayBuffer.isView(options)) {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `${operation}: options is ${describe(options)}, expected an object with ${Object.keys(names).join(', ')}`,
    );
  }
  const unknown = Object.keys(options).find((key) => !Object.hasOwn(names, key));
  if (unknown === undefined) return options;
  throw new LayerNormError(
    'ERR_ARGUMENT',
    `${operation}: unknown option '${unknown}', expected ${Object.keys(names).join(', ')}`,
  );
}

/** What files may unpack to, unless the caller says otherwise. */
const MAX_BYTES = 2 ** 30;

/**
 * The option `maxBytes`.
 * @throws {@link LayerNormError} `ERR_ARGUMENT`
 */
export function readMaxBytes(operation: string, maxBytes: unknown): number {
  if (maxBytes === undefined || maxBytes === null) return MAX_BYTES;
  if (Number.isSafeInteger(maxBytes) && (maxBytes as number) > 0) return maxBytes as number;
  throw new LayerNormError(
    'ERR_ARGUMENT',
    `${operation}: maxBytes is ${describe(maxBytes)}, expected a positive integer`,
  );
}
