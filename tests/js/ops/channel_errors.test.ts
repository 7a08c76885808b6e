// Every error that batchNorm, groupNorm and what goes with them throw of themselves: code, wording, and that nothing is written.
// What they share with layerNorm is tested there.
import {
  batchNorm,
  batchNormForward,
  createEngine,
  groupNorm,
  groupNormForward,
  type LayerNormErrorCode,
  tensor,
} from 'layernorm';
import { expectError } from '../support/errors.js';

const x = Float32Array.from({ length: 24 }, (_, i) => i);
const three = new Float32Array(3);
const right = { shape: [2, 3, 4], axis: 1 };

type Mistake = [what: string, options: object, code: LayerNormErrorCode, message: string];

const BATCH: Mistake[] = [
  [
    "PyTorch's name",
    { running_mean: three },
    'ERR_ARGUMENT',
    "unknown option 'running_mean', did you mean 'movingMean'?",
  ],
  [
    "Keras' name",
    { moving_variance: three },
    'ERR_ARGUMENT',
    "unknown option 'moving_variance', did you mean 'movingVariance'?",
  ],
  [
    'two axes',
    { axis: [1, 2] },
    'ERR_AXIS',
    'axis is [1, 2], expected an integer: the dimension of the channels',
  ],
  [
    'an axis out of bounds',
    { axis: 3 },
    'ERR_AXIS',
    'axis 3 is out of bounds for x [2, 3, 4], expected -3 to 2',
  ],
  [
    'epsilon',
    { epsilon: -1 },
    'ERR_ARGUMENT',
    'epsilon is -1, expected a finite number that is not negative',
  ],
  [
    'gamma',
    { gamma: [1, 2] },
    'ERR_SHAPE',
    'gamma has 2 elements, expected 3, the size of axis 1 of x [2, 3, 4]',
  ],
  ['beta', { beta: x }, 'ERR_SHAPE', 'beta has 24 elements, expected 3, the size of axis 1 of x [2, 3, 4]'],
  [
    'mean alone',
    { mean: three },
    'ERR_ARGUMENT',
    'mean is given without variance, expected both mean and variance, or neither',
  ],
  [
    'variance alone',
    { variance: three },
    'ERR_ARGUMENT',
    'variance is given without mean, expected both mean and variance, or neither',
  ],
  [
    'a moving mean alone',
    { movingMean: three },
    'ERR_ARGUMENT',
    'movingMean is given without movingVariance, expected both movingMean and movingVariance, or neither',
  ],
  [
    'a short variance',
    { mean: three, variance: [1] },
    'ERR_SHAPE',
    'variance has 1 elements, expected 3, the size of axis 1 of x [2, 3, 4]',
  ],
  [
    'a mask with given statistics',
    { mean: three, variance: three, mask: new Uint8Array(6) },
    'ERR_ARGUMENT',
    'mask is given with mean and variance, expected one of them: no statistics are taken of x then',
  ],
  [
    'moving statistics with given ones',
    { mean: three, variance: three, movingMean: three, movingVariance: three },
    'ERR_ARGUMENT',
    'movingMean and movingVariance are given with mean and variance, expected one of them: no statistics are taken of x then',
  ],
  [
    'a mask of another shape',
    { mask: [[true, false]] },
    'ERR_SHAPE',
    'mask has shape [1, 2], expected [2, 3], or 1 for any of these sizes. The mask provided should be one dimension less than x [2, 3, 4]',
  ],
  [
    'momentum',
    { momentum: Number.NaN },
    'ERR_ARGUMENT',
    'momentum is NaN, expected a finite number, from 0 to 1 as a rule',
  ],
  [
    'momentum as text',
    { momentum: '0.9' },
    'ERR_ARGUMENT',
    "momentum is '0.9', expected a finite number, from 0 to 1 as a rule",
  ],
];

test.each(BATCH)('batchNormForward: %s', (_, options, code, message) => {
  const out = new Float32Array(24).fill(7);
  const call = () => batchNormForward(x, { ...right, out, ...options } as object);
  expectError(call, code, `batchNormForward: ${message}`);
  expect(out.every((value) => value === 7)).toBe(true);
});

test('momentum and moving statistics are no options of batchNorm', () => {
  expectError(
    () => batchNorm(x, { ...right, momentum: 0.9 } as object),
    'ERR_ARGUMENT',
    "batchNorm: unknown option 'momentum', expected shape, axis, epsilon, gamma, beta, mean, variance, mask, dtype, out",
  );
});

test.each([-0.1, 0, 1, 1.5])('momentum %d is taken, as in Keras', (momentum) => {
  const moving = { movingMean: [1], movingVariance: [0] };
  const { movingMean } = batchNormForward([[3], [5]], { ...moving, momentum });
  expect(movingMean).toEqual([expect.closeTo(momentum + 4 * (1 - momentum), 6)]);
});

