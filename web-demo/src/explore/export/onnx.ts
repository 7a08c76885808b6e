// ONNX: the nodes with their attributes, in a model that can be run.

import { dataOf, float, weightsOf } from './python.js';
import { isTrailing, type Plan, sameNumbers, withoutNeutral } from './subject.js';
import { comment, list, pythonTuple, wrapped } from './text.js';

interface Node {
  readonly type: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, string>>;
}

interface Model {
  readonly nodes: readonly Node[];
  /** What else the nodes take: the code that makes it, by name. */
  readonly constants: Readonly<Record<string, string>>;
  readonly opset: number;
  readonly comments: readonly string[];
}

export function onnxOf(given: Plan): string {
  const plan = withoutNeutral(given);
  const { subject, gamma, beta } = plan;
  const { nodes, constants, opset, comments } = modelOf(plan);
  const names = [...(gamma ? ['gamma'] : []), ...(beta ? ['beta'] : []), ...Object.keys(constants)];
  const type = `onnx.TensorProto.${subject.computed === 'float32' ? 'FLOAT' : 'DOUBLE'}`;
  const value = (name: string): string =>
    `    [helper.make_tensor_value_info("${name}", ${type}, ${list(subject.shape)})],`;
  return [
    'import numpy as np',
    'import onnx',
    'from onnx import helper, numpy_helper',
    'from onnx.reference import ReferenceEvaluator',
    '',
    ...dataOf(plan, 'np'),
    ...weightsOf(plan, 'np'),
    ...Object.entries(constants).map(([name, text]) => `${name} = ${text}`),
    '',
    ...comments.flatMap(comment),
    'nodes = [',
    ...nodes.map((node) => `    ${nodeText(node)},`),
    ']',
    'graph = helper.make_graph(',
    '    nodes,',
    '    "normalization",',
    value('x'),
    value('y'),
    ...(names.length > 0
      ? [
          '    initializer=[',
          ...names.map((name) => `        numpy_helper.from_array(${name}, "${name}"),`),
          '    ],',
        ]
      : []),
    ')',
    `model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", ${opset})])`,
    'y = ReferenceEvaluator(model).run(None, {"x": x})[0]',
    'print(y)',
    '',
  ].join('\n');
}

function nodeText({ type, inputs, outputs, attributes = {} }: Node): string {
  const quoted = (names: readonly string[]): string => `[${names.map((name) => `"${name}"`).join(', ')}]`;
  const named = Object.entries(attributes).map(([name, value]) => `${name}=${value}`);
  const parts = [`"${type}"`, quoted(inputs), quoted(outputs), ...named];
  return wrapped('helper.make_node(', parts, ')', { indent: '    ', step: '    ' });
}

function modelOf(plan: Plan): Model {
  switch (plan.method) {
    case 'layer':
    case 'rms':
      return overLastDimensions(plan);
    case 'unit':
      return unit(plan);
    case 'batch':
    case 'group':
    case 'instance':
      return perChannel(plan);
  }
}

/** One step of a chain: its first input is what the step before gives, the last one gives y. */
type Step = Omit<Node, 'outputs'> & { readonly gives: string; readonly alsoGives?: readonly string[] };

function chain(steps: readonly Step[]): Node[] {
  return steps.map(({ type, inputs, attributes, gives, alsoGives = [] }, i) => ({
    type,
    inputs: [steps[i - 1]?.gives ?? 'x', ...inputs],
    outputs: [i === steps.length - 1 ? 'y' : gives, ...alsoGives],
    ...(attributes ? { attributes } : {}),
  }));
}

function transpose(order: readonly number[], gives: string): Step {
  return { type: 'Transpose', inputs: [], attributes: { perm: list(order) }, gives };
}

function overLastDimensions(plan: Plan): Model {
  const { method, axes, shape, epsilon, gamma, beta } = plan;
  const order = [...shape.map((_, d) => d).filter((d) => !axes.includes(d)), ...axes];
  const back = shape.map((_, d) => order.indexOf(d));
  const isMoved = !isTrailing(plan);
  const type = method === 'layer' ? 'LayerNormalization' : 'RMSNormalization';
  const node: Step = {
    type,
    inputs: ['gamma', ...(beta ? ['beta'] : [])],
    attributes: { axis: String(-axes.length), epsilon: float(epsilon), stash_type: '1' },
    gives: 'normalized',
  };
  return {
    nodes: chain(isMoved ? [transpose(order, 'moved'), node, transpose(back, 'y')] : [node]),
    constants: gamma
      ? {}
      : constant(
          'gamma',
          1,
          axes.map((d) => shape[d] as number),
          plan,
        ),
    opset: method === 'layer' ? 17 : 23,
    comments: [
      `${type} goes from its axis to the last dimension${isMoved ? ': the others are moved out of the way, and back again' : ''}.`,
      ...inFloat32(plan),
    ],
  };
}

