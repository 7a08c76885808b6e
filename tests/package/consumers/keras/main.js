// What a page does with files of Keras: their layers, and the models in TensorFlow.js on each of its backends.
import '@tensorflow/tfjs-backend-cpu';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as core from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import * as hdf5 from 'jsfive';
import { loadKeras } from 'layernorm/keras';

const tf = { ...core, ...layers };
setWasmPaths('./');

const bytesOf = async (name) => (await fetch(name)).arrayBuffer();

async function load(name, input) {
  const bytes = await bytesOf(name);
  const { layers } = await loadKeras(bytes, { hdf5 });
  const normalizations = [...layers.values()].map(({ path, className, layer }) => [
    path,
    className,
    layer.built,
  ]);
  const outputs = {};
  for (const backend of ['wasm', 'cpu']) {
    await tf.setBackend(backend);
    const before = tf.memory().numTensors;
    const { model } = await loadKeras(bytes, { hdf5, tf });
    const output = tf.tidy(() => model.predict(tf.tensor(input.data, input.shape)).dataSync());
    outputs[backend] = [...output];
    model.dispose();
    outputs[`tensors left by ${backend}`] = tf.memory().numTensors - before;
  }
  return { normalizations, outputs };
}

async function run() {
  const { files, inputs } = await (await fetch('models.json')).json();
  const results = {};
  for (const [name, model] of Object.entries(files)) results[name] = await load(name, inputs[model]);
  const refused = await loadKeras((await bytesOf('models.json')).slice(0, 8), { hdf5 }).catch(
    ({ name, code }) => [name, code],
  );
  return { results, refused };
}

globalThis.results = run().catch((error) => ({ error: String(error?.stack ?? error) }));
