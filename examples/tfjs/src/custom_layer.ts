// class MyLayerNormalization(keras.layers.Layer):
//     def build(self, input_shape):
//         self.gamma = self.add_weight(name='gamma', shape=input_shape[-1:], initializer='ones')
//         self.beta = self.add_weight(name='beta', shape=input_shape[-1:], initializer='zeros')
//     def call(self, inputs): ...
//     def compute_output_shape(self, input_shape): return input_shape

import type { Tensor } from '@tensorflow/tfjs-core';
import type { LayerVariable } from '@tensorflow/tfjs-layers';
import { ops, tf } from './tf.ts';
import { initializer, run } from './train.ts';

type Shape = (number | null)[];

class MyLayerNormalization extends tf.layers.Layer {
  static className = 'MyLayerNormalization';
  readonly epsilon: number;
  gamma!: LayerVariable;
  beta!: LayerVariable;

  constructor({ epsilon = 1e-3, ...config }: { epsilon?: number; name?: string } = {}) {
    super(config);
    this.epsilon = epsilon;
  }

  override build(inputShape: Shape): void {
    const shape = inputShape.slice(-1);
    this.gamma = this.addWeight('gamma', shape, 'float32', tf.initializers.ones());
    this.beta = this.addWeight('beta', shape, 'float32', tf.initializers.zeros());
    this.built = true;
  }

  override call(inputs: Tensor | Tensor[]): Tensor {
    const x = Array.isArray(inputs) ? inputs[0] : inputs;
    const { epsilon } = this;
    return ops.layerNorm(x, { gamma: this.gamma.read(), beta: this.beta.read(), axis: -1, epsilon });
  }

  override computeOutputShape(inputShape: Shape): Shape {
    return inputShape;
  }

  override getConfig() {
    return { ...super.getConfig(), epsilon: this.epsilon };
  }
}
tf.serialization.registerClass(MyLayerNormalization); // so that saved models can be loaded

await run('Custom layer', () =>
  tf.sequential({
    layers: [
      tf.layers.dense({
        units: 64,
        activation: 'relu',
        inputShape: [10],
        kernelInitializer: initializer(1),
      }),
      new MyLayerNormalization(),
      tf.layers.dense({ units: 10, activation: 'softmax', kernelInitializer: initializer(2) }),
    ],
  }),
);
