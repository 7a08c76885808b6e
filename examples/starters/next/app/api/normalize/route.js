import { LayerNormError, layerNorm } from 'layernorm';

/** Nested arrays of numbers in, the same out. */
export async function POST(request) {
  try {
    return Response.json(layerNorm(await request.json()));
  } catch (error) {
    if (!(error instanceof LayerNormError || error instanceof SyntaxError)) throw error;
    return Response.json({ code: error.code ?? 'ERR_JSON', message: error.message }, { status: 400 });
  }
}
