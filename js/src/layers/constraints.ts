import { describe, LayerNormError } from '../runtime/errors.js';
import { hasAxis, readAxes, type Shape } from '../tensor/shape.js';
import {
  type Config,
  Configurable,
  type CustomObjects,
  checkValues,
  type Family,
  readArguments,
  readNumber,
  resolve,
  type SerializedIdentifier,
  type SerializedObject,
  serialized,
  Wrapped,
} from './serialization.js';

/** What projects a weight after each update. Any object with such a `call` is one. */
export interface Constraint {
  /** The name that configs have for the class. @defaultValue the name of the class */
  readonly className?: string;
  /**
   * @param values - the weight, row-major; not to be changed
   * @param shape - its sizes, outermost first
   * @returns the values that the weight gets, as many, row-major
   */
  call(values: ArrayLike<number>, shape: Shape): ArrayLike<number>;
  /** The arguments of the constructor. Needed where the constraint is to be written to a config. */
  getConfig?(): Config;
}

/** A constraint as a plain function. */
export type ConstraintFunction = (values: ArrayLike<number>, shape: Shape) => ArrayLike<number>;

/** Keras' names for its constraints. */
export type ConstraintName = 'max_norm' | 'min_max_norm' | 'non_neg' | 'unit_norm';

/** Everything that {@link getConstraint} understands. */
export type ConstraintIdentifier =
  | ConstraintName
  | (string & {})
  | SerializedIdentifier
  | Constraint
  | ConstraintFunction
  | (new () => Constraint);

/** Options of {@link UnitNorm}, and of all that look at norms. */
export interface NormOptions {
  /**
   * The dimension, or dimensions, that a norm runs over: 0 for the kernel of a dense layer, [0, 1, 2] for that of a convolution. Of a
   * weight with one dimension, as gamma, it is the norm of it all. As in Keras, null does not stand for the default here, but for
   * all dimensions.
   * @defaultValue 0
   */
  axis?: number | readonly number[] | null;
}

/** Keras' epsilon, which keeps zeros from being divided by zero. */
const EPSILON = 1e-7;

/** What multiplies groups of elements by a factor that depends on their L2 norm. */
abstract class Rescaling extends Configurable implements Constraint {
  readonly axis: number | readonly number[] | null;

  constructor(operation: string, axis: unknown) {
    super();
    this.axis = readAxisOption(operation, axis);
  }

  /** The norm that a group of this norm is to have. */
  protected abstract wanted(norm: number): number;

  /** x * wanted(norm) / (1e-7 + norm): norms end a little below what was wanted. */
  call(values: ArrayLike<number>, shape: Shape): Float64Array {
    const operation = `${this.className}.call`;
    checkValues(operation, values, shape);
    const groupOf = groupsOf(shape, this.axis === null ? -1 : readAxes(operation, this.axis, shape));
    const factors = new Float64Array(values.length);
    groupOf.forEach((group, i) => {
      (factors[group] as number) += (values[i] as number) ** 2;
    });
    factors.forEach((squares, group) => {
      const norm = Math.sqrt(squares);
      factors[group] = this.wanted(norm) / (EPSILON + norm);
    });
    return Float64Array.from(groupOf, (group, i) => (values[i] as number) * (factors[group] as number));
  }

  protected axisConfig(): number | number[] | null {
    return typeof this.axis === 'object' && this.axis ? [...this.axis] : (this.axis as number | null);
  }
}

function readAxisOption(operation: string, axis: unknown): Rescaling['axis'] {
  if (axis === undefined) return 0;
  if (axis === null || Number.isInteger(axis)) return axis as number | null;
  if (Array.isArray(axis) && axis.every(Number.isInteger)) return [...axis];
  throw new LayerNormError(
    'ERR_AXIS',
    `${operation}: axis is ${describe(axis)}, expected an integer, an array of integers, or null`,
  );
}

/** For each element, row-major, a number that it shares with those that differ from it along `axes` only. */
function groupsOf(shape: Shape, axes: number): number[] {
  let groups = [0];
  shape.forEach((size, i) => {
    groups = groups.flatMap((group) =>
      Array.from({ length: size }, (_, k) => (hasAxis(axes, i) ? group : group * size + k)),
    );
  });
  return groups;
}

/** Options of {@link MaxNorm}. */
export interface MaxNormOptions extends NormOptions {
  /** @defaultValue 2 */
  maxValue?: number | null;
}

/** Norms of at most `maxValue`. */
export class MaxNorm extends Rescaling {
  readonly className = 'MaxNorm';
  readonly maxValue: number;

  /** @throws {@link LayerNormError} `ERR_ARGUMENT`, `ERR_AXIS` */
  constructor(options?: MaxNormOptions | null) {
    const example = '{ maxValue: 2, axis: 0 }';
    const { maxValue, axis } = readArguments('MaxNorm', options, { maxValue: true, axis: true }, example);
    super('MaxNorm', axis);
    this.maxValue = readNumber('MaxNorm', 'maxValue', maxValue, 2);
  }

  protected wanted(norm: number): number {
    return clip(norm, 0, this.maxValue);
  }

  override getConfig(): Config {
    return { max_value: this.maxValue, axis: this.axisConfig() };
  }
}

