// Small ONNX models, in the format of protocol buffers: a field is its number and kind, then the value, whose length stands first
// unless it is a number (onnx.proto3 has the numbers). Tests run them as well, and write fields of their own.

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

const ELEMENT_TYPES = { float32: 1, int32: 6, int64: 7, float16: 10, float64: 11, bfloat16: 16 };
const ATTRIBUTE_FLOAT = 1;
const ATTRIBUTE_INT = 2;

/** The version of onnx.proto3, and of the operators of Microsoft's domain. */
const IR_VERSION = 8;
const MICROSOFT = { domain: 'com.microsoft', version: 1 };

/** @typedef {keyof typeof ELEMENT_TYPES} DType */
/** @typedef {{ name: string, dtype: DType, shape: (number | string)[] }} Value sizes that are not fixed have names */
/** @typedef {Value & { shape: number[], data: ArrayBufferView }} Constant */
/** @typedef {Value & { bytes?: Uint8Array, external?: Record<string, string> }} Initializer with its elements, or where they are */

/**
 * @typedef {object} Node
 * @property {string} operator
 * @property {boolean} [microsoft] whether it is one of Microsoft's
 * @property {Record<string, number>} [ints] attributes
 * @property {Record<string, number>} [floats] attributes
 * @property {string[]} inputs in the operator's order
 * @property {string[]} outputs in the operator's order; '' for those that are not wanted
 */

const valueField = (field, { name, dtype, shape }) => {
  const dimensions = shape.map((size) =>
    message(1, typeof size === 'string' ? text(2, size) : number(1, size)),
  );
  const tensorType = message(1, number(1, ELEMENT_TYPES[dtype]), message(2, ...dimensions));
  return message(field, text(1, name), message(2, tensorType));
};

/** A TensorProto as a field, with its elements or with where they are. */
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

const constantField = ({ data, ...constant }) =>
  tensor(5, { ...constant, bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) });

const nodeField = ({ operator, microsoft, ints = {}, floats = {}, inputs, outputs }) =>
  message(
    1,
    ...inputs.map((name) => text(1, name)),
    ...outputs.map((name) => text(2, name)),
    text(4, operator),
    ...Object.entries(ints).map(([name, of]) =>
      message(5, text(1, name), number(3, of), number(20, ATTRIBUTE_INT)),
    ),
    ...Object.entries(floats).map(([name, of]) =>
      message(5, text(1, name), float(2, of), number(20, ATTRIBUTE_FLOAT)),
    ),
    microsoft ? text(7, MICROSOFT.domain) : [],
  );

/**
 * @param {object} options
 * @param {number} options.opset of the standard operators
 * @param {Node[]} options.nodes each after those whose outputs it takes
 * @param {Value[]} options.inputs
 * @param {Value[]} options.outputs
 * @param {Constant[]} [options.constants]
 * @param {Initializer[]} [options.initializers] inputs that the model brings itself
 * @returns {Uint8Array}
 */
export function graphModel({ opset, nodes, inputs, outputs, constants = [], initializers = [] }) {
  const isGiven = ({ name }) => !initializers.some((one) => one.name === name);
  const graph = message(
    7,
    ...nodes.map(nodeField),
    text(2, 'graph'),
    ...constants.map(constantField),
    ...initializers.map((one) => tensor(5, one)),
    ...inputs.filter(isGiven).map((one) => valueField(11, one)),
    ...outputs.map((one) => valueField(12, one)),
  );
  return Uint8Array.from([
    ...number(1, IR_VERSION),
    ...graph,
    ...message(8, text(1, ''), number(2, opset)),
    ...(nodes.some(({ microsoft }) => microsoft)
      ? message(8, text(1, MICROSOFT.domain), number(2, MICROSOFT.version))
      : []),
  ]);
}

/**
 * A model of one node, which takes all inputs of the model.
 * @param {Omit<Node, 'inputs' | 'outputs'> & { opset: number, inputs: Value[], initializers?: Initializer[], outputs: (Value | undefined)[] }} options outputs in the
 *   operator's order; undefined for those that are not wanted
 * @returns {Uint8Array}
 */
export function modelOf({ opset, inputs, outputs, initializers, ...node }) {
  const named = { inputs: inputs.map(({ name }) => name), outputs: outputs.map((one) => one?.name ?? '') };
  const nodes = [{ ...node, ...named }];
  return graphModel({ opset, nodes, inputs, outputs: outputs.filter(Boolean), initializers });
}
