// keras.Sequential([Dense(64, activation='relu'), LayerNormalization(axis=-1), Dense(10, activation='softmax')])

import { layerNormalization, tf } from './tf.ts';
import { initializer, run } from './train.ts';

await run('Sequential', () =>
  tf.sequential({
    layers: [
      tf.layers.dense({
        units: 64,
        activation: 'relu',
        inputShape: [10],
        kernelInitializer: initializer(1),
      }),
      layerNormalization({ axis: -1 }),
      tf.layers.dense({ units: 10, activation: 'softmax', kernelInitializer: initializer(2) }),
    ],
  }),
);
