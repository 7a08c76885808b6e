import { layerNorm, matryoshka, rmsNorm, unitNorm } from '../index.js';
import { describe, LayerNormError } from '../runtime/errors.js';
import type { DuckDB, DuckDBChunk, DuckDBConnection } from './node_api.js';
import { arraysOf, type Floats, firstNull, isFloats, isNull, numbersOf, setNull } from './vectors.js';

type Parameter = Float32Array | Float64Array | readonly number[];

/** Of every function that is registered. */
export interface NormFunctionOptions {
  /**
   * What it is called in SQL: letters, digits and underscores.
   * @defaultValue `layer_norm`, `rms_norm`, `unit_norm`
   */
  name?: string | null;
  /**
   * Where the call gives none.
   * @defaultValue that of the function of `layernorm`, which is Keras': 1e-3, 1e-6, 1e-12
   */
  epsilon?: number | null;
}

export interface RmsNormFunctionOptions extends NormFunctionOptions {
  /** The scale: one factor for each element of a row. It is copied. */
  gamma?: Parameter | null;
}

export interface LayerNormFunctionOptions extends RmsNormFunctionOptions {
  /** The offset: one summand for each element of a row. It is copied. */
  beta?: Parameter | null;
}

/** What {@link registerNormFunctions} takes of `matryoshka`. */
export interface MatryoshkaFunctionOptions {
  /** How many elements are kept; several, to have a function for each. */
  dimensions: number | readonly number[];
  /**
   * What the functions are called in SQL, in front of `_` and their dimensions.
   * @defaultValue `matryoshka`, so `matryoshka_256`
   */
  name?: string | null;
  /**
   * Where the call gives none.
   * @defaultValue 1e-5, that of `matryoshka` of `layernorm`
   */
  epsilon?: number | null;
}

/** Options of {@link registerNormFunctions}. */
export interface NormFunctionsOptions {
  /** How many elements the arrays have, D in FLOAT[D]; several, to have the functions for each of these types. */
  dim: number | readonly number[];
  /** Of `layer_norm`; `false` leaves it out. */
  layerNorm?: LayerNormFunctionOptions | false | null;
  /** Of `rms_norm`; `false` leaves it out. */
  rmsNorm?: RmsNormFunctionOptions | false | null;
  /** Of `unit_norm`; `false` leaves it out. */
  unitNorm?: NormFunctionOptions | false | null;
  /** Of `matryoshka_<dimensions>`, which is there only with this. */
  matryoshka?: MatryoshkaFunctionOptions | false | null;
}

/** What normalizes rows of x into y. */
type Normalize = (
  x: Floats,
  options: { shape: number[]; epsilon?: number | null; out?: Floats; gamma?: Parameter; beta?: Parameter },
) => unknown;

interface Definition {
  readonly name: string;
  readonly normalize: Normalize;
  /** The options that it has. */
  readonly options: readonly string[];
}

const OPERATION = 'registerNormFunctions';
const DEFINITIONS: Readonly<Record<'layerNorm' | 'rmsNorm' | 'unitNorm', Definition>> = {
  layerNorm: {
    name: 'layer_norm',
    normalize: layerNorm as Normalize,
    options: ['name', 'epsilon', 'gamma', 'beta'],
  },
  rmsNorm: { name: 'rms_norm', normalize: rmsNorm as Normalize, options: ['name', 'epsilon', 'gamma'] },
  unitNorm: { name: 'unit_norm', normalize: unitNorm as Normalize, options: ['name', 'epsilon'] },
};
const OPTION_NAMES = ['dim', ...Object.keys(DEFINITIONS), 'matryoshka'];

/** The largest D of an ARRAY in DuckDB. */
const MAX_DIM = 100_000;

/** DuckDB's types of elements, of which JavaScript gets a Float32Array and a Float64Array. */
const ELEMENTS = ['FLOAT', 'DOUBLE'] as const;

