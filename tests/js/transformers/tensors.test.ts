import { LayerNormError } from '../../../js/src/runtime/errors.js';
import { checkOptions, inWordsOfPyTorch, sizesOf } from '../../../js/src/transformers/tensors.js';
import { expectError, thrownBy } from '../support/errors.js';

test('sizes are called dims or shape', () => {
  expect(sizesOf('f', { dims: [2, 3] })).toEqual([2, 3]);
  expect(sizesOf('f', { shape: new Int32Array([2, 3]) })).toEqual([2, 3]);
});

test.each([null, undefined, 1, new Float32Array(2), [[1]], { dims: null }, { shape: 3 }])(
  '%# has no sizes',
  (input) => {
    expectError(
      () => sizesOf('f', input),
      'ERR_ARGUMENT',
      /^f: input is .*, expected a tensor, which has dims or shape$/,
    );
  },
);

test('options', () => {
  checkOptions('f', {}, { eps: true });
  checkOptions('f', { eps: 1 }, { eps: true });
  expectError(
    () => checkOptions('f', { Eps: 1 }, { eps: true, dim: true }),
    'ERR_ARGUMENT',
    "f: unknown option 'Eps', expected eps, dim",
  );
  for (const options of [null, 1, [1], 'eps'])
    expectError(
      () => checkOptions('f', options, {}),
      'ERR_ARGUMENT',
      /^f: options is .*, expected an object/,
    );
});

test('errors are worded as those of PyTorch', () => {
  const error = new LayerNormError(
    'ERR_SHAPE',
    "layerNorm: gamma has 3 elements, expected 4, the size of axis -1 of x [2, 4]; await x.getData(); 'max'",
  );
  const failing = (what: unknown) => () =>
    inWordsOfPyTorch(() => {
      throw what;
    });
  expect(thrownBy(failing(error))).toMatchObject({
    code: 'ERR_SHAPE',
    message:
      "layer_norm: weight has 3 elements, expected 4, the size of dim -1 of input [2, 4]; await input.getData(); 'max'",
    cause: error,
  });
  const other = new Error('layerNorm: x');
  expect(thrownBy(failing(other))).toBe(other);
  expect(inWordsOfPyTorch(() => 1)).toBe(1);
});
