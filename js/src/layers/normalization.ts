import { batchNorm } from '../ops/batch_norm.js';
import { batchNormBackward } from '../ops/batch_norm_backward.js';
import { Moments } from '../ops/mergeable_moments.js';
import { checkOptions } from '../ops/options.js';
import { describe, LayerNormError } from '../runtime/errors.js';
import { type DType, typedArrayName } from '../tensor/dtype.js';
import { HeapTensor } from '../tensor/heap_tensor.js';
import { elementCount, formatShape, type PartialShape, type Shape, sameShape } from '../tensor/shape.js';
import type { TensorLike } from '../tensor/tensor_like.js';
import type { PolicyName } from './dtype_policy.js';
import { type Elements, isTensor, numbersOf, readInput } from './elements.js';
import { getInitializer } from './initializers.js';
import type { LayerOptions } from './layer.js';
import { knownSizes, readBoolean } from './layer_options.js';
import { type Call, SameShapeLayer } from './same_shape_layer.js';
import { type Config, readArray } from './serialization.js';
import type { Weight, WeightValue } from './weight.js';

/** Options of {@link Normalization}: Keras' arguments in camelCase. */
export interface NormalizationOptions<P extends PolicyName = PolicyName> extends LayerOptions<P> {
  /**
   * The dimension, or the dimensions, that *keep* statistics of their own, the opposite of what it is for layer normalization. Negative
   * ones count from the end. null stands for none: one mean and one variance of everything.
   * @defaultValue -1
   */
  axis?: number | readonly number[] | null;
  /** The mean, with `variance`; then there is nothing to adapt. Aligned with the kept dimensions as NumPy does. @defaultValue none */
  mean?: TensorLike | number | null;
  /** The variance, of the shape that `mean` has. @defaultValue none */
  variance?: TensorLike | number | null;
  /** Whether to go back from normalized data to what they were. @defaultValue false */
  invert?: boolean | null;
}

const OPTION_NAMES: Record<Exclude<keyof NormalizationOptions, keyof LayerOptions>, true> = {
  axis: true,
  mean: true,
  variance: true,
  invert: true,
};

/** A batch of data, alone or as the first of what belongs together: [x, y] or [x, y, weights]. */
export type AdaptBatch = TensorLike | readonly [x: TensorLike, ...rest: unknown[]];

/** Options of {@link Normalization.adapt}. */
export interface AdaptOptions {
  /**
   * Sizes of the dimensions of the data, or of each batch, for typed arrays: they have one dimension by default. One of them may be
   * null, for batches of different sizes.
   */
  shape?: PartialShape | null;
}

const ADAPT_OPTIONS: Record<keyof AdaptOptions, true> = { shape: true };

/** The least that the standard deviation counts as: Keras' `backend.epsilon()`. */
const LEAST_DEVIATION = 1e-7;

/** Statistics row-major over the kept dimensions. */
interface Statistics {
  readonly mean: ArrayLike<number>;
  readonly variance: ArrayLike<number>;
}

/** Statistics that were given to the constructor. */
interface Given {
  readonly shape: Shape;
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

/**
 * Keras' preprocessing layer `Normalization`: brings features to mean 0 and variance 1 by statistics of a data set that
 * {@link Normalization.adapt} has gone through, or that are given.
 *
 * y = (x - mean) / max(sqrt(variance), 1e-7), or with `invert` y = mean + x * max(sqrt(variance), 1e-7). Before it is adapted, y = x.
 *
 * Its weights are the mean, the biased variance and, of no use as in Keras, a count; there are none where the statistics are given.
 * Nothing of it is learned.
 *
 * @example
 * ```ts
 * const layer = new Normalization();
 * layer.adapt(data, { shape: [1000, 3] });
 * const y = layer.apply(x, { shape: [32, 3] });
 * ```
 *
 * @see Keras 3.16 `keras.layers.Normalization`
 */
export class Normalization<P extends PolicyName = 'float32'> extends SameShapeLayer<P> {
  /** The kept dimensions as they were given. */
  readonly axis: readonly number[];
  readonly invert: boolean;
  override supportsMasking = true;
  readonly #given: Given | undefined;
  #mean: Weight | undefined;
  #variance: Weight | undefined;
  /** The kept dimensions of what the layer is built for, ascending, and their sizes. */
  #kept: readonly number[] = [];
  #sizes: Shape = [];
  #rank = 0;

