// Group normalization with one group is layer normalization, and where they differ.

import type { Tensor } from '@tensorflow/tfjs-core';
import { print } from '#platform';
import { groupNormalization, layerNormalization, ops, tf } from './tf.ts';
import { initializer, run } from './train.ts';

const difference = (a: Tensor, b: Tensor): number => tf.max(tf.abs(tf.sub(a, b))).dataSync()[0] as number;

// Samples that are one row of features: the same, gamma and beta included. It learns as sequential.ts does.
await run('One group', () =>
  tf.sequential({
    layers: [
      tf.layers.dense({
        units: 64,
        activation: 'relu',
        inputShape: [10],
        kernelInitializer: initializer(1),
      }),
      groupNormalization({ groups: 1, axis: -1 }),
      tf.layers.dense({ units: 10, activation: 'softmax', kernelInitializer: initializer(2) }),
    ],
  }),
);

// Samples of more dimensions, such as images: one group is all of them but the first.
const images = tf.randomNormal([4, 8, 8, 16], 3, 2, 'float32', 5);
const grouped = ops.groupNorm(images, { groups: 1 });
print(`images, axis [1, 2, 3]: differ by ${difference(grouped, ops.layerNorm(images, { axis: [1, 2, 3] }))}`);
print(`images, axis -1: differ by ${difference(grouped, ops.layerNorm(images)).toFixed(1)}`);

// gamma and beta are not: group normalization has one number for each channel, layer normalization one for each place.
const group = groupNormalization({ groups: 1 });
const layer = layerNormalization({ axis: [1, 2, 3] });
for (const one of [group, layer]) one.apply(images);
print(`gamma: [${group.weights[0].shape}] and [${layer.weights[0].shape}]`);
const gamma = tf.randomUniform([16], 0, 1, 'float32', 6);
group.setWeights([gamma, tf.zeros([16])]);
layer.setWeights([tf.tile(tf.reshape(gamma, [1, 1, 16]), [8, 8, 1]), tf.zeros([8, 8, 16])]);
print(
  `the same gamma at each place: differ by ${difference(group.apply(images) as Tensor, layer.apply(images) as Tensor)}`,
);
