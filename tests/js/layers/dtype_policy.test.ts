import { DTypePolicy, LayerNormalization } from 'layernorm';
import { expectError } from '../support/errors.js';

test.each([
  ['float32', 'float32', 'float32'],
  ['float64', 'float64', 'float64'],
  ['float16', 'float16', 'float16'],
  ['bfloat16', 'bfloat16', 'bfloat16'],
  ['mixed_float16', 'float16', 'float32'],
  ['mixed_bfloat16', 'bfloat16', 'float32'],
] as const)('%s computes in %s and keeps weights in %s', (name, compute, variable) => {
  const policy = new DTypePolicy(name);
  expect(policy).toMatchObject({ name, computeDtype: compute, variableDtype: variable });
  expect(policy.getConfig()).toEqual({ name });
  const layer = new LayerNormalization({ dtype: policy });
  expect(layer.dtypePolicy.name).toBe(name);
  expect([layer.computeDtype, layer.variableDtype, layer.dtype]).toEqual([compute, variable, variable]);
  layer.build([null, 3]);
  expect(layer.weights.map(({ dtype }) => dtype)).toEqual([variable, variable]);
  const y = layer.apply({ data: Float32Array.of(1, 2, 3), shape: [1, 3], dtype: 'float32' });
  expect(y.dtype).toBe(compute);
  expect(layer.getConfig().dtype).toEqual({
    module: 'keras',
    class_name: 'DTypePolicy',
    config: { name },
    registered_name: null,
  });
});

test.each([
  ['mixed_float16'],
  [{ module: 'keras', class_name: 'DTypePolicy', config: { name: 'mixed_float16' }, registered_name: null }],
  [{ class_name: 'DTypePolicy', config: { name: 'mixed_float16' }, shared_object_id: 140516775252320 }],
  [{ class_name: 'Policy', config: { name: 'mixed_float16' } }],
])('a config may have %j for it', (dtype) => {
  expect(LayerNormalization.fromConfig({ dtype }).dtypePolicy).toEqual(new DTypePolicy('mixed_float16'));
});

test('null and nothing are float32', () => {
  expect(new LayerNormalization({ dtype: null }).dtypePolicy.name).toBe('float32');
  expect(LayerNormalization.fromConfig({}).dtypePolicy.name).toBe('float32');
});

test.each<[unknown]>([['int8'], [5], [{ class_name: 'DTypePolicyMap', config: {} }], [[]]])(
  'no policy: %j',
  (dtype) => {
    expectError(
      () => new LayerNormalization({ dtype: dtype as never }),
      'ERR_DTYPE',
      /expected 'float32', 'float64', .* or 'mixed_bfloat16'/,
    );
  },
);
