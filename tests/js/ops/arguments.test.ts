import {
  type Axes,
  computedWith,
  readCommonArguments,
  readDxOut,
  readDy,
  readInput,
  readOut,
  readOutputs,
  readParameter,
  readPositions,
  readSpan,
  readStatistic,
} from '../../../js/src/ops/arguments.js';
import { defaultHeapOwner } from '../../../js/src/runtime/heap.js';
import { expectError } from '../support/errors.js';

const owner = defaultHeapOwner();
const shape = [2, 3, 4];
const both: Axes = { axis: [0, 2], mask: 0b101 };
const one: Axes = { axis: -1, mask: 0b100 };
const all: Axes = { axis: [0, 1, 2], mask: 0b111 };
const shaped = (...sizes: number[]) => ({
  data: new Float32Array(sizes.reduce((a, b) => a * b, 1)),
  shape: sizes,
});

test.each([[shaped(8)], [shaped(2, 4)], [shaped(2, 1, 4)], [new Float32Array(8)]])(
  'gamma: one element for each reduced position, case %#',
  (value) => {
    expect(readParameter('f', owner, 'gamma', value, shape, both)?.length).toBe(8);
  },
);

test.each([[shaped(3)], [shaped(1, 3, 1)], [new Float64Array(3)], [[1, 2, 3]]])(
  'mean: one element for each group, case %#',
  (value) => {
    expect(readStatistic('f', owner, 'mean', value, shape, both).length).toBe(3);
  },
);

test('mean over one axis and over all', () => {
  for (const value of [shaped(6), shaped(2, 3), shaped(2, 3, 1)]) {
    expect(readStatistic('f', owner, 'mean', value, shape, one).length).toBe(6);
  }
  for (const value of [[1], [[[1]]]]) {
    expect(readStatistic('f', owner, 'mean', value, shape, all).length).toBe(1);
  }
});

test('gamma may be absent, mean may not', () => {
  expect(readParameter('f', owner, 'gamma', null, shape, one)).toBeUndefined();
  expect(readParameter('f', owner, 'gamma', undefined, shape, one)).toBeUndefined();
  expectError(
    () => readStatistic('f', owner, 'mean', undefined, shape, one),
    'ERR_ARGUMENT',
    /^f: mean is undefined, expected a typed array/,
  );
});

test('what does not fit says what would', () => {
  const wrong = (read: typeof readParameter, value: unknown, axes: Axes, message: string): void =>
    expectError(() => read('f', owner, 'it', value, shape, axes), 'ERR_SHAPE', `f: it has ${message}`);
  wrong(readParameter, [1], one, '1 elements, expected 4, the size of axis -1 of x [2, 3, 4]');
  wrong(
    readParameter,
    shaped(4, 2),
    both,
    'shape [4, 2], expected [8] or [2, 4] or [2, 1, 4]: 8 is the product of the sizes of axes [0, 2] of x [2, 3, 4]',
  );
  wrong(readStatistic, [1], one, '1 elements, expected 6, the number of groups of x [2, 3, 4] over axis -1');
  wrong(
    readStatistic,
    shaped(3, 1),
    both,
    'shape [3, 1], expected [3] or [1, 3, 1]: 3 is the number of groups of x [2, 3, 4] over axis [0, 2]',
  );
  wrong(
    readStatistic,
    shaped(1, 1),
    all,
    'shape [1, 1], expected [1] or [1, 1, 1]: 1 is the number of groups of x [2, 3, 4] over axis [0, 1, 2]',
  );
});

test('what all calls have in common, and their defaults', () => {
  const known = { axis: true, shape: true, dtype: true, rmsScaling: true, gamma: true };
  const x = new Float32Array(24);
  const plain = readCommonArguments('f', owner, x, {}, known);
  expect(plain).toMatchObject({ operation: 'f', dtype: 'float32', rmsScaling: false, gamma: undefined });
  expect(plain.axes).toEqual({ axis: -1, mask: 1 });
  const options = { shape, axis: [0, -1], dtype: 'float64', rmsScaling: true, gamma: new Int8Array(8) };
  const full = readCommonArguments('f', owner, x, options, known);
  expect(full).toMatchObject({ dtype: 'float64', rmsScaling: true, axes: { axis: [0, -1], mask: 0b101 } });
  expect([full.x.shape, full.gamma?.length]).toEqual([shape, 8]);
  expectError(
    () => readCommonArguments('f', owner, x, { axes: 1 } as object, known),
    'ERR_ARGUMENT',
    "f: unknown option 'axes', did you mean 'axis'?",
  );
});

