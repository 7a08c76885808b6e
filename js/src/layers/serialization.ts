import { checkOptions, isOptions } from '../ops/options.js';
import { describe, LayerNormError } from '../runtime/errors.js';
import { defaultHeapOwner } from '../runtime/heap.js';
import { isSixteenBit } from '../tensor/dtype.js';
import { HeapTensor } from '../tensor/heap_tensor.js';
import { checkShape, elementCount, type Shape } from '../tensor/shape.js';
import { copierOf } from '../tensor/sixteen_bit.js';
import { elementsOf, readOperand } from '../tensor/tensor_like.js';

/** The arguments of a constructor as Keras writes them: JSON with keys in snake_case. */
export type Config = Record<string, unknown>;

/** An object as Keras 3 writes it into a config. */
export interface SerializedObject {
  /** Where the class lies, such as 'keras.initializers'; null for a class of your own. */
  module: string | null;
  /** The name of the class. */
  class_name: string;
  /** What its constructor is called with. */
  config: Config | string;
  /** The name that a class of your own goes by; null for those of Keras. */
  registered_name: string | null;
}

/** What is read where an object was written: also the short form of Keras 2 and TensorFlow.js. */
export type SerializedIdentifier = Pick<SerializedObject, 'class_name'> &
  Partial<Record<Exclude<keyof SerializedObject, 'class_name'>, unknown>>;

/** Classes of your own, and functions, by the names that configs have for them. */
export type CustomObjects = Readonly<Record<string, unknown>>;

/** What the initializers, regularizers and constraints of this package have in common. */
export abstract class Configurable {
  /** The name of the class in Keras, which no minifier changes. */
  abstract readonly className: string;

  /** The arguments of the constructor, with Keras' names: JSON. */
  getConfig(): Config {
    return {};
  }

  /**
   * Makes an instance from what {@link Configurable.getConfig} gave, or Keras' `get_config`.
   * @throws {@link LayerNormError} `ERR_ARGUMENT`
   */
  static fromConfig<T>(this: new (options: never) => T, config: Config): T {
    // biome-ignore lint/complexity/noThisInStatic: of the class that it is called on
    return fromConfig(this, config);
  }
}

type AnyClass<T> = new (options: never) => T;

/** One family of objects that identifiers stand for. */
export interface Family<T> {
  /** What one of them is called, as in Keras' messages. */
  readonly noun: 'initializer' | 'regularizer' | 'constraint';
  /** Keras' classes by their names. */
  readonly classes: Readonly<Record<string, AnyClass<T>>>;
  /** Further names, each with that of the class, and perhaps with other defaults than the class has. */
  readonly aliases: Readonly<Record<string, string | readonly [string, Config]>>;
  /** What makes one of a plain function. */
  readonly ofFunction: (call: (...values: never[]) => unknown) => T;
  /** What makes one of an array, where that is allowed. */
  readonly ofArray?: (value: object) => T;
}

/** Keras' rule: L1L2 -> l1l2, MinMaxNorm -> min_max_norm, STFT -> stft. */
export function snakeCase(name: string): string {
  return name
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}

/** max_value -> maxValue. */
export function camelCase(name: string): string {
  return name.replace(/_([a-z\d])/g, (_, letter: string) => letter.toUpperCase());
}

function fromConfig<T>(Class: AnyClass<T>, config: Config): T {
  // Initializers of TensorFlow 1 wrote the type of their weights, which nobody reads since.
  const entries = Object.entries(config).filter(([key]) => key !== 'dtype');
  const options = entries.map(([key, value]) => [camelCase(key), value]);
  return new Class(Object.fromEntries(options) as never);
}

/** Every name of a family: of the classes, these in snake_case, and the aliases. */
export function namesOf({ classes, aliases }: Family<unknown>): string[] {
  const names = Object.keys(classes);
  return [...new Set([...names, ...names.map(snakeCase), ...Object.keys(aliases)])];
}

/**
 * What an identifier stands for, as Keras' `get`: null for null; a name with the defaults of its class; a config; a class,
 * instantiated without arguments; a function, an array, or an object with a method `call` as it is.
 * @param customObjects - classes and functions of your own, by name
 * @throws {@link LayerNormError} `ERR_ARGUMENT`, with all known names where one is not known
 */
export function resolve<T>(
  family: Family<T>,
  identifier: unknown,
  customObjects?: CustomObjects | null,
): T | null {
  if (identifier === null || identifier === undefined) return null;
  if (typeof identifier === 'string') {
    return ofClassName(family, identifier, {}, customObjects) ?? unknown(family, identifier);
  }
  if (typeof identifier === 'function') return ofCallable(family, identifier);
  if (typeof identifier === 'object') {
    if (typeof (identifier as { call?: unknown }).call === 'function') return identifier as T;
    if ('class_name' in identifier)
      return ofSerialized(family, identifier as SerializedIdentifier, customObjects);
    if (family.ofArray && isArrayLike(identifier)) return family.ofArray(identifier);
    if (isOptions(identifier)) {
      throw new LayerNormError(
        'ERR_ARGUMENT',
        `${family.noun}s.get: Unknown \`config\`: an object without class_name, with the keys ` +
          `${describe(Object.keys(identifier))}. ${interpret(family, identifier)}, expected { class_name, config }`,
      );
    }
  }
  return unknown(family, identifier);
}

