import { describe, LayerNormError } from '../runtime/errors.js';
import { formatShape, type Shape, sameShape } from '../tensor/shape.js';
import type { TensorLike } from '../tensor/tensor_like.js';
import { cosineOfTurns, Random } from './random.js';
import {
  type Config,
  Configurable,
  type CustomObjects,
  checkWeightShape,
  type Family,
  readArguments,
  readArray,
  readNumber,
  readWord,
  resolve,
  type SerializedIdentifier,
  type SerializedObject,
  serialized,
  Wrapped,
} from './serialization.js';

/** What gives a weight its first values. Any object with such a `call` is one. */
export interface Initializer {
  /** The name that configs have for the class. @defaultValue the name of the class */
  readonly className?: string;
  /**
   * @param shape - sizes of the weight, outermost first; [] for a single number
   * @param dtype - the type that the weight will have; conversion to it is up to the caller
   * @returns the values, row-major
   */
  call(shape: Shape, dtype?: string): ArrayLike<number>;
  /** The arguments of the constructor. Needed where the initializer is to be written to a config. */
  getConfig?(): Config;
}

/** An initializer as a plain function. */
export type InitializerFunction = (shape: Shape, dtype?: string) => ArrayLike<number>;

/** Keras' names for its initializers. */
export type InitializerName =
  | 'zeros'
  | 'ones'
  | 'constant'
  | 'identity'
  | 'random_normal'
  | 'truncated_normal'
  | 'random_uniform'
  | 'variance_scaling'
  | 'glorot_uniform'
  | 'glorot_normal'
  | 'he_uniform'
  | 'he_normal'
  | 'lecun_uniform'
  | 'lecun_normal'
  | 'orthogonal';

/** Everything that {@link getInitializer} understands. */
export type InitializerIdentifier =
  | InitializerName
  | (string & {})
  | SerializedIdentifier
  | Initializer
  | InitializerFunction
  | (new () => Initializer)
  | TensorLike;

/** The initializers that are not random: the same values for every weight. */
abstract class Filled extends Configurable implements Initializer {
  protected abstract readonly filling: number;

  call(shape: Shape, _dtype?: string): Float64Array {
    return new Float64Array(checkWeightShape(`${this.className}.call`, shape)).fill(this.filling);
  }
}

/** All zeros. */
export class Zeros extends Filled {
  readonly className = 'Zeros';
  protected readonly filling = 0;

  constructor(options?: Record<never, never> | null) {
    super();
    readArguments('Zeros', options, {}, '{}');
  }
}

/** All ones. */
export class Ones extends Filled {
  readonly className = 'Ones';
  protected readonly filling = 1;

  constructor(options?: Record<never, never> | null) {
    super();
    readArguments('Ones', options, {}, '{}');
  }
}

/** Options of {@link Constant}. */
export interface ConstantOptions {
  /** @defaultValue 0 */
  value?: number | null;
}

/** All one value. */
export class Constant extends Filled {
  readonly className = 'Constant';
  readonly value: number;
  protected readonly filling: number;

  /** @throws {@link LayerNormError} `ERR_ARGUMENT` */
  constructor(options?: ConstantOptions | null) {
    super();
    const { value } = readArguments('Constant', options, { value: true }, '{ value: 0.5 }');
    this.value = readNumber('Constant', 'value', value, 0);
    this.filling = this.value;
  }

  override getConfig(): Config {
    return { value: this.value };
  }
}

/** Options of {@link Identity}. */
export interface IdentityOptions {
  /** What the identity is multiplied by. @defaultValue 1 */
  gain?: number | null;
}

/** A multiple of the identity matrix, for weights of two dimensions. */
export class Identity extends Configurable implements Initializer {
  readonly className = 'Identity';
  readonly gain: number;

  /** @throws {@link LayerNormError} `ERR_ARGUMENT` */
  constructor(options?: IdentityOptions | null) {
    super();
    const { gain } = readArguments('Identity', options, { gain: true }, '{ gain: 2 }');
    this.gain = readNumber('Identity', 'gain', gain, 1);
  }

  /** @throws {@link LayerNormError} `ERR_SHAPE` for any other rank than 2 */
  call(shape: Shape, _dtype?: string): Float64Array {
    const count = checkWeightShape('Identity.call', shape);
    if (shape.length !== 2) {
      throw new LayerNormError(
        'ERR_SHAPE',
        `Identity.call: Identity matrix initializer can only be used for 2D matrices, got shape ${formatShape(shape)} of ` +
          `rank ${shape.length}`,
      );
    }
    const values = new Float64Array(count);
    const [rows, cols] = shape as [number, number];
    for (let i = 0; i < Math.min(rows, cols); i++) values[i * (cols + 1)] = this.gain;
    return values;
  }

