// The runs: every step is a forward pass, a backward pass and an update of the package's layers.

import { LayerNormalization, layerNorm } from 'layernorm';
import {
  FEATURES,
  lowestLoss,
  makePoints,
  makeRegression,
  POINTS,
  type PointShape,
  type Points,
  REGRESSION_SAMPLES,
  type Regression,
} from './data.js';
import { crossEntropy, meanSquaredError, norm } from './dense.js';
import { GRID, REACH } from './grid.js';
import { History } from './history.js';
import { descend, INPUTS, Net } from './net.js';
import type { Learner, Settings, Started, Weights } from './protocol.js';
import { Random } from './random.js';

export interface Trainer {
  /** What does not change during the run. */
  readonly known: Pick<Started, 'hidden' | 'points'>;
  readonly every: number;
  readonly layers: readonly Weights[];
  step(): void;
  learners(): Learner[];
  dispose(): void;
}

export function makeTrainer(settings: Settings): Trainer {
  const { task } = settings;
  return task === 'recover' ? new Recovery(settings) : new Classification(settings, task);
}

/** One layer finds the hidden weights of another one, by what that makes of the same inputs. */
class Recovery implements Trainer {
  readonly #data: Regression;
  readonly #targets: Float32Array;
  readonly #layer: LayerNormalization;
  readonly #settings: Settings;
  readonly #batches: Random;
  readonly #history = new History();
  #loss: number | undefined;
  #gradient: number | undefined;

  constructor(settings: Settings) {
    const { seed, center, scale } = settings;
    this.#settings = settings;
    this.#data = makeRegression(seed);
    const { x, gamma, beta, noise } = this.#data;
    this.#targets = layerNorm(x, { shape: [REGRESSION_SAMPLES, FEATURES], gamma, beta });
    for (let i = 0; i < noise.length; i++)
      this.#targets[i] = (this.#targets[i] as number) + (noise[i] as number);
    this.#layer = new LayerNormalization({ center, scale });
    this.#layer.build([null, FEATURES]);
    this.#batches = new Random(seed + 1);
  }

  get known() {
    const { center, scale } = this.#settings;
    const { gamma, beta } = this.#data;
    const lowest = lowestLoss(this.#data, center, scale);
    return { hidden: { gamma: [...gamma], beta: [...beta], lowest }, points: undefined };
  }

  get every(): number {
    return this.#history.every;
  }

  get layers(): Weights[] {
    return [weightsOf(this.#layer)];
  }

  step(): void {
    const { batch, rate } = this.#settings;
    const x = new Float32Array(batch * FEATURES);
    const targets = new Float32Array(batch * FEATURES);
    for (let at = 0; at < x.length; at += FEATURES) {
      const from = this.#batches.below(REGRESSION_SAMPLES) * FEATURES;
      x.set(this.#data.x.subarray(from, from + FEATURES), at);
      targets.set(this.#targets.subarray(from, from + FEATURES), at);
    }
    const y = this.#layer.apply(x, { shape: [batch, FEATURES], training: true });
    const { loss, gradient } = meanSquaredError(y, targets);
    this.#layer.backward(gradient);
    this.#gradient = norm(...this.#layer.weights.map((weight) => weight.gradient ?? []));
    descend(this.#layer, rate);
    this.#loss = loss;
    this.#history.add(loss);
  }

  learners(): Learner[] {
    return [{ loss: this.#loss, losses: this.#history.means, gradient: this.#gradient, fit: undefined }];
  }

  dispose(): void {
    this.#layer.dispose();
  }
}

/** The same classifier with and without norms, from the same first weights by the same batches. */
class Classification implements Trainer {
  readonly #points: Points;
  readonly #settings: Settings;
  readonly #batches: Random;
  /** With norms first. */
  readonly #nets: readonly Net[];
  readonly #histories: readonly History[];
  /** All points, and all of the grid, as inputs. */
  readonly #inputs: Float32Array;
  readonly #grid: Float32Array;
  #last: readonly { loss: number; gradient: number }[] = [];

  constructor(settings: Settings, shape: PointShape) {
    const { seed, input } = settings;
    this.#settings = settings;
    this.#points = makePoints(shape, seed);
    this.#batches = new Random(seed + 1);
    this.#nets = [true, false].map((isNormalized) => new Net({ ...settings, isNormalized, seed: seed + 2 }));
    this.#histories = this.#nets.map(() => new History());
    this.#inputs = inputsOf(this.#points.places, 10 ** input);
    this.#grid = inputsOf(gridPlaces(), 10 ** input);
  }

  get known() {
    return { hidden: undefined, points: this.#points };
  }

  get every(): number {
    return (this.#histories[0] as History).every;
  }

  get layers(): Weights[] {
    return (this.#nets[0] as Net).norms.map(weightsOf);
  }

  step(): void {
    const { batch, rate } = this.#settings;
    const inputs = new Float32Array(batch * INPUTS);
    const classes = new Uint8Array(batch);
    for (let row = 0; row < batch; row++) {
      const point = this.#batches.below(POINTS);
      inputs.set(this.#inputs.subarray(point * INPUTS, (point + 1) * INPUTS), row * INPUTS);
      classes[row] = this.#points.classes[point] as number;
    }
    this.#last = this.#nets.map((net) => net.learn(inputs, classes, rate));
    for (const [i, { loss }] of this.#last.entries()) this.#histories[i]?.add(loss);
  }

  learners(): Learner[] {
    const { classes } = this.#points;
    return this.#nets.map((net, i) => {
      const logits = net.forward(this.#inputs, false);
      const right =
        logits.reduce((sum, logit, p) => sum + Number(logit > 0 === (classes[p] === 1)), 0) / POINTS;
      const map = net.forward(this.#grid, false).map((logit) => 1 / (1 + Math.exp(-logit)));
      return {
        loss: this.#last[i]?.loss,
        losses: (this.#histories[i] as History).means,
        gradient: this.#last[i]?.gradient,
        fit: { loss: crossEntropy(logits, classes).loss, right, map },
      };
    });
  }

  dispose(): void {
    for (const net of this.#nets) net.dispose();
  }
}

function inputsOf(places: Float32Array, factor: number): Float32Array {
  const inputs = new Float32Array((places.length / 2) * INPUTS);
  for (let p = 0; p < places.length / 2; p++) {
    inputs.set(
      [places[2 * p] as number, places[2 * p + 1] as number, 1].map((value) => factor * value),
      p * INPUTS,
    );
  }
  return inputs;
}

/** Middles of cells, rows from top to bottom. */
function gridPlaces(): Float32Array {
  const places = new Float32Array(2 * GRID * GRID);
  const at = (i: number) => REACH * ((2 * i + 1) / GRID - 1);
  for (let p = 0; p < GRID * GRID; p++) places.set([at(p % GRID), -at(Math.floor(p / GRID))], 2 * p);
  return places;
}

function weightsOf({ gamma, beta }: LayerNormalization): Weights {
  const list = (values: ArrayLike<number> | null | undefined) => (values ? Array.from(values) : undefined);
  return {
    gamma: list(gamma?.numbers()),
    beta: list(beta?.numbers()),
    dgamma: list(gamma?.gradient),
    dbeta: list(beta?.gradient),
  };
}
