// Tier: golden (Keras 3.16, and what upstream tests of Keras and TensorFlow.js spell out) and bounded (finite differences).
import { createEngine, LayerNormalization, setWarningHandler, tensor } from 'layernorm';
import { expectError } from '../support/errors.js';
import { testKerasCases } from '../support/keras_layers.js';
import { differences, shaped } from '../support/layers.js';
import { normals } from '../support/random.js';
import { layerNormReference } from '../support/reference.js';
import { firstMismatch } from '../support/ulp.js';

const warnings: string[] = [];
beforeEach(() => {
  warnings.length = 0;
  setWarningHandler((message) => warnings.push(message));
});
afterAll(() => setWarningHandler(null));

describe('Keras 3.16', () => {
  testKerasCases('LayerNormalization', 20, (config) => LayerNormalization.fromConfig(config));
});

describe("Keras' own tests", () => {
  test.each([
    ['regularizers', [3, 4, 2], { gammaRegularizer: 'l2', betaRegularizer: 'l2' }, 2, 2],
    ['initializers', [3, 4, 2], { gammaInitializer: 'ones', betaInitializer: 'ones' }, 2, 0],
    ['neither scale nor center', [3, 3], { scale: false, center: false }, 0, 0],
    ['rms_scaling', [3, 3], { rmsScaling: true }, 1, 0],
    ['several axes', [2, 8, 8, 3], { axis: [-3, -2, -1] }, 2, 0],
    ['an empty input', [1, 0, 10], {}, 2, 0],
  ])('basics: %s', (_, shape, options, weights, losses) => {
    const layer = new LayerNormalization(options);
    const y = layer.apply(shaped(shape), { training: true });
    expect(y.shape).toEqual(shape);
    expect(layer.computeOutputShape([null, ...shape.slice(1)])).toEqual([null, ...shape.slice(1)]);
    expect(layer.trainableWeights).toHaveLength(weights);
    expect(layer.nonTrainableWeights).toHaveLength(0);
    expect(layer.losses).toHaveLength(losses);
    expect(layer.supportsMasking).toBe(true);
    expect(LayerNormalization.fromConfig(layer.getConfig()).getConfig()).toEqual(layer.getConfig());
  });

  test.each([[{ axis: -1 }], [null], [1.2], ['foo'], [[1, 1.5]]])('invalid axis %j', (axis) => {
    expectError(
      () => new LayerNormalization({ axis: axis as never }),
      'ERR_AXIS',
      /Expected an int or a list\/tuple of ints for the argument 'axis'/,
    );
  });

  test.each([[2], [99], [-3], [-99], [[0, 99]]])('axis %j of rank 2 is out of bounds', (axis) => {
    const layer = new LayerNormalization({ axis });
    expectError(() => layer.apply(shaped([2, 4])), 'ERR_AXIS', /is out of bounds/);
    expectError(() => layer.build([2, 4]), 'ERR_AXIS', /axis -?\d+ is out of bounds for x \[2, 4\]/);
    expectError(() => layer.computeOutputShape([null, 4]), 'ERR_AXIS', /is out of bounds for x \[null, 4\]/);
    expect(layer.built).toBe(false);
  });

  test.each([[[-1, 1]], [[1, 1]]])('axis %j is named twice', (axis) => {
    expectError(() => new LayerNormalization({ axis }).build([2, 4]), 'ERR_AXIS', /Duplicate axes/);
  });

  test('the axis is canonical once the layer is built', () => {
    const layer = new LayerNormalization({ axis: -1 });
    expect(layer.getConfig().axis).toBe(-1);
    layer.build([2, 4]);
    expect(layer.axis).toEqual([1]);
    expect(layer.getConfig().axis).toEqual([1]);
  });

  test('correctness', () => {
    const layer = new LayerNormalization();
    const data = normals(8000).map((value) => value * 10 + 5);
    const { data: y } = layer.apply({ data, shape: [1000, 2, 2, 2] });
    const mean = y.reduce((sum, value) => sum + value, 0) / y.length;
    const std = Math.sqrt(y.reduce((sum, value) => sum + (value - mean) ** 2, 0) / y.length);
    expect(mean).toBeCloseTo(0, 1);
    expect(std).toBeCloseTo(1, 1);
  });

  const arange = [[0, 1, 2, 3, 4]];
  test('output', () => {
    const [y = []] = new LayerNormalization({ betaInitializer: 'ones' }).apply(arange);
    expect(firstMismatch(y, [-0.41386, 0.29307, 1, 1.70693, 2.41386], 1e-6, 1e-5)).toBeUndefined();
  });

  test('output with rms_scaling, which warns once', () => {
    const [y = []] = new LayerNormalization({ rmsScaling: true }).apply(arange);
    expect(firstMismatch(y, [0, 0.70693, 1.41386, 2.12079, 2.82772], 1e-6, 1e-5)).toBeUndefined();
    new LayerNormalization({ rmsScaling: true });
    expect(warnings).toEqual([expect.stringMatching(/rmsScaling is deprecated.*RMSNormalization/)]);
  });

  test('unsorted axes are the sorted ones', () => {
    const x = shaped([2, 3, 4]);
    const [a, b] = [
      [-2, -1],
      [-1, -2],
    ].map((axis) => new LayerNormalization({ axis }).apply(x)) as [{ data: Float32Array }, typeof x];
    expect(a).toEqual(b);
  });

  test('a large gamma stays what it is in mixed_float16, and so does a large input', () => {
    const layer = new LayerNormalization({ dtype: 'mixed_float16' });
    layer.build([null, 4]);
    layer.gamma?.assign(Float32Array.of(70000, 1, 1, 1));
    expect(layer.gamma?.value[0]).toBe(70000);
    const y = layer.apply([[70000, 70002, 70004, 70006]], { training: true })[0] as number[];
    // Of inputs rounded to float16, which are infinite, this would be NaN.
    expect(y.slice(1)).toEqual([-0.447265625, 0.447265625, 1.341796875]);
  });
});

