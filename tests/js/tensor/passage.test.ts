// What is copied in and out of the heap around a kernel, which here is a few lines of JavaScript: exact numbers.
import { type Heap, HeapOwner } from '../../../js/src/runtime/heap.js';
import { instantiate } from '../../../js/src/runtime/load.js';
import type { Block } from '../../../js/src/tensor/blocks.js';
import { HeapTensor } from '../../../js/src/tensor/heap_tensor.js';
import { aligned, gradientParts, type Kernel, passThrough } from '../../../js/src/tensor/passage.js';
import { elementCount } from '../../../js/src/tensor/shape.js';
import { targetOf } from '../../../js/src/tensor/target.js';
import { type Operand, readOperand } from '../../../js/src/tensor/tensor_like.js';
import { expectSameBits } from '../support/ulp.js';

const MiB = 2 ** 20;
const owner = new HeapOwner(instantiate('test'));

const read = (value: unknown, of = owner): Operand => readOperand('f', of, 'x', value);

test('aligned to 64 bytes', () => {
  expect([0, 1, 64, 65].map(aligned)).toEqual([0, 64, 64, 128]);
});

/** out = x * gamma + mean, and total = the number of elements that came by, at each position. */
/** What the kernel was given for one block. */
type Round = {
  block: Block;
  from: number[];
  to: number[];
  last: boolean;
  workspace: number;
  workspaceBytes: number;
};

function scale(heap: Heap, rounds: Round[]): Kernel {
  return (block, from, to, last, workspace, workspaceBytes) => {
    rounds.push({ block, from: [...from], to: [...to], last, workspace, workspaceBytes });
    const at = (address: number, index: number): number => address / 4 + index;
    const numbers = heap.elements('float32');
    const positions = block.elements / block.groups;
    for (let i = 0; i < block.elements; i++) {
      const [group, position] = [Math.floor(i / positions), i % positions];
      const x = numbers[at(from[0] as number, i)] as number;
      const gamma = numbers[at(from[1] as number, position)] as number;
      const mean = numbers[at(from[2] as number, group)] as number;
      numbers[at(to[0] as number, i)] = x * gamma + mean;
      numbers[at(to[3] as number, group)] = mean + 1;
    }
    for (let p = 0; last && p < positions; p++) {
      numbers[at(to[4] as number, p)] = block.firstGroup + block.groups;
    }
    return 0;
  };
}

/** Runs it with each array outside of the heap, or inside as `inHeap` says, bit by bit. */
function runScale(of: HeapOwner, rows: number, columns: number, inHeap: number) {
  const heap = of.heap('test');
  const x = Float32Array.from({ length: rows * columns }, (_, i) => i % 1000);
  const gamma = Float32Array.from({ length: columns }, (_, i) => (i % 3) + 1);
  const mean = Float32Array.from({ length: rows }, (_, i) => i);
  const outputs = [x.length, rows, columns].map((length) => new Float32Array(length).fill(-1));
  const tensors: HeapTensor[] = [];
  const [xAt, gammaAt, meanAt, y, next, total] = [x, gamma, mean, ...outputs].map((array, i) => {
    if (((inHeap >> i) & 1) === 0) return read(array, of);
    const tensor = new HeapTensor('f', of, [array.length], 'float32');
    tensor.array.set(array);
    tensors.push(tensor);
    return read(tensor, of);
  }) as [Operand, Operand, Operand, Operand, Operand, Operand];
  const rounds: Round[] = [];
  passThrough(
    'f',
    heap,
    'float32',
    [rows, columns],
    0b10,
    [
      { per: 'element', input: xAt, output: targetOf(y) },
      { per: 'position', input: gammaAt, output: undefined },
      { per: 'group', input: meanAt, output: undefined },
      { per: 'group', input: undefined, output: targetOf(next) },
      { per: 'position', input: undefined, output: targetOf(total) },
      { per: 'position', input: undefined, output: undefined },
    ],
    scale(heap, rounds),
    ({ dims }) => elementCount(dims),
  );
  const results = [y, next, total].map((one) => targetOf(one).elements(heap).slice());
  for (const tensor of tensors) tensor.dispose();
  const expected = [
    x.map((v, i) => v * (gamma[i % columns] as number) + Math.floor(i / columns)),
    mean.map((v) => v + 1),
    gamma.map(() => rows),
  ];
  return { rounds, results, expected };
}

