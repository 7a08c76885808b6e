import { type LayerNormErrorCode, layerNorm, matryoshka, rmsNorm, unitNorm } from 'layernorm';
import { type NormFunctionsOptions, registerNormFunctions } from '../../../js/src/duckdb/functions.js';
import type { DuckDB, DuckDBConnection } from '../../../js/src/duckdb/node_api.js';
import type { ArrayVector } from '../../../js/src/duckdb/vectors.js';
import { FakeValidity, fakeArrays } from '../support/duckdb.js';
import { expectError, thrownBy } from '../support/errors.js';

/** What was registered. */
interface Registered {
  name: string;
  returnType: string;
  parameterTypes: string[];
  mainFunction: (info: object, input: object, output: object) => void;
}

function fakeDuckDB() {
  const registered: Registered[] = [];
  const connection = { registerScalarFunction: (one: Registered) => registered.push(one) };
  const duckdb = {
    FLOAT: 'FLOAT',
    DOUBLE: 'DOUBLE',
    ARRAY: (type: string, length: number) => `${type}[${length}]`,
    DuckDBScalarFunction: { create: (definition: Registered) => definition },
  };
  return {
    registered,
    connection: connection as unknown as DuckDBConnection,
    duckdb: duckdb as unknown as DuckDB,
  };
}

function register(options: NormFunctionsOptions): Registered[] {
  const { registered, connection, duckdb } = fakeDuckDB();
  registerNormFunctions(connection, duckdb, options);
  return registered;
}

/** Calls a function with vectors. */
function call(one: Registered | undefined, columns: object[], output: ArrayVector, rows: number): string[] {
  const errors: string[] = [];
  const input = {
    rowCount: rows,
    columnCount: columns.length,
    getColumnVector: (i: number) => columns[i],
  };
  one?.mainFunction({ setError: (message: string) => errors.push(message) }, input, output);
  return errors;
}

const signatures = (list: Registered[]) =>
  list.map((one) => `${one.name}(${one.parameterTypes.join(', ')}) -> ${one.returnType}`);

test('each function for each size and type, with epsilon and without', () => {
  const all = signatures(register({ dim: [3, 4, 3] }));
  expect(all.length).toBe(3 * 2 * 2 * 2);
  expect(all.slice(0, 8)).toEqual([
    'layer_norm(FLOAT[3]) -> FLOAT[3]',
    'layer_norm(FLOAT[3], DOUBLE) -> FLOAT[3]',
    'layer_norm(DOUBLE[3]) -> DOUBLE[3]',
    'layer_norm(DOUBLE[3], DOUBLE) -> DOUBLE[3]',
    'layer_norm(FLOAT[4]) -> FLOAT[4]',
    'layer_norm(FLOAT[4], DOUBLE) -> FLOAT[4]',
    'layer_norm(DOUBLE[4]) -> DOUBLE[4]',
    'layer_norm(DOUBLE[4], DOUBLE) -> DOUBLE[4]',
  ]);
  expect([...new Set(register({ dim: 3 }).map(({ name }) => name))]).toEqual([
    'layer_norm',
    'rms_norm',
    'unit_norm',
  ]);
});

test('names, and functions that are left out', () => {
  const list = register({ dim: 3, layerNorm: { name: 'ln' }, rmsNorm: false, unitNorm: null });
  expect([...new Set(list.map(({ name }) => name))]).toEqual(['ln', 'unit_norm']);
  expect(register({ dim: 3, layerNorm: false, rmsNorm: false, unitNorm: false })).toEqual([]);
});

const X = [1, 2, 6, 4, 4, 5, -1, 0, 7, 2, 2, 9];

test.each([Float32Array, Float64Array])('%p: the bits of the functions of layernorm', (TypedArray) => {
  const gamma = [1, 2, 3];
  const beta = Float64Array.of(-1, 0, 1);
  const list = register({
    dim: 3,
    layerNorm: { gamma, beta, epsilon: 1e-5 },
    rmsNorm: { gamma: Float32Array.from(gamma) },
    unitNorm: { epsilon: 2 },
  });
  gamma.fill(9); // they were copied
  beta.fill(9);
  const type = TypedArray === Float32Array ? 'FLOAT[3]' : 'DOUBLE[3]';
  const x = TypedArray.from(X);
  const affine = { shape: [4, 3], gamma: [1, 2, 3], beta: [-1, 0, 1] };
  for (const [name, expected, withEpsilon] of [
    ['layer_norm', layerNorm(x, { ...affine, epsilon: 1e-5 }), layerNorm(x, { ...affine, epsilon: 0.5 })],
    [
      'rms_norm',
      rmsNorm(x, { shape: [4, 3], gamma: [1, 2, 3] }),
      rmsNorm(x, { shape: [4, 3], gamma: [1, 2, 3], epsilon: 0.5 }),
    ],
    ['unit_norm', unitNorm(x, { shape: [4, 3], epsilon: 2 }), unitNorm(x, { shape: [4, 3], epsilon: 0.5 })],
  ] as const) {
    const [plain, second] = list.filter((one) => one.name === name && one.returnType === type);
    const y = fakeArrays(new TypedArray(12), 3);
    expect(call(plain, [fakeArrays(x, 3)], y, 4)).toEqual([]);
    expect(y.childData.items).toEqual(expected);
    expect(y.flushed).toBe(1);
    const epsilons = { items: new Float64Array(4).fill(0.5), validity: new FakeValidity(4) };
    expect(call(second, [fakeArrays(x, 3), epsilons], y, 4)).toEqual([]);
    expect(y.childData.items).toEqual(withEpsilon);
  }
});

