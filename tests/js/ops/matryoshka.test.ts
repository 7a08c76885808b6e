// Tiers: golden for what PyTorch computed, bounded against the formula in float64, bitwise between containers, types and blocks.
import { createEngine, type DType, layerNorm, matryoshka, tensor, unitNorm } from 'layernorm';
import { copierOf } from '../../../js/src/tensor/sixteen_bit.js';
import { DATA_SETS, dataSet } from '../support/data_sets.js';
import { expectError } from '../support/errors.js';
import { normals } from '../support/random.js';
import { layerNormReference } from '../support/reference.js';
import { expectSameBits, firstMismatch } from '../support/ulp.js';

const SHAPE = [12, 40];
const x = normals(480);
const kept = matryoshka(x, { shape: SHAPE, dimensions: 16 });

describe('PyTorch 1.13', () => {
  // F.normalize(F.layer_norm(x, x.shape[-1:])[..., :3], dim=-1) of float64.
  const embeddings = Float64Array.from({ length: 16 }, (_, i) => (((i % 8) * 7 + (i >> 3) * 5) % 13) / 4 - 1);
  const options = { shape: [2, 8], dimensions: 3 };
  test.each([
    [
      1,
      [
        -0.7453559924999298, 0.29814239699997197, -0.5962847939999439, -0.018033392693348648,
        0.9918365981341755, 0.12623374885344052,
      ],
    ],
    [
      1e-16,
      [
        -0.03952847075210474, 0.015811388300841896, -0.03162277660168379, -0.000988211768802619,
        0.05435164728414402, 0.006917482381618329,
      ],
    ],
  ])('times %p', (scale, expected) => {
    const scaled = embeddings.map((one) => one * scale);
    expect(firstMismatch(matryoshka(scaled, options), expected, 1e-14, 1e-15)).toBeUndefined();
  });
});

/** Both steps by their formulas in float64; `units` is what an error of z as large as 1, or as its largest, is in y. */
function reference(values: ArrayLike<number>, columns: number, dimensions: number, epsilon: number) {
  const rows = values.length / columns;
  const z = layerNormReference(values, [rows, columns], { axes: [1], epsilon }).y;
  const y: number[] = [];
  const units: number[] = [];
  for (let row = 0; row < rows; row++) {
    const prefix = z.subarray(row * columns, row * columns + dimensions);
    const norm = Math.max(Math.hypot(...prefix), 1e-12);
    y.push(...prefix.map((one) => one / norm));
    units.push(Math.max(1, ...prefix.map(Math.abs)) / norm);
  }
  return { y, units };
}

describe('within 3 ulp of z', () => {
  test.each(Object.keys(DATA_SETS))('%s', (name) => {
    for (const columns of [1, 5, 64, 300, 768]) {
      const values = dataSet(name, 4, columns);
      const isConstant = columns === 1 || name.startsWith('constant');
      for (const dimensions of [1, Math.ceil(columns / 3), columns]) {
        const y = matryoshka(values, { shape: [4, columns], dimensions });
        // Of constant rows the float64 mean is not exact: they are 0.
        const { y: expected, units } = reference(values, columns, dimensions, 1e-5);
        const errors = y.map((one, i) =>
          isConstant
            ? Math.abs(one)
            : Math.abs(one - (expected[i] as number)) / (units[Math.floor(i / dimensions)] as number),
        );
        const most = isConstant ? 0 : 3 * 2 ** -23;
        expect({ columns, dimensions, far: errors.find((one) => !(one <= most)) }).toEqual({
          columns,
          dimensions,
        });
      }
    }
  });
});

test('what layerNorm, a slice and unitNorm give together', () => {
  const z = layerNorm(x, { shape: SHAPE, epsilon: 1e-5 });
  const slice = Float32Array.from({ length: 192 }, (_, i) => z[Math.floor(i / 16) * 40 + (i % 16)] as number);
  expect(firstMismatch(kept, unitNorm(slice, { shape: [12, 16] }), 0, 2e-7)).toBeUndefined();
});

