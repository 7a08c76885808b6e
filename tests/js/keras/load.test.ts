// Tier: golden. What Keras 3.16 saved, and files that have something wrong.
import { jest } from '@jest/globals';
import * as fflate from 'fflate';
import * as h5wasm from 'h5wasm/node';
import * as jsfive from 'jsfive';
import { LayerNormError as MainError } from 'layernorm';
import { LayerNormError, loadKeras } from 'layernorm/keras';
import { writeHdf5 } from '../support/hdf5_writer.js';
import {
  expectedModels,
  expectRejection,
  kerasFile,
  MODELS,
  modelFile,
  numbered,
  saved,
  savedInput,
  savedSequential,
  valuesOf,
  weightsFile,
} from '../support/keras_files.js';
import { seeded } from '../support/random.js';

const hdf5 = jsfive;

/** Keras' names of the weights of a layer, and their values. */
function weightsOf(model: (typeof MODELS)[number], layer: string): [string, Float32Array][] {
  const entries = Object.entries(expectedModels()[model].weights).filter(
    ([path]) => path.split('/').at(-2) === layer,
  );
  return entries.map(([path, { data }]) => [path.split('/').at(-1) as string, Float32Array.from(data)]);
}

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

describe.each([
  ['jsfive', jsfive],
  ['h5wasm', h5wasm],
])('%s', (_, reader) => {
  test.each(MODELS)('golden: the normalization layers of %s.keras', async (model) => {
    const file = await loadKeras(modelFile(`${model}.keras`), { hdf5: reader });
    expect([file.format, file.kerasVersion, file.model]).toEqual(['keras', '3.16.0', null]);
    expect(file.config).toHaveProperty('class_name');
    expect(file.layers.size).toBe(model === 'every_normalization' ? 5 : 1);
    for (const [path, { name, className, weights, layer, config, reason, wrappers }] of file.layers) {
      expect([path, reason, wrappers]).toEqual([name, null, []]);
      expect(Object.entries(weights).map(([key, { data }]) => [snake(key), data])).toEqual(
        weightsOf(model, name),
      );
      expect(layer).toMatchObject({ className, name, built: true });
      expect(layer?.getWeights().map(({ data }) => data)).toEqual(
        weightsOf(model, name).map(([, data]) => data),
      );
      expect(config).toMatchObject({ name, dtype: 'float32', axis: expect.anything() });
      expect(file.layer(name)).toBe(layer);
    }
  });

  test.each(MODELS)('golden: the normalization layers of %s.weights.h5', async (model) => {
    const file = await loadKeras(modelFile(`${model}.weights.h5`), { hdf5: reader });
    expect([file.format, file.kerasVersion, file.config, file.model]).toEqual([
      'weights.h5',
      null,
      null,
      null,
    ]);
    expect(file.layers.size).toBe(model === 'every_normalization' ? 5 : 1);
    for (const { name, weights, layer, config, reason } of file.layers.values()) {
      expect([layer, config, reason]).toEqual([null, null, 'the file has no config']);
      expect(Object.entries(weights).map(([key, { data }]) => [snake(key), data])).toEqual(
        weightsOf(model, name),
      );
    }
    expect(file.variables.map(({ layerName }) => layerName)).toContain(model);
  });
});

test('weights with a config of their own, as text and parsed, have layers as well', async () => {
  const { config } = await loadKeras(modelFile('seed_functional.keras'), { hdf5 });
  for (const given of [config as object, JSON.stringify(config)]) {
    const file = await loadKeras(modelFile('seed_functional.weights.h5'), { hdf5, config: given });
    expect(file.layer('layer_normalization_21').built).toBe(true);
    expect(file.config).toEqual(config);
  }
});

