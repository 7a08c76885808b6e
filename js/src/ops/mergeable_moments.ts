import { describe, LayerNormError } from '../runtime/errors.js';
import { MAX_RANK } from '../runtime/heap.js';
import {
  checkAttached,
  type DType,
  isSixteenBit,
  type NumericArray,
  type OwnFloat64Array,
  readDTypeOption,
  typedArrayName,
} from '../tensor/dtype.js';
import {
  checkShape,
  collapse,
  elementCount,
  formatShape,
  hasAxis,
  readAxes,
  reducedShape,
  type Shape,
  sameShape,
} from '../tensor/shape.js';
import { copierOf } from '../tensor/sixteen_bit.js';
import { type Operand, readOperand, type TensorLike } from '../tensor/tensor_like.js';
import { checkOptions } from './options.js';

/** Options of {@link Moments} and {@link momentsCombiner}. */
export interface MomentsOptions {
  /**
   * The axes that *keep* statistics of their own, as in Keras' `Normalization`: mean and variance are taken over all others, one
   * pair for each position on these (a feature). Negative ones count from the end. `null` or `[]` keeps none: one mean and one
   * variance of all elements, as with Keras' `axis=None`.
   * @defaultValue -1, one pair for each position on the last axis
   */
  axis?: number | readonly number[] | null;
  /**
   * The sizes of the kept axes, in ascending order of the axes; `[]` when none is kept.
   * @defaultValue those of the first batch
   */
  shape?: readonly number[] | null;
}

/** Options of {@link Moments.update}. `null` and `undefined` stand for the default. */
export interface MomentsUpdateOptions {
  /** Sizes of the dimensions of `x` where it is a typed array: it has one dimension by default. */
  shape?: readonly number[] | null;
  /** With 'float16' or 'bfloat16' a `Uint16Array` holds the bits of such elements. Nothing else is affected. */
  dtype?: DType | null;
  /**
   * Which elements count: those where it is true, or not 0. It has the rank of x, or one dimension less, as the masks of
   * Keras (the last axis is missing then); each size is that of x, or 1 for all of it. What does not count may be NaN.
   * @defaultValue none, all elements count
   */
  mask?: TensorLike | NestedMask | null;
}

/** Arrays of arrays of ... booleans. */
export type NestedMask = readonly (boolean | NestedMask)[];

/** What {@link Moments.finalize} returns: row-major over the kept axes, of the sizes in `shape`. */
export interface FinalMoments {
  /** The mean of each feature; NaN where nothing was counted. */
  mean: OwnFloat64Array;
  /** The biased variance of each feature, the squared deviations divided by `count`; NaN where nothing was counted. */
  variance: OwnFloat64Array;
  /** How many elements were counted for each feature. They only differ where masks made them. */
  count: OwnFloat64Array;
  /** The sizes of the kept axes, in ascending order of the axes: `[]` when none is kept, `[0]` when no batch has told them yet. */
  shape: number[];
}

const OPTION_NAMES: Record<keyof MomentsOptions, true> = { axis: true, shape: true };
const UPDATE_OPTION_NAMES: Record<keyof MomentsUpdateOptions, true> = {
  shape: true,
  dtype: true,
  mask: true,
};

/**
 * Of each feature: the count, the mean, and the sum of squared deviations from it. The last two have twice the precision of
 * float64, as the sum of a number and a second one below half an ulp of it: rounding after each of 1e5 merges would otherwise
 * add up, and the order of the merges would show.
 */
interface State {
  readonly count: OwnFloat64Array;
  readonly mean: OwnFloat64Array;
  readonly meanLow: OwnFloat64Array;
  readonly m2: OwnFloat64Array;
  readonly m2Low: OwnFloat64Array;
}

/** The parts of {@link State} in the order in which they are serialized. */
const PARTS = ['count', 'mean', 'meanLow', 'm2', 'm2Low'] as const;

/** 'LNMO', read as a little-endian number. */
const MAGIC = 0x4f4d4e4c;
const VERSION = 1;
/** Magic number, version, number of kept axes, and whether their sizes are known. */
const HEADER_BYTES = 8;
const FROM_BYTES = 'Moments.fromBytes';

/** Beyond this, sums of float64 numbers and the products that {@link productError} forms might overflow. */
const LARGE = 2 ** 900;
/** What {@link LARGE} numbers are multiplied by meanwhile. A power of two: it rounds nothing that matters beside them. */
const SHRINK = 2 ** -128;
/** Splits the 53 bits of a float64 in two halves (Veltkamp). */
const SPLIT = 2 ** 27 + 1;

