// Tiers: bitwise (containers) and bounded (finite differences). What layers have in common whose output has the shape of the input.
import {
  type ApplyOptions,
  BatchNormalization,
  type DType,
  GroupNormalization,
  info,
  LayerNormalization,
  Normalization,
  type PolicyName,
  RMSNormalization,
  regularizers,
  type Tensor,
  type TensorLike,
  tensor,
  UnitNormalization,
} from 'layernorm';
import { expectError, thrownBy } from '../support/errors.js';
import { differences, expectNoLeak } from '../support/layers.js';
import { normals } from '../support/random.js';
import { firstMismatch } from '../support/ulp.js';

const x = { data: normals(12), shape: [3, 4] };
const dy = { data: normals(12, 2), shape: [3, 4] };
const training = { training: true };

describe('training', () => {
  test('backward without a call that it belongs to', () => {
    const layer = new LayerNormalization();
    expectError(
      () => layer.backward(dy),
      'ERR_ARGUMENT',
      /has not been applied, expected an apply with training: true/,
    );
    layer.apply(x, { training: false });
    expectError(() => layer.backward(dy), 'ERR_ARGUMENT', /training: false, which keeps nothing/);
    layer.apply(x, training);
    expectError(() => layer.backward([[1, 2]]), 'ERR_SHAPE', /dy has shape \[1, 2\], expected \[3, 4\]/);
    layer.backward(dy);
    layer.dispose();
    expectError(() => layer.backward(dy), 'ERR_ARGUMENT', /has not been applied/);
  });

  test('a gradient may be asked for when training was not said', () => {
    const layer = new LayerNormalization();
    layer.apply(x);
    const dx = layer.backward(dy);
    const { gamma } = layer;
    const dgamma = gamma?.gradient;
    layer.apply(x, training);
    expect(layer.backward(dy)).toEqual(dx);
    expect(gamma?.gradient).toEqual(dgamma);
  });

  test('a frozen layer gives dx, and no gradient of weights', () => {
    const layer = new LayerNormalization();
    layer.apply(x, training);
    const dx = layer.backward(dy);
    layer.trainable = false;
    layer.apply(x, training);
    expect(layer.backward(dy)).toEqual(dx);
    expect(layer.weights.map(({ gradient }) => gradient)).toEqual([null, null]);
    expect(layer.losses).toEqual([]);
  });

  test('regularizers: losses and their gradients', () => {
    const plain = new LayerNormalization();
    const layer = new LayerNormalization({
      gammaRegularizer: 'l2',
      betaRegularizer: { class_name: 'L1', config: { l1: 0.5 } },
    });
    for (const one of [plain, layer]) {
      one.build([null, 4]);
      one.setWeights([
        [1, -2, 3, -4],
        [1, -1, 0, 2],
      ]);
      one.apply(x, training);
      one.backward(dy);
    }
    expect(layer.losses).toEqual([0.01 * 30, 0.5 * 4]);
    const added = [
      [0.02, -0.04, 0.06, -0.08],
      [0.5, -0.5, 0, 0.5],
    ];
    layer.weights.forEach(({ gradient }, i) => {
      const expected = plain.weights[i]?.gradient?.map((value, j) => value + (added[i]?.[j] ?? 0));
      expect(firstMismatch(gradient ?? [], expected ?? [], 1e-6, 1e-6)).toBeUndefined();
    });
  });

  test('a regularizer without a gradient cannot be trained with', () => {
    const layer = new LayerNormalization({ gammaRegularizer: () => 1 });
    layer.apply(x, training);
    expect(layer.losses).toEqual([1]);
    expectError(() => layer.backward(dy), 'ERR_ARGUMENT', /gradient/);
  });

  test('an activity regularizer: the loss by the size of the batch, and its gradient', () => {
    const layer = new LayerNormalization({
      dtype: 'float64',
      activityRegularizer: new regularizers.L2({ l2: 0.3 }),
      gammaRegularizer: 'l2',
    });
    const input = { data: Float64Array.from(x.data), shape: x.shape };
    const loss = (): number => {
      layer.apply(input, training);
      return layer.losses[0] as number;
    };
    const y = layer.apply(input, training).data;
    expect(loss()).toBeCloseTo((0.3 * y.reduce((sum, value) => sum + value ** 2, 0)) / 3, 12);
    expect(layer.losses).toHaveLength(2);
    const dx = layer.backward({ data: new Float64Array(12), shape: [3, 4] }).data;
    const differences = input.data.map((value, i) => {
      input.data[i] = value + 1e-5;
      const above = loss();
      input.data[i] = value - 1e-5;
      const below = loss();
      input.data[i] = value;
      return (above - below) / 2e-5;
    });
    expect(firstMismatch(dx, differences, 1e-6, 1e-8)).toBeUndefined();
    expect(Object.keys(layer.getConfig()).slice(0, 5)).toEqual([
      'name',
      'trainable',
      'dtype',
      'activity_regularizer',
      'axis',
    ]);
    expect(LayerNormalization.fromConfig(layer.getConfig()).getConfig()).toEqual(layer.getConfig());
  });
});