/** What is not there is neutral: most nodes must have a scale, and many a bias. */
function constant(
  name: string,
  value: 0 | 1,
  shape: readonly number[],
  { subject }: Plan,
): Record<string, string> {
  return {
    [name]: `np.${value === 1 ? 'ones' : 'zeros'}(${pythonTuple(shape)}, dtype=np.${subject.computed})`,
  };
}

function inFloat32({ subject }: Plan): string[] {
  return subject.computed === 'float64'
    ? ['stash_type=1 is float32; the operator knows no float64 statistics.']
    : [];
}

function unit(plan: Plan): Model {
  const { axes, shape, epsilon, subject } = plan;
  const [axis] = axes;
  if (axis !== undefined && axes.length === 1 && epsilon > 0 && epsilon <= 1e-12) {
    return {
      nodes: chain([
        {
          type: 'LpNormalization',
          inputs: [],
          attributes: { axis: String(axis - shape.length), p: '2' },
          gives: 'y',
        },
      ]),
      constants: {},
      opset: 22,
      comments: [`LpNormalization has no epsilon, which matters only where a norm is below ${epsilon}.`],
    };
  }
  return {
    nodes: [
      { type: 'ReduceL2', inputs: ['x', 'axes'], outputs: ['norm'], attributes: { keepdims: '1' } },
      { type: 'Max', inputs: ['norm', 'epsilon'], outputs: ['divisor'] },
      { type: 'Div', inputs: ['x', 'divisor'], outputs: ['y'] },
    ],
    constants: {
      axes: `np.array(${list(axes)}, dtype=np.int64)`,
      epsilon: `np.array(${float(epsilon)}, dtype=np.${subject.computed})`,
    },
    opset: 18,
    comments: ['LpNormalization has one axis and no epsilon, so this is the formula.'],
  };
}

function perChannel(plan: Plan): Model {
  const { method, subject, shape, channel, channels, groups, epsilon, gamma, beta } = plan;
  const others = shape.map((_, d) => d).filter((d) => d !== channel);
  const [first, ...rest] = others;
  // Dimension 0 stays in front, the channels come next. A single dimension, of channels, gets others around it.
  const order = first === undefined ? [channel] : [first, channel, ...rest];
  const back = shape.map((_, d) => order.indexOf(d));
  const isMoved = order.length > 1 && channel !== 1;
  const moved = order.map((d) => shape[d] as number);
  // Some runtimes ask for a dimension beside batch and channels.
  const full = moved.length === 1 ? [1, ...moved, 1] : moved.length === 2 ? [...moved, 1] : moved;
  const isShaped = !sameNumbers(shape, subject.shape) && isMoved;
  const constants: Record<string, string> = {
    ...(gamma ? {} : constant('gamma', 1, [channels], plan)),
    ...(beta ? {} : constant('beta', 0, [channels], plan)),
  };
  const steps: Step[] = [];
  const reshape = (gives: string, name: string, to: readonly number[]): void => {
    constants[name] = `np.array(${list(to)}, dtype=np.int64)`;
    steps.push({ type: 'Reshape', inputs: [name], gives });
  };
  if (isShaped) reshape('batch', 'batch_shape', shape);
  if (isMoved) steps.push(transpose(order, 'moved'));
  const needsFull = !sameNumbers(full, isMoved ? moved : subject.shape);
  if (needsFull) reshape('full', 'full_shape', full);
  const attributes = { epsilon: float(epsilon) };
  switch (method) {
    case 'batch':
      Object.assign(
        constants,
        constant('input_mean', 0, [channels], plan),
        constant('input_var', 1, [channels], plan),
      );
      steps.push({
        type: 'BatchNormalization',
        inputs: ['gamma', 'beta', 'input_mean', 'input_var'],
        attributes: { ...attributes, training_mode: '1' },
        gives: 'normalized',
        alsoGives: ['running_mean', 'running_var'],
      });
      break;
    case 'group':
      steps.push({
        type: 'GroupNormalization',
        inputs: ['gamma', 'beta'],
        attributes: { ...attributes, num_groups: String(groups), stash_type: '1' },
        gives: 'normalized',
      });
      break;
    default:
      steps.push({
        type: 'InstanceNormalization',
        inputs: ['gamma', 'beta'],
        attributes,
        gives: 'normalized',
      });
  }
  if (isMoved) {
    if (needsFull) reshape('short', 'moved_shape', moved);
    steps.push(transpose(back, 'returned'));
  }
  if (isMoved ? isShaped : needsFull) reshape('y', 'x_shape', subject.shape);
  return {
    nodes: chain(steps),
    constants,
    opset: method === 'batch' ? 15 : method === 'group' ? 21 : 22,
    comments: [
      ...(method === 'batch'
        ? [
            'training_mode=1 takes the statistics of this batch; without it, input_mean and input_var are what counts.',
          ]
        : []),
      ...(isMoved
        ? ['The channels are dimension 1 in ONNX: they are moved there, and back again.']
        : needsFull
          ? ['ONNX has the batch in dimension 0, the channels in dimension 1, and others after them.']
          : []),
      ...(method === 'group' ? inFloat32(plan) : []),
    ],
  };
}
