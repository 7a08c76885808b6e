// Tier: golden (Keras 3.16, and what its tests spell out).
import { tensor, UnitNormalization } from 'layernorm';
import { expectError } from '../support/errors.js';
import { testKerasCases } from '../support/keras_layers.js';
import { expectNoLeak, shaped } from '../support/layers.js';

describe('Keras 3.16', () => {
  testKerasCases('UnitNormalization', 4, (config) => UnitNormalization.fromConfig(config));
});

test.each([
  [[2, 3], -1],
  [
    [1, 3, 3],
    [1, 2],
  ],
  [[2, 3], 1],
])('the squared norm of %j over axis %j is 1', (shape, axis) => {
  const layer = new UnitNormalization({ axis });
  const { data } = layer.apply(shaped(shape));
  const groups = axis === -1 || axis === 1 ? 2 : 1;
  const squares = data.reduce((sum, value) => sum + value ** 2, 0);
  expect(squares).toBeCloseTo(groups, 5);
});

test('it is built from the beginning, and has nothing to save', () => {
  const layer = new UnitNormalization({ axis: [1, 2], name: 'unit' });
  expect([layer.built, layer.weights, layer.losses, layer.supportsMasking]).toEqual([true, [], [], true]);
  expect(layer.getBuildConfig()).toBeNull();
  layer.build([null, 3, 4]);
  expect(layer.getBuildConfig()).toBeNull();
  expect(layer.getConfig()).toEqual({
    name: 'unit',
    trainable: true,
    dtype: expect.anything(),
    axis: [1, 2],
  });
  layer.apply(shaped([1, 3, 3]));
  layer.apply(shaped([2, 3, 4]));
});

test('errors', () => {
  expectError(
    () => new UnitNormalization({ axis: { axis: -1 } as never }),
    'ERR_AXIS',
    /Invalid value for `axis` argument: expected an int or a list\/tuple of ints\. got an Object/,
  );
  const layer = new UnitNormalization({ axis: 3 });
  expectError(() => layer.computeOutputShape([2, 3]), 'ERR_AXIS', /is out of bounds/);
  expectError(() => layer.apply(shaped([2, 3])), 'ERR_AXIS', /is out of bounds/);
});

test('a zero vector in float16 stays zero', () => {
  expect(new UnitNormalization({ dtype: 'float16' }).apply([[0, 0]])).toEqual([[0, 0]]);
});

test('nothing leaks', () => {
  expectNoLeak(() => {
    using layer = new UnitNormalization({ dtype: 'float16' });
    using x = tensor(shaped([3, 4]));
    using _y = layer.apply(x, { training: true });
    using _dx = layer.backward(x);
    using _inference = layer.apply(x);
    layer.backward(shaped([3, 4]));
  });
});
