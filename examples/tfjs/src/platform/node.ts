// What programs find in Node. page.ts has the same for pages; "imports" in package.json says which of them is `#platform`.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { io } from '@tensorflow/tfjs-core';
import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers';

/** The folder of the `.wasm` files of TensorFlow.js. */
export const wasmPath = fileURLToPath(new URL('.', import.meta.resolve('@tensorflow/tfjs-backend-wasm')));

/** The name of a backend, if one is given: `node build/sequential.js cpu`. */
export const backend = process.argv[2];

export const print = (line: string): void => console.log(line);

export async function readTable(name: string): Promise<string> {
  return readFileSync(new URL(`../../data/${name}`, import.meta.url), 'utf8');
}

/** Saves a model in a folder, in the format of TensorFlow.js, and gives what is loaded from there. */
export async function saveAndLoad(model: LayersModel): Promise<LayersModel> {
  const folder = mkdtempSync(join(tmpdir(), 'model-'));
  try {
    await save(model, folder);
    return await load(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** model.json and weights.bin. With tfjs-node this is `model.save('file://...')`. */
async function save(model: LayersModel, folder: string): Promise<void> {
  const handler = io.withSaveHandler(async (artifacts: io.ModelArtifacts) => {
    const { weightData, weightSpecs: weights, ...rest } = artifacts;
    mkdirSync(folder, { recursive: true });
    const manifest = { ...rest, weightsManifest: [{ paths: ['weights.bin'], weights }] };
    writeFileSync(join(folder, 'model.json'), JSON.stringify(manifest));
    writeFileSync(join(folder, 'weights.bin'), new Uint8Array(weightData as ArrayBuffer));
    return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
  });
  await model.save(handler);
}

function load(folder: string): Promise<LayersModel> {
  const { weightsManifest, ...rest } = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8'));
  const weightData = new Uint8Array(readFileSync(join(folder, 'weights.bin'))).buffer;
  return loadLayersModel(io.fromMemory({ ...rest, weightSpecs: weightsManifest[0].weights, weightData }));
}
