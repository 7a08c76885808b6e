// What is exported as code: the data, the settings, and what follows from both.

import { type Layout, layoutOf } from '../../compute/groups.js';
import { METHODS, type MethodName } from '../../compute/methods.js';
import type { Parameter, Settings } from '../protocol.js';

export interface Subject {
  readonly shape: readonly number[];
  /** Whether dimension 0 counts samples; else x is a batch of one. */
  readonly hasBatch: boolean;
  /** The type of the elements as they are kept, and the type that is computed in. */
  readonly stored: string;
  readonly computed: 'float32' | 'float64';
  /** The elements, row-major, where they are few enough to be written down. */
  readonly values: ArrayLike<number> | undefined;
  /** The file that the data come from, if that is a .npy. */
  readonly npy: string | undefined;
  readonly settings: Settings;
}

/** gamma or beta: its shape, and one number for all or one for each place. */
export interface Weights {
  readonly shape: readonly number[];
  readonly values: number | readonly number[];
}

/** All that the frameworks need to know, each of which has its own idea of where channels lie. */
export interface Plan {
  readonly method: MethodName;
  readonly subject: Subject;
  readonly layout: Layout;
  /** The shape of x; for methods that know channels with a batch dimension, and with one of channels. */
  readonly shape: readonly number[];
  /** The dimensions of that shape that are reduced, ascending; of methods that know channels, where those lie. */
  readonly axes: readonly number[];
  readonly channel: number;
  readonly channels: number;
  readonly groups: number;
  readonly epsilon: number;
  readonly gamma: Weights | undefined;
  readonly beta: Weights | undefined;
  /** How many elements share a statistic. */
  readonly size: number;
}

export function planOf(subject: Subject): Plan {
  const { settings, hasBatch } = subject;
  const { method } = settings;
  const { isPerChannel, hasGamma, hasBeta } = METHODS[method];
  const layout = layoutOf(subject.shape, settings, hasBatch);
  const [cut] = settings.axis;
  const shape = isPerChannel
    ? [...(hasBatch ? [] : [1]), ...subject.shape, ...(cut === undefined ? [1] : [])]
    : subject.shape;
  const channel = !isPerChannel ? -1 : cut === undefined ? shape.length - 1 : hasBatch ? cut : cut + 1;
  const channels = isPerChannel ? (shape[channel] as number) : 0;
  const weightShape = isPerChannel ? [channels] : layout.reduced.map((d) => subject.shape[d] as number);
  const weights = (parameter: Parameter): Weights | undefined =>
    parameter === undefined ? undefined : { shape: weightShape, values: constantOf(parameter) };
  return {
    method,
    subject,
    layout,
    shape,
    axes: layout.reduced,
    channel,
    channels,
    groups: method === 'group' ? settings.groups : method === 'instance' ? channels : 1,
    epsilon: settings.epsilon,
    gamma: hasGamma ? weights(settings.gamma) : undefined,
    beta: hasBeta ? weights(settings.beta) : undefined,
    size: layout.reduced.reduce((product, d) => product * (layout.shape[d] as number), 1),
  };
}

/** Without a gamma of ones and a beta of zeros, which layers begin with and formulas have no need of. */
export function withoutNeutral(plan: Plan): Plan {
  const { gamma, beta } = plan;
  return {
    ...plan,
    gamma: gamma?.values === 1 ? undefined : gamma,
    beta: beta?.values === 0 ? undefined : beta,
  };
}

/** A list of equal numbers is written as the number. */
function constantOf(parameter: Exclude<Parameter, undefined>): number | readonly number[] {
  if (typeof parameter === 'number') return parameter;
  const [first] = parameter;
  return first !== undefined && parameter.length > 1 && parameter.every((value) => Object.is(value, first))
    ? first
    : parameter;
}

/** Whether the last dimensions are the ones that are reduced, as most frameworks have it. */
export function isTrailing({ axes, shape }: Plan): boolean {
  return axes.every((d, i) => d === shape.length - axes.length + i);
}

/** The shape that gamma and beta take beside the elements as the layout has them. */
export function besideLayout({ layout }: Plan): number[] {
  return layout.shape.map((size, d) => (layout.parameters.includes(d) ? size : 1));
}

export function product(sizes: readonly number[]): number {
  return sizes.reduce((all, size) => all * size, 1);
}

export function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

/** Whether the formula needs the channels split into groups and the places in them. */
export function hasParts({ layout, subject }: Plan): boolean {
  return !sameNumbers(layout.shape, subject.shape);
}
