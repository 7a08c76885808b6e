// Spectral normalization and its gradient, as users call them.
import { createEngine, initializers, spectralNorm, spectralNormBackward, tensor } from 'layernorm';
import { expectError } from '../support/errors.js';
import { normals } from '../support/random.js';

/** In float64, by the formulas. */
function reference(
  kernel: ArrayLike<number>,
  rows: number,
  cols: number,
  start: ArrayLike<number>,
  iterations = 1,
) {
  const l2 = (a: number[]): number[] => a.map((x) => x / Math.max(Math.hypot(...a), 1e-7));
  const at = (i: number, k: number): number => kernel[i * cols + k] as number;
  const index = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
  const sum = (n: number, term: (i: number) => number): number => index(n).reduce((s, i) => s + term(i), 0);
  let u = Array.from(start);
  let v: number[] = [];
  for (let n = 0; n < iterations; n++) {
    v = l2(index(rows).map((i) => sum(cols, (k) => (u[k] as number) * at(i, k))));
    u = l2(index(cols).map((k) => sum(rows, (i) => (v[i] as number) * at(i, k))));
  }
  const sigma = sum(rows, (i) => sum(cols, (k) => (v[i] as number) * at(i, k) * (u[k] as number)));
  return { y: Array.from(kernel, (w) => w / sigma), u, v, sigma };
}

const expectClose = (actual: ArrayLike<number>, expected: ArrayLike<number>, digits = 6): void => {
  expect(Array.from(actual)).toEqual(Array.from(expected, (value) => expect.closeTo(value, digits)));
};

const kernel = normals(60, 3);
const u = normals(5, 4);

describe('forward', () => {
  test.each([[[12, 5]], [[3, 4, 5]], [[2, 2, 3, 5]]])('%p: the dimensions but the last are rows', (shape) => {
    const result = spectralNorm(kernel, { shape, u, powerIterations: 3 });
    const expected = reference(kernel, 12, 5, u, 3);
    expectClose(result.kernel, expected.y);
    expectClose(result.u, expected.u);
    expectClose(result.v, expected.v);
    expect(result.sigma).toBeCloseTo(expected.sigma, 6);
  });

  test('one dimension is one row', () => {
    const result = spectralNorm(new Float64Array([3, 4]), { u: [1, 1] });
    expectClose(result.kernel, [0.6, 0.8], 14);
    expect(result.sigma).toBeCloseTo(5, 14);
    expectClose(result.v, [1], 14);
  });

  test('keras: a 2x2 kernel of 2s is divided by its largest singular value', () => {
    const start = initializers.get('truncated_normal')?.call([1, 2]) as Float64Array;
    const result = spectralNorm([[2, 2], [2, 2]], { u: start }); // biome-ignore format: a matrix
    expectClose(result.kernel.flat() as number[], [0.5, 0.5, 0.5, 0.5]);
    expect(result.sigma).toBeCloseTo(4, 6);
  });

  test('keras: a kernel of zeros stays as it is', () => {
    const zeros = new Float32Array(6);
    const result = spectralNorm(zeros, { shape: [2, 3], u: [1, 2, 3] });
    expect(result).toEqual({
      kernel: zeros,
      u: new Float32Array([1, 2, 3]),
      v: new Float32Array(2),
      sigma: 1,
    });
  });

  test('calls that hand u on come to the largest singular value', () => {
    // Columns of lengths 2 and 1 that are orthogonal.
    const w = new Float64Array([2, 0, 0, 1, 0, 0]);
    let start: Float64Array<ArrayBufferLike> = new Float64Array([0.1, 1]);
    let sigma = 0;
    for (let i = 0; i < 30; i++) ({ u: start, sigma } = spectralNorm(w, { shape: [3, 2], u: start }));
    expect(sigma).toBeCloseTo(2, 14);
  });

  test('float64 is computed in float64', () => {
    const w = Float64Array.from(kernel, (x) => x + 1e-9);
    const result = spectralNorm(w, { shape: [12, 5], u });
    const expected = reference(w, 12, 5, u);
    expectClose(result.kernel, expected.y, 13);
    expect(result.u).toBeInstanceOf(Float64Array);
    expect(result.sigma).toBeCloseTo(expected.sigma, 13);
  });

  test.each(['float16', 'bfloat16'] as const)('%s is what float32 gives, rounded once', (dtype) => {
    using narrow = tensor(kernel, [12, 5], dtype);
    using wide = tensor(narrow, [12, 5], 'float32');
    const a = spectralNorm(narrow, { u });
    const b = spectralNorm(wide, { u, dtype });
    const c = spectralNorm(wide, { u });
    expect(a.kernel.dtype).toBe(dtype);
    expect(a.u.dtype).toBe('float32');
    expect(Array.from(b.kernel.array)).toEqual(Array.from(a.kernel.array));
    expect(Array.from(a.u.array)).toEqual(Array.from(c.u.array));
    expect(a.sigma).toBe(c.sigma);
    for (const one of [a, b, c].flatMap((result) => [result.kernel, result.u, result.v])) one.dispose();
  });

  test('containers are of the kind of the kernel', () => {
    const nested = spectralNorm([[[1, 2], [3, 4]]], { u: [[1, 0]] }); // biome-ignore format: a matrix
    expect([nested.kernel.length, nested.u.length, nested.v.length]).toEqual([1, 1, 1]);
    expect([nested.u[0]?.length, nested.v[0]?.length]).toEqual([2, 2]);
    const object = spectralNorm({ data: kernel, shape: [12, 5] }, { u });
    expect([object.kernel.shape, object.u.shape, object.v.shape]).toEqual([[12, 5], [1, 5], [1, 12]]); // biome-ignore format: shapes
    using t = tensor(kernel, [12, 5]);
    using start = tensor(u, [1, 5]);
    const tensors = spectralNorm(t, { u: start });
    expect(tensors.v.shape).toEqual([1, 12]);
    expect(Array.from(tensors.kernel.array)).toEqual(Array.from(object.kernel.data));
    for (const one of [tensors.kernel, tensors.u, tensors.v]) one.dispose();
  });

  test('out: anew, in place, a tensor', () => {
    const { kernel: expected } = spectralNorm(kernel, { shape: [12, 5], u });
    const out = new Float32Array(60);
    expect(spectralNorm(kernel, { shape: [12, 5], u, out }).kernel).toBe(out);
    expect(out).toEqual(expected);
    const own = kernel.slice();
    spectralNorm(own, { shape: [12, 5], u, out: own });
    expect(own).toEqual(expected);
    using t = tensor(kernel, [12, 5]);
    spectralNorm(t, { u, out: t }).u.dispose();
    expect(Array.from(t.array)).toEqual(Array.from(expected));
    using other = tensor(new Float32Array(60), [12, 5]);
    spectralNorm(kernel, { shape: [12, 5], u, out: other });
    expect(Array.from(other.array)).toEqual(Array.from(expected));
  });

  test('empty kernels', () => {
    const result = spectralNorm(new Float32Array(0), { shape: [0, 2], u: [1, 2] });
    expect(result).toEqual({
      kernel: new Float32Array(0),
      u: new Float32Array([1, 2]),
      v: new Float32Array(0),
      sigma: 1,
    });
    expect(spectralNorm(new Float32Array(0), { shape: [2, 0], u: new Float32Array(0) }).sigma).toBe(1);
  });

  test('the inputs stay as they are', () => {
    const [w, start] = [kernel.slice(), u.slice()];
    spectralNorm(w, { shape: [12, 5], u: start });
    expect(w).toEqual(kernel);
    expect(start).toEqual(u);
  });
});

