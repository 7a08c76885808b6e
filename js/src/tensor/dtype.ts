import type { DType } from '../runtime/core_module.js';
import { describe, LayerNormError } from '../runtime/errors.js';
import { BYTES_PER_ELEMENT } from '../runtime/heap.js';

export type { DType };

// TypeScript before 5.7 has no type parameter on typed arrays. Spelled this way, the declarations suit both.
/** A `Float32Array` that owns its buffer. */
export type OwnFloat32Array = ReturnType<Float32ArrayConstructor['from']>;
/** A `Float64Array` that owns its buffer. */
export type OwnFloat64Array = ReturnType<Float64ArrayConstructor['from']>;

/** A `Uint16Array` that owns its buffer. */
export type OwnUint16Array = ReturnType<Uint16ArrayConstructor['from']>;
/** `Float16Array` where the user's TypeScript `lib` knows it, else nothing. */
export type Float16 = typeof globalThis extends { Float16Array: { readonly prototype: infer F } } ? F : never;
/** A `Float16Array` that owns its buffer, where there is one. */
export type OwnFloat16Array = typeof globalThis extends { Float16Array: { from(from: number[]): infer F } }
  ? F
  : never;

/**
 * The typed array of a {@link DType}: of float16 a `Float16Array` where the engine has it, else the bits in a `Uint16Array`;
 * of bfloat16 the bits.
 */
export type ArrayOf<D extends DType> = D extends 'float64'
  ? OwnFloat64Array
  : D extends 'float16'
    ? OwnFloat16Array | OwnUint16Array
    : D extends 'bfloat16'
      ? OwnUint16Array
      : OwnFloat32Array;

/** The type of what goes with data of type `D`: mean and rstd, and the gradients of gamma and beta. */
export type ParameterDType<D extends DType> = D extends 'float16' | 'bfloat16' ? 'float32' : D;

/** A typed array that results are written to: a `Uint16Array` has the bits of elements of 16 bits. */
export type FloatArray = Float32Array | Float64Array | Uint16Array | Float16;

/** What elements are kept in: those of 16 bits as their bits. */
export type StoredArray = Float32Array | Float64Array | Uint16Array;

/**
 * The typed arrays that are read. Integers are converted to float32, also those of a `Uint16Array`, unless a dtype says that
 * they are the bits of float16 or bfloat16.
 */
export type NumericArray =
  | FloatArray
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array;

/** The types of 16 bits. Their elements are kept as the bits, in a `Uint16Array`. */
export type SixteenBit = 'float16' | 'bfloat16';

/** Whether a value is the name of a type of 16 bits. */
export function isSixteenBit(name: unknown): name is SixteenBit {
  return name === 'float16' || name === 'bfloat16';
}

/** What to say of every element type that is refused. */
const ACCEPTED = 'expected float16, bfloat16, float32, float64 or integers of up to 32 bits';

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
 * The type of the elements of a typed array, 'float32' where they are converted.
 * @param bits - what a `Uint16Array` holds the bits of, if it does
 * @throws {@link LayerNormError} `ERR_DTYPE` for BigInt arrays
 */
export function dtypeOfArray(operation: string, argument: string, className: string, bits?: unknown): DType {
  if (className === 'Float64Array') return 'float64';
  if (className === 'Float16Array') return 'float16';
  if (className === 'Uint16Array' && isSixteenBit(bits)) return bits;
  if (/^(Float32|U?int(8|16|32)|Uint8Clamped)Array$/i.test(className)) return 'float32';
  throw new LayerNormError('ERR_DTYPE', `${operation}: ${argument} is a ${className}, ${ACCEPTED}`);
}

/**
 * The `dtype` option, `fallback` when it is not given.
 * @throws {@link LayerNormError} `ERR_DTYPE` for anything but the name of a {@link DType}
 */
export function readDTypeOption(operation: string, dtype: unknown, fallback: DType): DType {
  if (dtype === undefined || dtype === null) return fallback;
  if (typeof dtype === 'string' && Object.hasOwn(BYTES_PER_ELEMENT, dtype)) return dtype as DType;
  throw new LayerNormError(
    'ERR_DTYPE',
    `${operation}: dtype is ${describe(dtype)}, expected 'float32', 'float64', 'float16' or 'bfloat16'`,
  );
}

/** The type of what goes with data of type `dtype`, see {@link ParameterDType}. */
export function parameterDType(dtype: DType): DType {
  return isSixteenBit(dtype) ? 'float32' : dtype;
}

/** A new array of `length` zeros. */
export function newArray(dtype: DType, length: number): OwnFloat32Array | OwnFloat64Array | OwnUint16Array {
  return new (dtype === 'float32' ? Float32Array : dtype === 'float64' ? Float64Array : Uint16Array)(length);
}

type Float16Constructor = new (buffer: ArrayBufferLike, start: number, length: number) => OwnFloat16Array;

/** The same memory as a `Float16Array`; undefined where the engine has none. */
export function asFloat16(bits: StoredArray): OwnFloat16Array | undefined {
  const Float16Array = (globalThis as { Float16Array?: Float16Constructor }).Float16Array;
  return Float16Array && new Float16Array(bits.buffer, bits.byteOffset, bits.length);
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
