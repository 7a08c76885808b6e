// What the programs have in common: a model learns, is judged by rows it has not seen, saved and loaded.

import type { Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { print, saveAndLoad } from '#platform';
import { type Data, readDigits } from './data.ts';
import { start, tf } from './tf.ts';

/** Two runs give the same numbers: all that is random has a seed. */
export const initializer = (seed: number) => tf.initializers.glorotUniform({ seed });

/** The share of rows whose class the model finds. */
function accuracyOf(model: LayersModel, { x, y }: Data['heldOut']): number {
  return tf.tidy(() => {
    const found = tf.argMax(model.predict(x) as Tensor, -1);
    return tf.mean(tf.cast(tf.equal(found, tf.cast(y, 'int32')), 'float32')).dataSync()[0] as number;
  });
}

const largestDifference = (a: Tensor, b: Tensor): number =>
  tf.tidy(() => tf.max(tf.abs(tf.sub(a, b))).dataSync()[0] as number);

export async function run(name: string, build: () => LayersModel): Promise<void> {
  await start();
  const { train, heldOut } = await readDigits();
  const model = build();
  print(`${name}, TensorFlow.js ${tf.version_core}, ${tf.getBackend()}`);
  print(`layers: ${model.layers.map((layer) => layer.getClassName()).join(', ')}`);

  model.compile({
    optimizer: tf.train.adam(0.01),
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
  });
  const before = model.trainableWeights.map((weight) => tf.clone(weight.read()));
  const { history } = await model.fit(train.x, train.y, {
    epochs: 15,
    batchSize: 64,
    shuffle: false, // by Math.random, which has no seed; the rows are in random order as they are
    verbose: 0,
  });
  const losses = history.loss as number[];
  for (const epoch of [1, 5, 10, 15]) print(`epoch ${epoch}: loss ${losses[epoch - 1].toFixed(6)}`);
  for (const [i, weight] of model.trainableWeights.entries()) {
    if (!/gamma|beta/.test(weight.name)) continue;
    const moved = largestDifference(weight.read(), before[i]);
    print(`${weight.originalName.split('/').at(-1)} moved by up to ${moved.toFixed(3)}`);
  }
  const rows = heldOut.x.shape[0];
  print(`right: ${(100 * accuracyOf(model, heldOut)).toFixed(1)} % of ${rows} held-out rows`);

  const loaded = await saveAndLoad(model);
  const difference = largestDifference(
    model.predict(heldOut.x) as Tensor,
    loaded.predict(heldOut.x) as Tensor,
  );
  print(`saved, loaded: predictions differ by ${difference}`);
}
