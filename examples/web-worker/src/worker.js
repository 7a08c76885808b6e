import { layerNorm } from 'layernorm';

addEventListener('message', ({ data: { id, x, shape } }) => {
  try {
    layerNorm(x, { shape, out: x });
    postMessage({ id, x }, [x.buffer]);
  } catch ({ code, message }) {
    postMessage({ id, error: { code, message } });
  }
});
