import { LayerNormError } from '../runtime/errors.js';

/** Which elements of a vector are not NULL: a bit for each, or null where all are valid. Private in the types of DuckDB. */
interface Validity {
  readonly data: BigUint64Array | null;
  setItemValid(index: number, isValid: boolean): void;
}

/** What holds the numbers of FLOAT and of DOUBLE. */
export type Floats = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

/** A vector of FLOAT or DOUBLE. */
export interface NumberVector {
  readonly items: Floats;
  readonly validity: Validity;
}

/** A vector of FLOAT[D] or DOUBLE[D]: its child has the elements of all rows, one after the other. */
export interface ArrayVector {
  readonly type: { readonly length: number };
  readonly childData: NumberVector;
  readonly validity: Validity;
  flush(): void;
}

/**
 * What a column's vector is. Its parts are private in the types of `@duckdb/node-api`, whose public functions go element by element;
 * so this checks that they are there.
 * @throws {@link LayerNormError} `ERR_ARGUMENT` when that version has them no more
 */
export function arraysOf(operation: string, vector: object, rows: number): ArrayVector {
  const { type, childData, validity } = vector as Partial<ArrayVector>;
  const elements = rows * (type?.length ?? Number.NaN);
  if (isNumbers(childData, elements) && isValidity(validity)) return vector as ArrayVector;
  throw unknownVector(operation);
}

/** The same for a column of numbers. */
export function numbersOf(operation: string, vector: object, rows: number): NumberVector {
  if (isNumbers(vector, rows)) return vector;
  throw unknownVector(operation);
}

function isNumbers(vector: object | undefined, length: number): vector is NumberVector {
  const { items, validity } = (vector ?? {}) as Partial<NumberVector>;
  return isFloats(items) && items.length === length && isValidity(validity);
}

/** Whether something is a Float32Array or a Float64Array, of whatever realm. */
export function isFloats(value: unknown): value is Floats {
  return /^\[object Float(32|64)Array\]$/.test(tagOf(value));
}

function isValidity(value: Partial<Validity> | undefined): boolean {
  return value?.data === null || tagOf(value?.data) === '[object BigUint64Array]';
}

function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value);
}

function unknownVector(operation: string): LayerNormError {
  return new LayerNormError(
    'ERR_ARGUMENT',
    `${operation}: the vectors of this @duckdb/node-api are not those of its version 1.5, which layernorm knows`,
  );
}

/** The first element in a range that is NULL, or the end of the range. */
export function firstNull({ data }: Validity, from: number, to: number): number {
  if (data === null) return to;
  const bytes = bytesOf(data);
  let i = from;
  while (i < to) {
    if (i % 8 === 0 && bytes[i / 8] === 0xff) i += 8;
    else if (isSet(bytes, i)) i++;
    else return i;
  }
  return to;
}

/** Whether an element is NULL. */
export function isNull({ data }: Validity, i: number): boolean {
  return data !== null && !isSet(bytesOf(data), i);
}

/** Makes a row NULL, and its elements with it, as DuckDB wants it. */
export function setNull({ type, childData, validity }: ArrayVector, row: number): void {
  validity.setItemValid(row, false);
  const [from, to] = [row * type.length, (row + 1) * type.length];
  childData.validity.setItemValid(from, false); // which makes the bits if there are none
  const bytes = bytesOf(childData.validity.data as BigUint64Array);
  for (let i = from; i < to; i++) bytes[i >> 3] = (bytes[i >> 3] as number) & ~(1 << (i & 7));
}

/** One byte for each element, 0 for those that are NULL or in a row that is; undefined where there are none. */
export function maskOf({ type, childData, validity }: ArrayVector, rows: number): Uint8Array | undefined {
  const dim = type.length;
  if (validity.data === null && childData.validity.data === null) return undefined;
  const mask = new Uint8Array(rows * dim);
  for (let row = 0; row < rows; row++) {
    if (isNull(validity, row)) continue;
    const end = (row + 1) * dim;
    for (let at = row * dim; at < end; at++) {
      const next = firstNull(childData.validity, at, end);
      mask.fill(1, at, next);
      at = next;
    }
  }
  return mask;
}

/** DuckDB's bits lie in words of 64, in the order of the machine: little-endian on all that @duckdb/node-api is built for. */
function bytesOf({ buffer, byteOffset, byteLength }: BigUint64Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function isSet(bytes: Uint8Array, i: number): boolean {
  return (((bytes[i >> 3] as number) >> (i & 7)) & 1) === 1;
}
