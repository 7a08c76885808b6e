import { runInNewContext } from 'node:vm';
import { defaultHeapOwner } from '../../../js/src/runtime/heap.js';
import { HeapTensor } from '../../../js/src/tensor/heap_tensor.js';
import { elementsOf, type Operand, readOperand, wrapLike } from '../../../js/src/tensor/tensor_like.js';
import { expectError, thrownBy } from '../support/errors.js';

const owner = defaultHeapOwner();
const heap = owner.heap('test');

const read = (value: unknown, shape?: unknown): Operand => readOperand('f', owner, 'x', value, shape);
const elements = (operand: Operand): number[] => Array.from(elementsOf(heap, operand));

/** As the tensor of onnxruntime: a class that is constructed from type, data and dims. */
class OrtTensor {
  readonly location: string = 'cpu';
  constructor(
    readonly type: string,
    readonly data: Float32Array | Float64Array | Int32Array,
    readonly dims: readonly number[],
  ) {}
}

/** As the tensor of transformers.js: a proxy around an object whose getters lie on its class. */
class TransformersTensor {
  readonly ort_tensor: OrtTensor;
  constructor(type: string, data: Float32Array, dims: number[]) {
    this.ort_tensor = new OrtTensor(type, data, dims);
    // biome-ignore lint/correctness/noConstructorReturn: transformers.js does so
    return new Proxy(this, {
      get: (target, key) => (/^\d+$/.test(String(key)) ? 'a row' : Reflect.get(target, key)),
    });
  }
  get dims(): readonly number[] {
    return this.ort_tensor.dims;
  }
  get type(): string {
    return this.ort_tensor.type;
  }
  get data(): unknown {
    return this.ort_tensor.data;
  }
  get location(): string {
    return this.ort_tensor.location;
  }
  stride(): number[] {
    return [];
  }
}

describe('typed arrays', () => {
  test('are used as they are', () => {
    const data = new Float32Array([1, 2, 3, 4]);
    expect(read(data)).toMatchObject({
      kind: 'typed array',
      shape: [4],
      dtype: 'float32',
      stored: 'float32',
      address: 0,
    });
    expect(read(data, [2, 2])).toMatchObject({ shape: [2, 2], length: 4 });
    expect(read(data).data).toBe(data);
  });

  test('of another realm are the same', () => {
    expect(read(runInNewContext('new Float64Array([1, 2])'))).toMatchObject({
      dtype: 'float64',
      stored: 'float64',
    });
  });

  test('of integers are to be converted', () => {
    expect(read(new Int32Array(2))).toMatchObject({ dtype: 'float32', stored: undefined });
  });

  test('over shared memory are fine', () => {
    expect(elements(read(new Float32Array(new SharedArrayBuffer(8))))).toEqual([0, 0]);
  });

  test('over the heap are kept by their address, since growth detaches them', () => {
    const tensor = new HeapTensor('test', owner, [4], 'float32');
    tensor.array.set([1, 2, 3, 4]);
    const address = tensor.addressIn('test', 'x', owner);
    const operand = read(tensor.array.subarray(1));
    const bytes = read(new Uint8Array(tensor.array.buffer, address, 4));
    heap.allocate('test', 4 * 2 ** 20);
    expect(operand).toMatchObject({ address: address + 4, data: undefined });
    expect(elements(operand)).toEqual([2, 3, 4]);
    expect(elements(bytes)).toEqual([0, 0, 128, 63]);
    tensor.dispose();
  });

  test.each([
    [
      new BigInt64Array(1),
      'f: x is a BigInt64Array, expected float16, bfloat16, float32, float64 or integers of up to 32 bits',
    ],
    [
      new BigUint64Array(1),
      'f: x is a BigUint64Array, expected float16, bfloat16, float32, float64 or integers of up to 32 bits',
    ],
  ])('%# of 64-bit integers are refused', (value, message) => {
    expectError(() => read(value), 'ERR_DTYPE', message);
  });

  test('that do not have the elements that their shape says are refused', () => {
    expectError(
      () => read(new Float32Array(6), [2, 4]),
      'ERR_SHAPE',
      'f: x has 6 elements, expected 8, the product of its shape [2, 4]',
    );
    expectError(
      () => read(new Float32Array(6), []),
      'ERR_SHAPE',
      'f: x has rank 0, expected 1 to 32 dimensions',
    );
  });
});

