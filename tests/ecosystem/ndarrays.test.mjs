// The arrays of ndarray (scijs), of @stdlib/ndarray and of TensorFlow.js, and nested arrays, as whose rows ml-matrix keeps its
// elements.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';
import { layerNorm, layerNormForward, unitNorm } from 'layernorm';
import ndarray from 'ndarray';
import { arrayOf } from './support/numbers.mjs';
import { testOperations } from './support/operations.mjs';

const require = createRequire(import.meta.url);
const StdlibArray = require('@stdlib/ndarray/ctor');
const tf = require('@tensorflow/tfjs-core');
require('@tensorflow/tfjs-backend-cpu');

const INTEGERS = ['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32'];

/** A plain object, which says what its elements are. */
function readPlain(result) {
  assert.deepEqual(Object.keys(result), ['data', 'shape', 'dtype']);
  return result;
}

const rowMajor = (shape) =>
  shape.map((_, i) => shape.slice(i + 1).reduce((product, size) => product * size, 1));

/** The elements backwards, which negative strides read forwards. */
const reversed = (values) => Array.from(values).reverse();

testOperations({
  name: 'ndarray of scijs',
  dtypes: ['float32', 'float64', ...INTEGERS],
  make: (values, shape, dtype) => ndarray(arrayOf(values, dtype), shape),
  read: readPlain,
});

testOperations({
  name: 'ndarray of scijs, backwards in a larger array',
  dtypes: ['float32', 'float64'],
  make: (values, shape, dtype) =>
    ndarray(
      arrayOf([7, 7, ...reversed(values), 7], dtype),
      shape,
      rowMajor(shape).map((stride) => -stride),
      values.length + 1,
    ),
  read: readPlain,
});

testOperations({
  name: '@stdlib/ndarray',
  dtypes: ['float32', 'float64', ...INTEGERS],
  make: (values, shape, dtype) =>
    new StdlibArray(dtype, arrayOf(values, dtype), shape, rowMajor(shape), 0, 'row-major'),
  read: readPlain,
});

testOperations({
  name: 'TensorFlow.js',
  dtypes: ['float32', 'int32'],
  make: (values, shape, dtype) => tf.tensor(values, shape, dtype),
  read: readPlain,
});

testOperations({
  name: 'nested arrays',
  dtypes: ['float32'],
  make: (values, shape) => nested(values, shape, (row) => row),
  read: readNested('float32'),
});

testOperations({
  name: 'arrays of Float64Array',
  dtypes: ['float64'],
  make: (values, shape) => nested(values, shape, Float64Array.from.bind(Float64Array)),
  read: readNested('float64'),
});

function nested(values, [size, ...rest], rowOf) {
  if (rest.length === 0) return rowOf(values);
  const step = values.length / size;
  return Array.from({ length: size }, (_, i) => nested(values.slice(i * step, (i + 1) * step), rest, rowOf));
}

/** Arrays that say nothing of their type. */
function readNested(dtype) {
  return (result) => {
    assert.ok(Array.isArray(result));
    const shape = [];
    for (let level = result; Array.isArray(level); [level] = level) shape.push(level.length);
    return { data: arrayOf(result.flat(9), dtype), shape, dtype };
  };
}

const values = [1, 2, 3, 10, 20, 60];
const expected = layerNorm(Float32Array.from(values), { shape: [2, 3] });

describe('ndarray of scijs', () => {
  const x = ndarray(Float32Array.from(values), [2, 3]);

  test('is what a result becomes again, without a copy', () => {
    const { data, shape, dtype } = layerNorm(x);
    const y = ndarray(data, shape);
    assert.deepEqual([y.get(1, 2), y.dtype], [expected[5], dtype]);
  });

  test('transposed, cut and stepped', () => {
    const columns = ndarray(Float32Array.of(1, 10, 2, 20, 3, 60), [3, 2]);
    assert.deepEqual(layerNorm(columns.transpose(1, 0)).data, expected);
    assert.deepEqual(layerNorm(x.lo(1, 0)).data, expected.slice(3));
    assert.deepEqual(layerNorm(x.pick(1, null)).data, expected.slice(3));
    const wide = ndarray(Float32Array.of(1, 0, 2, 0, 3, 0, 10, 0, 20, 0, 60, 0), [2, 6]);
    assert.deepEqual(layerNorm(wide.step(1, 2)).data, expected);
  });

  test('is written to in place where its elements lie together', () => {
    const out = ndarray(new Float32Array(8), [2, 3], [3, 1], 2);
    assert.equal(layerNorm(x, { out }), out);
    assert.deepEqual(out.data, Float32Array.of(0, 0, ...expected));
    const apart = ndarray(new Float32Array(12), [2, 3], [6, 2]);
    assert.throws(() => layerNorm(x, { out: apart }), {
      code: 'ERR_ARGUMENT',
      message: /^layerNorm: out cannot be written in place/,
    });
  });

  test('of plain numbers, and of no dimension', () => {
    assert.deepEqual(layerNorm(ndarray(values, [2, 3])).data, expected);
    assert.throws(() => layerNorm(ndarray(new Float32Array(1), [])), {
      code: 'ERR_SHAPE',
      message: 'layerNorm: x has rank 0, expected 1 to 32 dimensions',
    });
  });

  test('that keeps its elements in an object is refused', () => {
    const store = { length: 6, get: (i) => values[i], set: () => {} };
    assert.throws(() => layerNorm(ndarray(store, [2, 3])), {
      code: 'ERR_DTYPE',
      message: 'layerNorm: x.data is an Object, expected a typed array or an array of numbers',
    });
  });
});

