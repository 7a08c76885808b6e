// What a page with TensorFlow.js does: one model trained on each of its backends.
import '@tensorflow/tfjs-backend-cpu';
import { getThreadsCount, setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import * as core from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import { install, patchBuiltins } from 'layernorm/tfjs';
import { makeGraphModel } from './graph_model.js';

const tf = { ...core, ...layers };
setWasmPaths('./');
// TensorFlow.js takes half of the processors at most: here two threads, on whichever machine.
Object.defineProperty(navigator, 'hardwareConcurrency', { value: 4 });
setThreadsCount(2);
const { layerNormalization, batchNormalization } = install(tf);

async function train() {
  const model = tf.sequential();
  const dense = (units, seed, more) =>
    tf.layers.dense({ units, kernelInitializer: tf.initializers.glorotUniform({ seed }), ...more });
  model.add(dense(16, 1, { activation: 'relu', inputShape: [10] }));
  layerNormalization(model, { axis: -1 });
  batchNormalization(model);
  model.add(dense(10, 2, { activation: 'softmax' }));
  model.compile({ loss: 'categoricalCrossentropy', optimizer: tf.train.sgd(0.1) });
  const x = tf.randomNormal([64, 10], 0, 1, 'float32', 3);
  const y = tf.oneHot(tf.argMax(x, 1), 10);
  const { history } = await model.fit(x, y, { epochs: 4, batchSize: 32, shuffle: false, verbose: 0 });
  const gamma = await model.layers[1].getWeights()[0].data();
  const normalized = await layerNormalization(x).data();
  return {
    backend: tf.getBackend(),
    loss: history.loss,
    moved: gamma.some((value) => value !== 1),
    predictions: [...(await model.predict(x).data())],
    normalized: [...normalized],
  };
}

/** Whether TensorFlow.js gives the same bits with the kernels that are swapped in. */
async function comparePatched(compute) {
  const own = await compute();
  const undo = patchBuiltins(tf);
  const ours = await compute();
  undo();
  return own.length > 0 && own.every((value, i) => Object.is(value, ours[i]));
}

/** The gradient of a layer of TensorFlow.js itself. */
function compareLayer() {
  const x = tf.randomNormal([8, 24], 0, 1, 'float32', 4);
  const layer = tf.layers.layerNormalization();
  const gradient = tf.grad((given) => tf.sum(tf.square(layer.apply(given))));
  return comparePatched(() => gradient(x).data());
}

async function compareGraphModel() {
  const model = await loadGraphModel(tf.io.fromMemory(makeGraphModel({ rows: 6, cols: 5, channels: 24 })));
  const x = tf.randomNormal([3, 6, 5, 24], 2, 1, 'float32', 5);
  return comparePatched(async () => {
    const [y, means] = model.predict(x);
    return [...(await y.data()), ...(await means.data())];
  });
}

async function run() {
  const results = {};
  for (const backend of ['wasm', 'cpu']) {
    await tf.setBackend(backend);
    results[backend] = await train();
    if (backend !== 'wasm') continue;
    const { wasmMemory, asm } = tf.backend().wasm;
    const { buffer } = wasmMemory ?? asm.memory;
    results.shared = Object.prototype.toString.call(buffer) === '[object SharedArrayBuffer]';
    results.threads = getThreadsCount();
    results.patched = { layer: await compareLayer(), graphModel: await compareGraphModel() };
  }
  return { ...results, isolated: crossOriginIsolated };
}

globalThis.results = run().catch((error) => ({ error: String(error?.stack ?? error) }));
