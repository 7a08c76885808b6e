// Vectors of Apache Arrow: numbers, and lists of one size of them, as embeddings are kept in tables.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as arrow from 'apache-arrow';
import { layerNorm, layerNormForward, tensor, unitNorm } from 'layernorm';
import { arrayOf } from './support/numbers.mjs';
import { testOperations } from './support/operations.mjs';

const TYPES = {
  float16: arrow.Float16,
  float32: arrow.Float32,
  float64: arrow.Float64,
  int8: arrow.Int8,
  uint8: arrow.Uint8,
  int16: arrow.Int16,
  uint16: arrow.Uint16,
  int32: arrow.Int32,
  uint32: arrow.Uint32,
};

/** A vector of numbers, or of lists as deep as the shape says. */
function vectorOf(values, shape, dtype) {
  const data = arrayOf(values, dtype);
  let chunk = arrow.makeData({ type: new TYPES[dtype](), length: data.length, data });
  for (const size of shape.slice(1).reverse()) {
    const type = new arrow.FixedSizeList(size, new arrow.Field('item', chunk.type));
    chunk = arrow.makeData({ type, length: chunk.length / size, child: chunk });
  }
  return new arrow.Vector([chunk]);
}

/** A plain object, which says what its elements are. */
function readPlain(result) {
  assert.deepEqual(Object.keys(result), ['data', 'shape', 'dtype']);
  return result;
}

const library = { name: 'apache-arrow', dtypes: Object.keys(TYPES), make: vectorOf, read: readPlain };
testOperations(library);

testOperations({
  ...library,
  name: 'apache-arrow in chunks',
  dtypes: ['float16', 'float32'],
  make(values, shape, dtype) {
    const [all, first] = [vectorOf(values, shape, dtype), 1];
    return all.slice(0, first).concat(all.slice(first));
  },
});

describe('a vector of lists', () => {
  const values = [1, 2, 3, 10, 20, 60, 5, 5, 6];
  const vector = vectorOf(values, [3, 3], 'float32');
  const expected = layerNorm(new Float32Array(values), { shape: [3, 3] });

  test('in a table that went through a file', () => {
    const file = arrow.tableToIPC(new arrow.Table({ embedding: vector }), 'file');
    const column = arrow.tableFromIPC(file).getChild('embedding');
    assert.deepEqual(layerNorm(column).data, expected);
  });

  test('made row by row, its buffers padded', () => {
    const type = new arrow.FixedSizeList(3, new arrow.Field('item', new arrow.Float32()));
    const built = arrow.vectorFromArray([values.slice(0, 3), values.slice(3, 6), values.slice(6)], type);
    assert.ok(built.data[0].children[0].values.length > values.length);
    assert.deepEqual(layerNorm(built).data, expected);
    assert.deepEqual(layerNorm(arrow.vectorFromArray([], type)), {
      data: new Float32Array(0),
      shape: [0, 3],
      dtype: 'float32',
    });
  });

  test('a slice of it, and its children', () => {
    assert.deepEqual(layerNorm(vector.slice(1, 3)).data, expected.slice(3));
    assert.deepEqual(
      layerNorm(vector.slice(1, 3).concat(vector.slice(0, 1))).data,
      Float32Array.of(...expected.slice(3), ...expected.slice(0, 3)),
    );
    assert.deepEqual(unitNorm(vector.getChildAt(0)), {
      data: unitNorm(new Float32Array(values)),
      shape: [9],
      dtype: 'float32',
    });
    assert.deepEqual(layerNorm(vector.data[0].children[0].values, { shape: [3, 3] }), expected);
  });

  test('is what a result becomes again, without a copy', () => {
    const { data, shape } = layerNorm(vector);
    const child = arrow.makeData({ type: vector.type.children[0].type, length: data.length, data });
    const again = arrow.makeVector(arrow.makeData({ type: vector.type, length: shape[0], child }));
    assert.equal(again.data[0].children[0].values.buffer, data.buffer);
    assert.deepEqual(Array.from(again.get(1)), Array.from(expected.slice(3, 6)));
  });

  test('is written to in place', () => {
    const out = vectorOf(values, [3, 3], 'float32');
    assert.equal(layerNorm(out, { out }), out);
    assert.deepEqual(Array.from(out.get(2)), Array.from(expected.slice(6)));
    const chunks = out.concat(out);
    assert.throws(() => layerNorm(chunks, { out: chunks }), {
      code: 'ERR_ARGUMENT',
      message: /^layerNorm: out cannot be written in place/,
    });
  });

  test('of an empty table', () => {
    const table = new arrow.Table(new arrow.Schema([new arrow.Field('embedding', vector.type)]));
    assert.deepEqual(layerNorm(table.getChild('embedding')).shape, [0, 3]);
  });

  test('of uint16 holds numbers, whatever the type of the result', () => {
    const { data } = layerNorm(vectorOf([1, 2, 3], [1, 3], 'uint16'), { dtype: 'float16' });
    assert.deepEqual(data, arrayOf(Array.from(layerNorm(Float32Array.of(1, 2, 3))), 'float16'));
  });

  test('its statistics', () => {
    const { mean } = layerNormForward(vector);
    assert.deepEqual(mean, { data: Float32Array.of(2, 30, 16 / 3), shape: [3, 1], dtype: 'float32' });
  });

  test('memoized, and of a tensor of this package', () => {
    assert.deepEqual(layerNorm(vector.memoize()).data, expected);
    const copied = tensor(vector);
    assert.deepEqual([copied.shape, copied.dtype], [[3, 3], 'float32']);
    copied.dispose();
  });
});

