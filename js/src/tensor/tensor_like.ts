import { describe, LayerNormError } from '../runtime/errors.js';
import { type Heap, type HeapOwner, MAX_RANK } from '../runtime/heap.js';
import { type ArrowVector, isArrowVector, readArrow } from './arrow.js';
import {
  type ArrayOf,
  checkAttached,
  type DType,
  dtypeOfArray,
  type Float16,
  type FloatArray,
  isSixteenBit,
  type NumericArray,
  newArray,
  type OwnFloat16Array,
  type OwnUint16Array,
  type ParameterDType,
  type SixteenBit,
  type StoredArray,
  typedArrayName,
} from './dtype.js';
import { HeapTensor, type Tensor } from './heap_tensor.js';
import { checkShape, elementCount, formatShape, type Shape, sameShape } from './shape.js';
import { copierOf } from './sixteen_bit.js';

/** Arrays of arrays of ... numbers, all of the same length at the same depth. The innermost ones may be typed arrays. */
export type NestedArray = readonly (number | NumericArray | Float16 | NestedArray)[];

/**
 * A tensor of another library that says its sizes in `dims`: of onnxruntime-web, onnxruntime-node, transformers.js.
 * `data` has to be a typed array in the memory of the CPU.
 */
export interface DimsTensor {
  readonly data: object;
  readonly dims: readonly number[];
  readonly type?: string;
  readonly location?: string;
}

/** An array of another library that says its sizes in `shape`: of ndarray (scijs), stdlib, or an object of your own. */
export interface ShapedArray {
  readonly data: object;
  readonly shape: readonly number[];
  readonly stride?: readonly number[];
  readonly strides?: readonly number[];
  readonly offset?: number;
  readonly dtype?: string;
}

/**
 * A tensor of another library that copies its elements out when it is asked to: of TensorFlow.js, and of jax-js, where that uses it up
 * as every function does: pass `x.ref` to keep it.
 */
export interface SyncTensor {
  readonly shape: readonly number[];
  readonly dtype: string;
  dataSync(): object;
}

/**
 * Everything that is accepted as an array: floats of 16, 32 and 64 bits, or integers, which are converted to float32. Elements
 * of 16 bits are those of a `Float16Array`, of an object whose `type` or `dtype` is 'float16' or 'bfloat16' (its data a
 * `Float16Array` or the bits in a `Uint16Array`), of an Arrow vector of Float16, and of a `Uint16Array` where the option `dtype`
 * says so.
 *
 * A result is of the kind that its argument is: of the same class where that has `dims`, nested arrays as deep, and for all else that
 * says its shape a plain object of `data`, `shape`, and `dtype` if the argument has one.
 */
export type TensorLike =
  | NumericArray
  | Float16
  | Tensor
  | NestedArray
  | DimsTensor
  | ShapedArray
  | SyncTensor
  | ArrowVector;

/** What results can be written to: memory of the right type that can be written to in place. */
export type Output = FloatArray | Tensor | DimsTensor | ShapedArray | ArrowVector;

/** The type that `X` is computed in unless the `dtype` option says otherwise. */
export type DTypeOf<X> = X extends Float64Array
  ? 'float64'
  : X extends Float16
    ? 'float16'
    : X extends Tensor<infer D>
      ? D
      : X extends ArrowVector
        ? ArrowDType<X>
        : X extends { readonly data: infer Data }
          ? X extends
              | { readonly type: infer D extends SixteenBit }
              | { readonly dtype: infer D extends SixteenBit }
            ? D
            : Data extends Float64Array
              ? 'float64'
              : Data extends Float16
                ? 'float16'
                : 'float32'
          : [NestedArray] extends [X]
            ? DType
            : X extends readonly (infer Item)[]
              ? DTypeOf<Item>
              : 'float32';

/**
 * The type that an Arrow vector is computed in, from the declarations of the library: of numbers, or of lists of them. Of 16 bits they
 * do not say whether they are floats.
 */
type ArrowDType<X> = X extends {
  readonly type: { readonly ArrayType: { readonly prototype: infer Elements } };
}
  ? Elements extends Float64Array
    ? 'float64'
    : Elements extends Uint16Array
      ? DType
      : Elements extends readonly unknown[]
        ? X extends { readonly type: { readonly children: readonly { readonly type: infer Inner }[] } }
          ? ArrowDType<{ readonly type: Inner }>
          : DType
        : Elements extends NumericArray
          ? 'float32'
          : DType
  : DType;