  /**
   * @param options - see {@link NormalizationOptions}
   * @throws {@link LayerNormError} `ERR_ARGUMENT`, `ERR_AXIS`, `ERR_DTYPE`, `ERR_SHAPE`
   */
  constructor(options?: NormalizationOptions<P> | null) {
    super('Normalization', options, OPTION_NAMES);
    const given: NormalizationOptions = options ?? {};
    this.axis = readKeptOption(given.axis);
    this.invert = readBoolean(this.className, 'invert', given.invert, false);
    this.#given = readGiven(this.axis, given.mean ?? undefined, given.variance ?? undefined);
  }

  /** The mean in use, with 1 at the dimensions that are not kept; null before the layer is built. */
  get mean(): WeightValue | null {
    return this.#statistic('mean');
  }

  /** The variance in use, with 1 at the dimensions that are not kept; null before the layer is built. */
  get variance(): WeightValue | null {
    return this.#statistic('variance');
  }

  #statistic(name: keyof Statistics): WeightValue | null {
    if (!this.built) return null;
    const shape = new Array<number>(this.#rank).fill(1);
    this.#kept.forEach((axis, i) => {
      shape[axis] = this.#sizes[i] as number;
    });
    const wide = this.computeDtype === 'float64';
    const values = this.#statistics()[name];
    const data = wide ? Float64Array.from(values) : Float32Array.from(values);
    return { data, shape, dtype: wide ? 'float64' : 'float32' };
  }

  /**
   * Takes mean and variance of data, in place of those of earlier calls, and builds the layer if need be.
   *
   * Data are an array of any kind; or an iterable of batches, which need not fit in memory together: a generator, say, or an array
   * of tensors or of objects with data. Nested arrays of numbers are one array. Of a batch `[x, y]` the x is taken, where it is a
   * tensor, an object with data, or a nested array of more dimensions than y. Of an async iterable, the statistics are there when
   * the promise is fulfilled. Or data are {@link Moments} that were taken elsewhere, with the same axes.
   *
   * Statistics are taken in float64, see {@link Moments}.
   *
   * @param data - see above
   * @param options - see {@link AdaptOptions}
   * @returns a promise for async data, else nothing
   * @throws {@link LayerNormError} `ERR_ARGUMENT` for statistics that are given, an empty iterable, and what is neither array nor
   * iterable; `ERR_SHAPE`, `ERR_AXIS`, `ERR_DTYPE`, `ERR_DISPOSED`; the statistics are then as before
   */
  adapt(data: AsyncIterable<AdaptBatch>, options?: AdaptOptions | null): Promise<void>;
  adapt(data: TensorLike | Iterable<AdaptBatch> | Moments, options?: AdaptOptions | null): void;
  adapt(
    data: TensorLike | Iterable<AdaptBatch> | AsyncIterable<AdaptBatch> | Moments,
    options?: AdaptOptions | null,
  ): undefined | Promise<void> {
    const operation = `${this.className}.adapt`;
    if (this.#given) {
      throw new LayerNormError(
        'ERR_ARGUMENT',
        `${operation}: mean and variance were given to layer '${this.name}', expected a layer without them to adapt`,
      );
    }
    const given = options ?? {};
    checkOptions(operation, given, ADAPT_OPTIONS);
    const shape = given.shape ?? undefined;
    const moments = new Moments({ axis: this.axis });
    const wrong = (): LayerNormError =>
      new LayerNormError(
        'ERR_ARGUMENT',
        `${operation}: data is ${describe(data)}, expected an array, a tensor, or an iterable of batches`,
      );
    if (typeof data !== 'object' || data === null) throw wrong();
    if (isMoments(data)) return this.#adopt(operation, data);
    if (Symbol.asyncIterator in data) return this.#adaptAsync(operation, moments, data, shape);
    if (isArray(data)) {
      this.#take(operation, moments, data, shape, false);
    } else if (Symbol.iterator in data) {
      let first = true;
      for (const batch of data as Iterable<AdaptBatch>) {
        this.#take(operation, moments, firstOf(batch), shape, first);
        first = false;
      }
    } else {
      throw wrong();
    }
    return this.#adopt(operation, moments);
  }

  async #adaptAsync(
    operation: string,
    moments: Moments,
    data: AsyncIterable<AdaptBatch>,
    shape: PartialShape | undefined,
  ): Promise<void> {
    let first = true;
    for await (const batch of data) {
      this.#take(operation, moments, firstOf(batch), shape, first);
      first = false;
    }
    this.#adopt(operation, moments);
  }

  /** Adds a batch, by whose shape the layer is built if it is the first. */
  #take(
    operation: string,
    moments: Moments,
    batch: unknown,
    shape: PartialShape | undefined,
    isBatch: boolean,
  ): void {
    const sizes = shape && completed(operation, batch, shape);
    const operand = readInput(operation, 'data', batch, sizes, this.computeDtype);
    if (!this.built) {
      const kept = keptAxes(operation, this.axis, operand.shape);
      this.build(operand.shape.map((size, i) => (i === 0 && isBatch && !kept.includes(0) ? null : size)));
    }
    const fits =
      operand.shape.length === this.#rank &&
      this.#kept.every((axis, i) => operand.shape[axis] === this.#sizes[i]);
    if (!fits) {
      throw new LayerNormError(
        'ERR_SHAPE',
        `${operation}: layer '${this.name}' is built for inputs ${formatShape(this.getBuildConfig()?.input_shape as PartialShape)}, but ` +
          `data has an incompatible shape, ${formatShape(operand.shape)}`,
      );
    }
    moments.update(batch as TensorLike, { shape: sizes, dtype: this.computeDtype });
  }

  #adopt(operation: string, moments: Pick<Moments, 'finalize'>): undefined {
    const { mean, variance, count, shape } = moments.finalize();
    if (!(count.length > 0 && count.every((one) => one > 0))) {
      throw new LayerNormError(
        'ERR_ARGUMENT',
        `${operation}: data is an empty iterable, or without elements, expected at least one element for each feature`,
      );
    }
    if (!this.#mean || !this.#variance) {
      throw new LayerNormError(
        'ERR_ARGUMENT',
        `${operation}: layer '${this.name}' is not built, expected build(inputShape) before it adapts to moments`,
      );
    }
    if (!sameShape(shape, this.#sizes)) {
      throw new LayerNormError(
        'ERR_SHAPE',
        `${operation}: the moments have an incompatible shape, ${formatShape(shape)}, expected ${formatShape(this.#sizes)}`,
      );
    }
    this.#mean.assign(mean);
    this.#variance.assign(variance);
    return undefined;
  }

  override getConfig(): Config {
    const given = this.#given;
    const listed = (values: Float64Array): unknown => nested(Array.from(values), given?.shape ?? []);
    return {
      ...super.getConfig(),
      axis: [...this.axis],
      invert: this.invert,
      mean: given ? listed(given.mean) : null,
      variance: given ? listed(given.variance) : null,
    };
  }

  protected override makeWeights(operation: string, inputShape: PartialShape): void {
    this.#kept = keptAxes(operation, this.axis, inputShape);
    this.#rank = inputShape.length;
    const unknown = this.#kept.find((axis) => inputShape[axis] === null);
    if (unknown !== undefined) {
      throw new LayerNormError(
        'ERR_SHAPE',
        `${operation}: All \`axis\` values to be kept must have a known shape, got axis ${describe(this.axis)} for inputs ` +
          `${formatShape(inputShape)}, of which dimension ${unknown} is unknown`,
      );
    }
    this.#sizes = knownSizes(operation, inputShape, this.#kept);
    if (this.#given) {
      broadcast(operation, this.#given.mean, this.#given.shape, this.#sizes);
      return;
    }
    const shape = this.#sizes;
    const statistic = (name: string, initializer: string): Weight =>
      this.addWeight({ name, shape, trainable: false, initializer: getInitializer(initializer) });
    this.#mean = statistic('mean', 'zeros');
    this.#variance = statistic('variance', 'ones');
    this.addWeight({ name: 'count', shape: [], dtype: 'int32', trainable: false });
  }

  protected override checkInput(operation: string, shape: Shape): void {
    const fits = shape.length === this.#rank && this.#kept.every((axis, i) => shape[axis] === this.#sizes[i]);
    if (fits) return;
    throw new LayerNormError(
      'ERR_SHAPE',
      `${operation}: Input 0 of layer "${this.name}" is incompatible with the layer: it is built for inputs ` +
        `${formatShape(this.getBuildConfig()?.input_shape as PartialShape)}, found x ${formatShape(shape)}`,
    );
  }

  protected override forward(call: Call): Elements {
    const { mean, factor } = this.#spread(call.shape);
    const { x, ...options } = this.#asChannels(call, call.x);
    const constant = (value: number): Float64Array => new Float64Array(mean.length).fill(value);
    return batchNorm(x, {
      ...options,
      epsilon: 0,
      mean: this.invert ? constant(0) : mean,
      variance: constant(1),
      gamma: factor,
      beta: this.invert ? mean : undefined,
    }) as Elements;
  }

  protected override gradient(call: Call, dy: Elements): Elements {
    const { factor } = this.#spread(call.shape);
    const { x, ...options } = this.#asChannels(call, dy);
    const rstd = new Float64Array(factor.length).fill(1);
    // Of constant statistics nothing depends on x: dy stands for it.
    const made = batchNormBackward(x, x, {
      ...options,
      training: false,
      mean: rstd,
      rstd,
      gamma: factor,
      outputs: ['dx'],
    });
    return made.dx as Elements;
  }

  /** Elements as those of an array of which one dimension has statistics of its own: all from the first kept one to the last. */
  #asChannels(
    { shape, dtype }: Call,
    elements: Elements,
  ): { x: TensorLike; shape: Shape | undefined; axis: number; dtype: DType } {
    const [first, last] = [this.#kept[0], this.#kept.at(-1)];
    if (first !== undefined && first === last) {
      return { x: elements, shape: isTensor(elements) ? undefined : shape, axis: first, dtype };
    }
    // Tensors keep their shape: a copy takes another.
    const x = isTensor(elements) ? numbersOf(elements, elements.dtype) : elements;
    const sizes = [shape.slice(0, first ?? 0), this.#span(shape), shape.slice((last ?? -1) + 1)];
    return { x, shape: sizes.map(elementCount), axis: 1, dtype };
  }

  /** The sizes from the first kept dimension to the last. */
  #span(shape: Shape): Shape {
    return this.#kept.length === 0 ? [] : shape.slice(this.#kept[0], (this.#kept.at(-1) as number) + 1);
  }

  /** The statistics in use, one for each position on the kept dimensions. */
  #statistics(): Statistics & { deviation: Float64Array } {
    const given = this.#given;
    const spread = (values: Float64Array): Float64Array =>
      broadcast(this.className, values, given?.shape ?? [], this.#sizes);
    const mean = given ? spread(given.mean) : (this.#mean as Weight).numbers();
    const variance = given ? spread(given.variance) : (this.#variance as Weight).numbers();
    const deviation = Float64Array.from(variance, (one) => Math.max(Math.sqrt(one), LEAST_DEVIATION));
    return { mean, variance, deviation };
  }

  /** The mean, and what is multiplied by, for each index from the first kept dimension to the last, row-major. */
  #spread(shape: Shape): { mean: Float64Array; factor: Float64Array } {
    const { mean, deviation } = this.#statistics();
    const positions = this.#positions(this.#span(shape));
    const factorOf = (one: number): number => (this.invert ? one : 1 / one);
    return {
      mean: Float64Array.from(positions, (position) => mean[position] as number),
      factor: Float64Array.from(positions, (position) => factorOf(deviation[position] as number)),
    };
  }

  /** For each index from the first kept dimension to the last one, row-major, its position on the kept dimensions. */
  #positions(span: Shape): number[] {
    let positions = [0];
    span.forEach((size, i) => {
      const isKept = this.#kept.includes(i + (this.#kept[0] as number));
      positions = positions.flatMap((position) =>
        Array.from({ length: size }, (_, index) => (isKept ? position * size + index : position)),
      );
    });
    return positions;
  }
}

