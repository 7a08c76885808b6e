// Models in a folder, in the format of TensorFlow.js: model.json and weights.bin. With tfjs-node this is `file://`.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { io } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { tf } from './tf.ts';

export async function save(model: LayersModel, folder: string): Promise<void> {
  const handler = tf.io.withSaveHandler(async (artifacts: io.ModelArtifacts) => {
    const { weightData, weightSpecs: weights, ...rest } = artifacts;
    mkdirSync(folder, { recursive: true });
    const manifest = { ...rest, weightsManifest: [{ paths: ['weights.bin'], weights }] };
    writeFileSync(join(folder, 'model.json'), JSON.stringify(manifest));
    writeFileSync(join(folder, 'weights.bin'), new Uint8Array(weightData as ArrayBuffer));
    return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
  });
  await model.save(handler);
}

export function load(folder: string): Promise<LayersModel> {
  const { weightsManifest, ...rest } = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8'));
  const weightData = new Uint8Array(readFileSync(join(folder, 'weights.bin'))).buffer;
  return tf.loadLayersModel(
    tf.io.fromMemory({ ...rest, weightSpecs: weightsManifest[0].weights, weightData }),
  );
}
