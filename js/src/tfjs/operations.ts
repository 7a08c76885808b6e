// Normalizations of tensors of TensorFlow.js, with gradients.

import type { Settings } from './host.js';
import { type FusedName, hasKernels, runFused } from './kernels.js';
import type { Tensor, TensorFlow } from './tensorflow.js';

type Matrix = ReturnType<TensorFlow['matMul']> & Parameters<TensorFlow['matMul']>[0];

/** gamma and beta, each of which may be absent. */
interface Affine {
  readonly gamma?: Tensor | undefined;
  readonly beta?: Tensor | undefined;
}

export interface AxesOptions extends Affine {
  /** Ascending, from 0 on. */
  readonly axis: readonly number[];
  readonly epsilon: number;
  readonly rmsScaling?: boolean;
}

export interface ChannelOptions extends Affine {
  /** From 0 on. */
  readonly axis: number;
  readonly epsilon: number;
}

export interface GroupOptions extends ChannelOptions {
  readonly groups: number;
}

/** Everything about an operation that can be differentiated. */
interface Differentiable extends Affine {
  readonly forward: FusedName;
  readonly backward: FusedName;
  readonly settings: Settings;
  /** What the gradient takes in place of them. */
  readonly gradientSettings: Settings;
  /** What the forward call gives besides y, with shapes. */
  readonly statistics: Readonly<Record<string, readonly number[]>>;
  /** Those of them that its gradient needs. */
  readonly saved: readonly string[];
  /** Inputs besides x, gamma and beta, which are constants. */
  readonly constants?: Readonly<Record<string, Tensor>>;
  /** Gets what the forward call gives besides y, before it is disposed of. */
  readonly take?: (results: Readonly<Record<string, Tensor>>) => void;
}

/**
 * Runs a forward kernel so that a tape finds its gradient. An input that is absent may not be among the arguments of
 * `customGrad`, nor undefined: both break the tape (tfjs#2868).
 */
function differentiable(tf: TensorFlow, x: Tensor, of: Differentiable): Tensor {
  const { gamma, beta, constants = {}, settings, gradientSettings, statistics, saved } = of;
  const parameters = { ...(gamma && { gamma }), ...(beta && { beta }) };
  const names = Object.keys(parameters);
  const compute = tf.customGrad((...values) => {
    const save = values.pop() as unknown as (tensors: Tensor[]) => void;
    const [input, ...rest] = values as unknown as Tensor[];
    const given = Object.fromEntries(names.map((name, i) => [name, rest[i]]));
    const outputs = { y: settings.shape, ...statistics };
    const [value, ...others] = runFused(
      tf,
      of.forward,
      { x: input, ...given, ...constants },
      outputs,
      settings,
    );
    const byName = Object.fromEntries(Object.keys(statistics).map((name, i) => [name, others[i] as Tensor]));
    of.take?.(byName);
    const kept = saved.map((name) => byName[name] ?? (constants[name] as Tensor));
    save([input as Tensor, ...kept, ...(gamma ? [rest[0] as Tensor] : [])]);
    // All gradients at once: what one closure of the tape makes is disposed of before the next one runs.
    const gradFunc = (dy: Tensor | Tensor[], tensors: Tensor[]): Tensor[] => {
      const [first, ...more] = tensors;
      const known = Object.fromEntries(saved.map((name, i) => [name, more[i]]));
      const gradients: Record<string, readonly number[]> = { dx: settings.shape };
      for (const [name, { shape }] of Object.entries(parameters)) gradients[`d${name}`] = shape;
      const inputs = { dy: dy as Tensor, x: first, ...known, gamma: gamma && more[saved.length] };
      return runFused(tf, of.backward, inputs, gradients, gradientSettings);
    };
    return { value: value as Tensor, gradFunc };
  });
  return compute(x, ...Object.values(parameters));
}

/** The shape with 1 at all dimensions but some. */
const only = (shape: readonly number[], axes: readonly number[]): number[] =>
  shape.map((size, d) => (axes.includes(d) ? size : 1));

/** The shape with 1 at some dimensions. */
const without = (shape: readonly number[], axes: readonly number[]): number[] =>
  shape.map((size, d) => (axes.includes(d) ? 1 : size));

/** What becomes of an x without elements: neither kernels nor the gradients of TensorFlow.js are made for it. */
function empty(tf: TensorFlow, x: Tensor, { gamma, beta }: Affine): Tensor {
  const parameters = [gamma, beta].filter((parameter) => parameter !== undefined);
  const compute = tf.customGrad((...values) => ({
    value: tf.clone(values[0] as Tensor),
    gradFunc: (dy: Tensor | Tensor[]) => [
      tf.clone(dy as Tensor),
      ...parameters.map(({ shape }) => tf.zeros(shape) as Tensor),
    ],
  }));
  return compute(x, ...parameters);
}

