// Tier: golden (Keras 3.16, and what its tests spell out).
import { RMSNormalization, rmsNorm, setWarningHandler, tensor } from 'layernorm';
import { expectError } from '../support/errors.js';
import { testKerasCases } from '../support/keras_layers.js';
import { expectNoLeak, shaped } from '../support/layers.js';
import { firstMismatch } from '../support/ulp.js';

describe('Keras 3.16', () => {
  testKerasCases('RMSNormalization', 3, (config) => RMSNormalization.fromConfig(config));
});

describe("Keras' own tests", () => {
  test('basics', () => {
    const layer = new RMSNormalization();
    expect(layer.getConfig()).toEqual({
      name: layer.name,
      trainable: true,
      dtype: expect.anything(),
      axis: -1,
      epsilon: 1e-6,
    });
    expect(layer.apply(shaped([4, 2])).shape).toEqual([4, 2]);
    expect(layer.trainableWeights.map(({ path }) => path)).toEqual([`${layer.name}/scale`]);
    expect(layer.nonTrainableWeights).toEqual([]);
    expect(layer.losses).toEqual([]);
    expect(layer.axis).toEqual([-1]);
  });

  test('output', () => {
    const [y = []] = new RMSNormalization().apply([[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]);
    const expected = [
      0, 0.18731716, 0.37463433, 0.5619515, 0.74926865, 0.9365858, 1.123903, 1.3112202, 1.4985373, 1.6858544,
    ];
    expect(firstMismatch(y, expected, 1e-6, 1e-6)).toBeUndefined();
  });

  test('unsorted axes are the sorted ones', () => {
    const x = shaped([2, 3, 4]);
    const layer = new RMSNormalization({ axis: [-1, -2] });
    expect(layer.apply(x)).toEqual(new RMSNormalization({ axis: [-2, -1] }).apply(x));
    expect([layer.axis, layer.scale?.shape]).toEqual([
      [-2, -1],
      [3, 4],
    ]);
  });
});

test('axes that are not the last ones', () => {
  const x = shaped([2, 3, 4]);
  const layer = new RMSNormalization({ axis: 1 });
  layer.build([null, 3, 4]);
  layer.setWeights([[1, -2, 3]]);
  const expected = rmsNorm(x, { axis: 1, gamma: [1, -2, 3] });
  expect(layer.apply(x)).toEqual(expected);
});

test('a bad axis', () => {
  const layer = new RMSNormalization({ axis: 2 });
  expectError(() => layer.computeOutputShape([2, 4]), 'ERR_AXIS', /is out of bounds/);
  expectError(() => layer.build([2, 4]), 'ERR_AXIS', /is out of bounds/);
  expectError(() => new RMSNormalization({ axis: 1.5 }), 'ERR_AXIS', /'axis', got 1.5/);
});

test('a mask is destroyed, with a warning, unless masking is switched on', () => {
  const heard: string[] = [];
  setWarningHandler((message) => heard.push(message));
  const layer = new RMSNormalization();
  layer.apply([[1, 2]], { mask: [1] });
  layer.apply([[1, 2]], { mask: [1] });
  expect(heard).toEqual([
    expect.stringMatching(/does not support masking and will therefore destroy the mask/),
  ]);
  expect(layer.computeMask(null, [1])).toBeNull();
  const other = new RMSNormalization();
  other.supportsMasking = true;
  other.apply([[1, 2]], { mask: [1] });
  expect(heard).toHaveLength(1);
  expect(other.computeMask(null, [1])).toEqual([1]);
  setWarningHandler(null);
});

test('inputs and the scale are rounded to the type that is computed in, unless that is switched off', () => {
  const layer = new RMSNormalization({ dtype: 'mixed_float16' });
  layer.build([null, 2]);
  layer.scale?.assign([1 + 2 ** -12, 70000]);
  const [y = []] = layer.apply([[1, 1 + 2 ** -12]]);
  expect(y).toEqual([1, Number.POSITIVE_INFINITY]);
  expect(layer.scale?.value[1]).toBe(70000);
  const exact = new RMSNormalization({ dtype: 'mixed_float16', autocast: false });
  exact.build([null, 2]);
  expect(exact.apply([[70000, 70000]])).toEqual([[1, 1]]);
  expect(layer.apply([[70000, 1]])[0]?.[0]).toBeNaN();
});

test('nothing leaks', () => {
  expectNoLeak(() => {
    using layer = new RMSNormalization({ dtype: 'mixed_bfloat16' });
    using x = tensor(shaped([3, 4]));
    using _y = layer.apply(x, { training: true });
    using _dx = layer.backward(x);
    using _inference = layer.apply(x);
    layer.backward(shaped([3, 4]));
  });
});
