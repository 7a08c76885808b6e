import type { DType } from '../runtime/core_module.js';
import { describe, LayerNormError } from '../runtime/errors.js';
import { BYTES_PER_ELEMENT } from '../runtime/heap.js';

export type { DType };

// TypeScript before 5.7 has no type parameter on typed arrays. Spelled this way, the declarations suit both.
/** A `Float32Array` that owns its buffer. */
export type OwnFloat32Array = ReturnType<Float32ArrayConstructor['from']>;
/** A `Float64Array` that owns its buffer. */
export type OwnFloat64Array = ReturnType<Float64ArrayConstructor['from']>;

/** The typed array of a {@link DType}. */
export type ArrayOf<D extends DType> = D extends 'float64' ? OwnFloat64Array : OwnFloat32Array;

/** A typed array that results are written to. */
export type FloatArray = Float32Array | Float64Array;

/** The typed arrays that are read. Integers are converted to float32. */
export type NumericArray =
  | FloatArray
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array;

/** What to say of every element type that is refused. */
const ACCEPTED = 'expected float32, float64 or integers of up to 32 bits';

/** Names of element types that are spelled as Keras, ONNX Runtime or NumPy spell them and not accepted in this release. */
const SIXTEEN_BIT = new Set(['float16', 'bfloat16']);

const readTag = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
)?.get as (this: unknown) => string | undefined;

/**
 * The class name of a typed array, undefined for everything else. Reads the array's internal slot, so it holds across
 * realms (frames, Jest's sandbox) where `instanceof` does not, and cannot be feigned.
 */
export function typedArrayName(value: unknown): string | undefined {
  return readTag.call(value);
}

/**
 * The type that the elements of a typed array are computed in.
 * @throws {@link LayerNormError} `ERR_DTYPE` for BigInt and 16-bit float arrays
 */
export function dtypeOfArray(operation: string, argument: string, className: string): DType {
  if (className === 'Float64Array') return 'float64';
  if (/^(Float32|U?int(8|16|32)|Uint8Clamped)Array$/i.test(className)) return 'float32';
  throw new LayerNormError('ERR_DTYPE', `${operation}: ${argument} is a ${className}, ${ACCEPTED}`);
}

/**
 * Refuses the names of element types whose bits lie in an array of another type, as float16 does in a `Uint16Array`.
 * @throws {@link LayerNormError} `ERR_DTYPE`
 */
export function checkDTypeName(operation: string, argument: string, name: unknown): void {
  if (SIXTEEN_BIT.has(name as string)) {
    throw new LayerNormError('ERR_DTYPE', `${operation}: ${argument} is of type ${name}, ${ACCEPTED}`);
  }
}

/**
 * The `dtype` option, `fallback` when it is not given.
 * @throws {@link LayerNormError} `ERR_DTYPE` for anything but 'float32' and 'float64'
 */
export function readDTypeOption(operation: string, dtype: unknown, fallback: DType): DType {
  if (dtype === undefined || dtype === null) return fallback;
  if (typeof dtype === 'string' && Object.hasOwn(BYTES_PER_ELEMENT, dtype)) return dtype as DType;
  throw new LayerNormError(
    'ERR_DTYPE',
    `${operation}: dtype is ${describe(dtype)}, expected 'float32' or 'float64'`,
  );
}

/** A new array of `length` zeros. */
export function newArray(dtype: DType, length: number): OwnFloat32Array | OwnFloat64Array {
  return dtype === 'float32' ? new Float32Array(length) : new Float64Array(length);
}

/**
 * Refuses an array whose memory has been transferred away: it looks empty, and would give an empty result in silence.
 * @throws {@link LayerNormError} `ERR_DISPOSED`
 */
export function checkAttached(operation: string, argument: string, array: NumericArray): void {
  if (array.length !== 0 || !isDetached(array.buffer)) return;
  throw new LayerNormError(
    'ERR_DISPOSED',
    `${operation}: the buffer of ${argument} is detached: it was transferred, or it was a view of a WebAssembly memory ` +
      'that has grown since',
  );
}

function isDetached(buffer: ArrayBufferLike): boolean {
  const detached = (buffer as { detached?: boolean }).detached;
  if (detached !== undefined) return detached;
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}
