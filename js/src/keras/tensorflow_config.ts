// A config of Keras 3 as TensorFlow.js reads it, which knows that of Keras 2. What TensorFlow.js lacks is refused: it would
// ignore an argument that it does not know, and compute something else.

import { faulty, quoted } from '../files/parts.js';
import { asList, isObject, type JsonObject, shown } from './json.js';
import type { LayerNode } from './tree.js';

/** Arguments that TensorFlow.js takes as they are. */
type Arguments = readonly string[];

const PARAMETERS = (...names: string[]): Arguments =>
  names.flatMap((name) => [`${name}_initializer`, `${name}_regularizer`, `${name}_constraint`]);
const DENSE = ['units', 'activation', 'use_bias', ...PARAMETERS('kernel', 'bias')];
const WINDOW = [
  'kernel_size',
  'strides',
  'padding',
  'data_format',
  'dilation_rate',
  'activation',
  'use_bias',
];
const CONVOLUTION = ['filters', ...WINDOW, ...PARAMETERS('kernel', 'bias')];
const POOLING = ['pool_size', 'strides', 'padding', 'data_format'];
const RECURRENT = [
  ...[...DENSE, ...PARAMETERS('recurrent'), 'dropout', 'recurrent_dropout', 'return_sequences'],
  ...['return_state', 'go_backwards', 'stateful', 'unroll'],
];
const AFFINE = ['epsilon', 'axis', 'center', 'scale', ...PARAMETERS('gamma', 'beta')];

/** The layers that TensorFlow.js and this package have, with the arguments that mean the same there as in Keras 3. */
const CLASSES: Readonly<Record<string, Arguments>> = {
  InputLayer: [],
  Dense: DENSE,
  Activation: ['activation'],
  Dropout: ['rate', 'noise_shape', 'seed'],
  SpatialDropout1D: ['rate', 'seed'],
  GaussianNoise: ['stddev'],
  GaussianDropout: ['rate'],
  AlphaDropout: ['rate', 'noise_shape'],
  Flatten: ['data_format'],
  Reshape: ['target_shape'],
  Permute: ['dims'],
  RepeatVector: ['n'],
  Masking: ['mask_value'],
  Rescaling: ['scale', 'offset'],
  Conv1D: CONVOLUTION,
  Conv2D: CONVOLUTION,
  Conv3D: CONVOLUTION,
  Conv2DTranspose: CONVOLUTION,
  Conv3DTranspose: CONVOLUTION,
  DepthwiseConv2D: [...WINDOW, 'depth_multiplier', ...PARAMETERS('depthwise', 'bias')],
  SeparableConv2D: [
    'filters',
    ...WINDOW,
    'depth_multiplier',
    ...PARAMETERS('depthwise', 'pointwise', 'bias'),
  ],
  MaxPooling1D: POOLING,
  MaxPooling2D: POOLING,
  MaxPooling3D: POOLING,
  AveragePooling1D: POOLING,
  AveragePooling2D: POOLING,
  AveragePooling3D: POOLING,
  GlobalMaxPooling1D: ['data_format'],
  GlobalMaxPooling2D: ['data_format'],
  GlobalAveragePooling1D: ['data_format'],
  GlobalAveragePooling2D: ['data_format'],
  UpSampling2D: ['size', 'data_format', 'interpolation'],
  ZeroPadding2D: ['padding', 'data_format'],
  Cropping2D: ['cropping', 'data_format'],
  Embedding: ['input_dim', 'output_dim', 'mask_zero', ...PARAMETERS('embeddings')],
  Add: [],
  Multiply: [],
  Average: [],
  Maximum: [],
  Minimum: [],
  Concatenate: ['axis'],
  Dot: ['axes', 'normalize'],
  ReLU: ['max_value'],
  LeakyReLU: [],
  ELU: ['alpha'],
  PReLU: ['shared_axes', ...PARAMETERS('alpha')],
  Softmax: ['axis'],
  LSTM: [...RECURRENT, 'recurrent_activation', 'unit_forget_bias'],
  GRU: [...RECURRENT, 'recurrent_activation', 'reset_after'],
  SimpleRNN: RECURRENT,
  TimeDistributed: ['layer'],
  Bidirectional: ['layer', 'merge_mode'],
  LayerNormalization: [...AFFINE, 'rms_scaling'],
  RMSNormalization: ['axis', 'epsilon'],
  GroupNormalization: [...AFFINE, 'groups'],
  BatchNormalization: [...[...AFFINE, 'momentum', 'moving_mean_initializer', 'moving_variance_initializer']],
  UnitNormalization: ['axis'],
  SpectralNormalization: ['layer', 'power_iterations'],
};

