// The parts of a net that the package does not have: plain loops over float32.

import type { Random } from './random.js';

/** y = x W + b, its gradients, and a step of gradient descent. */
export class Dense {
  readonly inputs: number;
  readonly outputs: number;
  /** [inputs, outputs] */
  readonly weights: Float32Array;
  /** Empty where there is none. */
  readonly bias: Float32Array;
  readonly weightGradient: Float32Array;
  readonly biasGradient: Float32Array;
  #x: Float32Array = new Float32Array();

  constructor(inputs: number, outputs: number, random: Random, hasBias = true) {
    this.inputs = inputs;
    this.outputs = outputs;
    const deviation = 1 / Math.sqrt(inputs);
    this.weights = Float32Array.from({ length: inputs * outputs }, () => deviation * random.normal());
    this.bias = new Float32Array(hasBias ? outputs : 0);
    this.weightGradient = new Float32Array(inputs * outputs);
    this.biasGradient = new Float32Array(this.bias.length);
  }

  /** Keeps a reference to x, of shape [rows, inputs], for `backward`. */
  forward(x: Float32Array): Float32Array {
    const { inputs, outputs, weights, bias } = this;
    this.#x = x;
    const y = new Float32Array((x.length / inputs) * outputs);
    for (let at = 0, row = 0; at < y.length; at += outputs, row += inputs) {
      for (let o = 0; o < outputs; o++) {
        let sum = bias[o] ?? 0;
        for (let i = 0; i < inputs; i++) sum += (x[row + i] as number) * (weights[i * outputs + o] as number);
        y[at + o] = sum;
      }
    }
    return y;
  }

  /** Sets the gradients of weights and bias, and returns that of x. */
  backward(dy: Float32Array): Float32Array {
    const { inputs, outputs, weights, weightGradient, biasGradient } = this;
    const x = this.#x;
    const dx = new Float32Array(x.length);
    weightGradient.fill(0);
    biasGradient.fill(0);
    for (let at = 0, row = 0; at < dy.length; at += outputs, row += inputs) {
      for (let o = 0; o < biasGradient.length; o++)
        biasGradient[o] = (biasGradient[o] as number) + (dy[at + o] as number);
      for (let i = 0; i < inputs; i++) {
        const element = x[row + i] as number;
        let sum = 0;
        for (let o = 0, w = i * outputs; o < outputs; o++, w++) {
          const d = dy[at + o] as number;
          sum += d * (weights[w] as number);
          weightGradient[w] = (weightGradient[w] as number) + d * element;
        }
        dx[row + i] = sum;
      }
    }
    return dx;
  }

  update(rate: number): void {
    descend(this.weights, this.weightGradient, rate);
    descend(this.bias, this.biasGradient, rate);
  }
}

function descend(values: Float32Array, gradient: Float32Array, rate: number): void {
  for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) - rate * (gradient[i] as number);
}

export function tanh(x: Float32Array): Float32Array {
  return x.map(Math.tanh);
}

/** @param y - what `tanh` gave */
export function tanhBackward(dy: Float32Array, y: Float32Array): Float32Array {
  return dy.map((d, i) => d * (1 - (y[i] as number) ** 2));
}

/** A loss, and what it depends on its first argument by. */
export interface Loss {
  readonly loss: number;
  readonly gradient: Float32Array;
}

export function meanSquaredError(y: Float32Array, targets: Float32Array): Loss {
  const gradient = new Float32Array(y.length);
  let sum = 0;
  for (let i = 0; i < y.length; i++) {
    const error = (y[i] as number) - (targets[i] as number);
    sum += error * error;
    gradient[i] = (2 * error) / y.length;
  }
  return { loss: sum / y.length, gradient };
}

/** The mean cross-entropy of classes 0 and 1, of which logits say how likely 1 is. */
export function crossEntropy(logits: Float32Array, classes: ArrayLike<number>): Loss {
  const gradient = new Float32Array(logits.length);
  let sum = 0;
  for (let i = 0; i < logits.length; i++) {
    const [logit, one] = [logits[i] as number, classes[i] as number];
    // log(1 + exp(z)) without overflow
    sum += Math.max(logit, 0) - logit * one + Math.log1p(Math.exp(-Math.abs(logit)));
    gradient[i] = (1 / (1 + Math.exp(-logit)) - one) / logits.length;
  }
  return { loss: sum / logits.length, gradient };
}

/** The length of all gradients together. */
export function norm(...vectors: ArrayLike<number>[]): number {
  let sum = 0;
  for (const vector of vectors) for (let i = 0; i < vector.length; i++) sum += (vector[i] as number) ** 2;
  return Math.sqrt(sum);
}
