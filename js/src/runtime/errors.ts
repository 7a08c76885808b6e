/**
 * What went wrong, for programs to branch on:
 * - `ERR_SHAPE`: sizes do not fit each other, or are no sizes;
 * - `ERR_AXIS`: an axis is out of bounds, named twice, or no integer;
 * - `ERR_DTYPE`: an element type that is not accepted here;
 * - `ERR_ARGUMENT`: any other argument that is not as documented;
 * - `ERR_DISPOSED`: a tensor, an engine or an array buffer that is gone;
 * - `ERR_OUT_OF_MEMORY`: the WebAssembly memory cannot grow as far as needed;
 * - `ERR_THREADS_UNAVAILABLE`: threads were demanded and cannot start;
 * - `ERR_LOAD`: the WebAssembly module cannot be compiled or does not belong to this JavaScript;
 * - `ERR_FILE`: a file that is damaged, of another format, or holds what cannot be read: the message begins with its part.
 */
export type LayerNormErrorCode =
  | 'ERR_SHAPE'
  | 'ERR_AXIS'
  | 'ERR_DTYPE'
  | 'ERR_ARGUMENT'
  | 'ERR_DISPOSED'
  | 'ERR_OUT_OF_MEMORY'
  | 'ERR_THREADS_UNAVAILABLE'
  | 'ERR_LOAD'
  | 'ERR_FILE';

/** What marks an error of this package, whichever copy of its class made it. */
const BRAND = Symbol.for('layernorm.LayerNormError');

/**
 * The one error class of this package. Its message names the operation, the argument, what was expected and what came;
 * nothing has been written to any argument when it is thrown.
 */
export class LayerNormError extends Error {
  /** Entries of the package, and its ES module and CommonJS forms, each have the class once more: their errors count as well. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && BRAND in value;
  }

  /** @internal */
  readonly [BRAND] = true;
  /** Written out, since bundles shorten the names of classes and Node prints this one. */
  static override readonly name = 'LayerNormError';
  override readonly name = 'LayerNormError';
  /** What went wrong, for programs to branch on. */
  readonly code: LayerNormErrorCode;

  /**
   * @param code - what went wrong, for programs to branch on
   * @param message - operation, argument, what was expected, what came
   * @param cause - the error underneath, when there is one
   */
  constructor(code: LayerNormErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** Words a value for an error message: short, and without calling anything of the value's own. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'symbol') return 'a symbol';
  if (Array.isArray(value)) {
    const shown = value.slice(0, 8).map((item) => (Array.isArray(item) ? '[...]' : describe(item)));
    return `[${shown.join(', ')}${value.length > shown.length ? ', ...' : ''}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const tag = Object.prototype.toString.call(value).slice(8, -1);
    return `${/^[AEIO]/.test(tag) ? 'an' : 'a'} ${tag}`;
  }
  return String(value);
}
