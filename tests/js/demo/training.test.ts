// What the training view computes without a page: its data, the plain parts of its nets, and the runs.

import {
  FEATURES,
  lowestLoss,
  makePoints,
  makeRegression,
  NOISE,
  POINTS,
  REGRESSION_SAMPLES,
  SHAPES,
} from '../../../web-demo/src/training/data.js';
import {
  crossEntropy,
  Dense,
  meanSquaredError,
  norm,
  tanh,
  tanhBackward,
} from '../../../web-demo/src/training/dense.js';
import { gradientsOf } from '../../../web-demo/src/training/gradients.js';
import { History } from '../../../web-demo/src/training/history.js';
import { HIDDEN, INPUTS, Net } from '../../../web-demo/src/training/net.js';
import type { Learner, Sample, Settings } from '../../../web-demo/src/training/protocol.js';
import { Random } from '../../../web-demo/src/training/random.js';
import { dot, referenceGradient } from '../../../web-demo/src/training/reference.js';
import {
  DEFAULT_SAMPLE,
  DEFAULT_SPEED,
  DEFAULTS,
  readSample,
  readSettings,
  readSpeed,
  SPEEDS,
  writtenSample,
  writtenSettings,
} from '../../../web-demo/src/training/settings.js';
import { makeTrainer } from '../../../web-demo/src/training/trainers.js';

const mean = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0) / values.length;

/** What a loss depends on one of the values by, by central differences. */
function difference(values: Float32Array, at: number, loss: () => number, step = 1 / 64): number {
  const value = values[at] as number;
  values[at] = value + step;
  const above = loss();
  values[at] = value - step;
  const below = loss();
  values[at] = value;
  return (above - below) / (2 * step);
}

describe('random numbers', () => {
  test('are decided by the seed', () => {
    const take = (seed: number) => {
      const random = new Random(seed);
      return Array.from({ length: 5 }, () => random.next());
    };
    // The first numbers of mulberry32 for the seed 1.
    expect(take(1).slice(0, 2)).toEqual([0.6270739405881613, 0.002735721180215478]);
    expect(take(1)).toEqual(take(1));
    expect(take(1)).not.toEqual(take(2));
  });

  test('are uniform, whole, and normal', () => {
    const random = new Random(7);
    const uniform = Float64Array.from({ length: 20_000 }, () => random.next());
    expect(Math.min(...uniform)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...uniform)).toBeLessThan(1);
    expect(mean(uniform)).toBeCloseTo(0.5, 1.5);
    const below = new Set(Array.from({ length: 200 }, () => random.below(4)));
    expect([...below].sort()).toEqual([0, 1, 2, 3]);
    const normal = Float64Array.from({ length: 20_000 }, () => random.normal());
    expect(Math.abs(mean(normal))).toBeLessThan(0.03);
    expect(Math.abs(mean(normal.map((value) => value ** 2)) - 1)).toBeLessThan(0.05);
    expect(Math.abs(mean(normal.map((value) => value ** 4)) - 3)).toBeLessThan(0.3);
  });
});

describe('data', () => {
  test('to find weights by: the same for a seed, with noise of the size that is said', () => {
    const data = makeRegression(3);
    expect(makeRegression(3)).toEqual(data);
    expect(makeRegression(4).gamma).not.toEqual(data.gamma);
    expect(data.x).toHaveLength(REGRESSION_SAMPLES * FEATURES);
    expect(Math.sqrt(mean(data.noise.map((value) => value ** 2)))).toBeCloseTo(NOISE, 2);
  });

  test('weights that are missing leave their part of the loss', () => {
    const data = makeRegression(3);
    const [gamma, beta] = [data.gamma.map((value) => (value - 1) ** 2), data.beta.map((value) => value ** 2)];
    expect(lowestLoss(data, true, true)).toBeCloseTo(NOISE ** 2, 12);
    expect(lowestLoss(data, true, false)).toBeCloseTo(NOISE ** 2 + mean(gamma), 6);
    expect(lowestLoss(data, false, true)).toBeCloseTo(NOISE ** 2 + mean(beta), 6);
    expect(lowestLoss(data, false, false)).toBeCloseTo(NOISE ** 2 + mean(gamma) + mean(beta), 6);
  });

  test.each(SHAPES)('%s: points of two classes within the picture', (shape) => {
    const { places, classes } = makePoints(shape, 5);
    expect(mean(classes)).toBe(0.5);
    expect(places).toHaveLength(2 * POINTS);
    expect(Math.max(...places.map(Math.abs))).toBeLessThan(1.15);
    expect(makePoints(shape, 5).places).toEqual(places);
    expect(makePoints(shape, 6).places).not.toEqual(places);
  });

  test('rings are told apart by their radius, and by nothing linear', () => {
    const { places, classes } = makePoints('rings', 1);
    classes.forEach((one, i) => {
      const radius = Math.hypot(places[2 * i] as number, places[2 * i + 1] as number);
      expect(radius > 0.575).toBe(one === 1);
    });
  });
});