function clip(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

/** Options of {@link MinMaxNorm}. */
export interface MinMaxNormOptions extends NormOptions {
  /** @defaultValue 0 */
  minValue?: number | null;
  /** @defaultValue 1 */
  maxValue?: number | null;
  /** How much of the way to go with each update: 1 for all of it. @defaultValue 1 */
  rate?: number | null;
}

const MIN_MAX_OPTIONS: Record<keyof MinMaxNormOptions, true> = {
  minValue: true,
  maxValue: true,
  rate: true,
  axis: true,
};

/** Norms from `minValue` to `maxValue`. */
export class MinMaxNorm extends Rescaling {
  readonly className = 'MinMaxNorm';
  readonly minValue: number;
  readonly maxValue: number;
  readonly rate: number;

  /** @throws {@link LayerNormError} `ERR_ARGUMENT`, `ERR_AXIS` */
  constructor(options?: MinMaxNormOptions | null) {
    const operation = 'MinMaxNorm';
    const read = readArguments(operation, options, MIN_MAX_OPTIONS, '{ minValue: 0, maxValue: 1 }');
    super(operation, read.axis);
    this.minValue = readNumber(operation, 'minValue', read.minValue, 0);
    this.maxValue = readNumber(operation, 'maxValue', read.maxValue, 1);
    this.rate = readNumber(operation, 'rate', read.rate, 1);
  }

  protected wanted(norm: number): number {
    return this.rate * clip(norm, this.minValue, this.maxValue) + (1 - this.rate) * norm;
  }

  override getConfig(): Config {
    const { minValue, maxValue, rate } = this;
    return { min_value: minValue, max_value: maxValue, rate, axis: this.axisConfig() };
  }
}

/** Norms of 1. */
export class UnitNorm extends Rescaling {
  readonly className = 'UnitNorm';

  /** @throws {@link LayerNormError} `ERR_ARGUMENT`, `ERR_AXIS` */
  constructor(options?: NormOptions | null) {
    const { axis } = readArguments('UnitNorm', options, { axis: true }, '{ axis: 0 }');
    super('UnitNorm', axis);
  }

  protected wanted(): number {
    return 1;
  }

  override getConfig(): Config {
    return { axis: this.axisConfig() };
  }
}

/** No negative values: they become 0. */
export class NonNeg extends Configurable implements Constraint {
  readonly className = 'NonNeg';

  constructor(options?: Record<never, never> | null) {
    super();
    readArguments('NonNeg', options, {}, '{}');
  }

  call(values: ArrayLike<number>, shape: Shape): Float64Array {
    checkValues('NonNeg.call', values, shape);
    return Float64Array.from(values, (x) => Math.max(x, 0));
  }
}

/** A plain function as a constraint. */
class FunctionConstraint extends Wrapped implements Constraint {
  readonly wrapped: ConstraintFunction;

  constructor(wrapped: ConstraintFunction) {
    super();
    this.wrapped = wrapped;
  }

  call(values: ArrayLike<number>, shape: Shape): ArrayLike<number> {
    return this.wrapped(values, shape);
  }
}

const FAMILY: Family<Constraint> = {
  noun: 'constraint',
  classes: { MaxNorm, MinMaxNorm, NonNeg, UnitNorm },
  aliases: {},
  ofFunction: (call) => new FunctionConstraint(call as ConstraintFunction),
};

/**
 * What an identifier stands for: null for null; for a name such as `'NonNeg'` or `'non_neg'` the class with its defaults; for
 * `{ class_name, config }` the class with these arguments; for a class an instance of it; an object with `call` itself; a
 * function `(values, shape) => values` as a constraint.
 *
 * @param identifier - see above; names are case-sensitive
 * @param customObjects - classes and functions of your own, by the names that configs have for them
 * @throws {@link LayerNormError} `ERR_ARGUMENT`, with all known names where one is not known
 * @see Keras 3 `constraints.get`
 */
export function getConstraint(
  identifier: ConstraintIdentifier | null | undefined,
  customObjects?: CustomObjects | null,
): Constraint | null {
  return resolve(FAMILY, identifier, customObjects);
}

/**
 * The constraint as Keras 3 writes it into a config; null for null.
 * @throws {@link LayerNormError} `ERR_ARGUMENT` for a function without a name, and an object without `getConfig`
 */
export function serializeConstraint(
  constraint: Constraint | ConstraintFunction | null | undefined,
): SerializedObject | null {
  return serialized(FAMILY, constraint);
}

/**
 * Makes the constraint that {@link serializeConstraint} or Keras wrote; null from null.
 * @param customObjects - classes and functions of your own, by the names that the config has for them
 * @throws {@link LayerNormError} `ERR_ARGUMENT`
 */
export function deserializeConstraint(
  config: SerializedIdentifier | string | null,
  customObjects?: CustomObjects | null,
): Constraint | null {
  return resolve(FAMILY, config, customObjects);
}

/** Keras' `keras.constraints`. One object, not a namespace of the module, so that bundlers can leave it out. */
export const constraints = {
  MaxNorm,
  MinMaxNorm,
  NonNeg,
  UnitNorm,
  get: getConstraint,
  serialize: serializeConstraint,
  deserialize: deserializeConstraint,
};

/** The types of the classes in {@link constraints}. */
export declare namespace constraints {
  export type MaxNorm = InstanceType<typeof MaxNorm>;
  export type MinMaxNorm = InstanceType<typeof MinMaxNorm>;
  export type NonNeg = InstanceType<typeof NonNeg>;
  export type UnitNorm = InstanceType<typeof UnitNorm>;
}
