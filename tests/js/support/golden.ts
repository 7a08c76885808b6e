import { readFileSync } from 'node:fs';

/** A recorded array, flat and row-major. */
export interface GoldenArray {
  shape: number[];
  dtype: string;
  data: number[];
}

export interface KerasCase {
  name: string;
  config: { axis: number | number[]; epsilon: number; rms_scaling: boolean };
  input: GoldenArray;
  weight_names: string[];
  weights_before: GoldenArray[];
  output: GoldenArray;
  dy: GoldenArray;
  /** Of the sum of output * dy. */
  grads: { input: GoldenArray; gamma?: GoldenArray; beta?: GoldenArray; scale?: GoldenArray };
}

export interface OnnxCase {
  name: string;
  attributes: { axis?: number; epsilon?: number };
  /** X, W and perhaps B. */
  inputs: GoldenArray[];
  /** Y, Mean, InvStdDev. */
  outputs: [GoldenArray, GoldenArray, GoldenArray];
}

/** The cases of a file of tests/golden. */
export function goldenCases<Case>(file: string): Case[] {
  const url = new URL(`../../golden/${file}`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')).cases;
}
