import { passGroups, readGroupArguments } from '../../../js/src/ops/groups.js';
import { defaultHeapOwner } from '../../../js/src/runtime/heap.js';
import { targetOf } from '../../../js/src/tensor/target.js';
import { type Operand, readOperand } from '../../../js/src/tensor/tensor_like.js';
import { expectError } from '../support/errors.js';

const owner = defaultHeapOwner();
const known = { shape: true, axis: true, gamma: true };
const read = (options: { shape: number[]; axis?: number }, groups?: unknown, length = 24) =>
  readGroupArguments('f', owner, new Float32Array(length), options, groups, known);

test('x is seen as [batch, before, channels, inner]', () => {
  const sizes = { batch: 2, before: 1, channels: 3, inner: 4, groups: 3, channelAxis: 1 };
  expect(read({ shape: [2, 3, 4], axis: 1 }, -1)).toMatchObject(sizes);
  expect(read({ shape: [2, 3, 4], axis: -2 }, 3)).toMatchObject(sizes);
  expect(read({ shape: [2, 3, 4] }, 2)).toMatchObject({
    batch: 2,
    before: 3,
    channels: 4,
    inner: 1,
    groups: 2,
  });
  expect(read({ shape: [1, 2, 3, 4], axis: 2 }, 1)).toMatchObject({ before: 2, channels: 3, inner: 4 });
});

test('there are 32 groups if nothing else is said', () => {
  for (const groups of [undefined, null]) expect(read({ shape: [1, 64] }, groups, 64).groups).toBe(32);
});

test.each([
  [0, 'argument `groups` is 0, expected a positive integer, or -1 for one group per channel'],
  [-2, 'argument `groups` is -2, expected a positive integer, or -1 for one group per channel'],
  [1.5, 'argument `groups` is 1.5, expected a positive integer, or -1 for one group per channel'],
  ['32', "argument `groups` is '32', expected a positive integer, or -1 for one group per channel"],
  [
    5,
    'argument `groups` is 5, which cannot be more than the number of channels: 4, the size of axis -1 of x [2, 3, 4]',
  ],
  [
    3,
    'argument `groups` is 3, of which the number of channels must be a multiple, but it is 4, the size of axis -1 of x [2, 3, 4]',
  ],
])('groups %j are refused (keras#22965)', (groups, message) => {
  expectError(() => read({ shape: [2, 3, 4] }, groups), 'ERR_ARGUMENT', `f: ${message}`);
});

test('dimension 0 is the batch', () => {
  for (const [shape, axis] of [
    [[24], -1],
    [[4, 6], 0],
    [[2, 3, 4], -3],
  ] as const) {
    expectError(
      () => read({ shape: [...shape], axis }),
      'ERR_AXIS',
      `f: axis ${axis} is dimension 0 of x [${shape.join(', ')}], which is the batch, expected another one for the channels`,
    );
  }
});

/** y = x + gamma, mean = the number of elements of each group; says what each block was. */
function run(shape: number[], axis: number, groups: number) {
  const heap = owner.heap('f');
  const length = shape.reduce((a, b) => a * b, 1);
  const x = Float32Array.from({ length }, (_, i) => i % 97);
  const common = readGroupArguments('f', owner, x, { shape, axis }, groups, known);
  const { batch, before, channels, inner } = common;
  const gamma = Float32Array.from({ length: channels }, (_, i) => 1000 * i);
  const operand = (value: Float32Array): Operand => readOperand('f', owner, 'x', value);
  const y = new Float32Array(length);
  const mean = new Float32Array(batch * groups);
  const total = new Float32Array(channels);
  const blocks: [batch: number, channels: number, first: boolean, last: boolean][] = [];
  passGroups(
    common,
    'float32',
    [
      { per: 'element', input: common.x, output: targetOf(operand(y)) },
      { per: 'channel', input: operand(gamma), output: undefined },
      { per: 'group', input: undefined, output: targetOf(operand(mean)) },
      { per: 'channel', input: undefined, output: targetOf(operand(total)) },
    ],
    (sizes, from, to, first, last, workspace, workspaceBytes) => {
      blocks.push([sizes.batch, sizes.channels, first, last]);
      expect(workspaceBytes).toBeGreaterThanOrEqual(8 * sizes.channels);
      const numbers = heap.elements('float32');
      const at = (array: readonly number[], part: number): number => (array[part] as number) / 4;
      const sums = workspace / 4;
      if (first) numbers.fill(0, sums, sums + sizes.channels);
      for (let i = 0; i < sizes.batch * before * sizes.channels * inner; i++) {
        const channel = Math.floor(i / inner) % sizes.channels;
        (numbers[at(to, 0) + i] as number) += numbers[at(from, 1) + channel] as number;
        (numbers[sums + channel] as number) += 1;
      }
      const perGroup = (before * sizes.channels * inner) / sizes.groups;
      for (let k = 0; k < sizes.batch * sizes.groups; k++) numbers[at(to, 2) + k] = perGroup;
      for (let c = 0; last && c < sizes.channels; c++) {
        numbers[at(to, 3) + c] = numbers[sums + c] as number;
      }
      return 0;
    },
    (sizes) => 8 * sizes.channels,
  );
  expect(y).toEqual(x.map((value, i) => value + 1000 * (Math.floor(i / inner) % channels)));
  expect(mean).toEqual(mean.map(() => (before * channels * inner) / groups));
  expect(total).toEqual(total.map(() => batch * before * inner));
  return blocks;
}

test('blocks of whole samples', () => {
  expect(run([2, 3, 4], -1, 2)).toEqual([[2, 4, true, true]]);
  expect(run([20, 8, 600], 1, 4)).toEqual([
    [6, 8, true, false],
    [6, 8, false, false],
    [6, 8, false, false],
    [2, 8, false, true],
  ]);
});

test('a single sample in blocks of whole groups, each of channels of its own', () => {
  expect(run([1, 8, 9000], 1, 4)).toEqual(Array(4).fill([1, 2, true, true]));
  const columns = run([1, 9000, 256], 2, 128);
  expect(columns).toEqual(Array(4).fill([1, 64, true, true]));
});