  /** Keras 3.16 writes no `gain` and so forgets it; here it is written where it is not the default. */
  override getConfig(): Config {
    return this.gain === 1 ? {} : { gain: this.gain };
  }
}

/** Options of {@link SeedGenerator}. */
export interface SeedGeneratorOptions {
  /** Any safe integer. @defaultValue one that is drawn */
  seed?: number | null;
}

/**
 * A seed that gives other values with each use, as Keras' `keras.random.SeedGenerator`: for initializers that are to make
 * several different weights.
 */
export class SeedGenerator {
  readonly className = 'SeedGenerator';
  readonly seed: number;
  #given: number | null;
  #uses = 0;

  /** @throws {@link LayerNormError} `ERR_ARGUMENT` */
  constructor(options?: SeedGeneratorOptions | null) {
    const { seed } = readArguments('SeedGenerator', options, { seed: true }, '{ seed: 1 }');
    this.#given = seed ?? null;
    this.seed = readSeed('SeedGenerator', seed ?? drawnSeed());
  }

  /** The number of the next stream of random numbers. */
  next(): number {
    return ++this.#uses;
  }

  /** The arguments of the constructor, as Keras writes them. */
  getConfig(): Config {
    return { seed: this.#given ?? this.seed };
  }
}

function drawnSeed(): number {
  return Math.floor(Math.random() * 2 ** 31);
}

function readSeed(operation: string, seed: unknown): number {
  if (Number.isSafeInteger(seed)) return seed as number;
  throw new LayerNormError(
    'ERR_ARGUMENT',
    `${operation}: \`seed\` argument should be an instance of SeedGenerator or an integer, got ${describe(seed)}`,
  );
}

/** Options of every random initializer. */
export interface RandomOptions {
  /**
   * A safe integer, or a {@link SeedGenerator}. With an integer every call gives the same values; so it does without one, by a
   * seed that is drawn when the initializer is made.
   * @defaultValue null
   */
  seed?: number | SeedGenerator | SerializedIdentifier | null;
}

/**
 * The random initializers. Their values are the same in every engine, but not those that Keras draws, which are different with
 * each of its backends.
 */
abstract class RandomInitializer extends Configurable implements Initializer {
  /** The seed in use: the one given, or the one drawn. */
  readonly seed: number | SeedGenerator;
  readonly #given: number | SeedGenerator | null;

  constructor(operation: string, seed: RandomOptions['seed']) {
    super();
    this.#given = seedOf(operation, seed);
    this.seed = this.#given ?? drawnSeed();
  }

  /** A stream of random numbers for one call. */
  protected random(): Random {
    return typeof this.seed === 'number'
      ? new Random(this.seed)
      : new Random(this.seed.seed, this.seed.next());
  }

  /**
   * Draws the values of a weight.
   * @param shape - its sizes, outermost first
   * @returns the values, row-major
   */
  abstract call(shape: Shape, dtype?: string): Float64Array;

  /** The values that a function gives one after the other. */
  protected draw(shape: Shape, next: (random: Random) => number): Float64Array {
    const random = this.random();
    const values = new Float64Array(checkWeightShape(`${this.className}.call`, shape));
    for (let i = 0; i < values.length; i++) values[i] = next(random);
    return values;
  }

  /** The seed as it was given, null where it was not: a copy made from this draws one of its own, as in Keras. */
  override getConfig(): Config {
    const given = this.#given;
    if (given === null || typeof given === 'number') return { seed: given };
    const config = given.getConfig();
    return {
      seed: { module: 'keras.random', class_name: 'SeedGenerator', config, registered_name: null },
    };
  }
}

function seedOf(operation: string, seed: unknown): number | SeedGenerator | null {
  if (seed === undefined || seed === null) return null;
  if (typeof seed !== 'object') return readSeed(operation, seed);
  // By what it can do, since it may be of another copy of this package.
  if (typeof (seed as { next?: unknown }).next === 'function' && 'seed' in seed) return seed as SeedGenerator;
  const { class_name: name, config } = seed as { class_name?: unknown; config?: SeedGeneratorOptions };
  if (name === 'SeedGenerator') return new SeedGenerator({ seed: config?.seed });
  return readSeed(operation, seed);
}

/** Options of {@link RandomNormal} and {@link TruncatedNormal}. */
export interface NormalOptions extends RandomOptions {
  /** @defaultValue 0 */
  mean?: number | null;
  /** Standard deviation. @defaultValue 0.05 */
  stddev?: number | null;
}

const NORMAL_OPTIONS: Record<keyof NormalOptions, true> = { mean: true, stddev: true, seed: true };

abstract class Normal extends RandomInitializer {
  readonly mean: number;
  readonly stddev: number;

