// Models in the format of ONNX: https://github.com/onnx/onnx/blob/main/docs/IR.md

import { knownOptions } from '../files/options.js';
import { bytesOf, faulty, quoted } from '../files/parts.js';
import { describe, LayerNormError } from '../runtime/errors.js';
import type { FileArray } from './elements.js';
import { type ExternalData, identityOf, readTensor } from './onnx_tensor.js';
import { ProtobufReader } from './protobuf.js';

/** Options of {@link readOnnx}. */
export interface ReadOnnxOptions {
  /** What stands in files beside the model, see {@link ExternalData}. */
  externalData?: ExternalData | null;
}

/** What a parameter of a normalization is called here. */
export type OnnxParameter = 'gamma' | 'beta' | 'mean' | 'variance' | 'bias';

/** A node of a model that normalizes. */
export interface OnnxNormalization {
  /** The name of the node; empty where it has none. */
  readonly name: string;
  /** The operator, such as `LayerNormalization`. */
  readonly operator: string;
  /** Whose operator it is: empty for those of ONNX, `com.microsoft` for those of ONNX Runtime. */
  readonly domain: string;
  /**
   * The attributes by their names, with the operator's defaults: `{ axis: -1, epsilon: 1e-5 }`, whose floats are of float32. Of layer and
   * RMS normalizations `axis` is the first that is normalized over: all after it are as well.
   */
  readonly attributes: Readonly<Record<string, number | readonly number[] | string>>;
  /** The attribute epsilon, or the operator's default; null for operators without one. */
  readonly epsilon: number | null;
  /** The names of the inputs; empty where one is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** The names of the inputs that are parameters. */
  readonly parameters: Readonly<Partial<Record<OnnxParameter, string>>>;
  /**
   * The scale, read when it is asked for; null where the node has none, or the model computes it.
   * @throws {@link LayerNormError} `ERR_FILE` for tensors that are damaged; `ERR_ARGUMENT` where the file that they are in is not given
   */
  readonly gamma: FileArray | null;
  /** The offset, as {@link gamma}. */
  readonly beta: FileArray | null;
  /** The mean of a batch normalization, as {@link gamma}. */
  readonly mean: FileArray | null;
  /** The variance of a batch normalization, as {@link gamma}. */
  readonly variance: FileArray | null;
  /** What `SkipLayerNormalization` and its like add to the sum, as {@link gamma}. */
  readonly bias: FileArray | null;
}

/** A model. */
export interface OnnxModel {
  /**
   * The versions of the operators by their domains: `''` is that of ONNX itself. `GroupNormalization` has gamma and beta for each group
   * up to 20, for each channel from 21 on.
   */
  readonly opsets: ReadonlyMap<string, number>;
  /** The nodes that normalize, in the order of the graph; those of the graphs inside of other nodes come with these. */
  readonly normalizations: readonly OnnxNormalization[];
  /** The names of the initializers of the graph. */
  readonly names: readonly string[];
  /** The files beside the model that initializers are in. */
  readonly externalFiles: readonly string[];
  /**
   * One of the initializers.
   * @throws {@link LayerNormError} `ERR_FILE`; `ERR_ARGUMENT` where there is none, or the file that it is in is not given
   */
  get(name: string): FileArray;
}

interface Operator {
  /** Which inputs are parameters. */
  readonly parameters: Readonly<Partial<Record<OnnxParameter, number>>>;
  readonly defaults: Readonly<Record<string, number | readonly number[]>>;
}

/** Defaults are of float32, as all floats of attributes. */
const epsilon = (value: number): { epsilon: number } => ({ epsilon: Math.fround(value) });

const SCALE_AND_OFFSET = { gamma: 1, beta: 2 };
const RMS: Operator = { parameters: { gamma: 1 }, defaults: { axis: -1, ...epsilon(1e-5) } };
const SKIP = epsilon(1e-12);

