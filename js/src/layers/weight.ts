import { describe, LayerNormError } from '../runtime/errors.js';
import { defaultHeapOwner } from '../runtime/heap.js';
import {
  asFloat16,
  type DType,
  type FloatArray,
  isSixteenBit,
  type NumericArray,
  newArray,
  type StoredArray,
  typedArrayName,
} from '../tensor/dtype.js';
import { HeapTensor } from '../tensor/heap_tensor.js';
import { elementCount, formatShape, type Shape, sameShape } from '../tensor/shape.js';
import { copierOf } from '../tensor/sixteen_bit.js';
import { elementsOf, readOperand, type TensorLike } from '../tensor/tensor_like.js';
import type { Constraint } from './constraints.js';
import type { Numbers } from './elements.js';
import type { Initializer } from './initializers.js';
import type { Regularizer } from './regularizers.js';

/** The types that weights have. */
export type WeightDType = DType | 'int32';

/** What {@link Weight} is made with. */
export interface WeightOptions {
  /** What it is called in its layer, such as 'gamma'. */
  name: string;
  /** Sizes of the dimensions, outermost first; [] for a single number. */
  shape: readonly number[];
  /** @defaultValue 'float32' */
  dtype?: WeightDType | null;
  /** What gives it its first values. @defaultValue zeros */
  initializer?: Initializer | null;
  /** What its loss comes from. @defaultValue none */
  regularizer?: Regularizer | null;
  /** What its values are projected to by `layer.update`. @defaultValue none */
  constraint?: Constraint | null;
  /** Whether it is to be learned. @defaultValue true */
  trainable?: boolean | null;
  /** Where it belongs: the name of its layer, a slash, and its own. @defaultValue its own name */
  path?: string | null;
  /** An array of its size and type to keep the values in, which are then its first. @defaultValue a new one */
  value?: FloatArray | Int32Array | null;
}

/** A copy of the values of a weight, as `layer.getWeights` gives it. */
export interface WeightValue {
  data: FloatArray | Int32Array;
  shape: number[];
  dtype: WeightDType;
}

/** A variable of a layer. It can be passed wherever an array is taken. */
export class Weight {
  /** What it is called in its layer, such as 'gamma'. */
  readonly name: string;
  /** The name of its layer, a slash, and its own. */
  readonly path: string;
  /** Sizes of the dimensions, outermost first; [] for a single number. */
  readonly shape: Shape;
  /** Type of the elements. */
  readonly dtype: WeightDType;
  /**
   * The elements, row-major, to read and to write. Those of 16 bits are in a `Float16Array` where it is of that type and the
   * engine has the class, else their bits are in a `Uint16Array`: {@link Weight.numbers} gives what they mean.
   */
  readonly value: FloatArray | Int32Array;
  readonly initializer: Initializer | null;
  readonly regularizer: Regularizer | null;
  readonly constraint: Constraint | null;
  /** Whether it is to be learned. */
  trainable: boolean;
  /** What the loss depends on it by, of the same shape, since the last `layer.backward`; null before. */
  gradient: Float32Array | Float64Array | null = null;
  readonly #stored: StoredArray | Int32Array;

