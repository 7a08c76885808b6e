// The gradient of one sample in float64, to check the package by.

import type { Sample } from './protocol.js';

const average = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

/** dx, of the float32 numbers that the package is given. */
export function referenceGradient({ norm, epsilon, ...sample }: Sample): number[] {
  const [x, dy, gamma] = [sample.x, sample.dy, sample.gamma].map((values) => values.map(Math.fround)) as [
    number[],
    number[],
    number[],
  ];
  const mean = norm === 'layer' ? average(x) : 0;
  const rstd = 1 / Math.sqrt(average(x.map((value) => (value - mean) ** 2)) + epsilon);
  const hat = x.map((value) => (value - mean) * rstd);
  const g = dy.map((d, i) => d * (gamma[i] as number));
  const ones = norm === 'layer' ? average(g) : 0;
  const along = average(g.map((one, i) => one * (hat[i] as number)));
  return g.map((one, i) => rstd * (one - ones - (hat[i] as number) * along));
}

export function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
}
