// The normalization layers of a file: what they are called, how they are configured, and their weights by name.

import { faulty, quoted } from '../files/parts.js';
import { type CustomObjects, deserializeLayer, type Layer } from '../index.js';
import { camelCase, snakeCase } from '../layers/serialization.js';
import { LayerNormError } from '../runtime/errors.js';
import { isObject, type JsonObject } from './json.js';
import { groupOfVariables, type LayerNode, nodesOf } from './tree.js';
import type { KerasWeight, OpenVariables, Variables } from './variables.js';

/** A normalization layer of a file. */
export interface KerasLayer {
  /** The name of the class, as Keras has it. */
  readonly className: string;
  readonly name: string;
  /** The names from the model down, its own left out: `encoder/norm`. It is the key of {@link KerasFile.layers}. */
  readonly path: string;
  /** The classes of the wrappers around it, the outermost first. */
  readonly wrappers: readonly string[];
  /** Keras' arguments in camelCase, the dtype by its name; null where the file has weights alone. */
  readonly config: Readonly<Record<string, unknown>> | null;
  /**
   * The weights by their names in camelCase: gamma, beta, movingMean, ... Where a file has weights alone and it is open which of them
   * there are, the name is the number in the file.
   */
  readonly weights: Readonly<Record<string, KerasWeight>>;
  /** The layer, built and with its weights; null where the file has weights alone, and where {@link reason} says. */
  readonly layer: Layer | null;
  /** Why there is no {@link layer}; null where there is. */
  readonly reason: string | null;
}

/** What of a config says which weights a layer has. */
type Flags = Readonly<Record<string, unknown>>;

const affine = ({ scale, center }: Flags): string[] => [
  ...(scale === false ? [] : ['gamma']),
  ...(center === false ? [] : ['beta']),
];

/** The names of the weights of each class, in the order of the file. */
const WEIGHTS: Readonly<Record<string, (config: Flags) => string[]>> = {
  LayerNormalization: (config) => (config.rms_scaling === true ? ['gamma'] : affine(config)),
  GroupNormalization: affine,
  BatchNormalization: (config) => [
    ...affine(config),
    ...['moving_mean', 'moving_variance'],
    ...(config.renorm === true ? ['moving_stddev', 'renorm_mean', 'renorm_stddev'] : []),
  ],
  RMSNormalization: () => ['scale'],
  UnitNormalization: () => [],
  // Those that were given in numbers are in the config.
  Normalization: ({ mean }) => (mean === null || mean === undefined ? ['mean', 'variance', 'count'] : []),
  SpectralNormalization: () => ['kernel', 'vector_u'],
};

/** Whether a class is one of those that are read here. */
export function isNormalization(className: string): boolean {
  return Object.hasOwn(WEIGHTS, className);
}

/** The normalization layers that a config has, with their weights. */
export function layersOfConfig(
  part: string,
  tree: LayerNode,
  variables: Variables,
  customObjects: CustomObjects | null | undefined,
): Map<string, KerasLayer> {
  const layers = new Map<string, KerasLayer>();
  for (const node of nodesOf(tree)) {
    if (!node.isKeras || !isNormalization(node.className)) continue;
    layers.set(node.path === '' ? node.name : node.path, layerOfNode(part, node, variables, customObjects));
  }
  return layers;
}

function layerOfNode(
  part: string,
  node: LayerNode,
  variables: Variables,
  customObjects: CustomObjects | null | undefined,
): KerasLayer {
  const { className, name, wrappers, path } = node;
  const config = configOf(node, variables);
  const weights =
    className === 'SpectralNormalization'
      ? spectralWeights(part, node, variables)
      : namedWeights(
          part,
          path,
          (WEIGHTS[className] as (config: Flags) => string[])(config),
          node.group,
          variables,
        );
  const made = makeLayer(part, { ...node.envelope, config }, node, weights, customObjects);
  return { className, name, path: path || name, wrappers, config: plainConfig(config), weights, ...made };
}

/** Files of Keras 3.3 and before lack `rms_scaling`, which leaves one variable of two. */
function configOf({ className, config, group }: LayerNode, variables: Variables): JsonObject {
  const isOld = className === 'LayerNormalization' && config.rms_scaling === undefined;
  const hasOne = affine(config).length === 2 && variables.get(group)?.count === 1;
  return isOld && hasOne ? { ...config, rms_scaling: true } : config;
}

/** The config for users: of its keys, and of the dtype, nothing but the name is Keras' own. */
function plainConfig(config: JsonObject): Record<string, unknown> {
  const entries = Object.entries(config).map(([key, value]) => {
    const policy = key === 'dtype' && isObject(value) && isObject(value.config) ? value.config.name : value;
    return [camelCase(key), policy];
  });
  return Object.fromEntries(entries);
}

