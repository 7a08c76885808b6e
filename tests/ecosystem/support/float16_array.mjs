// Run by runtimes that have a Float16Array: tensors of float16, in and out, and what transformers.js makes of them.

import assert from 'node:assert/strict';
import * as transformers from '@huggingface/transformers';
import { layerNorm, tensor, unitNorm } from 'layernorm';
import { layer_norm, normalize } from 'layernorm/transformers';
import ort from 'onnxruntime-node';

assert.equal(typeof Float16Array, 'function');

const values = Float16Array.from({ length: 96 }, (_, i) => Math.sin(i * 12.9898) * 4);
const shape = [4, 24];
const bits = new Uint16Array(values.buffer);
const expected = layerNorm(values, { shape, epsilon: 1e-5 });
assert.equal(expected.constructor, Float16Array);
assert.deepEqual(
  new Uint16Array(expected.buffer),
  layerNorm(bits, { shape, epsilon: 1e-5, dtype: 'float16' }),
);

for (const { Tensor } of [ort, transformers]) {
  // onnxruntime takes bits for what they are; its data is a Float16Array either way.
  for (const data of [values, bits]) {
    const x = new Tensor('float16', data, shape);
    assert.equal(x.data.constructor, Float16Array);
    for (const y of [layerNorm(x, { epsilon: 1e-5 }), layer_norm(x, [24])]) {
      assert.ok(y instanceof Tensor);
      assert.deepEqual([y.type, y.dims, y.data.constructor], ['float16', shape, Float16Array]);
      assert.deepEqual(y.data, expected);
    }
    assert.deepEqual(normalize(x).data, unitNorm(values, { shape }));
    assert.deepEqual(tensor(x).array, values);
    // The dtype of the result is that of its array, whatever x is.
    const wide = new Tensor('float32', Float32Array.from(values), shape);
    assert.deepEqual(layerNorm(wide, { epsilon: 1e-5, dtype: 'float16' }).data, expected);
  }
}

// The old bits, rounded to float16 at each step.
const x = new transformers.Tensor('float16', values, shape);
const old = layer_norm(x, [24], { compat: 'transformers.js' });
assert.deepEqual(old.data, transformers.layer_norm(x, [24]).data);

// Sessions of onnxruntime want bits: its tensors keep them where transformers.js has put them.
const bare = { data: bits, dims: shape, type: 'float16' };
assert.deepEqual(layerNorm(bare, { epsilon: 1e-5 }).data, new Uint16Array(expected.buffer));

console.log('Float16Array: all right');
