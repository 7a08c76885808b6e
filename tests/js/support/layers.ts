import { info } from 'layernorm';
import { normals } from './random.js';

/** Random numbers in a shape. */
export function shaped(shape: readonly number[], seed = 1): { data: Float32Array; shape: number[] } {
  const count = shape.reduce((a, b) => a * b, 1);
  return { data: normals(count, seed), shape: [...shape] };
}

/** Expects a workload to leave no tensor and no memory behind, once it has run often enough to have taken what it keeps. */
export function expectNoLeak(work: () => void): void {
  for (let i = 0; i < 10; i++) work();
  const before = info();
  for (let i = 0; i < 100; i++) work();
  expect(info()).toEqual(before);
}

/**
 * The gradient of sum(y * dy) by central differences in float64.
 * @param evaluate - computes y of the values of `array`, which are changed meanwhile and then put back
 */
export function differences(
  array: Float64Array | Float32Array,
  dy: ArrayLike<number>,
  evaluate: () => ArrayLike<number>,
  step = 1e-5,
): Float64Array {
  const loss = (): number => Array.from(evaluate()).reduce((sum, y, i) => sum + y * (dy[i] as number), 0);
  return Float64Array.from(array, (value, i) => {
    array[i] = value + step;
    const above = loss();
    array[i] = value - step;
    const below = loss();
    array[i] = value;
    return (above - below) / (2 * step);
  });
}
