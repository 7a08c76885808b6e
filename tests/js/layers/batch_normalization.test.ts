// Tier: golden (Keras 3.16, and what upstream tests of Keras and TensorFlow.js spell out) and bounded (finite differences).
import { BatchNormalization, tensor } from 'layernorm';
import { expectError } from '../support/errors.js';
import { testKerasCases } from '../support/keras_layers.js';
import { differences, expectNoLeak, shaped } from '../support/layers.js';
import { normals } from '../support/random.js';
import { firstMismatch } from '../support/ulp.js';

const training = { training: true };
const near = (actual: ArrayLike<number> | undefined, expected: ArrayLike<number>, absolute = 1e-6): void => {
  expect(firstMismatch(actual ?? [], expected, 0, absolute)).toBeUndefined();
};
const flat = (value: unknown): number[] => [value].flat(9) as number[];

describe('Keras 3.16', () => {
  testKerasCases('BatchNormalization', 8, (config) => BatchNormalization.fromConfig(config));
});

describe("Keras' own tests", () => {
  test.each([
    [{}, [2, 3], 2, 2, 0],
    [{ center: false, scale: false }, [2, 3], 0, 2, 0],
    [{ gammaRegularizer: 'l2', betaRegularizer: 'l2' }, [2, 4, 4, 3], 2, 2, 2],
  ])('basics: %j', (options, shape, trainable, others, losses) => {
    const layer = new BatchNormalization(options);
    expect(layer.apply(shaped(shape), training).shape).toEqual(shape);
    expect(layer.trainableWeights).toHaveLength(trainable);
    expect(layer.nonTrainableWeights).toHaveLength(others);
    expect(layer.losses).toHaveLength(losses);
    expect(layer.supportsMasking).toBe(true);
    expect(BatchNormalization.fromConfig(layer.getConfig()).getConfig()).toEqual(layer.getConfig());
  });

  test.each([
    [-1, [5, 2, 3]],
    [1, [5, 2, 3]],
    [-1, [5, 3, 3, 2]],
    [1, [5, 3, 3, 2]],
  ])('correctness: axis %j of %j', (axis, shape) => {
    const layer = new BatchNormalization({
      axis,
      momentum: 0,
      movingMeanInitializer: 'zeros',
      movingVarianceInitializer: 'ones',
    });
    const x = { data: shaped(shape).data.map((value) => value * 10 + 5), shape };
    const before = layer.apply(x);
    let y = layer.apply(x, training);
    for (let i = 0; i < 2; i++) y = layer.apply(y, training);
    near(layer.movingMean?.value, layer.movingMean?.value.map(() => 0) ?? [], 1e-3);
    near(layer.movingVariance?.value, layer.movingVariance?.value.map(() => 1) ?? [], 2e-3);
    expect(firstMismatch(before.data, y.data, 0, 1e-3)).toBeDefined();
    near(layer.apply(y).data, y.data, 3e-3);
  });

  test('everything masked', () => {
    const layer = new BatchNormalization();
    const x = { data: new Float32Array(20), shape: [4, 5] };
    expect(layer.apply(x, { training: true, mask: [0, 0, 0, 0] }).data).toEqual(x.data);
    near(layer.movingVariance?.value, [0.99, 0.99, 0.99, 0.99, 0.99]);
  });

  test.each([[0], [0.1], [1]])('masked values are ignored: %j', (pad) => {
    const layer = new BatchNormalization({ momentum: 0 });
    const row = [
      [1, 5],
      [2, 5],
      [pad, pad],
      [pad, pad],
    ];
    const mask = [true, true, false, false];
    layer.apply([row, row], { training: true, mask: [mask, mask] });
    near(layer.movingMean?.value, [1.5, 5], 1e-5);
    near(layer.movingVariance?.value, [0.25, 0], 1e-5);
  });

  test('a mask that is broadcast', () => {
    const layer = new BatchNormalization({ momentum: 0, epsilon: 1e-3 });
    const x = { data: new Float32Array(24).fill(1), shape: [1, 2, 3, 4] };
    const mask = { data: Float32Array.of(1, 1), shape: [1, 2, 1] };
    const y = layer.apply(x, { training: true, mask });
    near(y.data, new Float32Array(24));
    near(layer.movingMean?.value, [1, 1, 1, 1]);
    near(layer.movingVariance?.value, [0, 0, 0, 0]);
  });

  test('one channel and a mask', () => {
    const layer = new BatchNormalization({ momentum: 0 });
    layer.apply([[[1], [3], [99]]], { training: true, mask: [[true, true, false]] });
    expect(layer.movingMean?.shape).toEqual([1]);
    near(layer.movingMean?.value, [2]);
  });

  test('a mask of another rank, also where it would not be used', () => {
    const message =
      /The mask provided should be one dimension less than the inputs, got mask \[2\] for x \[2, 3, 4\]/;
    const layer = new BatchNormalization();
    expectError(() => layer.apply(shaped([2, 3, 4]), { mask: [1, 0] }), 'ERR_SHAPE', message);
    layer.apply(shaped([2, 3, 4]), { mask: shaped([2, 3]) });
  });

  test('trainable behaviour', () => {
    const layer = new BatchNormalization({ axis: -1, momentum: 0.8, epsilon: 1e-7 });
    layer.build([null, 4, 4, 3]);
    expect([layer.weights, layer.trainableWeights, layer.nonTrainableWeights].map((w) => w.length)).toEqual([
      4, 2, 2,
    ]);
    layer.trainable = false;
    expect([layer.weights, layer.trainableWeights, layer.nonTrainableWeights].map((w) => w.length)).toEqual([
      4, 0, 4,
    ]);
    const x = { data: normals(20 * 48).map((value) => value * 10 + 5), shape: [20, 4, 4, 3] };
    near(layer.apply(x, training).data, x.data, 1e-4);
    layer.trainable = true;
    expect([layer.weights, layer.trainableWeights, layer.nonTrainableWeights].map((w) => w.length)).toEqual([
      4, 2, 2,
    ]);
    for (let i = 0; i < 10; i++) layer.apply(x, training);
    const y = layer.apply(x, training).data;
    near([y.reduce((sum, value) => sum + value, 0) / y.length], [0], 1e-3);
    near([y.reduce((sum, value) => sum + value ** 2, 0) / y.length], [1], 1e-3);
    layer.gamma?.assign([70000, 1, 1]);
    expect(layer.gamma?.value[0]).toBe(70000);
  });

  test('renorm: weights, errors, initial values, inference', () => {
    const layer = new BatchNormalization({
      renorm: true,
      movingVarianceInitializer: { class_name: 'Constant', config: { value: 4 } },
    });
    layer.build([null, 3]);
    expect(layer.nonTrainableWeights.map(({ name }) => name)).toEqual([
      'moving_mean',
      'moving_variance',
      'moving_stddev',
      'renorm_mean',
      'renorm_stddev',
    ]);
    near(layer.movingStddev?.value, [2, 2, 2]);
    near(layer.renormStddev?.value, [2, 2, 2]);
    const plain = new BatchNormalization({
      movingVarianceInitializer: { class_name: 'Constant', config: { value: 4 } },
    });
    const x = shaped([5, 3]);
    near(layer.apply(x).data, plain.apply(x).data, 1e-5);
    const clipping = (renormClipping: object) => () =>
      new BatchNormalization({ renorm: true, renormClipping });
    expectError(clipping({ rmax: 2, other: 1 }), 'ERR_ARGUMENT', /Received invalid keys \['other'\]/);
    expectError(clipping({ rmax: 1, rmin: 2 }), 'ERR_ARGUMENT', /rmax should be/);
    expectError(clipping({ dmax: -1 }), 'ERR_ARGUMENT', /dmax should be non-negative/);
    expectError(clipping([1]), 'ERR_ARGUMENT', /expected an object/);
  });

  test.each([[null], [{ rmax: 1.2, rmin: 0.9, dmax: 0.5 }]])(
    'renorm by its formulas, clipping %j',
    (renormClipping) => {
      const layer = new BatchNormalization({
        epsilon: 1e-3,
        momentum: 0.9,
        renorm: true,
        renormClipping,
        renormMomentum: 0.8,
      });
      const x = [
        [4, 6, 2],
        [8, -2, 5],
        [6, 4, 3],
      ];
      let [movingMean, movingStd, renormMean, renormStd] = [0, 1, 0, 1].map((value) => [
        value,
        value,
        value,
      ]) as [number[], number[], number[], number[]];
      for (let step = 0; step < 3; step++) {
        const y = layer.apply(x, training);
        const mu = [0, 1, 2].map((c) => x.reduce((sum, row) => sum + (row[c] as number), 0) / 3);
        const s = mu.map((m, c) =>
          Math.sqrt(x.reduce((sum, row) => sum + ((row[c] as number) - m) ** 2, 0) / 3 + 1e-3),
        );
        const at = (list: number[], c: number): number => list[c] as number;
        const r = s.map((v, c) => {
          const ratio = v / Math.max(at(renormStd, c), Math.sqrt(1e-3));
          return renormClipping ? Math.min(Math.max(ratio, 0.9), 1.2) : ratio;
        });
        const d = mu.map((m, c) => {
          const offset = (m - at(renormMean, c)) / Math.max(at(renormStd, c), Math.sqrt(1e-3));
          return renormClipping ? Math.min(Math.max(offset, -0.5), 0.5) : offset;
        });
        const expected = x.map((row) =>
          row.map((v, c) => ((v - at(mu, c)) / at(s, c)) * at(r, c) + at(d, c)),
        );
        near(flat(y), flat(expected), 1e-5);
        const mix = (old: number[], now: number[], m: number): number[] =>
          old.map((v, c) => v * m + at(now, c) * (1 - m));
        renormMean = mix(renormMean, mu, 0.8);
        renormStd = mix(renormStd, s, 0.8);
        movingMean = mix(movingMean, mu, 0.9);
        movingStd = mix(movingStd, s, 0.9);
      }
      near(layer.movingMean?.value, movingMean, 1e-5);
      near(layer.movingStddev?.value, movingStd, 1e-5);
      near(
        layer.movingVariance?.value,
        movingStd.map((v) => v ** 2 - 1e-3),
        1e-5,
      );
      near(layer.renormMean?.value, renormMean, 1e-5);
      near(layer.renormStddev?.value, renormStd, 1e-5);
      expect(BatchNormalization.fromConfig(layer.getConfig()).getConfig()).toEqual(layer.getConfig());
    },
  );

  test('errors of shapes', () => {
    expectError(() => new BatchNormalization({ axis: 2 }).build([2, 3]), 'ERR_AXIS', /is out of bounds/);
    expectError(
      () => new BatchNormalization({ axis: -3 }).computeOutputShape([2, 3]),
      'ERR_AXIS',
      /is out of bounds/,
    );
    expectError(() => new BatchNormalization({ axis: 1.5 }), 'ERR_AXIS', /axis is 1.5, expected an integer/);
    expectError(
      () => new BatchNormalization({ axis: 0 }).build([null, 3]),
      'ERR_SHAPE',
      /Axis 0 .* should have a defined dimension/,
    );
    expectError(
      () => new BatchNormalization({ synchronized: true }),
      'ERR_ARGUMENT',
      /Argument synchronized=True is only supported/,
    );
    const layer = new BatchNormalization();
    layer.build([null, 3]);
    expectError(
      () => layer.apply([[1, 2]]),
      'ERR_SHAPE',
      /is incompatible with the layer: expected axis 1 to have size 3/,
    );
    expectError(() => layer.apply([[[1, 2, 3]]]), 'ERR_SHAPE', /expected rank 2/);
  });
});