  constructor(operation: string, options: NormalOptions | undefined | null) {
    const example = '{ stddev: 0.02, seed: 1 }';
    const { mean, stddev, seed } = readArguments(operation, options, NORMAL_OPTIONS, example);
    super(operation, seed);
    this.mean = readNumber(operation, 'mean', mean, 0);
    this.stddev = readNumber(operation, 'stddev', stddev, 0.05);
  }

  override getConfig(): Config {
    return { ...super.getConfig(), mean: this.mean, stddev: this.stddev };
  }
}

/** Values of a normal distribution. */
export class RandomNormal extends Normal {
  readonly className = 'RandomNormal';

  /** @throws {@link LayerNormError} `ERR_ARGUMENT` */
  constructor(options?: NormalOptions | null) {
    super('RandomNormal', options);
  }

  call(shape: Shape, _dtype?: string): Float64Array {
    return this.draw(shape, (random) => this.mean + this.stddev * random.normal());
  }
}

/** Values of a normal distribution, those further than two standard deviations from its mean drawn again. */
export class TruncatedNormal extends Normal {
  readonly className = 'TruncatedNormal';

  /** @throws {@link LayerNormError} `ERR_ARGUMENT` */
  constructor(options?: NormalOptions | null) {
    super('TruncatedNormal', options);
  }

  call(shape: Shape, _dtype?: string): Float64Array {
    return this.draw(shape, (random) => this.mean + this.stddev * random.truncatedNormal());
  }
}

/** Options of {@link RandomUniform}. */
export interface UniformOptions extends RandomOptions {
  /** The lower bound, a possible value. @defaultValue -0.05 */
  minval?: number | null;
  /** The upper bound, no possible value unless rounding to a narrower type makes it one. @defaultValue 0.05 */
  maxval?: number | null;
}

const UNIFORM_OPTIONS: Record<keyof UniformOptions, true> = { minval: true, maxval: true, seed: true };

/** Values from `minval` up to `maxval`, all as likely. */
export class RandomUniform extends RandomInitializer {
  readonly className = 'RandomUniform';
  readonly minval: number;
  readonly maxval: number;

  /** @throws {@link LayerNormError} `ERR_ARGUMENT` */
  constructor(options?: UniformOptions | null) {
    const operation = 'RandomUniform';
    const example = '{ minval: -1, maxval: 1 }';
    const { minval, maxval, seed } = readArguments(operation, options, UNIFORM_OPTIONS, example);
    super(operation, seed);
    this.minval = readNumber(operation, 'minval', minval, -0.05);
    this.maxval = readNumber(operation, 'maxval', maxval, 0.05);
  }

  call(shape: Shape, _dtype?: string): Float64Array {
    return this.draw(shape, (random) => uniformBetween(random, this.minval, this.maxval));
  }

  override getConfig(): Config {
    return { ...super.getConfig(), minval: this.minval, maxval: this.maxval };
  }
}

/** From `low` up to `high`, which rounding would reach now and then. */
function uniformBetween(random: Random, low: number, high: number): number {
  for (;;) {
    const value = low + (high - low) * random.uniform();
    if (value < high || low >= high) return value;
  }
}

/** Which dimensions count as inputs and as outputs, where not the last two; only if both are given. */
export interface FanOptions extends RandomOptions {
  /** @defaultValue null */
  inputAxes?: number | readonly number[] | null;
  /** @defaultValue null */
  outputAxes?: number | readonly number[] | null;
}

/** What the variance is divided by. */
export type FanMode = 'fan_in' | 'fan_out' | 'fan_avg';
/** A distribution of {@link VarianceScaling}. */
export type FanDistribution = 'truncated_normal' | 'untruncated_normal' | 'uniform';

/** Options of {@link VarianceScaling}. */
export interface VarianceScalingOptions extends FanOptions {
  /** A positive factor. @defaultValue 1 */
  scale?: number | null;
  /** Which number of units the variance is divided by. @defaultValue 'fan_in' */
  mode?: FanMode | null;
  /** 'normal' stands for 'truncated_normal'. @defaultValue 'truncated_normal' */
  distribution?: FanDistribution | 'normal' | null;
}

const FAN_OPTIONS: Record<keyof FanOptions, true> = { inputAxes: true, outputAxes: true, seed: true };
const VARIANCE_OPTIONS: Record<keyof VarianceScalingOptions, true> = {
  ...FAN_OPTIONS,
  scale: true,
  mode: true,
  distribution: true,
};

/** The standard deviation of the standard normal distribution cut at -2 and 2. */
const TRUNCATED_STDDEV = 0.87962566103423978;

/**
 * Values with a variance of scale / n, where n is the number of inputs of a unit, of its outputs, or their average. A weight of one
 * dimension has as many of both as it has elements; one of more than two a kernel of a convolution, [..., inputs, outputs].
 */
abstract class Scaled extends RandomInitializer {
  readonly scale: number;
  readonly mode: FanMode;
  readonly distribution: FanDistribution;
  readonly inputAxes: number | readonly number[] | null;
  readonly outputAxes: number | readonly number[] | null;

