// Tier: golden (Keras 3.16, and what upstream tests spell out).
import { type KernelLayer, LayerNormalization, SpectralNormalization } from 'layernorm';
import { Dense } from '../support/dense.js';
import { expectError } from '../support/errors.js';
import { testKerasCases } from '../support/keras_layers.js';
import { shaped } from '../support/layers.js';
import { firstMismatch } from '../support/ulp.js';

const training = { training: true };
const near = (actual: ArrayLike<number>, expected: ArrayLike<number>, absolute = 1e-6): void => {
  expect(firstMismatch(actual, expected, 0, absolute)).toBeUndefined();
};

describe('Keras 3.16', () => {
  testKerasCases('SpectralNormalization', 2, (config) => SpectralNormalization.fromConfig(config, { Dense }));
});

describe("Keras' own tests", () => {
  test.each([[[10, 3, 4]], [[10, 3, 4, 5]]])('Dense(2) on %j', (shape) => {
    const layer = new SpectralNormalization({ layer: new Dense({ name: 'dense', units: 2 }) });
    const y = layer.apply(shaped(shape), training);
    expect(y.shape).toEqual([...shape.slice(0, -1), 2]);
    expect(layer.computeOutputShape([null, ...shape.slice(1)])).toEqual([null, ...shape.slice(1, -1), 2]);
    expect(layer.trainableWeights.map(({ name }) => name)).toEqual(['kernel', 'bias']);
    expect(layer.nonTrainableWeights.map(({ name, shape: sizes }) => [name, [...sizes]])).toEqual([
      ['vector_u', [1, 2]],
    ]);
    expect(layer.supportsMasking).toBe(false);
  });

  test('an embedding', () => {
    const embeddings = { value: shaped([10, 4]).data, shape: [10, 4] };
    const lookup: KernelLayer = { embeddings, apply: (x: never) => x };
    const layer = new SpectralNormalization({ layer: lookup });
    layer.build([null, 3]);
    expect([layer.trainableWeights.length, layer.nonTrainableWeights.length]).toEqual([1, 1]);
  });

  test('errors', () => {
    const layer = new Dense({ name: 'dense', units: 2 });
    for (const powerIterations of [0, -1, 1.5]) {
      expectError(
        () => new SpectralNormalization({ layer, powerIterations }),
        'ERR_ARGUMENT',
        /`power_iterations` should be greater than zero\./,
      );
    }
    for (const wrong of [undefined, null, 5, {}]) {
      expectError(
        () => new SpectralNormalization({ layer: wrong as never }),
        'ERR_ARGUMENT',
        /expected a layer: an object with a kernel/,
      );
    }
    expectError(() => new SpectralNormalization(undefined as never), 'ERR_ARGUMENT', /expected a layer/);
    expectError(
      () => new SpectralNormalization({ layer: new LayerNormalization() as never }).build([2, 2]),
      'ERR_ARGUMENT',
      /object has no attribute 'kernel' nor 'embeddings'/,
    );
    const built = new SpectralNormalization({ layer });
    built.build([null, 3]);
    expectError(() => built.apply(shaped([2, 4])), 'ERR_SHAPE', /is incompatible with the layer/);
    expectError(
      () => SpectralNormalization.fromConfig({ layer: { class_name: 'Dense', config: {} } }),
      'ERR_ARGUMENT',
      /Could not locate class 'Dense', expected a class with a static fromConfig in customObjects/,
    );
    expectError(
      () => SpectralNormalization.fromConfig({}),
      'ERR_ARGUMENT',
      /expected an object with class_name/,
    );
  });

  test('a convolution of ones: 4.0 as it is, 2.0 in training', () => {
    // The kernel of Conv2D(1, (2, 2)) on one pixel is a column of four; its largest singular value is 2.
    const kernel = { value: new Float32Array(4).fill(1), shape: [2, 2, 1, 1] };
    const layer = new SpectralNormalization({
      layer: { kernel, apply: () => kernel.value.reduce((sum, value) => sum + value, 0) },
      powerIterations: 8,
    });
    const x = { data: new Float32Array(4).fill(1), shape: [1, 2, 2, 1] };
    expect(layer.apply(x)).toBe(4);
    expect(layer.apply(x, { training: false })).toBe(4);
    expect(layer.apply(x, training)).toBeCloseTo(2, 5);
  });

  test('a kernel of 2s is divided by its largest singular value', () => {
    const kernel = { data: new Float32Array(4).fill(2), shape: [2, 2] };
    const layer = new SpectralNormalization({ layer: { kernel, apply: (x: never) => x } });
    layer.apply([[1, 1]], training);
    near(kernel.data, [0.5, 0.5, 0.5, 0.5]);
  });

  test('a kernel of zeros stays one', () => {
    const layer = new SpectralNormalization({ layer: new Dense({ name: 'dense', units: 2 }) });
    layer.build([null, 3]);
    const u = layer.vectorU?.value.slice();
    layer.setWeights([new Float32Array(6), u as Float32Array, new Float32Array(2)]);
    layer.apply(shaped([4, 3]), training);
    expect(layer.weights[0]?.value).toEqual(new Float32Array(6));
    expect(layer.vectorU?.value).toEqual(u);
  });
});

