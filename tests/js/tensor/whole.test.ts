// What is copied in and out of the heap around a kernel that takes its arrays whole; here it is a few lines of JavaScript.
import { type HeapOwner, HeapOwner as Owner } from '../../../js/src/runtime/heap.js';
import { instantiate } from '../../../js/src/runtime/load.js';
import { HeapTensor } from '../../../js/src/tensor/heap_tensor.js';
import { targetOf } from '../../../js/src/tensor/target.js';
import { type Operand, readOperand } from '../../../js/src/tensor/tensor_like.js';
import { passWhole, type WholePart } from '../../../js/src/tensor/whole.js';
import { expectError } from '../support/errors.js';

const owner: HeapOwner = new Owner(instantiate('test'));
const heap = owner.heap('test');

const read = (value: unknown, dtype?: string): Operand =>
  readOperand('f', owner, 'x', value, undefined, dtype);
const places = (parts: WholePart[]): { from: number[]; to: number[] } => {
  let seen = { from: [] as number[], to: [] as number[] };
  passWhole('f', heap, parts, 0, (from, to) => {
    seen = { from: [...from], to: [...to] };
    return 0;
  });
  return seen;
};

/** Adds 1 to all of part 0. */
const addOne = (length: number, dtype: 'float32' | 'float64' = 'float32') => {
  const bytes = dtype === 'float32' ? 4 : 8;
  return (from: readonly number[], to: readonly number[]): number => {
    const numbers = heap.elements(dtype);
    for (let i = 0; i < length; i++) {
      numbers[(to[0] as number) / bytes + i] = (numbers[(from[0] as number) / bytes + i] as number) + 1;
    }
    return 0;
  };
};

function tensorOf(values: number[]): HeapTensor<'float32'> {
  const made = new HeapTensor('f', owner, [values.length], 'float32');
  made.array.set(values);
  return made;
}

test('arrays outside pass through the scratch block, read and written in one place', () => {
  const x = new Float32Array([1, 2, 3]);
  const y = new Float32Array(3);
  const part: WholePart = { dtype: 'float32', length: 3, input: read(x), output: targetOf(read(y)) };
  passWhole('f', heap, [part], 0, addOne(3));
  expect(Array.from(y)).toEqual([2, 3, 4]);
  expect(Array.from(x)).toEqual([1, 2, 3]);
  const { from, to } = places([part]);
  expect(from).toEqual(to);
});

test('numbers are converted to the type of the kernel, and back', () => {
  const bits = new Uint16Array([0x3f80, 0x4000]);
  const output = targetOf(read(new Uint16Array(2), 'bfloat16'));
  passWhole(
    'f',
    heap,
    [{ dtype: 'float32', length: 2, input: read(bits, 'bfloat16'), output }],
    0,
    addOne(2),
  );
  expect(Array.from(output.elements(heap))).toEqual([0x4000, 0x4040]);
  const wide = targetOf(read(new Float64Array(2)));
  passWhole(
    'f',
    heap,
    [{ dtype: 'float64', length: 2, input: read([1, 2]), output: wide }],
    0,
    addOne(2, 'float64'),
  );
  expect(Array.from(wide.elements(heap))).toEqual([2, 3]);
});

test('tensors are used where they are', () => {
  const [a, b] = [tensorOf([1, 2]), tensorOf([0, 0])];
  const [x, y] = [read(a), read(b)];
  const both = { dtype: 'float32', length: 2, input: x, output: targetOf(y) } as const;
  expect(places([both])).toEqual({ from: [x.address], to: [y.address] });
  passWhole('f', heap, [both], 0, addOne(2));
  expect(Array.from(b.array)).toEqual([2, 3]);
  // What comes from outside is copied to where the result goes.
  const outside = { ...both, input: read(new Float32Array([7, 8])) };
  expect(places([outside])).toEqual({ from: [y.address], to: [y.address] });
  expect(Array.from(b.array)).toEqual([7, 8]);
  // A result that goes outside needs a place, and its input none.
  const { from, to } = places([{ ...both, output: targetOf(read(new Float32Array(2))) }]);
  expect(from).toEqual([x.address]);
  expect(to).not.toEqual(from);
});

test('inputs alone, outputs alone, and the workspace have places of their own', () => {
  const parts: WholePart[] = [
    { dtype: 'float32', length: 3, input: read(new Float32Array(3)) },
    { dtype: 'float32', length: 5, output: targetOf(read(new Float32Array(5))) },
    { dtype: 'float32', length: 1 },
  ];
  passWhole('f', heap, parts, 100, (from, to, workspace) => {
    expect(from.slice(1)).toEqual([0, 0]);
    expect([to[0], to[2]]).toEqual([0, 0]);
    expect((to[1] as number) - (from[0] as number)).toBe(64);
    expect(workspace - (to[1] as number)).toBe(64);
    return 0;
  });
});

test('the status of the kernel becomes an error, and nothing is copied out', () => {
  const y = new Float32Array([5]);
  const part: WholePart = { dtype: 'float32', length: 1, output: targetOf(read(y)) };
  expectError(() => passWhole('f', heap, [part], 0, () => 1), 'ERR_DTYPE', /^f: /);
  expect(Array.from(y)).toEqual([5]);
});

test('what does not fit is refused', () => {
  expectError(
    () => passWhole('f', heap, [], 2 ** 33, () => 0),
    'ERR_OUT_OF_MEMORY',
    /^f: 8589934592 bytes are needed/,
  );
});
