import { initializers, layerNorm, tensor, Weight } from 'layernorm';
import { expectError } from '../support/errors.js';

test('zeros by default', () => {
  const weight = new Weight({ name: 'w', shape: [2, 2] });
  expect(weight).toMatchObject({
    name: 'w',
    path: 'w',
    shape: [2, 2],
    dtype: 'float32',
    size: 4,
    trainable: true,
    gradient: null,
    initializer: null,
    regularizer: null,
    constraint: null,
  });
  expect(weight.value).toEqual(new Float32Array(4));
  expect(weight.numbers()).toBe(weight.value);
  expect(weight.data).toBe(weight.value);
});

test('an initializer sets the first values', () => {
  const initializer = initializers.get([0.1, 0.2]);
  expect(new Weight({ name: 'w', shape: [2], dtype: 'float64', initializer }).value).toEqual(
    Float64Array.of(0.1, 0.2),
  );
  const wrong = { call: () => [1, 2, 3] };
  expectError(
    () => new Weight({ name: 'w', shape: [2], initializer: wrong }),
    'ERR_SHAPE',
    /3 values.*expected 2/,
  );
});

test.each([
  ['float16', 0x3c00],
  ['bfloat16', 0x3f80],
] as const)('%s is kept in 16 bits', (dtype, one) => {
  const weight = new Weight({ name: 'w', shape: [2], dtype });
  weight.assign(Float32Array.of(1, 0.1));
  expect(new Uint16Array(weight.value.buffer)[0]).toBe(one);
  expect(weight.numbers()[0]).toBe(1);
  expect(weight.numbers()[1]).toBeCloseTo(0.1, 3);
  expect(weight.numbers()[1]).not.toBe(Math.fround(0.1));
  const copy = new Weight({ name: 'v', shape: [2], dtype });
  copy.assign(weight);
  expect(copy.value).toEqual(weight.value);
});

test('assign takes any container of the same shape', () => {
  const weight = new Weight({ name: 'w', shape: [2, 1], path: 'layer/w' });
  using t = tensor([[5], [6]]);
  const expected = Float32Array.of(5, 6);
  for (const values of [Float64Array.of(5, 6), [[5], [6]], t, { data: [5, 6], shape: [2, 1] }]) {
    weight.value.fill(0);
    weight.assign(values);
    expect(weight.value).toEqual(expected);
  }
  for (const values of [[5, 6], [[5, 6]], Float32Array.of(1), 5]) {
    expectError(
      () => weight.assign(values),
      'ERR_SHAPE',
      /^layer\/w.assign: the weight layer\/w of shape \[2, 1\] is not compatible with provided weight shape/,
    );
  }
  expect(weight.value).toEqual(expected);
});

test('a single number', () => {
  const weight = new Weight({ name: 'count', shape: [], dtype: 'int32' });
  weight.assign(3);
  expect(weight.value).toEqual(Int32Array.of(3));
  expect(weight.snapshot()).toEqual({ data: Int32Array.of(3), shape: [], dtype: 'int32' });
  weight.assign({ data: Float32Array.of(4), shape: [] });
  expect(weight.numbers()).toEqual(Float32Array.of(4));
});

test('the values may lie in an array of the caller', () => {
  const value = Float32Array.of(1, 2);
  const weight = new Weight({ name: 'w', shape: [2], value });
  weight.assign([3, 4]);
  expect(value).toEqual(Float32Array.of(3, 4));
});

test('it can be passed as an array', () => {
  const gamma = new Weight({
    name: 'gamma',
    shape: [3],
    dtype: 'float16',
    initializer: initializers.get('ones'),
  });
  const x = Float32Array.of(1, 2, 3);
  expect(layerNorm(x, { gamma })).toEqual(layerNorm(x));
});