  constructor(
    operation: string,
    scale: number,
    mode: FanMode,
    distribution: FanDistribution,
    { inputAxes, outputAxes, seed }: FanOptions,
  ) {
    super(operation, seed);
    this.scale = scale;
    this.mode = mode;
    this.distribution = distribution;
    this.inputAxes = readFanAxes(operation, 'inputAxes', inputAxes);
    this.outputAxes = readFanAxes(operation, 'outputAxes', outputAxes);
  }

  call(shape: Shape, _dtype?: string): Float64Array {
    const operation = `${this.className}.call`;
    checkWeightShape(operation, shape);
    const [fanIn, fanOut] = fansOf(operation, shape, this.inputAxes, this.outputAxes);
    const units = this.mode === 'fan_in' ? fanIn : this.mode === 'fan_out' ? fanOut : (fanIn + fanOut) / 2;
    const variance = this.scale / Math.max(1, units);
    if (this.distribution === 'uniform') {
      const limit = Math.sqrt(3 * variance);
      return this.draw(shape, (random) => uniformBetween(random, -limit, limit));
    }
    const stddev = Math.sqrt(variance);
    if (this.distribution === 'untruncated_normal') {
      return this.draw(shape, (random) => stddev * random.normal());
    }
    const untruncated = stddev / TRUNCATED_STDDEV;
    return this.draw(shape, (random) => untruncated * random.truncatedNormal());
  }

  protected fanConfig(): Config {
    return { input_axes: this.inputAxes, output_axes: this.outputAxes };
  }

  override getConfig(): Config {
    return { ...super.getConfig(), ...this.fanConfig() };
  }
}

function readFanAxes(operation: string, name: string, axes: unknown): number | readonly number[] | null {
  if (axes === undefined || axes === null) return null;
  if (Number.isInteger(axes)) return axes as number;
  if (Array.isArray(axes) && axes.every(Number.isInteger)) return [...axes];
  throw new LayerNormError(
    'ERR_ARGUMENT',
    `${operation}: ${name} is ${describe(axes)}, expected an integer or an array of integers`,
  );
}

/** How many inputs each unit of a weight has, and how many outputs. */
function fansOf(
  operation: string,
  shape: Shape,
  inputAxes: number | readonly number[] | null,
  outputAxes: number | readonly number[] | null,
): [number, number] {
  const size = (axis: number): number => {
    const found = shape[axis < 0 ? axis + shape.length : axis];
    if (found !== undefined) return found;
    throw new LayerNormError(
      'ERR_AXIS',
      `${operation}: axis ${axis} is out of bounds for a weight of shape ${formatShape(shape)}`,
    );
  };
  const product = (axes: readonly number[]): number => axes.reduce((count, axis) => count * size(axis), 1);
  if (inputAxes !== null && outputAxes !== null) {
    return [product([inputAxes].flat()), product([outputAxes].flat())];
  }
  if (shape.length === 0) return [1, 1];
  if (shape.length === 1) return [size(0), size(0)];
  const receptive = shape.slice(0, -2).reduce((count, one) => count * one, 1);
  return [size(-2) * receptive, size(-1) * receptive];
}

/** Values with a variance that depends on the shape of the weight: see {@link VarianceScalingOptions}. */
export class VarianceScaling extends Scaled {
  readonly className = 'VarianceScaling';

  /** @throws {@link LayerNormError} `ERR_ARGUMENT` */
  constructor(options?: VarianceScalingOptions | null) {
    const operation = 'VarianceScaling';
    const example = "{ scale: 2, mode: 'fan_in' }";
    const read = readArguments(operation, options, VARIANCE_OPTIONS, example);
    const scale = readNumber(operation, 'scale', read.scale, 1);
    if (scale <= 0) {
      throw new LayerNormError(
        'ERR_ARGUMENT',
        `${operation}: Argument \`scale\` must be positive float, got ${scale}`,
      );
    }
    const mode = readWord(operation, 'mode', read.mode, ['fan_in', 'fan_out', 'fan_avg'], 'fan_in');
    const given = typeof read.distribution === 'string' ? read.distribution.toLowerCase() : read.distribution;
    const distribution = readWord(
      operation,
      'distribution',
      given === 'normal' ? 'truncated_normal' : given,
      ['truncated_normal', 'untruncated_normal', 'uniform'],
      'truncated_normal',
    );
    super(operation, scale, mode, distribution, read);
  }