function readKeptOption(axis: unknown): readonly number[] {
  if (axis === undefined) return [-1];
  if (axis === null) return [];
  if (Number.isInteger(axis)) return [axis as number];
  if (Array.isArray(axis) && axis.every(Number.isInteger)) return [...axis];
  throw new LayerNormError(
    'ERR_AXIS',
    `Normalization: axis is ${describe(axis)}, expected an integer, a list of integers, or null for none`,
  );
}

function readGiven(axis: readonly number[], mean: unknown, variance: unknown): Given | undefined {
  if (mean === undefined && variance === undefined) return undefined;
  if (mean === undefined || variance === undefined) {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      'Normalization: When setting values directly, both `mean` and `variance` must be set, ' +
        `got mean ${describe(mean)} and variance ${describe(variance)}`,
    );
  }
  const read = (name: string, value: unknown): { shape: Shape; values: Float64Array } =>
    typeof value === 'number'
      ? { shape: [], values: Float64Array.of(value) }
      : readArray('Normalization', name, value as object);
  const means = read('mean', mean);
  const variances = read('variance', variance);
  if (!sameShape(means.shape, variances.shape)) {
    throw new LayerNormError(
      'ERR_SHAPE',
      'Normalization: mean and variance must have the same shape, got ' +
        `${formatShape(means.shape)} and ${formatShape(variances.shape)}`,
    );
  }
  if (means.shape.length > axis.length && elementCount(means.shape) > 1) {
    throw new LayerNormError(
      'ERR_SHAPE',
      `Normalization: the rank of mean and variance must be less than or equal to the number of axes, ${axis.length}, got ` +
        `shape ${formatShape(means.shape)}`,
    );
  }
  return { shape: means.shape, mean: means.values, variance: variances.values };
}