/** Of ONNX: https://onnx.ai/onnx/operators */
const STANDARD: ReadonlyMap<string, Operator> = /* @__PURE__ */ new Map<string, Operator>([
  ['LayerNormalization', { parameters: SCALE_AND_OFFSET, defaults: { axis: -1, ...epsilon(1e-5) } }],
  ['RMSNormalization', RMS],
  // ONNX Runtime's own, but in the domain of ONNX.
  ['SimplifiedLayerNormalization', RMS],
  [
    'BatchNormalization',
    {
      parameters: { gamma: 1, beta: 2, mean: 3, variance: 4 },
      defaults: { ...epsilon(1e-5), momentum: Math.fround(0.9), training_mode: 0 },
    },
  ],
  ['InstanceNormalization', { parameters: SCALE_AND_OFFSET, defaults: epsilon(1e-5) }],
  ['GroupNormalization', { parameters: SCALE_AND_OFFSET, defaults: epsilon(1e-5) }],
  ['LpNormalization', { parameters: {}, defaults: { axis: -1, p: 2 } }],
  ['MeanVarianceNormalization', { parameters: {}, defaults: { axes: [0, 2, 3] } }],
]);

/** Of ONNX Runtime: https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md */
const MICROSOFT: ReadonlyMap<string, Operator> = /* @__PURE__ */ new Map<string, Operator>([
  ['SkipLayerNormalization', { parameters: { gamma: 2, beta: 3, bias: 4 }, defaults: SKIP }],
  ['SkipSimplifiedLayerNormalization', { parameters: { gamma: 2, bias: 3 }, defaults: SKIP }],
  ['EmbedLayerNormalization', { parameters: { gamma: 5, beta: 6 }, defaults: SKIP }],
  ['SimplifiedLayerNormalization', RMS],
  ['GroupNorm', { parameters: SCALE_AND_OFFSET, defaults: { ...epsilon(1e-5), channels_last: 1 } }],
  [
    'SkipGroupNorm',
    { parameters: { gamma: 1, beta: 2, bias: 4 }, defaults: { ...epsilon(1e-5), channels_last: 1 } },
  ],
]);

const PART = 'the ONNX model';
/** Graphs in nodes of graphs: a loop in a branch in a loop is three deep. */
const MAX_DEPTH = 32;
/** Tensors of a model: large ones have thousands. */
const MAX_TENSORS = 2 ** 18;
const MAX_NORMALIZATIONS = 2 ** 16;

/** The names that can be seen in a graph: its own, and those of the graph around it. */
interface Scope {
  readonly outer: Scope | undefined;
  /** Initializers, and what nodes `Constant` give: the bytes of TensorProto. */
  readonly tensors: Map<string, Uint8Array>;
  /** What nodes `Identity` give another name, as exporters do for weights that are used twice. */
  readonly aliases: Map<string, string>;
}

/**
 * Reads an ONNX model: which nodes normalize, with their attributes and parameters, and all initializers by name. Nodes inside of
 * functions, whose parameters are those of whoever calls them, are left out.
 *
 * @example
 * ```ts
 * const { normalizations } = readOnnx(await readFile('model.onnx'));
 * for (const { operator, epsilon, gamma, beta } of normalizations) {
 *   if (operator === 'LayerNormalization') console.log(layerNorm(x, { epsilon, gamma, beta }));
 * }
 * ```
 *
 * @param bytes - the file
 * @param options - see {@link ReadOnnxOptions}
 * @throws {@link LayerNormError} `ERR_FILE` for files that are damaged or of another format, `ERR_ARGUMENT`
 */
export function readOnnx(
  bytes: Uint8Array | ArrayBufferLike | ArrayBufferView,
  options?: ReadOnnxOptions | null,
): OnnxModel {
  const { externalData } = knownOptions('readOnnx', options, { externalData: true });
  const data = bytesOf('readOnnx', 'bytes', bytes);
  return readModel(data, externalData ?? undefined);
}

function readModel(bytes: Uint8Array, externalData: ExternalData | undefined): OnnxModel {
  const opsets = new Map<string, number>();
  let graph: Uint8Array | undefined;
  eachField(PART, bytes, (field, reader) => {
    if (field === 7) {
      if (graph) throw faulty(PART, 'it has two graphs');
      graph = reader.bytes();
    } else if (field === 8) {
      opsets.set(...readOpset(reader.bytes()));
    }
  });
  if (!graph) throw faulty(PART, 'it has no graph: the file is of another format, or cut off');
  const reader = new GraphReader(externalData);
  const { tensors } = reader.read(graph, undefined, 0);
  return {
    opsets,
    normalizations: reader.normalizations,
    names: [...reader.initializers],
    externalFiles: [...reader.externalFiles],
    get(name) {
      const tensor = reader.initializers.has(name) ? tensors.get(name) : undefined;
      if (tensor) return readTensor(partOf(name), tensor, externalData);
      const names = [...reader.initializers].slice(0, 12).map(quoted).join(', ') || 'none';
      throw new LayerNormError(
        'ERR_ARGUMENT',
        `OnnxModel.get: there is no initializer ${quoted(name)}, expected one of ${names}`,
      );
    },
  };
}

