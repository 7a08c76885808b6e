// TensorFlow.js on its WebAssembly backend, one thread. Tensors stay in its heap: nothing is copied in or out.

import { peerFolder, peerVersion, requirePeer } from './installed.mjs';

let started;

async function start() {
  const tf = requirePeer('@tensorflow/tfjs');
  const wasm = requirePeer('@tensorflow/tfjs-backend-wasm');
  wasm.setThreadsCount(1);
  wasm.setWasmPaths(peerFolder('@tensorflow', 'tfjs-backend-wasm', 'dist', '/'));
  if (!(await tf.setBackend('wasm'))) throw new Error('TensorFlow.js did not take its wasm backend');
  return tf;
}

/** Its own layer, which repeats mean and variance over the whole of x before it uses them. */
export const openLayer = () =>
  open('the layer of', (tf, { case: { affine }, layout, epsilon, arrays: { gamma, beta } }) => {
    const layer = tf.layers.layerNormalization({ axis: layout.axes, epsilon, scale: affine, center: affine });
    return {
      apply: (x) => layer.apply(x),
      prepare: (x) => {
        layer.build(x.shape);
        if (affine) layer.setWeights([gamma, beta].map((data) => tf.tensor(data, layout.reducedShape)));
      },
    };
  });

/** The same out of its operations, as one would write it. */
export const openOperations = () =>
  open('operations of', (tf, { shape, layout, epsilon, arrays: { gamma, beta } }) => {
    const kept = shape.map((size, i) => (layout.axes.includes(i) ? size : 1));
    const scale = gamma && tf.tensor(gamma, kept);
    const offset = beta && tf.tensor(beta, kept);
    return {
      apply(x) {
        const { mean, variance } = tf.moments(x, layout.axes, true);
        const normalized = x.sub(mean).mul(variance.add(epsilon).rsqrt());
        return scale ? normalized.mul(scale).add(offset) : normalized;
      },
    };
  });

/** @returns {Promise<import('./index.mjs').Peer>} */
async function open(kind, make) {
  started ??= start();
  const tf = await started;
  return {
    title: `${kind} TensorFlow.js ${peerVersion('@tensorflow/tfjs')}, wasm`,
    candidate(problem) {
      const { case: one, shape } = problem;
      if (one.operation !== 'layerNorm' || one.dtype !== 'float32' || one.inPlace) return undefined;
      tf.engine().startScope();
      const x = tf.tensor(problem.arrays.x, shape);
      const { apply, prepare } = make(tf, problem);
      prepare?.(x);
      let y;
      return {
        call() {
          y?.dispose();
          y = tf.tidy(() => apply(x));
        },
        results: () => [y.dataSync()],
        dispose() {
          y?.dispose();
          tf.engine().endScope();
        },
      };
    },
    close() {},
  };
}
