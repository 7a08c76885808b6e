import { readFileSync } from 'node:fs';
import * as fflate from 'fflate';
import type { LayerNormError, LayerNormErrorCode } from 'layernorm';
import type { GoldenArray } from './golden.js';
import { float32, type Hdf5Array, type Hdf5Tree, writeHdf5 } from './hdf5_writer.js';

/** The models of tests/golden/keras-models. */
export const MODELS = ['seed_sequential', 'seed_functional', 'every_normalization'] as const;

/** What Keras has for a model; null is NaN. */
export interface ExpectedModel {
  input: GoldenArray;
  output: Omit<GoldenArray, 'data'> & { data: (number | null)[] };
  weights: Record<string, GoldenArray>;
}

/** A file of tests/golden/keras-models. */
export function modelFile(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../../golden/keras-models/${name}`, import.meta.url)));
}

/** What Keras computes with the models. */
export function expectedModels(): Record<(typeof MODELS)[number], ExpectedModel> {
  return JSON.parse(new TextDecoder().decode(modelFile('expected.json')));
}

/** The variables of layers by their groups, such as `layers/dense`: each with the name of the layer. */
export type Groups = Record<string, [name: string, ...variables: Hdf5Array[]]>;

/** A file of weights. */
export function weightsFile(groups: Groups): Uint8Array {
  return writeHdf5(weightsTree(groups));
}

/** The groups of a file of weights. */
export function weightsTree(groups: Groups): Hdf5Tree {
  const root: Hdf5Tree = {};
  for (const [path, [name, ...variables]] of Object.entries(groups)) {
    let group = root;
    for (const key of [...path.split('/').filter((part) => part !== ''), 'vars']) {
      group.groups ??= {};
      group.groups[key] ??= {};
      group = group.groups[key];
    }
    group.attributes = { name };
    group.arrays = Object.fromEntries(variables.map((variable, i) => [`${i}`, variable]));
  }
  return root;
}

/** A `.keras` file. */
export function kerasFile(config: unknown, weights: Uint8Array | Groups, level: 0 | 6 = 0): Uint8Array {
  return fflate.zipSync(
    {
      'metadata.json': fflate.strToU8('{"keras_version": "3.16.0", "date_saved": "2026-11-21@20:14:39"}'),
      'config.json': fflate.strToU8(typeof config === 'string' ? config : JSON.stringify(config)),
      'model.weights.h5': weights instanceof Uint8Array ? weights : weightsFile(weights),
    },
    { level },
  );
}

/** A layer in a config, as Keras 3 writes it. */
export function saved(
  className: string,
  config: Record<string, unknown>,
  inputShape?: (number | null)[] | null,
): Record<string, unknown> {
  const policy = {
    module: 'keras',
    class_name: 'DTypePolicy',
    config: { name: 'float32' },
    registered_name: null,
  };
  return {
    module: 'keras.layers',
    class_name: className,
    config: { trainable: true, dtype: policy, ...config },
    registered_name: null,
    ...(inputShape ? { build_config: { input_shape: inputShape } } : {}),
  };
}

/** An input of a model, as Keras 3 writes it. */
export function savedInput(
  name: string,
  shape: (number | null)[],
  dtype = 'float32',
): Record<string, unknown> {
  const config = { batch_shape: shape, dtype, sparse: false, ragged: false, name, optional: false };
  return { module: 'keras.layers', class_name: 'InputLayer', config, registered_name: null };
}

/** A Sequential, as Keras 3 writes it. */
export function savedSequential(name: string, layers: unknown[]): Record<string, unknown> {
  return {
    module: 'keras',
    class_name: 'Sequential',
    config: { name, trainable: true, layers },
    registered_name: null,
  };
}

/** The output of a layer, as the calls of a functional model name it. */
export function history(layer: string, call = 0, output = 0): Record<string, unknown> {
  const config = { shape: [null, 2], dtype: 'float32', keras_history: [layer, call, output] };
  return { class_name: '__keras_tensor__', config };
}

/** A layer of a functional model, with what it is called with. */
export function called(layer: Record<string, unknown>, ...calls: unknown[][]): Record<string, unknown> {
  const nodes = calls.map((args) => ({ args, kwargs: {} }));
  return { ...layer, name: (layer.config as { name: string }).name, inbound_nodes: nodes };
}

/** A functional model, as Keras 3 writes it. */
export function savedFunctional(
  name: string,
  layers: unknown[],
  inputs: unknown[],
  outputs: unknown[],
): Record<string, unknown> {
  const config = { name, trainable: true, layers, input_layers: inputs, output_layers: outputs };
  return {
    module: 'keras.src.models.functional',
    class_name: 'Functional',
    config,
    registered_name: 'Functional',
  };
}

/** An array of float32 of small numbers that differ. */
export function numbered(shape: number[], first = 0.25): Hdf5Array {
  const count = shape.reduce((product, size) => product * size, 1);
  return float32(shape, valuesOf(count, first));
}

/** The values of {@link numbered}. */
export function valuesOf(count: number, first = 0.25): number[] {
  return Array.from({ length: count }, (_, i) => Math.fround(Math.sin(first + i)));
}

/** Expects an error of a code whose message is, or matches, the one given. */
export async function expectRejection(
  promise: Promise<unknown>,
  code: LayerNormErrorCode,
  message: string | RegExp,
): Promise<void> {
  const error = (await promise.then(
    () => {
      throw new Error('nothing was thrown');
    },
    (thrown) => thrown,
  )) as LayerNormError;
  expect({ name: error.name, code: error.code, message: error.message }).toEqual({
    name: 'LayerNormError',
    code,
    message: typeof message === 'string' ? message : expect.stringMatching(message),
  });
}