/**
 * Registers the SQL functions `layer_norm`, `rms_norm` and `unit_norm`, and on demand `matryoshka_<dimensions>`, for arrays of `dim`
 * elements, FLOAT[dim] and DOUBLE[dim], in the database of a connection: all connections to it have them then.
 *
 * `layer_norm(x)` normalizes each row as the function of `layernorm` does, to the same bits, and has the type of x.
 * `layer_norm(x, epsilon)` takes epsilon from SQL, a constant or a column. A row that is NULL, or whose epsilon is, gives NULL. A NULL
 * inside of a row is an error, as in DuckDB's own functions of arrays. `matryoshka_256(x)` is `matryoshka` with `dimensions: 256`, and an
 * array of 256 elements: its size is in the name, since the type of a result cannot depend on the value of an argument.
 *
 * DuckDB hands on chunks of up to 2048 rows, from each of its threads; JavaScript runs them one after the other. Rows go through
 * the memory of the default engine of `layernorm`. What `registerNormFunctions` has registered stays until the database is closed. A second
 * call with the same names and sizes replaces it.
 *
 * @example
 * ```ts
 * import * as duckdb from '@duckdb/node-api';
 *
 * registerNormFunctions(connection, duckdb, { dim: 384, layerNorm: { epsilon: 1e-5 } });
 * await connection.run('SELECT id, layer_norm(embedding) FROM documents');
 * ```
 *
 * @param connection - of `@duckdb/node-api`, 1.5 or newer
 * @param duckdb - the namespace of `@duckdb/node-api`, which this package does not import
 * @param options - see {@link NormFunctionsOptions}
 * @throws {@link LayerNormError} `ERR_ARGUMENT`, `ERR_SHAPE`; nothing has been registered then, unless DuckDB itself refuses. What goes
 * wrong in a query is an error of that query, with the message of the {@link LayerNormError}.
 */
export function registerNormFunctions(
  connection: DuckDBConnection,
  duckdb: DuckDB,
  options: NormFunctionsOptions,
): void {
  checkHas('connection', connection, ['registerScalarFunction'], 'a connection of @duckdb/node-api');
  checkHas(
    'duckdb',
    duckdb,
    ['FLOAT', 'DOUBLE', 'ARRAY', 'DuckDBScalarFunction'],
    "import * as duckdb from '@duckdb/node-api'",
  );
  checkNames('options', options, OPTION_NAMES);
  const dims = readSizes('dim', options.dim);
  const functions = Object.entries(DEFINITIONS).flatMap(([key, definition]) => {
    const given = options[key as keyof typeof DEFINITIONS];
    return given === false ? [] : [readFunction(key, definition, given ?? {}, dims)];
  });
  if (options.matryoshka) functions.push(...readMatryoshka(options.matryoshka, dims));
  checkDifferent(functions.map(({ name }) => name));
  for (const one of functions) {
    for (const dim of dims) {
      for (const element of ELEMENTS) register(connection, duckdb, one, element, dim);
    }
  }
}

/** With epsilon and without: two functions of one name, which DuckDB tells apart by their parameters. */
function register(
  connection: DuckDBConnection,
  duckdb: DuckDB,
  { name, normalize, dimensions }: NormFunction,
  element: (typeof ELEMENTS)[number],
  dim: number,
): void {
  const array = duckdb.ARRAY(duckdb[element] as never, dim);
  const returnType = duckdb.ARRAY(duckdb[element] as never, dimensions ?? dim);
  for (const parameterTypes of [[array], [array, duckdb.DOUBLE]]) {
    const scalarFunction = duckdb.DuckDBScalarFunction.create({
      name,
      returnType: returnType as never,
      parameterTypes: parameterTypes as never[],
      mainFunction: (info, input, output) => {
        try {
          normalizeChunk(name, normalize, input, output);
        } catch (error) {
          info.setError((error as Error).message);
        }
      },
    });
    try {
      connection.registerScalarFunction(scalarFunction as never);
    } catch (cause) {
      throw new LayerNormError(
        'ERR_ARGUMENT',
        `${OPERATION}: DuckDB does not register ${name}(${parameterTypes.join(', ')}). Is @duckdb/node-api older than 1.5, which ` +
          'takes no second function of a name?',
        cause,
      );
    }
  }
}

/** Normalizes the rows of a chunk: those that follow each other and have the same epsilon in one call. */
function normalizeChunk(name: string, normalize: Normalize, input: DuckDBChunk, output: object): void {
  const rows = input.rowCount;
  const x = arraysOf(name, input.getColumnVector(0), rows);
  const y = arraysOf(name, output, rows);
  const epsilons = input.columnCount > 1 ? numbersOf(name, input.getColumnVector(1), rows) : undefined;
  const dim = x.type.length;
  for (let row = 0; row < rows; ) {
    if (isNull(x.validity, row) || (epsilons && isNull(epsilons.validity, row))) {
      setNull(y, row++);
      continue;
    }
    const epsilon = epsilons?.items[row];
    let end = firstNull(x.validity, row, rows);
    if (epsilons) {
      end = firstNull(epsilons.validity, row, end);
      for (let i = row + 1; i < end; i++) if (!Object.is(epsilons.items[i], epsilon)) end = i;
    }
    const [from, to] = [row * dim, end * dim];
    const missing = firstNull(x.childData.validity, from, to);
    if (missing < to) {
      throw new LayerNormError(
        'ERR_ARGUMENT',
        `${name}: element ${(missing % dim) + 1} of an array is NULL, expected numbers, or NULL in place of the array`,
      );
    }
    normalize(x.childData.items.subarray(from, to), {
      shape: [end - row, dim],
      out: y.childData.items.subarray(row * y.type.length, end * y.type.length),
      ...(epsilon !== undefined && { epsilon }),
    });
    row = end;
  }
  y.flush();
}