describe('Keras 2 and TensorFlow.js', () => {
  test('[-1000, 1000] in mixed_float16', () => {
    const layer = new BatchNormalization({ dtype: 'mixed_float16' });
    expect(layer.apply([[-1000], [1000]], training)).toEqual([[-1], [1]]);
    expect(layer.movingVariance?.dtype).toBe('float32');
  });

  test('the same, three times in a row', () => {
    const layer = new BatchNormalization({ dtype: 'mixed_float16' });
    let y: number[][] = [[-1000], [1000]];
    for (let i = 0; i < 3; i++) y = layer.apply(y, training);
    near(flat(y), [-0.9995, 0.9995], 5e-4);
  });

  test.each([
    [[2, 3], -1],
    [[2, 3, 4], -1],
    [[2, 3, 4], 1],
    [[2, 3, 4, 5], -1],
    [[2, 3, 4, 5], 0],
  ])('as it begins, inference on %j with axis %j gives x', (shape, axis) => {
    const x = shaped(shape);
    near(new BatchNormalization({ axis }).apply(x).data, x.data, 0.01);
  });

  test('the moving variance is that of the biased one, as in Keras 3', () => {
    const layer = new BatchNormalization({ momentum: 0.5, movingVarianceInitializer: 'zeros' });
    layer.apply([[0], [2]], training);
    expect(layer.movingVariance?.value).toEqual(Float32Array.of(0.5));
  });

  test('an empty batch is allowed, and moves nothing', () => {
    const layer = new BatchNormalization();
    const y = layer.apply({ data: new Float32Array(0), shape: [0, 2] }, training);
    expect(y.data).toHaveLength(0);
    expect(layer.movingMean?.value).toEqual(new Float32Array(2));
    expect(layer.movingVariance?.value).toEqual(Float32Array.of(1, 1));
    expect(layer.backward(y).data).toHaveLength(0);
  });

  test('normalizeBatchInTraining', () => {
    const rows = [
      [1, 2, 3, 4],
      [2, 4, 6, 8],
      [12, 11, 10, 9],
    ];
    const layer = new BatchNormalization({ momentum: 0 });
    const expected = [
      -0.805371, -0.9502233, -1.1624058, -1.3885813, -0.6040282, -0.4319197, -0.11624074, 0.46286058,
      1.4093992, 1.3821429, 1.2786462, 0.92572117,
    ];
    near(flat(layer.apply(rows, training)), expected, 2e-6);
    near(layer.movingMean?.value, [5, 5.6666665, 6.3333335, 7], 2e-6);
    near(layer.movingVariance?.value, [24.666666, 14.888889, 8.222222, 4.6666665], 4e-6);
  });

  test('scale and center alone count their weights', () => {
    const counts = [{ center: false }, { scale: false }, { center: false, scale: false }].map((options) => {
      const layer = new BatchNormalization(options);
      layer.build([null, 3]);
      return layer.weights.length;
    });
    expect(counts).toEqual([3, 3, 2]);
  });

  test('fit, 2-D: SGD with 0.01, mean squared error against 0, two epochs', () => {
    const x = [
      [1, 2, 3, 4],
      [2, 4, 6, 8],
      [12, 11, 10, 9],
    ];
    const layer = new BatchNormalization();
    const losses: number[] = [];
    for (let epoch = 0; epoch < 2; epoch++) {
      const y = layer.apply(x, training);
      losses.push(flat(y).reduce((sum, value) => sum + value ** 2, 0) / 12);
      layer.backward(y.map((row) => row.map((value) => (2 * value) / 12)));
      layer.update((weight, gradient) =>
        weight.numbers().map((value, i) => value - 0.01 * (gradient[i] as number)),
      );
    }
    near(losses, [0.99988914, 0.98991632], 1e-6);
    near(layer.gamma?.value, [0.9900254, 0.9900257, 0.9900262, 0.9900271], 2e-6);
    near(layer.movingMean?.value, [0.0995, 0.11276666, 0.12603334, 0.1393], 1e-6);
    near(layer.movingVariance?.value, [1.4709667, 1.2763889, 1.1437222, 1.0729666], 1e-6);
  });

  test('an axis in a list, and keys that old files lack', () => {
    const layer = BatchNormalization.fromConfig({ name: 'bn', axis: [1], momentum: 0.9, dtype: 'float32' });
    expect(layer.getConfig()).toEqual(
      new BatchNormalization({ name: 'bn', axis: 1, momentum: 0.9 }).getConfig(),
    );
  });
});

