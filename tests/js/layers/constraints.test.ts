import { constraints } from 'layernorm';
import { expectError } from '../support/errors.js';
import { normals } from '../support/random.js';

const { MaxNorm, MinMaxNorm, NonNeg, UnitNorm } = constraints;

const expectClose = (actual: ArrayLike<number>, expected: number[], digits = 6): void => {
  expect(Array.from(actual)).toEqual(expected.map((value) => expect.closeTo(value, digits)));
};

/** The rows of a matrix as its columns. */
const columns = (vectors: number[][]): number[] =>
  (vectors[0] as number[]).flatMap((_, i) => vectors.map((vector) => vector[i] as number));

test('MaxNorm on columns, as Keras tests it', () => {
  const w = columns([[0, 0, 0], [1, 0, 0], [3, 0, 0], [3, 3, 3]]); // biome-ignore format: columns
  const each = 2 / Math.sqrt(3);
  const expected = columns([[0, 0, 0], [1, 0, 0], [2, 0, 0], [each, each, each]]); // biome-ignore format: columns
  expectClose(new MaxNorm({ maxValue: 2 }).call(w, [3, 4]), expected);
  expectClose(new MaxNorm().call(w, [3, 4]), expected);
});

test('MaxNorm makes conforming weights a little smaller, by n / (n + 1e-7)', () => {
  expect(new MaxNorm().call([1], [1])[0]).toBe(1 / (1e-7 + 1));
});

test('UnitNorm gives columns norms of 1', () => {
  const w = Float64Array.from(normals(20, 3));
  const projected = new UnitNorm().call(w, [5, 4]);
  for (let k = 0; k < 4; k++) {
    const squares = [0, 1, 2, 3, 4].map((i) => (projected[i * 4 + k] as number) ** 2);
    expect(squares.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
  }
  expectClose(new UnitNorm().call([0, 0], [2]), [0, 0]);
});

test('MinMaxNorm keeps norms between its bounds, at once or in steps', () => {
  const w = [0.06, 3, 0.08, 4, 0.3, 0]; // columns (0.06, 0.08, 0.3) and (3, 4, 0), below as two rows
  const rows = [0.06, 0.08, 3, 4, 0.18, 0.24];
  const one = new MinMaxNorm({ minValue: 0.2, maxValue: 0.5, axis: 1 });
  expectClose(one.call(rows, [3, 2]), [0.12, 0.16, 0.3, 0.4, 0.18, 0.24]);
  const norms = new MinMaxNorm({ minValue: 0.2, maxValue: 0.5 }).call(w, [3, 2]);
  for (const k of [0, 1]) {
    const norm = Math.hypot(norms[k] as number, norms[2 + k] as number, norms[4 + k] as number);
    expect(norm).toBeGreaterThan(0.2 - 1e-5);
    expect(norm).toBeLessThan(0.5 + 1e-5);
  }
  const half = new MinMaxNorm({ minValue: 0, maxValue: 1, rate: 0.5 });
  expectClose(half.call([3, 4], [2]), [1.8, 2.4]);
});

test('NonNeg', () => {
  expect(Array.from(new NonNeg().call([-1, 0, 2, -0], [2, 2]))).toEqual([0, 0, 2, 0]);
  expect(new NonNeg().call([Number.NaN], [1])[0]).toBeNaN();
});

test('norms run over any axes', () => {
  const w = Array.from({ length: 8 }, (_, i) => i + 1);
  const norm = (axis: number | number[] | null): number[] =>
    Array.from(new UnitNorm({ axis }).call(w, [2, 2, 2]));
  const by = (...indices: number[]): number => Math.hypot(...indices.map((i) => w[i] as number));
  expectClose(norm(-1).slice(0, 2), [1 / by(0, 1), 2 / by(0, 1)]);
  expectClose(norm([0, 1]).slice(0, 2), [1 / by(0, 2, 4, 6), 2 / by(1, 3, 5, 7)]);
  expectClose(norm([0, 2]).slice(2, 4), [3 / by(2, 3, 6, 7), 4 / by(2, 3, 6, 7)]);
  expectClose(norm(null), w.map((value) => value / Math.hypot(...w))); // biome-ignore format: one idea
  expect(norm([0, 1, 2])).toEqual(norm(null));
});

test('a vector has one norm: the values given stay as they are', () => {
  const gamma = new Float32Array([3, 4]);
  expectClose(new MaxNorm({ maxValue: 1 }).call(gamma, [2]), [0.6, 0.8]);
  expect(Array.from(gamma)).toEqual([3, 4]);
  expect(new UnitNorm().call([], [0])).toEqual(new Float64Array(0));
});

test('bad arguments', () => {
  expectError(() => new UnitNorm({ axis: 'x' as never }), 'ERR_AXIS', /UnitNorm: axis is 'x'/);
  expectError(() => new UnitNorm({ axis: [0.5] }), 'ERR_AXIS', /UnitNorm: axis is \[0\.5\]/);
  expectError(() => new UnitNorm({ axis: 1 }).call([1], [1]), 'ERR_AXIS', /is out of bounds/);
  expectError(() => new MaxNorm({ maxValue: '2' as never }), 'ERR_ARGUMENT', /maxValue is '2'/);
  expectError(
    () => new MaxNorm(2 as never),
    'ERR_ARGUMENT',
    /expected an object such as \{ maxValue: 2, axis: 0 \}/,
  );
  expectError(() => new MinMaxNorm({ min_value: 1 } as never), 'ERR_ARGUMENT', /did you mean 'minValue'/);
  expectError(() => new NonNeg({ axis: 0 } as never), 'ERR_ARGUMENT', /NonNeg: unknown option 'axis'/);
  expectError(() => new NonNeg().call([1, 2], [3]), 'ERR_SHAPE', /values has 2 elements, expected 3/);
});

test('names, and configs with the keys of Keras in its order', () => {
  const json = (identifier: string): string => JSON.stringify(constraints.get(identifier)?.getConfig?.());
  for (const name of ['MaxNorm', 'max_norm']) expect(json(name)).toBe('{"max_value":2,"axis":0}');
  for (const name of ['MinMaxNorm', 'min_max_norm']) {
    expect(json(name)).toBe('{"min_value":0,"max_value":1,"rate":1,"axis":0}');
  }
  for (const name of ['UnitNorm', 'unit_norm']) expect(json(name)).toBe('{"axis":0}');
  for (const name of ['NonNeg', 'non_neg']) expect(json(name)).toBe('{}');
  const one = new MinMaxNorm({ minValue: 0.1, maxValue: 2, rate: 0.5, axis: [0, 1] });
  const serialized = constraints.serialize(one);
  expect(JSON.stringify(serialized)).toBe(
    '{"module":"keras.constraints","class_name":"MinMaxNorm","config":{"min_value":0.1,"max_value":2,"rate":0.5,"axis":[0,1]},' +
      '"registered_name":null}',
  );
  expect(constraints.deserialize(serialized)).toEqual(one);
  const whole = constraints.deserialize({ class_name: 'UnitNorm', config: { axis: null } });
  expect(whole?.getConfig?.()).toEqual({ axis: null });
});

test('a function is a constraint', () => {
  expect(constraints.get((values) => Array.from(values, (x) => -x))?.call([1, 2], [2])).toEqual([-1, -2]);
});
