// A graph model for `tf.loadGraphModel(tf.io.fromMemory(...))`, as TensorFlow's converter writes them: of images [batch, rows, cols,
// channels] a layer normalization whose statistics are repeated by Tile, FusedBatchNormV3, and means over the last and over the first
// dimensions.

const FLOAT = { type: 'DT_FLOAT' };
const INTEGER = { type: 'DT_INT32' };
const shapeOf = (sizes) => ({ dim: sizes.map((size) => ({ size: `${size}` })) });
const text = (value) => ({ s: btoa(value) });

export function makeGraphModel({ rows, cols, channels }) {
  const constants = {
    last: Int32Array.of(3),
    first: Int32Array.of(0, 1, 2),
    repeats: Int32Array.of(1, 1, 1, channels),
    epsilon: Float32Array.of(1e-3),
  };
  for (const [k, name] of ['gamma', 'beta', 'scale', 'offset', 'mean', 'variance'].entries()) {
    constants[name] = Float32Array.from({ length: channels }, (_, i) => 1.5 + Math.sin(7 * i + k));
  }
  const weightSpecs = Object.entries(constants).map(([name, values]) => ({
    name,
    dtype: values instanceof Int32Array ? 'int32' : 'float32',
    shape: [values.length],
  }));
  const node = (name, op, input = [], attr = {}) => ({ name, op, input, attr: { T: FLOAT, ...attr } });
  const KEEP = { keep_dims: { b: true }, Tidx: INTEGER };
  const nodes = [
    node('x', 'Placeholder', [], {
      dtype: FLOAT,
      shape: { shape: shapeOf([-1, rows, cols, channels]) },
    }),
    ...weightSpecs.map(({ name, dtype, shape }) =>
      node(name, 'Const', [], {
        dtype: dtype === 'int32' ? INTEGER : FLOAT,
        value: { tensor: { tensorShape: shapeOf(shape) } },
      }),
    ),
    // Layer normalization.
    node('row_mean', 'Mean', ['x', 'last'], KEEP),
    node('row_means', 'Tile', ['row_mean', 'repeats'], { Tmultiples: INTEGER }),
    node('centred', 'Sub', ['x', 'row_means']),
    node('squares', 'Mul', ['centred', 'centred']),
    node('row_variance', 'Mean', ['squares', 'last'], KEEP),
    node('shifted', 'AddV2', ['row_variance', 'epsilon']),
    node('rstd', 'Rsqrt', ['shifted']),
    node('rstds', 'Tile', ['rstd', 'repeats'], { Tmultiples: INTEGER }),
    node('normalized', 'Mul', ['centred', 'rstds']),
    node('scaled', 'Mul', ['normalized', 'gamma']),
    node('layer_norm', 'AddV2', ['scaled', 'beta']),
    // Batch normalization with moving averages.
    node('batch_norm', 'FusedBatchNormV3', ['layer_norm', 'scale', 'offset', 'mean', 'variance'], {
      U: FLOAT,
      data_format: text('NHWC'),
      epsilon: { f: 1e-3 },
      is_training: { b: false },
    }),
    node('pooled', 'Mean', ['batch_norm', 'first'], { ...KEEP, keep_dims: { b: false } }),
    node('y', 'Identity', ['batch_norm']),
    node('channel_means', 'Identity', ['pooled']),
  ];
  const arrays = Object.values(constants);
  const weightData = new Uint8Array(arrays.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const { buffer, byteLength } of arrays) {
    weightData.set(new Uint8Array(buffer), at);
    at += byteLength;
  }
  return {
    format: 'graph-model',
    modelTopology: { node: nodes, versions: { producer: 1000 } },
    weightSpecs,
    weightData: weightData.buffer,
  };
}