test('epsilon, and what null stands for', () => {
  const small = x.map((one) => one * 1e-16);
  const clamped = matryoshka(small, { shape: SHAPE, dimensions: 16 });
  expect(Math.hypot(...clamped.subarray(0, 16))).toBeLessThan(0.1);
  const exact = matryoshka(small, { shape: SHAPE, dimensions: 16, epsilon: 0 });
  expect(firstMismatch(exact, kept, 0, 1e-5)).toBeUndefined();
  const none = { epsilon: null, dtype: null, out: null };
  expectSameBits(matryoshka(x, { ...none, shape: SHAPE, dimensions: 16 }), kept);
});

test('constant rows are zeros, with an epsilon of 0 NaN; NaN stays in its row', () => {
  const rows = [
    [3, 3, 3],
    [1, 2, 4],
    [1, 2, Number.NaN],
  ];
  const [constant, ordinary, bad] = matryoshka(rows, { dimensions: 2 });
  expect(constant).toEqual([0, 0]);
  expect(Math.hypot(...(ordinary as number[]))).toBeCloseTo(1, 6);
  expect(bad).toEqual([Number.NaN, Number.NaN]);
  expect(matryoshka([3, 3, 3], { dimensions: 2, epsilon: 0 })).toEqual([Number.NaN, Number.NaN]);
});

describe('containers', () => {
  test('a typed array is one embedding, or has a shape', () => {
    expectSameBits(matryoshka(x.subarray(40, 80), { dimensions: 16 }), kept.subarray(16, 32));
    expectSameBits(matryoshka(x, { shape: [3, 4, 40], dimensions: 16 }), kept);
  });

  test('nested arrays', () => {
    const nested = matryoshka([Array.from(x.subarray(0, 40))], { dimensions: 16 });
    expect(nested).toEqual([Array.from(kept.subarray(0, 16))]);
    const deep = matryoshka([[Array.from(x.subarray(0, 40))]], { dimensions: 16 });
    expect(deep).toEqual([nested]);
  });

  test('objects with dims, as of onnxruntime and transformers.js, and with a shape', () => {
    const dims = matryoshka({ data: x, dims: [3, 4, 40], type: 'float32' }, { dimensions: 16 });
    expect(dims).toEqual({ data: kept, dims: [3, 4, 16], type: 'float32' });
    const shaped = matryoshka({ data: x, shape: SHAPE }, { dimensions: 16 });
    expect(shaped).toEqual({ data: kept, shape: [12, 16] });
  });

  test('small arrays and tensors, which go a shorter way, get what objects get', () => {
    const wide = Float64Array.from(x);
    const options = { dimensions: 16, epsilon: 0.5 };
    for (const [data, dtype] of [
      [x, 'float32'],
      [wide, 'float64'],
    ] as const) {
      const long = matryoshka({ data, shape: SHAPE }, options).data;
      expectSameBits(matryoshka(data, { ...options, shape: SHAPE }), long);
      expectSameBits(matryoshka(data, { ...options, shape: SHAPE, dtype }), long);
      using t = tensor(data, SHAPE);
      using y = matryoshka(t, options);
      expectSameBits(y.array.slice(), long);
      expect(y.dtype).toBe(dtype);
    }
    expect(matryoshka(x, { ...options, shape: SHAPE, dtype: 'float64' })).toBeInstanceOf(Float64Array);
  });

  test('an object whose elements do not lie together', () => {
    const across = new Float32Array(480).map((_, i) => x[(i % 12) * 40 + Math.floor(i / 12)] as number);
    const shaped = matryoshka({ data: across, shape: SHAPE, stride: [1, 12] }, { dimensions: 16 });
    expectSameBits(shaped.data, kept);
  });

  test('tensors', () => {
    using t = tensor(x, [3, 4, 40]);
    using y = matryoshka(t, { dimensions: 16 });
    expect(y.shape).toEqual([3, 4, 16]);
    expectSameBits(y.array.slice(), kept);
  });

  test('many blocks, from arrays and from the heap, to both', () => {
    const shape = [3000, 100];
    const many = normals(300_000, 5);
    using t = tensor(many, shape);
    using y = matryoshka(t, { dimensions: 99 });
    const expected = y.array.slice();
    expectSameBits(matryoshka(many, { shape, dimensions: 99 }), expected);
    expectSameBits(matryoshka(t, { dimensions: 99, out: new Float32Array(297_000) }), expected);
    using out = tensor(new Float32Array(297_000), [3000, 99]);
    expect(matryoshka(many, { shape, dimensions: 99, out })).toBe(out);
    expectSameBits(out.array.slice(), expected);
  });

  test('no embeddings', () => {
    expect(matryoshka(new Float32Array(0), { shape: [0, 40], dimensions: 16 })).toEqual(new Float32Array(0));
    using t = tensor(new Float32Array(0), [0, 3, 40]);
    using y = matryoshka(t, { dimensions: 16 });
    expect(y.shape).toEqual([0, 3, 16]);
  });

  test('all of an embedding', () => {
    const all = matryoshka(x, { shape: SHAPE, dimensions: 40 });
    expect(all).toHaveLength(480);
    expect(Math.hypot(...all.subarray(0, 40))).toBeCloseTo(1, 6);
  });

  test('in the memory of an engine', async () => {
    using engine = await createEngine();
    expectSameBits(engine.matryoshka(x, { shape: SHAPE, dimensions: 16 }), kept);
  });
});

