// Every error that layerNorm and layerNormForward throw: its code, its wording, and that nothing has been written.
import { createEngine, type LayerNormErrorCode, layerNorm, layerNormForward, tensor } from 'layernorm';
import { expectError, thrownBy } from '../support/errors.js';
import { expectSameBits } from '../support/ulp.js';

const x = new Float32Array([1, 2, 3, 4, 5, 6, 7, 8]);
const shape = [2, 4];

const NOT_A_TENSOR =
  'expected a typed array, a tensor, nested arrays of numbers, or an object with data and dims or shape';

/** What is passed, and what is said of it. The arguments are meant to be wrong, so their types are, too. */
const MISTAKES: [string, unknown, unknown, LayerNormErrorCode, string][] = [
  // x
  ['no x', undefined, {}, 'ERR_ARGUMENT', `x is undefined, ${NOT_A_TENSOR}`],
  ['a number', 3, {}, 'ERR_ARGUMENT', `x is 3, ${NOT_A_TENSOR}`],
  [
    '64-bit integers',
    new BigInt64Array(2),
    {},
    'ERR_DTYPE',
    'x is a BigInt64Array, expected float16, bfloat16, float32, float64 or integers of up to 32 bits',
  ],
  [
    'float16',
    { type: 'float16', data: new Float32Array(8), dims: shape },
    {},
    'ERR_DTYPE',
    'x is of type float16, but its data is Float32Array, expected Float16Array or Uint16Array',
  ],
  [
    'a ragged array',
    [[1, 2], [3]],
    {},
    'ERR_SHAPE',
    'x is ragged: x[1] is an array of length 1, expected an array of length 2',
  ],
  ['text', [['1', '2']], {}, 'ERR_DTYPE', "x[0][0] is '1', expected a number"],
  [
    'data on the GPU',
    { location: 'gpu-buffer', dims: shape },
    {},
    'ERR_ARGUMENT',
    "the data of x is at location 'gpu-buffer', expected 'cpu' or 'cpu-pinned': await x.getData() first",
  ],
  [
    'rank 0',
    { data: new Float32Array(1), dims: [] },
    {},
    'ERR_SHAPE',
    'x has rank 0, expected 1 to 32 dimensions',
  ],
  // options
  [
    'options that are an array',
    x,
    shape,
    'ERR_ARGUMENT',
    'options is [2, 4], expected an object such as { axis: -1 }',
  ],
  ['an option of PyTorch', x, { eps: 1e-5 }, 'ERR_ARGUMENT', "unknown option 'eps', did you mean 'epsilon'?"],
  [
    'an unknown option',
    x,
    { momentum: 1 },
    'ERR_ARGUMENT',
    "unknown option 'momentum', expected shape, axis, epsilon, gamma, beta, rmsScaling, dtype, out",
  ],
  // shape
  [
    'a shape that does not fit',
    x,
    { shape: [2, 3] },
    'ERR_SHAPE',
    'x has 8 elements, expected 6, the product of its shape [2, 3]',
  ],
  [
    'a negative size',
    x,
    { shape: [-2, -4] },
    'ERR_SHAPE',
    'dimension 0 of the shape [-2, -4] of x is -2, expected an integer from 0 to 4294967295',
  ],
  [
    'half a size',
    x,
    { shape: [16, 0.5] },
    'ERR_SHAPE',
    'dimension 1 of the shape [16, 0.5] of x is 0.5, expected an integer from 0 to 4294967295',
  ],
  [
    'a shape without end',
    x,
    { shape: [2 ** 31, 2 ** 31] },
    'ERR_SHAPE',
    'the shape [2147483648, 2147483648] of x has too many elements to count',
  ],
  ['a number as shape', x, { shape: 8 }, 'ERR_SHAPE', 'the shape of x is 8, expected an array of sizes'],
  ['rank 0 by option', x, { shape: [] }, 'ERR_SHAPE', 'x has rank 0, expected 1 to 32 dimensions'],
  [
    'rank 33',
    x,
    { shape: [8, ...Array(32).fill(1)] },
    'ERR_SHAPE',
    'x has rank 33, expected 1 to 32 dimensions',
  ],
  [
    'another shape than x has',
    [[1, 2]],
    { shape: [2] },
    'ERR_SHAPE',
    'shape is [2], expected [1, 2], the shape that x has; only typed arrays need the option',
  ],
  // axis
  [
    'an axis out of bounds',
    x,
    { shape, axis: 2 },
    'ERR_AXIS',
    'axis 2 is out of bounds for x [2, 4], expected -2 to 1',
  ],
  [
    'an axis named twice',
    x,
    { shape, axis: [1, -1] },
    'ERR_AXIS',
    'Duplicate axes: axis is [1, -1], which names dimension 1 of x [2, 4] twice',
  ],
  [
    'an object as axis',
    x,
    { shape, axis: { axis: -1 } },
    'ERR_AXIS',
    "Expected an int or a list/tuple of ints for the argument 'axis', got an Object",
  ],
  [
    'half an axis',
    x,
    { shape, axis: 0.5 },
    'ERR_AXIS',
    "Expected an int or a list/tuple of ints for the argument 'axis', got 0.5",
  ],
  ['no axes', x, { shape, axis: [] }, 'ERR_AXIS', 'axis is an empty list, expected at least one axis'],
  // epsilon, rmsScaling, dtype
  [
    'a negative epsilon',
    x,
    { shape, epsilon: -1 },
    'ERR_ARGUMENT',
    'epsilon is -1, expected a finite number that is not negative',
  ],
  [
    'epsilon NaN',
    x,
    { shape, epsilon: Number.NaN },
    'ERR_ARGUMENT',
    'epsilon is NaN, expected a finite number that is not negative',
  ],
  [
    'epsilon as text',
    x,
    { shape, epsilon: '1e-3' },
    'ERR_ARGUMENT',
    "epsilon is '1e-3', expected a finite number that is not negative",
  ],
  [
    'rmsScaling as text',
    x,
    { shape, rmsScaling: 'yes' },
    'ERR_ARGUMENT',
    "rmsScaling is 'yes', expected true or false",
  ],
  [
    'rmsScaling with beta',
    x,
    { shape, rmsScaling: true, beta: [1, 2, 3, 4] },
    'ERR_ARGUMENT',
    'beta is given with rmsScaling, expected one of them: scaling without centring has no offset',
  ],
  [
    'dtype half',
    x,
    { shape, dtype: 'half' },
    'ERR_DTYPE',
    "dtype is 'half', expected 'float32', 'float64', 'float16' or 'bfloat16'",
  ],
  // gamma and beta
  [
    'a short gamma',
    x,
    { shape, gamma: new Float32Array(3) },
    'ERR_SHAPE',
    'gamma has 3 elements, expected 4, the size of axis -1 of x [2, 4]',
  ],
  [
    'a long beta',
    x,
    { shape, beta: new Float32Array(8) },
    'ERR_SHAPE',
    'beta has 8 elements, expected 4, the size of axis -1 of x [2, 4]',
  ],
  [
    'a gamma of all axes',
    x,
    { shape: [2, 2, 2], axis: [1, 2], gamma: [1] },
    'ERR_SHAPE',
    'gamma has 1 elements, expected 4, the product of the sizes of axes [1, 2] of x [2, 2, 2]',
  ],
  [
    'a gamma of another shape',
    x,
    { shape: [2, 2, 2], axis: [0, 2], gamma: [[1], [2], [3], [4]] },
    'ERR_SHAPE',
    'gamma has shape [4, 1], expected [4] or [2, 2] or [2, 1, 2]: 4 is the product of the sizes of axes [0, 2] of x [2, 2, 2]',
  ],
  [
    'a column as gamma',
    x,
    { shape, gamma: [[1], [2], [3], [4]] },
    'ERR_SHAPE',
    'gamma has shape [4, 1], expected [4] or [1, 4]: 4 is the size of axis -1 of x [2, 4]',
  ],
  ['a number as gamma', x, { shape, gamma: 1 }, 'ERR_ARGUMENT', `gamma is 1, ${NOT_A_TENSOR}`],
  ['text in beta', x, { shape, beta: [1, 2, 3, 'a'] }, 'ERR_DTYPE', "beta[3] is 'a', expected a number"],
  // out
  [
    'a short out',
    x,
    { shape, out: new Float32Array(4) },
    'ERR_SHAPE',
    'out has 4 elements, expected 8, as x [2, 4] has',
  ],
  [
    'an out of another type',
    x,
    { shape, out: new Float64Array(8) },
    'ERR_DTYPE',
    'out has elements of float64, expected float32, the type of the result',
  ],
  [
    'a nested out',
    x,
    {
      shape,
      out: [
        [0, 0, 0, 0],
        [0, 0, 0, 0],
      ],
    },
    'ERR_ARGUMENT',
    'out cannot be written in place, expected a typed array, a tensor, or an object with contiguous data',
  ],
  [
    'an out that overlaps x',
    x.subarray(0, 4),
    { out: x.subarray(1, 5) },
    'ERR_ARGUMENT',
    'out overlaps x in memory, expected all of x or none of it',
  ],
  [
    'gamma as out',
    new Float32Array(4),
    { gamma: x.subarray(0, 4), out: x.subarray(0, 4) },
    'ERR_ARGUMENT',
    'out overlaps gamma in memory, expected an array of its own',
  ],
  [
    'an out that overlaps beta',
    new Float32Array(4),
    { beta: x.subarray(0, 4), out: x.subarray(2, 6) },
    'ERR_ARGUMENT',
    'out overlaps beta in memory, expected an array of its own',
  ],
];