function eachField(
  part: string,
  bytes: Uint8Array,
  visit: (field: number, reader: ProtobufReader) => void,
): void {
  const reader = new ProtobufReader(part, bytes);
  for (let field = reader.next(); field !== 0; field = reader.next()) visit(field, reader);
}

function partOf(name: string): string {
  return `the ONNX tensor ${quoted(name)}`;
}

function readOpset(bytes: Uint8Array): [domain: string, version: number] {
  let domain = '';
  let version = 0;
  eachField('an opset_import of the ONNX model', bytes, (field, reader) => {
    if (field === 1) domain = reader.text();
    else if (field === 2) version = reader.integer();
  });
  return [domain, version];
}

/** A NodeProto. */
interface Node {
  readonly name: string;
  readonly operator: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Those of AttributeProto. */
  readonly attributes: readonly Attribute[];
}

/** An AttributeProto. */
interface Attribute {
  readonly name: string;
  readonly value: number | readonly number[] | string | undefined;
  readonly tensor: Uint8Array | undefined;
  readonly graphs: readonly Uint8Array[];
}

/** Walks over a graph and those inside of its nodes. */
class GraphReader {
  readonly normalizations: OnnxNormalization[] = [];
  /** The names of the initializers of the outermost graph. */
  readonly initializers = new Set<string>();
  readonly externalFiles = new Set<string>();
  readonly #externalData: ExternalData | undefined;
  #tensors = 0;

  constructor(externalData: ExternalData | undefined) {
    this.#externalData = externalData;
  }

  read(bytes: Uint8Array, outer: Scope | undefined, depth: number): Scope {
    if (depth > MAX_DEPTH) throw faulty(PART, `its graphs lie more than ${MAX_DEPTH} deep in each other`);
    const scope: Scope = { outer, tensors: new Map(), aliases: new Map() };
    eachField(
      depth === 0 ? 'the graph of the ONNX model' : 'a graph in a node of the ONNX model',
      bytes,
      (field, reader) => {
        if (field === 1) this.#addNode(readNode(reader.bytes()), scope, depth);
        else if (field === 5) this.#addInitializer(reader.bytes(), scope);
      },
    );
    return scope;
  }

  #addInitializer(bytes: Uint8Array, scope: Scope): void {
    const { name, location } = identityOf('an initializer of the ONNX model', bytes);
    if (location !== undefined) this.externalFiles.add(location);
    if (!scope.outer) this.initializers.add(name);
    this.#addTensor(name, bytes, scope);
  }

  #addTensor(name: string, bytes: Uint8Array, { tensors }: Scope): void {
    if (tensors.has(name)) throw faulty(PART, `it has two tensors ${quoted(name)} in one graph`);
    this.#count();
    tensors.set(name, bytes);
  }

  #count(): void {
    if (++this.#tensors > MAX_TENSORS) throw faulty(PART, `it has more than ${MAX_TENSORS} tensors`);
  }

  #addNode(node: Node, scope: Scope, depth: number): void {
    const { operator, domain, inputs, outputs, attributes } = node;
    for (const { graphs } of attributes) for (const graph of graphs) this.read(graph, scope, depth + 1);
    const [input = ''] = inputs;
    const [output = ''] = outputs;
    if (isStandard(domain) && operator === 'Identity') {
      this.#count();
      scope.aliases.set(output, input);
    } else if (isStandard(domain) && operator === 'Constant') {
      const tensor = attributes.find(({ name }) => name === 'value')?.tensor;
      if (tensor) this.#addTensor(output, tensor, scope);
    }
    const known = isStandard(domain) ? STANDARD : domain === 'com.microsoft' ? MICROSOFT : undefined;
    const found = known?.get(operator);
    if (!found) return;
    if (this.normalizations.length === MAX_NORMALIZATIONS) {
      throw faulty(PART, `it has more than ${MAX_NORMALIZATIONS} nodes that normalize`);
    }
    this.normalizations.push(new Normalization(node, found, scope, this.#externalData));
  }
}

function isStandard(domain: string): boolean {
  return domain === '' || domain === 'ai.onnx';
}