/** Of every layer. */
const COMMON = new Set([
  'name',
  'trainable',
  'dtype',
  'activity_regularizer',
  'batch_shape',
  'batch_input_shape',
]);

/** Arguments of Keras 3 that TensorFlow.js has not, with the values at which both do the same. */
const NEUTRAL: Readonly<Record<string, readonly unknown[]>> = {
  groups: [1],
  reset_after: [false],
  implementation: [0, 1, 2],
  renorm_momentum: [0.99],
  threshold: [0],
  negative_slope: [0],
  // These say nothing about what is computed in inference.
  seed: [],
};
/** Of these any value will do. */
const IRRELEVANT = new Set([
  'seed',
  'synchronized',
  'renorm_momentum',
  'autocast',
  'build_config',
  'optional',
]);

/** Activations that have another name in TensorFlow.js. */
const ACTIVATIONS: Readonly<Record<string, string>> = {
  ...{
    linear: 'linear',
    relu: 'relu',
    relu6: 'relu6',
    elu: 'elu',
    selu: 'selu',
    sigmoid: 'sigmoid',
    tanh: 'tanh',
  },
  ...{ softmax: 'softmax', softplus: 'softplus', softsign: 'softsign', log_softmax: 'logSoftmax' },
  ...{ silu: 'swish', swish: 'swish', gelu: 'gelu', mish: 'mish' },
};
/**
 * The initializers of Keras, with their names in TensorFlow.js. It makes orthogonal matrices slowly, and does not have all others; but
 * the values of the file take their place at once.
 */
const INITIALIZERS: Readonly<Record<string, string>> = {
  ...{ Zeros: 'Zeros', Ones: 'Ones', Constant: 'Constant', Identity: 'Identity' },
  ...{ RandomNormal: 'RandomNormal', RandomUniform: 'RandomUniform', TruncatedNormal: 'TruncatedNormal' },
  ...{ GlorotNormal: 'GlorotNormal', GlorotUniform: 'GlorotUniform', VarianceScaling: 'VarianceScaling' },
  ...{
    HeNormal: 'HeNormal',
    HeUniform: 'HeUniform',
    LecunNormal: 'LeCunNormal',
    LecunUniform: 'LeCunUniform',
  },
};
const CONSTRAINTS = new Set(['MaxNorm', 'MinMaxNorm', 'NonNeg', 'UnitNorm']);
/** Keys of initializers that TensorFlow.js does not have. */
const FAN_AXES = new Set(['input_axes', 'output_axes']);

/** A node of a functional model: what a layer is called with, as [layer, call, output, arguments]. */
export type Call = [string, number, number, JsonObject];

/**
 * Rewrites the config of a model.
 * @throws {@link LayerNormError} `ERR_FILE`, which names the layer, for what TensorFlow.js cannot do
 */
export function tensorFlowConfig(part: string, model: LayerNode): JsonObject {
  return model.className === 'Sequential' ? sequential(part, model) : functional(part, model);
}

function named(node: LayerNode): string {
  return node.path === '' ? `the model ${quoted(node.name)}` : `layer ${quoted(node.path)}`;
}

function sequential(part: string, model: LayerNode): JsonObject {
  const layers = model.children.map((layer) => layerConfig(part, layer));
  const first = model.children[0];
  const { build_input_shape: shape } = model.config;
  if (first && first.className !== 'InputLayer' && Array.isArray(shape)) {
    const config = { name: `${model.name}_input`, batch_input_shape: shape, dtype: 'float32', sparse: false };
    layers.unshift({ class_name: 'InputLayer', config });
  }
  return { class_name: 'Sequential', config: { name: model.name, layers } };
}