describe('@stdlib/ndarray', () => {
  const make = (dtype, data, strides, order, offset = 0) =>
    new StdlibArray(dtype, data, [2, 3], strides, offset, order);

  test('is what a result becomes again, without a copy', () => {
    const { data, shape, dtype } = layerNorm(make('float32', Float32Array.from(values), [3, 1], 'row-major'));
    const y = new StdlibArray(dtype, data, shape, [3, 1], 0, 'row-major');
    assert.deepEqual([y.get(1, 2), y.dtype], [expected[5], 'float32']);
  });

  test('column by column, backwards, with an offset', () => {
    const columns = Float32Array.of(1, 10, 2, 20, 3, 60);
    assert.deepEqual(layerNorm(make('float32', columns, [1, 2], 'column-major')).data, expected);
    const backwards = Float32Array.from(reversed(values));
    assert.deepEqual(layerNorm(make('float32', backwards, [-3, -1], 'row-major', 5)).data, expected);
    const later = Float32Array.of(9, 9, ...values);
    assert.deepEqual(layerNorm(make('float32', later, [3, 1], 'row-major', 2)).data, expected);
  });

  test('of plain numbers, and of complex ones', () => {
    assert.deepEqual(layerNorm(make('generic', values, [3, 1], 'row-major')).data, expected);
    const Complex64Array = require('@stdlib/array/complex64');
    const complex = make('complex64', new Complex64Array(6), [3, 1], 'row-major');
    assert.throws(() => layerNorm(complex), {
      code: 'ERR_DTYPE',
      message: /^layerNorm: x\.data is an Object/,
    });
  });
});

describe('tensors of TensorFlow.js', () => {
  const x = tf.tensor2d(values, [2, 3]);

  test('give what tf.tensor takes', () => {
    const { data, shape, dtype } = layerNorm(x);
    assert.deepEqual(tf.tensor(data, shape, dtype).dataSync(), expected);
    assert.deepEqual(x.dataSync(), Float32Array.from(values));
    assert.deepEqual(layerNorm(tf.transpose(tf.tensor2d([1, 10, 2, 20, 3, 60], [3, 2]))).data, expected);
    assert.deepEqual(layerNormForward(x).mean, {
      data: Float32Array.of(2, 30),
      shape: [2, 1],
      dtype: 'float32',
    });
  });

  test('of booleans are 0 and 1', () => {
    assert.deepEqual(unitNorm(tf.tensor1d([true, false], 'bool')).data, Float32Array.of(1, 0));
  });

  test('of text and of complex numbers are refused', () => {
    assert.throws(() => layerNorm(tf.tensor1d(['a'])), {
      code: 'ERR_DTYPE',
      message: "layerNorm: x.data holds 'a', expected a typed array or an array of numbers",
    });
    assert.throws(() => layerNorm(tf.complex([1, 2], [3, 4])), {
      code: 'ERR_SHAPE',
      message: 'layerNorm: x has 4 elements, expected 2, the product of its shape [2]',
    });
  });

  test('that have been disposed of are refused', () => {
    const gone = tf.tensor1d([1, 2]);
    gone.dispose();
    assert.throws(() => layerNorm(gone), {
      code: 'ERR_DISPOSED',
      message: 'layerNorm: x is a tensor that has been disposed',
    });
  });

  test('are not written to: what they give may be a copy', () => {
    assert.throws(() => layerNorm([1, 2, 3], { out: tf.tensor1d([0, 0, 0]) }), {
      code: 'ERR_ARGUMENT',
      message: /^layerNorm: out cannot be written in place/,
    });
  });

  test('that cannot be read at once are refused, and the message says what to await', () => {
    const cause = new Error('WebGPU reads asynchronously only');
    const onGpu = {
      shape: [2],
      dtype: 'float32',
      data: async () => Float32Array.of(1, 2),
      dataSync() {
        throw cause;
      },
    };
    assert.throws(() => layerNorm(onGpu), {
      code: 'ERR_ARGUMENT',
      message:
        'layerNorm: x.dataSync() fails (Error: WebGPU reads asynchronously only), expected the elements: where they are not on the CPU, pass ' +
        'await x.data(), with the option shape for x',
      cause,
    });
  });
});

test('the rows of a matrix of ml-matrix, whose class is made from nested arrays', () => {
  const rows = [Float64Array.of(1, 2, 3), Float64Array.of(10, 20, 60)];
  const y = layerNorm(rows);
  assert.deepEqual(y.flat(), Array.from(layerNorm(Float64Array.from(values), { shape: [2, 3] })));
  assert.deepEqual([y.length, y[0].length], [2, 3]);
});