describe('nested arrays', () => {
  test.each([
    [[1, 2, 3], [3]],
    [
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      [3, 2],
    ],
    [[[[1], [2]]], [1, 2, 1]],
    [[], [0]],
    [
      [[], []],
      [2, 0],
    ],
  ])('%j has shape %j', (value, shape) => {
    expect(read(value)).toMatchObject({ kind: 'nested', shape, dtype: 'float32' });
    expect(elements(read(value))).toEqual((value as number[]).flat(9));
  });

  test('may end in typed arrays, whose type counts', () => {
    const rows = [new Float64Array([0.1, 2]), new Float64Array([3, 4])];
    expect(read(rows)).toMatchObject({ shape: [2, 2], dtype: 'float64' });
    expect(elements(read(rows))).toEqual([0.1, 2, 3, 4]);
    expect(read([new Uint8Array(2)])).toMatchObject({ shape: [1, 2], dtype: 'float32' });
  });

  test('of another realm', () => {
    expect(read(runInNewContext('[[1, 2], [3, 4]]')).shape).toEqual([2, 2]);
  });

  test.each([
    [[[1, 2], [3]], 'f: x is ragged: x[1] is an array of length 1, expected an array of length 2'],
    [[[1, 2], 3], 'f: x is ragged: x[1] is a number, expected an array of length 2'],
    [[1, [2]], 'f: x is ragged: x[1] is an array of length 1, expected a number'],
    [[[[1]], [2]], 'f: x is ragged: x[1][0] is a number, expected an array of length 1'],
    [
      [[1, 2], new Float32Array(3)],
      'f: x is ragged: x[1] is an array of length 3, expected an array of length 2',
    ],
    [
      [[[1], [2]], new Float32Array(2)],
      'f: x is ragged: x[1] is a Float32Array, expected an array of length 1',
    ],
  ])('%# ragged', (value, message) => {
    expectError(() => read(value), 'ERR_SHAPE', message);
  });

  test.each([
    [['1'], "f: x[0] is '1', expected a number"],
    [[1, null], 'f: x[1] is null, expected a number'],
    [Array(2), 'f: x[0] is undefined, expected a number'],
    [[[1, 2n]], 'f: x[0][1] is 2n, expected a number'],
    [[[true]], 'f: x[0][0] is true, expected a number'],
    [
      [new BigInt64Array(1)],
      'f: x is a BigInt64Array, expected float16, bfloat16, float32, float64 or integers of up to 32 bits',
    ],
  ])('%# not of numbers', (value, message) => {
    expectError(() => read(value), 'ERR_DTYPE', message);
  });

  test('that are too deep, or endless, are refused', () => {
    const endless: unknown[] = [];
    endless.push(endless);
    expectError(() => read(endless), 'ERR_SHAPE', 'f: x has rank 33, expected 1 to 32 dimensions');
  });
});

