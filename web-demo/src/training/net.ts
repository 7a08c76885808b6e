// A small classifier, with or without the package's layers in it.

import { LayerNormalization } from 'layernorm';
import { crossEntropy, Dense, norm, tanh, tanhBackward } from './dense.js';
import { Random } from './random.js';

/** Units of each hidden layer. */
export const HIDDEN = 16;
/** The two coordinates, and a constant that stands for a bias. */
export const INPUTS = 3;

export interface NetOptions {
  readonly isNormalized: boolean;
  readonly center: boolean;
  readonly scale: boolean;
  readonly seed: number;
}

/** Dense, norm, tanh, dense, norm, tanh, dense. The same seed gives the same first weights with and without the norms. */
export class Net {
  readonly dense: readonly Dense[];
  readonly norms: readonly LayerNormalization[];
  #hidden: Float32Array[] = [];

  constructor({ isNormalized, center, scale, seed }: NetOptions) {
    const random = new Random(seed);
    this.dense = [
      new Dense(INPUTS, HIDDEN, random, false),
      new Dense(HIDDEN, HIDDEN, random),
      new Dense(HIDDEN, 1, random),
    ];
    const make = () => new LayerNormalization({ center, scale });
    this.norms = isNormalized ? [make(), make()] : [];
  }

  /** The logits of inputs [rows, INPUTS]. */
  forward(inputs: Float32Array, training: boolean): Float32Array {
    this.#hidden = [];
    let x = inputs;
    for (const [i, dense] of this.dense.entries()) {
      x = dense.forward(x);
      if (i === this.dense.length - 1) break;
      const shape = [x.length / HIDDEN, HIDDEN];
      x = tanh(this.norms[i]?.apply(x, { shape, training }) ?? x);
      this.#hidden.push(x);
    }
    return x;
  }

  /** One step of gradient descent. */
  learn(inputs: Float32Array, classes: ArrayLike<number>, rate: number): { loss: number; gradient: number } {
    const { loss, gradient } = crossEntropy(this.forward(inputs, true), classes);
    let d = gradient;
    for (let i = this.dense.length - 1; i >= 0; i--) {
      d = (this.dense[i] as Dense).backward(d);
      if (i === 0) break;
      d = tanhBackward(d, this.#hidden[i - 1] as Float32Array);
      d = this.norms[i - 1]?.backward(d) ?? d;
    }
    const length = this.gradientNorm();
    for (const dense of this.dense) dense.update(rate);
    for (const layer of this.norms) descend(layer, rate);
    return { loss, gradient: length };
  }

  gradientNorm(): number {
    return norm(
      ...this.dense.flatMap(({ weightGradient, biasGradient }) => [weightGradient, biasGradient]),
      ...this.norms.flatMap(({ weights }) => weights.map(({ gradient }) => gradient ?? [])),
    );
  }

  dispose(): void {
    for (const layer of this.norms) layer.dispose();
  }
}

/** A step of gradient descent for a layer of the package. */
export function descend(layer: LayerNormalization, rate: number): void {
  layer.update((weight, gradient) =>
    weight.numbers().map((value, i) => value - rate * (gradient[i] as number)),
  );
}