function isArrayLike(value: object): boolean {
  return Array.isArray(value) || ArrayBuffer.isView(value) || 'data' in value || HeapTensor.is(value);
}

/** A class has its `call` in its prototype; a function has no such thing. */
function isClass(value: object): value is AnyClass<never> {
  const { prototype } = value as { prototype?: { call?: unknown } };
  return typeof prototype?.call === 'function';
}

// biome-ignore lint/complexity/noBannedTypes: what typeof finds
function ofCallable<T>(family: Family<T>, value: Function): T {
  return isClass(value)
    ? new value(undefined as never)
    : family.ofFunction(value as (...values: never[]) => unknown);
}

function ofClassName<T>(
  family: Family<T>,
  name: string,
  config: Config,
  customObjects: CustomObjects | null | undefined,
): T | undefined {
  const custom = ofCustom(family, name, config, customObjects);
  if (custom !== undefined) return custom;
  const alias = Object.hasOwn(family.aliases, name) ? family.aliases[name] : undefined;
  const [className, defaults] = typeof alias === 'object' ? alias : [alias ?? name, {}];
  const { classes } = family;
  const found = Object.keys(classes).find((known) => known === className || snakeCase(known) === className);
  if (found === undefined) return undefined;
  return fromConfig(classes[found] as AnyClass<T>, { ...defaults, ...config });
}

function ofCustom<T>(
  family: Family<T>,
  name: unknown,
  config: Config,
  customObjects: CustomObjects | null | undefined,
): T | undefined {
  if (!customObjects || typeof name !== 'string' || !Object.hasOwn(customObjects, name)) return undefined;
  const custom = customObjects[name];
  if (typeof custom !== 'function') return resolve(family, custom, customObjects) ?? undefined;
  if (!isClass(custom)) return family.ofFunction(custom as (...values: never[]) => unknown);
  const make = (custom as { fromConfig?: (config: Config) => T }).fromConfig;
  return make ? make.call(custom, config) : new custom(config as never);
}

function ofSerialized<T>(
  family: Family<T>,
  identifier: SerializedIdentifier,
  customObjects: CustomObjects | null | undefined,
): T {
  const { class_name: name, module } = identifier;
  const registered = identifier.registered_name ?? undefined;
  const config = identifier.config ?? {};
  const where = `${family.noun}s.deserialize`;
  if (typeof name !== 'string') {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `${where}: Unknown \`config\`: class_name is ${describe(name)}, expected a string`,
    );
  }
  // How Keras writes a function: its name is the config.
  if (name === 'function' && typeof config === 'string') {
    return (
      ofCustom(family, config, {}, customObjects) ?? unknown(family, config, 'a function, in customObjects')
    );
  }
  if (!isOptions(config)) {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `${where}: Unknown \`config\` of ${name}: ${describe(config)}, expected an object`,
    );
  }
  const custom = ofCustom(family, registered, config as Config, customObjects);
  if (custom !== undefined) return custom;
  const ours =
    (module === undefined || (typeof module === 'string' && /(^|\.)(tf_)?keras(\.|$)/.test(module))) &&
    (registered === undefined || registered === name);
  const known = ours ? family : { ...family, classes: {}, aliases: {} };
  return (
    ofClassName(known, name, config as Config, customObjects) ??
    unknown(family, name, ours ? undefined : 'a class of your own, in customObjects')
  );
}

function interpret(family: Family<unknown>, identifier: unknown): string {
  return `Could not interpret ${family.noun} identifier: ${describe(identifier)}`;
}

/** Case and underscores aside. */
function plain(name: string): string {
  return name.replaceAll('_', '').toLowerCase();
}

function unknown(family: Family<unknown>, identifier: unknown, expected?: string): never {
  const names = namesOf(family);
  const meant =
    typeof identifier === 'string' ? names.find((name) => plain(name) === plain(identifier)) : undefined;
  const hint = meant === undefined ? '' : `did you mean '${meant}'? `;
  throw new LayerNormError(
    'ERR_ARGUMENT',
    `${family.noun}s.get: ${interpret(family, identifier)}, ${hint}expected ${expected ?? `one of ${names.join(', ')}`}`,
  );
}

/**
 * An object as Keras 3 writes it into a config; null for null. A class of your own goes by its `className`, or else by its name.
 * @throws {@link LayerNormError} `ERR_ARGUMENT` for what no config can say: an array, a function without a name, an object
 * without `getConfig`
 */
