// TensorProto of ONNX: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3

import { bytesOf, faulty, quoted } from '../files/parts.js';
import { LayerNormError } from '../runtime/errors.js';
import { BYTES, countElements, type FileDType, INTEGER_RANGES, MAX_RANK } from './dtypes.js';
import { CLASSES, elementsOf, type FileArray } from './elements.js';
import { ProtobufReader } from './protobuf.js';

/**
 * What stands in files beside a model: their bytes by the names that the model has for them, or a function that gives the bytes of a
 * part of one.
 * @param location - the path of the file, relative to the model. It comes from the model: check it before you open a file of that name
 * @param offset - where the part begins
 * @param length - how many bytes it has
 */
export type ExternalData =
  | Readonly<Record<string, Uint8Array>>
  | ReadonlyMap<string, Uint8Array>
  | ((location: string, offset: number, length: number) => Uint8Array);

/** The numbers of the fields. */
const DIMS = 1;
const DATA_TYPE = 2;
const FLOAT_DATA = 4;
const INT32_DATA = 5;
const INT64_DATA = 7;
const NAME = 8;
const RAW_DATA = 9;
const DOUBLE_DATA = 10;
const UINT64_DATA = 11;
const EXTERNAL_DATA = 13;
const DATA_LOCATION = 14;

/** The types by their numbers. */
const DTYPES: Readonly<Record<number, FileDType>> = {
  ...{ 1: 'float32', 10: 'float16', 11: 'float64', 16: 'bfloat16' },
  ...{ 3: 'int8', 5: 'int16', 6: 'int32', 7: 'int64' },
  ...{ 2: 'uint8', 4: 'uint16', 12: 'uint32', 13: 'uint64' },
  9: 'bool',
};

/** The field that has the elements of each type where they are not in `raw_data`. */
const FIELDS: Readonly<Record<FileDType, number>> = {
  ...{ float32: FLOAT_DATA, float64: DOUBLE_DATA, float16: INT32_DATA, bfloat16: INT32_DATA },
  ...{ int8: INT32_DATA, int16: INT32_DATA, int32: INT32_DATA, int64: INT64_DATA },
  ...{ uint8: INT32_DATA, uint16: INT32_DATA, uint32: UINT64_DATA, uint64: UINT64_DATA },
  bool: INT32_DATA,
};

/** What is known of a tensor before its elements are read. */
interface Description {
  readonly shape: readonly number[];
  readonly dtype: FileDType;
  readonly raw: Uint8Array | undefined;
  /** Where the elements are, if that is in another file. */
  readonly external: ReadonlyMap<string, string> | undefined;
}

/** The name of a tensor, and the file that its elements are in where that is not the model. */
export function identityOf(part: string, bytes: Uint8Array): { name: string; location: string | undefined } {
  const reader = new ProtobufReader(part, bytes);
  let name = '';
  let location: string | undefined;
  let isExternal = false;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === NAME) name = reader.text();
    else if (field === DATA_LOCATION) isExternal = reader.integer() === 1;
    else if (field === EXTERNAL_DATA) {
      const [key, value] = readEntry(part, reader.bytes());
      if (key === 'location') location = value;
    }
  }
  return { name, location: isExternal ? location : undefined };
}

/**
 * Reads a tensor.
 * @throws {@link LayerNormError} `ERR_FILE`; `ERR_ARGUMENT` where its file is not given
 */
export function readTensor(
  part: string,
  bytes: Uint8Array,
  externalData: ExternalData | undefined,
): FileArray {
  const { shape, dtype, raw, external } = readDescription(part, bytes);
  const layout = { shape, dtype };
  if (external) return elementsOf(part, externalBytes(part, layout, external, externalData), layout);
  return raw ? elementsOf(part, raw, layout) : readFields(part, bytes, layout);
}

function readDescription(part: string, bytes: Uint8Array): Description {
  const reader = new ProtobufReader(part, bytes);
  const shape: number[] = [];
  const external = new Map<string, string>();
  let type = 0;
  let isExternal = false;
  let raw: Uint8Array | undefined;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === DIMS) reader.integers((size) => addSize(part, shape, size));
    else if (field === DATA_TYPE) type = reader.integer();
    else if (field === RAW_DATA) raw = reader.bytes();
    else if (field === DATA_LOCATION) isExternal = reader.integer() === 1;
    else if (field === EXTERNAL_DATA) external.set(...readEntry(part, reader.bytes()));
  }
  const dtype = Object.hasOwn(DTYPES, type) ? DTYPES[type] : undefined;
  if (dtype === undefined) {
    throw faulty(
      part,
      `its elements are of the type of number ${type}, expected floats of 16 bits or more, integers or booleans`,
    );
  }
  countElements(part, shape);
  return { shape, dtype, raw, external: isExternal ? external : undefined };
}

