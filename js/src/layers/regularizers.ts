import { describe, LayerNormError } from '../runtime/errors.js';
import { formatShape, type Shape } from '../tensor/shape.js';
import {
  type Config,
  Configurable,
  type CustomObjects,
  checkValues,
  type Family,
  readArguments,
  readWord,
  resolve,
  type SerializedIdentifier,
  type SerializedObject,
  serialized,
  Wrapped,
} from './serialization.js';

/** What adds a penalty on a weight to the loss. Any object with such a `call` is one. */
export interface Regularizer {
  /** The name that configs have for the class. @defaultValue the name of the class */
  readonly className?: string;
  /**
   * @param values - the weight, row-major
   * @param shape - its sizes, outermost first
   * @returns the penalty
   */
  call(values: ArrayLike<number>, shape: Shape): number;
  /**
   * The derivative of the penalty by each value. Needed for training.
   * @param values - the weight, row-major
   * @param shape - its sizes, outermost first
   * @returns as many numbers, row-major
   */
  gradient?(values: ArrayLike<number>, shape: Shape): ArrayLike<number>;
  /** The arguments of the constructor. Needed where the regularizer is to be written to a config. */
  getConfig?(): Config;
}

/** A regularizer as a plain function. It has no gradient, so it cannot be trained with. */
export type RegularizerFunction = (values: ArrayLike<number>, shape: Shape) => number;

/** Keras' names for its regularizers. */
export type RegularizerName = 'l1' | 'l2' | 'l1_l2' | 'l1l2' | 'orthogonal_regularizer';

/** Everything that {@link getRegularizer} understands. */
export type RegularizerIdentifier =
  | RegularizerName
  | (string & {})
  | SerializedIdentifier
  | Regularizer
  | RegularizerFunction
  | (new () => Regularizer);

/** A factor: null stands for the default. */
function readFactor(operation: string, name: string, value: unknown, fallback: number): number {
  if (value === undefined || value === null) return fallback;
  if (Number.isFinite(value) && (value as number) >= 0) return value as number;
  throw new LayerNormError(
    'ERR_ARGUMENT',
    `${operation}: Invalid value for argument ${name}: expected a non-negative float, got ${describe(value)}`,
  );
}

/** l1 * sum |x| + l2 * sum x^2. */
abstract class Sums extends Configurable implements Regularizer {
  readonly l1: number;
  readonly l2: number;

  constructor(l1: number, l2: number) {
    super();
    this.l1 = l1;
    this.l2 = l2;
  }

  call(values: ArrayLike<number>, shape: Shape): number {
    checkValues(`${this.className}.call`, values, shape);
    let absolute = 0;
    let squares = 0;
    for (let i = 0; i < values.length; i++) {
      const x = values[i] as number;
      absolute += Math.abs(x);
      squares += x * x;
    }
    // A factor of 0 switches its term off, also where the sum is infinite.
    return (this.l1 && this.l1 * absolute) + (this.l2 && this.l2 * squares);
  }

  /** l1 * sign(x) + 2 * l2 * x, where the sign of 0 is 0. */
  gradient(values: ArrayLike<number>, shape: Shape): Float64Array {
    checkValues(`${this.className}.gradient`, values, shape);
    return Float64Array.from(values, (x) => this.l1 * Math.sign(x) + 2 * this.l2 * x);
  }
}

/** Options of {@link L1}. */
export interface L1Options {
  /** @defaultValue 0.01 */
  l1?: number | null;
}

/** The sum of absolute values, times a factor. */
export class L1 extends Sums {
  readonly className = 'L1';

  /** @throws {@link LayerNormError} `ERR_ARGUMENT` */
  constructor(options?: L1Options | null) {
    const { l1 } = readArguments('L1', options, { l1: true }, '{ l1: 0.01 }');
    super(readFactor('L1', 'l1', l1, 0.01), 0);
  }

  override getConfig(): Config {
    return { l1: this.l1 };
  }
}

/** Options of {@link L2}. */
export interface L2Options {
  /** @defaultValue 0.01 */
  l2?: number | null;
}

/** The sum of squares, times a factor: without the 1/2 that other libraries have there. */
export class L2 extends Sums {
  readonly className = 'L2';

  /** @throws {@link LayerNormError} `ERR_ARGUMENT` */
  constructor(options?: L2Options | null) {
    const { l2 } = readArguments('L2', options, { l2: true }, '{ l2: 0.01 }');
    super(0, readFactor('L2', 'l2', l2, 0.01));
  }

