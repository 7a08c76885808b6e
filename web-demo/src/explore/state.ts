// Explore in the address: what a link restores, as text and back. Whatever is wrong with a text, what it says is left out.

import type { State } from '../app/view.js';
import { defaultGroups, epsilonText, METHOD_NAMES, METHODS, type MethodName } from '../compute/methods.js';
import { shortest } from './export/text.js';
import { type LinkedNumbers, NUMBER_TYPES, type Parameter, type Settings } from './protocol.js';

/** Data and parameters of up to this many numbers fit in a link. */
export const MOST_NUMBERS = 256;
/** What the package takes. */
const MOST_DIMENSIONS = 32;

/** Settings that a link has; the others are the defaults. */
export type LinkedSettings = {
  readonly [Name in Exclude<keyof Settings, 'gamma' | 'beta'>]?: Settings[Name] | undefined;
} & {
  readonly gamma?: LinkedParameter;
  readonly beta?: LinkedParameter;
};
/** That there is none is something else than that the link does not say. */
type LinkedParameter = Parameter | typeof NONE;
const NONE = 'none';

/** What Keras begins with, and the page. */
const NEUTRAL = { gamma: 1, beta: 0 } as const;

export type Texts = Record<string, string | undefined>;

const DATA_NAMES = ['shape', 'x', 'type', 'kind', 'file'] as const;

export function numbersToState(numbers: LinkedNumbers): Texts {
  const { shape, type, isPicture, values } = numbers;
  return {
    shape: shape.join(','),
    x: values.map((value) => numberText(value, type !== 'float64')).join(','),
    type: type === 'float32' ? undefined : type,
    kind: isPicture ? 'picture' : undefined,
    file: undefined,
  };
}

/** Data that are too many, or none that a link needs: undefined where an example says it all. */
export function fileToState(file: string | undefined): Texts {
  return { shape: undefined, x: undefined, type: undefined, kind: undefined, file };
}

export function numbersFromState(state: Pick<State, 'get'>): LinkedNumbers | undefined {
  const shape = list(state.get('shape'), sizeOf);
  const values = list(state.get('x'), numberOf);
  if (!shape || !values || shape.length > MOST_DIMENSIONS || values.length > MOST_NUMBERS) return undefined;
  if (shape.reduce((product, size) => product * size, 1) !== values.length) return undefined;
  const isPicture =
    state.get('kind') === 'picture' && (shape.length === 2 || (shape.length === 3 && shape[2] === 3));
  const type = NUMBER_TYPES.find((type) => type === state.get('type')) ?? 'float32';
  return { shape, type, isPicture, values: type === 'float64' ? values : values.map(Math.fround) };
}

export function fileFromState(state: Pick<State, 'get'>): string | undefined {
  return state.get('file') || undefined;
}

/** What the address says of the data, to see whether that has changed. */
export function dataKey(state: Pick<State, 'get'>): string {
  return JSON.stringify(['example', ...DATA_NAMES].map((name) => state.get(name) ?? null));
}

/** What the axis is at first: that depends on the data. */
export type DefaultAxis = (method: MethodName) => readonly number[];

export function settingsToState(
  settings: Settings,
  shape: readonly number[],
  defaultAxis: DefaultAxis,
): Texts {
  const { method, axis, groups, epsilon, gamma, beta } = settings;
  const { hasGamma, hasBeta } = METHODS[method];
  const isDefaultAxis = axis.join() === defaultAxis(method).join();
  return {
    method: method === 'layer' ? undefined : method,
    axis: isDefaultAxis || axis.length === 0 ? undefined : axis.join(','),
    groups: method === 'group' && groups !== defaultGroupsOf(axis, shape) ? String(groups) : undefined,
    epsilon: epsilon === METHODS[method].epsilon ? undefined : epsilonText(epsilon),
    gamma: hasGamma ? parameterText(gamma, NEUTRAL.gamma) : undefined,
    beta: hasBeta ? parameterText(beta, NEUTRAL.beta) : undefined,
  };
}

export function settingsFromState(state: Pick<State, 'get'>): LinkedSettings {
  const epsilon = numberOf(state.get('epsilon') ?? '');
  return {
    method: METHOD_NAMES.find((name) => name === state.get('method')),
    axis: list(state.get('axis'), indexOf),
    groups: sizeOf(state.get('groups') ?? ''),
    epsilon: epsilon !== undefined && epsilon >= 0 && Number.isFinite(epsilon) ? epsilon : undefined,
    gamma: parameterOf(state.get('gamma')),
    beta: parameterOf(state.get('beta')),
  };
}

/** All settings, for some data. */
export function completed(
  linked: LinkedSettings,
  shape: readonly number[],
  defaultAxis: DefaultAxis,
): Settings {
  const { method = 'layer', gamma = NEUTRAL.gamma, beta = NEUTRAL.beta } = linked;
  const exists =
    linked.axis?.every((d) => d < shape.length) && new Set(linked.axis).size === linked.axis.length;
  const axis = linked.axis && exists ? [...linked.axis].sort((a, b) => a - b) : defaultAxis(method);
  const groups = linked.groups ?? defaultGroupsOf(axis, shape);
  return {
    method,
    axis,
    groups,
    epsilon: linked.epsilon ?? METHODS[method].epsilon,
    gamma: gamma === NONE ? undefined : gamma,
    beta: beta === NONE ? undefined : beta,
  };
}

function defaultGroupsOf([channel]: readonly number[], shape: readonly number[]): number {
  return channel === undefined ? 1 : defaultGroups(shape[channel] ?? 1);
}

/** The indices of an element of x; the first one needs no mention. */
export function cellToText(index: readonly number[]): string | undefined {
  return index.every((i) => i === 0) ? undefined : index.join(',');
}

export function cellFromText(
  text: string | undefined,
  shape: readonly number[],
): readonly number[] | undefined {
  const index = list(text, indexOf);
  const exists = index?.length === shape.length && index.every((i, d) => i < (shape[d] as number));
  return exists ? index : undefined;
}

/** A list of one number ends with a comma, which tells it from a number for all. */
function parameterText(parameter: Parameter, neutral: number): string | undefined {
  if (parameter === undefined) return NONE;
  if (Object.is(parameter, neutral)) return undefined;
  if (typeof parameter === 'number') return numberText(parameter, false);
  if (parameter.length > MOST_NUMBERS) return undefined;
  return parameter.map((value) => numberText(value, false)).join(',') + (parameter.length === 1 ? ',' : '');
}

function parameterOf(text: string | undefined): LinkedParameter {
  if (text === undefined || text === NONE) return text;
  return text.includes(',') ? list(text.replace(/,$/, ''), numberOf) : numberOf(text);
}

function numberText(value: number, isSingle: boolean): string {
  return Object.is(value, -0) ? '-0' : shortest(value, isSingle);
}

/** All parts of a text, undefined unless each can be read. */
function list<T>(text: string | undefined, read: (part: string) => T | undefined): readonly T[] | undefined {
  if (!text || text.length > 32 * MOST_NUMBERS) return undefined;
  const parts = text.split(',').map(read);
  return parts.every((part) => part !== undefined) ? parts : undefined;
}

function numberOf(text: string): number | undefined {
  if (text === 'NaN') return Number.NaN;
  if (/^-?Infinity$/.test(text)) return Number(text);
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}

function indexOf(text: string): number | undefined {
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function sizeOf(text: string): number | undefined {
  const size = indexOf(text);
  return size === 0 ? undefined : size;
}
