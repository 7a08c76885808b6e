// The whole model in TensorFlow.js: its layers from the rewritten config, then the weights by where they lie in the file.

import { faulty, quoted, readingFailed } from '../files/parts.js';
import { describe, LayerNormError } from '../runtime/errors.js';
import { install, type TensorFlow } from '../tfjs.js';
import { tensorFlowConfig } from './tensorflow_config.js';
import { groupOfVariables, type LayerNode, nodesOf } from './tree.js';
import type { KerasWeight, Variables } from './variables.js';

/** A model of TensorFlow.js. */
export type TensorFlowModel = InstanceType<TensorFlow['LayersModel']>;

type Layer = TensorFlowModel['layers'][number];
type Variable = Layer['weights'][number];
/** A variable of the model, and where its value is. */
type Assignment = readonly [Variable, () => KerasWeight, string];

/** Layers with layers of their own, as TensorFlow.js has them. */
interface Wrapper {
  readonly layers?: Layer[];
  readonly layer?: Layer;
  readonly forwardLayer?: Layer;
  readonly backwardLayer?: Layer;
  readonly vectorU?: Variable;
}

/**
 * Makes the model.
 * @param configPart - what the config is called in messages
 * @param part - what the weights are called
 * @throws {@link LayerNormError} `ERR_FILE`, which names the layer; `ERR_ARGUMENT` for a `tf` that is none
 */
export async function makeModel(
  configPart: string,
  part: string,
  tf: TensorFlow,
  tree: LayerNode,
  variables: Variables,
): Promise<TensorFlowModel> {
  install(tf);
  if (typeof tf.models?.modelFromJSON !== 'function') {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `loadKeras: tf is ${describe(tf)} without models.modelFromJSON, expected TensorFlow.js with its layers`,
    );
  }
  checkRenorm(configPart, tree);
  const config = tensorFlowConfig(configPart, tree);
  let model: TensorFlowModel;
  try {
    model = await tf.models.modelFromJSON({ modelTopology: config } as never);
  } catch (error) {
    throw readingFailed(configPart, 'TensorFlow.js', error);
  }
  try {
    // All values are read and checked before the first is set.
    const values = [...assignments(part, model as unknown as Layer, tree, variables)].map(
      ([variable, read, where]) => [variable, checkedValue(variable, read(), where)] as const,
    );
    for (const [variable, value] of values) assign(tf, variable, value);
    return model;
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/** Its statistics would be lost: TensorFlow.js' models train without them. */
function checkRenorm(part: string, tree: LayerNode): void {
  for (const { className, config, path } of nodesOf(tree)) {
    if (className !== 'BatchNormalization' || config.renorm !== true) continue;
    throw faulty(
      part,
      `layer ${quoted(path)} (BatchNormalization): 'renorm' is true, which TensorFlow.js does not have`,
    );
  }
}

function* assignments(
  part: string,
  layer: Layer,
  node: LayerNode,
  variables: Variables,
): Generator<Assignment> {
  const { layers, layer: wrapped, forwardLayer, backwardLayer, vectorU } = layer as Wrapper;
  const [first, second] = node.children;
  if (node.kind === 'model') {
    for (const child of node.children) {
      const found = layers?.find(({ name }) => name === child.name);
      if (found) yield* assignments(part, found, child, variables);
      else if (child.className !== 'InputLayer')
        throw faulty(part, `the model lacks layer ${quoted(child.path)}`);
    }
  } else if (node.className === 'Bidirectional' && forwardLayer && backwardLayer && first && second) {
    yield* assignments(part, forwardLayer, first, variables);
    yield* assignments(part, backwardLayer, second, variables);
  } else if (first && wrapped) {
    yield* assignments(part, wrapped, first, variables);
    if (vectorU) yield vectorOf(part, node, vectorU, variables);
  } else {
    yield* variablesOf(part, layer, node, variables);
  }
}

/** It is the last variable of the wrapper; versions of Keras have the kernel before it. */
function vectorOf(part: string, node: LayerNode, vectorU: Variable, variables: Variables): Assignment {
  const own = variables.get(node.group);
  const where = `${part}: ${node.group}/vars`;
  if (!own || own.count === 0) throw faulty(where, `the vector of layer ${quoted(node.path)} is missing`);
  return [vectorU, () => own.read(own.count - 1), `${where}/${own.count - 1}: layer ${quoted(node.path)}`];
}

function* variablesOf(
  part: string,
  layer: Layer,
  node: LayerNode,
  variables: Variables,
): Generator<Assignment> {
  const { weights } = layer;
  // Others have the state of their random numbers in the file.
  if (weights.length === 0) return;
  const group = groupOfVariables(node);
  const found = variables.get(group);
  const where = `${part}: ${group}/vars`;
  if (!found) throw faulty(where, `it is missing, which layer ${quoted(node.path)} has its weights in`);
  if (found.count !== weights.length) {
    throw faulty(
      where,
      `it holds ${found.count} variables, layer ${quoted(node.path)} (${node.className}) has ${weights.length}`,
    );
  }
  for (const [i, variable] of weights.entries()) {
    yield [variable, () => found.read(i), `${where}/${i}: layer ${quoted(node.path)}`];
  }
}

function checkedValue(
  { shape, originalName: name }: Variable,
  value: KerasWeight,
  where: string,
): KerasWeight {
  const same = shape.length === value.shape.length && shape.every((size, i) => size === value.shape[i]);
  // Unsorted axes made gammas of another shape, with their elements in the same order.
  const isReordered =
    /\/(gamma|beta|scale)$/.test(name) &&
    [...shape].map(Number).sort().join() === [...value.shape].sort().join();
  if (same || isReordered) return value;
  throw faulty(
    where,
    `${name} has the shape [${value.shape.join(', ')}] in the file, the model needs [${shape.join(', ')}]`,
  );
}

function assign(tf: TensorFlow, variable: Variable, { data }: KerasWeight): void {
  tf.tidy(() => {
    const values = data instanceof Float64Array ? Float32Array.from(data) : data;
    const value = tf.tensor(values as Float32Array, variable.shape as number[], 'float32');
    // `write` applies the constraint, and so may the variable: that would change what was saved.
    const { val } = variable as unknown as { val?: unknown };
    if (val instanceof tf.Variable) tf.Variable.prototype.assign.call(val, value);
    else variable.write(value);
  });
}