  override getConfig(): Config {
    return { l2: this.l2 };
  }
}

/** Options of {@link L1L2}. */
export interface L1L2Options {
  /** @defaultValue 0 */
  l1?: number | null;
  /** @defaultValue 0 */
  l2?: number | null;
}

/** The penalties of {@link L1} and {@link L2} together; without options no penalty at all. */
export class L1L2 extends Sums {
  readonly className = 'L1L2';

  /** @throws {@link LayerNormError} `ERR_ARGUMENT` */
  constructor(options?: L1L2Options | null) {
    const { l1, l2 } = readArguments('L1L2', options, { l1: true, l2: true }, '{ l1: 0.01, l2: 0.01 }');
    super(readFactor('L1L2', 'l1', l1, 0), readFactor('L1L2', 'l2', l2, 0));
  }

  override getConfig(): Config {
    return { l1: this.l1, l2: this.l2 };
  }
}

/** Which vectors of a matrix. */
export type OrthogonalMode = 'rows' | 'columns';

/** Options of {@link OrthogonalRegularizer}. */
export interface OrthogonalRegularizerOptions {
  /** @defaultValue 0.01 */
  factor?: number | null;
  /** Which vectors are to be orthogonal to each other. @defaultValue 'rows' */
  mode?: OrthogonalMode | null;
}

/** Norms below this count as this, as in Keras' `ops.normalize`: vectors of zeros stay zeros. */
const SMALLEST_NORM = 1e-7;

/**
 * The average over all pairs of rows, or columns, of the absolute value of the cosine between the two, times a factor. A matrix with
 * less than two of them has no penalty, where Keras gives NaN.
 */
export class OrthogonalRegularizer extends Configurable implements Regularizer {
  readonly className = 'OrthogonalRegularizer';
  readonly factor: number;
  readonly mode: OrthogonalMode;

  /** @throws {@link LayerNormError} `ERR_ARGUMENT` */
  constructor(options?: OrthogonalRegularizerOptions | null) {
    super();
    const operation = 'OrthogonalRegularizer';
    const example = "{ factor: 0.01, mode: 'rows' }";
    const { factor, mode } = readArguments(operation, options, { factor: true, mode: true }, example);
    this.factor = readFactor(operation, 'factor', factor, 0.01);
    this.mode = readWord(operation, 'mode', mode, ['rows', 'columns'], 'rows');
  }

  /** @throws {@link LayerNormError} `ERR_SHAPE` for any other rank than 2 */
  call(values: ArrayLike<number>, shape: Shape): number {
    const { vectors } = this.#normalized('call', values, shape);
    let sum = 0;
    vectors.forEach((vector, i) => {
      for (const other of vectors.slice(0, i)) sum += Math.abs(dot(vector, other));
    });
    return this.#perPair(vectors.length) * sum;
  }

  /**
   * With unit vectors u_i = x_i / |x_i|: the derivative by u_i is g_i = c * sum over j != i of sign(u_i . u_j) u_j, and that by x_i
   * (g_i - (g_i . u_i) u_i) / |x_i|.
   * @throws {@link LayerNormError} `ERR_SHAPE` for any other rank than 2
   */
  gradient(values: ArrayLike<number>, shape: Shape): Float64Array {
    const { vectors, norms, indexOf } = this.#normalized('gradient', values, shape);
    const gradient = new Float64Array(values.length);
    const each = this.#perPair(vectors.length);
    vectors.forEach((unit, i) => {
      const g = new Float64Array(unit.length);
      vectors.forEach((other, j) => {
        const weight = i === j ? 0 : each * Math.sign(dot(unit, other));
        for (let k = 0; k < g.length; k++) (g[k] as number) += weight * (other[k] as number);
      });
      const norm = norms[i] as number;
      // Where the norm is held at its smallest value it is a constant.
      const along = norm > SMALLEST_NORM ? dot(g, unit) : 0;
      const divisor = Math.max(norm, SMALLEST_NORM);
      for (let k = 0; k < g.length; k++) {
        gradient[indexOf(i, k)] = ((g[k] as number) - along * (unit[k] as number)) / divisor;
      }
    });
    return gradient;
  }

