// The loops of loops.mjs.

import { offsetsOf, product } from '../lib/layout.mjs';

/**
 * What is called for an operation: `code` has the functions of loops.mjs, and `y` is x itself when in place. Nothing where
 * there is no loop for the layout. Where more comes out than y, `results` says what.
 * @type {Record<string, (problem: object, code: object, y: object) => { call: () => void, results?: object[] } | undefined>}
 */
const LOOPS = {
  layerNorm({ layout, epsilon, arrays: { x, gamma, beta } }, code, y) {
    if (layout.inner === 1) {
      const { groups, cols } = layout;
      return { call: () => code.layerNormRows(x, groups, cols, gamma, beta, epsilon, y) };
    }
    const offsets = offsetsOf(layout);
    return { call: () => code.layerNormGroups(x, offsets, gamma, beta, epsilon, y) };
  },

  rmsNorm({ layout: { groups, cols, inner }, epsilon, arrays: { x, gamma } }, code, y) {
    return inner === 1 && { call: () => code.rmsNormRows(x, groups, cols, gamma, epsilon, y) };
  },

  unitNorm({ layout: { groups, cols, inner }, epsilon, arrays: { x } }, code, y) {
    return inner === 1 && { call: () => code.unitNormRows(x, groups, cols, epsilon, y) };
  },

  matryoshka({ case: { dimensions }, layout: { groups, cols }, epsilon, arrays: { x } }, code) {
    const y = new x.constructor(groups * dimensions);
    return { call: () => code.matryoshkaRows(x, groups, cols, dimensions, epsilon, y), results: [y] };
  },

  skipLayerNorm({ layout: { groups, cols, inner }, epsilon, arrays: { x, skip, gamma, beta } }, code, y) {
    const sum = x.slice();
    return (
      inner === 1 && {
        call: () => code.skipLayerNormRows(x, skip, groups, cols, gamma, beta, epsilon, y, sum),
        results: [y, sum],
      }
    );
  },

  skipRmsNorm({ layout: { groups, cols, inner }, epsilon, arrays: { x, skip, gamma } }, code, y) {
    const sum = x.slice();
    return (
      inner === 1 && {
        call: () => code.skipRmsNormRows(x, skip, groups, cols, gamma, epsilon, y, sum),
        results: [y, sum],
      }
    );
  },

  batchNorm({ layout: { shape }, epsilon, arrays: { x, gamma, beta } }, code, y) {
    return { call: () => code.batchNorm(x, shape, gamma, beta, epsilon, y) };
  },

  batchNormInference({ layout: { shape }, epsilon, arrays: { x, gamma, beta, mean, variance } }, code, y) {
    return { call: () => code.normalizeChannels(x, shape, mean, variance, gamma, beta, epsilon, y) };
  },

  groupNorm({ layout: { shape }, epsilon, arrays: { x, gamma, beta } }, code, y) {
    return { call: () => code.groupNorm(x, shape, gamma, beta, epsilon, y) };
  },

  instanceNorm: (...given) => LOOPS.groupNorm(...given),

  moments({ layout: { shape, groups, cols, inner, axes }, arrays: { x } }, code) {
    const [mean, variance] = [0, 0].map(() => new x.constructor(groups));
    const results = [mean, variance];
    if (inner === 1) return { call: () => code.momentsOfRows(x, groups, cols, mean, variance), results };
    const channels = shape.findIndex((_, i) => !axes.includes(i));
    if (axes.length !== shape.length - 1) return undefined;
    const view = [product(shape.slice(0, channels)), groups, product(shape.slice(channels + 1))];
    return { call: () => code.momentsOfChannels(x, view, mean, variance), results };
  },
};

/** @type {import('./index.mjs').Open} */
export async function open() {
  return {
    title: 'plain JavaScript loop',
    async candidate(problem) {
      const { case: one, arrays, layout } = problem;
      const { operation, dtype } = one;
      const { x } = arrays;
      if (!(['float32', 'float64'].includes(dtype) && operation in LOOPS)) return undefined;
      // Copies of the functions: V8 makes slower code once one has seen two kinds of arrays.
      const code = await import(`./loops.mjs?${operation},${dtype}`);
      const y = x.slice();
      const parameters = product(layout.parameterShape);
      const filled = {
        ...arrays,
        x: one.inPlace ? y : x,
        gamma: arrays.gamma ?? new x.constructor(parameters).fill(1),
        beta: arrays.beta ?? new x.constructor(parameters),
      };
      const loop = LOOPS[operation]({ ...problem, arrays: filled }, code, y);
      if (!loop) return undefined;
      const { call, results = [y] } = loop;
      return {
        call,
        reset() {
          if (one.inPlace) y.set(x);
          else for (const result of results) result.fill(Number.NaN);
        },
        results: () => results,
      };
    },
    close() {},
  };
}
