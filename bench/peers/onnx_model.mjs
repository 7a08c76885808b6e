// An ONNX model of one LayerNormalization node, in the format of protocol buffers: a field is its number and kind, then the
// value, whose length stands first unless it is a number (onnx.proto3 has the numbers).

const VARINT = 0;
const BYTES = 2;
const FLOAT = 5;

function varint(value) {
  const bytes = [];
  let rest = BigInt.asUintN(64, BigInt(value)); // negative numbers take ten bytes
  do {
    const more = rest > 127n;
    bytes.push(Number(rest & 127n) | (more ? 128 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return bytes;
}

const tag = (field, kind) => varint((field << 3) | kind);
const number = (field, value) => [...tag(field, VARINT), ...varint(value)];
const float = (field, value) => [...tag(field, FLOAT), ...new Uint8Array(Float32Array.of(value).buffer)];
const bytes = (field, content) => [...tag(field, BYTES), ...varint(content.length), ...content];
const text = (field, value) => bytes(field, [...new TextEncoder().encode(value)]);
const message = (field, ...fields) => bytes(field, fields.flat());

const ELEMENT_TYPES = { float32: 1, float64: 11 };
const ATTRIBUTE_FLOAT = 1;
const ATTRIBUTE_INT = 2;

/**
 * @param {{ dtype: 'float32' | 'float64', shape: number[], reducedShape: number[], axis: number, epsilon:
 *   number, beta: boolean, statistics: boolean }} options `axis` is the first of the trailing axes that are normalized
 * @returns {Uint8Array} a model with the inputs X, Scale and B, and the outputs Y, Mean and InvStdDev
 */
export function layerNormalizationModel({ dtype, shape, reducedShape, axis, epsilon, beta, statistics }) {
  const value = (field, name, type, sizes) => {
    const dimensions = sizes.map((size) => message(1, number(1, size)));
    const tensorType = message(1, number(1, type), message(2, ...dimensions));
    return message(field, text(1, name), message(2, tensorType));
  };
  const type = ELEMENT_TYPES[dtype];
  const kept = [...shape.slice(0, axis), ...shape.slice(axis).map(() => 1)];
  const node = message(
    1,
    text(1, 'X'),
    text(1, 'Scale'),
    beta ? text(1, 'B') : [],
    text(2, 'Y'),
    statistics ? [...text(2, 'Mean'), ...text(2, 'InvStdDev')] : [],
    text(4, 'LayerNormalization'),
    message(5, text(1, 'axis'), number(3, axis), number(20, ATTRIBUTE_INT)),
    message(5, text(1, 'epsilon'), float(2, epsilon), number(20, ATTRIBUTE_FLOAT)),
  );
  const graph = message(
    7,
    node,
    text(2, 'layer_norm'),
    value(11, 'X', type, shape),
    value(11, 'Scale', type, reducedShape),
    beta ? value(11, 'B', type, reducedShape) : [],
    value(12, 'Y', type, shape),
    statistics
      ? [
          ...value(12, 'Mean', ELEMENT_TYPES.float32, kept),
          ...value(12, 'InvStdDev', ELEMENT_TYPES.float32, kept),
        ]
      : [],
  );
  const irVersion = number(1, 8);
  const opset = message(8, text(1, ''), number(2, 17));
  return Uint8Array.from([...irVersion, ...graph, ...opset]);
}
