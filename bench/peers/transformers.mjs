// transformers.js' layer_norm: JavaScript, two dimensions, neither gamma nor beta; and what its users make of it for embeddings.

import { OPERATIONS } from '../lib/operations.mjs';
import { peerVersion, requirePeer } from './installed.mjs';

/** What comes after layer_norm, by the names of operations. */
const OFFERED = {
  layerNorm: (z) => z,
  matryoshka: (z, dimensions) => z.slice(null, [0, dimensions]).normalize(2, -1),
};

/** @type {import('./index.mjs').Open} */
export async function open() {
  const { layer_norm, Tensor } = requirePeer('@huggingface/transformers');
  return {
    title:
      `layer_norm of transformers.js ${peerVersion('@huggingface/transformers')}, without gamma and beta; ` +
      'of matryoshka .slice() and .normalize() after it',
    candidate(problem) {
      const { case: one, shape, layout, epsilon, arrays } = problem;
      const { operation, dimensions } = one;
      if (!(operation in OFFERED) || !['float32', 'float64'].includes(one.dtype) || one.inPlace)
        return undefined;
      if (shape.length !== 2 || layout.axes[0] !== 1) return undefined;
      const tensor = new Tensor(one.dtype, arrays.x, shape);
      let y;
      return {
        call() {
          y = OFFERED[operation](layer_norm(tensor, [shape[1]], { eps: epsilon }), dimensions);
        },
        expected: OPERATIONS[operation].expected({ ...problem, arrays: { x: arrays.x } }),
        results: () => [y.data],
      };
    },
    close() {},
  };
}
