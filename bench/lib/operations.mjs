// The operations that rows of lib/cases.mjs name. Peers say by the same names what they can do.

import { DATA } from './cases.mjs';
import { channelGroupLayoutOf, channelLayoutOf, layoutOf, positiveAxis, product } from './layout.mjs';
import { randomNumbers } from './random.mjs';
import {
  gradientsReference,
  normalizedReference,
  rmsReference,
  spectralReference,
  standardizedReference,
  statisticsReference,
  unitReference,
} from './reference.mjs';

/** What PyTorch and ONNX have by default. */
const EPSILON = 1e-5;

/** What PyTorch's normalize divides by at least. */
const LEAST_NORM = 1e-12;

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
 * @property {Record<string, any>} tensors the same in the heap of the first build, with the operation's outputs
 */

/**
 * The inputs by their names; those that an operation does not have are undefined.
 * @typedef {object} Arrays
 * @property {Float32Array | Float64Array} x
 * @property {Float32Array | Float64Array} [gamma]
 * @property {Float32Array | Float64Array} [beta]
 * @property {Float32Array | Float64Array} [dy]
 * @property {Float32Array | Float64Array} [skip] what is added to x
 * @property {Float32Array | Float64Array} [mean] of each group
 * @property {Float32Array | Float64Array} [variance]
 * @property {Float32Array | Float64Array} [rstd]
 */

/** The inputs of the size and of the dtype of x. They come first in a call; the others are options by the same names. */
const LARGE = ['dy', 'x', 'skip'];

/**
 * @typedef {object} Operation
 * @property {string} [run] the function of the package; the operation's own name unless said
 * @property {number} passes how often the bytes of x are moved, at least: the unit of GB/s
 * @property {(one: import('./cases.mjs').Case) => import('./layout.mjs').Layout} layout
 * @property {string[]} options of the function, beside parameters and statistics: keys of a case, or epsilon
 * @property {(problem: Problem, source: Source) => Partial<Arrays>} [inputs] those beside x, gamma and beta
 * @property {string[]} [outputs] that the caller provides, by the names of the options: `out` unless said. In place, `out` is x
 * @property {(one: import('./cases.mjs').Case) => number[]} [outputShape] that of x unless said
 * @property {(api: object, problem: Problem, tensors: object) => { call: () => void, made: object[] }} [inSteps] what one would
 *   call instead to write the same `out`, and the tensors that it takes
 * @property {string[]} [results] what the function returns an object of, in the order of `expected`; without parameters, their
 *   gradients are missing. Unless said, the function returns y
 * @property {string[]} [fresh] those of what it returns that are new in each call: the caller provides the others
 * @property {(problem: Problem) => ArrayLike<number>[]} expected what comes out
 */

/**
 * @typedef {object} Source of inputs
 * @property {() => number} random
 * @property {(length: number, element: (_: unknown, i: number) => number) => Float32Array | Float64Array} make
 * @property {() => Float32Array | Float64Array} large numbers between -1 and 1, as many as x has
 */

const overAxes = ({ shape, axis }) => layoutOf(shape, axis);
const ofChannels = ({ shape, axis }) => channelLayoutOf(shape, axis);
const ofChannelGroups = ({ shape, axis, groups }) => channelGroupLayoutOf(shape, axis, groups);
const ofInstances = ({ shape, axis }) => channelGroupLayoutOf(shape, axis, shape[positiveAxis(shape, axis)]);

/** Statistics as the forward call would have given them. */
const given = (statistics, { make }) =>
  Object.fromEntries(
    Object.entries(statistics).map(([name, values]) => [name, make(values.length, (_, i) => values[i])]),
  );

const withoutBeta = () => ({ beta: undefined });
const withoutParameters = () => ({ gamma: undefined, beta: undefined });

