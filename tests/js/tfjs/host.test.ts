// The kernels in the heap of TensorFlow.js: when it grows, when its backend is replaced, when it is full.
import { install } from 'layernorm/tfjs';
import { hostOf } from '../../../js/src/tfjs/host.js';
import type { WasmBackend } from '../../../js/src/tfjs/tensorflow.js';
import { expectError } from '../support/errors.js';
import { numbers, random, tf, use } from '../support/tfjs.js';
import { expectSameBits } from '../support/ulp.js';

const L = install(tf);
const backend = (): WasmBackend => tf.backend() as unknown as WasmBackend;
const heapBytes = (): number => backend().wasm.asm?.memory?.buffer.byteLength ?? 0;

beforeEach(() => use('wasm'));

test('one host for each backend', () => {
  expect(hostOf(backend())).toBe(hostOf(backend()));
});

test('the heap grows while a call has its outputs made', () => {
  const x = random([4, 8]);
  const before = numbers(L.layerNormalization(x));
  const start = heapBytes();
  const large = tf.ones([2 ** 22]);
  let [grown, kept] = [false, [] as unknown[]];
  for (let i = 0; i < 40 && !grown; i++) {
    const size = heapBytes();
    const y = L.layerNormalization(tf.reshape(large, [2 ** 12, 2 ** 10]));
    kept.push(y);
    grown = heapBytes() > size;
    expect(y.dataSync()[2 ** 22 - 1]).toBe(0);
  }
  expect(heapBytes()).toBeGreaterThan(start);
  expectSameBits(numbers(L.layerNormalization(x)), before);
  tf.dispose(kept as never);
  kept = [];
});

test('a backend that is disposed of and started again', async () => {
  const x = [[1, 2, 3]];
  const before = numbers(L.layerNormalization(tf.tensor(x)));
  const old = backend();
  const factory = tf.findBackendFactory('wasm');
  tf.removeBackend('wasm');
  tf.registerBackend('wasm', factory);
  await use('wasm');
  expect(backend()).not.toBe(old);
  expectSameBits(numbers(L.layerNormalization(tf.tensor(x))), before);
});

/** A backend of which some part is another one. */
const like = (changes: object, wasm: object = {}): WasmBackend =>
  Object.assign(Object.create(backend()), { wasm: { ...wasmOf(), ...wasm } }, changes);
const wasmOf = () => {
  const { asm, _malloc, _free } = backend().wasm;
  return { asm, _malloc, _free };
};

test('a backend that shows no memory', () => {
  expectError(
    () => hostOf(like({}, { asm: undefined })),
    'ERR_LOAD',
    /the backend 'wasm' shows no memory, expected TensorFlow.js 4/,
  );
});

test('no memory left: nothing is kept', () => {
  const none = like({}, { _malloc: () => 0 });
  expectError(() => hostOf(none), 'ERR_OUT_OF_MEMORY', /TensorFlow.js has no \d+ bytes left/);

  const x = tf.ones([4, 8]);
  const [made, freed] = [[] as unknown[], [] as unknown[]];
  const full = like({
    dataIdMap: { get: (id: object) => (id === x.dataId ? backend().dataIdMap.get(id) : { memoryOffset: 0 }) },
    makeOutput: (shape: number[]) => {
      const info = { dataId: {}, shape, dtype: 'float32' };
      made.push(info.dataId);
      return info;
    },
    disposeData: (id: unknown) => freed.push(id),
  });
  const run = (): unknown =>
    hostOf(full).run(
      'layerNormForward',
      { x },
      { y: [4, 8] },
      { shape: [4, 8], axis: [1], epsilon: 1e-3, rmsScaling: false },
    );
  expectError(run, 'ERR_OUT_OF_MEMORY', 'layernorm/tfjs: TensorFlow.js has no 128 bytes left');
  expect(made).toHaveLength(1);
  expect(freed).toEqual(made);
  const means = (): unknown => hostOf(full).standIn('tensorflowRowMeans', [4], [x as never], [4, 8]);
  expectError(means, 'ERR_OUT_OF_MEMORY', 'layernorm/tfjs: TensorFlow.js has no 16 bytes left');
  expect(made).toHaveLength(2);
  expect(freed).toEqual(made);
});

test('a call that fails leaves no tensor behind', () => {
  const x = tf.ones([4, 8]);
  const before = backend() as unknown as { dataIdMap: { numDataIds(): number } };
  const count = before.dataIdMap.numDataIds();
  const settings = { shape: [4, 8], axis: [5], epsilon: 1e-3, rmsScaling: false };
  expectError(
    () => hostOf(backend()).run('layerNormForward', { x }, { y: [4, 8] }, settings),
    'ERR_AXIS',
    /axis 5/,
  );
  expect(before.dataIdMap.numDataIds()).toBe(count);
});

test('a memory that is shared, as the backend has it with threads', () => {
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 32, shared: true });
  let next = 1024;
  const places = new Map<object, number>();
  const place = (values: number[]): object => {
    const [info, address] = [{}, next];
    new Float32Array(memory.buffer as never, address, values.length).set(values);
    places.set(info, address);
    next += 4 * values.length;
    return info;
  };
  const allocate = (bytes: number): number => {
    next = Math.ceil(next / 16) * 16;
    const address = next;
    next += bytes;
    return address;
  };
  const shared = {
    wasm: { wasmMemory: memory, asm: {}, _malloc: allocate, _free: () => {} },
    dataIdMap: { get: (id: object) => ({ memoryOffset: places.get(id) }) },
    makeOutput: (shape: number[]) => ({
      dataId: place(new Array(shape[0] as number).fill(0)),
      shape,
      dtype: 'float32',
    }),
  } as unknown as WasmBackend;
  const x = { dataId: place([1, 2, 3]), shape: [3], dtype: 'float32' } as never;
  const settings = { shape: [3], axis: [0], epsilon: 1e-3, rmsScaling: false };
  const [y] = hostOf(shared).run('layerNormForward', { x }, { y: [3] }, settings);
  const found = new Float32Array(memory.buffer as never, places.get(y?.dataId as object), 3).slice();
  expectSameBits(found, numbers(L.layerNormalization(tf.tensor([[1, 2, 3]]))));
});