describe('objects', () => {
  const data = new Float32Array([1, 2, 3, 4, 5, 6]);

  test('with dims, as in onnxruntime and transformers.js', () => {
    for (const tensor of [
      new OrtTensor('float32', data, [2, 3]),
      new TransformersTensor('float32', data, [2, 3]),
    ]) {
      expect(read(tensor)).toMatchObject({
        kind: 'object',
        shape: [2, 3],
        dtype: 'float32',
        stored: 'float32',
      });
      expect(elements(read(tensor))).toEqual(Array.from(data));
    }
  });

  test('with shape, and whatever of strides and offset they have', () => {
    expect(elements(read({ data, shape: [3, 2] }))).toEqual([1, 2, 3, 4, 5, 6]);
    expect(elements(read({ data, shape: [2, 2], offset: 1 }))).toEqual([2, 3, 4, 5]);
    expect(elements(read({ data, shape: [3, 2], stride: [1, 3], offset: 0 }))).toEqual([1, 4, 2, 5, 3, 6]);
    expect(elements(read({ data, shape: [2, 3], strides: [-3, -1], offset: 5 }))).toEqual([6, 5, 4, 3, 2, 1]);
    expect(elements(read({ data, shape: [3], strides: [2] }))).toEqual([1, 3, 5]);
    expect(elements(read({ data, shape: [2, 3], strides: [0, 1] }))).toEqual([1, 2, 3, 1, 2, 3]);
    expect(elements(read({ data, shape: [2, 1, 3], strides: [3, 99, 1] }))).toEqual([1, 2, 3, 4, 5, 6]);
    expect(elements(read({ data, shape: [2, 0], strides: [9, 9], offset: 99 }))).toEqual([]);
    expect(
      elements(read({ data, shape: new Int32Array([2, 3]), strides: new Int32Array([3, 1]) })),
    ).toHaveLength(6);
  });

  test('contiguous ones are not copied', () => {
    const operand = read({ data, shape: [2, 2], stride: [2, 1], offset: 2 });
    expect(operand.copied).toBe(false);
    expect(operand.data?.buffer).toBe(data.buffer);
    expect(read({ data, shape: [2, 2], stride: [1, 2], offset: 2 }).copied).toBe(true);
  });

  test('with plain numbers', () => {
    expect(read({ data: [1, 2], shape: [2] })).toMatchObject({ dtype: 'float32', copied: true });
    expect(elements(read({ data: [1, 2], shape: [2] }))).toEqual([1, 2]);
  });

  test('strided float64 stays float64', () => {
    const strided = { data: new Float64Array([0.1, 0.2, 0.3]), shape: [2], strides: [2] };
    expect(read(strided).dtype).toBe('float64');
    expect(elements(read(strided))).toEqual([0.1, 0.3]);
  });

  test.each([
    [{ data, shape: [2, 4] }, 'f: x has 6 elements, expected 8, the product of its shape [2, 4]'],
    [{ data, shape: [2, 2] }, 'f: x has 6 elements, expected 4, the product of its shape [2, 2]'],
    [{ data, shape: '6' }, "f: the shape of x is '6', expected an array of sizes"],
    [{ data, dims: [] }, 'f: x has rank 0, expected 1 to 32 dimensions'],
    [{ data, shape: [6], offset: 0.5 }, 'f: the offset of x is 0.5, expected an integer'],
    [{ data, shape: [6], strides: [1, 1] }, 'f: the strides of x are [1, 1], expected 1 integers'],
    [
      { data, shape: [2, 3], strides: [3, 1], offset: 1 },
      'f: x reaches from element 1 to 6 of its data, expected 0 to 5: shape [2, 3], strides [3, 1], offset 1',
    ],
    [
      { data, shape: [2], strides: [-1] },
      'f: x reaches from element -1 to 0 of its data, expected 0 to 5: shape [2], strides [-1], offset 0',
    ],
  ])('%# whose sizes do not fit', (value, message) => {
    expectError(() => read(value), 'ERR_SHAPE', message);
  });

  test.each([
    [
      { type: 'float16', data: new Int16Array(2), dims: [2] },
      'f: x is of type float16, but its data is Int16Array, expected Float16Array or Uint16Array',
    ],
    [
      { dtype: 'bfloat16', data: [1, 2], shape: [2] },
      'f: x is of type bfloat16, but its data is an array of numbers, expected Uint16Array',
    ],
    [
      { type: 'int64', data: new BigInt64Array(2), dims: [2] },
      'f: x.data is a BigInt64Array, expected float16, bfloat16, float32, float64 or integers of up to 32 bits',
    ],
    [
      { type: 'string', data: ['a'], dims: [1] },
      "f: x.data holds 'a', expected a typed array or an array of numbers",
    ],
    [
      { data: [1, undefined], shape: [2] },
      'f: x.data holds undefined, expected a typed array or an array of numbers',
    ],
    [{ data: new Map(), shape: [2] }, 'f: x.data is a Map, expected a typed array or an array of numbers'],
    [
      { data: new ArrayBuffer(8), shape: [2] },
      'f: x.data is an ArrayBuffer, expected a typed array or an array of numbers',
    ],
  ])('%# of types that are not accepted', (value, message) => {
    expectError(() => read(value), 'ERR_DTYPE', message);
  });

  test('that keep their elements elsewhere: the error says what to call', () => {
    const onGpu = {
      dims: [2],
      type: 'float32',
      location: 'gpu-buffer',
      get data(): Float32Array {
        throw new Error('not on the CPU');
      },
    };
    expectError(
      () => read(onGpu),
      'ERR_ARGUMENT',
      "f: the data of x is at location 'gpu-buffer', expected 'cpu' or 'cpu-pinned': await x.getData() first",
    );
    expectError(
      () => read({ dims: [2], location: 'none' }),
      'ERR_DISPOSED',
      'f: x is a tensor that has been disposed',
    );
    expect(read({ dims: [6], location: 'cpu-pinned', data }).length).toBe(6);
    expectError(
      () => read({ dims: [2], location: 'texture', ort_tensor: {} }),
      'ERR_ARGUMENT',
      "f: the data of x is at location 'texture', expected 'cpu' or 'cpu-pinned': await x.ort_tensor.getData() first",
    );
    expectError(
      () => read({ toTypedArray: () => data }),
      'ERR_ARGUMENT',
      'f: x keeps its elements to itself, expected an object with data: pass x.toTypedArray(), with the option shape for x',
    );
  });

  test('that copy their elements out, as those of TensorFlow.js and jax-js', () => {
    const tensor = {
      shape: [2, 3],
      strides: [3],
      dtype: 'float32',
      data: async () => data,
      dataSync: () => data,
    };
    const operand = read(tensor);
    expect(operand).toMatchObject({
      kind: 'object',
      value: tensor,
      shape: [2, 3],
      stored: 'float32',
      copied: true,
    });
    expect(elements(operand)).toEqual(Array.from(data));
    expect(wrapLike('f', operand, data, [6], 'float32')).toEqual({ data, shape: [6], dtype: 'float32' });
    expectError(
      () => read({ ...tensor, isDisposed: true }),
      'ERR_DISPOSED',
      'f: x is a tensor that has been disposed',
    );
    const cause = new Error('asynchronously only');
    const failing = {
      ...tensor,
      dataSync: () => {
        throw cause;
      },
    };
    const error = thrownBy(() => read(failing));
    expect(error).toMatchObject({
      code: 'ERR_ARGUMENT',
      message:
        'f: x.dataSync() fails (Error: asynchronously only), expected the elements: where they are not on the CPU, pass ' +
        'await x.data(), with the option shape for x',
      cause,
    });
  });

  test('of Arrow, whose type says what they are', () => {
    const chunk = (values: object, length: number) => ({
      length: length / 2,
      nullCount: 0,
      children: [{ length, nullCount: 0, values, children: [] }],
    });
    const type = { typeId: 16, listSize: 2, children: [{ type: { typeId: 3, precision: 0 } }] };
    const bits = new Uint16Array([0x3c00, 0x4000, 0x4200, 0x4400]);
    const vector = { type, length: 2, data: [chunk(bits, 4)] };
    const operand = read(vector);
    expect(operand).toMatchObject({
      kind: 'object',
      value: vector,
      shape: [2, 2],
      stored: 'float16',
      copied: false,
    });
    expect(operand.data?.buffer).toBe(bits.buffer);
    expect(read({ type, length: 4, data: [chunk(bits, 4), chunk(bits, 4)] }).copied).toBe(true);
    const y = wrapLike('f', operand, data, [2, 3], 'float32');
    expect(y).toEqual({ data, shape: [2, 3], dtype: 'float32' });
  });

  test('over the heap are kept by their address', () => {
    const tensor = new HeapTensor('test', owner, [4], 'float32');
    expect(read({ data: tensor.array, shape: [2, 2] }).address).toBe(tensor.addressIn('test', 'x', owner));
    tensor.dispose();
  });
});

