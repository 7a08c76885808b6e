// Small data that one can look through and change. The numbers are sums of powers of two where nothing else is needed, so that
// a sample which is shifted or doubled is exactly that.

import type { Axis, Dataset } from '../parse/dataset.js';

export const EXAMPLE_NAMES = ['batch', 'tokens', 'maps', 'iris'] as const;
export type ExampleName = (typeof EXAMPLE_NAMES)[number];

/** What the list of examples says. */
export const EXAMPLE_TITLES: Record<ExampleName, string> = {
  batch: 'Small batch [6, 8]',
  tokens: 'Tokens [2, 3, 6]',
  maps: 'Feature maps [2, 4, 3, 3]',
  iris: 'Iris flowers [150, 4]',
};

export const DEFAULT_EXAMPLE: ExampleName = 'batch';

export function isExampleName(name: string | undefined): name is ExampleName {
  return EXAMPLE_NAMES.some((known) => known === name);
}

/** An example that has no file of its own. */
export function exampleOf(name: Exclude<ExampleName, 'iris'>): Dataset {
  const { title, axes, values, note } = MADE[name];
  return { name: title, kind: 'example', axes, data: Float32Array.from(values), notes: [note] };
}

interface Made {
  readonly title: string;
  readonly axes: readonly Axis[];
  readonly values: readonly number[];
  readonly note: string;
}

const ORDINARY = [0.5, -1, 1.5, 0.25, -0.75, 2, -1.5, 0.75];

const BATCH: Record<string, readonly number[]> = {
  ordinary: ORDINARY,
  'same × 10': ORDINARY.map((value) => value * 10),
  'same + 5': ORDINARY.map((value) => value + 5),
  'nearly flat': [2, 2.01, 1.99, 2, 2.02, 2, 1.98, 2.01],
  'one outlier': [0.25, -0.5, 0.5, 12, 0, -0.25, 0.75, -0.5],
  'all negative': [-2.5, -4, -1.75, -3.25, -2, -4.5, -3, -1.25],
};

/** Each token has a mean and a size of its own. */
const TOKENS = [
  [0.5, -1, 1.25, 0.25, -0.5, 1],
  [4, 6.5, 3, 5.5, 7, 4.5],
  [-0.25, 0.125, 0.25, -0.125, 0, 0.375],
  [8, -6, 10, -4, 2, -9],
  [-3, -1.5, -2.5, -4, -2, -3.5],
  [0.25, 0.5, -0.25, 6, 0, -0.5],
];

/** An edge, a blob, a slope and a chequerboard; the second sample is another picture, brighter and with more contrast. */
const MAPS = [
  [-1, 0, 1, -1, 0, 1, -1, 0, 1],
  [0, 1, 0, 1, 3, 1, 0, 1, 0],
  [-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2],
  [1, -1, 1, -1, 1, -1, 1, -1, 1],
  [5, 5, 5, 3, 3, 3, 1, 1, 1],
  [2, 4, 2, 4, 10, 4, 2, 4, 2],
  [6, 5, 4, 5, 4, 3, 4, 3, 2],
  [-2, 6, -2, 6, -2, 6, -2, 6, -2],
];

const MADE: Record<Exclude<ExampleName, 'iris'>, Made> = {
  batch: {
    title: 'Small batch',
    axes: [
      { size: 6, noun: 'samples', names: Object.keys(BATCH), namesAreUnique: true },
      { size: 8, noun: 'features' },
    ],
    values: Object.values(BATCH).flat(),
    note: 'Six samples that differ in size, offset and spread. Compare the first three after layer normalization.',
  },
  tokens: {
    title: 'Tokens',
    axes: [
      { size: 2, noun: 'samples' },
      { size: 3, noun: 'tokens' },
      { size: 6, noun: 'features' },
    ],
    values: TOKENS.flat(),
    note: 'Two sentences of three tokens, as a Transformer has them: [B, T, D]. Each token has a mean of its own.',
  },
  maps: {
    title: 'Feature maps',
    axes: [
      { size: 2, noun: 'samples' },
      { size: 4, noun: 'channels' },
      { size: 3, noun: 'rows' },
      { size: 3, noun: 'columns' },
    ],
    values: MAPS.flat(),
    note: 'Two pictures inside a convolutional network, each of four channels: [N, C, H, W].',
  },
};