/**
 * Mean and variance of data that come in parts: batch by batch, or from several threads, processes or machines, each of which
 * makes its own `Moments` that are merged in the end. In the memory of JavaScript; no WebAssembly is loaded.
 *
 * Of each feature it keeps the count n, the mean, and M2 = sum((x - mean)^2). Two parts a and b are joined by the formula of Chan,
 * Golub and LeVeque: with d = mean_b - mean_a,
 * n = n_a + n_b, mean = mean_a + d * n_b / n, M2 = M2_a + M2_b + d^2 * n_a * n_b / n.
 *
 * Precision: the sums of a batch are taken in two passes, and they and what is kept have twice the precision of float64. So the
 * result does not depend on how the data were split, nor on the order of the merges: mean and variance are within one ulp of the exact
 * ones, nearly always the nearest numbers, also at 1e8 + noise, beside an outlier of 1e20, or after 1e5 merges. (Where the elements
 * cancel in the mean, its error is relative to the mean of |x|, in twice the precision.) Constant data have variance 0. Elements
 * are used exactly as they are: integers and 16-bit numbers are not rounded.
 *
 * Special values stay in their feature: with an infinity of one sign its mean is that infinity, with both or a NaN it is NaN, and its
 * variance is NaN. Finite data of any size have a finite mean; the variance is infinite where M2 exceeds the range of float64, and
 * as inexact as numbers below 1e-290 are where M2 lies there. Counts are exact up to 2^53.
 *
 * @example
 * ```ts
 * const moments = new Moments({ axis: -1 });
 * for (const batch of batches) moments.update(batch, { shape: [32, 768] });
 * const { mean, variance } = moments.finalize();
 * ```
 *
 * @see Chan, Golub, LeVeque 1979, Updating Formulae and a Pairwise Algorithm for Computing Sample Variances; Keras 3
 * `Normalization.adapt`
 */
export class Moments {
  readonly #axis: readonly number[];
  /** The sizes that were given to the constructor. */
  readonly #given: Shape | undefined;
  #shape: Shape | undefined;
  #state: State;

  /**
   * Nothing counted yet.
   * @param options - see {@link MomentsOptions}
   * @throws {@link LayerNormError} `ERR_AXIS`, `ERR_SHAPE`, `ERR_ARGUMENT`
   */
  constructor(options?: MomentsOptions | null) {
    const operation = 'Moments';
    const given = options ?? {};
    checkOptions(operation, given, OPTION_NAMES);
    this.#axis = readKeptAxes(operation, given.axis);
    this.#given = readKeptSizes(operation, given.shape, this.#axis);
    this.#shape = this.#given;
    this.#state = emptyState(this.#shape);
  }

  /** The kept axes as they were given, in a list. */
  get axis(): readonly number[] {
    return this.#axis;
  }

  /** The sizes of the kept axes, in ascending order of the axes; undefined as long as no batch has told them. */
  get shape(): readonly number[] | undefined {
    return this.#shape;
  }