test('tensors', () => {
  const tensor = new HeapTensor('test', owner, [2, 2], 'float64');
  expect(read(tensor)).toMatchObject({
    kind: 'tensor',
    shape: [2, 2],
    dtype: 'float64',
    stored: 'float64',
    address: tensor.addressIn('test', 'x', owner),
  });
  tensor.dispose();
  expectError(() => read(tensor), 'ERR_DISPOSED', 'f: x is a tensor that has been disposed');
});

test('what says its shape itself may be given the same shape again, not another', () => {
  expect(read([[1, 2]], [1, 2]).shape).toEqual([1, 2]);
  expectError(
    () => read([[1, 2]], [2, 1]),
    'ERR_SHAPE',
    'f: shape is [2, 1], expected [1, 2], the shape that x has; only typed arrays need the option',
  );
});

test.each([
  undefined,
  null,
  1,
  'abc',
  true,
  1n,
  () => 0,
  Symbol('s'),
  {},
  { data: new Float32Array(2) },
  new DataView(new ArrayBuffer(4)),
  new ArrayBuffer(4),
])('%# is no tensor', (value) => {
  expectError(
    () => read(value),
    'ERR_ARGUMENT',
    /^f: x is .*, expected a typed array, a tensor, nested arrays of numbers, or an object with data and dims or shape$/,
  );
});

