import * as jsfive from 'jsfive';
import { type BatchNormalization, LayerNormalization } from 'layernorm';
import { type LoadKerasOptions, loadKeras } from 'layernorm/keras';
import { isNormalization } from '../../../js/src/keras/normalization.js';
import { Dense } from '../support/dense.js';
import {
  expectRejection,
  type Groups,
  kerasFile,
  numbered,
  saved,
  savedInput,
  savedSequential,
  valuesOf,
  weightsFile,
} from '../support/keras_files.js';

const load = (layers: unknown[], groups: Groups, options: Partial<LoadKerasOptions> = {}) =>
  loadKeras(kerasFile(savedSequential('m', [savedInput('in', [null, 4]), ...layers]), groups), {
    hdf5: jsfive,
    ...options,
  });

const four = (first: number) => numbered([4], first);
const values = (first: number): Float32Array => Float32Array.from(valuesOf(4, first));

test.each<[string, Record<string, unknown>, string[]]>([
  ['LayerNormalization', { axis: [1] }, ['gamma', 'beta']],
  ['LayerNormalization', { axis: [1], scale: false, rms_scaling: false }, ['beta']],
  ['LayerNormalization', { axis: [1], center: false, rms_scaling: false }, ['gamma']],
  ['LayerNormalization', { axis: [1], rms_scaling: true }, ['gamma']],
  ['LayerNormalization', { axis: [1], center: false, scale: false }, []],
  ['GroupNormalization', { groups: 2, center: false }, ['gamma']],
  ['BatchNormalization', {}, ['gamma', 'beta', 'movingMean', 'movingVariance']],
  ['BatchNormalization', { scale: false }, ['beta', 'movingMean', 'movingVariance']],
  [
    'BatchNormalization',
    { renorm: true },
    ['gamma', 'beta', 'movingMean', 'movingVariance', 'movingStddev', 'renormMean', 'renormStddev'],
  ],
  ['RMSNormalization', { axis: [-1] }, ['scale']],
  ['UnitNormalization', { axis: -1 }, []],
])('%s of %j has %j', async (className, config, names) => {
  const group = `layers/${className.replace(/(RMS|[a-z])(?=[A-Z])/g, '$1_').toLowerCase()}`;
  const groups: Groups = { '': ['m'], [group]: ['n', ...names.map((_, i) => four(i))] };
  const file = await load([saved(className, { name: 'n', ...config }, [null, 4])], groups);
  const { weights, layer, reason } = file.layers.get('n') ?? {};
  expect(reason).toBe(null);
  expect(Object.entries(weights ?? {}).map(([name, { data }]) => [name, data])).toEqual(
    names.map((name, i) => [name, values(i)]),
  );
  expect(layer?.getWeights().map(({ data }) => data)).toEqual(names.map((_, i) => values(i)));
});

test('the config makes the layer once more', async () => {
  const config = {
    name: 'n',
    axis: [1],
    gamma_regularizer: {
      module: 'keras.regularizers',
      class_name: 'L2',
      config: { l2: 0.5 },
      registered_name: null,
    },
  };
  const groups: Groups = { 'layers/layer_normalization': ['n', four(0), four(1)] };
  const { layers } = await load([saved('LayerNormalization', config, [null, 4])], groups);
  const given = layers.get('n')?.config;
  expect(given).toMatchObject({ name: 'n', axis: [1], dtype: 'float32' });
  const layer = new LayerNormalization(given as never);
  expect(layer.getConfig()).toEqual(layers.get('n')?.layer?.getConfig());
});

test('in nested models and in wrappers, by the names from the model down', async () => {
  const bn = saved('BatchNormalization', { name: 'bn' }, [null, 4]);
  const ln = saved('LayerNormalization', { name: 'ln', axis: [1] }, [null, 4]);
  const layers = [
    savedSequential('encoder', [saved('Dense', { name: 'd', units: 4 }), bn]),
    saved('TimeDistributed', { name: 'td', layer: ln }, [null, 3, 4]),
  ];
  const file = await load(layers, {
    'layers/sequential/layers/batch_normalization': ['bn', four(0), four(1), four(2), four(3)],
    'layers/time_distributed/layer': ['ln', four(4), four(5)],
  });
  expect([...file.layers.values()].map(({ path, name, wrappers }) => [path, name, wrappers])).toEqual([
    ['encoder/bn', 'bn', []],
    ['td/ln', 'ln', ['TimeDistributed']],
  ]);
  expect((file.layer('encoder/bn') as BatchNormalization).movingVariance?.value).toEqual(values(3));
  expect(file.layers.get('td/ln')?.weights.beta?.data).toEqual(values(5));
});

