import { defaultHeapOwner } from '../../../js/src/runtime/heap.js';
import { HeapTensor } from '../../../js/src/tensor/heap_tensor.js';
import {
  checkOverlap,
  checkSameShape,
  newTarget,
  produce,
  readOutput,
  targetOf,
} from '../../../js/src/tensor/target.js';
import { type Operand, readOperand } from '../../../js/src/tensor/tensor_like.js';
import { expectError } from '../support/errors.js';

const owner = defaultHeapOwner();
const heap = owner.heap('test');
const read = (value: unknown): Operand => readOperand('f', owner, 'x', value);

test('a new target is of the kind that its model is', () => {
  const array = newTarget('f', owner, read(new Float32Array(2)), 'float64', [3]);
  array.elements(heap).set([1, 2, 3]);
  expect(array.address).toBe(0);
  expect(array.finish(heap)).toEqual(new Float64Array([1, 2, 3]));
  expect(() => array.discard()).not.toThrow();

  const nested = newTarget('f', owner, read([[1]]), 'float32', [1, 2]);
  expect(nested.finish(heap)).toEqual([[0, 0]]);

  const model = new HeapTensor('f', owner, [1], 'float32');
  const tensor = newTarget('f', owner, read(model), 'float64', [2, 1]);
  expect(tensor.address).toBeGreaterThan(0);
  expect(tensor.elements(heap)).toHaveLength(2);
  expect(tensor.finish(heap)).toMatchObject({ shape: [2, 1], dtype: 'float64' });
  expect(heap.liveTensors).toBe(2);
  tensor.discard();
  model.dispose();
  expect(heap.liveTensors).toBe(0);
});

test('an output is written to and handed back itself', () => {
  const out = { data: new Float32Array(3), shape: [1, 2], offset: 1 };
  const target = targetOf(readOutput('f', owner, out, 'float32', [1, 2]));
  target.elements(heap).set([1, 2]);
  expect(target.finish(heap)).toBe(out);
  expect(Array.from(out.data)).toEqual([0, 1, 2]);
});

test('results: new containers, the one that was given, or none', () => {
  const out = new Float32Array(2);
  const wanted = { a: [1, 3], b: read(out), c: undefined };
  const made = produce('f', owner, read([[1]]), 'float32', wanted, ({ a, b, c }) => {
    a?.elements(heap).fill(1);
    b?.elements(heap).fill(2);
    expect(c).toBeUndefined();
  });
  expect(made).toEqual({ a: [[1, 1, 1]], b: new Float32Array([2, 2]) });
  expect(made.b).toBe(out);
});

test('results are freed when something fails', () => {
  using model = new HeapTensor('f', owner, [1], 'float32');
  const failing = (): unknown =>
    produce('f', owner, read(model), 'float32', { a: [1], b: [2] }, () => {
      expect(heap.liveTensors).toBe(3);
      throw new RangeError('failed');
    });
  expect(failing).toThrow(RangeError);
  expect(() => produce('f', owner, read(model), 'float32', { a: [1], b: [2 ** 31] }, () => {})).toThrow(
    /bytes are needed/,
  );
  expect(heap.liveTensors).toBe(1);
});

test('an array of the shape of x has it, or is as long where it has no shape', () => {
  for (const value of [
    new Float32Array(4),
    [
      [1, 2],
      [3, 4],
    ],
  ]) {
    expect(() => checkSameShape('f', 'dy', read(value), [2, 2])).not.toThrow();
  }
  expectError(
    () => checkSameShape('f', 'dy', read([1, 2, 3, 4]), [2, 2]),
    'ERR_SHAPE',
    'f: dy has shape [4], expected [2, 2], the shape of x',
  );
});

test.each([
  [new Float32Array(3), 'ERR_SHAPE', 'f: out has 3 elements, expected 4, as x [2, 2] has'],
  [
    { data: new Float32Array(4), dims: [4] },
    'ERR_SHAPE',
    'f: out has shape [4], expected [2, 2], the shape of x',
  ],
  [
    new Float64Array(4),
    'ERR_DTYPE',
    'f: out has elements of float64, expected float32, the type of the result',
  ],
  [
    new Int32Array(4),
    'ERR_DTYPE',
    'f: out has elements of an integer type, expected float32, the type of the result',
  ],
  [
    [
      [0, 0],
      [0, 0],
    ],
    'ERR_ARGUMENT',
    'f: out cannot be written in place, expected a typed array, a tensor, or an object with contiguous data',
  ],
  [
    { data: new Float32Array(4), shape: [2, 2], strides: [1, 2] },
    'ERR_ARGUMENT',
    /^f: out cannot be written in place/,
  ],
  [7, 'ERR_ARGUMENT', /^f: out is 7, expected a typed array/],
] as const)('%# is no output', (out, code, message) => {
  expectError(() => readOutput('f', owner, out, 'float32', [2, 2]), code, message);
});

test('another option than out, and a result that is called sum, have their own names', () => {
  expectError(
    () => readOutput('f', owner, new Float32Array(3), 'float32', [4], 'x', 'sumOut'),
    'ERR_SHAPE',
    'f: sumOut has 3 elements, expected 4, as x [4] has',
  );
  const x = read(new Float32Array(2));
  expectError(
    () => checkOverlap('f', heap, x, 'out', x, false, 'sumOut'),
    'ERR_ARGUMENT',
    'f: sumOut overlaps out in memory, expected an array of its own',
  );
  const made = produce<'sum' | 'rstd'>('f', owner, x, 'bfloat16', { sum: [2], rstd: [1] }, () => {});
  expect(made).toEqual({ sum: new Uint16Array(2), rstd: new Float32Array(1) });
});

describe('overlap', () => {
  const buffer = new ArrayBuffer(64);
  const part = (start: number, length: number): Operand => read(new Float32Array(buffer, start * 4, length));
  const check = (out: Operand, input: Operand, inPlace = true): void =>
    checkOverlap('f', heap, out, 'x', input, inPlace);

  test('side by side, apart and the same are fine', () => {
    expect(() => check(part(0, 4), part(4, 4))).not.toThrow();
    expect(() => check(part(8, 4), part(4, 4))).not.toThrow();
    expect(() => check(part(4, 4), part(4, 4))).not.toThrow();
    expect(() => check(part(0, 4), read(new Float32Array(4)))).not.toThrow();
  });

  test('in part is not', () => {
    for (const start of [3, 5, 1]) {
      expectError(
        () => check(part(start, 4), part(4, 4)),
        'ERR_ARGUMENT',
        'f: out overlaps x in memory, expected all of x or none of it',
      );
    }
    expectError(() => check(part(0, 8), part(0, 4)), 'ERR_ARGUMENT', /overlaps/);
  });

  test('the same is not, where the input is read to the end', () => {
    expectError(
      () => check(part(0, 4), part(0, 4), false),
      'ERR_ARGUMENT',
      'f: out overlaps x in memory, expected an array of its own',
    );
  });

  test('is seen in the heap, between tensors and views of them', () => {
    const tensor = new HeapTensor('f', owner, [8], 'float32');
    const view = (start: number, length: number): Operand =>
      read(tensor.array.subarray(start, start + length));
    expect(() => check(view(0, 4), view(4, 4))).not.toThrow();
    expect(() => check(view(0, 8), read(tensor))).not.toThrow();
    expectError(() => check(view(0, 4), read(tensor)), 'ERR_ARGUMENT', /overlaps/);
    tensor.dispose();
  });
});