  /** The arguments of the constructor, as Keras writes them. */
  override getConfig(): Config {
    const { seed } = super.getConfig();
    const { scale, mode, distribution } = this;
    return { seed, scale, mode, distribution, ...this.fanConfig() };
  }
}

const FAN_EXAMPLE = '{ seed: 1 }';

/** Uniform from -limit to limit = sqrt(6 / (fan_in + fan_out)): Glorot and Bengio 2010. */
export class GlorotUniform extends Scaled {
  readonly className = 'GlorotUniform';

  /** @throws {@link LayerNormError} `ERR_ARGUMENT` */
  constructor(options?: FanOptions | null) {
    const read = readArguments('GlorotUniform', options, FAN_OPTIONS, FAN_EXAMPLE);
    super('GlorotUniform', 1, 'fan_avg', 'uniform', read);
  }
}

/** Truncated normal with a standard deviation of sqrt(2 / (fan_in + fan_out)): Glorot and Bengio 2010. */
export class GlorotNormal extends Scaled {
  readonly className = 'GlorotNormal';

  /** @throws {@link LayerNormError} `ERR_ARGUMENT` */
  constructor(options?: FanOptions | null) {
    const read = readArguments('GlorotNormal', options, FAN_OPTIONS, FAN_EXAMPLE);
    super('GlorotNormal', 1, 'fan_avg', 'truncated_normal', read);
  }
}

/** Uniform from -limit to limit = sqrt(6 / fan_in): He et al. 2015, arXiv:1502.01852. */
export class HeUniform extends Scaled {
  readonly className = 'HeUniform';

  /** @throws {@link LayerNormError} `ERR_ARGUMENT` */
  constructor(options?: FanOptions | null) {
    const read = readArguments('HeUniform', options, FAN_OPTIONS, FAN_EXAMPLE);
    super('HeUniform', 2, 'fan_in', 'uniform', read);
  }
}

/** Truncated normal with a standard deviation of sqrt(2 / fan_in): He et al. 2015, arXiv:1502.01852. */
export class HeNormal extends Scaled {
  readonly className = 'HeNormal';

  /** @throws {@link LayerNormError} `ERR_ARGUMENT` */
  constructor(options?: FanOptions | null) {
    const read = readArguments('HeNormal', options, FAN_OPTIONS, FAN_EXAMPLE);
    super('HeNormal', 2, 'fan_in', 'truncated_normal', read);
  }
}

/** Uniform from -limit to limit = sqrt(3 / fan_in): LeCun et al. 1998. */
export class LecunUniform extends Scaled {
  readonly className = 'LecunUniform';

  /** @throws {@link LayerNormError} `ERR_ARGUMENT` */
  constructor(options?: FanOptions | null) {
    const read = readArguments('LecunUniform', options, FAN_OPTIONS, FAN_EXAMPLE);
    super('LecunUniform', 1, 'fan_in', 'uniform', read);
  }
}

/** Truncated normal with a standard deviation of sqrt(1 / fan_in): LeCun et al. 1998. */
export class LecunNormal extends Scaled {
  readonly className = 'LecunNormal';

  /** @throws {@link LayerNormError} `ERR_ARGUMENT` */
  constructor(options?: FanOptions | null) {
    const read = readArguments('LecunNormal', options, FAN_OPTIONS, FAN_EXAMPLE);
    super('LecunNormal', 1, 'fan_in', 'truncated_normal', read);
  }
}

/** Options of {@link Orthogonal}. */
export interface OrthogonalOptions extends RandomOptions {
  /** What the orthogonal matrix is multiplied by. @defaultValue 1 */
  gain?: number | null;
}

/**
 * A random matrix with orthogonal columns, or rows where there are fewer of these: Q of the QR decomposition of a normal matrix, with a
 * positive diagonal of R, which makes every such matrix as likely. Dimensions but the last count as rows. Saxe et al. 2014,
 * arXiv:1312.6120.
 */
export class Orthogonal extends RandomInitializer {
  readonly className = 'Orthogonal';
  readonly gain: number;

  /** @throws {@link LayerNormError} `ERR_ARGUMENT` */
  constructor(options?: OrthogonalOptions | null) {
    const operation = 'Orthogonal';
    const { gain, seed } = readArguments(operation, options, { gain: true, seed: true }, '{ gain: 2 }');
    super(operation, seed);
    this.gain = readNumber(operation, 'gain', gain, 1);
  }