/** The bits of numbers rounded to a type of 16 bits, and back. */
function bitsOf(numbers: Float32Array, dtype: DType): Uint16Array {
  const bits = new Uint16Array(numbers.length);
  copierOf('float32', dtype)(bits, 0, numbers, 0, numbers.length);
  return bits;
}
function numbersOf(bits: Uint16Array, dtype: DType): Float32Array {
  const numbers = new Float32Array(bits.length);
  copierOf(dtype, 'float32')(numbers, 0, bits, 0, bits.length);
  return numbers;
}

describe('types', () => {
  test.each(['float16', 'bfloat16'] as const)('%s: what float32 gives, rounded once', (dtype) => {
    const bits = bitsOf(x, dtype);
    const options = { shape: SHAPE, dimensions: 16 };
    const expected = bitsOf(matryoshka(numbersOf(bits, dtype), options), dtype);
    expect(matryoshka(bits, { ...options, dtype })).toEqual(expected);
    expect(matryoshka({ data: bits, dims: SHAPE, type: dtype }, { dimensions: 16 })).toEqual({
      data: expected,
      dims: [12, 16],
      type: dtype,
    });
    using t = tensor(bits, SHAPE, dtype);
    using y = matryoshka(t, { dimensions: 16 });
    expect(y.dtype).toBe(dtype);
    expect(y.array).toEqual(expected);
    // x of float32 is not rounded before.
    expect(matryoshka(x, { ...options, dtype })).toEqual(bitsOf(kept, dtype));
    const out = new Uint16Array(192);
    expect(matryoshka(t, { dimensions: 16, out })).toBe(out);
    expect(out).toEqual(expected);
  });

  test('float64 is computed as such, and rounded where the result is float32', () => {
    const wide = Float64Array.from(x);
    const y = matryoshka(wide, { shape: SHAPE, dimensions: 16 });
    expect(firstMismatch(y, reference(wide, 40, 16, 1e-5).y, 1e-13, 1e-15)).toBeUndefined();
    expectSameBits(matryoshka(wide, { shape: SHAPE, dimensions: 16, dtype: 'float32' }), kept);
    expectSameBits(matryoshka(x, { shape: SHAPE, dimensions: 16, dtype: 'float64' }), y);
  });

  test('integers are float32', () => {
    const integers = Int32Array.from(x, (one) => 1000 * one);
    const y = matryoshka(integers, { shape: SHAPE, dimensions: 16 });
    expectSameBits(y, matryoshka(Float32Array.from(integers), { shape: SHAPE, dimensions: 16 }));
  });
});