/** The typed arrays that elements of type `D` can be written to. */
type WritableOf<D extends DType> = D extends 'float64'
  ? Float64Array
  : D extends 'float16'
    ? Float16 | Uint16Array
    : D extends 'bfloat16'
      ? Uint16Array
      : Float32Array;

/** The typed array of a result of type `D` for elements in `Data`: bits stay bits. */
type ArrayLike16<Data, D extends DType> = D extends SixteenBit
  ? Data extends Uint16Array
    ? OwnUint16Array
    : Data extends Float16
      ? D extends 'float16'
        ? OwnFloat16Array
        : OwnUint16Array
      : ArrayOf<D>
  : ArrayOf<D>;

/** As deep as `X`, of numbers. */
type NestedOf<X> = [NestedArray] extends [X]
  ? NestedArray
  : X extends readonly (infer Item)[]
    ? [Item] extends [number]
      ? number[]
      : NestedOf<Item>[]
    : number[];

/** The container that a result for `X` comes in: of the same kind as `X`, its elements of type `D`. */
export type ResultOf<X, D extends DType = DTypeOf<X>> = X extends Tensor
  ? Tensor<D>
  : X extends NumericArray | Float16
    ? ArrayLike16<X, D>
    : X extends readonly unknown[]
      ? NestedOf<X>
      : X extends DimsTensor
        ? X extends { readonly data: WritableOf<D> }
          ? X
          : Omit<X, 'data'> & { readonly data: ArrayLike16<X['data'], D> }
        : X extends SyncTensor | ArrowVector
          ? { data: ArrayOf<D>; shape: number[]; dtype: D }
          : X extends { readonly data: infer Data }
            ? X extends { readonly dtype: string }
              ? { data: ArrayLike16<Data, D>; shape: number[]; dtype: D }
              : { data: ArrayLike16<Data, D>; shape: number[] }
            : never;

/** The container of what goes with a result for `X`: of its kind, but of float32 where `D` has 16 bits. */
export type ParameterResultOf<X, D extends DType> = ResultOf<X, ParameterDType<D>>;

/**
 * The container of a result for `X` of fewer dimensions: of the kind that `X` is, but of float32 where `D` has 16 bits. How deep
 * nested arrays are, the options decide.
 */
export type ReducedResultOf<X, D extends DType> = X extends readonly unknown[]
  ? X extends readonly number[]
    ? number[]
    : NestedArray
  : ParameterResultOf<X, D>;

/** What an argument turned out to be. */
export interface Operand {
  readonly kind: 'typed array' | 'tensor' | 'nested' | 'object';
  /** The argument itself. */
  readonly value: object;
  readonly shape: Shape;
  /** Whether the argument says its shape itself; a typed array does not. */
  readonly shaped: boolean;
  readonly length: number;
  /** The type it is computed in by default. */
  readonly dtype: DType;
  /** The type of its elements where they can be used as they are; undefined where they are numbers to be converted. */
  readonly stored: DType | undefined;
  /** Whether its elements of 16 bits came in a `Float16Array`, not as bits. */
  readonly isFloat16Array: boolean;
  /** Where its elements lie in the heap of the call; 0 when they lie elsewhere. */
  readonly address: number;
  /** The elements, row-major, where they lie elsewhere: of 16 bits as their bits; a copy for what is not contiguous. */
  readonly data: NumericArray | undefined;
  /** Whether `data` is a copy, so that writing to it would not reach the argument. */
  readonly copied: boolean;
}

/** The elements of an operand, row-major. For those in the heap a view that is valid until the memory grows. */
export function elementsOf(heap: Heap, operand: Operand): NumericArray {
  return operand.data ?? heap.view(operand.stored as DType, operand.address, operand.length);
}

/**
 * Finds out what an argument is, by what it has and never by `instanceof`, which fails across realms and copies of a
 * library.
 * @param owner - whose heap the call runs in; undefined for a call that needs none, which then sees all elements in `data`
 * @param argument - its name, for error messages
 * @param shape - sizes that the caller gave for it; a typed array without them has one dimension
 * @param bits - the option `dtype`: of what a `Uint16Array` holds the bits, if that is a type of 16 bits
 * @throws {@link LayerNormError} `ERR_ARGUMENT`, `ERR_DTYPE`, `ERR_SHAPE`, `ERR_DISPOSED`
 */