/** Of a gradient: dy, and what the forward call computed. */
const gradientInputs = (statisticsOf) => (problem, source) => ({
  beta: undefined,
  dy: source.large(),
  ...given(statisticsOf(problem), source),
});
const meanAndRstd = (problem) => {
  const { mean, rstd } = statisticsReference(problem);
  return { mean, rstd };
};

/** Gradients by the names of an operation's results. Without parameters there is nothing but dx to compute. */
const expectedGradients = (names, options) => (problem) => {
  const gradients = gradientsReference(problem, options);
  return (problem.arrays.gamma ? names : ['dx']).map((name) => gradients[name]);
};

const forward = {
  passes: 2,
  options: ['axis', 'epsilon'],
  expected: (problem) => [standardizedReference(problem)],
};

const GRADIENTS = ['dx', 'dgamma', 'dbeta'];
const backward = {
  passes: 3,
  options: ['axis'],
  inputs: gradientInputs(meanAndRstd),
  results: GRADIENTS,
  fresh: ['dgamma', 'dbeta'],
  expected: expectedGradients(GRADIENTS),
};

/** x + skip, and the same normalized. */
const skipping = {
  ...forward,
  passes: 4,
  layout: overAxes,
  outputs: ['out', 'sumOut'],
  results: ['y', 'sum'],
};
const sumOf = ({ arrays: { x, skip } }) => Float64Array.from(x, (one, i) => one + skip[i]);
const expectedOfSum = (normalized) => (problem) => {
  const sum = sumOf(problem);
  return [normalized({ ...problem, arrays: { ...problem.arrays, x: sum } }), sum];
};

const keptShape = ({ shape, dimensions }) => [...shape.slice(0, -1), dimensions];

/** The first elements of each row. */
function keptOf(rows, { layout: { groups, cols }, case: { dimensions } }, kept) {
  for (let row = 0; row < groups; row++) {
    kept.set(rows.subarray(row * cols, row * cols + dimensions), row * dimensions);
  }
  return kept;
}

const rmsNormalized = (problem) => normalizedReference(problem, rmsReference(problem));