describe('plain parts of a net', () => {
  const random = new Random(2);
  const x = Float32Array.from({ length: 5 * 3 }, () => random.normal());
  const target = Float32Array.from({ length: 5 * 2 }, () => random.normal());

  test.each([true, false])(
    'gradients of a dense layer are those of finite differences, bias: %s',
    (hasBias) => {
      const dense = new Dense(3, 2, new Random(1), hasBias);
      expect(dense.bias).toHaveLength(hasBias ? 2 : 0);
      const loss = () => meanSquaredError(dense.forward(x), target).loss;
      const dx = dense.backward(meanSquaredError(dense.forward(x), target).gradient);
      const pairs: [Float32Array, Float32Array][] = [
        [dense.weights, dense.weightGradient],
        [dense.bias, dense.biasGradient],
        [x, dx],
      ];
      for (const [values, gradient] of pairs) {
        expect(gradient).toHaveLength(values.length);
        values.forEach((_, i) => {
          expect(gradient[i]).toBeCloseTo(difference(values, i, loss), 4);
        });
      }
    },
  );

  test('a dense layer goes down its gradient', () => {
    const dense = new Dense(3, 2, new Random(1));
    const before = { weights: dense.weights.slice(), bias: dense.bias.slice() };
    dense.backward(meanSquaredError(dense.forward(x), target).gradient);
    dense.update(0.5);
    dense.weights.forEach((weight, i) => {
      expect(weight).toBeCloseTo(
        (before.weights[i] as number) - 0.5 * (dense.weightGradient[i] as number),
        6,
      );
    });
    dense.bias.forEach((bias, i) => {
      expect(bias).toBeCloseTo((before.bias[i] as number) - 0.5 * (dense.biasGradient[i] as number), 6);
    });
  });

  test('gradients of tanh and of the cross-entropy are those of finite differences', () => {
    const logits = Float32Array.from([-2, -0.5, 0.25, 3]);
    const classes = [0, 1, 1, 0];
    const { gradient } = crossEntropy(tanh(logits), classes);
    const d = tanhBackward(gradient, tanh(logits));
    logits.forEach((_, i) => {
      expect(d[i]).toBeCloseTo(
        difference(logits, i, () => crossEntropy(tanh(logits), classes).loss),
        4,
      );
    });
  });

  test('the cross-entropy does not overflow', () => {
    expect(crossEntropy(Float32Array.of(1000, -1000), [1, 0]).loss).toBe(0);
    expect(crossEntropy(Float32Array.of(1000, -1000), [0, 1]).loss).toBe(1000);
  });

  test('lengths', () => {
    expect(norm([3], [], [0, 4])).toBe(5);
  });
});

