// Tier: bitwise against the functions of the package where the kernels are the same, else bounded against them in float64.
import * as layernorm from 'layernorm';
import { install } from 'layernorm/tfjs';
import * as operations from '../../../js/src/tfjs/operations.js';
import { BACKENDS, clean, numbers, random, tf, use } from '../support/tfjs.js';
import { expectSameBits, firstMismatch } from '../support/ulp.js';

type Tensor = ReturnType<typeof tf.tensor>;
type Typed = Float32Array | Float64Array;

install(tf);

/** Arrays of a call: x and dy of one shape, gamma and beta of another. */
interface Case {
  readonly name: string;
  readonly shape: number[];
  readonly parameters: number[];
  readonly hasGamma?: boolean;
  readonly hasBeta?: boolean;
  apply(x: Tensor, gamma: Tensor | undefined, beta: Tensor | undefined): Tensor;
  /** The same by the functions of the package, in the type of x: y, dx, dgamma, dbeta. */
  expected(
    x: Typed,
    dy: Typed,
    gamma: Typed | undefined,
    beta: Typed | undefined,
  ): Record<string, Typed | undefined>;
}

const axes = (shape: number[], axis: number[], more = {}, settings: Partial<Case> = {}): Case => ({
  name: `layerNorm ${JSON.stringify(shape)} over ${JSON.stringify(axis)} ${JSON.stringify(more)}${settings.hasGamma === false ? ', no gamma' : ''}${settings.hasBeta === false ? ', no beta' : ''}`,
  shape,
  parameters: axis.map((d) => shape[d] as number),
  apply: (x, gamma, beta) => operations.layerNorm(tf, x, { axis, epsilon: 1e-3, gamma, beta, ...more }),
  expected: (x, dy, gamma, beta) => {
    const { y, mean, rstd } = layernorm.layerNormForward(x as Float32Array, {
      shape,
      axis,
      gamma,
      beta,
      ...more,
    });
    const options = { shape, axis, gamma, mean, rstd, ...more };
    return { y, ...(layernorm.layerNormBackward(dy, x as Float32Array, options) as object) };
  },
  ...settings,
});

const group = (shape: number[], axis: number, groups: number): Case => ({
  name: `groupNorm ${JSON.stringify(shape)}, axis ${axis}, ${groups} groups`,
  shape,
  parameters: [shape[axis] as number],
  apply: (x, gamma, beta) => operations.groupNorm(tf, x, { axis, groups, epsilon: 1e-3, gamma, beta }),
  expected: (x, dy, gamma, beta) => {
    const { y, mean, rstd } = layernorm.groupNormForward(x as Float32Array, {
      shape,
      axis,
      groups,
      gamma,
      beta,
    });
    return {
      y,
      ...layernorm.groupNormBackward(dy, x as Float32Array, { shape, axis, groups, gamma, mean, rstd }),
    };
  },
});

const batch = (shape: number[], axis: number, training: boolean): Case => ({
  name: `batchNorm ${JSON.stringify(shape)}, axis ${axis}${training ? ', training' : ''}`,
  shape,
  parameters: [shape[axis] as number],
  apply: (x, gamma, beta) => {
    const options = { axis, epsilon: 1e-3, gamma, beta };
    if (training) return operations.batchNormTraining(tf, x, options, () => {});
    const statistics = {
      mean: random([shape[axis] as number], 7),
      variance: tf.abs(random([shape[axis] as number], 8)),
    };
    return operations.batchNormInference(tf, x, { ...options, ...statistics });
  },
  expected: (x, dy, gamma, beta) => {
    const channels = shape[axis] as number;
    const Class = x.constructor as Float32ArrayConstructor;
    const statistics = training
      ? {}
      : {
          mean: Class.from(numbers(random([channels], 7))),
          variance: Class.from(numbers(tf.abs(random([channels], 8)))),
        };
    const { y, mean, rstd } = layernorm.batchNormForward(x as Float32Array, {
      shape,
      axis,
      gamma,
      beta,
      ...statistics,
    });
    const options = { shape, axis, gamma, mean, rstd, training };
    return { y, ...layernorm.batchNormBackward(dy, x as Float32Array, options) };
  },
});