test('training: the wrapper updates what the wrapped layer has', () => {
  const dense = new Dense({ name: 'dense', units: 2 });
  const layer = new SpectralNormalization({ layer: dense });
  layer.apply(shaped([4, 3]), training);
  layer.backward(shaped([4, 2]));
  const kernel = dense.kernel?.value.slice() as Float32Array;
  layer.update((weight, gradient) => weight.numbers().map((value, i) => value - (gradient[i] as number)));
  near(
    dense.kernel?.value as Float32Array,
    kernel.map((value, i) => value - (dense.kernel?.gradient?.[i] as number)),
  );
  layer.trainable = false;
  expect([dense.trainable, layer.trainable, layer.trainableWeights]).toEqual([false, false, []]);
});

test('variables that are no weights: their gradient is found, and they are written in place', () => {
  const kernel = {
    value: Float64Array.of(3, 0, 0, 4),
    shape: [2, 2],
    name: 'w',
    gradient: Float64Array.of(1, 1, 1, 1),
  };
  const layer = new SpectralNormalization({
    layer: { kernel, name: 'mine', apply: (x: never) => x, backward: (dy: never) => dy },
    powerIterations: 50,
  });
  const x = [[1, 1]];
  expect(layer.apply(x, training)).toBe(x);
  near(kernel.value, [0.75, 0, 0, 1]);
  expect(layer.backward([[1, 1]])).toEqual([[1, 1]]);
  expect(layer.weights.map(({ path, dtype }) => [path, dtype])).toEqual([
    ['mine/w', 'float64'],
    [`${layer.name}/vector_u`, 'float64'],
  ]);
  layer.update(() => [
    [1, 2],
    [3, 4],
  ]);
  expect(kernel.value).toEqual(Float64Array.of(1, 2, 3, 4));
  const without = new SpectralNormalization({ layer: { kernel, apply: (y: never) => y } });
  without.apply(x);
  expectError(() => without.backward(x), 'ERR_ARGUMENT', /has no method backward/);
  const wrong = new SpectralNormalization({ layer: { kernel: { shape: [1] }, apply: (y: never) => y } });
  expectError(() => wrong.build([1, 1]), 'ERR_ARGUMENT', /expected a Weight, or an object with the elements/);
});

test('a kernel that is replaced, not written to, is noticed', () => {
  const kernel = { name: 'kernel', shape: [2, 2], value: Float32Array.of(3, 0, 0, 1) };
  const layer: KernelLayer = { kernel, built: true, apply: (x) => x };
  const spectral = new SpectralNormalization({ layer });
  spectral.apply([[1, 2]], { training: true });
  kernel.value = Float32Array.of(8, 0, 0, 8);
  expectError(
    () => spectral.apply([[1, 2]], { training: true }),
    'ERR_ARGUMENT',
    /kernel .* has been replaced/,
  );
});

test('regularizing the output is left to the wrapped layer', () => {
  const layer: KernelLayer = { kernel: { shape: [1, 1], value: Float32Array.of(1) }, apply: (x) => x };
  expectError(
    () => new SpectralNormalization({ layer, activityRegularizer: 'l2' }),
    'ERR_ARGUMENT',
    /give it to the wrapped layer/,
  );
});