/** Reads the variables of a group that has to have as many as there are names. */
function namedWeights(
  part: string,
  layer: string,
  names: readonly string[],
  group: string,
  variables: Variables,
): Record<string, KerasWeight> {
  const found = variables.get(group);
  if (!found && names.length > 0) {
    throw faulty(
      part,
      `${group}/vars is missing, which layer ${quoted(layer)} has its ${names.join(', ')} in`,
    );
  }
  if (found && found.count !== names.length) {
    throw faulty(
      part,
      `${found.path} holds ${found.count} variables, layer ${quoted(layer)} has ${names.length}: ${names.join(', ')}`,
    );
  }
  return Object.fromEntries(names.map((name, i) => [camelCase(name), (found as OpenVariables).read(i)]));
}

/** The wrapper has the kernel as a variable of its own in some versions, and the wrapped layer has it again. */
function spectralWeights(part: string, node: LayerNode, variables: Variables): Record<string, KerasWeight> {
  const own = variables.get(node.group);
  const inner = node.children[0];
  const wrapped = inner && variables.get(groupOfVariables(inner));
  if (!own || own.count < 1 || own.count > 2) {
    throw faulty(
      part,
      `${node.group}/vars holds ${own?.count ?? 'no'} variables, layer ${quoted(node.path)} has kernel, vector_u`,
    );
  }
  const kernel = inner?.className === 'Embedding' ? 'embeddings' : 'kernel';
  const weights: Record<string, KerasWeight> = {};
  if (wrapped && wrapped.count > 0) {
    for (let i = 0; i < wrapped.count; ++i) weights[[kernel, 'bias'][i] ?? `${i}`] = wrapped.read(i);
  } else if (own.count === 2) {
    weights[kernel] = own.read(0);
  }
  weights.vectorU = own.read(own.count - 1);
  return weights;
}

function makeLayer(
  part: string,
  envelope: JsonObject,
  node: LayerNode,
  weights: Readonly<Record<string, KerasWeight>>,
  customObjects: CustomObjects | null | undefined,
): { layer: Layer | null; reason: string | null } {
  const inner = node.className === 'SpectralNormalization' ? node.children[0]?.className : undefined;
  if (inner !== undefined && !Object.hasOwn(customObjects ?? {}, inner)) {
    return { layer: null, reason: `it wraps a ${inner}, which is none of this package nor in customObjects` };
  }
  let layer: Layer;
  try {
    layer = deserializeLayer(envelope as never, customObjects);
  } catch (error) {
    throw unfit('config.json', node, error);
  }
  if (!layer.built && Object.keys(weights).length > 0) {
    return { layer: null, reason: 'the config does not say what shape its inputs have' };
  }
  const values = layer.weights.map(({ name }) => {
    const value = weights[camelCase(name)];
    if (value) return value;
    throw faulty(part, `${node.group}/vars lacks ${name} of layer ${quoted(node.path)}`);
  });
  try {
    layer.setWeights(values.map(({ data, shape }) => ({ data, shape: [...shape] })) as never);
  } catch (error) {
    throw unfit(`${part}: ${node.group}/vars`, node, error);
  }
  return { layer, reason: null };
}

/** What the layer itself finds wrong with what the file has for it. */
function unfit(part: string, { path }: LayerNode, error: unknown): LayerNormError {
  const words = error instanceof Error ? error.message : String(error);
  // What only this run lacks is no fault of the file.
  if (error instanceof LayerNormError && /MEMORY|LOAD|THREADS/.test(error.code)) return error;
  return faulty(part, `layer ${quoted(path)}: ${words}`, error);
}

/** The normalization layers that a file of weights alone has. Their classes are told by what Keras calls groups and layers. */
export function layersOfWeights(variables: Variables): Map<string, KerasLayer> {
  const layers = new Map<string, KerasLayer>();
  for (const [group, found] of variables) {
    const className = classOf(group.split('/').at(-1) ?? '') ?? classOf(found.layerName ?? '');
    if (className === undefined) continue;
    const weights: Record<string, KerasWeight> = {};
    guessedNames(className, found.count).forEach((name, i) => {
      weights[camelCase(name)] = found.read(i);
    });
    const name = found.layerName ?? group.split('/').at(-1) ?? '';
    // Their names are those of layers in other models as well.
    const path = layers.has(name) ? group : name;
    const reason = 'the file has no config';
    layers.set(path, { className, name, path, wrappers: [], config: null, weights, layer: null, reason });
  }
  return layers;
}

/** LayerNormalization for layer_normalization and layer_normalization_3. */
function classOf(text: string): string | undefined {
  const stem = text.replace(/_\d+$/, '');
  return Object.keys(WEIGHTS).find((className) => snakeCase(className) === stem);
}

function guessedNames(className: string, count: number): string[] {
  const complete = (WEIGHTS[className] as (config: Flags) => string[])({ renorm: count > 4 });
  if (complete.length === count) return complete;
  // One of gamma and beta, or neither: what comes after them is certain.
  const certain = className === 'BatchNormalization' ? complete.slice(2) : [];
  const open = count - certain.length;
  return Array.from({ length: count }, (_, i) => certain[i - open] ?? `${i}`);
}