  /** @throws {@link LayerNormError} `ERR_SHAPE` for ranks below 2 */
  call(shape: Shape, _dtype?: string): Float64Array {
    checkWeightShape('Orthogonal.call', shape);
    if (shape.length < 2) {
      throw new LayerNormError(
        'ERR_SHAPE',
        `Orthogonal.call: The tensor to initialize must be at least two-dimensional, got shape ${formatShape(shape)} of ` +
          `rank ${shape.length}`,
      );
    }
    const cols = shape[shape.length - 1] as number;
    const rows = shape.slice(0, -1).reduce((count, size) => count * size, 1);
    const [length, count] = [Math.max(rows, cols), Math.min(rows, cols)];
    const normal = this.draw([length, count], (random) => random.normal());
    const vectors = Array.from({ length: count }, (_, k) =>
      Float64Array.from({ length }, (_, i) => normal[i * count + k] as number),
    );
    orthonormalize(vectors);
    const values = new Float64Array(rows * cols);
    vectors.forEach((vector, k) => {
      const [start, step] = rows < cols ? [k * cols, 1] : [k, cols];
      vector.forEach((value, i) => {
        values[start + i * step] = this.gain * value;
      });
    });
    return values;
  }

  override getConfig(): Config {
    return { ...super.getConfig(), gain: this.gain };
  }
}

/**
 * Gram-Schmidt, modified, and twice for each vector: the second time takes away what rounding left of the first. It gives the Q
 * whose R has a positive diagonal.
 */
function orthonormalize(vectors: readonly Float64Array[]): void {
  const dot = (a: Float64Array, b: Float64Array): number =>
    a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
  vectors.forEach((vector, k) => {
    for (let pass = 0; pass < 2; pass++) {
      for (const done of vectors.slice(0, k)) {
        const along = dot(vector, done);
        for (let i = 0; i < vector.length; i++) (vector[i] as number) -= along * (done[i] as number);
      }
    }
    const norm = Math.sqrt(dot(vector, vector));
    for (let i = 0; i < vector.length; i++) (vector[i] as number) /= norm;
  });
}

/**
 * Windows that are sums of cosines, by the names and with the coefficients that SciPy has:
 * w[i] = c0 - c1 cos(2 pi i / n) + c2 cos(4 pi i / n) - ...
 */
const COSINE_WINDOWS: Readonly<Record<string, readonly number[]>> = {
  boxcar: [1],
  hann: [0.5, 0.5],
  hamming: [0.54, 0.46],
  blackman: [0.42, 0.5, 0.08],
  nuttall: [0.3635819, 0.4891775, 0.1365995, 0.0106411],
  blackmanharris: [0.35875, 0.48829, 0.14128, 0.01168],
  flattop: [0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368],
};

/** Options of {@link STFT}. */
export interface STFTOptions {
  /** Which part of the complex kernel. */
  side: 'real' | 'imag';
  /**
   * 'boxcar', 'hann', 'hamming', 'blackman', 'nuttall', 'blackmanharris' or 'flattop', which are SciPy's windows; the values of
   * another window, one for each position of the frame; null for none.
   * @defaultValue 'hann'
   */
  window?: string | readonly number[] | null;
  /** Whether to divide by the root of the sum of squares of the window, by the sum of its absolute values, or not at all. @defaultValue 'density' */
  scaling?: 'density' | 'spectrum' | null;
  /** Whether the window repeats after its last value, rather than at it. @defaultValue false */
  periodic?: boolean | null;
}

const SCALINGS = ['density', 'spectrum'] as const;
const STFT_OPTIONS: Record<keyof STFTOptions, true> = {
  side: true,
  window: true,
  scaling: true,
  periodic: true,
};

/**
 * The real or the imaginary part of the kernel of a convolution that computes short-time Fourier transforms: for a weight of shape
 * [T, 1, F / 2 + 1], cos or sin of -2 pi t f / F, times the window at t. Here null is a value of `window` and `scaling` of its own.
 */
export class STFT extends Configurable implements Initializer {
  readonly className = 'STFT';
  readonly side: 'real' | 'imag';
  readonly window: string | readonly number[] | null;
  readonly scaling: 'density' | 'spectrum' | null;
  readonly periodic: boolean;

  /** @throws {@link LayerNormError} `ERR_ARGUMENT` */
  constructor(options: STFTOptions) {
    super();
    const operation = 'STFT';
    const read = readArguments(operation, options, STFT_OPTIONS, "{ side: 'real' }");
    const side: unknown = read.side;
    if (side !== 'real' && side !== 'imag') {
      throw new LayerNormError(
        'ERR_ARGUMENT',
        `${operation}: side should be 'real' or 'imag', not ${describe(side)}`,
      );
    }
    this.side = side;
    this.window = readWindow(operation, read.window);
    this.scaling =
      read.scaling === null ? null : readWord(operation, 'scaling', read.scaling, SCALINGS, 'density');
    this.periodic = read.periodic ?? false;
    if (typeof this.periodic !== 'boolean') {
      throw new LayerNormError(
        'ERR_ARGUMENT',
        `${operation}: periodic is ${describe(this.periodic)}, expected true or false`,
      );
    }
  }

