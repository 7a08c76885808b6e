// The call of this package.

import { epsilonText, METHODS } from '../../compute/methods.js';
import { type Plan, product, type Weights } from './subject.js';
import { JS_WORDS, list, literal, wrapped } from './text.js';

/** The arrays that the package takes as they are. */
const ARRAYS: Readonly<Record<string, string>> = {
  float32: 'Float32Array',
  float64: 'Float64Array',
  int8: 'Int8Array',
  uint8: 'Uint8Array',
  int16: 'Int16Array',
  uint16: 'Uint16Array',
  int32: 'Int32Array',
  uint32: 'Uint32Array',
};

export function typescriptOf(plan: Plan): string {
  const { method, subject, shape, axes, channel, groups, epsilon } = plan;
  const { operation, isPerChannel } = METHODS[method];
  const floats = ARRAYS[subject.computed] as string;
  const axis = isPerChannel ? channel : axes.length === 1 ? axes[0] : list(axes);
  const options = [
    `shape: ${list(shape)}`,
    `axis: ${axis}`,
    ...(method === 'group' ? [`groups: ${groups}`] : []),
    `epsilon: ${epsilonText(epsilon)}`,
    ...(plan.gamma ? ['gamma'] : []),
    ...(plan.beta ? ['beta'] : []),
  ];
  const call = `const y = ${operation}(x, `;
  return [
    `import { ${operation} } from 'layernorm';`,
    '',
    dataOf(plan, floats),
    ...(plan.gamma ? [`const gamma = ${weightsOf(plan.gamma, plan, floats)};`] : []),
    ...(plan.beta ? [`const beta = ${weightsOf(plan.beta, plan, floats)};`] : []),
    '',
    `${call}${wrapped('{ ', options, ' }', { lead: call.length })});`,
    'console.log(y);',
    '',
  ].join('\n');
}

function dataOf({ subject }: Plan, floats: string): string {
  const { values, shape, stored, computed } = subject;
  const text = list(shape);
  if (!values) {
    return (
      `// Put your data here: ${product(shape)} numbers of shape ${text}, row by row.\n` +
      `const x = ${floats}.from({ length: ${product(shape)} }, Math.random);`
    );
  }
  const items = Array.from(values, (value) => literal(value, computed === 'float32', JS_WORDS));
  return `// Shape ${text}, row by row.\nconst x = new ${ARRAYS[stored] ?? floats}(${wrapped('[', items, ']')});`;
}

function weightsOf({ shape, values }: Weights, { subject }: Plan, floats: string): string {
  const isSingle = subject.computed === 'float32';
  if (typeof values === 'number') {
    return `new ${floats}(${product(shape)}).fill(${literal(values, isSingle, JS_WORDS)})`;
  }
  const items = values.map((value) => literal(value, isSingle, JS_WORDS));
  return `new ${floats}(${wrapped('[', items, ']')})`;
}
