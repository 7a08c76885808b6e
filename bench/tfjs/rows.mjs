// What is measured of layers in TensorFlow.js, in Node and in pages alike: `layernorm/tfjs` beside TensorFlow.js' own.

import { measure, medianTime } from '../lib/measure.mjs';
import { randomNumbers } from '../lib/random.mjs';
import { ratios } from '../lib/statistics.mjs';

/** The candidate that the others are compared with. */
export const BASE = 'layernorm';

/** Results may differ so much: TensorFlow.js sums in float32. */
const TOLERANCE = 1e-3;

/** Few rounds, each of them with all candidates: some are a thousand times slower than others. */
export const PRECISION = { rounds: 11, warmUpMs: 100, sampleMs: 4, slowMs: Number.MAX_VALUE };
export const QUICK_PRECISION = { ...PRECISION, rounds: 5, warmUpMs: 60 };

const WORKS = ['forward', 'forward + backward', 'fit'];

/**
 * @typedef {object} Row
 * @property {string} work one of WORKS
 * @property {'layerNormalization' | 'batchNormalization'} layer
 * @property {number} rows
 * @property {number} features
 * @property {boolean} [quick] measured with --quick as well
 * @property {string[]} [without] candidates that would take too long
 */

const shapes = (work, layer, list) =>
  list.map(([rows, features, more]) => ({ work, layer, rows, features, ...more }));
const QUICK = { quick: true };

/** @type {Row[]} */
export const ROWS = [
  ...shapes('forward', 'layerNormalization', [
    [32, 64, QUICK],
    [512, 256, QUICK],
    [2048, 1024],
  ]),
  ...shapes('forward + backward', 'layerNormalization', [
    [32, 64, QUICK],
    [512, 256, QUICK],
    [2048, 1024, { without: ['own'] }], // some ten seconds each
  ]),
  ...shapes('forward', 'batchNormalization', [
    [512, 256, QUICK],
    [2048, 1024],
  ]),
  ...shapes('forward + backward', 'batchNormalization', [
    [512, 256, QUICK],
    [2048, 1024],
  ]),
  ...shapes('fit', 'layerNormalization', [
    [32, 64, QUICK],
    [128, 256, QUICK],
  ]),
  ...shapes('fit', 'batchNormalization', [[128, 256, QUICK]]),
];

export const labelOf = ({ work, layer, rows, features }) => `${work}, ${layer} ${rows}x${features}`;

/** (x - mean) / sqrt(variance + epsilon) * gamma + beta of operations of TensorFlow.js, none of which is Tile. */
function compositeOf(tf) {
  return class Composite extends tf.layers.Layer {
    static className = 'Composite';

    build([, features]) {
      this.gamma = this.addWeight('gamma', [features], 'float32', tf.initializers.ones());
      this.beta = this.addWeight('beta', [features], 'float32', tf.initializers.zeros());
      this.built = true;
    }

    call(inputs) {
      return tf.tidy(() => {
        const x = Array.isArray(inputs) ? inputs[0] : inputs;
        const centred = tf.sub(x, tf.mean(x, -1, true));
        const rstd = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), 1e-3));
        return tf.add(tf.mul(tf.mul(centred, rstd), this.gamma.read()), this.beta.read());
      });
    }
  };
}

/** How each candidate makes the layer; undefined where it has none. */
function layersOf(tf, { install }) {
  const ours = install(tf, { replaceBuiltin: false });
  const Composite = compositeOf(tf);
  return {
    [BASE]: (name) => ours[name](),
    own: (name) => tf.layers[name](),
    patched: (name) => (tf.getBackend() === 'wasm' ? tf.layers[name]() : undefined),
    composite: (name) => (name === 'layerNormalization' ? new Composite() : undefined),
    none: undefined,
  };
}