  #perPair(count: number): number {
    return count < 2 ? 0 : this.factor / ((count * (count - 1)) / 2);
  }

  #normalized(
    method: string,
    values: ArrayLike<number>,
    shape: Shape,
  ): { vectors: Float64Array[]; norms: number[]; indexOf: (vector: number, position: number) => number } {
    const operation = `OrthogonalRegularizer.${method}`;
    checkValues(operation, values, shape);
    if (shape.length !== 2) {
      throw new LayerNormError(
        'ERR_SHAPE',
        `${operation}: Inputs to OrthogonalRegularizer must have rank 2, got shape ${formatShape(shape)}`,
      );
    }
    const [rows, cols] = shape as [number, number];
    const [count, length] = this.mode === 'rows' ? [rows, cols] : [cols, rows];
    const indexOf = (vector: number, position: number): number =>
      this.mode === 'rows' ? vector * cols + position : position * cols + vector;
    const vectors = Array.from({ length: count }, (_, i) =>
      Float64Array.from({ length }, (_, k) => values[indexOf(i, k)] as number),
    );
    const norms = vectors.map((vector) => Math.sqrt(dot(vector, vector)));
    vectors.forEach((vector, i) => {
      const divisor = Math.max(norms[i] as number, SMALLEST_NORM);
      for (let k = 0; k < length; k++) (vector[k] as number) /= divisor;
    });
    return { vectors, norms, indexOf };
  }

  override getConfig(): Config {
    return { factor: this.factor, mode: this.mode };
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

/** A plain function as a regularizer. */
class FunctionRegularizer extends Wrapped implements Regularizer {
  readonly wrapped: RegularizerFunction;

  constructor(wrapped: RegularizerFunction) {
    super();
    this.wrapped = wrapped;
  }

  call(values: ArrayLike<number>, shape: Shape): number {
    return this.wrapped(values, shape);
  }
}

const FAMILY: Family<Regularizer> = {
  noun: 'regularizer',
  classes: { L1, L2, L1L2, OrthogonalRegularizer },
  // Keras' documentation promises this name, and Keras 2 had it with these defaults; 'l1l2' is the class with its own, 0 and 0.
  aliases: { l1_l2: ['L1L2', { l1: 0.01, l2: 0.01 }] },
  ofFunction: (call) => new FunctionRegularizer(call as RegularizerFunction),
};

/**
 * What an identifier stands for: null for null; for a name such as `'L2'` or `'l2'` the class with its defaults; for
 * `{ class_name, config }` the class with these arguments; for a class an instance of it; an object with `call` itself; a
 * function `(values, shape) => penalty` as a regularizer without a gradient.
 *
 * `'l1_l2'` is L1L2 with 0.01 and 0.01, as in Keras 2 and in the documentation of Keras 3, which refuses it; `'l1l2'` is L1L2 with its
 * defaults, so no penalty at all.
 *
 * @param identifier - see above; names are case-sensitive
 * @param customObjects - classes and functions of your own, by the names that configs have for them
 * @throws {@link LayerNormError} `ERR_ARGUMENT`, with all known names where one is not known
 * @see Keras 3 `regularizers.get`
 */
export function getRegularizer(
  identifier: RegularizerIdentifier | null | undefined,
  customObjects?: CustomObjects | null,
): Regularizer | null {
  return resolve(FAMILY, identifier, customObjects);
}

/**
 * The regularizer as Keras 3 writes it into a config; null for null.
 * @throws {@link LayerNormError} `ERR_ARGUMENT` for a function without a name, and an object without `getConfig`
 */
export function serializeRegularizer(
  regularizer: Regularizer | RegularizerFunction | null | undefined,
): SerializedObject | null {
  return serialized(FAMILY, regularizer);
}

/**
 * Makes the regularizer that {@link serializeRegularizer} or Keras wrote; null from null.
 * @param customObjects - classes and functions of your own, by the names that the config has for them
 * @throws {@link LayerNormError} `ERR_ARGUMENT`
 */
export function deserializeRegularizer(
  config: SerializedIdentifier | string | null,
  customObjects?: CustomObjects | null,
): Regularizer | null {
  return resolve(FAMILY, config, customObjects);
}

/** Keras' `keras.regularizers`. One object, not a namespace of the module, so that bundlers can leave it out. */
export const regularizers = {
  L1,
  L2,
  L1L2,
  OrthogonalRegularizer,
  get: getRegularizer,
  serialize: serializeRegularizer,
  deserialize: deserializeRegularizer,
};

/** The types of the classes in {@link regularizers}. */
export declare namespace regularizers {
  export type L1 = InstanceType<typeof L1>;
  export type L2 = InstanceType<typeof L2>;
  export type L1L2 = InstanceType<typeof L1L2>;
  export type OrthogonalRegularizer = InstanceType<typeof OrthogonalRegularizer>;
}
