import { describe, LayerNormError } from '../runtime/errors.js';
import { MAX_RANK } from '../runtime/heap.js';
import {
  checkAttached,
  type DType,
  type OwnFloat64Array,
  readDTypeOption,
  typedArrayName,
} from '../tensor/dtype.js';
import {
  checkShape,
  elementCount,
  formatShape,
  readAxes,
  reducedShape,
  type Shape,
  sameShape,
} from '../tensor/shape.js';
import { readOperand, type TensorLike } from '../tensor/tensor_like.js';
import { emptyState, mergeStates, momentsOf, PARTS, type State, varianceOf } from './feature_moments.js';
import { expandMask, type MaskLike, numbersOfMask } from './mask.js';
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
  mask?: MaskLike | null;
}

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

/** 'LNMO', read as a little-endian number. */
const MAGIC = 0x4f4d4e4c;
const VERSION = 1;
/** Magic number, version, number of kept axes, and whether their sizes are known. */
const HEADER_BYTES = 8;
const FROM_BYTES = 'Moments.fromBytes';

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
          'another place, through toBytes and Moments.fromBytes',
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
    const { count, mean } = this.#state;
    return {
      mean: mean.map((value, f) => (count[f] === 0 ? Number.NaN : value)),
      variance: varianceOf(this.#state),
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

/**
 * The mask as one byte for each element of x, 0 where it does not count.
 * @throws {@link LayerNormError} `ERR_SHAPE`, and what {@link readOperand} throws
 */
function readMask(operation: string, value: unknown, shape: Shape): Uint8Array | undefined {
  if (value === undefined || value === null) return undefined;
  const mask = readOperand(operation, undefined, 'mask', numbersOfMask(value));
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
  if (sizes.length === shape.length) return expandMask(mask, sizes, shape);
  const bytes = new Uint8Array(elementCount(shape));
  const across = shape.at(-1) as number;
  expandMask(mask, sizes, shape.slice(0, -1)).forEach((byte, i) => {
    bytes.fill(byte, i * across, (i + 1) * across);
  });
  return bytes;
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