test('what the layers compute', async () => {
  const values = [1, 2, 4, 8];
  const layers = [
    savedInput('in', [null, 4]),
    saved('LayerNormalization', { name: 'n', axis: [1], epsilon: 0 }, [null, 4]),
  ];
  const groups = { 'layers/layer_normalization': ['n', numbered([4], 1), numbered([4], 2)] } as const;
  const { layer } = await loadKeras(kerasFile(savedSequential('m', layers), groups as never), { hdf5 });
  const [gamma, beta] = [valuesOf(4, 1), valuesOf(4, 2)];
  const mean = 15 / 4;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 4);
  const y = layer('n').apply(Float32Array.from(values), { shape: [1, 4] });
  values.forEach((value, i) => {
    expect(y[i]).toBeCloseTo(((value - mean) / deviation) * (gamma[i] as number) + (beta[i] as number), 6);
  });
});

test('compressed files', async () => {
  const files = fflate.unzipSync(modelFile('every_normalization.keras'));
  const packed = fflate.zipSync(files, { level: 9 });
  for (const unzip of [undefined, fflate]) {
    const file = await loadKeras(packed, { hdf5, unzip });
    expect(file.layers.size).toBe(5);
  }
});

test('an ArrayBuffer, a Buffer, shared memory', async () => {
  const bytes = modelFile('seed_sequential.keras');
  const shared = new SharedArrayBuffer(bytes.length);
  new Uint8Array(shared).set(bytes);
  for (const given of [bytes.slice().buffer, Buffer.from(bytes), shared]) {
    expect((await loadKeras(given, { hdf5 })).layers.size).toBe(1);
  }
});

test('subclassed models list no layers: those that their names tell are found', async () => {
  const config = {
    module: 'my',
    class_name: 'MyModel',
    config: { name: 'mine' },
    registered_name: 'MyModel',
  };
  const file = await loadKeras(
    kerasFile(config, {
      norm1: ['layer_normalization', numbered([3]), numbered([3])],
      head: ['dense', numbered([3, 2]), numbered([2])],
    }),
    { hdf5 },
  );
  expect([...file.layers.values()].map(({ path, className, layer }) => [path, className, layer])).toEqual([
    ['layer_normalization', 'LayerNormalization', null],
  ]);
  expect(file.variables).toEqual([
    { path: 'head/vars', layerName: 'dense', count: 2 },
    { path: 'norm1/vars', layerName: 'layer_normalization', count: 2 },
  ]);
});

test('errors are those of the main entry', async () => {
  expect(LayerNormError).toBe(MainError);
  const error = await loadKeras(new Uint8Array(3), { hdf5 }).catch((thrown) => thrown);
  expect(error instanceof MainError).toBe(true);
});

describe('options', () => {
  const bytes = modelFile('seed_sequential.keras');
  test.each<[string, unknown, string | RegExp]>([
    ['none', undefined, /^loadKeras: options is undefined, expected an object such as \{ hdf5 \}/],
    ['a list', [], /^loadKeras: options is \[\], expected/],
    [
      'a misspelled one',
      { hdf: hdf5 },
      "loadKeras: unknown option 'hdf', expected hdf5, unzip, tf, config, customObjects, maxBytes",
    ],
    ['no reader', {}, /^loadKeras: hdf5 is undefined, expected a reader of HDF5/],
    ['maxBytes', { hdf5, maxBytes: -1 }, 'loadKeras: maxBytes is -1, expected a positive integer'],
    ['unzip', { hdf5, unzip: 7 }, /^loadKeras: unzip is 7/],
    ['config', { hdf5, config: {} }, 'loadKeras: config is given, but a .keras file has its own'],
    ['tf', { hdf5, tf: {} }, /^install: tf is an Object without layers, .*expected TensorFlow\.js/],
  ])('%s', async (_, options, message) => {
    await expectRejection(loadKeras(bytes, options as never), 'ERR_ARGUMENT', message);
  });

  test('a config that is none', async () => {
    const weights = modelFile('seed_sequential.weights.h5');
    const circle: Record<string, unknown> = {};
    circle.circle = circle;
    for (const config of [circle, 7, () => 1]) {
      await expectRejection(
        loadKeras(weights, { hdf5, config: config as never }),
        'ERR_ARGUMENT',
        /^loadKeras: config is .+, expected what model\.to_json\(\) gives, as text or parsed$/,
      );
    }
    await expectRejection(
      loadKeras(weights, { hdf5, config: '{' }),
      'ERR_FILE',
      /^the option config: it is no JSON/,
    );
  });

  test('layers that are not there', async () => {
    const file = await loadKeras(bytes, { hdf5 });
    expect(() => file.layer('norm')).toThrow(
      "KerasFile.layer: there is no normalization layer 'norm', expected one of 'layer_normalization_20'",
    );
    const weights = await loadKeras(modelFile('seed_sequential.weights.h5'), { hdf5 });
    expect(() => weights.layer('layer_normalization_20')).toThrow(
      "KerasFile.layer: 'layer_normalization_20' has not been made: the file has no config",
    );
  });
});