  /**
   * Takes in a batch. Its rank may differ from that of the batches before, the sizes of its kept axes may not. A batch without
   * elements changes no statistics.
   *
   * @param x - the batch, of rank 1 to 32, see {@link TensorLike}; tensors of any engine
   * @param options - see {@link MomentsUpdateOptions}
   * @returns this
   * @throws {@link LayerNormError} `ERR_SHAPE`, `ERR_AXIS`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_DISPOSED`; nothing has changed then
   */
  update(x: TensorLike, options?: MomentsUpdateOptions | null): this {
    const operation = 'Moments.update';
    const given = options ?? {};
    checkOptions(operation, given, UPDATE_OPTION_NAMES);
    const operand = readOperand(operation, undefined, 'x', x, given.shape, given.dtype);
    readDTypeOption(operation, given.dtype, operand.dtype);
    const kept = this.#axis.length === 0 ? 0 : readAxes(operation, this.#axis, operand.shape);
    const sizes = reducedShape(operand.shape, kept);
    const mask = readMask(operation, given.mask, operand.shape);
    const state = this.#stateOf(sizes, () => {
      const shapes = `x ${formatShape(operand.shape)} has sizes ${formatShape(sizes)} on axis ${describe(this.#axis)}`;
      const hint = operand.shaped ? '' : ': a typed array of more than one dimension needs the option shape';
      return `${operation}: ${shapes}, expected ${formatShape(this.#shape ?? [])} as before${hint}`;
    });
    if (operand.length > 0) mergeStates(state, momentsOf(operand, kept, mask, elementCount(sizes)));
    this.#shape = sizes;
    this.#state = state;
    return this;
  }

  /**
   * Takes in all that `other` has counted, which stays as it is. One that has counted nothing changes no statistics.
   *
   * @param other - moments with as many kept axes, of the same sizes
   * @returns this
   * @throws {@link LayerNormError} `ERR_SHAPE`, `ERR_ARGUMENT`; nothing has changed then
   */
  merge(other: Moments): this {
    const operation = 'Moments.merge';
    if (typeof other !== 'object' || other === null || !(#state in other)) {
      throw new LayerNormError(
        'ERR_ARGUMENT',
        `${operation}: other is ${describe(other)}, expected Moments of this copy of layernorm: pass those of another one, or of ` +
          'another thread or process, through toBytes and Moments.fromBytes',
      );
    }
    if (other.#axis.length !== this.#axis.length) {
      throw new LayerNormError(
        'ERR_SHAPE',
        `${operation}: other keeps ${other.#axis.length} axes, ${describe(other.#axis)}, expected ${this.#axis.length} as in ` +
          describe(this.#axis),
      );
    }
    if (other.#shape === undefined) return this;
    const sizes = other.#shape;
    const state = this.#stateOf(
      sizes,
      () =>
        `${operation}: other has the shape ${formatShape(sizes)}, expected ${formatShape(this.#shape ?? [])}`,
    );
    mergeStates(state, other.#state);
    this.#shape = sizes;
    this.#state = state;
    return this;
  }

  /**
   * Mean, biased variance and count of everything so far, which may go on afterwards.
   * @returns new arrays, see {@link FinalMoments}
   */
  finalize(): FinalMoments {
    const { count, mean, m2, m2Low } = this.#state;
    const [variance, low] = [new Float64Array(count.length), new Float64Array(count.length)];
    for (let f = 0; f < count.length; f++) {
      setQuotient(f, m2[f] as number, m2Low[f] as number, count[f] as number, variance, low);
    }
    return {
      mean: mean.map((value, f) => (count[f] === 0 ? Number.NaN : value)),
      variance,
      count: count.slice(),
      shape: [...(this.#shape ?? [0])],
    };
  }

  /** The state to merge into, once it is clear that it has these sizes. */
  #stateOf(sizes: Shape, message: () => string): State {
    if (this.#shape === undefined) return emptyState(sizes);
    if (sameShape(this.#shape, sizes)) return this.#state;
    throw new LayerNormError('ERR_SHAPE', message());
  }

  /** A copy that goes its own way. */
  clone(): Moments {
    const copy = new Moments({ axis: this.#axis, shape: this.#given });
    copy.#shape = this.#shape;
    copy.#state = emptyState(this.#shape);
    for (const part of PARTS) copy.#state[part].set(this.#state[part]);
    return copy;
  }

  /**
   * Forgets everything that was counted.
   * @returns this, as it was constructed
   */
  reset(): this {
    this.#shape = this.#given;
    this.#state = emptyState(this.#given);
    return this;
  }

  /**
   * Everything that {@link Moments.fromBytes} needs to go on elsewhere: 8 bytes, 4 or 8 for each kept axis, padded to a multiple of 8,
   * and 40 for each feature. Little-endian on every machine.
   */
  toBytes(): Uint8Array {
    const axis = this.#axis;
    const features = this.#state.count.length;
    let at = startOfState(axis.length, this.#shape !== undefined);
    const bytes = new Uint8Array(at + PARTS.length * features * Float64Array.BYTES_PER_ELEMENT);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, MAGIC, true);
    view.setUint16(4, VERSION, true);
    view.setUint8(6, axis.length);
    view.setUint8(7, this.#shape === undefined ? 0 : 1);
    axis.forEach((one, i) => {
      view.setInt32(HEADER_BYTES + 4 * i, one, true);
    });
    this.#shape?.forEach((size, i) => {
      view.setUint32(HEADER_BYTES + 4 * (axis.length + i), size, true);
    });
    for (const part of PARTS) {
      const values = this.#state[part];
      for (let i = 0; i < features; i++, at += 8) view.setFloat64(at, values[i] as number, true);
    }
    return bytes;
  }

  /**
   * Moments as {@link Moments.toBytes} wrote them, in whatever process or version of this package.
   *
   * @param bytes - a `Uint8Array`, Node's `Buffer` included, or an `ArrayBuffer`
   * @throws {@link LayerNormError} `ERR_ARGUMENT` for bytes that say something else, or are cut short
   */
  static fromBytes(bytes: Uint8Array | ArrayBuffer): Moments {
    const view = viewOf(bytes);
    const wrong = checkHeader(view);
    if (wrong !== undefined) throw malformed(wrong);
    const axes = view.getUint8(6);
    const known = view.getUint8(7) === 1;
    const axis = Array.from({ length: axes }, (_, i) => view.getInt32(HEADER_BYTES + 4 * i, true));
    if (new Set(axis).size < axes) throw malformed(`keep axis ${describe(axis)}, which names an axis twice`);
    const shape = known ? axis.map((_, i) => view.getUint32(HEADER_BYTES + 4 * (axes + i), true)) : undefined;
    let at = startOfState(axes, known);
    const features = shape === undefined ? 0 : elementCount(shape);
    const expected = at + PARTS.length * features * Float64Array.BYTES_PER_ELEMENT;
    if (view.byteLength !== expected) {
      const sizes = shape === undefined ? 'unknown sizes' : `the shape ${formatShape(shape)}`;
      throw malformed(`are ${view.byteLength}, expected ${expected} for ${sizes}`);
    }
    const moments = new Moments({ axis });
    moments.#shape = shape;
    moments.#state = emptyState(shape);
    for (const part of PARTS) {
      const values = moments.#state[part];
      for (let i = 0; i < features; i++, at += 8) {
        const value = view.getFloat64(at, true);
        if (!isPossible(part, value)) {
          throw malformed(`have ${value} for ${part} of feature ${i}, expected ${POSSIBLE[part]}`);
        }
        values[i] = value;
      }
    }
    return moments;
  }
}

/** The four functions of {@link momentsCombiner}. They need no `this`, so they can be taken apart. */
export interface MomentsCombiner {
  /** The accumulator of no data. */
  create(): Uint8Array;
  /** An accumulator with a batch more, see {@link Moments.update}. The one given stays as it is. */
  add(accumulator: Uint8Array, x: TensorLike, options?: MomentsUpdateOptions | null): Uint8Array;
  /** One accumulator of all data in several. Of none, it is that of no data. */
  merge(accumulators: Iterable<Uint8Array>): Uint8Array;
  /** What has been accumulated, see {@link Moments.finalize}. */
  extract(accumulator: Uint8Array): FinalMoments;
}

/**
 * {@link Moments} as a combine function, the shape in which engines for distributed data run aggregates of users: `create`, `add`,
 * `merge` and `extract` are `createAccumulator`, `addInput`, `mergeAccumulators` and `extractOutput` of Apache Beam, and
 * initialize, iterate, merge and terminate of SQL aggregates. Accumulators are the bytes of {@link Moments.toBytes}, so they can be
 * stored and sent as they are.
 *
 * @example
 * ```ts
 * const { create, add, merge, extract } = momentsCombiner({ axis: -1 });
 * const shards = parts.map((batches) => batches.reduce((accumulator, x) => add(accumulator, x), create()));
 * const { mean, variance } = extract(merge(shards));
 * ```
 *
 * @param options - see {@link MomentsOptions}
 * @returns functions that throw what the methods of {@link Moments} throw
 * @throws {@link LayerNormError} `ERR_AXIS`, `ERR_SHAPE`, `ERR_ARGUMENT`
 */
export function momentsCombiner(options?: MomentsOptions | null): MomentsCombiner {
  const empty = new Moments(options);
  return {
    create: () => empty.toBytes(),
    add: (accumulator, x, updateOptions) => Moments.fromBytes(accumulator).update(x, updateOptions).toBytes(),
    merge: (accumulators) => {
      const all = empty.clone();
      for (const accumulator of accumulators) all.merge(Moments.fromBytes(accumulator));
      return all.toBytes();
    },
    extract: (accumulator) => Moments.fromBytes(accumulator).finalize(),
  };
}

function readKeptAxes(operation: string, axis: unknown): readonly number[] {
  if (axis === undefined) return [-1];
  if (axis === null) return [];
  const axes: unknown[] = Array.isArray(axis) ? [...axis] : [axis];
  if (!axes.every(Number.isInteger)) {
    throw new LayerNormError(
      'ERR_AXIS',
      `${operation}: Expected an int or a list/tuple of ints for the argument 'axis', got ${describe(axis)}`,
    );
  }
  if (axes.length > MAX_RANK || new Set(axes).size < axes.length) {
    const wrong = axes.length > MAX_RANK ? `names more than ${MAX_RANK} axes` : 'names an axis twice';
    throw new LayerNormError('ERR_AXIS', `${operation}: axis is ${describe(axis)}, which ${wrong}`);
  }
  return Object.freeze(axes) as readonly number[];
}

/** Without kept axes, their sizes are known from the start. */
function readKeptSizes(operation: string, shape: unknown, axis: readonly number[]): Shape | undefined {
  if (shape === undefined || shape === null) return axis.length === 0 ? Object.freeze([]) : undefined;
  if (!Array.isArray(shape) || shape.length !== axis.length) {
    const expected = axis.length === 1 ? 'a list of one size' : `a list of ${axis.length} sizes`;
    throw new LayerNormError(
      'ERR_SHAPE',
      `${operation}: shape is ${describe(shape)}, expected ${expected}, those of axis ${describe(axis)}`,
    );
  }
  if (shape.length > 0) checkShape(operation, 'the statistics', shape);
  return Object.freeze([...shape]);
}

function emptyState(shape: Shape | undefined): State {
  const features = shape === undefined ? 0 : elementCount(shape);
  const [count, mean, meanLow, m2, m2Low] = PARTS.map(() => new Float64Array(features)) as [
    OwnFloat64Array,
    OwnFloat64Array,
    OwnFloat64Array,
    OwnFloat64Array,
    OwnFloat64Array,
  ];
  return { count, mean, meanLow, m2, m2Low };
}

/**
 * The mask as one byte for each element of x, 0 where it does not count.
 * @throws {@link LayerNormError} `ERR_SHAPE`, and what {@link readOperand} throws
 */
function readMask(operation: string, value: unknown, shape: Shape): Uint8Array | undefined {
  if (value === undefined || value === null) return undefined;
  const mask = readOperand(operation, undefined, 'mask', withNumbers(value));
  // A typed array says no shape: it has to be that of x, or of all but its last axis.
  const whole = [shape, shape.slice(0, -1)];
  const sizes = mask.shaped ? mask.shape : whole.find((one) => elementCount(one) === mask.length);
  const fits =
    sizes !== undefined &&
    (sizes.length === shape.length || sizes.length === shape.length - 1) &&
    sizes.every((size, i) => size === shape[i] || size === 1);
  if (!fits) {
    throw new LayerNormError(
      'ERR_SHAPE',
      `${operation}: mask has ${mask.shaped ? `shape ${formatShape(mask.shape)}` : `${mask.length} elements`}, expected that of ` +
        `x ${formatShape(shape)}, or of all but its last axis${mask.shaped ? ', each size that of x or 1' : ''}`,
    );
  }
  const elements = mask.data as ArrayLike<number>;
  const bytes = new Uint8Array(elementCount(shape));
  const across = sizes.length === shape.length ? 1 : (shape.at(-1) as number);
  // Elements of the mask from one index of a dimension to the next: none where it has one for all.
  const steps = sizes.map((size, i) => (size === 1 ? 0 : elementCount(sizes.slice(i + 1))));
  eachIndex(shape.slice(0, sizes.length), steps, (from, index) => {
    if (elements[from] !== 0) bytes.fill(1, index * across, (index + 1) * across);
  });
  return bytes;
}

/** Nested arrays of booleans as such of numbers; everything else as it is. */
function withNumbers(value: unknown): unknown {
  if (typeof value === 'boolean') return value ? 1 : 0;
  return Array.isArray(value) ? value.map(withNumbers) : value;
}

/** Goes through all indices of some dimensions, the last of them varying fastest, with the sum of what their `steps` lead to. */
function eachIndex(dims: Shape, steps: readonly number[], visit: (sum: number, index: number) => void): void {
  const count = elementCount(dims);
  const indices = new Array<number>(dims.length).fill(0);
  let sum = 0;
  for (let index = 0; index < count; index++) {
    visit(sum, index);
    // Counts up as an odometer does.
    for (let i = dims.length - 1; i >= 0; i--) {
      const next = (indices[i] as number) + 1;
      if (next < (dims[i] as number)) {
        indices[i] = next;
        sum += steps[i] as number;
        break;
      }
      sum -= (next - 1) * (steps[i] as number);
      indices[i] = 0;
    }
  }
}

/**
 * A batch as blocks of the same size. The elements of a row lie together and belong to features in a row; the rows of a block are
 * of the same features.
 */
interface Layout {
  readonly rows: number;
  /** Elements from one row to the next. */
  readonly stride: number;
  /** Elements of a row. */
  readonly run: number;
  /** Says of each block where it starts, and which is its first feature. */
  each(visit: (start: number, feature: number) => void): void;
}

/** The layout of an array without zeros in its shape. */
function layoutOf(shape: Shape, kept: number): Layout {
  const { dims, axes } = collapse(shape, ~kept);
  // Nothing is reduced: one row.
  if (dims.length > 1 && dims.at(-1) === 1) dims.pop();
  const isKept = (i: number): boolean => !hasAxis(axes, i);
  // Elements and features from one index of a dimension to the next.
  const strides = dims.map((_, i) => elementCount(dims.slice(i + 1)));
  const steps = dims.map((_, i) => (isKept(i) ? elementCount(dims.filter((_, k) => k > i && isKept(k))) : 0));
  const run = isKept(dims.length - 1) ? (dims.pop() as number) : 1;
  // Kept and reduced dimensions take turns, so the innermost one that is left is reduced.
  const rows = dims.pop() ?? 1;
  const stride = strides[dims.length] as number;
  const block = rows * run;
  return {
    rows,
    stride,
    run,
    each: (visit) => eachIndex(dims, steps, (feature, index) => visit(index * block, feature)),
  };
}

/** Of each feature a sum, and what rounding has taken from it. */
interface Sums {
  readonly sum: Float64Array;
  readonly low: Float64Array;
}

/** Count, mean and M2 of one batch, by two passes over it. */
function momentsOf(operand: Operand, kept: number, mask: Uint8Array | undefined, features: number): State {
  const layout = layoutOf(operand.shape, kept);
  const state = emptyState([features]);
  const { count, mean, meanLow, m2, m2Low } = state;
  const addUp = (add: (sums: Sums, start: number, feature: number) => void): Sums => {
    const sums = { sum: new Float64Array(features), low: new Float64Array(features) };
    layout.each((start, feature) => add(sums, start, feature));
    return sums;
  };

  let x = numbersOf(operand);
  if (mask === undefined) {
    count.fill(x.length / features);
  } else {
    x = new Float64Array(x);
    layout.each((start, feature) => countMasked(count, x, mask, layout, start, feature));
  }
  const sums = addUp((to, start, feature) => addValues(to, x, layout, start, feature));
  let shrunk: Sums | undefined;
  for (let f = 0; f < features; f++) {
    if (count[f] === 0) continue;
    const isLarge = !(Math.abs(sums.sum[f] as number) < LARGE);
    if (isLarge && shrunk === undefined) {
      // The sum has overflowed, or may have on its way, or something is not finite: the sum of smaller numbers tells.
      const small = x.map((value) => value * SHRINK);
      shrunk = addUp((to, start, feature) => addValues(to, small, layout, start, feature));
    }
    const { sum, low } = (isLarge && shrunk) || sums;
    setQuotient(f, sum[f] as number, low[f] as number, count[f] as number, mean, meanLow);
    if (isLarge) multiply(f, 1 / SHRINK, mean, meanLow);
  }

  if (mask !== undefined) layout.each((start, feature) => hideMasked(mean, x, mask, layout, start, feature));
  const squares = addUp((to, start, feature) => addSquares(to, x, mean, layout, start, feature));
  for (let f = 0; f < features; f++) {
    const sum = squares.sum[f] as number;
    // All elements are the mean: it is exact, whatever rounding has left of their sum.
    if (sum === 0) meanLow[f] = 0;
    // The sum of the squares is least at the mean itself, of which mean is the rounded value.
    const off = meanLow[f] as number;
    const excess = (count[f] as number) * (off * off);
    setPair(f, sum, (squares.low[f] as number) - excess, m2, m2Low);
    if ((m2[f] as number) < 0) setPair(f, 0, 0, m2, m2Low);
  }
  return state;
}

/** The elements as floats, exactly as they are. */
function numbersOf({ data, stored, length }: Operand): Float32Array | Float64Array {
  const elements = data as NumericArray;
  const isFloat = /^Float(32|64)Array$/.test(typedArrayName(elements) as string);
  if (isFloat) return elements as Float32Array | Float64Array;
  const numbers = isSixteenBit(stored) ? new Float32Array(length) : new Float64Array(length);
  copierOf(isSixteenBit(stored) ? stored : undefined, undefined)(numbers, 0, elements, 0, length);
  return numbers;
}

/** Counts the elements of a block that count, and makes the others 0: they add nothing to the sums of the first pass. */
function countMasked(
  count: Float64Array,
  x: Float32Array | Float64Array,
  mask: Uint8Array,
  { rows, stride, run }: Layout,
  start: number,
  feature: number,
): void {
  for (let row = 0; row < rows; row++) {
    for (let k = 0; k < run; k++) {
      const i = start + row * stride + k;
      if (mask[i] === 0) x[i] = 0;
      else count[feature + k] = (count[feature + k] as number) + 1;
    }
  }
}

/** Makes the elements of a block that do not count the mean: they add nothing to the sums of the second pass. */
function hideMasked(
  mean: Float64Array,
  x: Float32Array | Float64Array,
  mask: Uint8Array,
  { rows, stride, run }: Layout,
  start: number,
  feature: number,
): void {
  for (let row = 0; row < rows; row++) {
    for (let k = 0; k < run; k++) {
      const i = start + row * stride + k;
      if (mask[i] === 0) x[i] = mean[feature + k] as number;
    }
  }
}

/** Adds the elements of a block to the sums of their features. */
function addValues(
  { sum, low }: Sums,
  x: Float32Array | Float64Array,
  { rows, stride, run }: Layout,
  start: number,
  feature: number,
): void {
  // Four rows at a time: loads and stores of the sums take most of the time otherwise.
  const whole = rows - (rows % 4);
  for (let row = 0; row < whole; row += 4) {
    const first = start + row * stride;
    for (let k = 0; k < run; k++) {
      const i = first + k;
      const a = x[i] as number;
      const b = x[i + stride] as number;
      const c = x[i + 2 * stride] as number;
      const d = x[i + 3 * stride] as number;
      const ab = a + b;
      const cd = c + d;
      const four = ab + cd;
      const lost = sumError(a, b, ab) + sumError(c, d, cd) + sumError(ab, cd, four);
      addTo(sum, low, feature + k, four, lost);
    }
  }
  for (let row = whole; row < rows; row++) {
    const first = start + row * stride;
    for (let k = 0; k < run; k++) addTo(sum, low, feature + k, x[first + k] as number, 0);
  }
}

/** Adds the squares of the distances from the mean to the sums of their features, as {@link addValues} does. */
function addSquares(
  { sum, low }: Sums,
  x: Float32Array | Float64Array,
  mean: Float64Array,
  { rows, stride, run }: Layout,
  start: number,
  feature: number,
): void {
  const whole = rows - (rows % 4);
  for (let row = 0; row < whole; row += 4) {
    const first = start + row * stride;
    for (let k = 0; k < run; k++) {
      const i = first + k;
      const m = mean[feature + k] as number;
      const xa = x[i] as number;
      const xb = x[i + stride] as number;
      const xc = x[i + 2 * stride] as number;
      const xd = x[i + 3 * stride] as number;
      const a = (xa - m) * (xa - m);
      const b = (xb - m) * (xb - m);
      const c = (xc - m) * (xc - m);
      const d = (xd - m) * (xd - m);
      const ab = a + b;
      const cd = c + d;
      const four = ab + cd;
      const lost = sumError(a, b, ab) + sumError(c, d, cd) + sumError(ab, cd, four);
      const lostBefore =
        squareError(xa, m, a) + squareError(xb, m, b) + (squareError(xc, m, c) + squareError(xd, m, d));
      addTo(sum, low, feature + k, four, lost + lostBefore);
    }
  }
  for (let row = whole; row < rows; row++) {
    const first = start + row * stride;
    for (let k = 0; k < run; k++) {
      const m = mean[feature + k] as number;
      const value = x[first + k] as number;
      const square = (value - m) * (value - m);
      addTo(sum, low, feature + k, square, squareError(value, m, square));
    }
  }
}

function addTo(sum: Float64Array, low: Float64Array, f: number, value: number, lost: number): void {
  const before = sum[f] as number;
  const after = before + value;
  sum[f] = after;
  low[f] = (low[f] as number) + (lost + sumError(before, value, after));
}

/** Joins the moments of other data, of the same features, to `state`. */
function mergeStates(state: State, other: State): void {
  const { count, mean, meanLow, m2, m2Low } = state;
  for (let f = 0; f < count.length; f++) {
    const na = count[f] as number;
    const nb = other.count[f] as number;
    if (nb === 0) continue;
    if (na === 0) {
      for (const part of PARTS) state[part][f] = other[part][f] as number;
      continue;
    }
    const n = na + nb;
    count[f] = n;
    const ma = mean[f] as number;
    const mb = other.mean[f] as number;
    if (!(Number.isFinite(ma) && Number.isFinite(mb))) {
      setPair(f, ma + mb, 0, mean, meanLow);
      setPair(f, Number.NaN, 0, m2, m2Low);
      continue;
    }
    const scale = Math.max(Math.abs(ma), Math.abs(mb)) < LARGE ? 1 : SHRINK;
    const a = ma * scale;
    const b = mb * scale;
    const aLow = (meanLow[f] as number) * scale;
    const bLow = (other.meanLow[f] as number) * scale;
    // d = b - a, each with its low part; likewise every line below has the number first and then what it lacks.
    const difference = b - a;
    const differenceLow = sumError(b, -a, difference) + (bLow - aLow);
    const d = difference + differenceLow;
    const dLow = differenceLow - (d - difference);
    // step = d * nb / n, by which the mean moves
    const product = d * nb;
    const productLow = productError(d, nb, product) + dLow * nb;
    const step = product / n;
    const stepLow = quotientError(product, productLow, n, step);
    const moved = a + step;
    setPair(f, moved, sumError(a, step, moved) + (aLow + stepLow), mean, meanLow);
    if (scale !== 1) multiply(f, 1 / scale, mean, meanLow);
    // more = d^2 * na * nb / n = step * d * na
    const square = step * d;
    const squareLow = productError(step, d, square) + (step * dLow + stepLow * d);
    const more = square * na;
    const moreLow = productError(square, na, more) + squareLow * na;
    const both = (m2[f] as number) + (other.m2[f] as number);
    const bothLow =
      sumError(m2[f] as number, other.m2[f] as number, both) +
      ((m2Low[f] as number) + (other.m2Low[f] as number));
    const grown = more / scale / scale;
    const total = both + grown;
    setPair(f, total, sumError(both, grown, total) + (bothLow + moreLow / scale / scale), m2, m2Low);
  }
}

/** Sets element `f` of a pair of arrays to value + rest, rounded, and what rounding takes from it. */
function setPair(f: number, value: number, rest: number, high: Float64Array, low: Float64Array): void {
  const rounded = value + rest;
  // Beyond the range of float64, what was calculated with the infinite value is NaN.
  const isUsual = Number.isFinite(rounded);
  high[f] = isUsual ? rounded : value;
  low[f] = isUsual ? rest - (rounded - value) : 0;
}

/** Sets element `f` of a pair of arrays to (value + rest) / divisor. */
function setQuotient(
  f: number,
  value: number,
  rest: number,
  divisor: number,
  high: Float64Array,
  low: Float64Array,
): void {
  const quotient = value / divisor;
  setPair(f, quotient, quotientError(value, rest, divisor, quotient), high, low);
}

/** Multiplies element `f` of a pair of arrays by a power of two. */
function multiply(f: number, factor: number, high: Float64Array, low: Float64Array): void {
  high[f] = (high[f] as number) * factor;
  low[f] = (low[f] as number) * factor;
}

/** What rounding has taken from sum = a + b, exactly (Knuth). */
function sumError(a: number, b: number, sum: number): number {
  const rounded = sum - a;
  return a - (sum - rounded) + (b - rounded);
}

/** What rounding has taken from product = a * b (Dekker): exactly, unless it lies below the range of float64. */
function productError(a: number, b: number, product: number): number {
  // Halves of 26 bits, the products of which are exact.
  const aSplit = a * SPLIT;
  const aHigh = aSplit - (aSplit - a);
  const aRest = a - aHigh;
  const bSplit = b * SPLIT;
  const bHigh = bSplit - (bSplit - b);
  const bRest = b - bHigh;
  return aHigh * bHigh - product + aHigh * bRest + aRest * bHigh + aRest * bRest;
}

/** What rounding has taken from square = (value - mean) * (value - mean): in the difference, and in its multiplication with itself. */
function squareError(value: number, mean: number, square: number): number {
  const difference = value - mean;
  const lost = sumError(value, -mean, difference);
  return productError(difference, difference, square) + 2 * difference * lost;
}

/** What quotient lacks of (value + rest) / divisor. */
function quotientError(value: number, rest: number, divisor: number, quotient: number): number {
  const product = quotient * divisor;
  return (value - product - productError(quotient, divisor, product) + rest) / divisor;
}

/** What the bytes of {@link Moments.fromBytes} say, wherever they lie. */
function viewOf(bytes: unknown): DataView {
  const className = typedArrayName(bytes);
  if (className === 'Uint8Array') {
    const array = bytes as Uint8Array;
    checkAttached(FROM_BYTES, 'bytes', array);
    return new DataView(array.buffer, array.byteOffset, array.byteLength);
  }
  if (/^\[object (Shared)?ArrayBuffer\]$/.test(Object.prototype.toString.call(bytes))) {
    const array = new Uint8Array(bytes as ArrayBuffer);
    return new DataView(array.buffer);
  }
  throw malformed(
    `are ${className === undefined ? describe(bytes) : `a ${className}`}, expected a Uint8Array or an ArrayBuffer`,
  );
}

function malformed(what: string): LayerNormError {
  return new LayerNormError('ERR_ARGUMENT', `${FROM_BYTES}: bytes ${what}`);
}

/** Where the statistics begin: after the axes and, if known, their sizes. */
function startOfState(axes: number, known: boolean): number {
  return Math.ceil((HEADER_BYTES + 4 * axes * (known ? 2 : 1)) / 8) * 8;
}

/** What is wrong with the bytes before the statistics; undefined when nothing is. */
function checkHeader(view: DataView): string | undefined {
  const { byteLength } = view;
  if (byteLength < HEADER_BYTES) return `are ${byteLength}, expected at least ${HEADER_BYTES}`;
  const magic = view.getUint32(0, true);
  if (magic !== MAGIC) {
    return `begin with 0x${magic.toString(16)}, expected 0x${MAGIC.toString(16)}: not from Moments.toBytes`;
  }
  const version = view.getUint16(4, true);
  if (version !== VERSION) return `are of version ${version}, expected ${VERSION}`;
  const axes = view.getUint8(6);
  if (axes > MAX_RANK) return `keep ${axes} axes, expected at most ${MAX_RANK}`;
  const known = view.getUint8(7);
  if (known > 1) return `have ${known} for whether the shape is known, expected 0 or 1`;
  const start = startOfState(axes, known === 1);
  if (byteLength < start) return `are ${byteLength}, expected at least ${start} for ${axes} kept axes`;
  return undefined;
}

/** What the parts of a state can be, in words. */
const POSSIBLE: Readonly<Record<keyof State, string>> = {
  count: 'an integer from 0 to 2 ** 53',
  mean: 'a number',
  meanLow: 'a finite number',
  m2: 'a number that is not negative',
  m2Low: 'a finite number',
};

function isPossible(part: keyof State, value: number): boolean {
  if (part === 'count') return Number.isInteger(value) && value >= 0 && value <= 2 ** 53;
  if (part === 'm2') return !(value < 0);
  return part === 'mean' || Number.isFinite(value);
}