function readNode(bytes: Uint8Array): Node {
  const node = { name: '', operator: '', domain: '' };
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes: Attribute[] = [];
  eachField('a node of the ONNX model', bytes, (field, reader) => {
    if (field === 1) inputs.push(reader.text());
    else if (field === 2) outputs.push(reader.text());
    else if (field === 3) node.name = reader.text();
    else if (field === 4) node.operator = reader.text();
    else if (field === 5) attributes.push(readAttribute(reader.bytes()));
    else if (field === 7) node.domain = reader.text();
  });
  return { ...node, inputs, outputs, attributes };
}

function readAttribute(bytes: Uint8Array): Attribute {
  let name = '';
  let value: Attribute['value'];
  let tensor: Uint8Array | undefined;
  const numbers: number[] = [];
  const graphs: Uint8Array[] = [];
  eachField('an attribute of the ONNX model', bytes, (field, reader) => {
    if (field === 1) name = reader.text();
    else if (field === 2) value = reader.float();
    else if (field === 3) value = reader.nearestInteger();
    else if (field === 4) value = reader.text();
    else if (field === 5) tensor = reader.bytes();
    else if (field === 6 || field === 11) graphs.push(reader.bytes());
    else if (field === 7) reader.floats((item) => numbers.push(item));
    else if (field === 8) reader.nearestIntegers((item) => numbers.push(item));
  });
  return { name, value: value ?? (numbers.length > 0 ? numbers : undefined), tensor, graphs };
}

class Normalization implements OnnxNormalization {
  readonly name: string;
  readonly operator: string;
  readonly domain: string;
  readonly attributes: OnnxNormalization['attributes'];
  readonly epsilon: number | null;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly parameters: OnnxNormalization['parameters'];
  readonly #scope: Scope;
  readonly #externalData: ExternalData | undefined;
  readonly #arrays = new Map<OnnxParameter, FileArray | null>();

  constructor(
    node: Node,
    { parameters, defaults }: Operator,
    scope: Scope,
    externalData: ExternalData | undefined,
  ) {
    const { name, operator, domain, inputs, outputs, attributes } = node;
    this.name = name;
    this.operator = operator;
    this.domain = domain;
    this.inputs = inputs;
    this.outputs = outputs;
    // Names come from the file: entries make properties of any, such as `__proto__`.
    this.attributes = Object.fromEntries([
      ...Object.entries(defaults),
      ...attributes.flatMap((one) => (one.value === undefined ? [] : [[one.name, one.value] as const])),
    ]);
    const { epsilon = null } = this.attributes;
    if (epsilon !== null && typeof epsilon !== 'number') {
      throw faulty(PART, `the epsilon of a ${operator} is ${describe(epsilon)}, expected a number`);
    }
    this.epsilon = epsilon;
    this.parameters = Object.fromEntries(
      Object.entries(parameters).flatMap(([key, index]) => (inputs[index] ? [[key, inputs[index]]] : [])),
    );
    this.#scope = scope;
    this.#externalData = externalData;
  }

  get gamma(): FileArray | null {
    return this.#read('gamma');
  }

  get beta(): FileArray | null {
    return this.#read('beta');
  }

  get mean(): FileArray | null {
    return this.#read('mean');
  }

  get variance(): FileArray | null {
    return this.#read('variance');
  }

  get bias(): FileArray | null {
    return this.#read('bias');
  }

  #read(parameter: OnnxParameter): FileArray | null {
    const name = this.parameters[parameter];
    if (name !== undefined && !this.#arrays.has(parameter)) {
      const tensor = tensorNamed(name, this.#scope);
      this.#arrays.set(parameter, tensor ? readTensor(partOf(name), tensor, this.#externalData) : null);
    }
    return this.#arrays.get(parameter) ?? null;
  }
}

/** What a name stands for in a graph; undefined for what the model computes. */
function tensorNamed(name: string, scope: Scope): Uint8Array | undefined {
  const seen = new Set<string>();
  for (let at: Scope | undefined = scope; at; ) {
    const tensor = at.tensors.get(name);
    if (tensor) return tensor;
    const alias = at.aliases.get(name);
    if (alias === undefined) {
      at = at.outer;
    } else {
      if (seen.has(alias)) return undefined; // nodes that name each other in a circle
      seen.add(alias);
      name = alias;
    }
  }
  return undefined;
}