export function readOperand(
  operation: string,
  owner: HeapOwner | undefined,
  argument: string,
  value: unknown,
  shape?: unknown,
  bits?: unknown,
): Operand {
  if (typeof value !== 'object' || value === null) throw notATensor(operation, argument, value);
  const className = typedArrayName(value);
  const operand =
    className !== undefined
      ? readTypedArray(operation, owner, argument, value as NumericArray, className, shape, bits)
      : HeapTensor.is(value)
        ? readTensor(operation, owner, argument, value)
        : Array.isArray(value)
          ? readNested(operation, argument, value, bits)
          : readObject(operation, owner, argument, value as Record<string, unknown>, bits);
  if (operand.shaped && shape !== undefined && shape !== null) {
    checkShape(operation, argument, shape);
    if (!sameShape(shape, operand.shape)) {
      throw new LayerNormError(
        'ERR_SHAPE',
        `${operation}: shape is ${formatShape(shape)}, expected ${formatShape(operand.shape)}, the shape that ${argument} has; ` +
          'only typed arrays need the option',
      );
    }
  }
  return operand;
}

function notATensor(operation: string, argument: string, value: unknown): LayerNormError {
  return new LayerNormError(
    'ERR_ARGUMENT',
    `${operation}: ${argument} is ${describe(value)}, expected a typed array, a tensor, nested arrays of numbers, or an ` +
      'object with data and dims or shape',
  );
}

/** The bits of a `Float16Array`, in the same memory; anything else as it is. */
function bitsOf(data: NumericArray): NumericArray {
  if (typedArrayName(data) !== 'Float16Array') return data;
  return new Uint16Array(data.buffer, data.byteOffset, data.length);
}

/** An operand whose elements lie together in a typed array, in the heap or outside. */
function operandOf(
  operation: string,
  owner: HeapOwner | undefined,
  value: object,
  shape: Shape,
  data: NumericArray,
  className: string,
  dtype: DType,
): Operand {
  const stored = dtype !== 'float32' || className === 'Float32Array' ? dtype : undefined;
  const inHeap = owner?.heap(operation).owns(data.buffer) ?? false;
  const shaped = value !== data;
  const isFloat16Array = className === 'Float16Array';
  data = isFloat16Array ? bitsOf(data) : data;
  return {
    kind: shaped ? 'object' : 'typed array',
    value,
    shape,
    shaped,
    length: data.length,
    dtype,
    stored,
    isFloat16Array,
    // A view of the heap goes stale as soon as the memory grows: kept by its address, or copied where it is to be converted.
    address: inHeap && stored !== undefined ? data.byteOffset : 0,
    data: !inHeap ? data : stored === undefined ? data.slice() : undefined,
    copied: false,
  };
}

function readTypedArray(
  operation: string,
  owner: HeapOwner | undefined,
  argument: string,
  value: NumericArray,
  className: string,
  givenShape: unknown,
  bits: unknown,
): Operand {
  const dtype = dtypeOfArray(operation, argument, className, bits);
  checkAttached(operation, argument, value);
  let shape: Shape = [value.length];
  if (givenShape !== undefined && givenShape !== null) {
    checkShape(operation, argument, givenShape);
    shape = givenShape;
    checkCount(operation, argument, value.length, shape);
  }
  return operandOf(operation, owner, value, shape, value, className, dtype);
}

function checkCount(operation: string, argument: string, length: number, shape: Shape): void {
  if (length === elementCount(shape)) return;
  throw new LayerNormError(
    'ERR_SHAPE',
    `${operation}: ${argument} has ${length} elements, expected ${elementCount(shape)}, the product of its shape ` +
      formatShape(shape),
  );
}

function readTensor(
  operation: string,
  owner: HeapOwner | undefined,
  argument: string,
  value: HeapTensor,
): Operand {
  const address = value.addressIn(operation, argument, owner);
  const isHere = value.liesIn(owner); // or else in another heap of the engine
  return {
    kind: 'tensor',
    value,
    shape: value.shape,
    shaped: true,
    length: value.size,
    dtype: value.dtype,
    stored: value.dtype,
    isFloat16Array: false,
    address: isHere ? address : 0,
    data: isHere ? undefined : value.stored,
    copied: false,
  };
}

