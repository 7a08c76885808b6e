// Tensors of onnxruntime-node and onnxruntime-web, in and out, between sessions of models that are made here.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';
import { layerNorm, layerNormForward, moments, rmsNorm, skipLayerNorm, unitNorm } from 'layernorm';
import { modelOf } from '../../bench/peers/onnx_model.mjs';
import {
  arrayOf,
  layerNormReference,
  maxUlpError,
  numbersOf,
  unitNormReference,
} from './support/numbers.mjs';
import { testOperations } from './support/operations.mjs';

const require = createRequire(import.meta.url);

const INTEGERS = ['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32'];
const FLOATS = ['float16', 'float32', 'float64'];

/** Bits of the mantissa that results of a type have. */
const MANTISSA_BITS = { float16: 10, float32: 23, float64: 52 };

const ROWS = 5;
const COLUMNS = 96;
const EPSILON = 1e-5;

for (const name of ['onnxruntime-node', 'onnxruntime-web']) {
  const ort = require(name);
  if (name === 'onnxruntime-web') ort.env.wasm.numThreads = 1;
  const { Tensor } = ort;

  const make = (values, shape, dtype) => new Tensor(dtype, arrayOf(values, dtype), shape);

  testOperations({
    name,
    dtypes: [...FLOATS, ...INTEGERS],
    make,
    read(result) {
      assert.equal(result.constructor, Tensor);
      assert.equal(result.location, 'cpu');
      const { data, dims, type } = result;
      return { data, shape: dims, dtype: type };
    },
  });

  describe(`between two sessions of ${name}`, () => {
    const values = Array.from({ length: ROWS * COLUMNS }, (_, i) => Math.sin(i * 12.9898) * 4);
    const weights = Array.from({ length: COLUMNS }, (_, i) => 1 + Math.cos(i) / 4);
    const offsets = Array.from({ length: COLUMNS }, (_, i) => Math.sin(i) / 2);

    async function runOnce(model, feeds) {
      const session = await ort.InferenceSession.create(model);
      try {
        return (await session.run(feeds)).Y;
      } finally {
        await session.release();
      }
    }

    const matrixOf = (one, dtype) => ({ name: one, dtype, shape: [ROWS, COLUMNS] });

    /** Twice x, as a session gives it. */
    const doubled = (x) => {
      const model = modelOf({
        operator: 'Add',
        opset: 17,
        inputs: [matrixOf('A', x.type), matrixOf('B', x.type)],
        outputs: [matrixOf('Y', x.type)],
      });
      return runOnce(model, { A: x, B: x });
    };

    const theirLayerNorm = (X, gamma, beta) => {
      const { type } = X;
      const model = modelOf({
        operator: 'LayerNormalization',
        opset: 17,
        ints: { axis: -1 },
        floats: { epsilon: EPSILON },
        inputs: [
          matrixOf('X', type),
          ...['gamma', 'beta'].map((one) => ({ name: one, dtype: type, shape: [COLUMNS] })),
        ],
        outputs: [matrixOf('Y', type)],
      });
      return runOnce(model, { X, gamma, beta });
    };

    // Kernels of float16 are the GPU's: onnxruntime casts around LayerNormalization, and has none for Add on the CPU.
    for (const dtype of ['float32', 'float64']) {
      test(dtype, async () => {
        const [gamma, beta] = [weights, offsets].map((one) => make(one, [COLUMNS], dtype));
        const x = await doubled(make(values, [ROWS, COLUMNS], dtype));
        const y = layerNorm(x, { gamma, beta, epsilon: EPSILON });
        assert.equal(y.constructor, x.constructor);

        const expected = layerNormReference(x.data, COLUMNS, EPSILON, gamma.data, beta.data);
        const errors = [y, await theirLayerNorm(x, gamma, beta)].map(({ data }) =>
          maxUlpError(data, expected, MANTISSA_BITS[dtype]),
        );
        // The reference of float64 is rounded itself.
        assert.ok(errors[0] <= (dtype === 'float64' ? 4 : 2), `an error of ${errors[0]} ulp`);
        assert.ok(errors[1] <= 64, `onnxruntime has an error of ${errors[1]} ulp`);

        const twice = await doubled(y);
        assert.deepEqual([twice.type, twice.dims], [dtype, [ROWS, COLUMNS]]);
        assert.deepEqual(
          Array.from(twice.data),
          Array.from(y.data, (value) => 2 * value),
        );
      });
    }

    test('float16', async () => {
      const [x, gamma, beta] = [
        make(values, [ROWS, COLUMNS], 'float16'),
        make(weights, [COLUMNS], 'float16'),
        make(offsets, [COLUMNS], 'float16'),
      ];
      const numbers = ({ data, type }) => numbersOf(data, type);
      const y = layerNorm(x, { gamma, beta, epsilon: EPSILON });
      const expected = layerNormReference(numbers(x), COLUMNS, EPSILON, numbers(gamma), numbers(beta));
      const theirs = await theirLayerNorm(x, gamma, beta);
      assert.equal(theirs.data.constructor, y.data.constructor);
      const errors = [y, theirs].map((one) => maxUlpError(numbers(one), expected, MANTISSA_BITS.float16));
      assert.ok(errors[0] <= 0.51, `an error of ${errors[0]} ulp`);
      assert.ok(errors[1] <= 4, `onnxruntime has an error of ${errors[1]} ulp`);
      // And what it gives goes in again.
      const again = layerNorm(theirs);
      assert.deepEqual([again.constructor, again.type], [Tensor, 'float16']);
    });

    test('views of one result are tensors of the next', async () => {
      const x = await doubled(make(values, [ROWS, COLUMNS], 'float32'));
      const { y, sum } = skipLayerNorm(x, x);
      assert.deepEqual((await doubled(x)).data, sum.data);
      const unit = unitNorm(y);
      const error = maxUlpError(unit.data, unitNormReference(Float64Array.from(y.data), COLUMNS));
      assert.ok(error <= 2, `an error of ${error} ulp`);
      assert.deepEqual(moments(rmsNorm(unit), { axis: [0, 1], keepDims: true }).mean.dims, [1, 1]);
    });

    test('the output of a call is the input of another, written in place', async () => {
      const x = await doubled(make(values, [ROWS, COLUMNS], 'float32'));
      const y = layerNorm(x);
      const out = new Tensor('float32', new Float32Array(ROWS * COLUMNS), [ROWS, COLUMNS]);
      assert.equal(layerNorm(x, { out }), out);
      assert.deepEqual(out.data, y.data);
      assert.equal(layerNorm(x, { out: x }), x);
      assert.deepEqual(x.data, y.data);
    });
  });

  describe(`what is refused of ${name}`, () => {
    const refused = (value, code, message) =>
      assert.throws(() => layerNorm(value), { name: 'LayerNormError', code, message });

    test('a tensor on the GPU: the message says what to await, which is enough', async () => {
      const data = Float32Array.of(1, 2, 3);
      const tensor = Tensor.fromGpuBuffer(
        {},
        { dataType: 'float32', dims: [1, 3], download: async () => data, dispose() {} },
      );
      refused(
        tensor,
        'ERR_ARGUMENT',
        "layerNorm: the data of x is at location 'gpu-buffer', expected 'cpu' or 'cpu-pinned': await x.getData() first",
      );
      assert.throws(() => layerNorm([[1, 2, 3]], { gamma: tensor }), {
        message: /await gamma\.getData\(\) first/,
      });
      assert.throws(() => layerNorm([[1, 2, 3]], { out: tensor }), {
        message: /await out\.getData\(\) first/,
      });
      await tensor.getData();
      assert.deepEqual(layerNorm(tensor).data, layerNorm(data));
    });

    test('a tensor of WebNN, and a texture', () => {
      const options = { dims: [1, 4], download: async () => new Float32Array(4), dispose() {} };
      refused(
        Tensor.fromMLTensor({}, { dataType: 'float32', ...options }),
        'ERR_ARGUMENT',
        /at location 'ml-tensor', .*: await x\.getData\(\) first$/,
      );
      refused(
        Tensor.fromTexture({}, { width: 1, height: 1, ...options }),
        'ERR_ARGUMENT',
        /at location 'texture', .*: await x\.getData\(\) first$/,
      );
    });

    test('a tensor that has been disposed of', () => {
      const tensor = new Tensor('float32', new Float32Array(4), [2, 2]);
      tensor.dispose();
      refused(tensor, 'ERR_DISPOSED', 'layerNorm: x is a tensor that has been disposed');
      assert.throws(() => layerNorm([[1, 2]], { beta: tensor }), {
        code: 'ERR_DISPOSED',
        message: 'layerNorm: beta is a tensor that has been disposed',
      });
    });

    test('text, integers of 64 bits, and results that there is no type for', () => {
      refused(new Tensor('string', ['a', 'b'], [2]), 'ERR_DTYPE', /^layerNorm: x\.data holds 'a'/);
      refused(
        new Tensor('int64', BigInt64Array.of(1n, 2n), [2]),
        'ERR_DTYPE',
        /^layerNorm: x\.data is a BigInt64Array, expected float16/,
      );
      assert.throws(() => layerNorm(new Tensor('float32', new Float32Array(2), [2]), { dtype: 'bfloat16' }), {
        code: 'ERR_ARGUMENT',
        message: /^layerNorm: the class of x, 'Tensor', cannot be constructed from \(type, data, dims\)/,
      });
    });
  });

  test(`${name}: memory of another type than the tensor's, pinned or shared`, () => {
    const pinned = new Tensor({
      location: 'cpu-pinned',
      type: 'float32',
      data: Float32Array.of(1, 2, 3),
      dims: [1, 3],
    });
    assert.deepEqual(layerNorm(pinned).data, layerNorm(Float32Array.of(1, 2, 3)));
    const shared = new Float32Array(new SharedArrayBuffer(12));
    shared.set([1, 2, 3]);
    assert.deepEqual(
      layerNorm(new Tensor('float32', shared, [1, 3])).data,
      layerNorm(Float32Array.of(1, 2, 3)),
    );
    const booleans = new Tensor('bool', [true, false], [1, 2]);
    assert.deepEqual(layerNormForward(booleans).mean.data, Float32Array.of(0.5));
  });
}

test('a uint16 tensor holds numbers, whatever the type of the result', () => {
  const { Tensor } = require('onnxruntime-node');
  const x = new Tensor('uint16', Uint16Array.of(1, 2, 3), [1, 3]);
  assert.deepEqual(
    layerNorm(x, { dtype: 'float16' }).data,
    arrayOf(Array.from(layerNorm(Float32Array.of(1, 2, 3))), 'float16'),
  );
});
