// TensorFlow.js on its WebAssembly backend, one thread. Tensors stay in its heap: nothing is copied in or out.

import { broadcastShape } from '../lib/layout.mjs';
import { shapeOf } from '../lib/operations.mjs';
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

const channelsLast = ({ layout }) => layout.shape[2] === 1;

/** Its own layers. */
const LAYERS = {
  /** Repeats mean and variance over the whole of x before it uses them. */
  layerNorm(tf, { case: { affine }, layout, epsilon }, { x, gamma, beta }) {
    const layer = tf.layers.layerNormalization({ axis: layout.axes, epsilon, scale: affine, center: affine });
    layer.build(x.shape);
    if (affine) layer.setWeights([gamma, beta]);
    return () => [layer.apply(x)];
  },

  /** With channels first, wrong results on this backend. */
  batchNormInference(tf, problem, { x, gamma, beta, mean, variance }) {
    if (!channelsLast(problem)) return undefined;
    const layer = tf.layers.batchNormalization({ axis: -1, epsilon: problem.epsilon });
    layer.build(x.shape);
    layer.setWeights([gamma, beta, mean, variance]);
    return () => [layer.apply(x, { training: false })];
  },
};

/** The mean of the squares over the axes that are reduced, or their sum. */
const squares = (x, { axes }, how) => x.square()[how](axes, true);

/** Groups with a mean and a variance of their own, written out in the shape of the layout. */
function standardized(tf, { shape, layout, epsilon }, { x, gamma, beta }) {
  const [scale, offset] = [gamma, beta].map((one) => one?.reshape(broadcastShape(layout)));
  return (of = x) => {
    const view = of.reshape(layout.shape);
    const { mean, variance } = tf.moments(view, layout.axes, true);
    const normalized = view.sub(mean).mul(variance.add(epsilon).rsqrt());
    return [(scale ? normalized.mul(scale).add(offset) : normalized).reshape(shape)];
  };
}

function rmsScaled(_, { layout, epsilon }, { x, gamma }) {
  const scale = gamma.reshape(broadcastShape(layout));
  return (of = x) => [of.mul(squares(of, layout, 'mean').add(epsilon).rsqrt()).mul(scale)];
}

/** The same out of its operations, as one would write it. */
const OPERATIONS = {
  layerNorm: standardized,
  groupNorm: standardized,
  instanceNorm: standardized,

  batchNorm(tf, problem, tensors) {
    if (!channelsLast(problem)) return standardized(tf, problem, tensors);
    const { x, gamma, beta } = tensors;
    const axes = problem.shape.map((_, i) => i).slice(0, -1);
    return () => {
      const { mean, variance } = tf.moments(x, axes);
      return [tf.batchNorm(x, mean, variance, beta, gamma, problem.epsilon)];
    };
  },

  batchNormInference(tf, { shape, layout, epsilon }, { x, gamma, beta, mean, variance }) {
    if (channelsLast({ layout })) return () => [tf.batchNorm(x, mean, variance, beta, gamma, epsilon)];
    const [m, v, g, b] = [mean, variance, gamma, beta].map((one) => one.reshape(broadcastShape(layout)));
    const view = x.reshape(layout.shape);
    return () => [view.sub(m).mul(v.add(epsilon).rsqrt().mul(g)).add(b).reshape(shape)];
  },

  rmsNorm: rmsScaled,

  unitNorm(tf, { layout, epsilon }, { x }) {
    return () => [x.mul(tf.maximum(squares(x, layout, 'sum'), epsilon ** 2).rsqrt())];
  },

  skipLayerNorm(tf, problem, { x, skip, ...parameters }) {
    const normalize = standardized(tf, problem, parameters);
    return () => {
      const sum = x.add(skip);
      return [...normalize(sum), sum];
    };
  },

  skipRmsNorm(tf, problem, { x, skip, gamma }) {
    const normalize = rmsScaled(tf, problem, { gamma });
    return () => {
      const sum = x.add(skip);
      return [...normalize(sum), sum];
    };
  },

  moments(tf, { layout }, { x }) {
    return () => {
      const { mean, variance } = tf.moments(x, layout.axes);
      return [mean, variance];
    };
  },
};

export const openLayers = () => open('layers of', LAYERS);
export const openOperations = () => open('operations of', OPERATIONS);

/**
 * @param {Record<string, (tf: object, problem: object, tensors: object) => (() => object[]) | undefined>}
 *   functions that give a function for the results of an operation
 * @returns {Promise<import('./index.mjs').Peer>}
 */
async function open(kind, functions) {
  started ??= start();
  const tf = await started;
  return {
    title: `${kind} TensorFlow.js ${peerVersion('@tensorflow/tfjs')}, wasm`,
    candidate(problem) {
      const { case: one, arrays } = problem;
      if (!(one.operation in functions) || one.dtype !== 'float32' || one.inPlace) return undefined;
      tf.engine().startScope();
      const given = Object.entries(arrays).filter(([, data]) => data);
      const tensors = Object.fromEntries(
        given.map(([name, data]) => [name, tf.tensor(data, shapeOf(name, problem))]),
      );
      const apply = functions[one.operation](tf, problem, tensors);
      if (!apply) {
        tf.engine().endScope();
        return undefined;
      }
      let last = [];
      return {
        call() {
          tf.dispose(last);
          last = tf.tidy(apply);
        },
        results: () => last.map((result) => result.dataSync()),
        dispose() {
          tf.dispose(last);
          tf.engine().endScope();
        },
      };
    },
    close() {},
  };
}