interface NormFunction {
  readonly name: string;
  readonly normalize: Normalize;
  /** How many elements the result has; by default as many as x. */
  readonly dimensions?: number;
}

/**
 * What one of the options asks for.
 * @throws {@link LayerNormError} when the operation does not take it, which is tried out
 */
function readFunction(
  key: string,
  { name: defaultName, normalize, options: names }: Definition,
  given: LayerNormFunctionOptions,
  dims: readonly number[],
): NormFunction {
  checkNames(key, given, names);
  const name = readName(key, given.name, defaultName);
  const { epsilon } = given;
  const gamma = copyOf(`${key}.gamma`, given.gamma);
  const beta = copyOf(`${key}.beta`, given.beta);
  const parameters = { ...(gamma && { gamma }), ...(beta && { beta }) };
  for (const dim of dims) normalize(new Float32Array(dim), { ...parameters, shape: [1, dim], epsilon });
  // An epsilon of SQL comes behind the default.
  return { name, normalize: (x, options) => normalize(x, { epsilon, ...parameters, ...options }) };
}

/**
 * A function for each number of dimensions.
 * @throws {@link LayerNormError} when the operation does not take them, which is tried out
 */
function readMatryoshka(given: MatryoshkaFunctionOptions, dims: readonly number[]): NormFunction[] {
  checkNames('matryoshka', given, ['dimensions', 'name', 'epsilon']);
  const { epsilon } = given;
  const shorten = matryoshka as (x: Floats, options: object) => unknown;
  const prefix = readName('matryoshka', given.name, 'matryoshka');
  return readSizes('matryoshka.dimensions', given.dimensions).map((dimensions) => {
    const normalize: Normalize = (x, options) => shorten(x, { epsilon, ...options, dimensions });
    for (const dim of dims) normalize(new Float32Array(dim), { shape: [1, dim] });
    return { name: `${prefix}_${dimensions}`, normalize, dimensions };
  });
}

function readName(key: string, name: unknown, fallback: string): string {
  const read = name ?? fallback;
  if (typeof read === 'string' && read !== '') return read;
  throw wrong(`${key}.name`, name, 'a name');
}

function copyOf(name: string, values: Parameter | null | undefined): Parameter | undefined {
  if (values === undefined || values === null) return undefined;
  if (Array.isArray(values) || isFloats(values)) return values.slice();
  throw wrong(name, values, 'a Float32Array, a Float64Array or an array of numbers');
}

/** One D of FLOAT[D] or several, each once. */
function readSizes(name: string, value: unknown): number[] {
  const sizes: unknown[] = Array.isArray(value) ? value : [value];
  const isSize = (one: unknown) => Number.isInteger(one) && (one as number) > 0 && (one as number) <= MAX_DIM;
  if (sizes.length > 0 && sizes.every(isSize)) return [...new Set(sizes as number[])];
  throw wrong(name, value, `the D of FLOAT[D], an integer from 1 to ${MAX_DIM}, or a list of them`);
}

/** SQL does not tell upper case from lower. */
function checkDifferent(names: readonly string[]): void {
  const lower = names.map((name) => name.toLowerCase());
  const twice = names.find((_, i) => lower.indexOf(lower[i] as string) < i);
  if (twice !== undefined) throw wrong('name', twice, 'a name for each function, and this is that of two');
}

function checkHas(name: string, value: unknown, members: readonly string[], expected: string): void {
  const isObject = typeof value === 'object' && value !== null;
  const lacks = members.filter((member) => !(isObject && (value as Record<string, unknown>)[member]));
  if (lacks.length === 0) return;
  throw wrong(name, value, expected, isObject ? ` without ${lacks.join(', ')}` : '');
}

function checkNames(name: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) throw wrong(name, options, 'an object');
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  throw new LayerNormError(
    'ERR_ARGUMENT',
    `${OPERATION}: unknown option '${unknown}'${name === 'options' ? '' : ` of ${name}`}, expected ${known.join(', ')}`,
  );
}

function wrong(name: string, value: unknown, expected: string, what = ''): LayerNormError {
  return new LayerNormError(
    'ERR_ARGUMENT',
    `${OPERATION}: ${name} is ${describe(value)}${what}, expected ${expected}`,
  );
}
