// An ONNX model of one node, in the format of protocol buffers: a field is its number and kind, then the
// value, whose length stands first unless it is a number (onnx.proto3 has the numbers). What writes fields is there for tests, too.

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
export const number = (field, value) => [...tag(field, VARINT), ...varint(value)];
export const float = (field, value) => [
  ...tag(field, FLOAT),
  ...new Uint8Array(Float32Array.of(value).buffer),
];
export const bytes = (field, content) => [...tag(field, BYTES), ...varint(content.length), ...content];
export const text = (field, value) => bytes(field, [...new TextEncoder().encode(value)]);
export const message = (field, ...fields) => bytes(field, fields.flat());

const ELEMENT_TYPES = { float32: 1, float16: 10, float64: 11, bfloat16: 16 };
const ATTRIBUTE_FLOAT = 1;
const ATTRIBUTE_INT = 2;

/** The version of onnx.proto3, and of the operators of Microsoft's domain. */
const IR_VERSION = 8;
const MICROSOFT = { domain: 'com.microsoft', version: 1 };

/** @typedef {{ name: string, dtype: 'float16' | 'bfloat16' | 'float32' | 'float64', shape: number[] }} Value */
/** @typedef {Value & { bytes?: Uint8Array, external?: Record<string, string> }} Initializer with its elements, or where they are */

/** A TensorProto as a field. */
export function tensor(field, { name, dtype, shape, bytes: elements, external }) {
  return message(
    field,
    ...shape.map((size) => number(1, size)),
    number(2, ELEMENT_TYPES[dtype]),
    text(8, name),
    elements ? bytes(9, elements) : [],
    ...Object.entries(external ?? {}).map(([key, value]) => message(13, text(1, key), text(2, value))),
    external ? number(14, 1) : [],
  );
}

/**
 * @param {object} options
 * @param {string} options.operator
 * @param {boolean} [options.microsoft] whether it is one of Microsoft's
 * @param {number} options.opset of the standard operators
 * @param {Record<string, number>} [options.ints] attributes
 * @param {Record<string, number>} [options.floats] attributes
 * @param {Value[]} options.inputs in the operator's order
 * @param {Initializer[]} [options.initializers] those of the inputs that are in the model
 * @param {(Value | undefined)[]} options.outputs in the operator's order; undefined for those that are not wanted
 * @returns {Uint8Array}
 */
export function modelOf(options) {
  const { operator, microsoft, opset, ints = {}, floats = {}, inputs, initializers = [], outputs } = options;
  const isGiven = ({ name }) => !initializers.some((one) => one.name === name);
  const value = (field, { name, dtype, shape }) => {
    const dimensions = shape.map((size) => message(1, number(1, size)));
    const tensorType = message(1, number(1, ELEMENT_TYPES[dtype]), message(2, ...dimensions));
    return message(field, text(1, name), message(2, tensorType));
  };
  const node = message(
    1,
    ...inputs.map(({ name }) => text(1, name)),
    ...outputs.map((one) => text(2, one?.name ?? '')),
    text(4, operator),
    ...Object.entries(ints).map(([name, of]) =>
      message(5, text(1, name), number(3, of), number(20, ATTRIBUTE_INT)),
    ),
    ...Object.entries(floats).map(([name, of]) =>
      message(5, text(1, name), float(2, of), number(20, ATTRIBUTE_FLOAT)),
    ),
    microsoft ? text(7, MICROSOFT.domain) : [],
  );
  const graph = message(
    7,
    node,
    text(2, operator),
    ...initializers.map((one) => tensor(5, one)),
    ...inputs.filter(isGiven).map((one) => value(11, one)),
    ...outputs.filter(Boolean).map((one) => value(12, one)),
  );
  return Uint8Array.from([
    ...number(1, IR_VERSION),
    ...graph,
    ...message(8, text(1, ''), number(2, opset)),
    ...(microsoft ? message(8, text(1, MICROSOFT.domain), number(2, MICROSOFT.version)) : []),
  ]);
}