/** @type {Record<string, Operation>} */
export const OPERATIONS = {
  layerNorm: { ...forward, layout: overAxes },
  layerNormForward: { ...forward, layout: overAxes, results: ['y'], fresh: ['mean', 'rstd'] },
  layerNormBackward: { ...backward, layout: overAxes },

  rmsNorm: {
    ...forward,
    layout: overAxes,
    inputs: withoutBeta,
    expected: (problem) => [rmsNormalized(problem)],
  },
  rmsNormBackward: {
    ...backward,
    layout: overAxes,
    inputs: gradientInputs(rmsReference),
    results: ['dx', 'dgamma'],
    expected: expectedGradients(['dx', 'dgamma']),
  },

  unitNorm: {
    ...forward,
    layout: overAxes,
    inputs: withoutParameters,
    expected: (problem) => [normalizedReference(problem, unitReference(problem))],
  },
  unitNormBackward: {
    ...backward,
    layout: overAxes,
    options: ['axis', 'epsilon'],
    inputs: (problem, source) => ({ gamma: undefined, ...gradientInputs(unitReference)(problem, source) }),
    results: ['dx'],
    expected: expectedGradients(['dx'], { ofSum: true }),
  },

  skipLayerNorm: {
    ...skipping,
    inputs: (_, { large }) => ({ skip: large() }),
    expected: expectedOfSum(standardizedReference),
  },
  skipRmsNorm: {
    ...skipping,
    inputs: (_, { large }) => ({ skip: large(), beta: undefined }),
    expected: expectedOfSum(rmsNormalized),
  },

  batchNorm: { ...forward, layout: ofChannels },
  batchNormInference: {
    ...forward,
    run: 'batchNorm',
    layout: ofChannels,
    inputs: ({ layout: { groups } }, { random, make }) => ({
      mean: make(groups, () => 0.5 + random()),
      variance: make(groups, () => 0.5 + random()),
    }),
    expected(problem) {
      const { mean, variance } = problem.arrays;
      const rstd = Float64Array.from(variance, (one) => 1 / Math.sqrt(one + problem.epsilon));
      return [normalizedReference(problem, { mean, rstd })];
    },
  },
  batchNormBackward: { ...backward, layout: ofChannels },

  groupNorm: { ...forward, layout: ofChannelGroups, options: ['groups', 'axis', 'epsilon'] },
  groupNormBackward: { ...backward, layout: ofChannelGroups, options: ['groups', 'axis'] },
  instanceNorm: { ...forward, layout: ofInstances },
  instanceNormBackward: { ...backward, layout: ofInstances },

  matryoshka: {
    passes: 1,
    layout: overAxes,
    options: ['dimensions', 'epsilon'],
    inputs: withoutParameters,
    outputShape: keptShape,
    expected(problem) {
      const { shape, dimensions } = problem.case;
      const x = keptOf(
        standardizedReference(problem),
        problem,
        new Float64Array(product(keptShape(problem.case))),
      );
      const layout = layoutOf([product(shape.slice(0, -1)), dimensions], -1);
      const ofKept = { layout, epsilon: LEAST_NORM, arrays: { x } };
      return [normalizedReference(ofKept, unitReference(ofKept))];
    },
    inSteps({ layerNorm, tensor, unitNorm }, problem, { x, out }) {
      const { arrays, shape, epsilon, case: one } = problem;
      const z = tensor(arrays.x, shape, one.dtype);
      const call = () => {
        layerNorm(x, { epsilon, out: z });
        keptOf(z.array, problem, out.array);
        unitNorm(out, { epsilon: LEAST_NORM, out });
      };
      return { call, made: [z] };
    },
  },

  /** One step of power iteration, as in each training step. */
  spectralNorm: {
    ...forward,
    layout: overAxes,
    options: [],
    inputs: ({ layout: { cols } }, { random, make }) => ({
      ...withoutParameters(),
      u: make(cols, () => random() - 0.5),
    }),
    results: ['kernel', 'u'],
    fresh: ['u', 'v'],
    expected: spectralReference,
  },

  moments: {
    passes: 1,
    layout: overAxes,
    options: ['axis'],
    inputs: withoutParameters,
    outputs: [],
    results: ['mean', 'variance'],
    fresh: ['mean', 'variance'],
    expected(problem) {
      const { mean, variance } = statisticsReference(problem);
      return [mean, variance];
    },
  },
};

const functionOf = (operation) => OPERATIONS[operation].run ?? operation;

/** Why a build cannot run a case: it does not have it yet. undefined when it can. */
export function missingFrom(api, { operation, dtype, threads }) {
  if (typeof api[functionOf(operation)] !== 'function') return `no ${functionOf(operation)} in this build`;
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
  const { operation, shape, affine, dtype, data } = one;
  const layout = OPERATIONS[operation].layout(one);
  const parameters = product(layout.parameterShape);
  const random = randomNumbers(layout.size * 31 + layout.cols);
  const make = (length, element) => ARRAYS[dtype].from({ length }, element);
  const { element } = DATA[data];
  // Numbers that both types of 16 bits have, so that the reference is one of what is computed.
  const rounded = isSixteenBit(dtype) ? (value) => Math.round(64 * value) / 64 : (value) => value;
  const arrays = {
    x: make(layout.size, () => rounded(element(random(), random()))),
    gamma: affine ? make(parameters, () => 0.5 + random()) : undefined,
    beta: affine ? make(parameters, () => random() - 0.5) : undefined,
  };
  const problem = { case: one, shape, layout, epsilon: EPSILON, arrays };
  const large = () => make(layout.size, () => rounded(2 * random() - 1));
  Object.assign(arrays, OPERATIONS[operation].inputs?.(problem, { random, make, large }));
  return problem;
}