describe('containers', () => {
  const expected = new LayerNormalization().apply(x.data, { shape: x.shape });
  const rows = Array.from({ length: 3 }, (_, i) => [...x.data.slice(4 * i, 4 * i + 4)]);

  test('the output comes in that of x, dx in that of dy', () => {
    const layer = new LayerNormalization();
    expect(layer.apply(rows).flat()).toEqual([...expected]);
    expect(layer.apply({ data: x.data, dims: [3, 4] })).toEqual({ data: expected, dims: [3, 4] });
    using t = tensor(x);
    using y = layer.apply(t, training);
    expect(y.array).toEqual(expected);
    const dx = layer.backward(dy);
    expect(dx.shape).toEqual([3, 4]);
    using given = tensor(dy);
    using dxTensor = layer.backward(given);
    expect(dxTensor.array).toEqual(dx.data);
    layer.apply(x.data, { shape: x.shape, training: true });
    using dxOfArray = layer.backward(given);
    expect(dxOfArray.array).toEqual(dx.data);
    expect(layer.backward(dy.data)).toEqual(dx.data);
    layer.dispose();
  });

  test('bits of 16-bit types come as bits and go as bits', () => {
    const layer = new LayerNormalization({ dtype: 'mixed_bfloat16' });
    using t = tensor(x, undefined, 'bfloat16');
    using y = layer.apply(t, training);
    const bits = layer.apply(t.array, { shape: [3, 4], training: true });
    expect(bits).toBeInstanceOf(Uint16Array);
    expect(bits).toEqual(y.array);
    using dyTensor = tensor(dy, undefined, 'bfloat16');
    using dx = layer.backward(dyTensor);
    expect(layer.backward(dyTensor.array)).toEqual(dx.array);
    expect(layer.gamma?.gradient).toBeInstanceOf(Float32Array);
  });

  test('bits of another 16-bit type are no bits of that of the policy', () => {
    const layer = new LayerNormalization({ dtype: 'float32' });
    const half = { data: Uint16Array.of(0x3c00, 0x4000, 0x4200), shape: [1, 3], dtype: 'float16' };
    expect(layer.apply(half)).toMatchObject({
      data: Float32Array.from(layer.apply([[1, 2, 3]]).flat()),
      dtype: 'float32',
    });
  });
});

test('an optional argument may be null', () => {
  const layer = new LayerNormalization(null);
  expect(layer.apply(x, null)).toEqual(layer.apply(x, { training: null, mask: null, shape: null }));
  expectError(() => layer.apply(x, { train: true } as never), 'ERR_ARGUMENT', /unknown option 'train'/);
  expectError(() => layer.apply(x, { training: 1 as never }), 'ERR_ARGUMENT', /training is 1/);
});

describe('nothing leaks', () => {
  test.each<[string, () => void]>([
    [
      'training on tensors',
      () => {
        using layer = new LayerNormalization({ gammaRegularizer: 'l2' });
        using t = tensor(x);
        using d = tensor(dy);
        for (let i = 0; i < 3; i++) {
          using _y = layer.apply(t, training);
          using _dx = layer.backward(d);
        }
      },
    ],
    [
      'tensors of another type, and gradients in another container',
      () => {
        using layer = new LayerNormalization({ dtype: 'mixed_float16' });
        using t = tensor(Float64Array.from(x.data), [3, 4]);
        using _y = layer.apply(t);
        layer.backward(dy);
        using d = tensor(dy);
        layer.apply(x);
        using _dx = layer.backward(d);
      },
    ],
    [
      'errors',
      () => {
        using layer = new LayerNormalization();
        using t = tensor(x);
        using _y = layer.apply(t, training);
        using wrong = tensor([[1, 2, 3]]);
        thrownBy(() => layer.apply(wrong, training));
        thrownBy(() => layer.backward(wrong));
      },
    ],
  ])('%s', (_, work) => {
    expectNoLeak(work);
  });
});

