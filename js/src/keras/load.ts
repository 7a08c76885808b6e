import { knownOptions, readMaxBytes } from '../files/options.js';
import { bytesOf, faulty, quoted } from '../files/parts.js';
import { type Archive, isZip, openZip, type Unzip } from '../files/zip.js';
import { type CustomObjects, type Layer, LayerNormError } from '../index.js';
import { describe } from '../runtime/errors.js';
import type { TensorFlow } from '../tfjs.js';
import { type H5Wasm, type Hdf5File, type Hdf5Reader, type JsFive, openHdf5 } from './hdf5.js';
import { type JsonObject, parseJson, parseText } from './json.js';
import { type KerasLayer, layersOfConfig, layersOfWeights } from './normalization.js';
import { makeModel, type TensorFlowModel } from './tensorflow_model.js';
import { type LayerNode, treeOf } from './tree.js';
import { findVariables, type KerasVariables, type Variables } from './variables.js';

/** Options of {@link loadKeras}. */
export interface LoadKerasOptions {
  /** What reads HDF5: `import * as hdf5 from 'jsfive'`, `import * as hdf5 from 'h5wasm'`, or a function of your own. */
  hdf5: JsFive | H5Wasm | Hdf5Reader;
  /**
   * What inflates, where files are compressed (Keras does not) and the runtime has no `DecompressionStream`:
   * `import * as fflate from 'fflate'`.
   */
  unzip?: Unzip | null;
  /** TensorFlow.js, to make the whole model: `import * as tf from '@tensorflow/tfjs'`, or `{ ...tfjsCore, ...tfjsLayers }`. */
  tf?: TensorFlow | null;
  /** What goes with a file of weights alone: what `model.to_json()` gave, as text or parsed. */
  config?: string | object | null;
  /** Classes of your own, with a static `fromConfig`, and functions, by the names that the config has for them. */
  customObjects?: CustomObjects | null;
  /** The most bytes that the file may unpack to. @defaultValue 2 ** 30 */
  maxBytes?: number | null;
}

const OPTION_NAMES: Record<keyof LoadKerasOptions, true> = {
  ...{ hdf5: true, unzip: true, tf: true },
  ...{ config: true, customObjects: true, maxBytes: true },
};

/** A file that Keras has saved. */
export interface KerasFile {
  readonly format: 'keras' | 'weights.h5';
  /** The version of Keras that wrote the file; null where the file does not say. */
  readonly kerasVersion: string | null;
  /** What `config.json` holds, or the option `config`; null where there is neither. */
  readonly config: Readonly<Record<string, unknown>> | null;
  /** The normalization layers, by the names from the model down: `norm`, or `encoder/norm` for one in a nested model. */
  readonly layers: ReadonlyMap<string, KerasLayer>;
  /** Where the variables of all layers lie in the file. */
  readonly variables: readonly KerasVariables[];
  /** The model in TensorFlow.js, with its weights; null without the option `tf`. */
  readonly model: TensorFlowModel | null;
  /**
   * A normalization layer of this package, built and with its weights.
   * @throws {@link LayerNormError} `ERR_ARGUMENT` where there is none, with all that are, or why it could not be made
   */
  layer(name: string): Layer;
}

const WEIGHTS = 'model.weights.h5';
const CONFIG = 'config.json';
const METADATA = 'metadata.json';
/** No config is as large. */
const MAX_CONFIG = 2 ** 26;

/**
 * Reads a model that Keras 3 has saved, `.keras`, or its weights alone, `.weights.h5`: its normalization layers with their configs
 * and weights, and with `tf` the whole model, running in TensorFlow.js.
 *
 * @example
 * ```ts
 * import * as hdf5 from 'jsfive';
 * import { loadKeras } from 'layernorm/keras';
 *
 * const file = await loadKeras(await readFile('model.keras'), { hdf5 });
 * const y = file.layer('layer_normalization').apply(x, { shape: [32, 64] });
 * ```
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 *
 * const { model } = await loadKeras(bytes, { hdf5, tf });
 * model.predict(tf.tensor2d(rows)).print();
 * ```
 *
 * @param bytes - the file
 * @param options - see {@link LoadKerasOptions}; `hdf5` is needed
 * @throws {@link LayerNormError} `ERR_FILE` for files that are damaged, of another kind, too large, or hold layers that TensorFlow.js
 * does not have: the message begins with the part of the file. `ERR_ARGUMENT` for options
 */
export async function loadKeras(
  bytes: Uint8Array | ArrayBufferLike | ArrayBufferView,
  options: LoadKerasOptions,
): Promise<KerasFile> {
  const given = checkedOptions(options);
  const { hdf5, tf, customObjects } = given;
  const maxBytes = readMaxBytes('loadKeras', given.maxBytes);
  const data = bytesOf('loadKeras', 'bytes', bytes);
  const source = await partsOf(data, given, maxBytes);
  const { part, config } = source;

  const tree = config && treeOf(source.configPart, config);
  const file = await openHdf5(part, source.weights, hdf5);
  try {
    const variables = variablesOf(part, file, source.weights.length, maxBytes);
    const hasLayers = tree !== null && tree.kind === 'model';
    const layers = hasLayers
      ? layersOfConfig(part, tree, variables, customObjects)
      : layersOfWeights(variables);
    const model = tf ? await makeModel(source.configPart, part, tf, modelOf(source, tree), variables) : null;
    return {
      format: source.format,
      kerasVersion: source.kerasVersion,
      config,
      layers,
      variables: [...variables.values()].map(({ path, layerName, count }) => ({ path, layerName, count })),
      model,
      layer: (name) => layerNamed(layers, name),
    };
  } finally {
    file.close?.();
  }
}

