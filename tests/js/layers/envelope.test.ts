import { LayerNormalization, serializeLayer } from 'layernorm';
import { layerOf } from '../../../js/src/layers/envelope.js';
import { expectError } from '../support/errors.js';

test('the envelope of Keras 3', () => {
  const layer = new LayerNormalization({ name: 'ln' });
  const envelope = {
    module: 'keras.layers',
    class_name: 'LayerNormalization',
    config: layer.getConfig(),
    registered_name: null,
  };
  expect(JSON.stringify(serializeLayer(layer))).toBe(JSON.stringify(envelope));
  layer.build([null, 10]);
  expect(JSON.stringify(serializeLayer(layer))).toBe(
    JSON.stringify({ ...envelope, config: layer.getConfig(), build_config: { input_shape: [null, 10] } }),
  );
});

test('objects of your own', () => {
  const layer = {
    className: 'Mine',
    module: null,
    registeredName: 'Package>Mine',
    getConfig: () => ({ units: 2 }),
  };
  expect(serializeLayer(layer)).toEqual({
    module: null,
    class_name: 'Mine',
    config: { units: 2 },
    registered_name: 'Package>Mine',
  });
  for (const wrong of [null, {}, { className: 'Mine' }, 5]) {
    expectError(
      () => serializeLayer(wrong as never),
      'ERR_ARGUMENT',
      /expected a layer, or an object with className/,
    );
  }
});

test('a class is found by its registered name, by its name, or among the known ones', () => {
  const known = { A: { fromConfig: () => 'known A' } };
  const custom = { A: { fromConfig: () => 'custom A' }, 'P>A': { fromConfig: () => 'registered A' } };
  const envelope = { class_name: 'A', config: {}, registered_name: 'P>A' };
  expect(layerOf('f', envelope, known, custom)).toBe('registered A');
  expect(layerOf('f', { ...envelope, registered_name: null }, known, custom)).toBe('custom A');
  expect(layerOf('f', envelope, known, null)).toBe('known A');
  expectError(
    () => layerOf('f', { class_name: 'B', config: {} }, known, null),
    'ERR_ARGUMENT',
    "f: Could not locate class 'B', expected one of A, or a class with a static fromConfig in customObjects",
  );
  expectError(() => layerOf('f', { class_name: 'A' }, known, null), 'ERR_ARGUMENT', /class_name and config/);
});