const CASES: Case[] = [
  axes([4, 10], [1]),
  axes([4, 10], [1], {}, { hasGamma: false }),
  axes([4, 10], [1], {}, { hasBeta: false }),
  axes([4, 10], [1], {}, { hasGamma: false, hasBeta: false }),
  axes([4, 10], [1], { rmsScaling: true }, { hasBeta: false }),
  axes([12], [0]),
  axes([2, 3, 2, 3, 4], [4]),
  axes([2, 3, 2, 3, 4], [1, 3]),
  axes([3, 4, 5], [1, 2]),
  axes([6, 5], [0]),
  axes([300, 64], [1]),
  {
    name: 'rmsNorm',
    shape: [5, 3, 7],
    parameters: [3, 7],
    hasBeta: false,
    apply: (x, gamma) => operations.rmsNorm(tf, x, { axis: [1, 2], epsilon: 1e-6, gamma }),
    expected: (x, dy, gamma) => {
      const options = { shape: [5, 3, 7], axis: [1, 2], gamma };
      const { y, rstd } = layernorm.rmsNormForward(x as Float32Array, options);
      return { y, ...layernorm.rmsNormBackward(dy, x as Float32Array, { ...options, rstd }) };
    },
  },
  {
    name: 'unitNorm',
    shape: [5, 7],
    parameters: [7],
    hasGamma: false,
    hasBeta: false,
    apply: (x) => operations.unitNorm(tf, x, { axis: [1], epsilon: 1e-12 }),
    expected: (x, dy) => {
      const { y, rstd } = layernorm.unitNormForward(x as Float32Array, { shape: [5, 7] });
      return { y, dx: layernorm.unitNormBackward(dy, x as Float32Array, { shape: [5, 7], rstd }).dx };
    },
  },
  group([3, 4, 5, 6], 3, 2),
  group([3, 6, 5], 1, 3),
  batch([9, 5], 1, true),
  batch([3, 4, 5], 1, true),
  batch([9, 5], 1, false),
  batch([3, 4, 5], 1, false),
];