describe("Keras 2's own tests", () => {
  const range = (count: number, first: number): Float64Array =>
    Float64Array.from({ length: count }, (_, i) => i + first);
  const sizes = (shape: number[], axis: number[]): number[] => axis.map((one) => shape[one] as number);

  describe.each([[1e-12], [1e-3]])('epsilon %j', (epsilon) => {
    test.each([
      [[4, 3], [0]],
      [[3, 4], [1]],
      [[4, 3, 2], [0]],
      [[2, 4, 2], [1]],
      [[2, 3, 4], [2]],
      [
        [2, 3, 2],
        [0, 2],
      ],
      [
        [2, 2, 2, 2],
        [1, 3],
      ],
      [
        [2, 2, 2, 2],
        [2, 3],
      ],
      [[2, 3, 4, 5], [3]],
    ])('forward: shape %j, axis %j', (shape, axis) => {
      const count = sizes(shape, axis).reduce((a, b) => a * b, 1);
      const [gamma, beta] = [range(count, 1), range(count, 0)];
      const x = shaped(shape, 8).data;
      for (const [dtype, tolerance] of [
        ['float64', 1e-13],
        ['float32', 2e-6],
        ['mixed_float16', 1e-2],
        ['float16', 1e-2],
      ] as const) {
        const layer = new LayerNormalization({ axis, epsilon, dtype });
        layer.build(shape);
        expect(layer.gamma?.shape).toEqual(sizes(shape, axis));
        layer.gamma?.assign(gamma);
        layer.beta?.assign(beta);
        using t = tensor(Float64Array.from(x), shape);
        using y = layer.apply(t, { training: true });
        using wide = tensor(y, null, 'float64');
        const expected = layerNormReference(x, shape, { axes: axis, epsilon, gamma, beta }).y;
        expect(firstMismatch(wide.array, expected, tolerance, tolerance)).toBeUndefined();
        layer.dispose();
      }
    });

    test.each([
      [[4, 3], [0]],
      [[2, 4, 2], [1]],
      [[2, 3, 4], [2]],
      [
        [2, 3, 2],
        [0, 2],
      ],
      [
        [2, 2, 2, 2],
        [1, 3],
      ],
      [
        [2, 2, 2, 2],
        [2, 3],
      ],
    ])('backward: shape %j, axis %j', (shape, axis) => {
      const options = { axis, epsilon, dtype: 'float64' } as const;
      const layer = new LayerNormalization(options);
      layer.build(shape);
      const weights = layer.weights.map(({ size }, i) => range(size, 1 - i));
      layer.weights.forEach((weight, i) => {
        weight.assign(weights[i] as Float64Array);
      });
      const x = Float64Array.from(shaped(shape, 8).data);
      const dy = Float64Array.from(shaped(shape, 9).data);
      layer.apply({ data: x, shape }, { training: true });
      const dx = layer.backward({ data: dy, shape }).data;
      const evaluate = (): Float64Array => {
        layer.weights.forEach((weight, i) => {
          weight.assign(weights[i] as Float64Array);
        });
        return layer.apply({ data: x, shape }, { training: false }).data;
      };
      const gradients = layer.weights.map(({ gradient }) => gradient as Float64Array);
      const near = (actual: Float64Array, expected: Float64Array): void => {
        const scale = Math.max(1, ...expected.map(Math.abs));
        expect(firstMismatch(actual, expected, 1e-5, 1e-7 * scale)).toBeUndefined();
      };
      near(dx, differences(x, dy, evaluate, 1e-6));
      gradients.forEach((gradient, i) => {
        near(gradient, differences(weights[i] as Float64Array, dy, evaluate, 1e-6));
      });
    });
  });

  test('smoke: axes -2, (-3, -2), (-3, -1)', () => {
    for (const axis of [-2, [-3, -2], [-3, -1]]) {
      expect(new LayerNormalization({ axis }).apply(shaped([2, 3, 4, 5])).shape).toEqual([2, 3, 4, 5]);
    }
  });
});

