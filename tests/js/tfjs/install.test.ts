import * as core from '@tensorflow/tfjs-core';
import { install, type LayerNormalizationArgs, LayerNormError } from 'layernorm/tfjs';
import { expectError } from '../support/errors.js';
import { BACKENDS, clean, numbers, random, tf, use } from '../support/tfjs.js';

type Tensor = ReturnType<typeof tf.tensor>;

const L = install(tf);
const known = () => tf.serialization.SerializationMap.getMap().classNameMap;

const NAMES = [
  ['layerNormalization', 'LayerNormalization', {}],
  ['rmsNormalization', 'RMSNormalization', {}],
  ['batchNormalization', 'BatchNormalization', {}],
  ['groupNormalization', 'GroupNormalization', { groups: 2 }],
  ['unitNormalization', 'UnitNormalization', {}],
] as const;

describe.each(BACKENDS)('backend %s', (backend) => {
  beforeAll(() => use(backend));

  test.each(NAMES)('%s: what it returns depends on what it is applied to', (name, className, given) => {
    const args = given as LayerNormalizationArgs;
    const make = L[name] as typeof L.layerNormalization;
    const layer = make(args);
    expect(layer).toBeInstanceOf(L.classes[className]);
    expect(layer).toBeInstanceOf(tf.layers.Layer);

    const model = tf.sequential();
    model.add(tf.layers.dense({ units: 4, inputShape: [3] }));
    expect(make(model, args)).toBe(model);
    expect(model.layers[1]).toBeInstanceOf(L.classes[className]);
    model.dispose();

    const symbolic = make(tf.input({ shape: [4] }), args);
    expect(symbolic).toBeInstanceOf(tf.SymbolicTensor);
    expect(symbolic.shape).toEqual([null, 4]);

    // A tensor is all that is left: the weights of the layer are gone.
    const x = random([2, 4]);
    const y = clean(() => make(x, args), 1);
    expect(y).toBeInstanceOf(tf.Tensor);
    expect(y.shape).toEqual([2, 4]);
    const dx = clean(() => tf.grad((input: Tensor) => make(input, args))(x), 1);
    expect(numbers(dx).every(Number.isFinite)).toBe(true);
  });

  test('spectralNormalization', () => {
    const inner = tf.layers.dense({ units: 2, inputShape: [3] });
    const model = tf.sequential();
    expect(L.spectralNormalization(model, { layer: inner, inputShape: [3] })).toBe(model);
    expect(model.layers[0]).toBeInstanceOf(L.classes.SpectralNormalization);
    // The weights of a layer that is given stay.
    const y = clean(() => L.spectralNormalization(random([4, 3]), { layer: inner }), 2);
    expect(y.shape).toEqual([4, 2]);
    expect(() => inner.getWeights()[0]?.dataSync()).not.toThrow();
  });
});

describe('install', () => {
  beforeAll(() => use('cpu'));

  test('gives the same for the same tf, whichever object holds it', () => {
    expect(install(tf)).toBe(L);
    expect(install({ ...tf })).toBe(L);
    expect(Object.keys(L.classes)).toHaveLength(6);
  });

  test('loading: replaceBuiltin false leaves the layers of TensorFlow.js to it until it is true', () => {
    const map = known();
    for (const name of Object.keys(L.classes))
      expect(map[name]?.[0]).toBe(L.classes[name as 'LayerNormalization']);
    // What tf.layers makes stays its own.
    const builtin = tf.layers.layerNormalization();
    expect(builtin).not.toBeInstanceOf(L.classes.LayerNormalization);
    tf.serialization.registerClass(builtin.constructor as never);
    install(tf, { replaceBuiltin: false });
    expect(known().LayerNormalization?.[0]).toBe(builtin.constructor);
    install(tf);
    expect(known().LayerNormalization?.[0]).toBe(L.classes.LayerNormalization);
  });

  test('the kernels are registered once', () => {
    const before = ['wasm', 'cpu'].map((name) => tf.getKernelsForBackend(name).length);
    install(tf);
    expect(['wasm', 'cpu'].map((name) => tf.getKernelsForBackend(name).length)).toEqual(before);
  });

  test.each([
    [undefined, 'install: tf is undefined, expected TensorFlow.js'],
    [{ ...core }, 'install: tf is an Object without layers, expected TensorFlow.js'],
  ])('what is no TensorFlow.js is refused: %#', (given, message) => {
    expectError(() => install(given as never), 'ERR_ARGUMENT', new RegExp(`^${message}`));
  });

  test.each([
    [{ replaceBuiltins: true }, "install: unknown option 'replaceBuiltins', expected replaceBuiltin"],
    [{ replaceBuiltin: 'no' }, "install: replaceBuiltin is 'no', expected true or false"],
    [true, 'install: options is true, expected an object such as { replaceBuiltin: false }'],
  ])('options that are not known are refused: %j', (options, message) => {
    expectError(() => install(tf, options as never), 'ERR_ARGUMENT', message);
  });
});

describe('arguments', () => {
  beforeAll(() => use('cpu'));

  test.each([
    [{ gamma: 1 }, /^LayerNormalization: unknown argument 'gamma', expected inputShape, .*gammaConstraint$/],
    [{ eps: 1e-5 }, /unknown argument 'eps'/],
    [-1, /^LayerNormalization: got -1, expected arguments such as \{ axis: -1 \}, a tensor or a Sequential/],
    ['relu', /got 'relu', expected arguments/],
    [[1, 2], /got \[1, 2\], expected arguments/],
  ])('%j', (args, message) => {
    expectError(() => L.layerNormalization(args as never), 'ERR_ARGUMENT', message);
  });

  test('a model that cannot be added to, and a layer', () => {
    const input = tf.input({ shape: [2] });
    const model = tf.model({ inputs: input, outputs: tf.layers.dense({ units: 1 }).apply(input) as never });
    for (const wrong of [model, tf.layers.flatten()]) {
      expectError(
        () => L.layerNormalization(wrong as never),
        'ERR_ARGUMENT',
        /got an Object, expected arguments/,
      );
    }
  });

  test('null stands for the default', () => {
    const config = L.layerNormalization({
      axis: null,
      epsilon: null,
      gammaInitializer: null,
    } as never).getConfig();
    expect(config).toMatchObject({ axis: -1, epsilon: 1e-3, gammaInitializer: { className: 'Ones' } });
    expect(L.layerNormalization(null as never).getConfig().axis).toBe(-1);
  });

  test('errors are those of the package', () => {
    expect(LayerNormError.name).toBe('LayerNormError');
  });
});
