// Tier: bounded (finite differences). Numbers of Keras 2 are in group_normalization.test.ts.
import { GroupNormalization } from 'layernorm';
import { expectError } from '../support/errors.js';
import { differences, shaped } from '../support/layers.js';
import { normals } from '../support/random.js';
import { firstMismatch } from '../support/ulp.js';

test.each([
  ['channels last', { groups: 2, axis: -1 }, [2, 3, 4], [2, 3]],
  ['channels first', { groups: 2, axis: 1 }, [2, 4, 3], [2, 4, 3]],
  ['instances', { groups: -1, axis: 2 }, [2, 3, 2, 2], [2, 3, 1, 1]],
])('finite differences: %s', (_, options, shape, maskShape) => {
  const mask = { data: shaped(maskShape, 7).data.map((value) => (value > -0.3 ? 1 : 0)), shape: maskShape };
  const layer = new GroupNormalization({ ...options, dtype: 'float64' });
  layer.build(shape);
  const weights = layer.weights.map(({ size }, i) => Float64Array.from(normals(size, i + 3)));
  layer.setWeights(weights);
  const x = Float64Array.from(shaped(shape, 1).data);
  const dy = Float64Array.from(shaped(shape, 2).data);
  layer.apply({ data: x, shape }, { mask, training: true });
  const dx = layer.backward({ data: dy, shape }).data;
  const evaluate = (): Float64Array => {
    const one = new GroupNormalization({ ...options, dtype: 'float64' });
    one.build(shape);
    one.setWeights(weights);
    return one.apply({ data: x, shape }, { mask }).data;
  };
  expect(firstMismatch(dx, differences(x, dy, evaluate), 1e-6, 1e-7)).toBeUndefined();
  layer.weights.forEach(({ gradient }, i) => {
    const expected = differences(weights[i] as Float64Array, dy, evaluate);
    expect(firstMismatch(gradient ?? [], expected, 1e-6, 1e-7)).toBeUndefined();
  });
});

test('a group that is masked as a whole has mean 0 and variance 0', () => {
  const layer = new GroupNormalization({ groups: 2, epsilon: 1 });
  expect(layer.apply([[1, 3, 5, 7]], { mask: [[0, 0, 1, 1]] })[0]?.slice(0, 2)).toEqual([1, 3]);
  expect(layer.backward([[1, 1, 0, 0]])).toEqual([[1, 1, 0, 0]]);
});

test('the shapes that a mask can have', () => {
  const layer = new GroupNormalization({ groups: 1 });
  const x = shaped([2, 3, 4]);
  const expected = layer.apply(x, { mask: { data: Float32Array.of(1, 0, 1, 1, 0, 1), shape: [2, 3] } });
  const rows = [
    [true, false, true],
    [true, false, true],
  ];
  expect(layer.apply(x, { mask: rows })).toEqual(expected);
  expect(layer.apply(x, { mask: Uint8Array.of(1, 0, 1, 1, 0, 1) })).toEqual(expected);
  expect(layer.apply(x, { mask: { data: [1, 0, 1], shape: [1, 3, 1] } })).toEqual(expected);
  expectError(
    () => layer.apply(x, { mask: [[1, 0]] }),
    'ERR_SHAPE',
    /mask has shape \[1, 2\], expected one that can be broadcast/,
  );
});