function readNested(operation: string, argument: string, value: readonly unknown[], bits: unknown): Operand {
  const shape: number[] = [];
  let dtype: DType = 'float32';
  let level: unknown = value;
  while (shape.length <= MAX_RANK) {
    if (Array.isArray(level)) {
      shape.push(level.length);
      level = level[0];
      continue;
    }
    const className = typedArrayName(level);
    if (className !== undefined) {
      dtype = dtypeOfArray(operation, argument, className, bits);
      shape.push((level as NumericArray).length);
    }
    break;
  }
  checkShape(operation, argument, shape);
  // Numbers are kept exactly as they are until it is known what they are computed in.
  const data = new Float64Array(elementCount(shape));
  let filled = 0;
  const raggedAt = (path: string, found: string, size: number | undefined): LayerNormError =>
    new LayerNormError(
      'ERR_SHAPE',
      `${operation}: ${argument} is ragged: ${argument}${path} ${found}, expected ` +
        (size === undefined ? 'a number' : `an array of length ${size}`),
    );
  const fill = (item: unknown, depth: number, path: string): void => {
    const size = shape[depth];
    const isArray = Array.isArray(item);
    const className = isArray ? undefined : typedArrayName(item);
    if (isArray || className !== undefined) {
      const { length } = item as ArrayLike<unknown>;
      if (length !== size) throw raggedAt(path, `is an array of length ${length}`, size);
      if (className !== undefined) {
        if (depth !== shape.length - 1) throw raggedAt(path, `is a ${className}`, shape[depth + 1]);
        const type = dtypeOfArray(operation, `${argument}${path}`, className, bits);
        checkAttached(operation, `${argument}${path}`, item as NumericArray);
        const source = className === 'Uint16Array' && isSixteenBit(type) ? type : undefined;
        copierOf(source, undefined)(data, filled, item as NumericArray, 0, length);
        filled += length;
      } else {
        for (let i = 0; i < length; i++) fill((item as unknown[])[i], depth + 1, `${path}[${i}]`);
      }
    } else if (typeof item !== 'number') {
      throw new LayerNormError(
        'ERR_DTYPE',
        `${operation}: ${argument}${path} is ${describe(item)}, expected a number`,
      );
    } else if (size !== undefined) {
      throw raggedAt(path, 'is a number', size);
    } else {
      data[filled++] = item;
    }
  };
  fill(value, 0, '');
  return copyOf('nested', value, shape, data, dtype);
}

/** An operand whose elements have been copied into `data`. */
function copyOf(
  kind: Operand['kind'],
  value: object,
  shape: Shape,
  data: NumericArray,
  dtype: DType,
  stored?: DType,
): Operand {
  const { length } = data;
  return {
    kind,
    value,
    shape,
    shaped: true,
    length,
    dtype,
    stored,
    isFloat16Array: false,
    address: 0,
    data,
    copied: true,
  };
}

function readObject(
  operation: string,
  owner: HeapOwner | undefined,
  argument: string,
  value: Record<string, unknown>,
  bits: unknown,
): Operand {
  if (isArrowVector(value)) {
    const { copied, ...contents } = readArrow(operation, argument, value);
    return { ...readObject(operation, owner, argument, contents, bits), value, copied };
  }
  checkLocation(operation, argument, value);
  const type = value.type ?? value.dtype;
  const isSync = typeof value.data !== 'object' && typeof value.dataSync === 'function';
  const data = isSync ? readSync(operation, argument, value as unknown as SyncTensor) : value.data;
  if (typeof data !== 'object' || data === null) {
    if (typeof value.toTypedArray !== 'function') throw notATensor(operation, argument, value);
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `${operation}: ${argument} keeps its elements to itself, expected an object with data: pass ${argument}.toTypedArray(), ` +
        'with the option shape for x',
    );
  }
  const sizes = toArray(value.dims ?? value.shape);
  if (sizes === undefined || sizes === null) throw notATensor(operation, argument, value);
  checkShape(operation, argument, sizes);
  const shape = [...sizes];
  const [elements, className] = readData(operation, argument, data);
  const dtype =
    className === undefined ? 'float32' : dtypeOfArray(operation, argument, className, type ?? bits);
  if (isSixteenBit(type) && dtype !== type) {
    throw new LayerNormError(
      'ERR_DTYPE',
      `${operation}: ${argument} is of type ${type}, but its data is ${className ?? 'an array of numbers'}, expected ` +
        `${type === 'float16' ? 'Float16Array or ' : ''}Uint16Array`,
    );
  }
  // The tensors of transformers.js have a method `stride`, and always are contiguous.
  const stride = typeof value.stride === 'function' ? undefined : value.stride;
  // Those of TensorFlow.js leave out the last one, and do not say how the copy lies.
  const strides = isSync ? undefined : toArray(stride ?? value.strides);
  const offset = value.offset ?? 0;
  if (strides === undefined && offset === 0) checkCount(operation, argument, elements.length, shape);
  const layout = readLayout(operation, argument, elements.length, shape, strides, offset);
  const length = elementCount(shape);
  if (layout.contiguous && className !== undefined) {
    const used = elements.subarray(layout.offset, layout.offset + length);
    const operand = operandOf(operation, owner, value, shape, used, className, dtype);
    return isSync ? { ...operand, copied: true } : operand;
  }
  const [source, stored] = isSixteenBit(dtype) ? [bitsOf(elements), dtype] : [elements];
  const gathered = gather(source, shape, layout.strides, layout.offset, dtype);
  return { ...copyOf('object', value, shape, gathered, dtype, stored), isFloat16Array: source !== elements };
}