/** The shape of an input. */
export function shapeOf(name, { shape, layout }) {
  if (LARGE.includes(name)) return shape;
  return ['gamma', 'beta', 'u'].includes(name) ? layout.parameterShape : layout.groupShape;
}

/** What the caller provides for the results. `make` is asked for each, of a shape, with numbers for it; in place, `out` is x. */
function outputsFor({ case: one, shape, arrays }, x, make) {
  const { outputs = ['out'], outputShape } = OPERATIONS[one.operation];
  const sizes = outputShape?.(one) ?? shape;
  const numbers = arrays.x.subarray(0, product(sizes));
  return Object.fromEntries(
    outputs.map((name) => [name, one.inPlace && name === 'out' ? x : make(numbers, sizes)]),
  );
}

/** The problem's data in the heap of a build. */
export function tensorsOf({ tensor }, problem) {
  const { case: one, arrays } = problem;
  const tensors = {};
  for (const [name, data] of Object.entries(arrays)) {
    const dtype = LARGE.includes(name) ? one.dtype : null;
    if (data) tensors[name] = tensor(data, shapeOf(name, problem), dtype);
  }
  const make = (numbers, sizes) => tensor(numbers, sizes, one.dtype);
  return { ...tensors, ...outputsFor(problem, tensors.x, make) };
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
 * @param {Record<string, any>} operands those of the problem and its outputs
 * @param {object} shape the option that arrays need
 */
function candidateOf(name, api, problem, operands, shape) {
  const { case: one, arrays, epsilon } = problem;
  const { options: names, outputs = ['out'], results, fresh = [] } = OPERATIONS[one.operation];
  const provided = outputs.map((output) => operands[output]);
  const run = api[functionOf(one.operation)];

  const options = { ...shape };
  for (const option of names) options[option] = { ...one, epsilon }[option];
  for (const input of Object.keys(arrays)) {
    if (arrays[input] && !LARGE.includes(input)) options[input] = operands[input];
  }
  for (const output of outputs) options[output] = operands[output];
  // Without parameters there is nothing but dx to compute, for oneDNN and PyTorch as well.
  if (arrays.dy && !arrays.gamma) options.outputs = ['dx'];
  const large = { ...operands, ...(one.inPlace && { x: operands.out }) };
  const [first, second] = LARGE.filter((input) => arrays[input]).map((input) => large[input]);
  const call = second ? () => run(first, second, options) : () => run(first, options);

  let last = {};
  const release = () => {
    for (const result of fresh) last[result]?.dispose?.();
  };
  return {
    name,
    call: results
      ? () => {
          release();
          last = call();
        }
      : call,
    reset() {
      if (one.inPlace) elementsOf(operands.out).set(arrays.x);
      else for (const output of provided) elementsOf(output).fill(Number.NaN);
    },
    results() {
      const all = results ? results.map((result) => last[result]).filter(Boolean) : provided;
      return all.map((result) => (isSixteenBit(result.dtype) ? numbersOf(api, result) : elementsOf(result)));
    },
    dispose() {
      release();
      last = {};
    },
  };
}

export const heapCandidate = (name, api, problem, tensors) => candidateOf(name, api, problem, tensors, {});

/** What one would call instead of the operation, on tensors in the heap; undefined where that is nothing. */
export function stepsCandidate(name, api, problem, tensors) {
  const steps = OPERATIONS[problem.case.operation].inSteps?.(api, problem, tensors);
  if (!steps) return undefined;
  return {
    name,
    call: steps.call,
    reset: () => tensors.out.array.fill(Number.NaN),
    results: () => [tensors.out.array],
    dispose: () => disposeAll(steps.made),
  };
}

export function arrayCandidate(name, api, problem) {
  const { arrays, shape } = problem;
  const copy = (numbers) => numbers.slice();
  const operands = { ...arrays, ...outputsFor(problem, copy(arrays.x), copy) };
  return candidateOf(name, api, problem, operands, { shape });
}