/** The kept dimensions, ascending. */
function keptAxes(operation: string, axis: readonly number[], shape: PartialShape): number[] {
  const rank = shape.length;
  const wrong = axis.find((one) => one < -rank || one >= rank);
  if (wrong !== undefined) {
    throw new LayerNormError(
      'ERR_AXIS',
      `${operation}: All \`axis\` values must be in the range [${-rank}, ${rank}), got ${wrong} for inputs ${formatShape(shape)}`,
    );
  }
  const kept = axis.map((one) => (one < 0 ? one + rank : one)).sort((a, b) => a - b);
  const twice = kept.find((one, i) => one === kept[i - 1]);
  if (twice !== undefined) {
    throw new LayerNormError(
      'ERR_AXIS',
      `${operation}: Duplicate axes: axis is ${describe(axis)}, which names dimension ${twice} of inputs ${formatShape(shape)} twice`,
    );
  }
  return kept;
}

/** Values of one shape repeated to fill another, aligned at the last dimension, as NumPy does. */
function broadcast(operation: string, values: Float64Array, from: Shape, to: Shape): Float64Array {
  // Leading sizes of 1 say nothing.
  const shape = from.slice(Math.max(from.length - to.length, 0));
  const missing = to.length - shape.length;
  if (!shape.every((size, i) => size === 1 || size === to[i + missing])) {
    throw new LayerNormError(
      'ERR_SHAPE',
      `${operation}: mean and variance have shape ${formatShape(from)}, expected one that can be broadcast to ${formatShape(to)}, the ` +
        'sizes of the kept axes',
    );
  }
  return Float64Array.from({ length: elementCount(to) }, (_, position) => {
    let rest = position;
    let at = 0;
    let stride = 1;
    for (let i = to.length - 1; i >= 0; i--) {
      const size = to[i] as number;
      const own = shape[i - missing] ?? 1;
      if (own !== 1) at += (rest % size) * stride;
      stride *= own;
      rest = Math.floor(rest / size);
    }
    return values[at] as number;
  });
}