/** The elements that a tensor copies out. */
function readSync(
  operation: string,
  argument: string,
  value: SyncTensor & { isDisposed?: unknown },
): unknown {
  if (value.isDisposed === true) throw disposed(operation, argument);
  try {
    return value.dataSync();
  } catch (cause) {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `${operation}: ${argument}.dataSync() fails (${cause}), expected the elements: where they are not on the CPU, pass ` +
        `await ${argument}.data(), with the option shape for x`,
      cause,
    );
  }
}

function disposed(operation: string, argument: string): LayerNormError {
  return new LayerNormError('ERR_DISPOSED', `${operation}: ${argument} is a tensor that has been disposed`);
}

/** Tensors of onnxruntime throw from `data` when it is not on the CPU, so this is looked at first. */
function checkLocation(
  operation: string,
  argument: string,
  { location, ort_tensor }: Record<string, unknown>,
): void {
  if (location === undefined || location === 'cpu' || location === 'cpu-pinned') return;
  if (location === 'none') throw disposed(operation, argument);
  // That of transformers.js has no such method, but the one of onnxruntime that it is made of.
  const tensor = ort_tensor === undefined ? argument : `${argument}.ort_tensor`;
  throw new LayerNormError(
    'ERR_ARGUMENT',
    `${operation}: the data of ${argument} is at location ${describe(location)}, expected 'cpu' or 'cpu-pinned': ` +
      `await ${tensor}.getData() first`,
  );
}

/** Sizes and strides of other libraries may be any array-like of numbers. */
function toArray(value: unknown): unknown {
  return typedArrayName(value) === undefined ? value : Array.from(value as NumericArray);
}

/** The elements of an object, and the class of the typed array that they are in; plain arrays are copied into one. */
function readData(operation: string, argument: string, data: object): [NumericArray, string | undefined] {
  const className = typedArrayName(data);
  if (className !== undefined) {
    dtypeOfArray(operation, `${argument}.data`, className);
    checkAttached(operation, argument, data as NumericArray);
    return [data as NumericArray, className];
  }
  const wrong = Array.isArray(data) ? data.findIndex((item) => typeof item !== 'number') : undefined;
  if (!Array.isArray(data) || wrong !== -1) {
    const found =
      wrong === undefined ? `is ${describe(data)}` : `holds ${describe((data as unknown[])[wrong])}`;
    throw new LayerNormError(
      'ERR_DTYPE',
      `${operation}: ${argument}.data ${found}, expected a typed array or an array of numbers`,
    );
  }
  return [Float64Array.from(data as number[]), undefined];
}

interface Layout {
  readonly offset: number;
  readonly strides: readonly number[];
  readonly contiguous: boolean;
}