function addSize(part: string, shape: number[], size: number): void {
  if (size < 0) throw faulty(part, `its shape has a size of ${size}`);
  if (shape.push(size) > MAX_RANK) throw faulty(part, `its shape has more than ${MAX_RANK} dimensions`);
}

/** A StringStringEntryProto. */
function readEntry(part: string, bytes: Uint8Array): [key: string, value: string] {
  const reader = new ProtobufReader(part, bytes);
  const entry: [string, string] = ['', ''];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1 || field === 2) entry[field - 1] = reader.text();
  }
  return entry;
}

/** The elements in the fields that have numbers, which are read one by one. */
function readFields(
  part: string,
  bytes: Uint8Array,
  layout: { shape: readonly number[]; dtype: FileDType },
): FileArray {
  const { shape, dtype } = layout;
  const count = countElements(part, shape);
  // Each takes a byte at least: what a short file says about its size takes no memory.
  if (count > bytes.length)
    throw faulty(part, `its shape [${shape.join(', ')}] has more elements than its bytes`);
  const isWide = dtype === 'int64' || dtype === 'uint64';
  const data = isWide ? new Float64Array(count) : new CLASSES[dtype](count);
  let filled = 0;
  // Elements of 16 bits are there as the bits.
  const range = INTEGER_RANGES[dtype] ?? (BYTES[dtype] === 2 ? INTEGER_RANGES.uint16 : undefined);
  const take = (value: number): void => {
    if (range && !(value >= range[0] && value <= range[1])) {
      throw faulty(part, `element ${filled}, of ${dtype}, is ${value}, expected ${range[0]} to ${range[1]}`);
    }
    if (filled < count) data[filled] = value;
    filled++;
  };
  const wanted = FIELDS[dtype];
  const reader = new ProtobufReader(part, bytes);
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field !== wanted) continue;
    if (field === FLOAT_DATA) reader.floats(take);
    else if (field === DOUBLE_DATA) reader.doubles(take);
    else reader.integers(take);
  }
  if (filled !== count)
    throw faulty(part, `it has ${filled} elements, its shape [${shape.join(', ')}] ${count}`);
  return { data, shape, dtype } as FileArray;
}

function externalBytes(
  part: string,
  { shape, dtype }: { shape: readonly number[]; dtype: FileDType },
  external: ReadonlyMap<string, string>,
  externalData: ExternalData | undefined,
): Uint8Array {
  const location = external.get('location') ?? '';
  const length = countElements(part, shape) * BYTES[dtype];
  const offset = sizeOf(part, 'offset', external.get('offset') ?? '0');
  const said = sizeOf(part, 'length', external.get('length') ?? `${length}`);
  if (said !== length) {
    throw faulty(
      part,
      `it has ${said} bytes in ${quoted(location)}, ${dtype} of shape [${shape.join(', ')}] takes ${length}`,
    );
  }
  if (typeof externalData === 'function') {
    const bytes = bytesOf(
      'readOnnx',
      `what externalData gives for ${quoted(location)}`,
      externalData(location, offset, length),
    );
    if (bytes.length === length) return bytes;
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `readOnnx: externalData gives ${bytes.length} bytes of ${quoted(location)} at ${offset}, expected ${length}`,
    );
  }
  const file = fileNamed(location, externalData);
  if (file === undefined) {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `readOnnx: ${part} is in the file ${quoted(location)}, expected it in externalData`,
    );
  }
  const bytes = bytesOf('readOnnx', `externalData[${quoted(location)}]`, file);
  if (offset + length > bytes.length) {
    throw faulty(
      part,
      `its bytes ${offset} to ${offset + length} are beyond the ${bytes.length} of ${quoted(location)}`,
    );
  }
  return bytes.subarray(offset, offset + length);
}

function fileNamed(location: string, files: Exclude<ExternalData, () => void> | undefined): unknown {
  if (Object.prototype.toString.call(files) === '[object Map]')
    return (files as ReadonlyMap<string, Uint8Array>).get(location);
  return files && Object.hasOwn(files, location)
    ? (files as Readonly<Record<string, Uint8Array>>)[location]
    : undefined;
}

/** A number that is written as text. */
function sizeOf(part: string, key: string, text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw faulty(part, `the ${key} of its external data is ${quoted(text)}, expected an integer`);
}
