// Group normalization with weighted statistics, as Keras 2 had it. Plain loops in float64: it is an extension of what the core does.

import { type MaskLike, numbersOfMask } from '../ops/mask.js';
import { LayerNormError } from '../runtime/errors.js';
import { defaultHeapOwner } from '../runtime/heap.js';
import { HeapTensor } from '../tensor/heap_tensor.js';
import { elementCount, formatShape, type Shape } from '../tensor/shape.js';
import { elementsOf, readOperand } from '../tensor/tensor_like.js';
import { cast, type Elements, isTensor, type Numbers, numbersOf } from './elements.js';
import type { Call } from './same_shape_layer.js';

interface GroupOptions {
  readonly groups: number;
  /** The dimension of the channels, not negative. */
  readonly axis: number;
  readonly gamma: Numbers | undefined;
}

/** The group that an element of x [batch, before, channels, after] is in, and its channel. */
function placesOf(
  shape: Shape,
  { groups, axis }: GroupOptions,
): (i: number) => [group: number, channel: number] {
  const channels = shape[axis] as number;
  const after = elementCount(shape.slice(axis + 1));
  const perSample = elementCount(shape.slice(1));
  const perGroup = channels / groups;
  return (i) => {
    const channel = Math.floor(i / after) % channels;
    return [Math.floor(i / perSample) * groups + Math.floor(channel / perGroup), channel];
  };
}

/** The weights of all elements of x. */
function weightsOf(operation: string, mask: MaskLike, shape: Shape): Float64Array {
  const given = numbersOfMask(mask);
  const owner = HeapTensor.ownerFor(defaultHeapOwner(), given);
  const operand = readOperand(operation, owner, 'mask', given);
  const elements = elementsOf(owner.heap(operation), operand);
  const flat = [shape, shape.slice(0, -1)].find((sizes) => elementCount(sizes) === operand.length);
  const sizes = operand.shaped ? operand.shape : (flat ?? operand.shape);
  const fits = (to: Shape): boolean =>
    sizes.length <= to.length &&
    sizes.every((size, i) => size === 1 || size === to[to.length - sizes.length + i]);
  // What can be broadcast to x has no dimension missing.
  const target = fits(shape) ? shape : shape.slice(0, -1);
  if (!fits(target)) {
    throw new LayerNormError(
      'ERR_SHAPE',
      `${operation}: mask has shape ${formatShape(sizes)}, expected one that can be broadcast to x ${formatShape(shape)}, or to it ` +
        'without its last dimension',
    );
  }
  const across = elementCount(shape) / elementCount(target) || 1;
  return Float64Array.from({ length: elementCount(shape) }, (_, i) => {
    let rest = Math.floor(i / across);
    let at = 0;
    let stride = 1;
    for (let d = 1; d <= target.length; d++) {
      const size = target.at(-d) as number;
      const own = sizes.at(-d) ?? 1;
      if (d <= sizes.length && own !== 1) at += (rest % size) * stride;
      if (d <= sizes.length) stride *= own;
      rest = Math.floor(rest / size);
    }
    return elements[at] as number;
  });
}

function numbersIn(elements: Elements, dtype: Call['dtype']): Numbers {
  return numbersOf(elements, isTensor(elements) ? elements.dtype : dtype);
}

/**
 * y = (x - mean) / sqrt(variance + epsilon) * gamma + beta for all elements of x, with S = sum(w), mean = sum(w * x) / S and
 * variance = sum(w * (x - mean)^2) / S over each group; where S is 0, both are. Saves w, S, mean and rstd.
 * @throws {@link LayerNormError} `ERR_SHAPE`, and what reading the mask throws
 */
export function maskedGroupNorm(
  call: Call,
  mask: MaskLike,
  options: GroupOptions & { readonly epsilon: number; readonly beta: Numbers | undefined },
): Elements {
  const { shape, dtype, saved } = call;
  const { groups, gamma, beta, epsilon } = options;
  const x = numbersIn(call.x, dtype);
  const w = weightsOf(call.operation, mask, shape);
  const placeOf = placesOf(shape, options);
  const [total, mean, rstd] = Array.from(
    { length: 3 },
    () => new Float64Array((shape[0] as number) * groups),
  ) as [Float64Array, Float64Array, Float64Array];
  const sum = (into: Float64Array, term: (i: number, group: number) => number): void => {
    for (let i = 0; i < x.length; i++) {
      const [group] = placeOf(i);
      into[group] = (into[group] as number) + term(i, group);
    }
    if (into !== total)
      into.forEach((value, g) => {
        into[g] = total[g] === 0 ? 0 : value / (total[g] as number);
      });
  };
  sum(total, (i) => w[i] as number);
  sum(mean, (i) => (w[i] as number) * (x[i] as number));
  sum(rstd, (i, g) => (w[i] as number) * ((x[i] as number) - (mean[g] as number)) ** 2);
  rstd.forEach((variance, g) => {
    rstd[g] = 1 / Math.sqrt(variance + epsilon);
  });
  Object.assign(saved, { w, total, mean, rstd });
  const y = x.map((value, i) => {
    const [g, channel] = placeOf(i);
    return (
      (value - (mean[g] as number)) * (rstd[g] as number) * (gamma?.[channel] ?? 1) + (beta?.[channel] ?? 0)
    );
  });
  return cast(y, shape, dtype === 'float64' ? 'float64' : 'float32', dtype);
}

/**
 * The gradient of {@link maskedGroupNorm}, the mask being constant: with g = dy * gamma and h = (x - mean) * rstd,
 * dx = rstd * (g - w / S * (sum(g) + h * sum(g * h))), the sums running over all elements of a group.
 */
export function maskedGroupNormGradient(
  { x: elements, shape, dtype, saved }: Call,
  dyElements: Elements,
  options: GroupOptions,
): { dx: Elements; dgamma: Float64Array; dbeta: Float64Array } {
  const { gamma, axis } = options;
  const x = numbersIn(elements, dtype);
  const dy = numbersIn(dyElements, dtype);
  const { w, total, mean, rstd } = saved as Record<string, Float64Array>;
  const placeOf = placesOf(shape, options);
  const at = (array: ArrayLike<number> | undefined, i: number): number => array?.[i] as number;
  const h = Float64Array.from(x, (value, i) => {
    const [g] = placeOf(i);
    return (value - at(mean, g)) * at(rstd, g);
  });
  const sums = { g: new Float64Array(mean?.length ?? 0), gh: new Float64Array(mean?.length ?? 0) };
  const dgamma = new Float64Array(shape[axis] as number);
  const dbeta = new Float64Array(shape[axis] as number);
  const g = Float64Array.from(dy, (value, i) => {
    const [group, channel] = placeOf(i);
    const scaled = value * (gamma?.[channel] ?? 1);
    sums.g[group] = at(sums.g, group) + scaled;
    sums.gh[group] = at(sums.gh, group) + scaled * at(h, i);
    dgamma[channel] = at(dgamma, channel) + value * at(h, i);
    dbeta[channel] = at(dbeta, channel) + value;
    return scaled;
  });
  const dx = x.map((_, i) => {
    const [group] = placeOf(i);
    const share = at(total, group) === 0 ? 0 : at(w, i) / at(total, group);
    return at(rstd, group) * (at(g, i) - share * (at(sums.g, group) + at(h, i) * at(sums.gh, group)));
  });
  return { dx: cast(dx, shape, dtype === 'float64' ? 'float64' : 'float32', dtype), dgamma, dbeta };
}
