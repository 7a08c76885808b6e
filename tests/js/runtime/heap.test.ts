import { defaultHeapOwner, Heap, HeapOwner, MAX_RANK } from '../../../js/src/runtime/heap.js';
import { instantiate } from '../../../js/src/runtime/load.js';
import { expectError } from '../support/errors.js';

const MiB = 2 ** 20;

const newHeap = (maxMemory = 64 * MiB): Heap => new Heap(instantiate('test', undefined, maxMemory));

test('blocks are aligned to 64 bytes and do not overlap', () => {
  const heap = newHeap();
  const addresses = [1, 63, 64, 65, 1000].map((bytes) => heap.allocate('test', bytes));
  for (const address of addresses) expect(address % 64).toBe(0);
  expect(new Set(addresses).size).toBe(addresses.length);
  for (const address of addresses) heap.release(address);
});

test('released memory is used again: a thousand blocks need no growth', () => {
  const heap = newHeap();
  const before = heap.memory.buffer.byteLength;
  for (let i = 0; i < 1000; i++) heap.release(heap.allocate('test', 100_000));
  expect(heap.memory.buffer.byteLength).toBe(before);
});

test('views are fresh after the memory has grown', () => {
  const heap = newHeap();
  const address = heap.allocate('test', 64);
  const [float32, float64] = [heap.elements('float32'), heap.elements('float64')];
  float32[address / 4] = 1.5;
  expect(heap.elements('float32')).toBe(float32);
  heap.allocate('test', 8 * MiB);
  expect(float32.length).toBe(0);
  expect(float64.length).toBe(0);
  expect(heap.elements('float32')[address / 4]).toBe(1.5);
  expect(heap.elements('float64').length).toBe(heap.memory.buffer.byteLength / 8);
  expect(heap.view('float32', address, 1)[0]).toBe(1.5);
  expect(heap.view('float64', address, 1)).toHaveLength(1);
});

test('sizes of dimensions are where the core looks for them, also after growth', () => {
  const heap = newHeap();
  const sizes = Array.from({ length: MAX_RANK }, (_, i) => i + 1);
  heap.writeDims(sizes);
  heap.allocate('test', 8 * MiB);
  heap.writeDims(sizes.slice(0, 2));
  expect(Array.from(new Uint32Array(heap.memory.buffer, heap.dims, MAX_RANK))).toEqual(sizes);
});

test('the scratch block is one, grows, and never shrinks', () => {
  const heap = newHeap();
  const small = heap.scratch('test', 1000);
  expect(heap.scratch('test', 2000)).toBe(small);
  const large = heap.scratch('test', 2 * MiB);
  const { byteLength } = heap.memory.buffer;
  expect(heap.scratch('test', 10)).toBe(large);
  expect(heap.scratchBytes).toBe(2 * MiB);
  for (let i = 0; i < 100; i++) heap.scratch('test', 2 * MiB - i);
  expect(heap.memory.buffer.byteLength).toBe(byteLength);
});

test('says how much is missing, and can be used afterwards', () => {
  const heap = newHeap(4 * MiB);
  expectError(
    () => heap.allocate('layerNorm', 100 * MiB),
    'ERR_OUT_OF_MEMORY',
    /^layerNorm: 104857600 bytes are needed, which the WebAssembly memory, now \d+ bytes large, cannot grow by$/,
  );
  expect(heap.tryScratch(100 * MiB)).toBe(0);
  expectError(() => heap.scratch('layerNorm', 100 * MiB), 'ERR_OUT_OF_MEMORY', /104857600 bytes/);
  expect(heap.scratch('test', MiB)).toBeGreaterThan(0);
});

test('sizes beyond 4 GiB do not wrap around', () => {
  const heap = newHeap();
  expect(heap.tryScratch(2 ** 32 + 64)).toBe(0);
  expectError(() => heap.allocate('tensor', 2 ** 32), 'ERR_OUT_OF_MEMORY', /4294967296 bytes/);
});

test('a heap that was given up is not to be had', () => {
  const owner = new HeapOwner(instantiate('test'));
  expect(owner.heap('test')).toBe(owner.heap('test'));
  expect(owner.disposed).toBe(false);
  owner.dispose();
  owner.dispose();
  expect(owner.disposed).toBe(true);
  expectError(() => owner.heap('layerNorm'), 'ERR_DISPOSED', 'layerNorm: the engine has been disposed');
});

test('there is one default heap', () => {
  expect(defaultHeapOwner()).toBe(defaultHeapOwner());
});