describe('results are wrapped as their argument was', () => {
  const wrap = (value: unknown, shape?: unknown): unknown =>
    wrapLike('f', read(value, shape), new Float32Array([1, 2, 3, 4]), [2, 2], 'float32');

  test('typed arrays', () => {
    expect(wrap(new Int8Array(4), [2, 2])).toEqual(new Float32Array([1, 2, 3, 4]));
  });

  test('nested arrays', () => {
    expect(
      wrap([
        [0, 0],
        [0, 0],
      ]),
    ).toEqual([
      [1, 2],
      [3, 4],
    ]);
    const deep = read([[[0, 0]], [[0, 0]]]);
    expect(wrapLike('f', deep, new Float32Array([1, 2, 3, 4]), [2, 1, 2], 'float32')).toEqual([
      [[1, 2]],
      [[3, 4]],
    ]);
    expect(wrapLike('f', read([[], []]), new Float32Array(0), [2, 0], 'float32')).toEqual([[], []]);
  });

  test('instances of a class with dims', () => {
    const result = wrap(new OrtTensor('int32', new Int32Array(4), [4, 1]));
    expect(result).toBeInstanceOf(OrtTensor);
    expect(result).toMatchObject({ type: 'float32', dims: [2, 2] });
    const proxied = wrap(new TransformersTensor('float32', new Float32Array(4), [2, 2]));
    expect(proxied).toBeInstanceOf(TransformersTensor);
    expect((proxied as TransformersTensor).dims).toEqual([2, 2]);
  });

  test('a class that takes other arguments is said to', () => {
    class Private {
      readonly data = new Float32Array(4);
      readonly dims = [4];
      readonly made: true = true;
      constructor(key: symbol) {
        if (typeof key !== 'symbol') throw new TypeError('private');
      }
    }
    expectError(
      () => wrap(new Private(Symbol('key'))),
      'ERR_ARGUMENT',
      "f: the class of x, 'Private', cannot be constructed from (type, data, dims), expected as in onnxruntime and " +
        'transformers.js; pass { data, dims } for a plain object',
    );
  });

  test('anything else: a plain object with the same keys', () => {
    const data = new Float32Array(4);
    const y = new Float32Array([1, 2, 3, 4]);
    expect(wrap({ data, dims: [4] })).toEqual({ data: y, dims: [2, 2] });
    expect(wrap({ data, dims: [4], type: 'float32' })).toEqual({ data: y, dims: [2, 2], type: 'float32' });
    expect(wrap(runInNewContext('({ data: new Float32Array(4), dims: [4] })'))).toEqual({
      data: y,
      dims: [2, 2],
    });
    expect(wrap(Object.assign(Object.create(null), { data, dims: [4] }))).toEqual({ data: y, dims: [2, 2] });
    class NdArray {
      readonly data = data;
      readonly shape = [4];
      readonly stride = [1];
      readonly offset = 0;
      get dtype(): string {
        return 'int8';
      }
    }
    expect(wrap(new NdArray())).toEqual({ data: y, shape: [2, 2], dtype: 'float32' });
  });
});
