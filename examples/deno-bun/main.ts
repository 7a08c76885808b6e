import { configure, info, LayerNormError, layerNorm, tensor } from 'layernorm';

const { reason } = await configure({ threads: 2 });
if (reason) console.warn(`one thread: ${reason}`);

/** GET tells of the package, POST normalizes nested arrays of numbers. */
async function answer(request: Request): Promise<Response> {
  if (request.method !== 'POST') return Response.json(info());
  try {
    using x = tensor(await request.json());
    layerNorm(x, { out: x });
    return Response.json({ shape: x.shape, y: Array.from(x.array) });
  } catch (error) {
    if (!(error instanceof LayerNormError || error instanceof SyntaxError)) throw error;
    const code = error instanceof LayerNormError ? error.code : 'ERR_JSON';
    return Response.json({ code, message: error.message }, { status: 400 });
  }
}

export default { fetch: answer };