describe.each([
  ['layerNorm', layerNorm],
  ['layerNormForward', layerNormForward],
] as const)('%s', (operation, call) => {
  test.each(MISTAKES)('%s', (_, value, options, code, message) => {
    const before = x.slice();
    expectError(() => call(value as Float32Array, options as object), code, `${operation}: ${message}`);
    expect(x).toEqual(before);
  });
});

test('the stack of an error leads to the caller', () => {
  expect(thrownBy(() => layerNorm(x, { axis: 5 })).stack).toContain('layer_norm_errors.test.ts');
});

describe('memory that is gone', () => {
  test('a transferred buffer', () => {
    const gone = new Float32Array(8);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    expectError(() => layerNorm(gone), 'ERR_DISPOSED', /^layerNorm: the buffer of x is detached/);
    expectError(
      () => layerNorm(x, { gamma: gone }),
      'ERR_DISPOSED',
      /^layerNorm: the buffer of gamma is detached/,
    );
    expectError(
      () => layerNorm(x, { out: gone }),
      'ERR_DISPOSED',
      /^layerNorm: the buffer of out is detached/,
    );
    expectError(
      () => layerNorm({ data: gone, dims: [8] }),
      'ERR_DISPOSED',
      /^layerNorm: the buffer of x is detached/,
    );
  });

  test('an out of a tensor that is no object', () => {
    using t = tensor([1, 2, 3]);
    for (const out of [5, 'x', true]) {
      expectError(() => layerNorm(t, { out: out as never }), 'ERR_ARGUMENT', /^layerNorm: out is /);
    }
  });

  test('a view that the growth of the memory has detached', () => {
    using t = tensor(x);
    const view = t.array;
    using large = tensor(new Float32Array(2 ** 23));
    expect(large.size).toBe(2 ** 23);
    expectError(() => layerNorm(view), 'ERR_DISPOSED', /a view of a WebAssembly memory that has grown since/);
  });

  test('a disposed tensor, wherever it is passed', () => {
    const t = tensor(x);
    t.dispose();
    expectError(() => layerNorm(t), 'ERR_DISPOSED', 'layerNorm: x is a tensor that has been disposed');
    expectError(
      () => layerNorm(x, { gamma: t }),
      'ERR_DISPOSED',
      'layerNorm: gamma is a tensor that has been disposed',
    );
    expectError(
      () => layerNorm(x, { beta: t }),
      'ERR_DISPOSED',
      'layerNorm: beta is a tensor that has been disposed',
    );
    expectError(
      () => layerNorm(x, { out: t }),
      'ERR_DISPOSED',
      'layerNorm: out is a tensor that has been disposed',
    );
  });

  test('tensors and views of them overlap as arrays do', () => {
    using t = tensor(new Float32Array(16));
    expectError(
      () => layerNorm(t.array.subarray(0, 8), { out: t.array.subarray(4, 12) }),
      'ERR_ARGUMENT',
      /out overlaps x/,
    );
    expectError(
      () => layerNorm(x, { out: t.array.subarray(0, 8), gamma: t.array.subarray(0, 8) }),
      'ERR_ARGUMENT',
      /out overlaps gamma/,
    );
  });
});

