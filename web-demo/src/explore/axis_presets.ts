// Sets of axes that have a name: what a sample can be, by what its dimensions count.

import type { Dataset } from '../parse/dataset.js';
import { one } from './words.js';

export interface Preset {
  readonly text: string;
  /** The dimensions that a sample spans. */
  readonly axis: readonly number[];
}

/** The letters that papers have for dimensions. */
const LETTERS: Readonly<Record<string, string>> = {
  samples: 'N',
  sequences: 'B',
  tokens: 'T',
  features: 'D',
  channels: 'C',
  rows: 'H',
  columns: 'W',
  'pixel rows': 'H',
  'pixel columns': 'W',
};

export function presetsOf({ kind, axes }: Pick<Dataset, 'kind' | 'axes'>): readonly Preset[] {
  const rank = axes.length;
  if (kind === 'picture') return picturePresets(rank);
  if (rank < 2) return [];
  const nouns = axes.map(({ noun }) => noun);
  const from = (first: number, end = rank) => Array.from({ length: end - first }, (_, i) => first + i);
  const each = (d: number, otherwise: string) => `each ${one(nouns[d] ?? otherwise)}`;
  const preset = (what: string, axis: readonly number[]): Preset => ({
    text: kind === 'csv' || kind === 'sound' ? what : `${what} (${dimensions(nouns, axis)})`,
    axis,
  });
  const sample = preset(each(0, 'samples'), from(1));
  if (rank === 2) return [sample, preset(each(1, 'columns'), [0])];
  const channels = nouns.indexOf('channels');
  if (channels > 0 && rank > 3) {
    const others = from(1).filter((d) => d !== channels);
    return [
      sample,
      preset('per pixel over channels', [channels]),
      preset('each channel of a sample', others),
    ];
  }
  // A shape alone does not say what it counts: what normalization is mostly applied to then is the last axis, or all but the first.
  const last = nouns[rank - 2] === undefined ? 'along the last axis' : each(rank - 2, '');
  return [preset(last, [rank - 1]), sample];
}

/** Without a batch. A grey picture has two dimensions. */
function picturePresets(rank: number): readonly Preset[] {
  if (rank < 3) {
    return [
      { text: 'each row', axis: [1] },
      { text: 'whole picture', axis: [0, 1] },
    ];
  }
  return [
    { text: 'each row', axis: [1, 2] },
    { text: 'each pixel', axis: [2] },
    { text: 'each channel', axis: [0, 1] },
    { text: 'whole picture', axis: [0, 1, 2] },
  ];
}

/** 'T, D' where the letters are known, else 'axes 1, 2'. */
function dimensions(nouns: readonly (string | undefined)[], axis: readonly number[]): string {
  const letters = axis.map((d) => LETTERS[nouns[d] ?? '']);
  if (!letters.includes(undefined)) return letters.join(', ');
  return `${axis.length === 1 ? 'axis' : 'axes'} ${axis.join(', ')}`;
}
