// Every function and layer that takes arrays, called with the tensors of another library: what comes out has to be of the class, type
// and shape that belong to what went in, and its bits those that the tensors of this package give.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as layernorm from 'layernorm';
import { randomNumbers } from '../../../bench/lib/random.mjs';

const ROWS = 4;
const COLUMNS = 6;

/** @typedef {'float16' | 'float32' | 'float64'} FloatType */

/**
 * How a library keeps arrays.
 * @typedef {object} Library
 * @property {string} name
 * @property {string[]} dtypes of x; parameters are float32
 * @property {(values: number[], shape: number[], dtype: string) => object} make values that are exact in the type
 * @property {(result: object) => { data: object, shape: number[], dtype: string }} read fails if `result` is not what should come out
 */

/** The arrays that {@link OPERATIONS} take: name, shape, and whether they are of the type of x, or parameters. */
const ARRAYS = {
  x: [[ROWS, COLUMNS], true],
  skip: [[ROWS, COLUMNS], true],
  dy: [[ROWS, COLUMNS], true],
  image: [[2, 3, COLUMNS], true],
  dimage: [[2, 3, COLUMNS], true],
  gamma: [[COLUMNS], false],
  beta: [[COLUMNS], false],
  // A variance is positive.
  variance: [[COLUMNS], false],
};

/** @type {Record<string, (api: typeof layernorm, arrays: Record<string, object>, dtype: FloatType) => object>} */
const OPERATIONS = {
  layerNorm: (api, { x, gamma, beta }) => api.layerNorm(x, { gamma, beta }),
  layerNormForward: (api, { x, gamma }) => api.layerNormForward(x, { gamma, axis: [0, 1].slice(1) }),
  layerNormBackward: (api, { x, dy, gamma }) => {
    const { mean, rstd } = api.layerNormForward(x, { gamma });
    return api.layerNormBackward(dy, x, { mean, rstd, gamma });
  },
  rmsNorm: (api, { image, gamma }) => api.rmsNorm(image, { gamma }),
  rmsNormForward: (api, { x, gamma }) => api.rmsNormForward(x, { gamma }),
  rmsNormBackward: (api, { x, dy, gamma }) =>
    api.rmsNormBackward(dy, x, { rstd: api.rmsNormForward(x, { gamma }).rstd, gamma }),
  unitNorm: (api, { image }) => api.unitNorm(image, { axis: [0, 2] }),
  matryoshka: (api, { x }) => api.matryoshka(x, { dimensions: 4 }),
  unitNormForward: (api, { x }) => api.unitNormForward(x),
  unitNormBackward: (api, { x, dy }) => api.unitNormBackward(dy, x, { rstd: api.unitNormForward(x).rstd }),
  batchNorm: (api, { image, gamma, beta, variance }) =>
    api.batchNorm(image, { gamma, beta, mean: beta, variance }),
  batchNormForward: (api, { x, gamma, beta, variance }) =>
    api.batchNormForward(x, { gamma, beta, movingMean: beta, movingVariance: variance }),
  batchNormBackward: (api, { x, dy, gamma }) => {
    const { mean, rstd } = api.batchNormForward(x, { gamma });
    return api.batchNormBackward(dy, x, { mean, rstd, gamma });
  },
  groupNorm: (api, { image, gamma, beta }) => api.groupNorm(image, { groups: 3, gamma, beta }),
  groupNormForward: (api, { x, gamma }) => api.groupNormForward(x, { groups: 2, gamma }),
  groupNormBackward: (api, { image, dimage, gamma }) => {
    const { mean, rstd } = api.groupNormForward(image, { groups: 2, gamma });
    return api.groupNormBackward(dimage, image, { groups: 2, mean, rstd, gamma });
  },
  instanceNorm: (api, { image, gamma, beta }) => api.instanceNorm(image, { gamma, beta }),
  instanceNormForward: (api, { image, gamma }) => api.instanceNormForward(image, { gamma }),
  instanceNormBackward: (api, { image, dimage, gamma }) => {
    const { mean, rstd } = api.instanceNormForward(image, { gamma });
    return api.instanceNormBackward(dimage, image, { mean, rstd, gamma });
  },
  skipLayerNorm: (api, { x, skip, beta, gamma }) => api.skipLayerNorm(x, skip, { bias: beta, gamma, beta }),
  skipLayerNormForward: (api, { x, skip, gamma }) => api.skipLayerNormForward(x, skip, { gamma }),
  skipRmsNorm: (api, { x, skip, gamma }) => api.skipRmsNorm(x, skip, { gamma }),
  skipRmsNormForward: (api, { x, skip, gamma }) => api.skipRmsNormForward(x, skip, { gamma }),
  moments: (api, { x }) => api.moments(x, { axis: 0 }),
  spectralNorm: (api, { x, gamma }) => api.spectralNorm(x, { u: gamma }),
  spectralNormBackward: (api, { x, dy, gamma }) => {
    const { u, v, sigma } = api.spectralNorm(x, { u: gamma });
    return api.spectralNormBackward(dy, x, { u, v, sigma });
  },
  tensor: (api, { x }, dtype) => ({ copied: api.layerNorm(api.tensor(x, null, dtype)) }),
  Moments: (api, { x }) => new api.Moments({ axis: 0 }).update(x).update(x).finalize(),
  LayerNormalization: (api, arrays, dtype) => applied(new api.LayerNormalization({ dtype }), arrays),
  RMSNormalization: (api, arrays, dtype) => applied(new api.RMSNormalization({ dtype }), arrays),
  BatchNormalization: (api, arrays, dtype) => applied(new api.BatchNormalization({ dtype }), arrays),
  GroupNormalization: (api, arrays, dtype) =>
    applied(new api.GroupNormalization({ groups: 2, dtype }), arrays),
  UnitNormalization: (api, arrays, dtype) => applied(new api.UnitNormalization({ dtype }), arrays),
  Normalization: (api, { x }, dtype) => {
    const layer = new api.Normalization({ dtype });
    layer.adapt(x);
    return layer.apply(x);
  },
  Weight: (api, { gamma, x }, dtype) => {
    const layer = new api.LayerNormalization({ dtype, center: false });
    layer.build([ROWS, COLUMNS]);
    layer.setWeights([gamma]);
    return layer.apply(x);
  },
};