const GROUP: Mistake[] = [
  [
    "PyTorch's name",
    { num_groups: 3 },
    'ERR_ARGUMENT',
    "unknown option 'num_groups', did you mean 'groups'?",
  ],
  [
    'two axes',
    { axis: [1, 2] },
    'ERR_AXIS',
    'axis is [1, 2], expected an integer: the dimension of the channels',
  ],
  [
    'the batch',
    { axis: 0 },
    'ERR_AXIS',
    'axis 0 is dimension 0 of x [2, 3, 4], which is the batch, expected another one for the channels',
  ],
  [
    'too many groups',
    { groups: null },
    'ERR_ARGUMENT',
    'argument `groups` is 32, which cannot be more than the number of channels: 3, the size of axis 1 of x [2, 3, 4]',
  ],
  [
    'groups that do not divide the channels',
    { groups: 2 },
    'ERR_ARGUMENT',
    'argument `groups` is 2, of which the number of channels must be a multiple, but it is 3, the size of axis 1 of x [2, 3, 4]',
  ],
  [
    'gamma for each group',
    { gamma: [1] },
    'ERR_SHAPE',
    'gamma has 1 elements, expected 3, the size of axis 1 of x [2, 3, 4]',
  ],
];

test.each(GROUP)('groupNormForward: %s', (_, options, code, message) => {
  const out = new Float32Array(24).fill(7);
  const call = () => groupNormForward(x, { ...right, groups: 1, out, ...options } as object);
  expectError(call, code, `groupNormForward: ${message}`);
  expect(out.every((value) => value === 7)).toBe(true);
});

test('out overlaps nothing that is read', () => {
  const memory = new Float32Array(30);
  const out = memory.subarray(0, 24);
  const overlapping = memory.subarray(21, 24);
  for (const name of ['gamma', 'beta']) {
    expectError(
      () => groupNorm(x, { ...right, groups: 1, out, [name]: overlapping }),
      'ERR_ARGUMENT',
      `groupNorm: out overlaps ${name} in memory, expected an array of its own`,
    );
  }
  for (const [name, other] of [
    ['gamma', {}],
    ['mean', { variance: three }],
    ['variance', { mean: three }],
    ['movingMean', { movingVariance: three }],
    ['movingVariance', { movingMean: three }],
  ] as const) {
    expectError(
      () => batchNormForward(x, { ...right, out, ...other, [name]: overlapping }),
      'ERR_ARGUMENT',
      `batchNormForward: out overlaps ${name} in memory, expected an array of its own`,
    );
  }
  expectError(
    () => batchNorm(memory.subarray(6), { ...right, out }),
    'ERR_ARGUMENT',
    'batchNorm: out overlaps x in memory, expected all of x or none of it',
  );
});

test('a mask may overlap out: it is read before anything is written', () => {
  const bytes = new Uint8Array(96);
  bytes.fill(1, 0, 6);
  const expected = batchNorm(x, { ...right, mask: bytes.slice(0, 6) });
  const out = new Float32Array(bytes.buffer);
  expect(batchNorm(x, { ...right, mask: bytes.subarray(0, 6), out })).toEqual(expected);
});

test('tensors that are gone, or of another engine', async () => {
  using engine = await createEngine();
  using elsewhere = engine.tensor(three);
  const gone = tensor(three);
  gone.dispose();
  for (const name of ['gamma', 'beta', 'movingMean', 'movingVariance']) {
    const options = { ...right, movingMean: three, movingVariance: three };
    expectError(
      () => batchNormForward(x, { ...options, [name]: gone }),
      'ERR_DISPOSED',
      `batchNormForward: ${name} is a tensor that has been disposed`,
    );
    expectError(
      () => batchNormForward(x, { ...options, [name]: elsewhere }),
      'ERR_ARGUMENT',
      `batchNormForward: ${name} is a tensor of another engine; pass its array, or call that engine's own batchNormForward`,
    );
  }
});

test('a group that does not fit: nothing is written, nothing is left', async () => {
  const MiB = 2 ** 20;
  using engine = await createEngine({ maxMemory: 4 * MiB });
  const large = new Float32Array(2 * MiB);
  const out = new Float32Array(2 * MiB).fill(7);
  const fits = { shape: [2, MiB], out };
  const message =
    /: \d+ bytes are needed, which the WebAssembly memory, now \d+ bytes large, cannot grow by$/;
  expectError(() => engine.batchNorm(large, { ...fits, axis: 0 }), 'ERR_OUT_OF_MEMORY', message);
  expectError(() => engine.groupNorm(large, { ...fits, groups: 1 }), 'ERR_OUT_OF_MEMORY', message);
  expect(out.every((value) => value === 7)).toBe(true);
  using t = engine.tensor(new Float32Array(MiB / 2), [MiB / 4, 2]);
  expectError(() => engine.groupNorm(t, { groups: 1 }), 'ERR_OUT_OF_MEMORY', /^groupNorm: 2097152 bytes/);
  expect(engine.info().liveTensors).toBe(1);
});
