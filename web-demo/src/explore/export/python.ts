// What the Python frameworks have in common: how arrays are written.

import { epsilonText } from '../../compute/methods.js';
import { besideLayout, type Plan, sameNumbers, type Weights } from './subject.js';
import { list, literal, NUMPY_WORDS, nested, pythonTuple, TORCH_WORDS } from './text.js';

/** NumPy's or PyTorch's way of writing arrays. */
export type Dialect = 'np' | 'torch';

/** A number that Python does not take for a whole one. */
export function float(value: number): string {
  const text = epsilonText(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** The last dimension as -1, as one would write it. */
export function lastAsMinusOne(axis: number, rank: number): number {
  return axis === rank - 1 ? -1 : axis;
}

/** The lines that make x. */
export function dataOf({ subject }: Plan, dialect: Dialect): string[] {
  const { shape, values, npy, computed } = subject;
  const type = `${dialect}.${computed}`;
  if (values) return [`x = ${arrayOf(values, shape, dialect, computed)}`];
  const what = `# your data, of shape ${list(shape)}`;
  if (npy !== undefined) {
    const load = `np.load(${JSON.stringify(npy)}).astype(np.${computed})`;
    return dialect === 'np'
      ? [`x = ${load}  ${what}`]
      : ['import numpy as np', '', `x = torch.from_numpy(${load})  ${what}`];
  }
  return dialect === 'np'
    ? [`x = np.random.default_rng(0).normal(size=${pythonTuple(shape)}).astype(${type})  ${what}`]
    : [`x = torch.randn(${pythonTuple(shape)}, dtype=${type})  ${what}`];
}

/** The lines that make gamma and beta. */
export function weightsOf({ gamma, beta, subject }: Plan, dialect: Dialect): string[] {
  const line = (name: string, weights: Weights | undefined): string[] =>
    weights ? [`${name} = ${weightOf(weights, dialect, subject.computed)}`] : [];
  return [...line('gamma', gamma), ...line('beta', beta)];
}

function weightOf({ shape, values }: Weights, dialect: Dialect, type: Plan['subject']['computed']): string {
  if (typeof values !== 'number') return arrayOf(values, shape, dialect, type);
  const words = dialect === 'np' ? NUMPY_WORDS : TORCH_WORDS;
  return `${dialect}.full(${pythonTuple(shape)}, ${literal(values, type === 'float32', words)}, dtype=${dialect}.${type})`;
}

function arrayOf(
  values: ArrayLike<number>,
  shape: readonly number[],
  dialect: Dialect,
  type: Plan['subject']['computed'],
): string {
  const words = dialect === 'np' ? NUMPY_WORDS : TORCH_WORDS;
  const items = Array.from(values, (value) => literal(value, type === 'float32', words));
  const make = dialect === 'np' ? 'np.array' : 'torch.tensor';
  return `${make}(${nested(items, shape)}, dtype=${dialect}.${type})`;
}

/** `.reshape(...)` where a shape differs from the one before. */
export function reshaped(name: string, from: readonly number[], to: readonly number[]): string {
  return sameNumbers(from, to) ? name : `${name}.reshape(${to.join(', ')})`;
}

/** gamma and beta in a formula whose x has the shape of the layout. */
export function affineLines(plan: Plan): string[] {
  const beside = besideLayout(plan);
  const gamma = plan.gamma && reshaped('gamma', plan.gamma.shape, beside);
  const beta = plan.beta && reshaped('beta', plan.beta.shape, beside);
  const affine = `y${gamma ? ` * ${gamma}` : ''}${beta ? ` + ${beta}` : ''}`;
  return affine === 'y' ? [] : [`y = ${affine}`];
}