function layerConfig(part: string, layer: LayerNode): JsonObject {
  const { className } = layer;
  if (layer.kind === 'model') return { ...tensorFlowConfig(part, layer), name: layer.name };
  if (!layer.isKeras || !Object.hasOwn(CLASSES, className)) {
    throw faulty(
      part,
      `${named(layer)} is a ${quoted(className)}, a class that neither TensorFlow.js nor this package has`,
    );
  }
  return { class_name: className, config: argumentsOf(part, layer), name: layer.name };
}

function argumentsOf(part: string, layer: LayerNode): JsonObject {
  const { className, config } = layer;
  const known = new Set(CLASSES[className]);
  const result: JsonObject = {};
  for (const [key, value] of Object.entries(config)) {
    if (key === 'layer' && known.has(key)) continue;
    if (key === 'backward_layer' && isMirrored(part, layer)) continue;
    if (className === 'LeakyReLU' && key === 'negative_slope') result.alpha = value;
    else if (key === 'dtype') result.dtype = dtypeOf(layer, value);
    else if (key === 'batch_shape') result.batch_input_shape = plainShape(value);
    else if (known.has(key) && !isLimited(className, key)) result[key] = argument(part, layer, key, value);
    else if (COMMON.has(key)) result[key] = argument(part, layer, key, value);
    else if (!isNeutral(key, value)) {
      throw faulty(
        part,
        `${named(layer)} (${className}): ${quoted(key)} is ${shown(value)}, which TensorFlow.js does not have`,
      );
    }
  }
  result.name = layer.name;
  if (known.has('layer')) {
    const [wrapped] = layer.children;
    if (!wrapped) throw faulty(part, `${named(layer)} (${className}) wraps no layer`);
    const inner = layerConfig(part, wrapped);
    // One config for both directions, of which TensorFlow.js makes the names as Keras does.
    const name = className === 'Bidirectional' ? wrapped.name.replace(/^forward_/, '') : wrapped.name;
    result.layer = { ...inner, config: { ...(inner.config as JsonObject), name } };
  }
  return result;
}

/** Whether both directions are of one config, as where Keras has made the second: TensorFlow.js knows no others. */
function isMirrored(part: string, { className, children }: LayerNode): boolean {
  if (className !== 'Bidirectional') return false;
  const [forward, backward] = children.map((child) => {
    const { name: _, go_backwards: __, seed: ___, ...config } = argumentsOf(part, child);
    return JSON.stringify([child.className, config]);
  });
  const [there, back] = children.map(({ config }) => config.go_backwards === true);
  return forward === backward && there !== back;
}

/** Arguments that TensorFlow.js takes, but not with every value. */
function isLimited(className: string, key: string): boolean {
  return className === 'GRU' && key === 'reset_after';
}

/** Whether an argument that TensorFlow.js does not have says nothing. */
function isNeutral(key: string, value: unknown): boolean {
  if (value === null || value === false || IRRELEVANT.has(key)) return true;
  return Object.hasOwn(NEUTRAL, key) && (NEUTRAL[key] as readonly unknown[]).includes(value);
}

/** TensorFlow.js computes in float32; integers are the inputs of embeddings. */
function dtypeOf({ className }: LayerNode, value: unknown): string {
  const name = isObject(value) && isObject(value.config) ? value.config.name : value;
  if (className !== 'InputLayer' || typeof name !== 'string') return 'float32';
  if (name === 'bool' || name === 'string') return name;
  return /^u?int/.test(name) ? 'int32' : 'float32';
}

function argument(part: string, layer: LayerNode, key: string, value: unknown): unknown {
  if (/(^|_)activation$/.test(key)) return activation(part, layer, key, value);
  if (/_(initializer|regularizer|constraint)$/.test(key)) return identifier(part, layer, key, value);
  return plainShape(value);
}