test('rows that are NULL, and epsilons that are or that differ', () => {
  const [, layer] = register({ dim: 3 });
  const x = fakeArrays(Float32Array.from([...X, ...X]), 3);
  x.validity.setItemValid(2, false);
  x.validity.setItemValid(7, false);
  const epsilons = { items: Float64Array.of(1, 1, 1, 1, 2, 3, 3, 3), validity: new FakeValidity(8) };
  epsilons.validity.setItemValid(6, false);
  const y = fakeArrays(new Float32Array(24), 3);
  expect(call(layer, [x, epsilons], y, 8)).toEqual([]);
  for (let row = 0; row < 8; row++) {
    const isNull = row === 2 || row >= 6;
    expect(((y.validity.data?.[0] as bigint) >> BigInt(row)) & 1n).toBe(isNull ? 0n : 1n);
    const { items } = x.childData;
    const expected = layerNorm(items.slice(3 * row, 3 * row + 3), {
      epsilon: epsilons.items[row] as number,
    });
    if (!isNull) expect(y.childData.items.slice(3 * row, 3 * row + 3)).toEqual(expected);
  }
});

test('what is NULL inside of a row that is NULL does not matter, elsewhere it is an error', () => {
  const [layer] = register({ dim: 3 });
  const x = fakeArrays(Float32Array.from(X), 3);
  x.validity.setItemValid(1, false);
  x.childData.validity.setItemValid(4, false);
  const y = fakeArrays(new Float32Array(12), 3);
  expect(call(layer, [x], y, 4)).toEqual([]);
  x.childData.validity.setItemValid(11, false);
  const again = fakeArrays(new Float32Array(12), 3);
  expect(call(layer, [x], again, 4)).toEqual([
    'layer_norm: element 3 of an array is NULL, expected numbers, or NULL in place of the array',
  ]);
  expect(again.flushed).toBe(0);
});

test('no rows', () => {
  const [layer] = register({ dim: 3 });
  const y = fakeArrays(new Float32Array(0), 3);
  expect(call(layer, [fakeArrays(new Float32Array(0), 3)], y, 0)).toEqual([]);
  expect(y.flushed).toBe(1);
});

test('matryoshka: functions with their dimensions in the name, on demand', () => {
  const none = { layerNorm: false, rmsNorm: false, unitNorm: false } as const;
  const list = register({ ...none, dim: [3, 4], matryoshka: { dimensions: [2, 1, 2] } });
  expect(signatures(list)).toEqual(
    [2, 1].flatMap((dimensions) =>
      [3, 4].flatMap((dim) =>
        ['FLOAT', 'DOUBLE'].flatMap((type) => [
          `matryoshka_${dimensions}(${type}[${dim}]) -> ${type}[${dimensions}]`,
          `matryoshka_${dimensions}(${type}[${dim}], DOUBLE) -> ${type}[${dimensions}]`,
        ]),
      ),
    ),
  );
  const [plain, second] = register({
    ...none,
    dim: 3,
    matryoshka: { dimensions: 2, name: 'm', epsilon: 0.5 },
  });
  expect(plain?.name).toBe('m_2');
  const x = fakeArrays(Float32Array.from(X), 3);
  x.validity.setItemValid(1, false);
  const y = fakeArrays(new Float32Array(8), 2);
  expect(call(plain, [x], y, 4)).toEqual([]);
  const shape = [4, 3];
  const expected = matryoshka(x.childData.items, { shape, dimensions: 2, epsilon: 0.5 });
  expected.fill(0, 2, 4); // the row that is NULL has not been written
  expect(y.childData.items).toEqual(expected);
  expect(y.validity.data).toEqual(BigUint64Array.of(2n ** 64n - 3n));
  expect(y.childData.validity.data).toEqual(BigUint64Array.of(2n ** 64n - 1n - 0b1100n));
  const epsilons = { items: new Float64Array(4).fill(1e-5), validity: new FakeValidity(4) };
  expect(call(second, [x, epsilons], y, 4)).toEqual([]);
  expect(y.childData.items.slice(4)).toEqual(
    matryoshka(x.childData.items, { shape, dimensions: 2 }).slice(4),
  );
});