test.each(Array.from({ length: 64 }, (_, i) => i))('arrays in the heap and outside, case %i', (inHeap) => {
  const { rounds, results, expected } = runScale(owner, 300, 400, inHeap);
  for (const [i, result] of results.entries()) expectSameBits(result, expected[i] as Float32Array);
  // One block where x and y are in the heap, else several.
  expect(rounds.length).toBe((inHeap & 0b1001) === 0b1001 ? 1 : 4);
  expect(rounds.map(({ last }) => last)).toEqual(rounds.map((_, i) => i === rounds.length - 1));
  for (const { from, to, workspace, workspaceBytes, block } of rounds) {
    expect([from[5], to[5], to[1]]).toEqual([0, 0, 0]);
    expect(workspace % 64).toBe(0);
    expect(workspaceBytes).toBeGreaterThanOrEqual(block.elements);
  }
  expect(owner.heap('test').liveTensors).toBe(0);
});

/** Negates columns in place, and says how many of them came at a time. */
function negateColumns(of: HeapOwner, rows: number, columns: number): number[] {
  const heap = of.heap('test');
  const x = Float32Array.from({ length: rows * columns }, (_, i) => i);
  const expected = x.map((value) => -value);
  const seen: number[] = [];
  passThrough(
    'f',
    heap,
    'float32',
    [rows, columns],
    0b01,
    [{ per: 'element', input: read(x), output: targetOf(read(x)) }],
    (block, from, to) => {
      expect(from).toEqual(to);
      const numbers = heap.elements('float32');
      for (let i = 0; i < block.elements; i++) (numbers[(to[0] as number) / 4 + i] as number) *= -1;
      seen.push(block.groups);
      return 0;
    },
  );
  expectSameBits(x, expected);
  return seen;
}

test('columns come and go in pieces, in place', () => {
  expect(negateColumns(owner, 700, 100)).toEqual([64, 36]);
});

test('where the memory is small, one group at a time; where that is too much, an error', () => {
  const small = new HeapOwner(instantiate('test', undefined, 1.5 * MiB));
  expect(negateColumns(small, 30_000, 18)).toEqual(Array(18).fill(1));
  expect(() => negateColumns(small, 400_000, 2)).toThrow(
    /^f: 1600000 bytes are needed, which the WebAssembly memory, now \d+ bytes large, cannot grow by$/,
  );
});

test("a kernel's status is an error", () => {
  const x = read(new Float32Array(2));
  expect(() =>
    passThrough(
      'f',
      owner.heap('f'),
      'float32',
      [2],
      1,
      [{ per: 'element', input: x, output: undefined }],
      () => 1,
    ),
  ).toThrow(/^f: /);
});

test.each([
  ['outside of the heap', false],
  ['in the heap', true],
])('an array that starts over, %s', (_, isTensor) => {
  const heap = owner.heap('test');
  const [rows, columns, period] = [301, 400, 7];
  const x = Float32Array.from({ length: rows * columns }, (_, i) => i % 1000);
  const seven = Float32Array.from({ length: period * columns }, (_, i) => -i);
  const tensor = new HeapTensor('f', owner, [seven.length], 'float32');
  tensor.array.set(seven);
  const input = read(isTensor ? tensor : seven);
  const y = new Float32Array(x.length);
  let blocks = 0;
  passThrough(
    'f',
    heap,
    'float32',
    [rows, columns],
    0b10,
    [
      { per: 'element', input: read(x), output: targetOf(read(y)) },
      { per: 'element', input, output: undefined, repeats: true },
    ],
    ({ elements, offset }, from, to) => {
      const numbers = heap.elements('float32');
      const at = (address: number | undefined, i: number): number => (address as number) / 4 + i;
      for (let i = 0; i < elements; i++) {
        // As a whole where it lies in the heap, else what belongs to this block.
        const other = isTensor ? (offset + i) % seven.length : i;
        numbers[at(to[0], i)] = (numbers[at(from[0], i)] as number) + (numbers[at(from[1], other)] as number);
      }
      if (isTensor) expect(from[1]).toBe(input.address);
      blocks++;
      return 0;
    },
  );
  expect(blocks).toBeGreaterThan(3);
  expectSameBits(
    y,
    x.map((one, i) => one + (seven[i % seven.length] as number)),
  );
  tensor.dispose();
});

