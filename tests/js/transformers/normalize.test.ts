// With plain objects; tensors of transformers.js and onnxruntime are in tests/ecosystem/transformers.test.mjs.
import { normalize } from '../../../js/src/transformers/normalize.js';
import { expectError } from '../support/errors.js';

const x = { data: new Float64Array([2, 2, 2, 2, 0, 0, 0, 0]), dims: [2, 4] };
const halves = new Float64Array([0.5, 0.5, 0.5, 0.5, 0, 0, 0, 0]);

test('over the last dimension, and zeros stay zeros', () => {
  expect(normalize(x)).toEqual({ data: halves, dims: [2, 4] });
});

test('over another dimension or several, with an epsilon', () => {
  expect(normalize(x, { dim: 0, eps: 4, p: 2 }).data).toEqual(halves);
  expect(normalize(x, { dim: 0, eps: null }).data).toEqual(halves.map((value) => value * 2));
  expect(normalize(x, { dim: [0, 1] }).data).toEqual(halves);
});

test.each([1, Number.POSITIVE_INFINITY, '2'])('the norm of order %p is refused', (p) => {
  expectError(
    () => normalize(x, { p: p as 2 }),
    'ERR_ARGUMENT',
    /^normalize: p is .*, expected 2, the Euclidean norm$/,
  );
});
