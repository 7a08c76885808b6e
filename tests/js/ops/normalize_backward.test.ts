// The gradients of the operations about zero, RMS and unit normalization: what layer_norm_backward*.test.ts ask of the one about
// the mean. Tiers: bounded (a float64 reference, finite differences) and bitwise (containers, blocks, in place).
import {
  createEngine,
  type LayerNormErrorCode,
  rmsNormBackward,
  rmsNormForward,
  tensor,
  unitNormBackward,
  unitNormForward,
} from 'layernorm';
import { expectError } from '../support/errors.js';
import { normals } from '../support/random.js';
import { aboutZeroReference } from '../support/reference.js';
import { expectSameBits, firstMismatch } from '../support/ulp.js';

/** Both, behind the signature of the one that gives more. */
type Backward = typeof rmsNormBackward;
const OPERATIONS = [
  { name: 'rmsNorm', forward: rmsNormForward, backward: rmsNormBackward, unit: false, epsilon: 1e-6 },
  {
    name: 'unitNorm',
    forward: unitNormForward,
    backward: unitNormBackward as object as Backward,
    unit: true,
    epsilon: 1e-12,
  },
] as const;

const x = normals(24);
const dy = normals(24, 2);
const shape = [6, 4];

describe.each(OPERATIONS)('$name', ({ name, forward, backward, unit, epsilon }) => {
  const { rstd } = forward(x, { shape });
  const { dx } = backward(dy, x, { shape, rstd });

  test.each([[[1]], [[0]], [[0, 1]], [[0, 2]], [[1, 3]]])('near the float64 reference: axes %j', (axis) => {
    const sizes = [5, 7, 3, 6];
    const values = normals(630, 3);
    const upstream = normals(630, 4);
    const saved = forward(values, { shape: sizes, axis });
    const actual = backward(upstream, values, { shape: sizes, axis, rstd: saved.rstd });
    const expected = aboutZeroReference(values, sizes, { axes: axis, epsilon, unit, dy: upstream });
    expect(firstMismatch(actual.dx, expected.dx, 1e-6, 4e-6)).toBeUndefined();
  });

  test('finite differences in float64', () => {
    const values = Float64Array.from(normals(24, 5));
    const upstream = Float64Array.from(dy);
    const loss = (): number =>
      forward(values, { shape }).y.reduce((sum, y, i) => sum + y * (upstream[i] as number), 0);
    const slopes = values.map((value, i) => {
      const step = 1e-5;
      values[i] = value + step;
      const above = loss();
      values[i] = value - step;
      const below = loss();
      values[i] = value;
      return (above - below) / (2 * step);
    });
    const actual = backward(upstream, values, { shape, rstd: forward(values, { shape }).rstd });
    expect(firstMismatch(actual.dx, slopes, 1e-7, 1e-8)).toBeUndefined();
  });

  test('containers: of the kind that x is, with the same bits', async () => {
    expect(dx).toBeInstanceOf(Float32Array);
    using t = tensor(x, shape);
    using u = tensor(dy, shape);
    using r = tensor(rstd, [6, 1]);
    const inHeap = backward(u, t, { rstd: r, outputs: ['dx'] });
    expectSameBits(inHeap.dx.array as Float32Array, dx);
    inHeap.dx.dispose();
    const rows = (values: Float32Array): number[][] =>
      Array.from({ length: 6 }, (_, i) => Array.from(values.subarray(4 * i, 4 * i + 4)));
    expect(backward(rows(dy), rows(x), { rstd: Array.from(rstd) }).dx).toEqual(rows(dx));
    using engine = await createEngine();
    const own = unit ? (engine.unitNormBackward as object as Backward) : engine.rmsNormBackward;
    expectSameBits(own(dy, x, { shape, rstd }).dx, dx);
  });

  test('out may be dy or x', () => {
    for (const over of ['dy', 'x'] as const) {
      const copies = { dy: dy.slice(), x: x.slice() };
      const out = copies[over];
      expect(backward(copies.dy, copies.x, { shape, rstd, out }).dx).toBe(out);
      expectSameBits(out, dx);
      using t = tensor(x, shape);
      using u = tensor(dy, shape);
      const target = over === 'x' ? t : u;
      expect(backward(u, t, { rstd, out: target, outputs: ['dx'] }).dx).toBe(target);
      expectSameBits(target.array as Float32Array, dx);
    }
  });

  test('blocks give the bits of the whole', () => {
    const large = normals(400 * 300, 7);
    const upstream = normals(400 * 300, 8);
    for (const axis of [-1, 0]) {
      using t = tensor(large, [400, 300]);
      const saved = forward(large, { shape: [400, 300], axis }).rstd;
      const whole = backward(upstream, t, { axis, rstd: saved, outputs: ['dx'] }).dx;
      const { dx } = backward(upstream, large, { shape: [400, 300], axis, rstd: saved });
      expectSameBits(dx, whole.array as Float32Array);
      whole.dispose();
    }
  });

  test.each(['float16', 'bfloat16'] as const)('%s is float32, rounded once', (dtype) => {
    using t = tensor(x, shape, dtype);
    using u = tensor(dy, shape, dtype);
    using wideX = tensor(t, null, 'float32');
    using wideDy = tensor(u, null, 'float32');
    const saved = forward(wideX);
    const narrow = backward(u, t, { rstd: saved.rstd, outputs: ['dx'] }).dx;
    const wide = backward(wideDy, wideX, { rstd: saved.rstd, outputs: ['dx'] }).dx;
    using rounded = tensor(wide, null, dtype);
    expect(Array.from(narrow.array)).toEqual(Array.from(rounded.array));
    for (const one of [narrow, wide, saved.y, saved.rstd]) one.dispose();
  });

  test('an empty x gives an empty dx', () => {
    const none = new Float32Array(0);
    expect(backward(none, none, { shape: [0, 4], rstd: none }).dx).toEqual(none);
  });

  const gradients = unit ? ['dx'] : ['dx', 'dgamma'];
  const MISTAKES: [string, object, LayerNormErrorCode, string | RegExp][] = [
    ['no rstd', { shape }, 'ERR_ARGUMENT', /rstd is undefined, expected a typed array/],
    ['a mean', { shape, rstd, mean: rstd }, 'ERR_ARGUMENT', /unknown option 'mean', expected rstd, /],
    [
      'an rstd of another size',
      { shape, rstd: [1, 2] },
      'ERR_SHAPE',
      `${name}Backward: rstd has 2 elements, expected 6, the number of groups of x [6, 4] over axis -1`,
    ],
    [
      'outputs that there are not',
      { shape, rstd, outputs: ['dbeta'] },
      'ERR_ARGUMENT',
      `${name}Backward: outputs is ['dbeta'], expected one or more of [${gradients.map((one) => `'${one}'`).join(', ')}]`,
    ],
    ['an out that is rstd', { shape: [24, 1], rstd: x, out: x }, 'ERR_ARGUMENT', /out overlaps rstd/],
  ];
  test.each(MISTAKES)('%s', (_, options, code, message) => {
    expectError(() => backward(dy, x, options as { rstd: Float32Array }), code, message);
  });
});
