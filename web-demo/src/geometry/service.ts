// All numbers of the geometry view: points of three coordinates, step by step through a normalization.

import { info, layerNormForward, moments, rmsNormForward, unitNormForward } from 'layernorm';
import type { Service } from '../worker/service.js';
import type { Job, Outcome, Points, Requests, Stage } from './protocol.js';

/** No point is nearer to the origin than this, which keeps the distance of 0 a number. */
const LEAST_DISTANCE = 1e-30;

export const service: Service<Requests> = { normalize };

function normalize({ method, epsilon, gamma, beta, points }: Job): Outcome {
  const shape = [points.length / 3, 3];
  const parameters = { gamma: Float32Array.from(gamma), beta: Float32Array.from(beta) };
  const isLayer = method === 'layer';
  const { y: scaled, rstd } = isLayer
    ? layerNormForward(points, { shape, epsilon })
    : rmsNormForward(points, { shape, epsilon });
  const { y } = isLayer
    ? layerNormForward(points, { shape, epsilon, ...parameters })
    : rmsNormForward(points, { shape, epsilon, gamma: parameters.gamma });
  // The kernel does it in one go; to show it, the mean that it found is subtracted here.
  const { mean } = layerNormForward(points, { shape, epsilon });
  const centred = isLayer ? points.map((x, i) => x - (mean[Math.floor(i / 3)] as number)) : points;
  const { version, variant, threads } = info();
  return {
    stages: [stageOf(points), stageOf(centred), stageOf(scaled), stageOf(y)],
    rstd: [...rstd],
    engine: { version, variant, threads },
  };
}

function stageOf(points: Points): Stage {
  const shape = [points.length / 3, 3];
  const { rstd } = unitNormForward(points, { shape, epsilon: LEAST_DISTANCE });
  return {
    points,
    mean: [...(moments(points, { shape, axis: 1 }).mean as Float32Array)],
    distance: [...rstd].map((inverse) => 1 / inverse),
  };
}
