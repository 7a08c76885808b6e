// The formula in NumPy, which has no normalizations of its own.

import { METHODS } from '../../compute/methods.js';
import { affineLines, dataOf, float, weightsOf } from './python.js';
import { hasParts, type Plan, withoutNeutral } from './subject.js';
import { pythonTuple } from './text.js';

export function numpyOf(given: Plan): string {
  const plan = withoutNeutral(given);
  return [
    'import numpy as np',
    '',
    ...dataOf(plan, 'np'),
    ...weightsOf(plan, 'np'),
    '',
    ...formula(plan),
    'print(y)',
    '',
  ].join('\n');
}

/** Sums are made in float64, as the package has them, whatever x is. */
function formula(plan: Plan): string[] {
  const { method, layout, epsilon } = plan;
  const isSplit = hasParts(plan);
  const groups = isSplit ? 'parts' : 'x';
  const over = `axis=${layout.reduced.length === 1 ? layout.reduced[0] : pythonTuple(layout.reduced)}, keepdims=True`;
  const scaled = {
    std: [
      `mean = ${groups}.mean(${over}, dtype=np.float64)`,
      `variance = ${groups}.var(${over}, dtype=np.float64)`,
      `y = (${groups} - mean) / np.sqrt(variance + ${float(epsilon)})`,
    ],
    rms: [
      `mean_square = np.square(${groups}, dtype=np.float64).mean(${over})`,
      `y = ${groups} / np.sqrt(mean_square + ${float(epsilon)})`,
    ],
    norm: [
      `norm = np.sqrt(np.square(${groups}, dtype=np.float64).sum(${over}))`,
      `y = ${groups} / np.maximum(norm, ${float(epsilon)})`,
    ],
  }[METHODS[method].scale];
  return [
    ...(isSplit ? ['# Which group of channels, and which channel in it, are dimensions of their own.'] : []),
    ...(isSplit ? [`parts = x.reshape${pythonTuple(layout.shape)}`] : []),
    ...scaled,
    ...affineLines(plan),
    `y = y.astype(x.dtype)${isSplit ? '.reshape(x.shape)' : ''}`,
  ];
}