describe('finite differences', () => {
  const shape = [4, 3, 2];
  const mask = [
    [1, 0, 1],
    [1, 1, 1],
    [0, 0, 1],
    [1, 1, 0],
  ];
  test.each<[string, object, object]>([
    ['training', {}, training],
    ['training, channels in the middle', { axis: 1 }, training],
    ['inference', {}, {}],
    ['frozen', { trainable: false }, training],
    ['masked', {}, { ...training, mask }],
    ['masked, channels in the middle', { axis: 1 }, { ...training, mask }],
    ['masked, channels first', { axis: 0 }, { ...training, mask }],
  ])('%s', (_, options, apply) => {
    const make = (): BatchNormalization<'float64'> =>
      new BatchNormalization({ ...options, dtype: 'float64' });
    const layer = make();
    layer.build(shape);
    const start = layer.weights.map(({ size }, i) =>
      normals(size, i + 3).map((value) => Math.abs(value) + 0.5),
    );
    layer.setWeights(start);
    const x = Float64Array.from(normals(24, 9));
    const dy = Float64Array.from(normals(24, 10));
    layer.apply({ data: x, shape }, apply);
    const dx = layer.backward({ data: dy, shape }).data;
    const weights = start.map((values) => Float64Array.from(values));
    const evaluate = (): Float64Array => {
      const one = make();
      one.build(shape);
      one.setWeights(weights);
      return one.apply({ data: x, shape }, apply).data;
    };
    near(dx, differences(x, dy, evaluate), 1e-7);
    layer.trainableWeights.forEach(({ gradient }, i) => {
      near(gradient ?? [], differences(weights[i] as Float64Array, dy, evaluate), 1e-7);
    });
    expect(layer.trainableWeights).toHaveLength('trainable' in options ? 0 : 2);
  });

  test.each([[{}], [{ center: false }], [{ scale: false }]])(
    'renorm, its correction being constant: %j',
    (options) => {
      // Frozen corrections make it y = h * (r * gamma) + (d * gamma + beta), a plain batch normalization.
      const layer = new BatchNormalization({ ...options, renorm: true, renormMomentum: 0, dtype: 'float64' });
      const x = Float64Array.from(normals(12, 4));
      const dy = { data: Float64Array.from(normals(12, 5)), shape: [4, 3] };
      layer.build([4, 3]);
      layer.gamma?.assign([2, -1, 0.5]);
      layer.renormMean?.assign([0.1, 0.2, -0.3]);
      layer.renormStddev?.assign([0.8, 1.5, 0.6]);
      const stddev = layer.renormStddev?.value.slice() as Float64Array;
      const mean = layer.renormMean?.value.slice() as Float64Array;
      layer.apply({ data: x, shape: [4, 3] }, training);
      const dx = layer.backward(dy).data;
      const [batchMean, batchStddev] = [layer.renormMean?.value, layer.renormStddev?.value] as Float64Array[];
      const r = stddev.map((value, i) => (batchStddev?.[i] as number) / value);
      const d = mean.map((value, i) => ((batchMean?.[i] as number) - value) / (stddev[i] as number));
      const gamma = layer.gamma?.numbers() ?? Float64Array.of(1, 1, 1);
      const plain = new BatchNormalization({ dtype: 'float64' });
      plain.build([4, 3]);
      plain.gamma?.assign(gamma.map((value, i) => value * (r[i] as number)));
      plain.apply({ data: x, shape: [4, 3] }, training);
      near(dx, plain.backward(dy).data, 1e-12);
      if (layer.beta) near(layer.beta.gradient ?? [], plain.beta?.gradient ?? [], 1e-12);
      const dbeta = plain.beta?.gradient as Float64Array;
      const expected = plain.gamma?.gradient?.map(
        (value, i) => value * (r[i] as number) + (dbeta[i] as number) * (d[i] as number),
      );
      if (layer.gamma) near(layer.gamma.gradient ?? [], expected ?? [], 1e-12);
    },
  );
});