/** normalized * gamma + beta. */
function affine(tf: TensorFlow, normalized: Tensor, shape: number[], { gamma, beta }: Affine): Tensor {
  let y = normalized;
  if (gamma) y = tf.mul(y, tf.reshape(gamma, shape));
  if (beta) y = tf.add(y, tf.reshape(beta, shape));
  return y;
}

const meanSquare = (tf: TensorFlow, x: Tensor, axes: number[]): Tensor => tf.mean(tf.square(x), axes, true);

const rootOf = (tf: TensorFlow, spread: Tensor, epsilon: number): Tensor => tf.rsqrt(tf.add(spread, epsilon));

export function layerNorm(tf: TensorFlow, x: Tensor, options: AxesOptions): Tensor {
  const { gamma, beta, epsilon, rmsScaling = false } = options;
  const axis = [...options.axis];
  if (x.size === 0) return empty(tf, x, { gamma, beta });
  if (hasKernels(tf)) {
    const statistic = without(x.shape, axis);
    return differentiable(tf, x, {
      ...{ gamma, beta },
      forward: 'layerNormForward',
      backward: 'layerNormBackward',
      settings: { shape: x.shape, axis, epsilon, rmsScaling },
      gradientSettings: { shape: x.shape, axis, rmsScaling },
      statistics: { mean: statistic, rstd: statistic },
      saved: ['mean', 'rstd'],
    });
  }
  const centred = tf.sub(x, tf.mean(x, axis, true));
  const rstd = rootOf(tf, meanSquare(tf, centred, axis), epsilon);
  return affine(tf, tf.mul(rmsScaling ? x : centred, rstd), only(x.shape, axis), { gamma, beta });
}

export function rmsNorm(tf: TensorFlow, x: Tensor, { gamma, epsilon, ...options }: AxesOptions): Tensor {
  const axis = [...options.axis];
  if (x.size === 0) return empty(tf, x, { gamma });
  if (hasKernels(tf)) {
    return differentiable(tf, x, {
      gamma,
      forward: 'rmsNormForward',
      backward: 'rmsNormBackward',
      settings: { shape: x.shape, axis, epsilon },
      gradientSettings: { shape: x.shape, axis },
      statistics: { rstd: without(x.shape, axis) },
      saved: ['rstd'],
    });
  }
  const rstd = rootOf(tf, meanSquare(tf, x, axis), epsilon);
  return affine(tf, tf.mul(x, rstd), only(x.shape, axis), { gamma });
}

export function unitNorm(tf: TensorFlow, x: Tensor, { epsilon, ...options }: AxesOptions): Tensor {
  const axis = [...options.axis];
  if (x.size === 0) return empty(tf, x, {});
  if (hasKernels(tf)) {
    return differentiable(tf, x, {
      forward: 'unitNormForward',
      backward: 'unitNormBackward',
      settings: { shape: x.shape, axis, epsilon },
      gradientSettings: { shape: x.shape, axis, epsilon },
      statistics: { rstd: without(x.shape, axis) },
      saved: ['rstd'],
    });
  }
  return tf.mul(x, tf.rsqrt(tf.maximum(tf.sum(tf.square(x), axis, true), epsilon ** 2)));
}

/**
 * With the statistics of x.
 * @param take - gets them, biased, while they are there: they are disposed of when it returns. An x without elements has none.
 */
export function batchNormTraining(
  tf: TensorFlow,
  x: Tensor,
  { gamma, beta, axis, epsilon, mask }: ChannelOptions & { mask?: Tensor | undefined },
  take: (mean: Tensor, variance: Tensor) => void,
): Tensor {
  const others = x.shape.map((_, d) => d).filter((d) => d !== axis);
  const channels = [x.shape[axis] as number];
  if (x.size === 0) return empty(tf, x, { gamma, beta });
  if (hasKernels(tf) && !mask) {
    return differentiable(tf, x, {
      ...{ gamma, beta },
      forward: 'batchNormForward',
      backward: 'batchNormBackward',
      settings: { shape: x.shape, axis, epsilon },
      gradientSettings: { shape: x.shape, axis },
      statistics: { mean: channels, rstd: channels, variance: channels },
      saved: ['mean', 'rstd'],
      // No tape is written here, so that moving averages are no part of it.
      take: (results) => take(results.mean as Tensor, results.variance as Tensor),
    });
  }
  const average = averageOver(tf, x, others, mask);
  const mean = average(x);
  const centred = tf.sub(x, mean);
  const variance = average(tf.square(centred));
  take(tf.reshape(mean, channels), tf.reshape(variance, channels));
  const normalized = tf.mul(centred, rootOf(tf, variance, epsilon));
  return affine(tf, normalized, only(x.shape, [axis]), { gamma, beta });
}