  /** @throws {@link LayerNormError} `ERR_SHAPE` for any shape but [T, 1, F / 2 + 1], and where the window has other than T values */
  call(shape: Shape, _dtype?: string): Float64Array {
    const operation = 'STFT.call';
    const count = checkWeightShape(operation, shape);
    if (shape.length !== 3 || shape[1] !== 1) {
      throw new LayerNormError(
        'ERR_SHAPE',
        `${operation}: shape is ${formatShape(shape)}, expected [frame_length, 1, fft_length / 2 + 1]`,
      );
    }
    const [frames, , bins] = shape as [number, number, number];
    const window = this.#windowOf(operation, frames);
    const scale = this.window === null ? 1 : scaleOf(window, this.scaling);
    const turn = (bins - 1) * 2;
    const values = new Float64Array(count);
    for (let t = 0; t < frames; t++) {
      for (let f = 0; f < bins; f++) {
        // sin(a) = cos(a - a quarter); -sin(a) for the imaginary part.
        const wave =
          turn === 0
            ? Number.NaN // as Keras, which divides by it
            : this.side === 'real'
              ? cosineOfTurns(t * f, turn)
              : -cosineOfTurns(4 * ((t * f) % turn) - turn, 4 * turn);
        values[t * bins + f] = (wave * (window[t] as number)) / scale;
      }
    }
    return values;
  }

  #windowOf(operation: string, length: number): readonly number[] {
    const { window, periodic } = this;
    if (window === null) return new Array<number>(length).fill(1);
    if (typeof window !== 'string') {
      if (window.length === length) return window;
      throw new LayerNormError(
        'ERR_SHAPE',
        `${operation}: The shape of \`window\` must be equal to [frame_length], [${length}], got [${window.length}]`,
      );
    }
    const coefficients = COSINE_WINDOWS[window] as readonly number[];
    const turn = periodic ? length : length - 1;
    return Array.from({ length }, (_, i) =>
      length === 1
        ? 1
        : coefficients.reduce((sum, c, k) => sum + (k % 2 ? -c : c) * cosineOfTurns(k * i, turn), 0),
    );
  }

  override getConfig(): Config {
    const { side, window, periodic, scaling } = this;
    return { side, window: typeof window === 'object' && window ? [...window] : window, periodic, scaling };
  }
}

function scaleOf(window: readonly number[], scaling: STFT['scaling']): number {
  if (scaling === null) return 1;
  return scaling === 'density'
    ? Math.sqrt(window.reduce((sum, value) => sum + value * value, 0))
    : window.reduce((sum, value) => sum + Math.abs(value), 0);
}

function readWindow(operation: string, window: unknown): STFT['window'] {
  if (window === undefined) return 'hann';
  if (window === null) return null;
  if (typeof window === 'string') {
    if (Object.hasOwn(COSINE_WINDOWS, window)) return window;
  } else if (Array.isArray(window) || ArrayBuffer.isView(window)) {
    const values = Array.from(window as unknown as ArrayLike<unknown>);
    if (values.every(Number.isFinite)) return values as number[];
  }
  throw new LayerNormError(
    'ERR_ARGUMENT',
    `${operation}: window is ${describe(window)}, expected ${Object.keys(COSINE_WINDOWS).join(', ')}, an array with the ` +
      'values of any other window, or null',
  );
}

/** A plain function as an initializer. */
class FunctionInitializer extends Wrapped implements Initializer {
  readonly wrapped: InitializerFunction;

  constructor(wrapped: InitializerFunction) {
    super();
    this.wrapped = wrapped;
  }

  call(shape: Shape, dtype?: string): ArrayLike<number> {
    return this.wrapped(shape, dtype);
  }
}

/** An array as an initializer of weights that have its shape. */
class ArrayInitializer extends Wrapped implements Initializer {
  readonly wrapped: object;
  readonly #shape: Shape;
  readonly #values: Float64Array;

  constructor(wrapped: object) {
    super();
    this.wrapped = wrapped;
    const { shape, values } = readArray('initializers.get', 'the array', wrapped);
    this.#shape = shape;
    this.#values = values;
  }

