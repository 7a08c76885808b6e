// What a normalization takes out of a gradient: by the package, and in float64 to check it.

import { layerNormBackward, layerNormForward, moments, rmsNormBackward, rmsNormForward } from 'layernorm';
import type { Gradients, Sample } from './protocol.js';

/** All from the package, in float32, but for products and differences of two numbers. */
export function gradientsOf({ norm, epsilon, ...sample }: Sample): Gradients {
  const [x, dy, gamma] = [sample.x, sample.dy, sample.gamma].map((values) => Float32Array.from(values)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const g = dy.map((d, i) => d * (gamma[i] as number));
  const { hat, rstd, dx } = norm === 'layer' ? layer(x, dy, gamma, epsilon) : rms(x, dy, gamma, epsilon);
  const mean = (values: Float32Array) => moments(values).mean[0] as number;
  const ones = norm === 'layer' ? mean(g) : 0;
  const average = mean(g.map((one, i) => one * (hat[i] as number)));
  return {
    hat: [...hat],
    rstd,
    g: [...g],
    alongOnes: Array.from(g, () => ones),
    alongHat: [...hat.map((one) => one * average)],
    left: [...dx.map((d) => d / rstd)],
    dx: [...dx],
  };
}

function layer(x: Float32Array, dy: Float32Array, gamma: Float32Array, epsilon: number) {
  const { y: hat, mean, rstd } = layerNormForward(x, { epsilon });
  const { dx } = layerNormBackward(dy, x, { mean, rstd, gamma, outputs: ['dx'] });
  return { hat, rstd: rstd[0] as number, dx };
}

function rms(x: Float32Array, dy: Float32Array, gamma: Float32Array, epsilon: number) {
  const { y: hat, rstd } = rmsNormForward(x, { epsilon });
  const { dx } = rmsNormBackward(dy, x, { rstd, gamma, outputs: ['dx'] });
  return { hat, rstd: rstd[0] as number, dx };
}
