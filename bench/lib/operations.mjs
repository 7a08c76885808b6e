// The operations that rows of lib/cases.mjs name. Peers say by the same names what they can do.

import { DATA } from './cases.mjs';
import { layoutOf } from './layout.mjs';
import { randomNumbers } from './random.mjs';
import { layerNormReference } from './reference.mjs';

/** What PyTorch and ONNX have by default. */
const EPSILON = 1e-5;

const ARRAYS = { float32: Float32Array, float64: Float64Array };

/**
 * A case with its data.
 * @typedef {object} Problem
 * @property {import('./cases.mjs').Case} case
 * @property {number[]} shape
 * @property {import('./layout.mjs').Layout} layout
 * @property {number} epsilon
 * @property {Float32Array | Float64Array} x not to be written to
 * @property {Float32Array | Float64Array} [gamma]
 * @property {Float32Array | Float64Array} [beta]
 * @property {Record<string, any>} tensors the same in the heap of the first build, with `out` for y (x itself when in place)
 */

/**
 * @typedef {object} Operation
 * @property {number} passes how often the bytes of x are moved: the unit of GB/s
 * @property {(problem: Problem) => Float64Array} expected what comes out
 * @property {(api: object, tensors: object, options: object) => () => object} ours the call that is timed, on whatever kind
 *   of container; it returns y
 */

/** @type {Record<string, Operation>} */
export const OPERATIONS = {
  layerNorm: {
    passes: 2,
    expected: layerNormReference,
    ours: (api, x, options) => () => api.layerNorm(x, options),
  },
  layerNormForward: {
    passes: 2,
    expected: layerNormReference,
    ours: (api, x, options) => () => api.layerNormForward(x, options).y,
  },
};

/** Why a build cannot run a case: it does not have it yet. undefined when it can. */
export function missingFrom(api, { operation, dtype, threads }) {
  if (typeof api[operation] !== 'function') return `no ${operation} in this build`;
  if (!(dtype in ARRAYS)) return `no ${dtype} in this build`;
  if (threads > 1 && !api.configure) return 'one thread only in this build';
  return undefined;
}

/** @returns {Omit<Problem, 'tensors'>} */
export function problemOf(one) {
  const { shape, axis, affine, dtype, data } = one;
  const layout = layoutOf(shape, axis);
  const random = randomNumbers(layout.size * 31 + layout.cols);
  const make = (length, element) => ARRAYS[dtype].from({ length }, element);
  const { element } = DATA[data];
  return {
    case: one,
    shape,
    layout,
    epsilon: EPSILON,
    x: make(layout.size, () => element(random(), random())),
    gamma: affine ? make(layout.cols, () => 0.5 + random()) : undefined,
    beta: affine ? make(layout.cols, () => random() - 0.5) : undefined,
  };
}

/** The problem's data in the heap of a build. */
export function tensorsOf({ tensor }, { case: one, shape, x, gamma, beta }) {
  const tensors = { x: tensor(x, shape), gamma: gamma && tensor(gamma), beta: beta && tensor(beta) };
  tensors.out = one.inPlace ? tensors.x : tensor(x, shape);
  return tensors;
}

export function disposeAll(tensors) {
  for (const one of Object.values(tensors)) one?.dispose();
}

/** The options of a call, whose containers are those of `operands`. */
const optionsOf = ({ case: { axis }, epsilon }, { gamma, beta, out }, more) => ({
  axis,
  epsilon,
  out,
  ...(gamma && { gamma }),
  ...(beta && { beta }),
  ...more,
});

/**
 * A build of this package as a candidate, on tensors in its heap.
 * @param {Problem} problem
 */
export function heapCandidate(name, api, problem, tensors) {
  const call = OPERATIONS[problem.case.operation].ours(api, tensors.x, optionsOf(problem, tensors));
  return {
    name,
    call,
    reset: () => (problem.case.inPlace ? tensors.x.array.set(problem.x) : tensors.out.array.fill(Number.NaN)),
    result: () => tensors.out.array,
  };
}

/** The same on ordinary typed arrays, with `out`. */
export function arrayCandidate(name, api, problem) {
  const { x, gamma, beta, shape, case: one } = problem;
  const out = x.slice();
  const source = one.inPlace ? out : x;
  const options = optionsOf(problem, { gamma, beta, out }, { shape });
  return {
    name,
    call: OPERATIONS[one.operation].ours(api, source, options),
    reset: () => (one.inPlace ? out.set(x) : out.fill(Number.NaN)),
    result: () => out,
  };
}
