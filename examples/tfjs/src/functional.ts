// inputs = keras.Input((10,))
// x = Dense(64, activation='relu')(inputs)
// x = LayerNormalization(axis=-1)(x)
// outputs = Dense(10, activation='softmax')(x)
// model = keras.Model(inputs, outputs)

import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import { layerNormalization, tf } from './tf.ts';
import { initializer, run } from './train.ts';

await run('Functional', () => {
  const inputs = tf.input({ shape: [10] });
  const hidden = tf.layers.dense({ units: 64, activation: 'relu', kernelInitializer: initializer(1) });
  const classes = tf.layers.dense({ units: 10, activation: 'softmax', kernelInitializer: initializer(2) });
  const x = layerNormalization(hidden.apply(inputs) as SymbolicTensor, { axis: -1 });
  return tf.model({ inputs, outputs: classes.apply(x) as SymbolicTensor });
});
