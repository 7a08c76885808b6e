// What onnxruntime's two packages have in common.

import { layerNormalizationModel } from './onnx_model.mjs';

/** @returns {import('./index.mjs').Peer} */
export function onnxruntimePeer(title, { InferenceSession, Tensor }, sessionOptions) {
  return {
    title,
    async candidate({ case: one, shape, layout, epsilon, arrays: { x, gamma, beta } }) {
      const { operation, dtype, inPlace } = one;
      if (!['layerNorm', 'layerNormForward'].includes(operation)) return undefined;
      if (!['float32', 'float64'].includes(dtype) || inPlace) return undefined;
      // LayerNormalization knows trailing axes only.
      if (layout.inner !== 1) return undefined;

      const statistics = operation === 'layerNormForward';
      const { reducedShape, axes } = layout;
      const parts = { dtype, shape, reducedShape, axis: axes[0], epsilon, statistics };
      const model = layerNormalizationModel({ ...parts, beta: beta !== undefined });
      const session = await InferenceSession.create(model, sessionOptions);
      const tensor = (data, sizes) => new Tensor(dtype, data, sizes);
      const scale = gamma ?? new x.constructor(layout.cols).fill(1);
      const feeds = { X: tensor(x, shape), Scale: tensor(scale, reducedShape) };
      if (beta) feeds.B = tensor(beta, reducedShape);
      let y;
      return {
        async callAsync() {
          ({ Y: y } = await session.run(feeds));
        },
        results: () => [y.data],
        dispose: () => session.release(),
      };
    },
    close() {},
  };
}
