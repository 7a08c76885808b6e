// transformers.js' layer_norm: JavaScript, two dimensions, neither gamma nor beta.

import { standardizedReference } from '../lib/reference.mjs';
import { peerVersion, requirePeer } from './installed.mjs';

/** @type {import('./index.mjs').Open} */
export async function open() {
  const { layer_norm, Tensor } = requirePeer('@huggingface/transformers');
  return {
    title: `layer_norm of transformers.js ${peerVersion('@huggingface/transformers')}, without gamma and beta`,
    candidate(problem) {
      const { case: one, shape, layout, epsilon, arrays } = problem;
      if (one.operation !== 'layerNorm' || !['float32', 'float64'].includes(one.dtype) || one.inPlace) {
        return undefined;
      }
      if (shape.length !== 2 || layout.axes[0] !== 1) return undefined;
      const tensor = new Tensor(one.dtype, arrays.x, shape);
      let y;
      return {
        call() {
          y = layer_norm(tensor, [shape[1]], { eps: epsilon });
        },
        expected: [standardizedReference({ ...problem, arrays: { x: arrays.x } })],
        results: () => [y.data],
      };
    },
    close() {},
  };
}
