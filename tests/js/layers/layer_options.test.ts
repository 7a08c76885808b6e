import {
  automaticName,
  checkFits,
  checkPartialShape,
  initializerOrDefault,
  knownSizes,
  optionsOf,
  plain,
  readAxisOption,
  readBoolean,
  readName,
} from '../../../js/src/layers/layer_options.js';
import { expectError } from '../support/errors.js';

test('configs become options: keys in camelCase, identifiers resolved, keys that say nothing left out', () => {
  const options = optionsOf(
    {
      name: 'bn',
      batch_input_shape: [null, 3],
      moving_mean_initializer: { class_name: 'Zeros', config: {} },
      beta_regularizer: 'l2',
      gamma_constraint: null,
      renorm_clipping: { rmax: 2 },
      my_initializer: 'custom',
    },
    { custom: () => [1] },
  );
  expect(Object.keys(options)).toEqual([
    'name',
    'movingMeanInitializer',
    'betaRegularizer',
    'gammaConstraint',
    'renormClipping',
    'myInitializer',
  ]);
  expect(options).toMatchObject({
    movingMeanInitializer: { className: 'Zeros' },
    betaRegularizer: { className: 'L2' },
    gammaConstraint: null,
    renormClipping: { rmax: 2 },
  });
  expectError(() => optionsOf([] as never), 'ERR_ARGUMENT', /config is \[\], expected an object/);
});

test("Python's containers", () => {
  expect(plain({ class_name: '__tuple__', items: [1, 2] })).toEqual([1, 2]);
  expect(plain({ class_name: '__numpy__', config: { value: [1], dtype: 'float32' } })).toEqual([1]);
  const other = { class_name: 'Zeros', config: {} };
  expect(plain(other)).toBe(other);
  expect(plain(5)).toBe(5);
});

test('options', () => {
  expect([readBoolean('f', 'a', undefined, true), readBoolean('f', 'a', null, false)]).toEqual([true, false]);
  expectError(() => readBoolean('f', 'a', 1, true), 'ERR_ARGUMENT', 'f: a is 1, expected true or false');
  const axis = [1, 2];
  expect(readAxisOption('L', axis)).toEqual(axis);
  expect(readAxisOption('L', axis)).not.toBe(axis);
  expect(readAxisOption('L', undefined)).toBe(-1);
  expectError(() => readAxisOption('L', null), 'ERR_AXIS', /'axis', got null$/);
  expect([readName('L', undefined), readName('L', null), readName('L', 'a')]).toEqual([
    undefined,
    undefined,
    'a',
  ]);
  expect(initializerOrDefault(null)).toMatchObject({ className: 'GlorotUniform' });
});

test('names count up for each class', () => {
  const names = ['MyLayer', 'MyLayer', 'OtherLayer', 'MyLayer'].map(automaticName);
  expect(names).toEqual(['my_layer', 'my_layer_1', 'other_layer', 'my_layer_2']);
});

test('shapes', () => {
  checkPartialShape('f', [null, 0, 3]);
  checkPartialShape('f', []);
  expectError(() => checkPartialShape('f', [-1]), 'ERR_SHAPE', /^f: the shape of the input is \[-1\]/);
  expect(knownSizes('f', [null, 2, 3], [1, 2])).toEqual([2, 3]);
  expectError(() => knownSizes('f', [null, 2], [0]), 'ERR_SHAPE', /Axis 0 .* defined dimension/);
  checkFits('f', 'bn', [2, 3], 2, 1, 3);
  expectError(
    () => checkFits('f', 'bn', [2, 4], 2, 1, 3),
    'ERR_SHAPE',
    'f: Input 0 of layer "bn" is incompatible with the layer: expected axis 1 to have size 3, found x [2, 4]',
  );
  expectError(() => checkFits('f', 'bn', [2], 2, 1, 3), 'ERR_SHAPE', /expected rank 2, found x \[2\]/);
});