/** What Keras has a short name or an object for, such as the regularizer of a weight. */
function identifier(part: string, layer: LayerNode, key: string, value: unknown): JsonObject | null {
  if (value === null) return null;
  const { class_name: name, config } = isObject(value) ? value : { class_name: value, config: {} };
  const given = isObject(config) ? config : {};
  if (key.endsWith('_initializer')) {
    const known = typeof name === 'string' && Object.hasOwn(INITIALIZERS, name);
    if (!known) return { class_name: 'Zeros', config: {} };
    const kept = Object.entries(given).filter(([inner]) => !FAN_AXES.has(inner));
    return { class_name: INITIALIZERS[name], config: Object.fromEntries(kept) };
  }
  if (key.endsWith('_regularizer') && (name === 'L1' || name === 'L2' || name === 'L1L2')) {
    return { class_name: 'L1L2', config: { l1: given.l1 ?? 0, l2: given.l2 ?? 0 } };
  }
  if (key.endsWith('_constraint') && CONSTRAINTS.has(name as string)) {
    return { class_name: name, config: given };
  }
  throw faulty(
    part,
    `${named(layer)} (${layer.className}): ${quoted(key)} is ${shown(name)}, which TensorFlow.js does not have`,
  );
}

function activation(part: string, layer: LayerNode, key: string, value: unknown): string {
  // A function is written by its name; in Keras 3 perhaps with a module around it.
  const name = isObject(value) ? (value.config ?? value.class_name) : (value ?? 'linear');
  if (typeof name === 'string' && Object.hasOwn(ACTIVATIONS, name)) return ACTIVATIONS[name] as string;
  throw faulty(
    part,
    `${named(layer)} (${layer.className}): ${quoted(key)} is ${shown(name)}, which TensorFlow.js does not have or computes in ` +
      'another way',
  );
}

/** Python's tuples are objects in some configs. */
function plainShape(value: unknown): unknown {
  return isObject(value) && Array.isArray(value.items) ? value.items : value;
}

// --- functional models ----------------------------------------------------------------------------------------------

/** The calls of a layer, in order. */
interface Calls {
  readonly node: LayerNode;
  readonly calls: Call[][];
}

function functional(part: string, model: LayerNode): JsonObject {
  const graph = new Map<string, Calls>();
  for (const node of model.children) graph.set(node.name, { node, calls: callsOf(part, node) });
  const ends = ['input_layers', 'output_layers'].map((key) => endsOf(part, model, key)) as [Call[], Call[]];
  countFromOne(graph, ends);
  const order = orderOf(part, model, graph);
  for (const [name, index, output] of ends.flat()) {
    const made = graph.get(name);
    const count = made && firstCall(made.node) + made.calls.length;
    if (count !== undefined && index < count && output < 64) continue;
    throw faulty(
      part,
      `${named(model)} begins or ends with call ${index} of ${quoted(name)}, which there is not`,
    );
  }
  const layers = order.map(({ node, calls }) => ({
    ...layerConfig(part, node),
    inbound_nodes: calls,
  }));
  const [inputs, outputs] = ends.map((calls) => calls.map((call) => call.slice(0, 3)));
  return {
    class_name: 'Model',
    config: { name: model.name, layers, input_layers: inputs, output_layers: outputs },
  };
}

/** Where a layer is called in TensorFlow.js before any call of the config: inputs are made, and models are made of a first call. */
function firstCall(node: LayerNode): number {
  return node.kind === 'model' || node.className === 'InputLayer' ? 1 : 0;
}

function callsOf(part: string, node: LayerNode): Call[][] {
  const nodes = asList(part, `inbound_nodes of ${named(node)}`, node.envelope.inbound_nodes ?? []);
  return nodes.map((value) => {
    // Keras 2: [[layer, call, output, arguments], ...].
    if (Array.isArray(value)) return value.map((call) => callOf(part, node, call));
    if (!isObject(value))
      throw faulty(part, `a call of ${named(node)} is ${shown(value)}, expected an object`);
    const { args, kwargs } = value;
    const given = Object.entries(isObject(kwargs) ? kwargs : {}).find(
      ([, one]) => one !== null && one !== false,
    );
    if (given) {
      throw faulty(
        part,
        `${named(node)} is called with ${quoted(given[0])}, which TensorFlow.js does not have`,
      );
    }
    const list = asList(part, `args of ${named(node)}`, args);
    const tensors = list.length === 1 && Array.isArray(list[0]) ? list[0] : list;
    if (tensors.length === 0) throw faulty(part, `${named(node)} is called without arguments`);
    return tensors.map((tensor) => {
      const config = isObject(tensor) && tensor.class_name === '__keras_tensor__' ? tensor.config : undefined;
      if (!isObject(config)) {
        throw faulty(part, `${named(node)} is called with ${shown(tensor)}, expected the output of a layer`);
      }
      return callOf(part, node, config.keras_history);
    });
  });
}

