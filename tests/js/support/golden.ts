import { readFileSync } from 'node:fs';

/** A recorded array, flat and row-major. */
export interface GoldenArray {
  shape: number[];
  dtype: string;
  data: number[];
}

/** A call of a layer of Keras. */
export interface KerasCase {
  name: string;
  class_name: string;
  config: Record<string, unknown> & { axis: number | number[]; epsilon: number; rms_scaling: boolean };
  training: boolean | null;
  /** How often the layer was called on the input; all that follows is of the last call. */
  calls: number;
  input: GoldenArray;
  /** 1 where a position counts. */
  mask: GoldenArray | null;
  weight_names: string[];
  weights_before: GoldenArray[];
  weights_after: GoldenArray[];
  output: GoldenArray;
  losses: number[];
  dy: GoldenArray;
  /** Of the sum of output * dy, without the losses, by `input` and the names of the weights. */
  grads: { input: GoldenArray } & Record<string, GoldenArray | undefined>;
}

/** The cases of a file of tests/golden. */
export function goldenCases<Case>(file: string): Case[] {
  const url = new URL(`../../golden/${file}`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')).cases;
}

/** The cases of one of Keras' classes. */
export function kerasCases<Case = KerasCase>(className: string): Case[] {
  return goldenCases<KerasCase>('keras.json').filter(({ class_name }) => class_name === className) as Case[];
}
