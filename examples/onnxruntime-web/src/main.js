import { matryoshka } from 'layernorm';
import * as ort from 'onnxruntime-web/wasm';
import { buildModel } from './model.js';

const [ROWS, INPUTS, DIMS] = [4, 32, 256];
/** Matryoshka embeddings: how many of their dimensions are kept. */
const KEPT = 64;

ort.env.wasm.numThreads = 1; // more need a page that is cross-origin isolated

const weights = Float32Array.from({ length: INPUTS * DIMS }, (_, i) => Math.sin(i * i) / 4);
const session = await ort.InferenceSession.create(buildModel(weights, INPUTS, DIMS), {
  executionProviders: ['wasm'],
});
const x = Float32Array.from({ length: ROWS * INPUTS }, (_, i) => Math.cos(3 * i));
const { embeddings } = await session.run({ x: new ort.Tensor('float32', x, [ROWS, INPUTS]) });

// Layer norm, the first dimensions, and unit norm, so that dot products are cosines. Tensors of onnxruntime go in as they are, and what
// comes back is one again.
const { data: kept } = matryoshka(embeddings, { dimensions: KEPT });

const rows = Array.from({ length: ROWS }, (_, row) => kept.subarray(row * KEPT, (row + 1) * KEPT));
const cosine = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
document.getElementById('result').textContent = [
  `${ROWS} embeddings of ${DIMS} dimensions, cut to ${KEPT}; their cosines:`,
  ...rows.map((a) => rows.map((b) => cosine(a, b).toFixed(4).padStart(8)).join('')),
].join('\n');
globalThis.results = { embeddings: Array.from(embeddings.data), kept: Array.from(kept) }; // for the console