describe('files with something wrong', () => {
  const norm = (config = {}) => saved('LayerNormalization', { name: 'n', axis: [1], ...config }, [null, 4]);
  const model = (...layers: unknown[]) => savedSequential('m', [savedInput('in', [null, 4]), ...layers]);
  const zip = (files: Record<string, string | Uint8Array>) =>
    fflate.zipSync(
      Object.fromEntries(
        Object.entries(files).map(([name, content]) => [
          name,
          typeof content === 'string' ? fflate.strToU8(content) : content,
        ]),
      ),
    );
  const empty = JSON.stringify(model());
  const good = numbered([4]);

  test.each<[string, Uint8Array, string | RegExp]>([
    [
      'nothing',
      new Uint8Array(0),
      'the file: it begins with nothing, as neither a .keras file (zip) nor a .weights.h5 file (HDF5) does',
    ],
    ['something else', Uint8Array.of(1, 2, 3), /^the file: it begins with 01 02 03, as neither/],
    [
      'no config',
      zip({ 'metadata.json': '{}', 'model.weights.h5': 'x' }),
      "config.json: it is missing: the zip file holds 'metadata.json', 'model.weights.h5'",
    ],
    [
      'no weights',
      zip({ 'config.json': empty }),
      "model.weights.h5: it is missing: the zip file holds 'config.json'",
    ],
    [
      'weights of NumPy',
      zip({ 'config.json': empty, 'model.weights.npz': 'x' }),
      'model.weights.npz: the weights are in a form that is not read, expected model.weights.h5',
    ],
    [
      'weights in pieces',
      zip({ 'config.json': empty, 'model.weights.json': '{}' }),
      /^model\.weights\.json: the weights are in a form/,
    ],
    ['a config that is no JSON', kerasFile('{"class_name": ', {}), /^config\.json: it is no JSON/],
    ['a config that is a list', kerasFile('[]', {}), 'config.json: the whole is [], expected an object'],
    [
      'metadata that is none',
      zip({ 'config.json': empty, 'metadata.json': '[', 'model.weights.h5': 'x' }),
      /^metadata\.json: it is no JSON/,
    ],
    [
      'weights that are none',
      zip({ 'config.json': empty, 'model.weights.h5': 'nothing' }),
      /^model\.weights\.h5: the HDF5 reader cannot read it/,
    ],
    [
      'weights without variables',
      kerasFile(model(norm()), writeHdf5({ groups: { layers: {} } })),
      "model.weights.h5: it has no group of variables: it holds 'layers'",
    ],
    [
      'a file of Keras 2',
      writeHdf5({ groups: { model_weights: {} } }),
      /^the \.weights\.h5 file: it is of the format of Keras 2/,
    ],
    [
      'a layer that is missing',
      kerasFile(model(norm()), { 'layers/dense': ['d', good] }),
      "model.weights.h5: layers/layer_normalization/vars is missing, which layer 'n' has its gamma, beta in",
    ],
    [
      'a variable that is missing',
      kerasFile(model(norm()), { 'layers/layer_normalization': ['n', good] }),
      /^(?!)/,
    ],
    [
      'one too many',
      kerasFile(model(norm({ scale: false, rms_scaling: false })), {
        'layers/layer_normalization': ['n', good, good],
      }),
      "model.weights.h5: layers/layer_normalization/vars holds 2 variables, layer 'n' has 1: beta",
    ],
    [
      'another shape',
      kerasFile(model(norm()), { 'layers/layer_normalization': ['n', numbered([5]), good] }),
      /^model\.weights\.h5: layers\/layer_normalization\/vars: layer 'n': .*the weight n\/gamma of shape \[4\] .* shape \[5\]/,
    ],
    [
      'a config that no layer takes',
      kerasFile(model(norm({ epsilon: 'small' })), { 'layers/layer_normalization': ['n', good, good] }),
      /^config\.json: layer 'n': LayerNormalization: epsilon is 'small'/,
    ],
    [
      'an axis outside',
      kerasFile(model(norm({ axis: [9] })), { 'layers/layer_normalization': ['n', good, good] }),
      /^config\.json: layer 'n': .*axis 9/,
    ],
  ])('%s', async (name, bytes, message) => {
    // A LayerNormalization of the time before rms_scaling was written has one variable with it.
    if (name === 'a variable that is missing') {
      const { layers } = await loadKeras(bytes, { hdf5 });
      expect(layers.get('n')?.config).toMatchObject({ rmsScaling: true });
      return;
    }
    await expectRejection(loadKeras(bytes, { hdf5 }), 'ERR_FILE', message);
  });

  test('nothing is unpacked beyond maxBytes', async () => {
    await expectRejection(
      loadKeras(modelFile('seed_sequential.keras'), { hdf5, maxBytes: 10_000 }),
      'ERR_FILE',
      /^model\.weights\.h5: it unpacks to 21096 bytes, more than maxBytes allows \(\d+ of 10000 are left\)$/,
    );
  });

  test('names of Object.prototype change nothing', async () => {
    const file = kerasFile(`{"__proto__": {"polluted": true}, "class_name": "Sequential"}`, {});
    await expectRejection(
      loadKeras(file, { hdf5 }),
      'ERR_FILE',
      "config.json: it has a key '__proto__', which no model has",
    );
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('fuzz: files that are cut off, and files with other bytes', () => {
  /** Loads, or throws one of our errors that names a part; no other way out. */
  async function survives(bytes: Uint8Array): Promise<boolean> {
    try {
      await loadKeras(bytes, { hdf5 });
      return true;
    } catch (error) {
      const { name, code, message } = error as LayerNormError;
      if (name !== 'LayerNormError' || code !== 'ERR_FILE') throw error;
      expect(message).toMatch(/^(the [\w. ]+|[\w.]+)(: | )/);
      return false;
    }
  }

  const weights = weightsFile({
    'layers/layer_normalization': ['n', numbered([4]), numbered([4])],
    'layers/dense': ['d', numbered([2])],
  });
  const silent = jest.spyOn(console, 'warn').mockImplementation(() => {});
  afterAll(() => silent.mockRestore());

  test('every beginning of a file of weights', async () => {
    let loaded = 0;
    for (let size = 0; size < weights.length; size += size < 200 ? 1 : 7) {
      loaded += Number(await survives(weights.slice(0, size)));
    }
    // Those that lack nothing but what fills up the last block.
    expect(loaded).toBeLessThan(10);
  });

  test.each(['seed_sequential.weights.h5', 'seed_sequential.keras'])('beginnings of %s', async (name) => {
    const bytes = modelFile(name);
    for (let size = 0; size < bytes.length; size += 509) await survives(bytes.slice(0, size));
  });

  test.each(['seed_sequential.weights.h5', 'every_normalization.keras'])(
    'other bytes in %s',
    async (name) => {
      const bytes = modelFile(name);
      const random = seeded(7);
      for (let i = 0; i < 150; ++i) {
        const copy = bytes.slice();
        // The structure, which is what can lead astray, is a small part of the file.
        for (let k = 0; k < 24; ++k) copy[Math.floor(random() * copy.length)] = Math.floor(random() * 256);
        await survives(copy);
      }
    },
  );

  test('every byte of the structure', async () => {
    for (let at = 0; at < weights.length; ++at) {
      // Most of it is room that is left free.
      if (weights[at] === 0 && at % 64 > 0) continue;
      const copy = weights.slice();
      copy[at] = at % 2 === 0 ? 0xff : (copy[at] as number) ^ 1;
      await survives(copy);
    }
  });
});
