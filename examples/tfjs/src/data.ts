// languages.csv: ten features, ten classes. ../data/README.md says where it comes from.

import { readFileSync } from 'node:fs';
import type { Tensor } from '@tensorflow/tfjs-core';
import { tf } from './tf.ts';

export interface Rows {
  /** [rows, 10]: the share of each letter, standardized. */
  x: Tensor;
  /** [rows]: the number of the language, from 0 on. */
  y: Tensor;
}

export interface Data {
  train: Rows;
  /** What training never sees. */
  heldOut: Rows;
  languages: string[];
}

const FEATURES = 10;

export function readLanguages(): Data {
  const text = readFileSync(new URL('../data/languages.csv', import.meta.url), 'utf8');
  const rows = text
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(','));
  const languages = [...new Set(rows.map((row) => row[FEATURES + 1] as string))].sort();
  const labels = rows.map((row) => languages.indexOf(row[FEATURES + 1] as string));
  const shares = rows.map((row) =>
    row.slice(0, FEATURES).map((count) => Number(count) / Number(row[FEATURES])),
  );

  // The last fifth is held out: the statistics of the features, too, come from the other rows.
  const cut = Math.round(rows.length * 0.8);
  const statistics = shares[0].map((_, i) => {
    const column = shares.slice(0, cut).map((row) => row[i] as number);
    const mean = column.reduce((a, b) => a + b, 0) / cut;
    const variance = column.reduce((sum, share) => sum + (share - mean) ** 2, 0) / cut;
    return { mean, deviation: Math.sqrt(variance) };
  });
  const standardized = shares.map((row) =>
    row.map((share, i) => (share - statistics[i].mean) / statistics[i].deviation),
  );
  const part = (from: number, to: number): Rows => ({
    x: tf.tensor2d(standardized.slice(from, to)),
    y: tf.tensor1d(labels.slice(from, to), 'float32'),
  });
  return { train: part(0, cut), heldOut: part(cut, rows.length), languages };
}
