// What tfjs.mjs and tfjs.cjs do: train a model on the backend of WebAssembly.
const { createRequire } = require('node:module');
const { dirname, join } = require('node:path');

/** The TensorFlow.js of another package. */
exports.loadTensorFlow = async (packageJson) => {
  const from = createRequire(packageJson);
  const { setWasmPaths } = from('@tensorflow/tfjs-backend-wasm');
  setWasmPaths(join(dirname(from.resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'dist/'));
  const tf = { ...from('@tensorflow/tfjs-core'), ...from('@tensorflow/tfjs-layers') };
  await tf.setBackend('wasm');
  return tf;
};

exports.train = async (tf, { install }) => {
  const { layerNormalization } = install(tf);
  const model = tf.sequential();
  const kernelInitializer = tf.initializers.glorotUniform({ seed: 1 });
  model.add(tf.layers.dense({ units: 8, activation: 'relu', inputShape: [4], kernelInitializer }));
  const same = layerNormalization(model, { axis: -1 }) === model;
  model.add(tf.layers.dense({ units: 1, kernelInitializer }));
  model.compile({ loss: 'meanSquaredError', optimizer: tf.train.adam(0.05) });
  const x = tf.randomNormal([64, 4], 0, 1, 'float32', 2);
  const { history } = await model.fit(x, tf.sum(x, 1, true), { epochs: 10, shuffle: false, verbose: 0 });
  console.log(JSON.stringify({ backend: tf.getBackend(), loss: history.loss, same }));
};