/** Checks that strides and offset stay inside the data, and sees whether they are those of a row-major array. */
function readLayout(
  operation: string,
  argument: string,
  length: number,
  shape: Shape,
  strides: unknown,
  offset: unknown,
): Layout {
  if (!Number.isInteger(offset)) {
    throw new LayerNormError(
      'ERR_SHAPE',
      `${operation}: the offset of ${argument} is ${describe(offset)}, expected an integer`,
    );
  }
  const rowMajor = shape.map((_, i) => elementCount(shape.slice(i + 1)));
  if (strides === undefined || strides === null) strides = rowMajor;
  if (!Array.isArray(strides) || strides.length !== shape.length || !strides.every(Number.isInteger)) {
    throw new LayerNormError(
      'ERR_SHAPE',
      `${operation}: the strides of ${argument} are ${describe(strides)}, expected ${shape.length} integers`,
    );
  }
  let lowest = offset as number;
  let highest = offset as number;
  for (let i = 0; i < shape.length; i++) {
    const reach = ((shape[i] as number) - 1) * (strides[i] as number);
    if (reach < 0) lowest += reach;
    else highest += reach;
  }
  const empty = shape.includes(0);
  if (!empty && (lowest < 0 || highest >= length)) {
    throw new LayerNormError(
      'ERR_SHAPE',
      `${operation}: ${argument} reaches from element ${lowest} to ${highest} of its data, expected 0 to ${length - 1}: ` +
        `shape ${formatShape(shape)}, strides ${formatShape(strides)}, offset ${offset}`,
    );
  }
  const contiguous = empty || shape.every((size, i) => size === 1 || strides[i] === rowMajor[i]);
  return { offset: empty ? 0 : (offset as number), strides, contiguous };
}

/** Copies strided elements into row-major order. */
function gather(
  data: NumericArray,
  shape: Shape,
  strides: readonly number[],
  offset: number,
  dtype: DType,
): NumericArray {
  // Nothing is rounded here: integers of 32 bits need float64.
  const isWide = /64|nt32/.test(typedArrayName(data) as string);
  const gathered = newArray(isWide ? 'float64' : dtype, elementCount(shape));
  const last = shape.length - 1;
  const inner = shape[last] as number;
  const innerStride = strides[last] as number;
  const index = new Array<number>(last).fill(0);
  let from = offset;
  for (let to = 0; to < gathered.length; ) {
    for (let i = 0, at = from; i < inner; i++, at += innerStride) gathered[to++] = data[at] as number;
    // The next row: counts up as an odometer does.
    for (let d = last - 1; d >= 0; d--) {
      from += strides[d] as number;
      index[d] = (index[d] as number) + 1;
      if (index[d] !== shape[d]) break;
      from -= (shape[d] as number) * (strides[d] as number);
      index[d] = 0;
    }
  }
  return gathered;
}

/** Wraps a row-major result in the kind of container that `like` came in. */
export function wrapLike(
  operation: string,
  like: Operand,
  data: FloatArray,
  shape: Shape,
  dtype: DType,
): object {
  if (like.kind === 'nested') return nest(data, shape, dtype);
  if (like.kind !== 'object') return data;
  const value = like.value as Record<string, unknown>;
  const dims = [...shape];
  const sizesKey = value.dims === undefined ? 'shape' : 'dims';
  if (sizesKey === 'dims' && isInstance(value)) return construct(operation, value, dtype, data, dims);
  const typeKey = isArrowVector(value)
    ? 'dtype'
    : ['type', 'dtype'].find((key) => typeof value[key] === 'string');
  return { data, [sizesKey]: dims, ...(typeKey === undefined ? {} : { [typeKey]: dtype }) };
}

/** Whether an object has a class. The prototype of a plain object, of any realm, is the end of its chain. */
function isInstance(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype !== null && Object.getPrototypeOf(prototype) !== null;
}

/** Makes a tensor of the class that `like` has; onnxruntime and transformers.js take the same arguments. */
function construct(
  operation: string,
  like: Record<string, unknown>,
  dtype: DType,
  data: FloatArray,
  dims: number[],
): object {
  const Class = like.constructor as unknown as new (type: DType, data: FloatArray, dims: number[]) => object;
  try {
    return new Class(dtype, data, dims);
  } catch (cause) {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `${operation}: the class of x, ${describe(Class.name)}, cannot be constructed from (type, data, dims), expected as in ` +
        'onnxruntime and transformers.js; pass { data, dims } for a plain object',
      cause,
    );
  }
}

function nest(data: FloatArray, shape: Shape, dtype: DType): number[] {
  const numbers = new Float64Array(data.length);
  const stored = typedArrayName(data) === 'Uint16Array' ? dtype : undefined;
  copierOf(stored, undefined)(numbers, 0, data as StoredArray, 0, data.length);
  let level: unknown[] = Array.from(numbers);
  for (let i = shape.length - 1; i > 0; i--) {
    const size = shape[i] as number;
    const count = elementCount(shape.slice(0, i));
    const inner = level;
    level = Array.from({ length: count }, (_, k) => inner.slice(k * size, (k + 1) * size));
  }
  return level as number[];
}
