// digits.csv: ten features, ten classes. ../data/README.md says where it comes from.

import type { Tensor } from '@tensorflow/tfjs-core';
import { readTable } from '#platform';
import { tf } from './tf.ts';

export interface Rows {
  /** [rows, 10]: the features, standardized. */
  x: Tensor;
  /** [rows]: the digit. */
  y: Tensor;
}

export interface Data {
  train: Rows;
  /** What training never sees. */
  heldOut: Rows;
}

const FEATURES = 10;

export async function readDigits(): Promise<Data> {
  const text = await readTable('digits.csv');
  const rows = text
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(',').map(Number));

  // The last fifth is held out: the statistics of the features, too, come from the other rows.
  const cut = Math.round(rows.length * 0.8);
  const statistics = Array.from({ length: FEATURES }, (_, i) => {
    const column = rows.slice(0, cut).map((row) => row[i] as number);
    const mean = column.reduce((a, b) => a + b, 0) / cut;
    const variance = column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / cut;
    return { mean, deviation: Math.sqrt(variance) };
  });
  const part = (from: number, to?: number): Rows => {
    const chosen = rows.slice(from, to);
    const standardized = chosen.map((row) =>
      statistics.map(({ mean, deviation }, i) => (row[i] - mean) / deviation),
    );
    return {
      x: tf.tensor2d(standardized),
      y: tf.tensor1d(
        chosen.map((row) => row[FEATURES]),
        'float32',
      ),
    };
  };
  return { train: part(0, cut), heldOut: part(cut) };
}
