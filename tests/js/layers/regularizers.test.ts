import { type Regularizer, regularizers } from 'layernorm';
import { expectError } from '../support/errors.js';
import { normals } from '../support/random.js';

const { L1, L1L2, L2, OrthogonalRegularizer } = regularizers;

const x = Float64Array.from(normals(16, 5));
const absolute = x.reduce((sum, v) => sum + Math.abs(v), 0);
const squares = x.reduce((sum, v) => sum + v * v, 0);

test('L1, L2 and both, as Keras tests them', () => {
  expect(new L1({ l1: 0.1 }).call(x, [4, 4])).toBeCloseTo(0.1 * absolute, 12);
  expect(new L2({ l2: 0.1 }).call(x, [4, 4])).toBeCloseTo(0.1 * squares, 12);
  expect(new L1L2({ l1: 0.1, l2: 0.2 }).call(x, [4, 4])).toBeCloseTo(0.1 * absolute + 0.2 * squares, 12);
  expect(new L1L2().call([1, 2, 3], [3])).toBe(0);
  expect(new L2().call([1, -2], [2])).toBe(0.05);
  expect(new L1().call([], [0])).toBe(0);
});

test('a term that is switched off does not turn infinity into NaN', () => {
  expect(new L1().call([Number.POSITIVE_INFINITY], [1])).toBe(Number.POSITIVE_INFINITY);
});

/** Central differences of the penalty. */
function differences(one: Regularizer, values: Float64Array, shape: number[]): number[] {
  const step = 2 ** -20;
  return Array.from(values, (_, i) => {
    const at = (delta: number): number => {
      const moved = values.slice();
      (moved[i] as number) += delta;
      return one.call(moved, shape);
    };
    return (at(step) - at(-step)) / (2 * step);
  });
}

test.each([
  [new L1({ l1: 0.3 }), [4, 4]],
  [new L2({ l2: 0.3 }), [4, 4]],
  [new L1L2({ l1: 0.2, l2: 0.3 }), [16]],
  [new OrthogonalRegularizer({ factor: 0.7 }), [4, 4]],
  [new OrthogonalRegularizer({ factor: 0.7 }), [2, 8]],
  [new OrthogonalRegularizer({ factor: 0.7, mode: 'columns' }), [8, 2]],
  [new OrthogonalRegularizer({ factor: 0.7, mode: 'columns' }), [2, 8]],
] as const)('the gradient is that of the penalty %#', (one, shape) => {
  const gradient = one.gradient(x, shape);
  differences(one, x, [...shape]).forEach((expected, i) => {
    expect(gradient[i]).toBeCloseTo(expected, 7);
  });
});

test('the gradient at zero is zero', () => {
  expect(Array.from(new L1L2({ l1: 1, l2: 1 }).gradient([0, 2, -3], [3]))).toEqual([0, 5, -7]);
  expect(new OrthogonalRegularizer().gradient(new Float64Array(4), [2, 2])).toEqual(new Float64Array(4));
});

describe('orthogonality', () => {
  test('of orthogonal rows costs nothing, of equal ones the factor', () => {
    expect(new OrthogonalRegularizer().call([3, 0, 0, 2], [2, 2])).toBe(0);
    expect(new OrthogonalRegularizer({ factor: 0.5 }).call([3, 4, 6, 8], [2, 2])).toBeCloseTo(0.5, 15);
    expect(new OrthogonalRegularizer({ factor: 0.5 }).call([3, 4, -6, -8], [2, 2])).toBeCloseTo(0.5, 15);
  });

  test('is the average over pairs, of rows or of columns', () => {
    // Rows (1, 0), (1, 1), (0, 1): cosines sqrt(1/2), 0, sqrt(1/2).
    const values = [1, 0, 1, 1, 0, 1];
    const expected = (0.01 * 2 * Math.SQRT1_2) / 3;
    expect(new OrthogonalRegularizer().call(values, [3, 2])).toBeCloseTo(expected, 15);
    const columns = [1, 1, 0, 0, 1, 1];
    expect(new OrthogonalRegularizer({ mode: 'columns' }).call(columns, [2, 3])).toBeCloseTo(expected, 15);
  });

  test('of fewer than two vectors costs nothing', () => {
    expect(new OrthogonalRegularizer().call([1, 2], [1, 2])).toBe(0);
    expect(new OrthogonalRegularizer().gradient([1, 2], [1, 2])).toEqual(new Float64Array(2));
  });

  test('is for matrices', () => {
    const message = /Inputs to OrthogonalRegularizer must have rank 2, got shape \[4\]/;
    expectError(() => new OrthogonalRegularizer().call([1, 2, 3, 4], [4]), 'ERR_SHAPE', message);
    expectError(() => new OrthogonalRegularizer().gradient([1, 2, 3, 4], [4]), 'ERR_SHAPE', message);
  });
});