describe('SpectralNormalization', () => {
  const dense = saved('Dense', { name: 'dense', units: 3 });
  const spectral = saved('SpectralNormalization', { name: 'sn', layer: dense, power_iterations: 2 }, [
    null,
    4,
  ]);
  const [kernel, bias, vector] = [numbered([4, 3], 1), numbered([3], 2), numbered([1, 3], 3)];
  const groups = (...own: (typeof kernel)[]): Groups => ({
    'layers/spectral_normalization': ['sn', ...own],
    'layers/spectral_normalization/layer': ['dense', kernel, bias],
  });

  test.each([
    ['the kernel twice', groups(kernel, vector)],
    ['the kernel in the wrapped layer alone', groups(vector)],
  ])('%s', async (_, given) => {
    const { layers } = await load([spectral], given);
    const { weights, layer, reason } = layers.get('sn') ?? {};
    expect(Object.entries(weights ?? {}).map(([name, { shape }]) => [name, shape])).toEqual([
      ['kernel', [4, 3]],
      ['bias', [3]],
      ['vectorU', [1, 3]],
    ]);
    expect([layer, reason]).toEqual([
      null,
      'it wraps a Dense, which is none of this package nor in customObjects',
    ]);
  });

  test('with a class of your own for the wrapped layer', async () => {
    const customObjects = { Dense: { fromConfig: () => new Dense({ name: 'dense', units: 3 }) } };
    const { layers } = await load([spectral], groups(kernel, vector), { customObjects });
    const { layer, reason } = layers.get('sn') ?? {};
    expect(reason).toBe(null);
    const found = Object.fromEntries(layer?.weights.map(({ name, value }) => [name, value]) ?? []);
    expect(found.kernel).toEqual(Float32Array.from(valuesOf(12, 1)));
    expect(found.vector_u).toEqual(Float32Array.from(valuesOf(3, 3)));
  });

  test('without its vector', async () => {
    await expectRejection(
      load([spectral], { 'layers/spectral_normalization/layer': ['dense', kernel, bias] }),
      'ERR_FILE',
      "model.weights.h5: layers/spectral_normalization/vars holds no variables, layer 'sn' has kernel, vector_u",
    );
  });
});

test('a layer that was never built has no shape, and says so', async () => {
  const groups: Groups = { 'layers/layer_normalization': ['n', four(0), four(1)] };
  const { layers } = await load([saved('LayerNormalization', { name: 'n' })], groups);
  expect(layers.get('n')).toMatchObject({
    layer: null,
    reason: 'the config does not say what shape its inputs have',
    weights: { gamma: { shape: [4] } },
  });
});

test('a class of the same name that is none of Keras', async () => {
  const own = {
    ...saved('LayerNormalization', { name: 'n' }),
    module: 'mine',
    registered_name: 'mine>LayerNormalization',
  };
  expect((await load([own], { '': ['m'] })).layers.size).toBe(0);
});

test('weights alone: names where they are certain, numbers where they are not', async () => {
  const file = await loadKeras(
    weightsFile({
      'layers/layer_normalization': ['a', four(0)],
      'layers/layer_normalization_1': ['b', four(0), four(1)],
      'layers/batch_normalization': ['c', four(0), four(1), four(2)],
      'layers/batch_normalization_1': ['d', four(0), four(1)],
      'layers/rms_normalization': ['b', four(0)],
      'layers/normalization': ['e', four(0), four(1), four(2)],
      'layers/dense': ['f', four(0)],
    }),
    { hdf5: jsfive },
  );
  const found = [...file.layers].map(([key, { className, weights }]) => [
    key,
    className,
    Object.keys(weights),
  ]);
  expect(found.sort()).toEqual([
    ['a', 'LayerNormalization', ['0']],
    ['b', 'LayerNormalization', ['gamma', 'beta']],
    ['c', 'BatchNormalization', ['0', 'movingMean', 'movingVariance']],
    ['d', 'BatchNormalization', ['movingMean', 'movingVariance']],
    ['e', 'Normalization', ['mean', 'variance', 'count']],
    ['layers/rms_normalization', 'RMSNormalization', ['scale']],
  ]);
});

test('the classes', () => {
  expect(isNormalization('LayerNormalization')).toBe(true);
  expect([isNormalization('Dense'), isNormalization('constructor')]).toEqual([false, false]);
});
