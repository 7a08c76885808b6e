// The operations that rows of lib/cases.mjs name. Peers say by the same names what they can do.

import { DATA } from './cases.mjs';
import { layoutOf } from './layout.mjs';
import { randomNumbers } from './random.mjs';
import { layerNormBackwardReference, layerNormReference, statisticsReference } from './reference.mjs';

/** What PyTorch and ONNX have by default. */
const EPSILON = 1e-5;

/** Numbers of 16 bits are kept as float32, and so are the parameters that go with them. */
const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Float32Array,
  bfloat16: Float32Array,
};

export const isSixteenBit = (dtype) => dtype === 'float16' || dtype === 'bfloat16';

/**
 * A case with its data.
 * @typedef {object} Problem
 * @property {import('./cases.mjs').Case} case
 * @property {number[]} shape
 * @property {import('./layout.mjs').Layout} layout
 * @property {number} epsilon
 * @property {Arrays} arrays not to be written to
 * @property {Record<keyof Arrays | 'out', any>} tensors the same in the heap of the first build, with `out` of the size of x:
 *   x itself when in place
 */

/**
 * The inputs by their names, all of the case's dtype; those that an operation does not have are undefined.
 * @typedef {object} Arrays
 * @property {Float32Array | Float64Array} x
 * @property {Float32Array | Float64Array} [gamma]
 * @property {Float32Array | Float64Array} [beta]
 * @property {Float32Array | Float64Array} [dy]
 * @property {Float32Array | Float64Array} [mean]
 * @property {Float32Array | Float64Array} [rstd]
 */

/**
 * @typedef {object} Operation
 * @property {number} passes how often the bytes of x are moved, at least: the unit of GB/s
 * @property {(problem: Problem, random: () => number, make: (length: number, element: () => number) => object) =>
 *   Partial<Arrays>} [inputs] those beside x, gamma and beta
 * @property {(problem: Problem) => ArrayLike<number>[]} expected what comes out
 * @property {(api: object, operands: object, problem: Problem, shape: object) => { call: () => void, results: () =>
 *   object[] }} ours the call that is timed and what it gave, on tensors or on arrays, which need their shape as an option
 */

/** @type {Record<string, Operation>} */
export const OPERATIONS = {
  layerNorm: {
    passes: 2,
    expected: (problem) => [layerNormReference(problem)],
    ours(api, operands, problem, shape) {
      const { x, options } = forwardOf(operands, problem, shape);
      return { call: () => api.layerNorm(x, options), results: () => [operands.out] };
    },
  },

  layerNormForward: {
    passes: 2,
    expected: (problem) => [layerNormReference(problem)],
    ours(api, operands, problem, shape) {
      const { x, options } = forwardOf(operands, problem, shape);
      const call = () => {
        const { mean, rstd } = api.layerNormForward(x, options);
        disposeAll([mean, rstd]);
      };
      return { call, results: () => [operands.out] };
    },
  },

  layerNormBackward: {
    passes: 3,
    inputs(problem, random, make) {
      const { mean, rstd } = statisticsReference(problem);
      const step = isSixteenBit(problem.case.dtype) ? 64 : 2 ** 53;
      return {
        beta: undefined,
        dy: make(problem.layout.size, () => Math.round(step * (2 * random() - 1)) / step),
        mean: make(mean.length, (_, i) => mean[i]),
        rstd: make(rstd.length, (_, i) => rstd[i]),
      };
    },
    expected: layerNormBackwardReference,
    ours(api, { dy, x, mean, rstd, gamma }, { case: { axis } }, shape) {
      // Without parameters there is nothing but dx to compute, for oneDNN and PyTorch as well.
      const options = { ...shape, axis, mean, rstd, ...(gamma ? { gamma } : { outputs: ['dx'] }) };
      let last = {};
      const call = () => {
        disposeAll(Object.values(last));
        last = api.layerNormBackward(dy, x, options);
      };
      return { call, results: () => [last.dx, last.dgamma, last.dbeta].filter(Boolean) };
    },
  },
};