describe("TensorFlow.js' own tests", () => {
  test.each([
    [
      '2-D',
      [
        [1, 2, 3],
        [3, 6, 24],
      ],
      -1,
      [-1.2238274, 0, 1.2238274, -0.8626572, -0.5391607, 1.401818],
    ],
    [
      '3-D',
      [
        [
          [1, 2, 3],
          [6, 5, 4],
        ],
        [
          [3, 6, 24],
          [-10, 0, 5],
        ],
      ],
      -1,
      [
        -1.2238274, 0, 1.2238274, 1.2238274, 0, -1.2238274, -0.8626572, -0.5391607, 1.401818, -1.3362889,
        0.26725778, 1.0690311,
      ],
    ],
    [
      '3-D, two axes',
      [
        [
          [1, 2, 3],
          [6, 5, 4],
        ],
        [
          [3, 6, 24],
          [-10, 0, 5],
        ],
      ],
      [-2, -1],
      [
        -1.4635992, -0.8781595, -0.29271984, 1.4635992, 0.8781595, 0.29271984, -0.1645762, 0.13166097,
        1.909084, -1.4482707, -0.46081337, 0.03291526,
      ],
    ],
  ])('forward: %s', (_, x, axis, expected) => {
    const y = new LayerNormalization({ axis }).apply(x as number[][]).flat(2);
    expect(firstMismatch(y, expected, 1e-6, 1e-6)).toBeUndefined();
  });

  test('training: LN(3) and a dense unit of ones, mean squared error, SGD with 0.01', () => {
    const layer = new LayerNormalization();
    const x = [
      [1, 2, 3],
      [3, 6, 24],
      [10, 5, 0],
    ];
    const target = [0, -1, 2];
    const kernel = [1, 1, 1];
    let bias = 0;
    const losses: number[] = [];
    for (let step = 0; step < 5; step++) {
      const y = layer.apply(x, { training: true }) as number[][];
      const errors = y.map((row, i) => {
        const output = row.reduce((sum, value, j) => sum + value * (kernel[j] as number), bias);
        return output - (target[i] as number);
      });
      losses.push(errors.reduce((sum, error) => sum + error ** 2, 0) / 3);
      const scaled = errors.map((error) => (2 / 3) * error);
      const dkernel = kernel.map((_, j) =>
        scaled.reduce((sum, d, i) => sum + d * ((y[i] as number[])[j] as number), 0),
      );
      layer.backward(scaled.map((d) => kernel.map((weight) => d * weight)));
      layer.update((weight, gradient) => weight.numbers().map((w, i) => w - 0.01 * (gradient[i] as number)));
      dkernel.forEach((d, j) => {
        kernel[j] = (kernel[j] as number) - 0.01 * d;
      });
      bias -= 0.01 * scaled.reduce((sum, d) => sum + d, 0);
    }
    const expected = [1.6666666, 1.4296359, 1.2372404, 1.0793766, 0.9486552];
    expect(firstMismatch(losses, expected, 0, 2e-6)).toBeUndefined();
  });
});

test('a regression: gamma and beta move to the optimum', () => {
  const layer = new LayerNormalization({ dtype: 'float64' });
  const x = { data: Float64Array.from(normals(64 * 4, 5)), shape: [64, 4] };
  const [gamma, beta] = [
    [2, -1, 0.5, 3],
    [1, 0, -2, 4],
  ] as const;
  const normalized = new LayerNormalization({ dtype: 'float64', center: false, scale: false }).apply(x).data;
  const target = normalized.map((h, i) => h * (gamma[i % 4] as number) + (beta[i % 4] as number));
  let loss = Number.POSITIVE_INFINITY;
  for (let step = 0; step < 400; step++) {
    const y = layer.apply(x, { training: true });
    const error = y.data.map((value, i) => value - (target[i] as number));
    loss = error.reduce((sum, value) => sum + value ** 2, 0) / error.length;
    layer.backward({ data: error.map((value) => (2 * value) / error.length), shape: [64, 4] });
    layer.update((weight, gradient) => weight.numbers().map((value, i) => value - (gradient[i] as number)));
  }
  expect(loss).toBeLessThan(1e-20);
  expect(firstMismatch(layer.gamma?.value ?? [], gamma, 0, 1e-9)).toBeUndefined();
  expect(firstMismatch(layer.beta?.value ?? [], beta, 0, 1e-9)).toBeUndefined();
});