describe('a net', () => {
  test.each([true, false])(
    'gradients of its first weights are those of finite differences, norms: %s',
    (isNormalized) => {
      const net = new Net({ isNormalized, center: true, scale: true, seed: 4 });
      const random = new Random(9);
      const inputs = Float32Array.from({ length: 8 * INPUTS }, () => random.normal());
      const classes = [0, 1, 1, 0, 1, 0, 0, 1];
      const first = net.dense[0] as Dense;
      // No step is made, but the gradients are there.
      const { gradient } = net.learn(inputs, classes, 0);
      const loss = () => crossEntropy(net.forward(inputs, false), classes).loss;
      for (const i of [0, 7, 20, INPUTS * HIDDEN - 1]) {
        expect(first.weightGradient[i]).toBeCloseTo(difference(first.weights, i, loss), 3);
      }
      expect(gradient).toBeGreaterThan(norm(first.weightGradient));
      net.dispose();
    },
  );

  test('starts from the same weights with and without norms', () => {
    const [a, b] = [true, false].map(
      (isNormalized) => new Net({ isNormalized, center: true, scale: true, seed: 4 }),
    );
    expect(a?.dense.map(({ weights }) => weights)).toEqual(b?.dense.map(({ weights }) => weights));
    expect([a?.norms.length, b?.norms.length]).toEqual([2, 0]);
  });
});

describe('the history of losses', () => {
  test('keeps means of ever more steps', () => {
    const history = new History(4);
    for (let i = 1; i <= 3; i++) history.add(i);
    expect([history.every, [...history.means]]).toEqual([1, [1, 2, 3]]);
    history.add(4);
    expect([history.every, [...history.means]]).toEqual([2, [1.5, 3.5]]);
    history.add(5);
    expect([...history.means]).toEqual([1.5, 3.5]);
    for (let i = 6; i <= 9; i++) history.add(i);
    expect([history.every, [...history.means]]).toEqual([4, [2.5, 6.5]]);
  });
});

describe('runs', () => {
  const run = (settings: Partial<Settings>, steps: number) => {
    const trainer = makeTrainer({ ...DEFAULTS, ...settings });
    for (let i = 0; i < steps; i++) trainer.step();
    const learners = trainer.learners();
    const { layers, known } = trainer;
    trainer.dispose();
    return { learners, layers, known };
  };

  test('find the hidden gamma and beta', () => {
    const { learners, layers, known } = run({}, 600);
    const { gamma, beta, lowest } = known.hidden as NonNullable<typeof known.hidden>;
    gamma.forEach((value, i) => {
      expect(layers[0]?.gamma?.[i]).toBeCloseTo(value, 1);
    });
    beta.forEach((value, i) => {
      expect(layers[0]?.beta?.[i]).toBeCloseTo(value, 1);
    });
    expect(learners[0]?.loss).toBeLessThan(1.5 * lowest);
  });

  test.each([
    [true, false],
    [false, true],
    [false, false],
  ])('learn without what the layer lacks, center: %s, scale: %s', (center, scale) => {
    const { learners, layers, known } = run({ center, scale }, 600);
    expect([layers[0]?.gamma !== undefined, layers[0]?.beta !== undefined]).toEqual([scale, center]);
    const last = [...(learners[0] as Learner).losses].slice(-50);
    const { lowest, beta } = known.hidden as NonNullable<typeof known.hidden>;
    expect(Math.abs(mean(last) / lowest - 1)).toBeLessThan(0.1);
    if (center) expect(layers[0]?.beta?.[1]).toBeCloseTo(beta[1] as number, 0.5);
  });

  test('with layer norm rings are learned at any scale, without it not at all at this one', () => {
    const [normalized, plain] = run({ task: 'rings', input: -1 }, 400).learners;
    expect(normalized?.fit?.right).toBe(1);
    expect(plain?.fit?.right).toBeLessThan(0.7);
    const large = run({ task: 'rings', input: 3 }, 100).learners[0];
    const small = run({ task: 'rings', input: 1 }, 100).learners[0];
    expect((large as Learner).loss).toBeCloseTo((small as Learner).loss as number, 3);
  });

  test('are the same for the same seed', () => {
    const [a, b, c] = [5, 5, 6].map((seed) => run({ task: 'spirals', seed }, 20).learners);
    expect(a).toEqual(b);
    expect(a).not.toEqual(c);
  });
});