function forwardOf({ x, gamma, beta, out }, { case: { axis, inPlace }, epsilon }, shape) {
  const parameters = { ...(gamma && { gamma }), ...(beta && { beta }) };
  return { x: inPlace ? out : x, options: { ...shape, axis, epsilon, ...parameters, out } };
}

/** Why a build cannot run a case: it does not have it yet. undefined when it can. */
export function missingFrom(api, { operation, dtype, threads }) {
  if (typeof api[operation] !== 'function') return `no ${operation} in this build`;
  try {
    api.tensor([1], [1], dtype).dispose();
  } catch {
    return `no ${dtype} in this build`;
  }
  if (threads > 1 && !api.configure) return 'one thread only in this build';
  return undefined;
}

/** @returns {Omit<Problem, 'tensors'>} */
export function problemOf(one) {
  const { operation, shape, axis, affine, dtype, data } = one;
  const layout = layoutOf(shape, axis);
  const random = randomNumbers(layout.size * 31 + layout.cols);
  const make = (length, element) => ARRAYS[dtype].from({ length }, element);
  const { element } = DATA[data];
  // Numbers that both types of 16 bits have, so that the reference is one of what is computed.
  const rounded = isSixteenBit(dtype) ? (value) => Math.round(64 * value) / 64 : (value) => value;
  const arrays = {
    x: make(layout.size, () => rounded(element(random(), random()))),
    gamma: affine ? make(layout.cols, () => 0.5 + random()) : undefined,
    beta: affine ? make(layout.cols, () => random() - 0.5) : undefined,
  };
  const problem = { case: one, shape, layout, epsilon: EPSILON, arrays };
  Object.assign(arrays, OPERATIONS[operation].inputs?.(problem, random, make));
  return problem;
}

/** The problem's data in the heap of a build. */
export function tensorsOf({ tensor }, { case: one, shape, layout, arrays }) {
  const { groupShape } = layout;
  const shapes = { x: shape, dy: shape, mean: groupShape, rstd: groupShape };
  const tensors = {};
  for (const [name, data] of Object.entries(arrays)) {
    if (data) tensors[name] = tensor(data, shapes[name], name === 'x' || name === 'dy' ? one.dtype : null);
  }
  tensors.out = one.inPlace ? tensors.x : tensor(arrays.x, shape, one.dtype);
  return tensors;
}

export function disposeAll(values) {
  for (const one of values) one?.dispose?.();
}

/** What a tensor or an array holds. */
const elementsOf = (container) => container.array ?? container;

/** The elements of a tensor of 16 bits. */
function numbersOf({ tensor }, of) {
  const numbers = tensor(of, null, 'float32');
  const copy = numbers.array.slice();
  numbers.dispose();
  return copy;
}

/**
 * A build of this package as a candidate, on tensors in its heap or on ordinary arrays.
 * @param {Problem} problem
 * @param {Record<string, any>} operands those of the problem and `out`
 */
function candidateOf(name, api, problem, operands, shape) {
  const { inPlace, operation } = problem.case;
  const { call, results } = OPERATIONS[operation].ours(api, operands, problem, shape);
  return {
    name,
    call,
    reset: () => elementsOf(operands.out)[inPlace ? 'set' : 'fill'](inPlace ? problem.arrays.x : Number.NaN),
    results: () => results().map((one) => (isSixteenBit(one.dtype) ? numbersOf(api, one) : elementsOf(one))),
  };
}

export const heapCandidate = (name, api, problem, tensors) => candidateOf(name, api, problem, tensors, {});

export function arrayCandidate(name, api, problem) {
  const operands = { ...problem.arrays, out: problem.arrays.x.slice() };
  return candidateOf(name, api, problem, operands, { shape: problem.shape });
}