/** The other exports: what takes no arrays, or hands them to others. */
const WITHOUT_ARRAYS = [
  ...['LayerNormError', 'DTypePolicy', 'configure', 'createEngine', 'info', 'setWarningHandler'],
  ...['constraints', 'initializers', 'regularizers', 'serializeLayer', 'deserializeLayer'],
  'momentsCombiner', // Moments
  'SpectralNormalization', // spectralNorm, for the kernel of a layer that one hands in
];

function applied(layer, { x, dy }) {
  const y = layer.apply(x, { training: true });
  return { y, dx: layer.backward(dy) };
}

function makeOwn(values, shape, dtype) {
  return layernorm.tensor(new Float64Array(values), shape, dtype.startsWith('float') ? dtype : 'float32');
}

function readOwn(result) {
  assert.ok('disposed' in result, 'a tensor of this package gives one');
  const { array, shape, dtype } = result;
  return { data: array.slice(), shape: [...shape], dtype };
}

/** Multiples of 1/4, exact in all floats; small integers for the types of those. */
function valuesOf(name, count, dtype) {
  const random = randomNumbers(name.length + count);
  const isInteger = !dtype.startsWith('float');
  return Array.from({ length: count }, () => {
    const value = Math.floor(random() * 32);
    if (isInteger) return value;
    return name === 'variance' ? (value + 1) / 4 : value / 4 - 4;
  });
}

const sizeOf = (shape) => shape.reduce((product, size) => product * size, 1);

/** @returns {Record<string, object>} */
function arraysOf(make, dtype) {
  return Object.fromEntries(
    Object.entries(ARRAYS).map(([name, [shape, isLikeX]]) => {
      const type = isLikeX ? dtype : 'float32';
      return [name, make(valuesOf(name, sizeOf(shape), type), shape, type)];
    }),
  );
}

/** The results of an operation, each read: a container by itself, or several by their names. Numbers stay. */
function readResults(result, read) {
  if (typeof result !== 'object' || ArrayBuffer.isView(result)) return result;
  if (Array.isArray(result) || 'dims' in result || 'shape' in result) return read(result);
  return Object.fromEntries(Object.entries(result).map(([name, one]) => [name, readResults(one, read)]));
}

test('every export that takes arrays is called with the tensors of other libraries', () => {
  const known = [...Object.keys(OPERATIONS), ...WITHOUT_ARRAYS];
  assert.deepEqual(Object.keys(layernorm).sort(), known.sort());
});

/** @param {Library} library */
export function testOperations({ name, dtypes, make, read }) {
  for (const dtype of dtypes) {
    const computed = dtype.startsWith('float') ? dtype : 'float32';
    describe(`${name}, ${dtype}`, () => {
      for (const [operation, call] of Object.entries(OPERATIONS)) {
        test(operation, () => {
          const theirs = call(layernorm, arraysOf(make, dtype), computed);
          const ours = call(layernorm, arraysOf(makeOwn, dtype), computed);
          if (operation === 'Moments') assert.deepEqual(theirs, ours);
          else {
            const readTheirs = operation === 'tensor' ? readOwn : read;
            assert.deepEqual(readResults(theirs, readTheirs), readResults(ours, readOwn));
          }
        });
      }
    });
  }
}