describe('errors, before anything is written', () => {
  const out = new Float32Array(192).fill(7);
  const given = { shape: SHAPE, dimensions: 16, out };
  const before = x.slice();
  afterEach(() => {
    expect(out.every((one) => one === 7)).toBe(true);
    expectSameBits(x, before);
  });
  const gone = new Float32Array(480);
  structuredClone(gone.buffer, { transfer: [gone.buffer] });

  test.each<[string, () => unknown, Parameters<typeof expectError>[1], string | RegExp]>([
    [
      'no options',
      () => matryoshka(x, undefined as never),
      'ERR_ARGUMENT',
      'matryoshka: dimensions is undefined, expected an integer from 1 to 480, the size of the last dimension of x [480]',
    ],
    ...[0, 41, -1, 1.5, Number.NaN, '16', [16]].map(
      (dimensions): [string, () => unknown, 'ERR_ARGUMENT', RegExp] => [
        `dimensions ${dimensions}`,
        () => matryoshka(x, { ...given, dimensions: dimensions as number }),
        'ERR_ARGUMENT',
        /^matryoshka: dimensions is .*, expected an integer from 1 to 40, the size of the last dimension of x \[12, 40\]$/,
      ],
    ),
    [
      'embeddings of no elements',
      () => matryoshka(new Float32Array(0), { shape: [3, 0], dimensions: 1 }),
      'ERR_SHAPE',
      'matryoshka: x has shape [3, 0], expected at least one element in its last dimension',
    ],
    [
      'another axis',
      () => matryoshka(x, { ...given, axis: 0 } as never),
      'ERR_ARGUMENT',
      "matryoshka: unknown option 'axis', expected shape, dimensions, epsilon, dtype, out",
    ],
    [
      'names of others',
      () => matryoshka(x, { ...given, truncate_dim: 16 } as never),
      'ERR_ARGUMENT',
      "matryoshka: unknown option 'truncate_dim', did you mean 'dimensions'?",
    ],
    [
      'a shape of another size',
      () => matryoshka(x, { ...given, shape: [12, 41] }),
      'ERR_SHAPE',
      /^matryoshka: x has 480 elements/,
    ],
    ['epsilon', () => matryoshka(x, { ...given, epsilon: -1 }), 'ERR_ARGUMENT', /^matryoshka: epsilon is -1/],
    [
      'a type that there is not',
      () => matryoshka(x, { ...given, dtype: 'int8' as never }),
      'ERR_DTYPE',
      /^matryoshka: dtype is 'int8'/,
    ],
    [
      'an out of another type',
      () => matryoshka(x, { ...given, out: new Float64Array(192) as object as Float32Array }),
      'ERR_DTYPE',
      'matryoshka: out has elements of float64, expected float32, the type of the result',
    ],
    [
      'an out of another size',
      () => matryoshka(x, { ...given, out: out.subarray(1) }),
      'ERR_SHAPE',
      'matryoshka: out has 191 elements, expected 192, as the result [12, 16] has',
    ],
    [
      'an out of another shape',
      () => matryoshka(x, { ...given, out: { data: out, shape: [16, 12] } }),
      'ERR_SHAPE',
      'matryoshka: out has shape [16, 12], expected [12, 16], the shape of the result',
    ],
    [
      'an out that is the beginning of x',
      () => matryoshka(x, { ...given, out: x.subarray(0, 192) }),
      'ERR_ARGUMENT',
      'matryoshka: out overlaps x in memory, expected an array of its own',
    ],
    [
      'an out that is x',
      () => matryoshka(x, { ...given, dimensions: 40, out: x }),
      'ERR_ARGUMENT',
      /out overlaps x/,
    ],
    [
      'an array that is gone',
      () => matryoshka(gone, given),
      'ERR_DISPOSED',
      /^matryoshka: the buffer of x is detached/,
    ],
    [
      'an out that is gone',
      () => matryoshka(x, { ...given, out: gone }),
      'ERR_DISPOSED',
      /^matryoshka: the buffer of out is detached/,
    ],
    ['no x', () => matryoshka(undefined as never, given), 'ERR_ARGUMENT', /^matryoshka: x is undefined/],
  ])('%s', (_, call, code, message) => expectError(call, code, message));

  test('a tensor in place, and tensors that are disposed', () => {
    const t = tensor(x, SHAPE);
    expectError(() => matryoshka(t, { dimensions: 40, out: t }), 'ERR_ARGUMENT', /out overlaps x/);
    expectSameBits(t.array.slice(), x);
    t.dispose();
    expectError(() => matryoshka(t, { dimensions: 16 }), 'ERR_DISPOSED', /^matryoshka: x is a tensor that/);
    expectError(
      () => matryoshka(x, { ...given, out: t }),
      'ERR_DISPOSED',
      /^matryoshka: out is a tensor that/,
    );
  });
});