function checkedOptions(options: unknown): LoadKerasOptions {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `loadKeras: options is ${describe(options)}, expected an object such as { hdf5 }, with import * as hdf5 from 'jsfive'`,
    );
  }
  return knownOptions('loadKeras', options as LoadKerasOptions, OPTION_NAMES) as LoadKerasOptions;
}

/** What a file consists of. */
interface Source {
  readonly format: KerasFile['format'];
  readonly kerasVersion: string | null;
  readonly config: JsonObject | null;
  readonly configPart: string;
  readonly weights: Uint8Array;
  /** What the weights are called in messages. */
  readonly part: string;
}

async function partsOf(data: Uint8Array, options: LoadKerasOptions, maxBytes: number): Promise<Source> {
  if (isZip(data))
    return partsOfZip(openZip('loadKeras', data, maxBytes, options.unzip ?? undefined), options);
  if (!isHdf5(data)) {
    const first = [...data.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, '0'));
    throw faulty(
      'the file',
      `it begins with ${first.join(' ') || 'nothing'}, as neither a .keras file (zip) nor a .weights.h5 file (HDF5) does`,
    );
  }
  const config = readConfig(options.config);
  return {
    format: 'weights.h5',
    kerasVersion: null,
    config,
    configPart: 'the option config',
    weights: data,
    part: 'the .weights.h5 file',
  };
}

async function partsOfZip(archive: Archive, { config }: LoadKerasOptions): Promise<Source> {
  if (config !== undefined && config !== null) {
    throw new LayerNormError('ERR_ARGUMENT', 'loadKeras: config is given, but a .keras file has its own');
  }
  const { names } = archive;
  if (!names.includes(WEIGHTS)) {
    const other = names.find((name) => /^model\.weights\.(npz|json)$/.test(name));
    if (other !== undefined) {
      throw faulty(other, `the weights are in a form that is not read, expected ${WEIGHTS}`);
    }
  }
  const json = parseJson(CONFIG, await limited(archive, CONFIG));
  const metadata = names.includes(METADATA) ? parseJson(METADATA, await limited(archive, METADATA)) : {};
  const { keras_version: version } = metadata;
  return {
    format: 'keras',
    kerasVersion: typeof version === 'string' ? version : null,
    config: json,
    configPart: CONFIG,
    weights: await archive.read(WEIGHTS),
    part: WEIGHTS,
  };
}

async function limited(archive: Archive, name: string): Promise<Uint8Array> {
  const bytes = await archive.read(name);
  if (bytes.length > MAX_CONFIG)
    throw faulty(name, `it has ${bytes.length} bytes, at most ${MAX_CONFIG} are read`);
  return bytes;
}

function isHdf5(data: Uint8Array): boolean {
  return [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a].every((byte, i) => data[i] === byte);
}

/** Text and objects go the same way, so that both are copies and within the limits. */
function readConfig(config: unknown): JsonObject | null {
  if (config === undefined || config === null) return null;
  if (typeof config === 'string') return parseText('the option config', config);
  let text: string | undefined;
  try {
    text = JSON.stringify(config);
  } catch {
    // A circle, or a number that JSON does not have: reported below.
  }
  if (typeof config === 'object' && text !== undefined) return parseText('the option config', text);
  throw new LayerNormError(
    'ERR_ARGUMENT',
    `loadKeras: config is ${describe(config)}, expected what model.to_json() gives, as text or parsed`,
  );
}

function variablesOf(part: string, file: Hdf5File, size: number, maxBytes: number): Variables {
  const variables = findVariables(part, file, size, maxBytes);
  if (variables.size > 0) return variables;
  const { keys } = file.root;
  const isOld = file.root.attribute('layer_names') !== undefined || keys.includes('model_weights');
  throw faulty(
    part,
    isOld
      ? "it is of the format of Keras 2, expected that of Keras 3: save the model as '.keras' or '.weights.h5'"
      : `it has no group of variables: it holds ${keys.slice(0, 8).map(quoted).join(', ') || 'nothing'}`,
  );
}

function modelOf({ format, configPart }: Source, tree: LayerNode | null): LayerNode {
  if (!tree) {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      'loadKeras: tf is given, but the file has weights alone: expected config, what model.to_json() gives',
    );
  }
  if (tree.kind === 'model') return tree;
  throw faulty(
    configPart,
    `the model is a ${quoted(tree.className)}, whose layers the ${format === 'keras' ? 'file' : 'config'} does not list: ` +
      'expected a Sequential or a functional model',
  );
}

function layerNamed(layers: ReadonlyMap<string, KerasLayer>, name: string): Layer {
  const found = layers.get(name);
  if (found?.layer) return found.layer;
  const names = [...layers.keys()].map(quoted).join(', ') || 'none at all';
  throw new LayerNormError(
    'ERR_ARGUMENT',
    found
      ? `KerasFile.layer: ${quoted(name)} has not been made: ${found.reason}`
      : `KerasFile.layer: there is no normalization layer ${quoted(name)}, expected one of ${names}`,
  );
}
