// Tier: golden. The whole models of Keras 3.16 in TensorFlow.js 4.22, on its backends cpu and wasm.

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as jsfive from 'jsfive';
import { batchNorm, groupNorm, layerNorm, rmsNorm } from 'layernorm';
import { type LoadKerasOptions, loadKeras } from 'layernorm/keras';
import type { TensorFlow } from 'layernorm/tfjs';
import {
  called,
  expectedModels,
  expectRejection,
  type Groups,
  history,
  kerasFile,
  MODELS,
  modelFile,
  numbered,
  saved,
  savedFunctional,
  savedInput,
  savedSequential,
  valuesOf,
} from '../support/keras_files.js';

const require = createRequire(import.meta.url);
const tfc = require('@tensorflow/tfjs-core');
const tfl = require('@tensorflow/tfjs-layers');
require('@tensorflow/tfjs-backend-cpu');
const wasm = require('@tensorflow/tfjs-backend-wasm');
wasm.setWasmPaths(join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm')), '/'));
const tf = { ...tfc, ...tfl } as TensorFlow;
const hdf5 = jsfive;

function predicted(
  model: { predict(x: never): unknown },
  values: ArrayLike<number>,
  shape: number[],
): Float32Array {
  return tf.tidy(() => {
    const y = model.predict(tf.tensor(Float32Array.from(values), shape) as never);
    return (y as { dataSync(): Float32Array }).dataSync().slice();
  });
}

function expectClose(found: ArrayLike<number>, expected: ArrayLike<number | null>, tolerance = 1e-5): void {
  expect(found.length).toBe(expected.length);
  for (let i = 0; i < expected.length; ++i) {
    const value = expected[i];
    const close =
      value === null
        ? Number.isNaN(found[i])
        : Math.abs((found[i] as number) - (value as number)) <= tolerance;
    if (!close) throw new Error(`element ${i} is ${found[i]}, expected ${value}`);
  }
}

describe.each(['cpu', 'wasm'])('on the backend %s', (backend) => {
  beforeAll(async () => {
    expect(await tf.setBackend(backend)).toBe(true);
    await tf.ready();
    expect(tf.getBackend()).toBe(backend);
  });

  test.each(MODELS)('golden: the output of %s, NaN where Keras has NaN', async (name) => {
    const { input, output } = expectedModels()[name];
    const { config } = await loadKeras(modelFile(`${name}.keras`), { hdf5 });
    for (const [file, options] of [
      ['keras', {}],
      ['weights.h5', { config }],
    ] as [string, Partial<LoadKerasOptions>][]) {
      const { model } = await loadKeras(modelFile(`${name}.${file}`), { hdf5, tf, ...options });
      expectClose(predicted(model as never, input.data, input.shape), output.data);
      model?.dispose();
    }
  });

  test('golden: every_normalization layer by layer, up to where its NaN begins', async () => {
    const { input, weights } = expectedModels().every_normalization;
    const { model, layers } = await loadKeras(modelFile('every_normalization.keras'), { hdf5, tf });
    if (!model) throw new Error('no model');
    const weight = (path: string): Float64Array => Float64Array.from(weights[path]?.data ?? []);
    const shape = [5, 6, 8];
    const x = Float64Array.from(input.data);

    // Computed in float64 by the package's own functions.
    const normed = layerNorm(x, {
      ...{ shape, axis: [1, 2], epsilon: 1e-3 },
      gamma: weight('layer_normalization_22/gamma'),
      beta: weight('layer_normalization_22/beta'),
    });
    const scaled = rmsNorm(x, { shape, axis: -1, epsilon: 1e-6, gamma: weight('rms_normalization_3/scale') });
    const sum = normed.map((value, i) => value + (scaled[i] as number));
    const grouped = groupNorm(sum, {
      ...{ shape, groups: 2, axis: -1, epsilon: 1e-3 },
      gamma: weight('group_normalization_5/gamma'),
      beta: weight('group_normalization_5/beta'),
    });
    const batched = batchNorm(grouped, {
      ...{ shape, axis: -1, epsilon: 1e-3 },
      gamma: weight('batch_normalization_8/gamma'),
      beta: weight('batch_normalization_8/beta'),
      mean: weight('batch_normalization_8/moving_mean'),
      variance: weight('batch_normalization_8/moving_variance'),
    } as never) as Float64Array;
    // The moving variance of channel 0 is negative, and only that.
    batched.forEach((value, i) => {
      expect(Number.isNaN(value)).toBe(i % 8 === 0);
    });

    for (const [name, expected] of [
      ['layer_normalization_22', normed],
      ['rms_normalization_3', scaled],
      ['add', sum],
      ['group_normalization_5', grouped],
      ['batch_normalization_8', batched],
    ] as const) {
      const part = tf.model({ inputs: model.inputs, outputs: model.getLayer(name).output });
      const found = predicted(part as never, input.data, shape);
      expectClose(
        found,
        Array.from(expected, (value) => (Number.isNaN(value) ? null : value)),
      );
    }
    // The layers of this package, of the same file, compute the same.
    const own = layers.get('layer_normalization_22')?.layer;
    expectClose(own?.apply(Float32Array.from(x), { shape }) ?? [], normed);
    model.dispose();
  });

  test('our classes take the places of the normalizations, and all weights are set', async () => {
    const { model } = await loadKeras(modelFile('every_normalization.keras'), { hdf5, tf });
    const classes = model?.layers.map((layer) => layer.getClassName());
    expect(classes).toEqual([
      ...['InputLayer', 'LayerNormalization', 'RMSNormalization', 'Add', 'GroupNormalization'],
      ...['BatchNormalization', 'UnitNormalization', 'Flatten', 'Dense'],
    ]);
    const expected = Object.values(expectedModels().every_normalization.weights).map(({ data }) =>
      Float32Array.from(data),
    );
    expect(model?.weights.map((weight) => weight.read().dataSync())).toEqual(
      expect.arrayContaining(expected),
    );
    model?.dispose();
  });

  test('no tensor is left when a model is disposed, or could not be made', async () => {
    const before = tf.memory().numTensors;
    const { model } = await loadKeras(modelFile('seed_sequential.keras'), { hdf5, tf });
    expect(tf.memory().numTensors).toBe(before + 6);
    model?.dispose();
    expect(tf.memory().numTensors).toBe(before);
    const layers = [savedInput('x', [null, 2]), saved('Dense', { name: 'd', units: 3 })];
    const bad = kerasFile(savedSequential('m', layers), {
      'layers/dense': ['d', numbered([2, 4]), numbered([3])],
    });
    await expectRejection(
      loadKeras(bad, { hdf5, tf }),
      'ERR_FILE',
      "model.weights.h5: layers/dense/vars/0: layer 'd': d/kernel has the shape [2, 4] in the file, the model needs [2, 3]",
    );
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('other models', () => {
  beforeAll(() => tf.setBackend('cpu'));

  const built = async (config: unknown, groups: Groups) => {
    const { model } = await loadKeras(kerasFile(config, groups), { hdf5, tf });
    if (!model) throw new Error('no model');
    return model;
  };
  const dense = (name: string, units: number) =>
    saved('Dense', { name, units, activation: 'linear', use_bias: true });
  const two = (first: number) => [numbered([2, 2], first), numbered([2], first + 9)] as const;
  const apply = ([a = 0, b = 0]: number[], first: number): number[] => {
    const [w, c] = [valuesOf(4, first), valuesOf(2, first + 9)] as [number[], number[]];
    return [0, 1].map((i) => a * (w[i] as number) + b * (w[2 + i] as number) + (c[i] as number));
  };

  test('models in models: a Sequential that is called first, a functional one that is counted from one', async () => {
    const inner = savedSequential('inner', [savedInput('y', [null, 2]), dense('d', 2)]);
    const graph = savedFunctional(
      'graph',
      [called(savedInput('z', [null, 2])), called(dense('d', 2), [history('z')])],
      ['z', 0, 0],
      ['d', 0, 0],
    );
    const layers = [
      called(savedInput('x', [null, 2])),
      called(inner, [history('x')]),
      called(graph, [history('inner')]),
      called(dense('last', 2), [history('graph', 1)]),
    ];
    const model = await built(savedFunctional('m', layers, ['x', 0, 0], ['last', 0, 0]), {
      'layers/sequential/layers/dense': ['d', ...two(1)],
      'layers/functional/layers/dense': ['d', ...two(2)],
      'layers/dense': ['last', ...two(3)],
    });
    expectClose(predicted(model as never, [0.5, -1], [1, 2]), apply(apply(apply([0.5, -1], 1), 2), 3));
  });

  test('a shared layer, two inputs and two outputs', async () => {
    const layers = [
      called(savedInput('a', [null, 2])),
      called(savedInput('b', [null, 2])),
      called(dense('shared', 2), [history('a')], [history('b')]),
      called(saved('Subtract', { name: 'no' })),
      called(saved('Add', { name: 'sum' }), [[history('shared', 0), history('shared', 1)]]),
    ].filter((layer) => (layer as { class_name?: string }).class_name !== 'Subtract');
    const model = await built(
      savedFunctional(
        'm',
        layers,
        [
          ['a', 0, 0],
          ['b', 0, 0],
        ],
        [
          ['sum', 0, 0],
          ['shared', 1, 0],
        ],
      ),
      { 'layers/dense': ['shared', ...two(1)] },
    );
    const [sum, second] = model.predict([tf.tensor([[1, 2]]), tf.tensor([[3, 4]])]) as {
      dataSync(): Float32Array;
    }[];
    const [first, other] = [apply([1, 2], 1), apply([3, 4], 1)];
    expectClose(
      sum?.dataSync() ?? [],
      first.map((value, i) => value + (other[i] as number)),
    );
    expectClose(second?.dataSync() ?? [], other);
  });

  test('TimeDistributed, Bidirectional and SpectralNormalization get the weights of what they wrap', async () => {
    const norm = saved('LayerNormalization', { name: 'ln', axis: [-1], epsilon: 1e-3 });
    const lstm = saved('LSTM', {
      ...{ name: 'l', units: 2, activation: 'tanh', recurrent_activation: 'sigmoid', use_bias: true },
      ...{ unit_forget_bias: true, return_sequences: false, dropout: 0, recurrent_dropout: 0, seed: null },
      recurrent_initializer: {
        module: 'keras.initializers',
        class_name: 'Orthogonal',
        config: { gain: 1, seed: null },
      },
    });
    const spectral = saved('SpectralNormalization', {
      name: 'sn',
      layer: dense('inner', 2),
      power_iterations: 1,
    });
    const layers = [
      savedInput('x', [null, 3, 2]),
      saved('TimeDistributed', { name: 'td', layer: norm }),
      saved('Bidirectional', { name: 'bi', layer: lstm, merge_mode: 'concat' }),
      dense('to_two', 2),
      spectral,
    ];
    const cell = (first: number) =>
      [numbered([2, 8], first), numbered([2, 8], first + 1), numbered([8], first + 2)] as const;
    const model = await built(savedSequential('m', layers), {
      'layers/time_distributed/layer': ['ln', numbered([2], 1), numbered([2], 2)],
      'layers/bidirectional/forward_layer/cell': ['c', ...cell(3)],
      'layers/bidirectional/backward_layer/cell': ['c', ...cell(6)],
      'layers/dense': ['to_two', numbered([4, 2], 9), numbered([2], 10)],
      'layers/spectral_normalization': ['sn', numbered([2, 2], 11), numbered([1, 2], 13)],
      'layers/spectral_normalization/layer': ['inner', numbered([2, 2], 11), numbered([2], 12)],
    });
    const first = (name: string): number[] =>
      model.getLayer(name).weights.map((weight) => weight.read().dataSync()[0] as number);
    const value = (seed: number): number => Math.fround(Math.sin(seed));
    expect(first('td')).toEqual([1, 2].map(value));
    expect(first('bi')).toEqual([3, 4, 5, 6, 7, 8].map(value));
    expect(first('sn').sort()).toEqual([11, 12, 13].map(value).sort());
    expect([...predicted(model as never, [1, 2, 3, 5, 8, 13], [1, 3, 2])].every(Number.isFinite)).toBe(true);
  });

  test('a constraint does not change what was saved', async () => {
    const constraint = {
      module: 'keras.constraints',
      class_name: 'MaxNorm',
      config: { max_value: 0.5, axis: 0 },
    };
    const norm = saved('LayerNormalization', { name: 'n', axis: [1], gamma_constraint: constraint }, [
      null,
      4,
    ]);
    const model = await built(savedSequential('m', [savedInput('x', [null, 4]), norm]), {
      'layers/layer_normalization': ['n', numbered([4], 1), numbered([4], 2)],
    });
    expect(model.weights[0]?.read().dataSync()).toEqual(Float32Array.from(valuesOf(4, 1)));
  });

  test('weights of float64', async () => {
    const bytes = new Uint8Array(Float64Array.of(1.5, -2, 0.25, 3).buffer);
    const { floatType } = await import('../support/hdf5_writer.js');
    const model = await built(savedSequential('m', [savedInput('x', [null, 2]), dense('d', 2)]), {
      'layers/dense': ['d', { shape: [2, 2], type: floatType(8), bytes }, numbered([2])],
    });
    expect([...(model.weights[0]?.read().dataSync() ?? [])]).toEqual([1.5, -2, 0.25, 3]);
  });

  test.each<[string, unknown[], Groups, string | RegExp]>([
    [
      'a class that is not there',
      [saved('MultiHeadAttention', { name: 'att' })],
      {},
      /^config\.json: layer 'att' is a 'MultiHeadAttention'/,
    ],
    [
      'what TensorFlow.js refuses',
      [saved('Dense', { name: 'd', units: -1 })],
      { '': ['m'] },
      /^config\.json: TensorFlow\.js cannot read it \('.+'\)$/,
    ],
    [
      'weights that are missing',
      [dense('d', 2)],
      { '': ['m'] },
      "model.weights.h5: layers/dense/vars: it is missing, which layer 'd' has its weights in",
    ],
    [
      'too few weights',
      [dense('d', 2)],
      { 'layers/dense': ['d', numbered([2, 2])] },
      "model.weights.h5: layers/dense/vars: it holds 1 variables, layer 'd' (Dense) has 2",
    ],
  ])('%s', async (_, layers, groups, message) => {
    const file = kerasFile(savedSequential('m', [savedInput('x', [null, 2]), ...layers]), {
      '': ['m'],
      ...groups,
    });
    await expectRejection(loadKeras(file, { hdf5, tf }), 'ERR_FILE', message);
  });

  test('a model without layers, and weights without a config', async () => {
    const config = { module: 'my', class_name: 'MyModel', config: {}, registered_name: 'MyModel' };
    await expectRejection(
      loadKeras(kerasFile(config, { '': ['m'] }), { hdf5, tf }),
      'ERR_FILE',
      "config.json: the model is a 'MyModel', whose layers the file does not list: expected a Sequential or a functional model",
    );
    await expectRejection(
      loadKeras(modelFile('seed_sequential.weights.h5'), { hdf5, tf }),
      'ERR_ARGUMENT',
      'loadKeras: tf is given, but the file has weights alone: expected config, what model.to_json() gives',
    );
  });
});
