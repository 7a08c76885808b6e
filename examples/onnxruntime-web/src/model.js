// A model small enough to be written here: embeddings = tanh(x @ W). ONNX files are protobuf messages; the numbers of the fields
// are those of onnx.proto.

const BYTES = 2; // the wire type of messages, strings and packed numbers
const FLOAT = 1; // TensorProto.DataType

function varint(value) {
  const bytes = [];
  for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128);
  return [...bytes, value];
}

const integer = (field, value) => [...varint(field << 3), ...varint(value)];
const bytes = (field, content) => [...varint((field << 3) | BYTES), ...varint(content.length), ...content];
const string = (field, text) => bytes(field, new TextEncoder().encode(text));

const node = (type, inputs, outputs) => [
  ...inputs.flatMap((name) => string(1, name)),
  ...outputs.flatMap((name) => string(2, name)),
  ...string(4, type),
];

const initializer = (name, dims, values) => [
  ...dims.flatMap((size) => integer(1, size)),
  ...integer(2, FLOAT),
  ...string(8, name),
  ...bytes(9, new Uint8Array(values.buffer)),
];

/** A matrix of float32 with any number of rows. */
function matrix(name, columns) {
  const shape = [...bytes(1, string(2, 'rows')), ...bytes(1, integer(1, columns))];
  const type = [...integer(1, FLOAT), ...bytes(2, shape)];
  return [...string(1, name), ...bytes(2, bytes(1, type))];
}

/**
 * @param {Float32Array} weights [inputs, outputs], row-major
 * @returns {Uint8Array} the bytes of an ONNX model from `x` [rows, inputs] to `embeddings` [rows, outputs]
 */
export function buildModel(weights, inputs, outputs) {
  const graph = [
    ...bytes(1, node('MatMul', ['x', 'W'], ['product'])),
    ...bytes(1, node('Tanh', ['product'], ['embeddings'])),
    ...string(2, 'encoder'),
    ...bytes(5, initializer('W', [inputs, outputs], weights)),
    ...bytes(11, matrix('x', inputs)),
    ...bytes(12, matrix('embeddings', outputs)),
  ];
  const opset = integer(2, 17);
  return Uint8Array.from([...integer(1, 8), ...bytes(7, graph), ...bytes(8, opset)]);
}
