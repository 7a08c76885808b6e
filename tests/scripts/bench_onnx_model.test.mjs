import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layerNormalizationModel } from '../../bench/peers/onnx_model.mjs';

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
  dtype: 'float32',
  shape: [300, 768],
  reducedShape: [768],
  axis: 1,
  epsilon: 0.5,
  beta: true,
  statistics: true,
};

test('the model is one LayerNormalization of opset 17', () => {
  const model = fieldsOf(layerNormalizationModel(options));
  const opset = fieldsOf(all(model, 8)[0]);
  assert.deepEqual(all(opset, 2), [17n]);
  const graph = fieldsOf(all(model, 7)[0]);
  const [node] = all(graph, 1).map(fieldsOf);
  assert.deepEqual(all(node, 1).map(text), ['X', 'Scale', 'B']);
  assert.deepEqual(all(node, 2).map(text), ['Y', 'Mean', 'InvStdDev']);
  assert.deepEqual(all(node, 4).map(text), ['LayerNormalization']);
  const [axis, epsilon] = all(node, 5).map(fieldsOf);
  assert.deepEqual(all(axis, 3), [1n]);
  assert.equal(new Float32Array(all(epsilon, 2)[0].buffer)[0], 0.5);
  assert.deepEqual(
    all(graph, 11).map((input) => text(all(fieldsOf(input), 1)[0])),
    ['X', 'Scale', 'B'],
  );
});

test('sizes are those of the shape, also beyond 127', () => {
  const graph = fieldsOf(all(fieldsOf(layerNormalizationModel(options)), 7)[0]);
  const [x] = all(graph, 11).map(fieldsOf);
  const tensorType = fieldsOf(all(fieldsOf(all(x, 2)[0]), 1)[0]);
  assert.deepEqual(all(tensorType, 1), [1n], 'the type of float32');
  const dimensions = all(fieldsOf(all(tensorType, 2)[0]), 1);
  assert.deepEqual(
    dimensions.flatMap((dimension) => all(fieldsOf(dimension), 1)),
    [300n, 768n],
  );
});

test('without beta and statistics they are left out', () => {
  const model = layerNormalizationModel({ ...options, beta: false, statistics: false });
  const [node] = all(fieldsOf(all(fieldsOf(model), 7)[0]), 1).map(fieldsOf);
  assert.deepEqual(all(node, 1).map(text), ['X', 'Scale']);
  assert.deepEqual(all(node, 2).map(text), ['Y']);
});