test.each([
  [() => new L1({ l1: -1 }), /L1: Invalid value for argument l1: expected a non-negative float, got -1/],
  [() => new L2({ l2: Number.NaN }), /argument l2: expected a non-negative float, got NaN/],
  [
    () => new L1L2({ l2: Number.POSITIVE_INFINITY }),
    /argument l2: expected a non-negative float, got Infinity/,
  ],
  [() => new L1L2({ l1: '0.1' as never }), /argument l1: expected a non-negative float, got '0.1'/],
  [() => new OrthogonalRegularizer({ factor: -0.1 }), /argument factor: expected a non-negative float/],
  [() => new OrthogonalRegularizer({ mode: 'x' as never }), /Invalid `mode` argument: 'x'/],
  [() => new L2(0.01 as never), /L2: options is 0\.01, expected an object such as \{ l2: 0\.01 \}/],
  [() => new L1({ l2: 1 } as never), /L1: unknown option 'l2'/],
])('bad arguments %#', (call, message) => {
  expectError(call, 'ERR_ARGUMENT', message);
});

test('values have to fill the shape', () => {
  expectError(() => new L2().call([1, 2], [3]), 'ERR_SHAPE', /values has 2 elements, expected 3/);
  expectError(() => new L1().gradient([1, 2], [3]), 'ERR_SHAPE', /values has 2 elements, expected 3/);
  expectError(() => new L2().call(undefined as never, [3]), 'ERR_ARGUMENT', /values is undefined/);
});

describe('identifiers', () => {
  const config = (identifier: string): object | undefined => regularizers.get(identifier)?.getConfig?.();

  test('names, with the defaults of the classes', () => {
    for (const name of ['L1', 'l1']) expect(config(name)).toEqual({ l1: 0.01 });
    for (const name of ['L2', 'l2']) expect(config(name)).toEqual({ l2: 0.01 });
    for (const name of ['L1L2', 'l1l2']) expect(config(name)).toEqual({ l1: 0, l2: 0 });
    for (const name of ['OrthogonalRegularizer', 'orthogonal_regularizer']) {
      expect(config(name)).toEqual({ factor: 0.01, mode: 'rows' });
    }
  });

  test("'l1_l2' is what Keras documents: both factors 0.01", () => {
    expect(config('l1_l2')).toEqual({ l1: 0.01, l2: 0.01 });
    const short = { class_name: 'l1_l2', config: { l1: 0.5 } };
    expect(regularizers.get(short)?.getConfig?.()).toEqual({ l1: 0.5, l2: 0.01 });
  });

  test('null in a config stands for the default', () => {
    const one = regularizers.deserialize({ class_name: 'L1L2', config: { l1: null, l2: 0.5 } });
    expect(one?.getConfig?.()).toEqual({ l1: 0, l2: 0.5 });
  });

  test('what Keras passed through float32 is close enough', () => {
    const one = regularizers.get({ class_name: 'L1', config: { l1: 0.009999999776482582 } });
    expect(one?.call([1], [1])).toBeCloseTo(0.01, 8);
  });

  test('a function is a penalty without a gradient', () => {
    const one = regularizers.get((values, shape) => values.length * shape.length);
    expect(one?.call([1, 2], [2])).toBe(2);
    expect(one?.gradient).toBeUndefined();
  });
});

test('configs have the keys of Keras in its order', () => {
  expect(JSON.stringify(new L1L2({ l2: 1, l1: 2 }).getConfig())).toBe('{"l1":2,"l2":1}');
  const serialized = regularizers.serialize(new OrthogonalRegularizer({ mode: 'columns' }));
  expect(JSON.stringify(serialized)).toBe(
    '{"module":"keras.regularizers","class_name":"OrthogonalRegularizer","config":{"factor":0.01,"mode":"columns"},' +
      '"registered_name":null}',
  );
  expect(regularizers.deserialize(serialized)).toEqual(new OrthogonalRegularizer({ mode: 'columns' }));
});