describe('out of memory', () => {
  const MiB = 2 ** 20;

  test('a group that does not fit: what is needed, and nothing written', async () => {
    using engine = await createEngine({ maxMemory: 4 * MiB });
    const large = new Float32Array(2 * MiB).fill(1);
    const out = new Float32Array(2 * MiB).fill(7);
    expectError(
      () => engine.layerNorm(large, { out }),
      'ERR_OUT_OF_MEMORY',
      /^layerNorm: 8388608 bytes are needed, which the WebAssembly memory, now \d+ bytes large, cannot grow by$/,
    );
    expect(out.every((value) => value === 7)).toBe(true);
    expect(engine.layerNorm(large, { shape: [2048, 1024] }).some(Boolean)).toBe(false);
  });

  test('an input much larger than the memory passes through it', async () => {
    using engine = await createEngine({ maxMemory: 2 * MiB });
    const large = new Float32Array(4 * MiB).fill(1);
    for (let i = 0; i < large.length; i += 3) large[i] = i % 7;
    const options = { shape: [4096, 1024] };
    expectSameBits(engine.layerNorm(large, options), layerNorm(large, options));
    expect(engine.info().memoryBytes).toBeLessThanOrEqual(2 * MiB);
  });

  test('where side by side is too much, one group at a time still goes', async () => {
    // All 18 columns take 400 KB each, a single one fits.
    using engine = await createEngine({ maxMemory: 3 * MiB });
    const tall = Float32Array.from({ length: 100_000 * 18 }, (_, i) => (i * 7919) % 1000);
    const options = { shape: [100_000, 18], axis: 0 };
    expectSameBits(engine.layerNorm(tall, options), layerNorm(tall, options));
  });

  test('tensors that were made for a result are freed when the next one does not fit', async () => {
    using engine = await createEngine({ maxMemory: 4 * MiB });
    // Groups of one element: mean and rstd are as large as y, and one of the three is too many.
    using t = engine.tensor(new Float32Array(MiB / 4), [MiB / 4, 1]);
    expectError(() => engine.layerNormForward(t), 'ERR_OUT_OF_MEMORY', /^layerNormForward: 1048576 bytes/);
    expect(engine.info().liveTensors).toBe(1);
    using y = engine.layerNorm(t);
    expect(y.size).toBe(t.size);
  });
});

test('a class of x that cannot be constructed is found out before out is written', () => {
  class Private {
    readonly dims = [1, 3];
    readonly type = 'float32';
    readonly data = new Float32Array([1, 2, 4]);
    constructor(secret?: unknown) {
      if (secret !== Private) throw new Error('use Private.make()');
    }
  }
  const out = new Float32Array(3).fill(7);
  expectError(
    () => layerNormForward(new Private(Private), { out }),
    'ERR_ARGUMENT',
    /the class of x, 'Private', cannot be constructed/,
  );
  expect(Array.from(out)).toEqual([7, 7, 7]);
});