/** What Keras adds to the number of elements that count. */
const MASK_EPSILON = 1e-7;

/** Averages of tensors like x over some dimensions, of the elements that count: a mask has one dimension less than x. */
function averageOver(
  tf: TensorFlow,
  x: Tensor,
  axes: number[],
  mask: Tensor | undefined,
): (values: Tensor) => Tensor {
  if (!mask) return (values) => tf.mean(values, axes, true);
  const one = tf.reshape(tf.cast(mask, 'float32'), [...mask.shape, 1]);
  const weights = tf.mul(one, tf.onesLike(x));
  const count = tf.add(tf.sum(weights, axes, true), MASK_EPSILON);
  return (values) => tf.div(tf.sum(tf.mul(values, weights), axes, true), count);
}

/** With statistics that are given. */
export function batchNormInference(
  tf: TensorFlow,
  x: Tensor,
  { gamma, beta, axis, epsilon, ...given }: ChannelOptions & { mean: Tensor; variance: Tensor },
): Tensor {
  if (x.size === 0) return empty(tf, x, { gamma, beta });
  if (hasKernels(tf)) {
    return differentiable(tf, x, {
      ...{ gamma, beta },
      forward: 'batchNormInference',
      backward: 'batchNormBackward',
      settings: { shape: x.shape, axis, epsilon },
      gradientSettings: { shape: x.shape, axis, training: false },
      statistics: { rstd: [x.shape[axis] as number] },
      saved: ['mean', 'rstd'],
      constants: given,
    });
  }
  const shape = only(x.shape, [axis]);
  const rstd = tf.reshape(rootOf(tf, given.variance, epsilon), shape);
  return affine(tf, tf.mul(tf.sub(x, tf.reshape(given.mean, shape)), rstd), shape, { gamma, beta });
}

export function groupNorm(
  tf: TensorFlow,
  x: Tensor,
  { gamma, beta, axis, epsilon, groups }: GroupOptions,
): Tensor {
  const statistic = [x.shape[0] as number, groups];
  if (x.size === 0) return empty(tf, x, { gamma, beta });
  if (hasKernels(tf)) {
    return differentiable(tf, x, {
      ...{ gamma, beta },
      forward: 'groupNormForward',
      backward: 'groupNormBackward',
      settings: { shape: x.shape, axis, epsilon, groups },
      gradientSettings: { shape: x.shape, axis, groups },
      statistics: { mean: statistic, rstd: statistic },
      saved: ['mean', 'rstd'],
    });
  }
  const channels = x.shape[axis] as number;
  const split = [...x.shape.slice(0, axis), groups, channels / groups, ...x.shape.slice(axis + 1)];
  const axes = split.map((_, d) => d).filter((d) => d !== 0 && d !== axis);
  const parts = tf.reshape(x, split);
  const centred = tf.sub(parts, tf.mean(parts, axes, true));
  const normalized = tf.mul(centred, rootOf(tf, meanSquare(tf, centred, axes), epsilon));
  return affine(tf, tf.reshape(normalized, x.shape), only(x.shape, [axis]), { gamma, beta });
}

/**
 * The kernel divided by its largest singular value, and the vector that this was estimated with. Not differentiated: Keras writes both
 * back to the weights, and the layer uses the new ones.
 */
export function spectralNorm(
  tf: TensorFlow,
  kernel: Tensor,
  vectorU: Tensor,
  powerIterations: number,
): { y: Tensor; u: Tensor } {
  const columns = kernel.shape[kernel.shape.length - 1] as number;
  if (hasKernels(tf)) {
    const outputs = { y: kernel.shape, uOut: [1, columns] };
    const settings = { shape: kernel.shape, powerIterations };
    const [y, u] = runFused(tf, 'spectralNormForward', { kernel, u: vectorU }, outputs, settings);
    return { y: y as Tensor, u: u as Tensor };
  }
  const weights = tf.reshape(kernel, [-1, columns]) as Matrix;
  const unit = (vector: Tensor): Matrix =>
    tf.mul(vector, tf.rsqrt(tf.maximum(tf.sum(tf.square(vector)), 1e-12))) as Matrix;
  let u = vectorU as Matrix;
  let v = u;
  for (let i = 0; i < powerIterations; i++) {
    v = unit(tf.matMul(u, weights, false, true));
    u = unit(tf.matMul(v, weights));
  }
  const sigma = tf.sum(tf.mul(tf.matMul(v, weights), u));
  return { y: tf.div(kernel, sigma), u };
}