test('what inference was normalized by counts, not what came after', () => {
  const layer = new BatchNormalization();
  layer.apply([[1, 2]]);
  layer.movingVariance?.assign([4, 4]);
  near(flat(layer.backward([[1, 1]])), [0.9995004, 0.9995004]);
});

test('inputs are rounded to the type that is computed in, unless that is switched off', () => {
  const x = [[70000], [0]];
  expect(flat(new BatchNormalization({ dtype: 'mixed_float16' }).apply(x, training))[0]).toBeNaN();
  expect(new BatchNormalization({ dtype: 'mixed_float16', autocast: false }).apply(x, training)).toEqual([
    [1],
    [-1],
  ]);
});

test('nothing leaks', () => {
  for (const options of [
    {},
    { renorm: true },
    { renorm: true, center: false, dtype: 'mixed_float16' as const },
  ]) {
    expectNoLeak(() => {
      using layer = new BatchNormalization(options);
      using x = tensor(shaped([4, 3]));
      using _y = layer.apply(x, training);
      using _dx = layer.backward(x);
      using _inference = layer.apply(x);
      using _frozen = layer.backward(x);
      layer.apply(x, { training: false }).dispose();
      layer.apply(shaped([4, 3]), training);
      layer.backward(x).dispose();
    });
  }
});
