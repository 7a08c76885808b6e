const { LayerNormError, layerNorm } = require('layernorm');

test('a row is normalized', () => {
  const [first, second, third] = layerNorm(Float32Array.of(1, 2, 3));
  expect(first).toBeCloseTo(-1.2238273, 6);
  expect(second).toBe(0);
  expect(third).toBeCloseTo(1.2238273, 6);
});

test('a mistake is an error of the one class', () => {
  expect(() => layerNorm('123')).toThrow(LayerNormError);
});
