// Tier: bounded and bitwise. Whatever the shape, the axes and the containers: near the reference, and each group with bits
// that depend on that group alone.
import fc from 'fast-check';
import { layerNorm, layerNormForward, tensor } from 'layernorm';
import { normals } from '../support/random.js';
import { layerNormReference } from '../support/reference.js';
import { expectSameBits } from '../support/ulp.js';

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

interface Problem {
  shape: number[];
  axis: number[];
  epsilon: number;
  seed: number;
  scale: number;
  offset: number;
  affine: boolean;
  rmsScaling: boolean;
}

/** A shape of up to four dimensions, any set of axes in any order and of either sign, and numbers of any size. */
const problems: fc.Arbitrary<Problem> = fc
  .array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 })
  .chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      axis: fc
        .shuffledSubarray(
          shape.map((_, i) => i),
          { minLength: 1 },
        )
        .chain((axes) => fc.tuple(...axes.map((i) => fc.constantFrom(i, i - shape.length)))),
      epsilon: fc.constantFrom(1e-12, 1e-5, 1e-3, 1),
      seed: fc.integer({ min: 1, max: 2 ** 30 }),
      scale: fc.constantFrom(1e-10, 1, 1e3, 1e30),
      offset: fc.constantFrom(0, 1, -1e4),
      affine: fc.boolean(),
      rmsScaling: fc.boolean(),
    }),
  );

const axesOf = ({ shape, axis }: Problem): number[] => axis.map((a) => (a < 0 ? a + shape.length : a));

function inputOf({ shape, seed, scale, offset }: Problem): Float32Array {
  return normals(product(shape), seed).map((value) => value * scale + offset);
}

function parametersOf(problem: Problem): { gamma?: Float32Array; beta?: Float32Array } {
  const size = product(problem.shape.filter((_, i) => axesOf(problem).includes(i)));
  if (!problem.affine) return {};
  const gamma = normals(size, problem.seed + 1);
  return problem.rmsScaling ? { gamma } : { gamma, beta: normals(size, problem.seed + 2) };
}

test('near the float64 reference', () => {
  fc.assert(
    fc.property(problems, (problem) => {
      const { shape, axis, epsilon, rmsScaling } = problem;
      const x = inputOf(problem);
      const parameters = parametersOf(problem);
      const y = layerNorm(x, { shape, axis, epsilon, rmsScaling, ...parameters });
      const expected = layerNormReference(x, shape, {
        axes: axesOf(problem),
        epsilon,
        rmsScaling,
        ...parameters,
      });
      // gamma and beta add a rounding each to the 3 ulp of the normalized value.
      const g = Math.max(1, ...(parameters.gamma ?? []).map(Math.abs));
      const b = Math.max(0, ...(parameters.beta ?? []).map(Math.abs));
      const worst = y.reduce((error, value, i) => {
        const size = Math.max(Math.abs(expected.normalized[i] as number), 1) * g + b;
        return Math.max(error, Math.abs(value - (expected.y[i] as number)) / size);
      }, 0);
      expect(worst).toBeLessThanOrEqual(5 * 2 ** -23);
    }),
    { numRuns: 300 },
  );
});

/** Moves the reduced dimensions to the end: rows, whose bits those of any layout have to equal. */
function toRows(
  x: Float32Array,
  shape: readonly number[],
  axes: readonly number[],
): { rows: Float32Array; from: number[] } {
  const order = [...shape.keys()].sort(
    (a, b) => Number(axes.includes(a)) - Number(axes.includes(b)) || a - b,
  );
  const strides = shape.map((_, i) => product(shape.slice(i + 1)));
  const from = Array.from({ length: x.length }, (_, k) => {
    let rest = k;
    let at = 0;
    for (const d of [...order].reverse()) {
      const size = shape[d] as number;
      at += (rest % size) * (strides[d] as number);
      rest = Math.floor(rest / size);
    }
    return at;
  });
  return { rows: Float32Array.from(from, (at) => x[at] as number), from };
}