  /** @throws {@link LayerNormError} `ERR_SHAPE`, `ERR_ARGUMENT`, of the initializer as well */
  constructor(options: WeightOptions) {
    this.name = options.name;
    this.path = options.path ?? options.name;
    this.shape = Object.freeze([...options.shape]);
    this.dtype = options.dtype ?? 'float32';
    this.trainable = options.trainable ?? true;
    this.initializer = options.initializer ?? null;
    this.regularizer = options.regularizer ?? null;
    this.constraint = options.constraint ?? null;
    const count = elementCount(this.shape);
    if (options.value) {
      this.value = options.value;
      const isFloat16 = typedArrayName(this.value) === 'Float16Array';
      const { buffer, byteOffset } = this.value;
      this.#stored = isFloat16
        ? new Uint16Array(buffer, byteOffset, count)
        : (this.value as StoredArray | Int32Array);
      return;
    }
    this.#stored = this.dtype === 'int32' ? new Int32Array(count) : newArray(this.dtype, count);
    this.value = (this.dtype === 'float16' && asFloat16(this.#stored as StoredArray)) || this.#stored;
    if (this.initializer) this.#copyFrom(this.initializer.call(this.shape, this.dtype) as NumericArray);
  }

  /** The elements as other libraries name them: {@link Weight.value}. */
  get data(): FloatArray | Int32Array {
    return this.value;
  }

  /** Number of elements. */
  get size(): number {
    return this.#stored.length;
  }

  /** The elements as numbers: {@link Weight.value} itself where they are of 32 or 64 bits, else a copy in float32. */
  numbers(): Numbers {
    if (this.dtype === 'float32' || this.dtype === 'float64') return this.#stored as Numbers;
    const numbers = new Float32Array(this.size);
    const bits = isSixteenBit(this.dtype) ? this.dtype : undefined;
    copierOf(bits, undefined)(numbers, 0, this.#stored as NumericArray, 0, this.size);
    return numbers;
  }

  /** A copy of the values. */
  snapshot(): WeightValue {
    return { data: this.value.slice(), shape: [...this.shape], dtype: this.dtype };
  }

  /**
   * Sets the values, converted to the type of the weight.
   * @param values - as many as it has; their shape, if they have one, the same; a number for the shape []
   * @throws {@link LayerNormError} `ERR_SHAPE`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_DISPOSED`; nothing has been written then
   */
  assign(values: TensorLike | number): void {
    this.take(this.draft(`${this.path}.assign`, values));
  }

  /**
   * Checks new values, and keeps a copy of them.
   * @param operation - what to call it in error messages
   * @param sameElements - further shapes to allow, whose elements come in the same order
   * @returns a weight like this one that has them, for {@link Weight.take}
   * @throws {@link LayerNormError} as {@link Weight.assign}
   */
  draft(operation: string, values: unknown, sameElements: readonly Shape[] = []): Weight {
    const flat = scalar(values);
    const owner = HeapTensor.ownerFor(defaultHeapOwner(), values);
    const operand = readOperand(operation, owner, this.name, flat ?? values, undefined, this.dtype);
    const { shape, length, stored } = operand;
    const expected = elementCount(this.shape);
    const fits = flat
      ? this.shape.length === 0
      : operand.shaped
        ? [this.shape, ...sameElements].some((one) => sameShape(one, shape))
        : length === expected;
    if (!fits || length !== expected) {
      throw new LayerNormError(
        'ERR_SHAPE',
        `${operation}: the weight ${this.path} of shape ${formatShape(this.shape)} is not compatible with provided weight shape ` +
          `${flat ? '[]' : formatShape(shape)}`,
      );
    }
    // What is given may be a buffer that its owner goes on to use, or another weight.
    const draft = this.copy();
    draft.#copyFrom(elementsOf(owner.heap(operation), operand), isSixteenBit(stored) ? stored : undefined);
    return draft;
  }

  /** A weight like this one, of the same values, whose elements lie elsewhere. */
  copy(): Weight {
    const { name, path, shape, dtype, trainable, constraint } = this;
    return new Weight({ name, path, shape, dtype, trainable, constraint, value: this.value.slice() });
  }

  /** Takes the values of a {@link Weight.draft} or {@link Weight.copy}. */
  take(draft: Weight): void {
    this.#stored.set(draft.#stored);
  }

  #copyFrom(elements: NumericArray, bits?: DType): void {
    const to = isSixteenBit(this.dtype) ? this.dtype : undefined;
    if (elements.length !== this.size) {
      throw new LayerNormError(
        'ERR_SHAPE',
        `${this.path}: ${describe(elements.length)} values are given, expected ${this.size}, for the shape ` +
          formatShape(this.shape),
      );
    }
    copierOf(bits, to)(this.#stored as StoredArray, 0, elements, 0, this.size);
  }
}

/** A value of the shape [], as a list of one; undefined for anything else. */
function scalar(values: unknown): NumericArray | number[] | undefined {
  if (typeof values === 'number') return [values];
  const { data, shape } = (values ?? {}) as { data?: NumericArray; shape?: unknown };
  return Array.isArray(shape) && shape.length === 0 ? data : undefined;
}