export function serialized(family: Family<unknown>, value: unknown): SerializedObject | null {
  if (value === null || value === undefined) return null;
  const of = value instanceof Wrapped ? value.wrapped : value;
  const { noun, classes } = family;
  if (typeof of === 'function' && !isClass(of) && of.name !== '') {
    return { module: 'builtins', class_name: 'function', config: of.name, registered_name: 'function' };
  }
  const { className, getConfig, constructor: Own } = of as Partial<Configurable>;
  if (typeof of !== 'object' || typeof getConfig !== 'function') {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `${noun}s.serialize: ${describe(of)} cannot be written to a config, expected an ${noun} with getConfig, or a function ` +
        'with a name',
    );
  }
  const config = getConfig.call(of);
  const Class = className !== undefined && Object.hasOwn(classes, className) ? classes[className] : undefined;
  // One that is of neither the class nor a class of its own above it comes out of another copy of this package.
  if (className !== undefined && Class && (Own === Class || !(of instanceof Class))) {
    return { module: `keras.${noun}s`, class_name: className, config, registered_name: null };
  }
  const name = (Class ? undefined : className) ?? Own?.name ?? '';
  return { module: null, class_name: name, config, registered_name: name };
}

/** What stands for something that has no class: a function or an array. */
export abstract class Wrapped {
  abstract readonly wrapped: unknown;
}

/**
 * Reads the options that a constructor is called with.
 * @param known - one key for each option
 * @param example - what they may look like, for the message
 * @throws {@link LayerNormError} `ERR_ARGUMENT`
 */
export function readArguments<Options extends object>(
  operation: string,
  options: Options | undefined | null,
  known: Record<keyof Options, true>,
  example: string,
): Options {
  if (options === undefined || options === null) return {} as Options;
  if (!isOptions(options)) {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `${operation}: options is ${describe(options)}, expected an object such as ${example}`,
    );
  }
  const [given] = Object.keys(options);
  if (given !== undefined && Object.keys(known).length === 0) {
    throw new LayerNormError('ERR_ARGUMENT', `${operation}: unknown option '${given}', expected none`);
  }
  checkOptions(operation, options, known);
  return options;
}

/**
 * A number among the options.
 * @throws {@link LayerNormError} `ERR_ARGUMENT` for anything but a finite number
 */
export function readNumber(operation: string, name: string, value: unknown, fallback: number): number {
  if (value === undefined || value === null) return fallback;
  if (Number.isFinite(value)) return value as number;
  throw new LayerNormError(
    'ERR_ARGUMENT',
    `${operation}: ${name} is ${describe(value)}, expected a finite number`,
  );
}

/**
 * One of some words among the options.
 * @throws {@link LayerNormError} `ERR_ARGUMENT`
 */
export function readWord<Word extends string>(
  operation: string,
  name: string,
  value: unknown,
  words: readonly Word[],
  fallback: Word,
): Word {
  if (value === undefined || value === null) return fallback;
  if (words.includes(value as Word)) return value as Word;
  throw new LayerNormError(
    'ERR_ARGUMENT',
    `${operation}: Invalid \`${name}\` argument: ${describe(value)}, expected one of ${describe(words)}`,
  );
}

/**
 * Checks the shape of a weight, which may be that of a single number, [].
 * @returns how many elements it has
 * @throws {@link LayerNormError} `ERR_SHAPE`
 */
export function checkWeightShape(operation: string, shape: unknown): number {
  if (!Array.isArray(shape) || shape.length > 0) checkShape(operation, 'the weight', shape);
  return elementCount(shape as Shape);
}

/**
 * Checks that there is a value for each element of a shape.
 * @throws {@link LayerNormError} `ERR_SHAPE`, `ERR_ARGUMENT`
 */
export function checkValues(operation: string, values: ArrayLike<number>, shape: Shape): void {
  const length: unknown = (values as ArrayLike<number> | undefined | null)?.length;
  const count = checkWeightShape(operation, shape);
  if (length === count) return;
  if (typeof length !== 'number') {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `${operation}: values is ${describe(values)}, expected an array`,
    );
  }
  throw new LayerNormError(
    'ERR_SHAPE',
    `${operation}: values has ${length} elements, expected ${count}, the product of the shape ${describe(shape)}`,
  );
}

/** The elements of an array of any kind, row-major and as numbers, and its shape. */
export function readArray(
  operation: string,
  argument: string,
  value: object,
): { shape: Shape; values: Float64Array } {
  const owner = HeapTensor.ownerFor(defaultHeapOwner(), value);
  const operand = readOperand(operation, owner, argument, value);
  const { stored, shape, length } = operand;
  const values = new Float64Array(length);
  const copy = copierOf(isSixteenBit(stored) ? stored : undefined, undefined);
  copy(values, 0, elementsOf(owner.heap(operation), operand), 0, length);
  return { shape: [...shape], values };
}