test('several elements a group, and arrays that are the same for every block', () => {
  const heap = owner.heap('test');
  const [rows, columns] = [300, 400];
  const x = new Float32Array(rows * columns);
  const pairs = Float32Array.from({ length: 2 * rows }, (_, i) => i);
  const three = new Float32Array([1, 2, 3]);
  const doubled = new Float32Array(2 * rows);
  const sums = new Float32Array(3);
  let blocks = 0;
  passThrough(
    'f',
    heap,
    'float32',
    [rows, columns],
    0b10,
    [
      { per: 'element', input: read(x), output: undefined },
      { per: 'group', count: 2, input: read(pairs), output: undefined },
      { per: 'call', count: 3, input: read(three), output: undefined },
      { per: 'group', count: 2, input: undefined, output: targetOf(read(doubled)) },
      { per: 'call', count: 3, input: undefined, output: targetOf(read(sums)) },
    ],
    ({ groups, firstGroup }, from, to) => {
      blocks++;
      const numbers = heap.elements('float32');
      const at = (addresses: readonly number[], part: number): number => (addresses[part] as number) / 4;
      for (let i = 0; i < 2 * groups; i++) {
        expect(numbers[at(from, 1) + i]).toBe(2 * firstGroup + i);
        numbers[at(to, 3) + i] = 2 * (numbers[at(from, 1) + i] as number);
      }
      for (let i = 0; i < 3; i++) {
        if (firstGroup === 0) numbers[at(to, 4) + i] = 0;
        (numbers[at(to, 4) + i] as number) += groups * (numbers[at(from, 2) + i] as number);
      }
      return 0;
    },
  );
  expect(blocks).toBeGreaterThan(1);
  expect(doubled).toEqual(pairs.map((value) => 2 * value));
  expect(sums).toEqual(three.map((value) => value * rows));
});

test('one by one, also where everything lies in the heap', () => {
  const tensor = new HeapTensor('f', owner, [4, 3], 'float32');
  tensor.array.set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  const heap = owner.heap('test');
  const columns: number[][] = [];
  passThrough(
    'f',
    heap,
    'float32',
    [4, 3],
    0b01,
    [{ per: 'element', input: read(tensor), output: undefined }],
    ({ groups, elements }, [at]) => {
      expect([groups, elements]).toEqual([1, 4]);
      columns.push(Array.from(heap.elements('float32').subarray((at as number) / 4, (at as number) / 4 + 4)));
      return 0;
    },
    undefined,
    true,
  );
  expect(columns).toEqual([
    [0, 3, 6, 9],
    [1, 4, 7, 10],
    [2, 5, 8, 11],
  ]);
  tensor.dispose();
});

test('dx takes the place of dy, unless it is x', () => {
  const [dy, x] = [new HeapTensor('f', owner, [2], 'float32'), new HeapTensor('f', owner, [2], 'float32')];
  const [dyRead, xRead] = [read(dy), read(x)];
  const outputs = (dx: object | undefined): boolean[] =>
    gradientParts(dyRead, xRead, dx && targetOf(read(dx))).map(({ output }) => output !== undefined);
  expect(outputs(dy)).toEqual([true, false]);
  expect(outputs(x)).toEqual([false, true]);
  expect(outputs(new Float32Array(2))).toEqual([true, false]);
  expect(outputs(undefined)).toEqual([false, false]);
  dy.dispose();
  x.dispose();
});