describe('mistakes register nothing', () => {
  test.each<[Record<string, unknown>, LayerNormErrorCode, RegExp]>([
    [{}, 'ERR_ARGUMENT', /dim is undefined, expected the D of FLOAT\[D\], an integer from 1 to 100000/],
    [{ dim: 0 }, 'ERR_ARGUMENT', /dim is 0/],
    [{ dim: [] }, 'ERR_ARGUMENT', /dim is \[\]/],
    [{ dim: [3, 1.5] }, 'ERR_ARGUMENT', /dim is \[3, 1.5\]/],
    [{ dim: 100_001 }, 'ERR_ARGUMENT', /dim is 100001/],
    [{ dim: 3, epsilon: 1 }, 'ERR_ARGUMENT', /unknown option 'epsilon', expected dim, layerNorm, rmsNorm/],
    [
      { dim: 3, layerNorm: { eps: 1 } },
      'ERR_ARGUMENT',
      /unknown option 'eps' of layerNorm, expected name, epsilon, gamma, beta$/,
    ],
    [{ dim: 3, unitNorm: { gamma: [1, 2, 3] } }, 'ERR_ARGUMENT', /unknown option 'gamma' of unitNorm/],
    [{ dim: 3, rmsNorm: true }, 'ERR_ARGUMENT', /rmsNorm is true, expected an object/],
    [{ dim: 3, layerNorm: { name: '' } }, 'ERR_ARGUMENT', /layerNorm.name is '', expected a name/],
    [
      { dim: 3, layerNorm: { name: 'RMS_norm' } },
      'ERR_ARGUMENT',
      /name is 'rms_norm', expected a name for each/,
    ],
    [
      { dim: 3, layerNorm: { gamma: 'abc' } },
      'ERR_ARGUMENT',
      /layerNorm.gamma is 'abc', expected a Float32Array/,
    ],
    [{ dim: 3, unitNorm: { epsilon: -1 } }, 'ERR_ARGUMENT', /^unitNorm: epsilon is -1/],
    [
      { dim: [3, 4], layerNorm: { gamma: [1, 2, 3] } },
      'ERR_SHAPE',
      /^layerNorm: gamma has 3 elements, expected 4/,
    ],
    [
      { dim: 3, matryoshka: {} },
      'ERR_ARGUMENT',
      /matryoshka.dimensions is undefined, expected the D of FLOAT\[D\]/,
    ],
    [{ dim: 3, matryoshka: { dimensions: [] } }, 'ERR_ARGUMENT', /matryoshka.dimensions is \[\]/],
    [{ dim: [3, 4], matryoshka: { dimensions: 4 } }, 'ERR_ARGUMENT', /^matryoshka: dimensions is 4/],
    [{ dim: 3, matryoshka: { dimensions: 2, dim: 3 } }, 'ERR_ARGUMENT', /unknown option 'dim' of matryoshka/],
    [{ dim: 3, layerNorm: { beta: [1] } }, 'ERR_SHAPE', /^layerNorm: beta has 1 element/],
  ])('%p', (options, code, message) => {
    const { registered, connection, duckdb } = fakeDuckDB();
    expectError(
      () => registerNormFunctions(connection, duckdb, options as unknown as NormFunctionsOptions),
      code,
      message,
    );
    expect(registered).toEqual([]);
  });

  test('what is no connection, no DuckDB, no options', () => {
    const { connection, duckdb } = fakeDuckDB();
    const options = { dim: 3 };
    const call = registerNormFunctions as (...given: unknown[]) => void;
    expectError(
      () => call(undefined, duckdb, options),
      'ERR_ARGUMENT',
      /connection is undefined, expected a connec/,
    );
    expectError(() => call({}, duckdb, options), 'ERR_ARGUMENT', /without registerScalarFunction/);
    expectError(
      () => call(connection, options),
      'ERR_ARGUMENT',
      /duckdb is an Object without FLOAT, DOUBLE, ARRAY, DuckDBScalarFunction, expected import \* as duckdb/,
    );
    expectError(() => call(connection, duckdb), 'ERR_ARGUMENT', /options is undefined, expected an object/);
  });
});

test('where DuckDB refuses, the message says which function, and why that may be', () => {
  const { duckdb } = fakeDuckDB();
  const cause = new Error('Failed to register scalar function');
  const names: string[] = [];
  const connection = {
    registerScalarFunction({ name }: Registered) {
      if (names.includes(name)) throw cause; // as 1.4 does
      names.push(name);
    },
  } as unknown as DuckDBConnection;
  const error = thrownBy(() => registerNormFunctions(connection, duckdb, { dim: 3 }));
  expect(error).toMatchObject({ name: 'LayerNormError', code: 'ERR_ARGUMENT', cause });
  expect(error.message).toBe(
    'registerNormFunctions: DuckDB does not register layer_norm(FLOAT[3], DOUBLE). Is @duckdb/node-api older than 1.5, which takes no ' +
      'second function of a name?',
  );
});
