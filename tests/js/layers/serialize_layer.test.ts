// Tier: golden. Configs as they lie in models that Keras 3.16 saved.
import { deserializeLayer, initializers, SpectralNormalization, serializeLayer } from 'layernorm';
import { Dense } from '../support/dense.js';
import { expectError } from '../support/errors.js';
import { goldenCases } from '../support/golden.js';
import { shaped } from '../support/layers.js';

interface SavedLayer {
  model: string;
  class_name: string;
  config: Record<string, unknown>;
  build_config?: Record<string, unknown>;
}

describe.each(goldenCases<SavedLayer>('keras_model_layers.json'))(
  '$model: $config.name',
  ({ model: _, ...saved }) => {
    test('it comes back as it was', () => {
      const layer = deserializeLayer(saved);
      expect(layer.built).toBe(true);
      const envelope = saved as Record<string, unknown>;
      const { dtype, ...config } = saved.config;
      const { shared_object_id: __, ...policy } = dtype as Record<string, unknown>;
      const expected = { ...envelope, config: { ...config, dtype: policy } };
      expect(serializeLayer(layer)).toEqual(expected);
      expect(Object.keys(layer.getConfig())).toEqual(Object.keys(saved.config));
      const shape = shapeOf(saved.build_config);
      expect(layer.apply(shaped(shape)).shape).toEqual(shape);
    });
  },
);

function shapeOf(built: Record<string, unknown> | undefined): number[] {
  const shape = (built?.input_shape ?? [null, 6, 8]) as (number | null)[];
  return shape.map((size) => size ?? 2);
}

test('a wrapped layer of your own', () => {
  const layer = new SpectralNormalization({ layer: new Dense({ name: 'dense', units: 2 }), name: 'sn' });
  layer.build([null, 3]);
  const saved = serializeLayer(layer);
  const again = deserializeLayer(saved, { Dense });
  expect(serializeLayer(again)).toEqual(saved);
  expectError(() => deserializeLayer(saved), 'ERR_ARGUMENT', /Could not locate class 'Dense'/);
});

test('the short form, and functions of your own', () => {
  const layer = deserializeLayer(
    { class_name: 'BatchNormalization', config: { name: 'bn', axis: [1], beta_initializer: 'mine' } },
    { mine: initializers.Ones },
  );
  layer.build([null, 2]);
  expect(layer.getWeights()[1]?.data).toEqual(Float32Array.of(1, 1));
  expect(layer.getConfig()).toMatchObject({ name: 'bn', axis: 1 });
});

test('an unknown class', () => {
  expectError(
    () => deserializeLayer({ class_name: 'Dense', config: {} }),
    'ERR_ARGUMENT',
    /Could not locate class 'Dense', expected one of BatchNormalization, GroupNormalization, .* UnitNormalization, or/,
  );
});