test('the bits of a group are the same in a batch, alone, and in any layout', () => {
  fc.assert(
    fc.property(problems, (problem) => {
      const { shape, axis, epsilon, rmsScaling } = problem;
      const options = { epsilon, rmsScaling, ...parametersOf(problem) };
      const x = inputOf(problem);
      const axes = axesOf(problem);
      const columns = product(shape.filter((_, i) => axes.includes(i)));
      const whole = layerNorm(x, { ...options, shape, axis });
      const { rows, from } = toRows(x, shape, axes);
      const batch = layerNorm(rows, { ...options, shape: [rows.length / columns, columns] });
      for (let start = 0; start < rows.length; start += columns) {
        const alone = layerNorm(rows.slice(start, start + columns), options);
        expectSameBits(batch.subarray(start, start + columns), alone);
      }
      expectSameBits(
        Float32Array.from(from, (at) => whole[at] as number),
        batch,
      );
    }),
    { numRuns: 200 },
  );
});

test('the bits are the same for every kind of container, in place or not', () => {
  fc.assert(
    fc.property(problems, (problem) => {
      const { shape, axis, epsilon, rmsScaling } = problem;
      const x = inputOf(problem);
      const options = { axis, epsilon, rmsScaling, ...parametersOf(problem) };
      const { y, mean, rstd } = layerNormForward(x, { ...options, shape });
      const same = (other: Float32Array): void => expectSameBits(other, y);

      same(layerNorm(x, { ...options, shape }));
      const inPlace = x.slice();
      same(layerNorm(inPlace, { ...options, shape, out: inPlace }));
      same(layerNorm({ data: x, dims: shape }, options).data);
      const outside = layerNorm({ data: [...x], shape }, options).data;
      same(outside);

      using t = tensor(x, shape);
      const inHeap = layerNormForward(t, options);
      same(inHeap.y.array);
      expectSameBits(inHeap.mean.array, mean);
      expectSameBits(inHeap.rstd.array, rstd);
      for (const made of [inHeap.y, inHeap.mean, inHeap.rstd]) made.dispose();
      same(layerNorm(t, { ...options, out: new Float32Array(x.length) }));
      using target = tensor(new Float32Array(x.length), shape);
      same(layerNorm(x, { ...options, shape, out: target }).array);
      same(layerNorm(t, { ...options, out: t }).array);
    }),
    { numRuns: 200 },
  );
});

/** Arrays of several hundred KiB: they pass through the heap in several blocks, of every kind. */
test.each([
  [[3000, 100], [1]],
  [[100, 3000], [0]],
  [[2, 70_000], [1]],
  [[70_000, 20], [0]],
  [[6, 200, 300], [1]],
  [
    [20, 100, 100],
    [0, 2],
  ],
  [
    [3, 50, 40, 30],
    [1, 3],
  ],
  [
    [3, 50, 40, 30],
    [0, 2],
  ],
])('blocks: shape %j, axes %j', (shape, axis) => {
  const x = normals(product(shape), 12);
  const columns = product(shape.filter((_, i) => axis.includes(i)));
  const options = { axis, gamma: normals(columns, 13), beta: normals(columns, 14) };
  const blocks = layerNormForward(x, { ...options, shape });
  using t = tensor(x, shape);
  const whole = layerNormForward(t, options);
  expectSameBits(blocks.y, whole.y.array);
  expectSameBits(blocks.mean, whole.mean.array);
  expectSameBits(blocks.rstd, whole.rstd.array);
  using target = tensor(new Float32Array(x.length), shape);
  expectSameBits(layerNorm(x, { ...options, shape, out: target }).array, blocks.y);
  const wide = layerNorm(x, { shape, axis, dtype: 'float64' });
  using wideTensor = tensor(x, shape, 'float64');
  using wideWhole = layerNorm(wideTensor, { axis });
  expectSameBits(wide, wideWhole.array);
  for (const made of [whole.y, whole.mean, whole.rstd]) made.dispose();
});
