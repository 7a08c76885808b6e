import assert from 'node:assert/strict';
import { test } from 'node:test';
import { modelOf } from '../../bench/peers/onnx_model.mjs';

/** Reads the fields of a message of protocol buffers: [number, value], bytes for all that has a length. */
function fieldsOf(bytes) {
  const fields = [];
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const kind = tag & 7;
    if (kind === 0) fields.push([tag >> 3, varint()]);
    else {
      const length = kind === 5 ? 4 : Number(varint());
      fields.push([tag >> 3, bytes.slice(at, at + length)]);
      at += length;
    }
  }
  assert.equal(at, bytes.length, 'lengths add up');
  return fields;
}

const text = (bytes) => new TextDecoder().decode(bytes);
const all = (fields, number) => fields.filter(([one]) => one === number).map(([, value]) => value);

const options = {
  operator: 'LayerNormalization',
  opset: 17,
  ints: { axis: 1 },
  floats: { epsilon: 0.5 },
  inputs: [
    { name: 'X', dtype: 'float32', shape: [300, 768] },
    { name: 'B', dtype: 'float64', shape: [768] },
  ],
  outputs: [
    { name: 'Y', dtype: 'float32', shape: [300, 768] },
    undefined,
    { name: 'Z', dtype: 'float32', shape: [300, 1] },
  ],
};

test('the model is one node of an operator', () => {
  const model = fieldsOf(modelOf(options));
  const opset = fieldsOf(all(model, 8)[0]);
  assert.deepEqual(all(opset, 2), [17n]);
  const graph = fieldsOf(all(model, 7)[0]);
  const [node] = all(graph, 1).map(fieldsOf);
  assert.deepEqual(all(node, 1).map(text), ['X', 'B']);
  assert.deepEqual(all(node, 2).map(text), ['Y', '', 'Z']);
  assert.deepEqual(all(node, 4).map(text), ['LayerNormalization']);
  assert.deepEqual(all(node, 7), [], 'of the standard');
  const [axis, epsilon] = all(node, 5).map(fieldsOf);
  assert.deepEqual(
    [axis, epsilon].map((one) => text(all(one, 1)[0])),
    ['axis', 'epsilon'],
  );
  assert.deepEqual(all(axis, 3), [1n]);
  assert.equal(new Float32Array(all(epsilon, 2)[0].buffer)[0], 0.5);
  assert.deepEqual(
    [11, 12].map((field) => all(graph, field).map((value) => text(all(fieldsOf(value), 1)[0]))),
    [
      ['X', 'B'],
      ['Y', 'Z'],
    ],
  );
});

test('types and sizes are those of the values, also sizes beyond 127', () => {
  const graph = fieldsOf(all(fieldsOf(modelOf(options)), 7)[0]);
  const tensorTypes = all(graph, 11).map((value) =>
    fieldsOf(all(fieldsOf(all(fieldsOf(value), 2)[0]), 1)[0]),
  );
  assert.deepEqual(
    tensorTypes.map((type) => all(type, 1)),
    [[1n], [11n]],
    'the types of float32 and float64',
  );
  const dimensions = all(fieldsOf(all(tensorTypes[0], 2)[0]), 1);
  assert.deepEqual(
    dimensions.flatMap((dimension) => all(fieldsOf(dimension), 1)),
    [300n, 768n],
  );
});

test("operators of Microsoft's domain name it, and the model imports it", () => {
  const model = fieldsOf(modelOf({ ...options, operator: 'SkipLayerNormalization', microsoft: true }));
  const [node] = all(fieldsOf(all(model, 7)[0]), 1).map(fieldsOf);
  assert.deepEqual(all(node, 7).map(text), ['com.microsoft']);
  const imports = all(model, 8).map(fieldsOf);
  assert.deepEqual(
    imports.map((one) => [text(all(one, 1)[0]), all(one, 2)[0]]),
    [
      ['', 17n],
      ['com.microsoft', 1n],
    ],
  );
});
