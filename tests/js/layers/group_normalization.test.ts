// Tier: golden (Keras 3.16, and what upstream tests of Keras spell out) and bounded (finite differences).
import { GroupNormalization, groupNorm, tensor } from 'layernorm';
import { expectError } from '../support/errors.js';
import { testKerasCases } from '../support/keras_layers.js';
import { expectNoLeak, shaped } from '../support/layers.js';
import { firstMismatch } from '../support/ulp.js';

const near = (actual: ArrayLike<number>, expected: ArrayLike<number>, absolute = 1e-6): void => {
  expect(firstMismatch(actual, expected, 0, absolute)).toBeUndefined();
};
const flat = (value: unknown): number[] => [value].flat(9) as number[];

describe('Keras 3.16', () => {
  testKerasCases('GroupNormalization', 5, (config) => GroupNormalization.fromConfig(config));
});

describe("Keras' own tests", () => {
  test('basics', () => {
    const layer = new GroupNormalization({ gammaRegularizer: 'l2', betaRegularizer: 'l2' });
    expect(layer.apply(shaped([3, 4, 32])).shape).toEqual([3, 4, 32]);
    expect(
      [layer.trainableWeights, layer.nonTrainableWeights, layer.losses].map((list) => list.length),
    ).toEqual([2, 0, 2]);
    expect(layer.supportsMasking).toBe(true);
    const constrained = new GroupNormalization({
      groups: 4,
      gammaConstraint: 'UnitNorm',
      betaConstraint: 'UnitNorm',
    });
    constrained.apply(shaped([3, 4, 4]), { training: true });
    constrained.backward(shaped([3, 4, 4]));
    constrained.update((weight) => weight.numbers().map(() => 2));
    near(constrained.gamma?.value ?? [], [0.5, 0.5, 0.5, 0.5]);
    expect(GroupNormalization.fromConfig(constrained.getConfig()).getConfig()).toEqual(
      constrained.getConfig(),
    );
  });

  test('errors', () => {
    expectError(
      () => new GroupNormalization({ groups: 2 }).build([2, 2, 2, null]),
      'ERR_SHAPE',
      /should have a defined dimension but the layer received an input with shape \[2, 2, 2, null\]/,
    );
    expectError(
      () => new GroupNormalization({ groups: 5 }).apply(shaped([2, 2, 2, 4])),
      'ERR_SHAPE',
      /cannot be more than the number of channels/,
    );
    expectError(
      () => new GroupNormalization({ groups: 3 }).apply(shaped([2, 2, 2, 4])),
      'ERR_SHAPE',
      /must be a multiple/,
    );
    for (const groups of [0, -2, 1.5, '32']) {
      expectError(
        () => new GroupNormalization({ groups: groups as number }),
        'ERR_ARGUMENT',
        /argument `groups`/,
      );
    }
    expectError(
      () => new GroupNormalization({ axis: 0 }).build([4, 4]),
      'ERR_AXIS',
      /dimension 0 is the batch/,
    );
    for (const axis of [-4, 3]) {
      expectError(() => new GroupNormalization({ axis }).build([2, 2, 4]), 'ERR_AXIS', /is out of bounds/);
    }
    const layer = new GroupNormalization({ groups: 2 });
    layer.build([null, 4]);
    expectError(() => layer.apply(shaped([2, 6])), 'ERR_SHAPE', /is incompatible with the layer/);
  });

  const row = [-1, -1, 1, 1, 2, 2, 0, -2];
  const one = [-0.897795, -0.897795, 0.538677, 0.538677, 1.256913, 1.256913, -0.179559, -1.616031];
  const two = [-0.9995, -0.9995, 0.9995, 0.9995, 0.90437, 0.90437, -0.301457, -1.507283];
  test.each([
    ['1-D, one group', [row], { groups: 1 }, one],
    ['1-D, two groups', [row], { groups: 2, axis: 1 }, two],
    [
      '2-D, one group',
      [
        [
          [-1, -1, 2, 2],
          [1, 1, 0, -2],
        ],
      ],
      { groups: 1 },
      [-0.897795, -0.897795, 1.256913, 1.256913, 0.538677, 0.538677, -0.179559, -1.616031],
    ],
    [
      '2-D, two groups',
      [
        [
          [-1, -1, 2, 2],
          [1, 1, 0, -2],
        ],
      ],
      { groups: 2, axis: 2 },
      [-0.9995, -0.9995, 0.90437, 0.90437, 0.9995, 0.9995, -0.301457, -1.507283],
    ],
    [
      'instances',
      [
        [
          [-1, 1, 0, 2],
          [1, 3, -4, -2],
        ],
      ],
      { groups: 4 },
      [-0.9995, -0.9995, 0.999875, 0.999875, 0.9995, 0.9995, -0.999875, -0.999875],
    ],
    [
      'instances by -1',
      [
        [
          [-1, 1, 0, 2],
          [1, 3, -4, -2],
        ],
      ],
      { groups: -1 },
      [-0.9995, -0.9995, 0.999875, 0.999875, 0.9995, 0.9995, -0.999875, -0.999875],
    ],
  ])('%s', (_, x, options, expected) => {
    near(flat(new GroupNormalization(options).apply(x as number[][])), expected, 2e-6);
  });

  test('channels first', () => {
    const x = { data: Float32Array.from({ length: 16 }, (_, i) => i), shape: [1, 4, 2, 2] };
    const group = [-1.5274, -1.091, -0.6546, -0.2182, 0.2182, 0.6546, 1.091, 1.5274];
    near(new GroupNormalization({ groups: 2, axis: 1 }).apply(x).data, [...group, ...group], 1e-4);
  });

  test('large inputs in mixed_float16 (keras#22586)', () => {
    const layer = new GroupNormalization({ groups: 2, dtype: 'mixed_float16' });
    const x = { data: new Float32Array(64).fill(70000), shape: [2, 4, 8] };
    expect(flat(Array.from(layer.apply(x).data as ArrayLike<number>)).every((value) => value === 0)).toBe(
      true,
    );
    layer.gamma?.assign([70000, 1, 1, 1, 1, 1, 1, 1]);
    expect(layer.gamma?.value[0]).toBe(70000);
  });

  test('rank 2 with instances is beta', () => {
    const layer = new GroupNormalization({ groups: -1 });
    layer.build([null, 3]);
    expect(layer.groups).toBe(3);
    expect(layer.getConfig().groups).toBe(3);
    layer.setWeights([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(layer.apply([[7, 8, 9]])).toEqual([[4, 5, 6]]);
  });
});

describe('masks, as Keras 2 had them', () => {
  const x = [[-1, -1, 1, 1, 2, 2, 0, -2]];
  test.each([
    [
      1,
      [[1, 1, 1, 0, 0, 0, 0, 0]],
      [-0.706709, -0.706709, 1.413419, 1.413419, 2.473483, 2.473483, 0.353355, -1.766773],
    ],
    [2, [[1, 1, 1, 1, 0, 1, 0, 1]], [-0.9995, -0.9995, 0.9995, 0.9995, 0.999875, 0.999875, 0, -0.999875]],
    [1, [[0.5, 0.5, 1, 0, 0, 0, 0, 0]], [-0.9995, -0.9995, 0.9995, 0.9995, 1.999, 1.999, 0, -1.999]],
  ])('%i groups, mask %j', (groups, mask, expected) => {
    near(flat(new GroupNormalization({ groups }).apply(x, { mask })), expected, 2e-6);
  });

  test('centering and scaling', () => {
    const two = [-0.9995, -0.9995, 0.9995, 0.9995, 0.90437, 0.90437, -0.301457, -1.507283];
    const centred = new GroupNormalization({
      groups: 2,
      scale: false,
      betaInitializer: { class_name: 'Constant', config: { value: 10 } },
    });
    near(
      flat(centred.apply(x)),
      two.map((value) => value + 10),
      1e-5,
    );
    const scaled = new GroupNormalization({
      groups: 2,
      center: false,
      gammaInitializer: { class_name: 'Constant', config: { value: 2 } },
    });
    near(
      flat(scaled.apply(x)),
      two.map((value) => value * 2),
      1e-5,
    );
  });

  test('a mask of ones changes nothing but rounding', () => {
    const data = shaped([2, 3, 4]);
    const layer = new GroupNormalization({ groups: 2 });
    const masked = layer.apply(data, {
      mask: [
        [true, true, true],
        [true, true, true],
      ],
    });
    near(masked.data, layer.apply(data).data, 1e-6);
    near(masked.data, groupNorm(data, { groups: 2 }).data, 1e-6);
  });
});

test('a gradient without saved statistics is the same', () => {
  const layer = new GroupNormalization({ groups: 2 });
  const [x, dy] = [shaped([2, 3, 4]), shaped([2, 3, 4], 2)];
  layer.apply(x);
  const dx = layer.backward(dy);
  layer.apply(x, { training: true });
  expect(layer.backward(dy)).toEqual(dx);
});

test('nothing leaks', () => {
  for (const mask of [null, { data: Float32Array.of(1, 0, 1, 1, 1, 1), shape: [2, 3] }]) {
    expectNoLeak(() => {
      using layer = new GroupNormalization({ groups: 2, dtype: 'mixed_float16' });
      using x = tensor(shaped([2, 3, 4]));
      using _y = layer.apply(x, { training: true, mask });
      using _dx = layer.backward(x);
      using _inference = layer.apply(x, { mask });
      layer.backward(shaped([2, 3, 4]));
    });
  }
});