describe('what is refused', () => {
  const of = (type, rows) => arrow.vectorFromArray(rows, type);
  const listOf = (type) => new arrow.FixedSizeList(2, new arrow.Field('item', type));
  const float32 = new arrow.Float32();
  const nulls = 'layerNorm: x is an Arrow vector with null values, expected none: leave out their rows first';
  const badType = (what) =>
    `layerNorm: x is an Arrow vector of ${what}, expected Float, Int, or FixedSizeList of them`;

  for (const [name, vector, code, message] of [
    ['a row that is null', of(listOf(float32), [[1, 2], null]), 'ERR_ARGUMENT', nulls],
    [
      'an element that is null',
      of(listOf(float32), [
        [1, 2],
        [3, null],
      ]),
      'ERR_ARGUMENT',
      nulls,
    ],
    ['a null in another chunk', of(float32, [1, 2]).concat(of(float32, [3, null])), 'ERR_ARGUMENT', nulls],
    ['text', of(new arrow.Utf8(), ['a']), 'ERR_DTYPE', badType('a Utf8')],
    [
      'lists of any size',
      of(new arrow.List(new arrow.Field('item', float32)), [[1], [2, 3]]),
      'ERR_DTYPE',
      badType('a List'),
    ],
    ['a dictionary', arrow.vectorFromArray(['a', 'b', 'a']), 'ERR_DTYPE', badType('a Dictionary')],
    ['days', of(new arrow.DateDay(), [new Date(0)]), 'ERR_DTYPE', badType('a Date')],
    [
      'integers of 64 bits',
      of(new arrow.Int64(), [1n]),
      'ERR_DTYPE',
      'layerNorm: x.data is a BigInt64Array, expected float16, bfloat16, float32, float64 or integers of up to 32 bits',
    ],
    [
      'a chunk that lacks elements',
      new arrow.Vector([
        arrow.makeData({
          type: listOf(float32),
          length: 2,
          child: arrow.makeData({ type: float32, length: 3, data: new Float32Array(3) }),
        }),
      ]),
      'ERR_SHAPE',
      'layerNorm: chunk 0 of x has 3 elements, expected 4',
    ],
  ]) {
    test(name, () => assert.throws(() => layerNorm(vector), { name: 'LayerNormError', code, message }));
  }

  test('nulls that were sliced away are none', () => {
    const vector = of(listOf(float32), [[1, 2], null, [3, 5]]);
    assert.deepEqual(layerNorm(vector.slice(2)).data, layerNorm(Float32Array.of(3, 5)));
  });
});