describe.each(BACKENDS)('backend %s', (backend) => {
  beforeAll(() => use(backend));

  test.each(CASES)('$name: result and gradients', (one) => {
    const { shape, parameters, hasGamma = true, hasBeta = true } = one;
    const [x, dy] = [random(shape), random(shape, 2)];
    const gamma = hasGamma ? random(parameters, 3) : undefined;
    const beta = hasBeta ? random(parameters, 4) : undefined;
    const given = [x, gamma, beta].filter((tensor) => tensor !== undefined) as Tensor[];
    const f = (...tensors: Tensor[]): Tensor =>
      one.apply(
        tensors[0] as Tensor,
        hasGamma ? tensors[1] : undefined,
        hasBeta ? tensors.at(-1) : undefined,
      );
    const y = clean(() => tf.tidy(() => f(...given)), 1);
    const gradients = clean(() => tf.grads(f)(given, dy), given.length);
    const names = ['dx', ...(hasGamma ? ['dgamma'] : []), ...(hasBeta ? ['dbeta'] : [])];
    const actual: Record<string, Tensor> = {
      y,
      ...Object.fromEntries(names.map((name, i) => [name, gradients[i] as Tensor])),
    };
    const Class = backend === 'plain' ? Float64Array : Float32Array;
    const of = (tensor: Tensor): Typed => Class.from(tensor.dataSync());
    const expected = one.expected(of(x), of(dy), gamma && of(gamma), beta && of(beta));
    for (const [name, tensor] of Object.entries(actual)) {
      const values = expected[name] as Typed;
      expect(tensor.shape).toEqual(name === 'y' || name === 'dx' ? shape : parameters);
      if (backend !== 'plain') expectSameBits(numbers(tensor), values as Float32Array);
      else expect(firstMismatch(tensor.dataSync(), values, 1e-5, 2e-5)).toBeUndefined();
    }
  });

  test('statistics of a batch, which are disposed of', () => {
    const x = random([6, 3]);
    let seen: Float32Array[] = [];
    const y = clean(
      () =>
        tf.tidy(() =>
          operations.batchNormTraining(tf, x, { axis: 1, epsilon: 1e-3 }, (mean, variance) => {
            seen = [mean, variance].map(numbers);
          }),
        ),
      1,
    );
    const { mean, variance } = tf.moments(x, 0);
    expect(firstMismatch(seen[0] as Float32Array, mean.dataSync(), 1e-5, 1e-6)).toBeUndefined();
    expect(firstMismatch(seen[1] as Float32Array, variance.dataSync(), 1e-5, 1e-6)).toBeUndefined();
    expect(y.shape).toEqual([6, 3]);
  });

  test('empty tensors, and their gradients', () => {
    const [x, gamma, beta] = [tf.zeros([0, 4]), random([4]), random([4], 2)];
    const take = (): never => {
      throw new Error('there are no statistics');
    };
    const calls: ((x: Tensor, gamma: Tensor, beta: Tensor) => Tensor)[] = [
      (x, gamma, beta) => operations.layerNorm(tf, x, { axis: [1], epsilon: 1e-3, gamma, beta }),
      (x, gamma) => operations.rmsNorm(tf, x, { axis: [1], epsilon: 1e-3, gamma }),
      (x) => operations.unitNorm(tf, x, { axis: [1], epsilon: 1e-3 }),
      (x, gamma, beta) => operations.groupNorm(tf, x, { axis: 1, epsilon: 1e-3, groups: 2, gamma, beta }),
      (x, gamma, beta) => operations.batchNormTraining(tf, x, { axis: 1, epsilon: 1e-3, gamma, beta }, take),
      (x, gamma, beta) =>
        operations.batchNormInference(tf, x, {
          axis: 1,
          epsilon: 1e-3,
          gamma,
          beta,
          mean: beta,
          variance: beta,
        }),
    ];
    for (const call of calls) {
      const y = clean(() => call(x, gamma, beta), 1);
      expect(y.shape).toEqual([0, 4]);
      const given = [x, ...(call.length > 1 ? [gamma] : []), ...(call.length > 2 ? [beta] : [])];
      const gradients = clean(
        () => tf.grads((...tensors: Tensor[]) => call(...(tensors as [Tensor, Tensor, Tensor])))(given, y),
        given.length,
      );
      expect(gradients.map(({ shape }) => shape)).toEqual(given.map(({ shape }) => shape));
      for (const gradient of gradients.slice(1)) expect(numbers(gradient)).toEqual(new Float32Array(4));
    }
  });

  test('spectralNorm', () => {
    const [kernel, u] = [random([4, 3]), random([1, 3], 2)];
    const { y, u: next } = tf.tidy(() => operations.spectralNorm(tf, kernel, u, 2));
    const expected = layernorm.spectralNorm(numbers(kernel), {
      shape: [4, 3],
      u: numbers(u),
      powerIterations: 2,
    });
    expect(firstMismatch(y.dataSync(), expected.kernel, 1e-5, 1e-6)).toBeUndefined();
    expect(firstMismatch(next.dataSync(), expected.u, 1e-5, 1e-6)).toBeUndefined();
  });
});

test('a second derivative is refused where there are kernels, and computed on other backends', async () => {
  const f = (x: Tensor): Tensor =>
    tf.sum(tf.square(operations.layerNorm(tf, x, { axis: [1], epsilon: 1e-3 })));
  const second = (): Tensor => tf.grad((x: Tensor) => tf.sum(tf.square(tf.grad(f)(x))))(random([2, 3]));
  await use('cpu');
  expect(second).toThrow(/gradient function not found for layernorm\/layerNormBackward/);
  await use('plain');
  expect(numbers(second()).every(Number.isFinite)).toBe(true);
});