describe('configs of other versions', () => {
  test.each([
    // Keras 2
    {
      name: 'ln',
      trainable: true,
      dtype: 'float32',
      batch_input_shape: [null, 4],
      axis: [1],
      epsilon: 0.001,
      center: true,
      scale: true,
      beta_initializer: { class_name: 'Zeros', config: {} },
      gamma_initializer: { class_name: 'Ones', config: {} },
      beta_regularizer: null,
      gamma_regularizer: null,
      beta_constraint: null,
      gamma_constraint: null,
    },
    // TensorFlow.js, as it is in memory
    {
      name: 'ln',
      trainable: true,
      axis: [1],
      epsilon: 0.001,
      betaInitializer: 'zeros',
      gammaInitializer: 'ones',
    },
    // Keras 3.3: without rms_scaling (keras#19806)
    { name: 'ln', axis: 1, dtype: { class_name: 'DTypePolicy', config: { name: 'float32' } } },
    { name: 'ln', axis: { class_name: '__tuple__', items: [1] } },
  ])('%j', (config) => {
    const layer = LayerNormalization.fromConfig(config);
    layer.build([null, 4]);
    expect(layer.getConfig()).toEqual(new LayerNormalization({ name: 'ln', axis: [1] }).getConfig());
  });

  test('gamma of unsorted axes is taken as it lies (keras#22201)', () => {
    const layer = LayerNormalization.fromConfig({ axis: [2, 1], center: false });
    layer.build([null, 2, 3]);
    expect(layer.gamma?.shape).toEqual([2, 3]);
    layer.setWeights([{ data: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [3, 2] }]);
    expect(layer.gamma?.value).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
    const sorted = LayerNormalization.fromConfig({ axis: [1, 2], center: false });
    sorted.build([null, 2, 3]);
    expectError(
      () => sorted.setWeights([shaped([3, 2])]),
      'ERR_SHAPE',
      /is not compatible with provided weight shape/,
    );
  });

  test('an epsilon of None is 1e-7 and stays None', () => {
    const layer = LayerNormalization.fromConfig({ name: 'ln', epsilon: null });
    expect(layer.getConfig().epsilon).toBeNull();
    const x = [[1e-4, 2e-4, 3e-4]];
    expect(layer.apply(x)).toEqual(new LayerNormalization({ epsilon: 1e-7 }).apply(x));
  });
});

test('float64 inputs are computed in float64, whatever the policy', () => {
  const x = Float64Array.of(1e9, 1e9 + 1, 1e9 + 2);
  const y = new LayerNormalization().apply(x);
  expect(y).toBeInstanceOf(Float32Array);
  expect(firstMismatch(y, [-1.2238274, 0, 1.2238274], 1e-6, 1e-6)).toBeUndefined();
  using t = tensor(x);
  using yOfTensor = new LayerNormalization().apply(t);
  expect(yOfTensor.dtype).toBe('float32');
  expect(yOfTensor.array).toEqual(y);
});

test('integers give the type of the policy', () => {
  const x = Int32Array.of(1, 2, 3);
  expect(new LayerNormalization({ dtype: 'float64' }).apply(x)).toBeInstanceOf(Float64Array);
  expect(new LayerNormalization().apply(x)).toBeInstanceOf(Float32Array);
});

test('a mask changes nothing and is passed on', () => {
  const layer = new LayerNormalization();
  const x = [
    [1, 2, 3],
    [3, 6, 24],
  ];
  const mask = [1, 0];
  expect(layer.apply(x, { mask })).toEqual(layer.apply(x));
  expect(layer.computeMask(x, mask)).toBe(mask);
  expect(warnings).toEqual([]);
});

test('tensors of another engine are refused', async () => {
  using engine = await createEngine();
  const t = engine.tensor([[1, 2]]);
  expectError(() => new LayerNormalization().apply(t), 'ERR_ARGUMENT', /a tensor of another engine/);
});