/** One call and its results, as a tensor to be compared. */
function workOf(tf, { work, rows, features }, layer) {
  const random = (shape, seed) => tf.randomNormal(shape, 0, 1, 'float32', seed);
  if (work === 'forward') {
    const x = random([rows, features], 1);
    layer.apply(x);
    return { call: () => tf.dispose(layer.apply(x)), results: () => [layer.apply(x)] };
  }
  if (work === 'forward + backward') {
    // A variable, so that its gradient is wanted as well.
    const x = tf.variable(random([rows, features], 1));
    const dy = random([rows, features], 2);
    const run = () => tf.variableGrads(() => tf.sum(tf.mul(layer.apply(x, { training: true }), dy)));
    layer.apply(x);
    const results = () => {
      const { grads } = run();
      return [x, ...layer.trainableWeights.map((weight) => weight.read())].map(({ name }) => grads[name]);
    };
    return { call: () => tf.dispose(run()), results };
  }
  const initializer = (seed) => tf.initializers.glorotUniform({ seed });
  const dense = (units, seed, more) =>
    tf.layers.dense({ units, kernelInitializer: initializer(seed), ...more });
  const model = tf.sequential({
    layers: [
      dense(features, 1, { activation: 'relu', inputShape: [10] }),
      ...(layer ? [layer] : []),
      dense(10, 2, { activation: 'softmax' }),
    ],
  });
  model.compile({ optimizer: tf.train.sgd(0.01), loss: 'categoricalCrossentropy' });
  const x = random([8 * rows, 10], 3);
  const y = tf.oneHot(tf.argMax(x, 1), 10);
  const train = () =>
    model.fit(x, y, { epochs: 1, batchSize: rows, shuffle: false, verbose: 0, yieldEvery: 'never' });
  const fresh = model.getWeights().map((weight) => tf.clone(weight));
  return {
    callAsync: train,
    results: async () => {
      model.setWeights(fresh);
      await train();
      return model.getWeights();
    },
  };
}

/** The same with TensorFlow.js patched while it runs, and only then. */
function patchedWork(tf, { patchBuiltins }, { call, callAsync = async () => call(), results }) {
  const patched = async (run) => {
    const undo = patchBuiltins(tf);
    try {
      return await run();
    } finally {
      undo();
    }
  };
  return {
    sample: (calls) =>
      patched(async () => {
        const start = performance.now();
        if (call) for (let n = 0; n < calls; n++) call();
        else for (let n = 0; n < calls; n++) await callAsync();
        return performance.now() - start;
      }),
    results: () => patched(results),
  };
}

async function candidatesOf(tf, api, row) {
  const candidates = [];
  for (const [name, make] of Object.entries(layersOf(tf, api))) {
    if (row.without?.includes(name)) continue;
    const layer = make?.(row.layer);
    // Without normalization there is only a fit to be measured.
    if (!layer && !(name === 'none' && row.work === 'fit')) continue;
    const work = workOf(tf, row, layer);
    candidates.push({ name, ...(name === 'patched' ? patchedWork(tf, api, work) : work) });
  }
  return candidates;
}

/** @throws when a candidate computes something else */
async function verify(candidates) {
  const valuesOf = async ({ results }) => (await results()).map((result) => result.dataSync());
  const expected = await valuesOf(candidates[0]);
  for (const candidate of candidates.slice(1)) {
    if (candidate.name === 'none') continue;
    const values = await valuesOf(candidate);
    const wrong =
      values.length !== expected.length ||
      values.some((array, i) =>
        array.some((value, j) => !(Math.abs(value - expected[i][j]) <= TOLERANCE * (1 + Math.abs(value)))),
      );
    if (wrong) throw new Error(`${candidate.name} computes something else than ${candidates[0].name}`);
  }
}

/**
 * Measures one row: all candidates in turn.
 * @param {object} tf TensorFlow.js, with its backend set
 * @param {{ install: Function, patchBuiltins: Function }} api `layernorm/tfjs`
 * @param {Row} row
 * @param {{ rounds: number, warmUpMs: number, sampleMs: number }} precision
 * @returns {Promise<{ label: string, ms: number, ratios: Record<string, import('../lib/statistics.mjs').Summary> }>}
 */
export async function measureRow(tf, api, row, precision) {
  if (!WORKS.includes(row.work)) throw new RangeError(`measureRow: there is no work ${row.work}`);
  tf.engine().startScope();
  const variables = new Set(Object.keys(tf.engine().registeredVariables));
  try {
    const candidates = await candidatesOf(tf, api, row);
    await verify(candidates);
    const timings = await measure(candidates, { ...precision, random: randomNumbers(1) });
    const failed = Object.entries(timings).find(([, { failure }]) => failure);
    if (failed) throw new Error(`${failed[0]}: ${failed[1].failure}`);
    const base = timings[BASE].times;
    const others = Object.entries(timings).filter(([name]) => name !== BASE);
    return {
      label: labelOf(row),
      ms: medianTime(timings[BASE]),
      ratios: Object.fromEntries(others.map(([name, { times }]) => [name, ratios(times, base)])),
    };
  } finally {
    tf.engine().endScope();
    for (const [name, variable] of Object.entries(tf.engine().registeredVariables)) {
      if (!variables.has(name)) variable.dispose();
    }
  }
}
