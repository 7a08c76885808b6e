// What the dimensions of x are taken for at first, and which call stands beside the chosen one.

import type { Choice } from '../../compute/groups.js';
import { type Dataset, hasBatch } from '../../parse/dataset.js';

interface Known {
  readonly kind: Dataset['kind'];
  readonly axes: Dataset['axes'];
}

/** The dimension of the channels: what says so, else the last; none where all of x is one channel. */
export function defaultChannel({ kind, axes }: Known): number | undefined {
  // The pixels of a grey picture have no dimension of channels: they are one.
  if (kind === 'picture' && axes.length < 3) return undefined;
  const named = axes.findIndex(({ noun }, d) => d > 0 && noun === 'channels');
  return named < 0 ? axes.length - 1 : named;
}

/** The dimensions that a sample spans: the last; all but the first where channels come before others; rows of a picture. */
export function defaultSpanned(dataset: Known): number[] {
  const rank = dataset.axes.length;
  const channel = defaultChannel(dataset);
  const isChannelFirst = channel !== undefined && channel < rank - 1;
  if (isChannelFirst || dataset.kind === 'picture') return dataset.axes.map((_, d) => d).slice(1);
  return [rank - 1];
}

/** Batch normalization beside all the others; beside itself layer normalization. */
export function contrastOf({ method, axis, groups }: Choice, dataset: Known): Choice {
  if (method === 'batch') return { method: 'layer', axis: defaultSpanned(dataset), groups: 1 };
  const channel = defaultChannel(dataset);
  const isChosen = method === 'group' || method === 'instance';
  return { method: 'batch', axis: isChosen ? axis : channel === undefined ? [] : [channel], groups };
}

/** Whether the numbers of a sample are few enough to look at each of them. */
export function suitsGrid(dataset: Known): boolean {
  return hasBatch(dataset) && dataset.axes.length > 1 && (dataset.axes.at(-1)?.size ?? 0) <= 16;
}
