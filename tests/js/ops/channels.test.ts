import {
  allButChannels,
  produceChannelGradients,
  readChannelArguments,
  readChannelGradient,
  readPairPerChannel,
  readPerChannel,
} from '../../../js/src/ops/channels.js';
import { defaultHeapOwner } from '../../../js/src/runtime/heap.js';
import { expectError } from '../support/errors.js';

const owner = defaultHeapOwner();
const known = { shape: true, axis: true, gamma: true, dtype: true };
const x = new Float32Array(24);
const read = (options: object) =>
  readChannelArguments('f', owner, x, { shape: [2, 3, 4], ...options }, known);

test('x is seen as [outer, channels, inner]', () => {
  expect(read({})).toMatchObject({ channelAxis: 2, outer: 6, channels: 4, inner: 1 });
  expect(read({ axis: 1 })).toMatchObject({ channelAxis: 1, outer: 2, channels: 3, inner: 4 });
  expect(read({ axis: -3 })).toMatchObject({ channelAxis: 0, outer: 1, channels: 2, inner: 12 });
  const ones = { shape: Array<number>(31).fill(1).concat(24), axis: 31 };
  expect(read(ones)).toMatchObject({ channelAxis: 31, outer: 1, channels: 24, inner: 1 });
  expect(allButChannels(read(ones))).toBe(0x7fffffff);
  expect(allButChannels(read({ axis: 1 }))).toBe(0b101);
});

test.each([[[1, 2]], [[1]], [1.5], ['1'], [true]])('axis %j is no dimension of channels', (axis) => {
  expectError(
    () => read({ axis }),
    'ERR_AXIS',
    /^f: axis is .*, expected an integer: the dimension of the channels$/,
  );
});

test('axis is in bounds', () => {
  expectError(
    () => read({ axis: 3 }),
    'ERR_AXIS',
    'f: axis 3 is out of bounds for x [2, 3, 4], expected -3 to 2',
  );
});

test('one element for each channel', () => {
  const common = read({ axis: 1 });
  for (const value of [[1, 2, 3], [[[1], [2], [3]]], new Int8Array(3)]) {
    expect(readPerChannel(common, 'mean', value).length).toBe(3);
  }
  expectError(
    () => readPerChannel(common, 'mean', [[1, 2, 3]]),
    'ERR_SHAPE',
    'f: mean has shape [1, 3], expected [3] or [1, 3, 1]: 3 is the size of axis 1 of x [2, 3, 4]',
  );
});

test('both of a pair, or neither', () => {
  const common = read({ axis: 1 });
  const pair = (a: unknown, b: unknown) => readPairPerChannel(common, ['a', 'b'], [a, b]);
  expect(pair(null, undefined)).toBeUndefined();
  expect(pair([1, 2, 3], [4, 5, 6])?.map(({ length }) => length)).toEqual([3, 3]);
  expectError(
    () => pair([1, 2, 3], null),
    'ERR_ARGUMENT',
    'f: a is given without b, expected both a and b, or neither',
  );
  expectError(
    () => pair(null, [1]),
    'ERR_ARGUMENT',
    'f: b is given without a, expected both a and b, or neither',
  );
});

test('what gradients are computed of, and what is made of them', () => {
  const common = read({ axis: 1 });
  const readStatistic = (name: string, value: unknown) => readPerChannel(common, name, value);
  const statistics = { mean: [1, 2, 3], rstd: [1, 2, 3] };
  const call = readChannelGradient(common, x, { ...statistics, outputs: ['dbeta', 'dx'] }, readStatistic);
  expect(call).toMatchObject({ outputs: ['dbeta', 'dx'], out: undefined, computed: 'float32' });
  const made = produceChannelGradients(common, call, ({ dx, dgamma, dbeta }) => {
    const heap = owner.heap('f');
    expect(dgamma).toBeUndefined();
    dx?.elements(heap).fill(1);
    dbeta?.elements(heap).fill(2);
  });
  expect(made).toEqual({ dx: x.map(() => 1), dbeta: new Float32Array([2, 2, 2]) });
  expectError(
    () => readChannelGradient(common, x.subarray(1), statistics, readStatistic),
    'ERR_SHAPE',
    'f: dy has 23 elements, expected 24, as x [2, 3, 4] has',
  );
});

test('nothing is called for empty x', () => {
  const empty = readChannelArguments('f', owner, new Float32Array(0), { shape: [0, 2] }, known);
  const readStatistic = (name: string, value: unknown) => readPerChannel(empty, name, value);
  const none = new Float32Array(0);
  const call = readChannelGradient(empty, none, { mean: [0, 0], rstd: [0, 0] }, readStatistic);
  const made = produceChannelGradients(empty, call, () => {
    throw new Error('not reached');
  });
  expect(made).toEqual({ dx: none, dgamma: new Float32Array(2), dbeta: new Float32Array(2) });
});