/** A list of lists of ... numbers; a number for the shape []. */
function nested(values: unknown[], shape: Shape): unknown {
  if (shape.length === 0) return values[0];
  if (shape.length === 1) return values;
  const inner = shape.slice(1);
  const size = elementCount(inner);
  return Array.from({ length: shape[0] as number }, (_, i) =>
    nested(values.slice(i * size, (i + 1) * size), inner),
  );
}

/** Whether something is {@link Moments}, of whatever copy of this package. */
function isMoments(value: object): value is Moments {
  return typeof (value as Partial<Moments>).finalize === 'function';
}

/** What is at the bottom of arrays of arrays. */
function innermost(value: unknown): unknown {
  return Array.isArray(value) ? innermost(value[0]) : value;
}

/** Whether something is one array, rather than an iterable of several. */
function isArray(value: object): value is Exclude<TensorLike, readonly unknown[]> {
  if (typedArrayName(value) !== undefined || HeapTensor.is(value)) return true;
  if (!Array.isArray(value)) return 'data' in value;
  const item = innermost(value);
  return item === undefined || typeof item !== 'object' || typedArrayName(item) !== undefined;
}

/** How many dimensions nested arrays have. */
function depth(value: unknown): number {
  if (Array.isArray(value)) return 1 + depth(value[0]);
  return typedArrayName(value) === undefined ? 0 : 1;
}

/** The x of [x, y]. */
function firstOf(batch: unknown): unknown {
  if (!Array.isArray(batch) || batch.length < 2) return batch;
  const [x, y] = batch;
  const isTuple =
    Array.isArray(x) || typedArrayName(x) !== undefined ? depth(x) > depth(y) : typeof x === 'object';
  return isTuple ? x : batch;
}

/** The shape of a typed array, in which one size may be left open. */
function completed(operation: string, batch: unknown, shape: PartialShape): Shape | undefined {
  const name = typedArrayName(batch);
  if (name === undefined) return undefined;
  const { length } = batch as ArrayLike<number>;
  const known = elementCount(shape.filter((size) => size !== null));
  const open = shape.filter((size) => size === null).length;
  if (open > 1 || (open === 1 && !Number.isInteger(length / known))) {
    throw new LayerNormError(
      'ERR_SHAPE',
      `${operation}: data has ${length} elements, which do not fill shape ${formatShape(shape)}, expected at most one null, and a ` +
        `multiple of ${known} elements`,
    );
  }
  return shape.map((size) => size ?? length / known);
}