describe('backward', () => {
  const shape = [12, 5];
  const w = Float64Array.from(kernel);
  const dy = Float64Array.from(normals(60, 9));
  const { u: right, v: left, sigma } = spectralNorm(w, { shape, u, powerIterations: 2 });

  test('is the derivative of W / (v W u) with u and v held', () => {
    const loss = (values: Float64Array): number => {
      const product = values.reduce(
        (sum, value, i) => sum + value * (left[Math.floor(i / 5)] as number) * (right[i % 5] as number),
        0,
      );
      return values.reduce((sum, value, i) => sum + (value / product) * (dy[i] as number), 0);
    };
    const gradient = spectralNormBackward(dy, w, { shape, u: right, v: left, sigma });
    const step = 1e-5;
    const differences = Array.from(w, (_, i) => {
      const moved = (delta: number): number =>
        loss(w.map((value, k) => (k === i ? value + delta : value)) as Float64Array);
      return (moved(step) - moved(-step)) / (2 * step);
    });
    expectClose(gradient, differences, 8);
  });

  test('of a kernel of zeros is dy', () => {
    const zeros = new Float64Array(60);
    const { u: a, v: b, sigma: one } = spectralNorm(zeros, { shape, u });
    expect(spectralNormBackward(dy, zeros, { shape, u: a, v: b, sigma: one })).toEqual(dy);
  });

  test('in place of dy or of the kernel, in tensors and 16 bits', () => {
    const options = { shape, u: right, v: left, sigma };
    const expected = spectralNormBackward(dy, w, options);
    const own = dy.slice();
    expect(spectralNormBackward(own, w, { ...options, out: own })).toEqual(expected);
    const held = w.slice();
    expect(spectralNormBackward(dy, held, { ...options, out: held })).toEqual(expected);
    using t = tensor(w, shape);
    using d = tensor(dy, shape);
    using first = spectralNormBackward(d, t, { u: right, v: left, sigma });
    expect(Array.from(first.array)).toEqual(Array.from(expected));
    spectralNormBackward(dy, t, { u: right, v: left, sigma, out: t });
    expect(Array.from(t.array)).toEqual(Array.from(expected));
    const narrow = spectralNormBackward(dy, w, { ...options, dtype: 'bfloat16' });
    expect(narrow).toBeInstanceOf(Uint16Array);
  });
});

