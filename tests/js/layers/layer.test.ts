// What all layers have in common, by the example of one.
import { LayerNormalization, setWarningHandler } from 'layernorm';
import { expectError } from '../support/errors.js';
import { normals } from '../support/random.js';
import { firstMismatch } from '../support/ulp.js';

const x = { data: normals(12), shape: [3, 4] };
const dy = { data: normals(12, 2), shape: [3, 4] };
const training = { training: true };

describe('the constructor', () => {
  test('automatic names are those of Keras', () => {
    const first = new LayerNormalization().name;
    expect(first).toMatch(/^layer_normalization(_\d+)?$/);
    const count = Number(first.match(/\d+$/)?.[0] ?? 0);
    new LayerNormalization({ name: 'mine' });
    expect(new LayerNormalization().name).toBe(`layer_normalization_${count + 1}`);
  });

  test('unknown options are refused', () => {
    expectError(
      () => new LayerNormalization({ rms_scaling: true } as never),
      'ERR_ARGUMENT',
      "LayerNormalization: Unrecognized keyword arguments passed to LayerNormalization: unknown option 'rms_scaling', did you mean " +
        "'rmsScaling'?",
    );
    expectError(
      () => LayerNormalization.fromConfig({ groups: 2 }),
      'ERR_ARGUMENT',
      /Unrecognized keyword arguments.*LayerNormalization.*'groups'/,
    );
    expectError(
      () => new LayerNormalization(-1 as never),
      'ERR_ARGUMENT',
      /options is -1, expected an object/,
    );
    expectError(() => LayerNormalization.fromConfig(null as never), 'ERR_ARGUMENT', /config is null/);
  });

  test.each([
    [{ trainable: 1 }, /trainable is 1, expected true or false/],
    [{ center: 'no' }, /center is 'no', expected true or false/],
    [{ epsilon: -1 }, /epsilon is -1, expected a finite number/],
    [{ name: 'a/b' }, /Argument `name` must be a string and cannot contain character `\/`/],
    [{ name: 5 }, /Argument `name` must be a string/],
    [{ betaInitializer: 'typo' }, /Could not interpret initializer identifier: 'typo'/],
    [{ gammaRegularizer: 'typo' }, /Could not interpret regularizer identifier: 'typo'/],
    [{ gammaConstraint: 'typo' }, /Could not interpret constraint identifier: 'typo'/],
  ])('%j', (options, message) => {
    expectError(() => new LayerNormalization(options as never), 'ERR_ARGUMENT', message);
  });

  test('inputShape is taken with a warning', () => {
    const heard: string[] = [];
    setWarningHandler((message) => heard.push(message));
    new LayerNormalization({ inputShape: [3] });
    new LayerNormalization({ inputDim: 3 });
    LayerNormalization.fromConfig({ batch_input_shape: [null, 3] });
    setWarningHandler(null);
    expect(heard).toEqual([expect.stringMatching(/Do not pass an inputShape or inputDim/)]);
  });
});

describe('building', () => {
  test('the first call builds for the very shape', () => {
    const layer = new LayerNormalization();
    expect([layer.built, layer.weights, layer.getBuildConfig()]).toEqual([false, [], null]);
    layer.apply(x);
    expect(layer.built).toBe(true);
    expect(layer.getBuildConfig()).toEqual({ input_shape: [3, 4] });
  });

  test('buildFromConfig', () => {
    const layer = new LayerNormalization({ name: 'ln' });
    layer.buildFromConfig({ input_shape: [null, 4] });
    expect(layer.weights.map(({ name, path, shape }) => [name, path, [...shape]])).toEqual([
      ['gamma', 'ln/gamma', [4]],
      ['beta', 'ln/beta', [4]],
    ]);
    expect(layer.getBuildConfig()).toEqual({ input_shape: [null, 4] });
    layer.build([null, 4]);
    expectError(() => layer.build([null, 5]), 'ERR_ARGUMENT', /is built for inputs \[null, 4\] already/);
  });

  test('sizes that have to be known', () => {
    const layer = new LayerNormalization();
    expectError(
      () => layer.build([3, null]),
      'ERR_SHAPE',
      /should have a defined dimension but the layer received an input with shape \[3, null\]/,
    );
    expectError(() => layer.build([3, 1.5]), 'ERR_SHAPE', /expected an array of sizes/);
    expectError(() => layer.build(4 as never), 'ERR_SHAPE', /expected an array of sizes/);
    expectError(() => layer.computeOutputShape('x' as never), 'ERR_SHAPE', /expected an array of sizes/);
    layer.build([null, 4]);
    expect(layer.weights).toHaveLength(2);
  });

  test('an input of another size', () => {
    const layer = new LayerNormalization();
    layer.build([null, 4]);
    expectError(() => layer.apply([[1, 2, 3]]), 'ERR_SHAPE', /gamma has 4 elements, expected 3/);
  });

  test('an initializer that fails leaves the layer unbuilt', () => {
    const layer = new LayerNormalization({ betaInitializer: 'identity' });
    expectError(() => layer.apply(x), 'ERR_SHAPE', /only be used for 2D matrices/);
    expect([layer.built, layer.weights]).toEqual([false, []]);
  });
});