test('out may be x or dy, and nothing else that is read', () => {
  const array = new Float32Array(4);
  const common = readCommonArguments('f', owner, array, {}, {});
  const { x } = common;
  expect(readOut(common, null, { x })).toBeUndefined();
  for (const name of ['x', 'dy']) expect(readOut(common, array, { [name]: x })?.value).toBe(array);
  expect(readOut(common, new Float32Array(4), { gamma: x, beta: undefined })).toBeDefined();
  expectError(
    () => readOut(common, array, { gamma: x }),
    'ERR_ARGUMENT',
    'f: out overlaps gamma in memory, expected an array of its own',
  );
  expectError(
    () => readOut(common, array, { gamma: x }, 'sumOut'),
    'ERR_ARGUMENT',
    'f: sumOut overlaps gamma in memory, expected an array of its own',
  );
});

test('x and its types: the core gets 16 bits only where nothing is rounded before', () => {
  const known = { shape: true, dtype: true };
  const bits = new Uint16Array(4);
  const types = (x: object, dtype?: string) => {
    const input = readInput('f', owner, x, { dtype }, known);
    return [input.dtype, input.computed, computedWith(input, readDy(input, new Float32Array(4)))];
  };
  expect(types(bits, 'float16')).toEqual(['float16', 'float16', 'float32']);
  expect(types(new Float32Array(4), 'float16')).toEqual(['float16', 'float32', 'float32']);
  expect(types(new Float32Array(4))).toEqual(['float32', 'float32', 'float32']);
  expect(types(new Float64Array(4))).toEqual(['float64', 'float64', 'float64']);
  const input = readInput('f', owner, bits, { dtype: 'bfloat16' }, known);
  expect(computedWith(input, readDy(input, bits))).toBe('bfloat16');
  expectError(
    () => readDy(input, new Uint16Array(3)),
    'ERR_SHAPE',
    'f: dy has 3 elements, expected 4, as x [4] has',
  );
});

test('which gradients, and where dx goes', () => {
  const known = ['dx', 'dgamma'] as const;
  expect(readOutputs('f', null, known)).toEqual(known);
  expect(readOutputs('f', ['dgamma'], known)).toEqual(['dgamma']);
  for (const wrong of [[], ['dbeta'], 'dx']) {
    expectError(
      () => readOutputs('f', wrong, known, ': that is all'),
      'ERR_ARGUMENT',
      /^f: outputs is .*, expected one or more of \['dx', 'dgamma'\]: that is all$/,
    );
  }
  const array = new Float32Array(4);
  const common = readCommonArguments('f', owner, array, {}, {});
  const inputs = { x: common.x };
  expect(readDxOut(common, array, ['dx'], inputs)?.value).toBe(array);
  expect(readDxOut(common, undefined, ['dgamma'], inputs)).toBeUndefined();
  expectError(
    () => readDxOut(common, array, ['dgamma'], inputs),
    'ERR_ARGUMENT',
    "f: out is given, expected 'dx' among outputs ['dgamma']",
  );
});

test('what has to be given, and what has a shape of its own', () => {
  expect(readPositions('f', owner, 'mean', shaped(2, 4), shape, both, 'float32').length).toBe(8);
  expectError(
    () => readPositions('f', owner, 'mean', null, shape, both, 'float32'),
    'ERR_ARGUMENT',
    /^f: mean is null, expected a typed array/,
  );
  const where = (): string => 'two times two';
  expect(readSpan('f', owner, 'mean', shaped(2, 2), [2, 2], 0b11, 'float32', where).length).toBe(4);
  expectError(
    () => readSpan('f', owner, 'mean', [1], [2, 2], 0b11, 'float32', where),
    'ERR_SHAPE',
    'f: mean has 1 elements, expected 4, two times two',
  );
});
