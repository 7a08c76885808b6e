// Tier: exact values and gradients. The operations as functions of tensors, with kernels and without.
import type { Tensor } from '@tensorflow/tfjs-core';
import { install } from 'layernorm/tfjs';
import { expectError } from '../support/errors.js';
import { BACKENDS, clean, random, tf, use } from '../support/tfjs.js';

const { ops } = install(tf);

const close = (actual: Tensor, expected: Tensor, tolerance = 2e-5): void => {
  expect(actual.shape).toEqual(expected.shape);
  expect(actual.dtype).toBe('float32');
  const difference = tf.tidy(() => tf.max(tf.abs(tf.sub(actual, expected))).dataSync()[0] as number);
  expect(difference).toBeLessThan(tolerance);
};

/** Of operations of TensorFlow.js alone. */
const reference = (x: Tensor, axes: number[], epsilon: number, gamma?: Tensor, beta?: Tensor): Tensor => {
  const { mean, variance } = tf.moments(x, axes, true);
  const y = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, epsilon)));
  return tf.add(tf.mul(y, gamma ?? 1), beta ?? 0);
};

describe.each(BACKENDS)('%s', (backend) => {
  beforeAll(() => use(backend));
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  /** Values and gradients of sum(y * sin(y)), which gives every element a gradient of its own. */
  function compare(
    inputs: Tensor[],
    actual: (...inputs: Tensor[]) => Tensor,
    expected: (...inputs: Tensor[]) => Tensor,
  ): void {
    close(actual(...inputs), expected(...inputs));
    const loss =
      (f: typeof actual) =>
      (...given: Tensor[]): Tensor => {
        const y = f(...given);
        return tf.sum(tf.mul(y, tf.sin(y)));
      };
    const gradients = (f: typeof actual): Tensor[] => tf.grads(loss(f) as never)(inputs);
    const wanted = gradients(expected);
    gradients(actual).forEach((gradient, i) => {
      close(gradient, wanted[i] as Tensor, 2e-4);
    });
  }

  test('layerNorm: with and without gamma and beta', () => {
    const [x, gamma, beta] = [random([5, 7], 1), random([7], 2), random([7], 3)];
    compare(
      [x],
      (x) => ops.layerNorm(x),
      (x) => reference(x, [1], 1e-3),
    );
    compare(
      [x, gamma],
      (x, gamma) => ops.layerNorm(x, { gamma, epsilon: 0.1 }),
      (x, gamma) => reference(x, [1], 0.1, gamma),
    );
    compare(
      [x, beta],
      (x, beta) => ops.layerNorm(x, { beta }),
      (x, beta) => reference(x, [1], 1e-3, undefined, beta),
    );
    compare(
      [x, gamma, beta],
      (x, gamma, beta) => ops.layerNorm(x, { gamma, beta, axis: -1 }),
      (x, gamma, beta) => reference(x, [1], 1e-3, gamma, beta),
    );
  });

  test('layerNorm: axes, and rmsScaling', () => {
    const [x, gamma] = [random([3, 4, 5], 4), random([3, 5], 5)];
    compare(
      [x, gamma],
      (x, gamma) => ops.layerNorm(x, { axis: [-1, 0], gamma }),
      (x, gamma) => reference(x, [0, 2], 1e-3, tf.reshape(gamma as Tensor, [3, 1, 5])),
    );
    compare(
      [x],
      (x) => ops.layerNorm(x, { rmsScaling: true }),
      (x) => tf.mul(x, tf.rsqrt(tf.add(tf.moments(x, -1, true).variance, 1e-3))),
    );
  });

  test('rmsNorm', () => {
    compare(
      [random([5, 7], 6), random([7], 7)],
      (x, gamma) => ops.rmsNorm(x, { gamma }),
      (x, gamma) => tf.mul(tf.mul(x, tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), 1e-6))), gamma),
    );
  });

  test('unitNorm', () => {
    compare(
      [random([5, 7], 8)],
      (x) => ops.unitNorm(x, { axis: 0 }),
      (x) => tf.div(x, tf.sqrt(tf.sum(tf.square(x), 0, true))),
    );
  });

  test('groupNorm', () => {
    compare(
      [random([2, 3, 6], 9), random([6], 10), random([6], 11)],
      (x, gamma, beta) => ops.groupNorm(x, { groups: 3, gamma, beta }),
      (x, gamma, beta) => {
        const parts = reference(tf.reshape(x, [2, 3, 3, 2]), [1, 3], 1e-3);
        return tf.add(tf.mul(tf.reshape(parts, [2, 3, 6]), gamma), beta);
      },
    );
    const x = random([2, 6, 4], 12);
    close(
      ops.groupNorm(x, { groups: -1, axis: 1, epsilon: 1e-5 }),
      reference(x, [2], 1e-5), // instance normalization
    );
  });

  test('groupNorm of one group without scale and offset is layerNorm of all axes but the first', () => {
    const x = random([2, 3, 4, 8], 13);
    compare(
      [x],
      (x) => ops.groupNorm(x, { groups: 1 }),
      (x) => ops.layerNorm(x, { axis: [1, 2, 3] }),
    );
  });

  test('integers become float32, and an empty x stays empty', () => {
    const x = tf.tensor2d([1, 2, 3, 4, 6, 8], [2, 3], 'int32');
    close(ops.layerNorm(x), reference(tf.cast(x, 'float32'), [1], 1e-3));
    expect(ops.layerNorm(tf.zeros([0, 3])).shape).toEqual([0, 3]);
  });

  test('nothing but the result stays', () => {
    const [x, gamma] = [random([4, 6], 14), tf.ones([6], 'float32')];
    clean(() => ops.layerNorm(x, { gamma }), 1);
    clean(() => ops.rmsNorm(x, { gamma }), 1);
    clean(() => ops.unitNorm(x), 1);
    clean(() => ops.groupNorm(x, { groups: 2, gamma }), 1);
  });
});

