import { readChannelArguments } from '../../../js/src/ops/channels.js';
import { type Mask, passChannels, readMask } from '../../../js/src/ops/mask.js';
import { defaultHeapOwner } from '../../../js/src/runtime/heap.js';
import { HeapTensor } from '../../../js/src/tensor/heap_tensor.js';
import { expectError } from '../support/errors.js';

const owner = defaultHeapOwner();
const heap = owner.heap('f');

const commonOf = (shape: number[], axis: number) =>
  readChannelArguments(
    'f',
    owner,
    new Float32Array(shape.reduce((a, b) => a * b, 1)),
    { shape, axis },
    {
      shape: true,
      axis: true,
    },
  );
const read = (value: unknown, shape = [2, 3, 4], axis = -1): Mask =>
  readMask(commonOf(shape, axis), value) as Mask;

/** What the mask says of each element of some channels of x. */
function written(mask: Mask, first: number, channels: number, length: number): string {
  const at = heap.scratch('f', mask.bytesOf(channels));
  mask.write(heap, at, first, channels);
  const bytes = new Uint8Array(heap.memory.buffer, at, mask.bytesOf(channels));
  return Array.from({ length }, (_, i) => bytes[Math.floor(i / mask.runOf(channels))]).join('');
}

const FULL = '111100001111000011110000';

test.each<[string, unknown]>([
  [
    'booleans',
    [
      [true, false, true],
      [false, true, false],
    ],
  ],
  [
    'numbers',
    [
      [1, 0, 2],
      [0, -1, 0],
    ],
  ],
  [
    'fractions, which count as well (keras#22392)',
    [
      [0.5, 0, 1],
      [0, 0.1, 0],
    ],
  ],
  ['bytes', Uint8Array.of(1, 0, 1, 0, 1, 0)],
  ['an object of booleans', { data: [true, false, true, false, true, false], dims: [2, 3] }],
  [
    'an object of bytes, as in onnxruntime',
    { data: Uint8Array.of(1, 0, 1, 0, 1, 0), dims: [2, 3], type: 'bool' },
  ],
])('%s', (_, value) => {
  expect(written(read(value), 0, 4, 24)).toBe(FULL);
});

test('tensors', () => {
  const t = new HeapTensor('f', owner, [2, 3], 'float32');
  t.array.set([1, 0, 1, 0, 1, 0]);
  expect(written(read(t), 0, 4, 24)).toBe(FULL);
  t.dispose();
});

test.each<[unknown, string]>([
  [[[true], [false]], '111111111111000000000000'],
  [[[true, false, true]], '111100001111111100001111'],
  [[[false]], '0'.repeat(24)],
])('%j is broadcast', (value, expected) => {
  expect(written(read(value), 0, 4, 24)).toBe(expected);
});

test('none', () => {
  for (const value of [null, undefined]) expect(readMask(commonOf([2, 3], 1), value)).toBeUndefined();
});

test('some channels: all of the last dimension share a byte, whichever that of the channels is', () => {
  const value = [
    [1, 0, 1],
    [0, 1, 0],
  ];
  // Channels last: cut from [2, 3, 4] to [2, 3, 2].
  expect(written(read(value), 1, 2, 12)).toBe('110011001100');
  // Channels in the middle: cut to [2, 2, 4].
  expect(written(read(value, [2, 3, 4], 1), 1, 2, 16)).toBe('0000111111110000');
  // Channels first: cut to [1, 3, 4].
  expect(written(read(value, [2, 3, 4], 0), 1, 1, 12)).toBe('000011110000');
  // Channels before a last dimension of size 1.
  expect(written(read(value, [2, 3, 1], 1), 2, 1, 2)).toBe('10');
});

test.each<[unknown, string]>([
  [
    [true, false],
    'mask has shape [2], expected [2, 3], or 1 for any of these sizes. The mask provided should be one dimension less than x [2, 3, 4]',
  ],
  [
    [[[true]]],
    'mask has shape [1, 1, 1], expected [2, 3], or 1 for any of these sizes. The mask provided should be one dimension less than x [2, 3, 4]',
  ],
  [
    [[true, false]],
    'mask has shape [1, 2], expected [2, 3], or 1 for any of these sizes. The mask provided should be one dimension less than x [2, 3, 4]',
  ],
  [new Uint8Array(24), 'mask has 24 elements, expected 6, as x [2, 3, 4] has without its last dimension'],
])('%j is refused', (value, message) => {
  expectError(() => read(value), 'ERR_SHAPE', `f: ${message}`);
});

test('what is no mask', () => {
  expectError(() => read(true), 'ERR_ARGUMENT', /^f: mask is true, expected a typed array/);
  expectError(() => read([['a', 'b', 'c']]), 'ERR_DTYPE', "f: mask[0][0] is 'a', expected a number");
});

test('blocks of channels come with their mask in front of the workspace', () => {
  const common = commonOf([3, 4, 20_000], 1);
  const mask = readMask(common, [
    [1, 0, 1, 0],
    [0, 1, 0, 1],
    [1, 1, 0, 0],
  ]);
  const blocks: [string, number][] = [];
  passChannels(
    common,
    'float32',
    [{ per: 'element', input: common.x, output: undefined }],
    mask,
    (channels) => 100 * channels,
    (_from, _to, channels, at, run, workspace, workspaceBytes) => {
      expect([run, workspace % 64]).toEqual([20_000, 0]);
      expect(workspace).toBeGreaterThan(at);
      blocks.push([new Uint8Array(heap.memory.buffer, at, 3 * channels).join(''), workspaceBytes]);
      return 0;
    },
  );
  expect(blocks).toEqual([
    ['101', 100],
    ['011', 100],
    ['100', 100],
    ['010', 100],
  ]);
});

test('channels whose elements alternate come one by one', () => {
  const common = commonOf([2, 3, 1], 1);
  const mask = readMask(common, [
    [1, 0, 1],
    [0, 0, 1],
  ]);
  const blocks: string[] = [];
  passChannels(
    common,
    'float32',
    [{ per: 'element', input: common.x, output: undefined }],
    mask,
    () => 8,
    (_from, _to, channels, at, run) => {
      expect([channels, run]).toEqual([1, 1]);
      blocks.push(new Uint8Array(heap.memory.buffer, at, 2).join(''));
      return 0;
    },
  );
  expect(blocks).toEqual(['10', '00', '11']);
});

test('without a mask there is none', () => {
  const common = commonOf([3, 4], 1);
  passChannels(
    common,
    'float32',
    [{ per: 'element', input: common.x, output: undefined }],
    undefined,
    () => 8,
    (_from, _to, channels, at, run, _workspace, workspaceBytes) => {
      expect([channels, at, run, workspaceBytes]).toEqual([4, 0, 1, 8]);
      return 0;
    },
  );
});
