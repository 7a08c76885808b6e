import { normal, seeded } from './random.js';

/** Fills one row; gets sources of random numbers and the row's length. */
type Fill = (uniform: () => number, gauss: () => number, columns: number) => (index: number) => number;

/** Kinds of rows, harmless ones and those that lead float32 sums astray, on which the error bound of 3 ulp is promised. */
export const DATA_SETS: Record<string, Fill> = {
  'U(-1,3)': (uniform) => () => 4 * uniform() - 1,
  'N(0,1)': (_, gauss) => gauss,
  'U(0,1)': (uniform) => uniform,
  'N(10,1)': (_, gauss) => () => 10 + gauss(),
  'N(1e4,1)': (_, gauss) => () => 1e4 + gauss(),
  'N(1e6,.1)': (_, gauss) => () => 1e6 + 0.1 * gauss(),
  'first element 1e6': (_, gauss) => (i) => (i === 0 ? 1e6 : gauss()),
  'one outlier of 1e6': (_, gauss, columns) => (i) => (i === columns >> 1 ? 1e6 : gauss()),
  'one outlier of 1e20': (_, gauss, columns) => (i) => (i === columns >> 1 ? 1e20 : gauss()),
  'constant .1': () => () => 0.1,
  'constant 1e7/3': () => () => 1e7 / 3,
  'N(0,1) * 1e30': (_, gauss) => () => gauss() * 1e30,
  'N(0,1) * 1e-30': (_, gauss) => () => gauss() * 1e-30,
  relu: (_, gauss) => () => Math.max(gauss(), 0),
  lognormal: (_, gauss) => () => Math.exp(gauss()),
};

/** `rows` rows of a data set, the same in every run. */
export function dataSet(name: string, rows: number, columns: number): Float32Array {
  const uniform = seeded(rows + columns);
  const fill = DATA_SETS[name] as Fill;
  const x = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const next = fill(uniform, normal(uniform), columns);
    for (let i = 0; i < columns; i++) x[row * columns + i] = next(i);
  }
  return x;
}
