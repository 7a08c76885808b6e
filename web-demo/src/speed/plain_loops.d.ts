/** Numbers to be read and written by index, such as those of a Float32Array or a Float16Array. */
export interface Numbers {
  readonly length: number;
  [index: number]: number;
}

/** Normalizes x of `rows` times `columns` numbers; y may be x. */
export type RowLoop = (
  x: Numbers,
  rows: number,
  columns: number,
  gamma: Numbers,
  beta: Numbers,
  epsilon: number,
  y: Numbers,
) => void;

/** Runs a loop on the bits of bfloat16 numbers. */
export type Bfloat16Loop = (
  loop: RowLoop,
  scratch: Float32Array,
  x: Uint16Array,
  rows: number,
  columns: number,
  gamma: Numbers,
  beta: Numbers,
  epsilon: number,
  y: Uint16Array,
) => void;

export const layerNorm: RowLoop;
export const rmsNorm: RowLoop;
export const unitNorm: RowLoop;
export const batchNorm: RowLoop;
export const withBfloat16: Bfloat16Loop;