describe('weights', () => {
  const layer = new LayerNormalization({ name: 'ln' });
  layer.build([null, 2]);

  test('getWeights gives copies that setWeights takes', () => {
    layer.setWeights([Float32Array.of(1, 2), [3, 4]]);
    const copies = layer.getWeights();
    expect(copies).toEqual([
      { data: Float32Array.of(1, 2), shape: [2], dtype: 'float32' },
      { data: Float32Array.of(3, 4), shape: [2], dtype: 'float32' },
    ]);
    layer.setWeights([
      [0, 0],
      [0, 0],
    ]);
    layer.setWeights(copies);
    expect(layer.getWeights()).toEqual(copies);
  });

  test('errors, after which nothing has changed', () => {
    const before = layer.getWeights();
    expectError(
      () => layer.setWeights([[1, 2]]),
      'ERR_SHAPE',
      "LayerNormalization.setWeights: You called `set_weights(weights)` on layer 'ln' with a weight list of length 1, but the layer " +
        'was expecting 2 weights',
    );
    expectError(
      () => new LayerNormalization().setWeights([[1]]),
      'ERR_SHAPE',
      /was expecting 0 weights: it is not built/,
    );
    expectError(() => layer.setWeights(5 as never), 'ERR_ARGUMENT', /with 5, but the layer was expecting 2/);
    expectError(
      () =>
        layer.setWeights([
          [9, 9],
          [1, 2, 3],
        ]),
      'ERR_SHAPE',
      /ln\/beta of shape \[2\] is not compatible with provided weight shape \[3\]/,
    );
    expect(layer.getWeights()).toEqual(before);
  });

  test('trainable moves all of them, and comes back', () => {
    const { weights } = layer;
    layer.trainable = false;
    expect([layer.trainableWeights, layer.nonTrainableWeights]).toEqual([[], weights]);
    expect(weights.map(({ trainable }) => trainable)).toEqual([false, false]);
    expect(layer.getConfig().trainable).toBe(false);
    layer.trainable = true;
    expect([layer.trainableWeights, layer.nonTrainableWeights]).toEqual([weights, []]);
    expectError(
      () => {
        layer.trainable = 1 as never;
      },
      'ERR_ARGUMENT',
      /trainable is 1/,
    );
  });
});

test('update takes any rule, and then applies constraints', () => {
  const layer = new LayerNormalization({
    betaConstraint: 'non_neg',
    gammaConstraint: { class_name: 'MaxNorm', config: { max_value: 1 } },
  });
  layer.build([null, 4]);
  expectError(() => layer.update(() => 0), 'ERR_ARGUMENT', /has no gradient, expected a backward before/);
  expectError(() => layer.update(5 as never), 'ERR_ARGUMENT', /rule is 5, expected a function/);
  layer.apply(x, training);
  layer.backward(dy);
  const seen: string[] = [];
  layer.update((weight, gradient) => {
    seen.push(weight.name);
    expect(gradient).toBe(weight.gradient);
    if (weight.name === 'beta') return [1, -1, 2, -2];
    weight.value.fill(3);
    return undefined;
  });
  expect(seen).toEqual(['gamma', 'beta']);
  expect(layer.beta?.value).toEqual(Float32Array.of(1, 0, 2, 0));
  expect(firstMismatch(layer.gamma?.value ?? [], [0.5, 0.5, 0.5, 0.5], 0, 1e-6)).toBeUndefined();
  const before = layer.getWeights();
  expectError(
    () => layer.update(({ name }) => (name === 'gamma' ? [0, 0, 0, 0] : [1])),
    'ERR_SHAPE',
    /is not compatible/,
  );
  expect(layer.getWeights()).toEqual(before);
});

describe('new values', () => {
  const trained = (options = {}): LayerNormalization => {
    const layer = new LayerNormalization(options);
    layer.apply(Float32Array.of(1, 2, 3, 4), { shape: [2, 2], training: true });
    layer.backward(Float32Array.of(1, 0, 0, 2));
    return layer;
  };

  test('may come in a buffer that a rule uses again', () => {
    const [apart, shared] = [trained(), trained()];
    const buffer = new Float32Array(2);
    apart.update((weight, gradient) => weight.numbers().map((value, i) => value - 0.1 * (gradient[i] ?? 0)));
    shared.update((weight, gradient) => {
      weight.numbers().forEach((value, i) => {
        buffer[i] = value - 0.1 * (gradient[i] ?? 0);
      });
      return buffer;
    });
    expect(shared.getWeights()).toEqual(apart.getWeights());
    expect(shared.gamma?.value).not.toEqual(shared.beta?.value);
  });

  test('may be those of the other weights', () => {
    const layer = trained();
    layer.gamma?.assign([5, 6]);
    layer.beta?.assign([1, 2]);
    layer.setWeights([layer.beta?.value as Float32Array, layer.gamma?.value as Float32Array]);
    expect(layer.gamma?.value).toEqual(Float32Array.of(1, 2));
    expect(layer.beta?.value).toEqual(Float32Array.of(5, 6));
  });

  test('change nothing where a constraint fails', () => {
    const layer = trained({ betaConstraint: () => [1] });
    const before = layer.getWeights();
    expectError(() => layer.update(() => [7, 7]), 'ERR_SHAPE', /beta/);
    expect(layer.getWeights()).toEqual(before);
  });
});
