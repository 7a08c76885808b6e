// With plain objects; tensors of transformers.js and onnxruntime are in tests/ecosystem/transformers.test.mjs.
import { tensor } from '../../../js/src/index.js';
import { layer_norm } from '../../../js/src/transformers/layer_norm.js';
import { expectError } from '../support/errors.js';
import { layerNormReference } from '../support/reference.js';
import { maxUlpError } from '../support/ulp.js';

const x = { data: new Float32Array([1, 2, 3, 10, 20, 60, -1, 0, 4, 7, 7, 9]), dims: [2, 2, 3] };
const weight = new Float32Array([1, 2, 3]);
const bias = new Float32Array([3, 2, 1]);

test('over the last dimension, with epsilon 1e-5', () => {
  const { data, dims } = layer_norm(x, [3], { weight, bias });
  const { y } = layerNormReference(x.data, x.dims, { axes: [2], epsilon: 1e-5, gamma: weight, beta: bias });
  expect(dims).toEqual([2, 2, 3]);
  expect(maxUlpError(data, y)).toBeLessThanOrEqual(3);
});

test('over several dimensions', () => {
  const { data } = layer_norm(x, [2, 3], {
    eps: 0.1,
    weight: { data: new Float32Array(6).fill(2), shape: [2, 3] },
  });
  const gamma = new Float32Array(6).fill(2);
  const { y } = layerNormReference(x.data, x.dims, { axes: [1, 2], epsilon: 0.1, gamma });
  expect(maxUlpError(data, y)).toBeLessThanOrEqual(3);
});

test('of a tensor of this package', () => {
  const own = tensor(x);
  const y = layer_norm(own, [3], { eps: null, weight: null, bias: null, compat: null });
  expect(Array.from(y.array)).toEqual(Array.from(layer_norm(x, [3]).data));
  own.dispose();
  y.dispose();
});

test('of empty input', () => {
  expect(layer_norm({ data: new Float32Array(0), dims: [0, 3] }, [3]).data).toHaveLength(0);
});

test('with the definition of transformers.js', () => {
  const y = layer_norm({ data: new Float64Array([1, 3]), dims: [1, 2] }, [2], {
    eps: 1,
    compat: 'transformers.js',
  });
  expect(y).toEqual({ data: new Float64Array([-0.5, 0.5]), dims: [1, 2] });
});

test.each([[[2]], [[3, 2]], [[1, 2, 2, 3]], [[]], ['3'], [3]])('%j is not the end of [2, 2, 3]', (shape) => {
  expectError(
    () => layer_norm(x, shape as number[]),
    'ERR_SHAPE',
    /^layer_norm: normalized_shape is .*, expected the last sizes of input \[2, 2, 3\], such as \[3\]$/,
  );
});
