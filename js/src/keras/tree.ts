// The layers of a model's config, nested as it has them, each with the place of its variables.

import { faulty, quoted } from '../files/parts.js';
import { snakeCase } from '../layers/serialization.js';
import { asList, asObject, asText, isObject, type JsonObject } from './json.js';

/** A layer in a config. */
export interface LayerNode {
  /** The name of the class, as Keras has it. */
  readonly className: string;
  /** Whether the class is one of Keras' own, and not one of the same name. */
  readonly isKeras: boolean;
  readonly name: string;
  /** The names from the outermost model down, that one's left out: `encoder/norm`. */
  readonly path: string;
  /** The group of its variables: `layers/layer_normalization_1`. */
  readonly group: string;
  /** The classes of the wrappers around it, the outermost first. */
  readonly wrappers: readonly string[];
  /** What the config has for it. */
  readonly envelope: JsonObject;
  readonly config: JsonObject;
  readonly kind: 'model' | 'layer';
  /** The layers of a model; what a wrapper wraps. */
  readonly children: readonly LayerNode[];
}

/** Models in each other. */
const MAX_DEPTH = 64;
/** Those that hold their variables in a cell, which their config does not mention. */
const RECURRENT = new Set(['LSTM', 'GRU', 'SimpleRNN']);

/**
 * Reads the config of a model: what `config.json` has in a `.keras` file, and `model.to_json()` gives.
 * @throws {@link LayerNormError} `ERR_FILE`
 */
export function treeOf(part: string, config: JsonObject): LayerNode {
  return nodeOf(part, 'the model', config, { parent: '', group: '', wrappers: [], depth: 0 });
}

/** A node and all below it. */
export function* nodesOf(node: LayerNode): Generator<LayerNode> {
  yield node;
  for (const child of node.children) yield* nodesOf(child);
}

/** Where a recurrent layer of Keras has its variables. */
export function groupOfVariables({ className, group }: LayerNode): string {
  return RECURRENT.has(className) ? joined(group, 'cell') : group;
}

interface Place {
  readonly parent: string;
  readonly group: string;
  readonly wrappers: readonly string[];
  readonly depth: number;
}

function nodeOf(part: string, what: string, value: unknown, place: Place): LayerNode {
  const { parent, group, wrappers, depth } = place;
  if (depth > MAX_DEPTH)
    throw faulty(part, `its models and wrappers lie more than ${MAX_DEPTH} deep in each other`);
  const envelope = asObject(part, what, value);
  const className = asText(part, `class_name of ${what}`, envelope.class_name);
  const config = isObject(envelope.config) ? envelope.config : {};
  const given = config.name ?? envelope.name ?? snakeCase(className);
  const name = checkedName(part, what, given);
  const path = depth === 0 ? '' : joined(parent, name);
  const { module, registered_name: registered } = envelope;
  const isKeras =
    (module === undefined || (typeof module === 'string' && /^(tf_)?keras(\.|$)/.test(module))) &&
    !isOperation(module) &&
    (registered === undefined || registered === null || registered === className);
  const isModel = Array.isArray(config.layers);
  const node = { className, isKeras, name, path, group, wrappers, envelope, config };
  return isModel
    ? { ...node, kind: 'model', children: layersOf(part, node, depth) }
    : { ...node, kind: 'layer', children: wrappedBy(part, node, depth) };
}

/** Names become keys of objects, in TensorFlow.js as well, and parts of paths. */
function checkedName(part: string, what: string, name: unknown): string {
  const text = asText(part, `the name of ${what}`, name);
  if (text === '' || text.includes('/') || text in Object.prototype) {
    throw faulty(part, `the name of ${what} is ${quoted(text)}, which no layer can have`);
  }
  return text;
}

type Parent = Pick<LayerNode, 'className' | 'path' | 'group' | 'config' | 'wrappers'>;

function layersOf(part: string, model: Parent, depth: number): LayerNode[] {
  const where = model.path === '' ? 'the model' : quoted(model.path);
  const used = new Map<string, number>();
  const names = new Set<string>();
  return asList(part, `layers of ${where}`, model.config.layers).map((value, i) => {
    const what = `layer ${i} of ${where}`;
    const envelope = asObject(part, what, value);
    const className = asText(part, `class_name of ${what}`, envelope.class_name);
    // Operations are in the graph, but not among the layers; a Sequential leaves out its input.
    const isCounted =
      !isOperation(envelope.module) && !(model.className === 'Sequential' && className === 'InputLayer');
    const segment = isCounted ? numbered(used, className) : snakeCase(className);
    const node = nodeOf(part, what, envelope, {
      parent: model.path,
      group: joined(model.group, `layers/${segment}`),
      wrappers: model.wrappers,
      depth: depth + 1,
    });
    if (names.has(node.name)) throw faulty(part, `two layers of ${where} have the name ${quoted(node.name)}`);
    names.add(node.name);
    return node;
  });
}

/** Keras counts the layers of a class in their order, whatever their names are. */
function numbered(used: Map<string, number>, className: string): string {
  const stem = snakeCase(className);
  const count = used.get(stem) ?? 0;
  used.set(stem, count + 1);
  return count === 0 ? stem : `${stem}_${count}`;
}

function wrappedBy(part: string, wrapper: Parent, depth: number): LayerNode[] {
  const { config, className, path, group } = wrapper;
  const child = (what: string, value: unknown, segment: string): LayerNode =>
    nodeOf(part, `${what} of ${quoted(path)}`, value, {
      parent: path,
      group: joined(group, segment),
      wrappers: [...wrapper.wrappers, className],
      depth: depth + 1,
    });
  if (className === 'Bidirectional' && isLayer(config.layer)) {
    const backward = isLayer(config.backward_layer) ? config.backward_layer : config.layer;
    return [
      child('the layer', renamed(config.layer, 'forward'), 'forward_layer'),
      child('the backward layer', renamed(backward, 'backward'), 'backward_layer'),
    ];
  }
  const children: LayerNode[] = [];
  if (isLayer(config.layer)) children.push(child('the layer', config.layer, 'layer'));
  if (isLayer(config.cell)) children.push(child('the cell', config.cell, 'cell'));
  if (Array.isArray(config.cells)) {
    const used = new Map<string, number>();
    for (const cell of config.cells.filter(isLayer)) {
      const segment = numbered(used, asText(part, 'class_name of a cell', cell.class_name));
      children.push(child('a cell', cell, `cells/${segment}`));
    }
  }
  return children;
}

/** Both directions are made of one config, and get their names from Keras. */
function renamed(layer: JsonObject, direction: string): JsonObject {
  const config = isObject(layer.config) ? layer.config : {};
  const { name } = config;
  if (typeof name !== 'string' || name.startsWith(`${direction}_`)) return layer;
  return { ...layer, config: { ...config, name: `${direction}_${name}` } };
}

function isLayer(value: unknown): value is JsonObject {
  return isObject(value) && typeof value.class_name === 'string';
}

function isOperation(module: unknown): boolean {
  return typeof module === 'string' && /^keras(\.src)?\.ops(\.|$)/.test(module);
}

function joined(path: string, name: string): string {
  return path === '' ? name : `${path}/${name}`;
}
