// What is learned from, made from a seed.

import { Random } from './random.js';

/** Elements of a sample in the first task. */
export const FEATURES = 8;
/** Samples to learn from. */
export const [REGRESSION_SAMPLES, POINTS] = [1024, 400];
/** Standard deviation of what is added to every target. */
export const NOISE = 0.1;

/** The hidden weights, and inputs for which somebody who knows them has to compute targets. */
export interface Regression {
  readonly gamma: Float32Array;
  readonly beta: Float32Array;
  /** [REGRESSION_SAMPLES, FEATURES], each sample with an offset and a scale of its own. */
  readonly x: Float32Array;
  /** Of the shape of x, to be added to the targets. */
  readonly noise: Float32Array;
}

export function makeRegression(seed: number): Regression {
  const random = new Random(seed);
  // Away from 1 and 0, where the layer starts.
  const gamma = Float32Array.from({ length: FEATURES }, () => 0.25 + 2.25 * random.next());
  const beta = Float32Array.from({ length: FEATURES }, () => 3 * random.next() - 1.5);
  const x = new Float32Array(REGRESSION_SAMPLES * FEATURES);
  for (let row = 0; row < REGRESSION_SAMPLES; row++) {
    const [offset, scale] = [5 * random.normal(), 10 ** (2 * random.next() - 0.5)];
    for (let i = 0; i < FEATURES; i++) x[row * FEATURES + i] = offset + scale * random.normal();
  }
  const noise = Float32Array.from(x, () => NOISE * random.normal());
  return { gamma, beta, x, noise };
}

/**
 * The mean squared error that learning can come down to: that of the noise, and of what a layer without gamma or beta has no
 * weights for. x hat has mean 0 and, but for epsilon, variance 1.
 */
export function lowestLoss({ gamma, beta }: Regression, center: boolean, scale: boolean): number {
  let missed = 0;
  for (let i = 0; i < FEATURES; i++) {
    if (!scale) missed += ((gamma[i] as number) - 1) ** 2;
    if (!center) missed += (beta[i] as number) ** 2;
  }
  return NOISE ** 2 + missed / FEATURES;
}

export const SHAPES = ['rings', 'spirals'] as const;
export type PointShape = (typeof SHAPES)[number];

/** Points of the plane, of two classes. */
export interface Points {
  /** [POINTS, 2], within about -1 and 1. */
  readonly places: Float32Array;
  /** 0 or 1, as many of one as of the other. */
  readonly classes: Uint8Array;
}

export function makePoints(shape: PointShape, seed: number): Points {
  const random = new Random(seed);
  const places = new Float32Array(2 * POINTS);
  const classes = Uint8Array.from({ length: POINTS }, (_, i) => i % 2);
  classes.forEach((one, i) => {
    places.set(PLACE[shape](one, random), 2 * i);
  });
  return { places, classes };
}

const around = (radius: number, angle: number) => [radius * Math.cos(angle), radius * Math.sin(angle)];

const PLACE: Record<PointShape, (one: number, random: Random) => number[]> = {
  rings: (one, random) => {
    const angle = 2 * Math.PI * random.next();
    return around((one ? 0.8 : 0.35) + 0.07 * random.normal(), angle);
  },
  spirals: (one, random) => {
    const along = Math.sqrt(random.next());
    const [x, y] = around(0.08 + 0.87 * along, 2.5 * Math.PI * along + one * Math.PI) as [number, number];
    return [x + 0.02 * random.normal(), y + 0.02 * random.normal()];
  },
};