  call(shape: Shape, _dtype?: string): Float64Array {
    checkWeightShape('initializers', shape);
    if (sameShape(shape, this.#shape)) return this.#values.slice();
    throw new LayerNormError(
      'ERR_SHAPE',
      `initializers: the array has shape ${formatShape(this.#shape)}, expected ${formatShape(shape)}, that of the weight`,
    );
  }
}

const FAMILY: Family<Initializer> = {
  noun: 'initializer',
  classes: {
    Zeros,
    Ones,
    Constant,
    Identity,
    RandomNormal,
    TruncatedNormal,
    RandomUniform,
    VarianceScaling,
    GlorotUniform,
    GlorotNormal,
    HeUniform,
    HeNormal,
    LecunUniform,
    LecunNormal,
    Orthogonal,
    STFT,
  },
  aliases: {
    zero: 'Zeros',
    one: 'Ones',
    normal: 'RandomNormal',
    uniform: 'RandomUniform',
    IdentityInitializer: 'Identity',
    OrthogonalInitializer: 'Orthogonal',
    STFTInitializer: 'STFT',
    // TensorFlow.js has a capital more.
    LeCunUniform: 'LecunUniform',
    LeCunNormal: 'LecunNormal',
  },
  ofFunction: (call) => new FunctionInitializer(call as InitializerFunction),
  ofArray: (value) => new ArrayInitializer(value),
};

/**
 * What an identifier stands for.
 *
 * | identifier | gives |
 * |---|---|
 * | null, undefined | null |
 * | a name: `'HeNormal'`, `'he_normal'`, `'zero'` | the class with its defaults |
 * | `{ class_name, config }`, also with module and registered_name | the class with these arguments, in snake_case as Keras writes them |
 * | a class | an instance of it |
 * | an object with `call` | itself |
 * | a function `(shape, dtype) => values` | an initializer that calls it |
 * | an array or a tensor | an initializer of weights of that very shape; a typed array has one dimension |
 *
 * @example
 * ```ts
 * initializers.get('he_normal')?.call([3, 4]);
 * ```
 *
 * @param identifier - see above; names are case-sensitive
 * @param customObjects - classes and functions of your own, by the names that configs have for them
 * @throws {@link LayerNormError} `ERR_ARGUMENT`, with all known names where one is not known
 * @see Keras 3 `initializers.get`
 */
export function getInitializer(
  identifier: InitializerIdentifier | null | undefined,
  customObjects?: CustomObjects | null,
): Initializer | null {
  return resolve(FAMILY, identifier, customObjects);
}

/**
 * The initializer as Keras 3 writes it into a config; null for null.
 * @throws {@link LayerNormError} `ERR_ARGUMENT` for an array, a function without a name, and an object without `getConfig`
 */
export function serializeInitializer(
  initializer: Initializer | InitializerFunction | null | undefined,
): SerializedObject | null {
  return serialized(FAMILY, initializer);
}

/**
 * Makes the initializer that {@link serializeInitializer} or Keras wrote; null from null.
 * @param customObjects - classes and functions of your own, by the names that the config has for them
 * @throws {@link LayerNormError} `ERR_ARGUMENT`
 */
export function deserializeInitializer(
  config: SerializedIdentifier | string | null,
  customObjects?: CustomObjects | null,
): Initializer | null {
  return resolve(FAMILY, config, customObjects);
}

/** Keras' `keras.initializers`. One object, not a namespace of the module, so that bundlers can leave it out. */
export const initializers = {
  Zeros,
  Ones,
  Constant,
  Identity,
  RandomNormal,
  TruncatedNormal,
  RandomUniform,
  VarianceScaling,
  GlorotUniform,
  GlorotNormal,
  HeUniform,
  HeNormal,
  LecunUniform,
  LecunNormal,
  Orthogonal,
  STFT,
  SeedGenerator,
  get: getInitializer,
  serialize: serializeInitializer,
  deserialize: deserializeInitializer,
};

/** The types of the classes in {@link initializers}. */
export declare namespace initializers {
  export type Zeros = InstanceType<typeof Zeros>;
  export type Ones = InstanceType<typeof Ones>;
  export type Constant = InstanceType<typeof Constant>;
  export type Identity = InstanceType<typeof Identity>;
  export type RandomNormal = InstanceType<typeof RandomNormal>;
  export type TruncatedNormal = InstanceType<typeof TruncatedNormal>;
  export type RandomUniform = InstanceType<typeof RandomUniform>;
  export type VarianceScaling = InstanceType<typeof VarianceScaling>;
  export type GlorotUniform = InstanceType<typeof GlorotUniform>;
  export type GlorotNormal = InstanceType<typeof GlorotNormal>;
  export type HeUniform = InstanceType<typeof HeUniform>;
  export type HeNormal = InstanceType<typeof HeNormal>;
  export type LecunUniform = InstanceType<typeof LecunUniform>;
  export type LecunNormal = InstanceType<typeof LecunNormal>;
  export type Orthogonal = InstanceType<typeof Orthogonal>;
  export type STFT = InstanceType<typeof STFT>;
  export type SeedGenerator = InstanceType<typeof SeedGenerator>;
}