const layers = {
  LayerNormalization: (dtype: PolicyName, axis: number) => new LayerNormalization({ axis: [axis, 2], dtype }),
  RMSNormalization: (dtype: PolicyName, axis: number) => new RMSNormalization({ axis, dtype }),
  UnitNormalization: (dtype: PolicyName, axis: number) => new UnitNormalization({ axis, dtype }),
  BatchNormalization: (dtype: PolicyName, axis: number) => new BatchNormalization({ axis, dtype }),
  'BatchNormalization with renorm': (dtype: PolicyName, axis: number) =>
    new BatchNormalization({ axis, dtype, renorm: true }),
  GroupNormalization: (dtype: PolicyName, axis: number) => new GroupNormalization({ groups: 2, axis, dtype }),
  Normalization: (dtype: PolicyName, axis: number) =>
    new Normalization({ axis: [0, axis], dtype, mean: 0.5, variance: 2 }),
};

describe('finite differences', () => {
  // Renormalization takes its correction for constant: batch_normalization.test.ts has a test for that.
  const names = Object.keys(layers).filter((name) => !name.endsWith('renorm')) as (keyof typeof layers)[];

  test.each(names)('%s', (name) => {
    const shape = [3, 4, 6];
    const make = (weights?: Float64Array[]) => {
      const layer = layers[name]('float64', 1) as LayerNormalization<'float64'>;
      layer.build(shape);
      weights?.forEach((values, i) => {
        layer.trainableWeights[i]?.assign({ data: values, shape: layer.trainableWeights[i]?.shape ?? [] });
      });
      return layer;
    };
    const layer = make();
    const weights = layer.trainableWeights.map(({ size }, i) => Float64Array.from(normals(size, i + 5)));
    const [x, gradient] = [normals(72, 3), normals(72, 4)].map((values) => Float64Array.from(values)) as [
      Float64Array,
      Float64Array,
    ];
    const evaluate = (): Float64Array => make(weights).apply({ data: x, shape }, training).data;
    const trained = make(weights);
    trained.apply({ data: x, shape }, training);
    const dx = trained.backward({ data: gradient, shape }).data;
    expect(firstMismatch(dx, differences(x, gradient, evaluate), 1e-6, 1e-7)).toBeUndefined();
    trained.trainableWeights.forEach((weight, i) => {
      const expected = differences(weights[i] as Float64Array, gradient, evaluate);
      expect(firstMismatch(weight.gradient ?? [], expected, 1e-6, 1e-7)).toBeUndefined();
    });
  });
});

describe('bitwise: every layer and policy gives the same in every container', () => {
  const shape = [3, 4, 6];
  const data = normals(72, 3);
  const given = normals(72, 4);
  const policies = ['float32', 'float64', 'float16', 'bfloat16', 'mixed_float16', 'mixed_bfloat16'] as const;
  const nested = (from: Float32Array): number[][][] =>
    Array.from({ length: 3 }, (_, i) =>
      Array.from({ length: 4 }, (__, j) => [...from.slice(24 * i + 6 * j, 24 * i + 6 * j + 6)]),
    );

  /** Whatever the container, as float64. */
  function numbers(value: unknown, dtype: DType): number[] {
    if (Array.isArray(value)) return value.flat(2);
    const { data: elements = value } = value as { data?: unknown };
    using first =
      'dispose' in (value as object)
        ? tensor(value as Tensor)
        : tensor({ data: elements as object, shape, dtype }, null, dtype);
    using wide = tensor(first, null, 'float64');
    return [...wide.array];
  }

  test.each(Object.keys(layers) as (keyof typeof layers)[])('%s', (name) => {
    const before = info().liveTensors;
    for (const dtype of policies) {
      for (const axis of [1, -2]) {
        const results = containers().map(([x, dy, options]) => {
          using layer = layers[name](dtype, axis);
          layer.build(shape);
          for (const weight of layer.trainableWeights) {
            weight.assign({ data: normals(weight.size, 5), shape: weight.shape });
          }
          const y: unknown = layer.apply(x, { ...options, training: true });
          const dx: unknown = layer.backward(dy);
          const { computeDtype } = layer;
          const values = [numbers(y, computeDtype), numbers(dx, computeDtype)];
          for (const one of [y, dx, x, dy]) (one as Partial<Tensor>).dispose?.();
          return [...values, ...layer.weights.map(({ gradient, value }) => [...(gradient ?? []), ...value])];
        });
        for (const result of results.slice(1)) expect(result).toEqual(results[0]);
      }
    }
    expect(info().liveTensors).toBe(before);
  });

  function containers(): [TensorLike, TensorLike, ApplyOptions][] {
    const wide = new Float32Array(144);
    data.forEach((value, i) => {
      wide[2 * i] = value;
    });
    return [
      [data, given, { shape }],
      [nested(data), nested(given), {}],
      [{ data, dims: shape }, given, {}],
      [{ data: wide, shape, stride: [48, 12, 2] }, nested(given), {}],
      [tensor(data, shape), tensor(given, shape), {}],
      [tensor(data, shape), given, {}],
      [data, tensor(given, shape), { shape }],
    ];
  }
});