describe('what makes no sense', () => {
  let x: Tensor;
  beforeAll(async () => {
    await use('cpu');
    x = tf.ones([2, 6]);
  });
  const cases: [string, () => unknown, string, RegExp][] = [
    [
      'x',
      () => ops.layerNorm([1, 2] as never),
      'ERR_ARGUMENT',
      /^layerNorm: x is \[1, 2\], expected a tensor/,
    ],
    ['its type', () => ops.rmsNorm(tf.tensor(['a'])), 'ERR_DTYPE', /^rmsNorm: x is of string/],
    ['options', () => ops.unitNorm(x, 3 as never), 'ERR_ARGUMENT', /^unitNorm: options is 3/],
    [
      'a misspelled option',
      () => ops.layerNorm(x, { eps: 1 } as never),
      'ERR_ARGUMENT',
      /unknown option 'eps', expected axis, epsilon, gamma, beta, rmsScaling$/,
    ],
    ['epsilon', () => ops.layerNorm(x, { epsilon: -1 }), 'ERR_ARGUMENT', /epsilon is -1/],
    ['an axis', () => ops.layerNorm(x, { axis: 2 }), 'ERR_AXIS', /axis 2 is out of bounds/],
    ['rmsScaling', () => ops.layerNorm(x, { rmsScaling: 1 as never }), 'ERR_ARGUMENT', /rmsScaling is 1/],
    [
      'rmsScaling with beta',
      () => ops.layerNorm(x, { rmsScaling: true, beta: tf.zeros([6]) }),
      'ERR_ARGUMENT',
      /rmsScaling takes no beta/,
    ],
    ['gamma', () => ops.layerNorm(x, { gamma: [1] as never }), 'ERR_ARGUMENT', /gamma is \[1\]/],
    [
      'the shape of beta',
      () => ops.layerNorm(x, { beta: tf.zeros([5]) }),
      'ERR_SHAPE',
      /^layerNorm: beta has shape \[5\], expected \[6\]$/,
    ],
    ['groups', () => ops.groupNorm(x, { groups: 4 }), 'ERR_ARGUMENT', /a divisor of the 6 channels$/],
    ['the axis of groups', () => ops.groupNorm(x, { groups: 1, axis: 0 }), 'ERR_AXIS', /not the first$/],
    ['axes of groups', () => ops.groupNorm(x, { axis: [1] as never }), 'ERR_AXIS', /which is one/],
  ];
  test.each(cases)('%s', (_, call, code, message) => {
    tf.tidy(() => expectError(call, code as never, message));
  });
});