describe('gradients of one sample', () => {
  const random = new Random(11);
  const list = () => Array.from({ length: 6 }, () => 2 * random.normal());
  const samples = (['layer', 'rms'] as const).flatMap((norm) =>
    [1e-8, 1e-3, 1].map((epsilon): Sample => ({ norm, epsilon, x: list(), dy: list(), gamma: list() })),
  );

  test.each(samples)('are those of float64: $norm, epsilon $epsilon', (sample) => {
    const { hat, rstd, g, alongOnes, alongHat, left, dx } = gradientsOf(sample);
    referenceGradient(sample).forEach((value, i) => {
      expect(dx[i]).toBeCloseTo(value, 5);
      expect((g[i] as number) - (alongOnes[i] as number) - (alongHat[i] as number)).toBeCloseTo(
        left[i] as number,
        5,
      );
    });
    if (sample.norm === 'layer')
      expect(
        dot(
          dx,
          dx.map(() => 1),
        ),
      ).toBeCloseTo(0, 5);
    else expect(alongOnes).toEqual([0, 0, 0, 0, 0, 0]);
    // What epsilon leaves of it.
    const part = 1 - dot(hat, hat) / hat.length;
    expect(dot(dx, hat)).toBeCloseTo(rstd * part * dot(g, hat), 4);
  });

  test('the reference is right by finite differences', () => {
    const sample = samples[1] as Sample;
    const loss = (x: readonly number[]) => {
      const average = mean(x);
      const rstd = 1 / Math.sqrt(mean(x.map((value) => (value - average) ** 2)) + sample.epsilon);
      return dot(
        x.map((value, i) => (value - average) * rstd * (sample.gamma[i] as number)),
        sample.dy,
      );
    };
    referenceGradient(sample).forEach((value, i) => {
      const moved = (by: number) => loss(sample.x.map((one, at) => (at === i ? one + by : one)));
      expect(value).toBeCloseTo((moved(1e-5) - moved(-1e-5)) / 2e-5, 4);
    });
  });
});

describe('the address', () => {
  const stateOf = (values: Record<string, string | undefined>) => ({ get: (name: string) => values[name] });

  test('says nothing of defaults', () => {
    const values = { ...writtenSettings(DEFAULTS, DEFAULT_SPEED), ...writtenSample(DEFAULT_SAMPLE) };
    expect(Object.values(values).every((value) => value === undefined)).toBe(true);
    expect(readSettings(stateOf({}))).toEqual(DEFAULTS);
    expect(readSample(stateOf({}))).toEqual(DEFAULT_SAMPLE);
    expect(readSpeed(stateOf({}))).toBe(DEFAULT_SPEED);
  });

  test('restores every choice', () => {
    const settings: Settings = {
      task: 'spirals',
      rate: 0.025,
      batch: 7,
      seed: 99,
      center: false,
      scale: false,
      input: 2.5,
    };
    const sample: Sample = {
      norm: 'rms',
      epsilon: 1e-6,
      x: [1, 2, 3, 4, 5, -5],
      dy: [0, 0.123456, 0, 0, -3, 0],
      gamma: [1, 1, 1, 0, 1, -1],
    };
    for (const speed of SPEEDS.keys()) {
      const state = stateOf({ ...writtenSettings(settings, speed), ...writtenSample(sample) });
      expect(readSettings(state)).toEqual(settings);
      expect(readSample(state)).toEqual(sample);
      expect(readSpeed(state)).toBe(speed);
    }
  });

  test.each([
    { task: 'chess', rate: '-1', batch: '1e9', seed: 'x', input: '', speed: '7' },
    { rate: 'NaN', batch: '0', seed: '-1', input: '99', speed: 'slow' },
    { x: '1,2', dy: '1,2,3,4,5,99', gamma: '1,,1,1,1,1', epsilon: '0', norm: 'batch' },
  ])('falls back to defaults: %j', (values) => {
    const state = stateOf(values as Record<string, string>);
    expect(readSettings(state)).toEqual(DEFAULTS);
    expect(readSample(state)).toEqual(DEFAULT_SAMPLE);
    expect(readSpeed(state)).toBe(DEFAULT_SPEED);
  });
});
