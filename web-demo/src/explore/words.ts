// What the page says of each method.

import type { MethodName } from '../compute/methods.js';

interface Words {
  /** On the button. */
  readonly title: string;
  /** Which elements share a statistic, in a sentence or two. */
  readonly sharing: string;
  /** What a group of elements that share one is called. */
  readonly group: string;
  /** What is divided by, over a column and in a sentence. */
  readonly scale: { readonly short: string; readonly long: string };
  readonly epsilon: string;
  /** Of parameters that the method does not have. */
  readonly lacks?: string;
}

const STD = { short: 'std', long: 'standard deviation' };
const VARIANCE_EPSILON = 'Added to the variance. Keras has 1e-3, PyTorch and ONNX 1e-5.';

export const WORDS: Record<MethodName, Words> = {
  layer: {
    title: 'Layer',
    sharing: 'Each sample has a mean and a variance of its own: no other sample has a say.',
    group: 'sample',
    scale: STD,
    epsilon: VARIANCE_EPSILON,
  },
  rms: {
    title: 'RMS',
    sharing:
      'Each sample is divided by the root of its mean square. No mean is subtracted, and no other sample has a say.',
    group: 'sample',
    scale: { short: 'rms', long: 'root mean square' },
    epsilon: 'Added to the mean square. Keras has 1e-6, ONNX 1e-5.',
    lacks: 'RMS normalization has no beta.',
  },
  unit: {
    title: 'Unit',
    sharing:
      'Each sample is divided by its Euclidean norm, and has length 1 then. No mean is subtracted, and no other sample has a say.',
    group: 'sample',
    scale: { short: 'norm', long: 'norm' },
    epsilon: 'The least norm that is divided by. Keras and PyTorch have 1e-12.',
    lacks: 'Unit normalization has neither gamma nor beta.',
  },
  batch: {
    title: 'Batch',
    sharing:
      'Each channel has one mean and one variance across all samples: change one sample, and all of them change.',
    group: 'channel',
    scale: STD,
    epsilon: VARIANCE_EPSILON,
  },
  group: {
    title: 'Group',
    sharing:
      'The channels of each sample are split into groups, each with a mean and a variance of its own. No other sample has a say.',
    group: 'group',
    scale: STD,
    epsilon: VARIANCE_EPSILON,
  },
  instance: {
    title: 'Instance',
    sharing: 'Each channel of each sample has a mean and a variance of its own. No other sample has a say.',
    group: 'group',
    scale: STD,
    epsilon: VARIANCE_EPSILON,
  },
};

/** One of what an axis counts: its noun stands in the plural. */
export function one(nouns: string): string {
  return nouns.replace(/s$/, '');
}

/** A word at the start of a title. */
export function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
