import { HeapOwner } from '../../../js/src/runtime/heap.js';
import { instantiate } from '../../../js/src/runtime/load.js';
import { HeapTensor } from '../../../js/src/tensor/heap_tensor.js';
import { expectError } from '../support/errors.js';

const MiB = 2 ** 20;

const newOwner = (): HeapOwner => new HeapOwner(instantiate('test', undefined, 64 * MiB));

test('a tensor says what it is, and its elements are aligned to 64 bytes', () => {
  const owner = newOwner();
  const tensor = new HeapTensor('test', owner, [2, 3], 'float64');
  expect(tensor).toMatchObject({ shape: [2, 3], dtype: 'float64', size: 6, disposed: false });
  expect(tensor.array).toBeInstanceOf(Float64Array);
  expect(tensor.array).toHaveLength(6);
  expect(tensor.array.byteOffset % 64).toBe(0);
  expect(HeapTensor.is(tensor)).toBe(true);
  expect(HeapTensor.is({ ...tensor })).toBe(false);
  expect(() => (tensor.shape as number[]).push(1)).toThrow();
});

test('its view is fresh after the memory has grown', () => {
  const owner = newOwner();
  const tensor = new HeapTensor('test', owner, [4], 'float32');
  const view = tensor.array;
  view.set([1, 2, 3, 4]);
  owner.heap('test').allocate('test', 8 * MiB);
  expect(view).toHaveLength(0);
  expect(Array.from(tensor.array)).toEqual([1, 2, 3, 4]);
});

test('a tensor without elements is one', () => {
  const tensor = new HeapTensor('test', newOwner(), [3, 0], 'float32');
  expect(tensor.size).toBe(0);
  expect(tensor.array).toHaveLength(0);
  expect(tensor.disposed).toBe(false);
  tensor.dispose();
  expect(tensor.disposed).toBe(true);
});

test('dispose frees once', () => {
  const owner = newOwner();
  const heap = owner.heap('test');
  const tensor = new HeapTensor('test', owner, [1000], 'float32');
  const address = tensor.addressIn('test', 'x', owner);
  expect(heap.liveTensors).toBe(1);
  tensor.dispose();
  tensor.dispose();
  expect(heap.liveTensors).toBe(0);
  expect(new HeapTensor('test', owner, [1000], 'float32').addressIn('test', 'x', owner)).toBe(address);
});

test('use after dispose is an error', () => {
  const owner = newOwner();
  const tensor = new HeapTensor('test', owner, [1], 'float32');
  tensor.dispose();
  expectError(() => tensor.array, 'ERR_DISPOSED', 'tensor: this is a tensor that has been disposed');
  expectError(
    () => tensor.addressIn('layerNorm', 'gamma', owner),
    'ERR_DISPOSED',
    'layerNorm: gamma is a tensor that has been disposed',
  );
});

test('a tensor ends with its engine', () => {
  const owner = newOwner();
  const tensor = new HeapTensor('test', owner, [1], 'float32');
  owner.dispose();
  expect(tensor.disposed).toBe(true);
  expectError(() => tensor.array, 'ERR_DISPOSED', /disposed/);
  expect(() => tensor.dispose()).not.toThrow();
});

test('a tensor of another engine is refused', () => {
  const tensor = new HeapTensor('test', newOwner(), [1], 'float32');
  expectError(
    () => tensor.addressIn('layerNorm', 'x', newOwner()),
    'ERR_ARGUMENT',
    "layerNorm: x is a tensor of another engine; pass its array, or call that engine's own layerNorm",
  );
});

test('a tensor that does not fit is not counted', () => {
  const owner = newOwner();
  expectError(
    () => new HeapTensor('tensor', owner, [100 * MiB], 'float32'),
    'ERR_OUT_OF_MEMORY',
    /^tensor: 419430400 bytes/,
  );
  expect(owner.heap('test').liveTensors).toBe(0);
});