describe('errors', () => {
  const options = { shape: [12, 5], u };

  test.each<[() => unknown, Parameters<typeof expectError>[1], RegExp]>([
    [() => spectralNorm(kernel, undefined as never), 'ERR_ARGUMENT', /spectralNorm: u is undefined/],
    [
      () => spectralNormBackward(kernel, kernel, undefined as never),
      'ERR_ARGUMENT',
      /spectralNormBackward: u is undefined/,
    ],
    [() => spectralNorm('w' as never, options), 'ERR_ARGUMENT', /spectralNorm: kernel is 'w'/],
    [
      () => spectralNorm(kernel, { ...options, u: [1, 2] }),
      'ERR_SHAPE',
      /u has shape \[2\], expected \[1, 5\] or \[5\]: the last size of the kernel \[12, 5\]/,
    ],
    [
      () => spectralNorm(kernel, { ...options, u: new Float32Array(4) }),
      'ERR_SHAPE',
      /u has 4 elements, expected 5/,
    ],
    [
      () => spectralNorm(kernel, { ...options, powerIterations: 0 }),
      'ERR_ARGUMENT',
      /powerIterations is 0; `power_iterations` should be greater than zero/,
    ],
    [
      () => spectralNorm(kernel, { ...options, powerIterations: 1.5 }),
      'ERR_ARGUMENT',
      /powerIterations is 1\.5/,
    ],
    [() => spectralNorm(kernel, { ...options, epsilon: -1 }), 'ERR_ARGUMENT', /epsilon is -1/],
    [
      () => spectralNorm(kernel, { ...options, power_iterations: 2 } as never),
      'ERR_ARGUMENT',
      /did you mean 'powerIterations'/,
    ],
    [
      () => spectralNorm(kernel, { ...options, out: new Float32Array(3) }),
      'ERR_SHAPE',
      /out has 3 elements, expected 60, as the kernel \[12, 5\] has/,
    ],
    [
      () => spectralNorm(kernel, { ...options, out: new Float64Array(60) }),
      'ERR_DTYPE',
      /out has elements of float64/,
    ],
    [
      () => spectralNorm(kernel, { ...options, u: kernel.subarray(0, 5), out: kernel }),
      'ERR_ARGUMENT',
      /out overlaps u/,
    ],
    [
      () => spectralNormBackward(u, kernel, { ...options, v: normals(12), sigma: 1 }),
      'ERR_SHAPE',
      /dy has 5 elements, expected 60, as the kernel/,
    ],
    [
      () => spectralNormBackward(kernel, kernel, { ...options, v: u, sigma: 1 }),
      'ERR_SHAPE',
      /v has 5 elements, expected 12: the product of all sizes but the last/,
    ],
    [
      () => spectralNormBackward(kernel, kernel, { ...options, v: normals(12) } as never),
      'ERR_ARGUMENT',
      /sigma is undefined, expected the number/,
    ],
  ])('%#', (call, code, message) => {
    expectError(call, code, message);
  });

  test('nothing has been written then', () => {
    const out = new Float32Array(60);
    expectError(() => spectralNorm(kernel, { ...options, out, u: [1] }), 'ERR_SHAPE', /u has/);
    expect(out).toEqual(new Float32Array(60));
  });

  test('a kernel that is too large for the memory', async () => {
    using engine = await createEngine({ maxMemory: 2 ** 20 });
    const large = new Float32Array(2 ** 19);
    expectError(
      () => engine.spectralNorm(large, { u: large }),
      'ERR_OUT_OF_MEMORY',
      /spectralNorm: \d+ bytes are needed/,
    );
  });
});

test('an engine gives the same', async () => {
  using engine = await createEngine();
  const options = { shape: [12, 5], u };
  const result = spectralNorm(kernel, options);
  expect(engine.spectralNorm(kernel, options)).toEqual(result);
  const saved = { ...options, u: result.u, v: result.v, sigma: result.sigma };
  expect(engine.spectralNormBackward(kernel, kernel, saved)).toEqual(
    spectralNormBackward(kernel, kernel, saved),
  );
});
