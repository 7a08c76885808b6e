// What layers read: options of constructors, configs, and shapes that are not wholly known.

import { isOptions } from '../ops/options.js';
import { describe, LayerNormError } from '../runtime/errors.js';
import { formatShape, type PartialShape, type Shape } from '../tensor/shape.js';
import { getConstraint } from './constraints.js';
import { getInitializer, type Initializer } from './initializers.js';
import { getRegularizer } from './regularizers.js';
import { type Config, type CustomObjects, camelCase, snakeCase } from './serialization.js';

/** Keras' `backend.epsilon()`, which an epsilon of None stands for. */
export const BACKEND_EPSILON = 1e-7;

/** Keys of older configs that say nothing about the layer itself. */
const IGNORED_KEYS: ReadonlySet<string> = /* @__PURE__ */ new Set([
  'batch_input_shape',
  'batch_shape',
  'input_shape',
  'input_dim',
  'batchInputShape',
  'inputShape',
  'inputDtype',
  'input_dtype',
]);

/** How often each automatic name has been given. */
const nameCounts = /* @__PURE__ */ new Map<string, number>();

/** Keras' next automatic name for a layer of a class: layer_normalization, layer_normalization_1, ... */
export function automaticName(className: string): string {
  const stem = snakeCase(className);
  const count = nameCounts.get(stem) ?? 0;
  nameCounts.set(stem, count + 1);
  return count === 0 ? stem : `${stem}_${count}`;
}

/**
 * An option that is on or off.
 * @throws {@link LayerNormError} `ERR_ARGUMENT` for anything but a boolean
 */
export function readBoolean(operation: string, name: string, value: unknown, fallback: boolean): boolean {
  if (value === undefined || value === null) return fallback;
  if (typeof value === 'boolean') return value;
  throw new LayerNormError(
    'ERR_ARGUMENT',
    `${operation}: ${name} is ${describe(value)}, expected true or false`,
  );
}

/**
 * An option `axis` of a layer: an integer, or a list of integers, which is copied.
 * @param expected - how Keras words that it is anything else
 * @throws {@link LayerNormError} `ERR_AXIS` for anything else, null too
 */
export function readAxisOption(
  className: string,
  axis: unknown,
  expected = "Expected an int or a list/tuple of ints for the argument 'axis',",
): number | readonly number[] {
  if (axis === undefined) return -1;
  if (Number.isInteger(axis)) return axis as number;
  if (Array.isArray(axis) && axis.every(Number.isInteger)) return [...axis];
  throw new LayerNormError('ERR_AXIS', `${className}: ${expected} got ${describe(axis)}`);
}

/**
 * The option `axis` of a layer with channels: an integer, also in a list, as Keras 2 wrote it.
 * @throws {@link LayerNormError} `ERR_AXIS`
 */
export function readChannelAxis(className: string, axis: unknown): number {
  const value = Array.isArray(axis) && axis.length === 1 ? axis[0] : (axis ?? -1);
  if (Number.isInteger(value)) return value;
  throw new LayerNormError('ERR_AXIS', `${className}: axis is ${describe(axis)}, expected an integer`);
}

/**
 * The option `name`.
 * @throws {@link LayerNormError} `ERR_ARGUMENT`
 */
export function readName(className: string, name: unknown): string | undefined {
  if (name === undefined || name === null) return undefined;
  if (typeof name === 'string' && name !== '' && !name.includes('/')) return name;
  throw new LayerNormError(
    'ERR_ARGUMENT',
    `${className}: Argument \`name\` must be a string and cannot contain character \`/\`, got ${describe(name)}`,
  );
}

/**
 * Checks sizes of which some may be null.
 * @throws {@link LayerNormError} `ERR_SHAPE`
 */
export function checkPartialShape(operation: string, shape: unknown): asserts shape is PartialShape {
  if (Array.isArray(shape) && shape.every((size) => size === null || (Number.isInteger(size) && size >= 0)))
    return;
  throw new LayerNormError(
    'ERR_SHAPE',
    `${operation}: the shape of the input is ${describe(shape)}, expected an array of sizes, null for those that vary`,
  );
}

/** The sizes of a weight: all of them have to be known. */
export function knownSizes(operation: string, inputShape: PartialShape, axes: readonly number[]): number[] {
  return axes.map((axis) => {
    const size = inputShape[axis];
    if (typeof size === 'number') return size;
    throw new LayerNormError(
      'ERR_SHAPE',
      `${operation}: Axis ${axis} of the input should have a defined dimension but the layer received an input with shape ` +
        formatShape(inputShape),
    );
  });
}

/**
 * Refuses an input that weights were not made for.
 * @throws {@link LayerNormError} `ERR_SHAPE`
 */
export function checkFits(
  operation: string,
  name: string,
  shape: Shape,
  rank: number,
  axis: number,
  size: number,
): void {
  if (shape.length === rank && shape[axis] === size) return;
  throw new LayerNormError(
    'ERR_SHAPE',
    `${operation}: Input 0 of layer "${name}" is incompatible with the layer: ` +
      (shape.length === rank ? `expected axis ${axis} to have size ${size}` : `expected rank ${rank}`) +
      `, found x ${formatShape(shape)}`,
  );
}

/** The initializer that an option stands for. Keras takes its default for None: GlorotUniform. */
export function initializerOrDefault(initializer: Initializer | null): Initializer {
  return initializer ?? (getInitializer('glorot_uniform') as Initializer);
}

/** Python's containers in JSON: a tuple, and an array of NumPy. */
export function plain(value: unknown): unknown {
  if (!isOptions(value)) return value;
  const { class_name: name, items, config } = value as Record<string, unknown>;
  if (name === '__tuple__') return items;
  if (name === '__numpy__' || name === '__tensor__')
    return (config as { value?: unknown } | undefined)?.value;
  return value;
}

const FAMILIES: readonly (readonly [RegExp, (value: never, custom?: CustomObjects | null) => unknown])[] = [
  [/_?[iI]nitializer$/, getInitializer],
  [/_?[rR]egularizer$/, getRegularizer],
  [/_?[cC]onstraint$/, getConstraint],
];

/** The options of a constructor, of a config. */
export function optionsOf(config: Config, customObjects?: CustomObjects | null): Record<string, unknown> {
  if (!isOptions(config)) {
    throw new LayerNormError('ERR_ARGUMENT', `fromConfig: config is ${describe(config)}, expected an object`);
  }
  const options: Record<string, unknown> = {};
  for (const key in config) {
    if (IGNORED_KEYS.has(key)) continue;
    const value = plain(config[key]);
    const get = FAMILIES.find(([pattern]) => pattern.test(key))?.[1];
    options[camelCase(key)] = get ? get(value as never, customObjects) : value;
  }
  return options;
}