function callOf(part: string, node: LayerNode, value: unknown): Call {
  const [name, call, output] = Array.isArray(value) ? value : [];
  const isIndex = (index: unknown): boolean => Number.isSafeInteger(index) && (index as number) >= 0;
  if (typeof name === 'string' && isIndex(call) && isIndex(output)) return [name, call, output, {}];
  throw faulty(part, `${named(node)} refers to ${shown(value)}, expected [layer, call, output]`);
}

/** One tensor is [layer, call, output]; several are a list of those, or an object. */
function endsOf(part: string, model: LayerNode, key: string): Call[] {
  const value = model.config[key];
  const list = isObject(value) ? Object.values(value) : asList(part, `${key} of ${named(model)}`, value);
  const calls = typeof list[0] === 'string' ? [list] : list;
  if (calls.length === 0) throw faulty(part, `${key} of ${named(model)} is empty`);
  return calls.map((call) => callOf(part, model, call));
}

/** Models in the model: TensorFlow.js counts their making as the first call. Keras does so for functional ones, not for a Sequential. */
function countFromOne(graph: ReadonlyMap<string, Calls>, ends: readonly Call[][]): void {
  const all = [...ends.flat(), ...[...graph.values()].flatMap(({ calls }) => calls.flat())];
  for (const [name, { node }] of graph) {
    if (node.kind !== 'model') continue;
    const references = all.filter(([layer]) => layer === name);
    if (!references.some(([, call]) => call === 0)) continue;
    for (const reference of references) ++reference[1];
  }
}

/** The layers in the order of their first calls. TensorFlow.js goes round for ever where a call waits for one that never comes. */
function orderOf(part: string, model: LayerNode, graph: ReadonlyMap<string, Calls>): Calls[] {
  const made = new Map<string, number>();
  const order: Calls[] = [];
  for (const layer of graph.values()) {
    if (firstCall(layer.node) === 1) made.set(layer.node.name, 1);
    if (layer.calls.length === 0) order.push(layer);
  }
  const next = new Map<Calls, number>([...graph.values()].map((layer) => [layer, 0]));
  const isThere = ([name, call]: Call): boolean => call < (made.get(name) ?? 0);
  for (let moved = true; moved; ) {
    moved = false;
    for (const [layer, index] of next) {
      const call = layer.calls[index];
      if (!call?.every(isThere)) continue;
      if (index === 0) order.push(layer);
      made.set(layer.node.name, (made.get(layer.node.name) ?? 0) + 1);
      next.set(layer, index + 1);
      moved = true;
    }
  }
  for (const [layer, index] of next) {
    const missing = layer.calls[index]?.find((call) => !isThere(call));
    if (!missing) continue;
    throw faulty(
      part,
      `${named(layer.node)} is called with ${graph.has(missing[0]) ? `call ${missing[1]} of` : 'the output of'} ` +
        `${quoted(missing[0])}, which ${named(model)} does not have before`,
    );
  }
  checkOrder(part, order);
  return order;
}

/**
 * TensorFlow.js goes through the layers again and again, and makes of each the calls whose inputs are there: so it could number those of
 * a shared layer in another way, and connect others to the wrong one.
 */
function checkOrder(part: string, order: readonly Calls[]): void {
  const made = new Map<string, number>(order.map(({ node }) => [node.name, firstCall(node)]));
  let waiting = order.map(({ node, calls }) => ({ node, calls: calls.map((call, i) => ({ call, i })) }));
  while (waiting.length > 0) {
    for (const layer of waiting) {
      const { node } = layer;
      layer.calls = layer.calls.filter(({ call, i }) => {
        if (!call.every(([name, index]) => index < (made.get(name) ?? 0))) return true;
        const count = made.get(node.name) ?? 0;
        if (count !== i + firstCall(node)) {
          throw faulty(part, `${named(node)} is shared in an order that TensorFlow.js does not keep`);
        }
        made.set(node.name, count + 1);
        return false;
      });
    }
    waiting = waiting.filter(({ calls }) => calls.length > 0);
  }
}
