// What of @duckdb/node-api is used here. It is handed in, never imported, and not even its types are: these are ours, and its own
// fit them. tests/ecosystem/duckdb.test.mjs holds that against the real ones.

/** The namespace of `@duckdb/node-api`: `import * as duckdb from '@duckdb/node-api'`. */
export interface DuckDB {
  readonly FLOAT: object;
  readonly DOUBLE: object;
  ARRAY(valueType: never, length: number): object;
  readonly DuckDBScalarFunction: {
    create(definition: {
      name: string;
      mainFunction: (info: FunctionInfo, input: DuckDBChunk, output: object) => void;
      returnType: never;
      parameterTypes?: readonly never[];
    }): object;
  };
}

/** What `instance.connect()` gives. */
export interface DuckDBConnection {
  registerScalarFunction(scalarFunction: never): void;
  stream(sql: string, values?: never): Promise<DuckDBResult>;
}

/** The result of a query, in chunks of rows. */
export interface DuckDBResult {
  readonly columnCount: number;
  columnName(index: number): string;
  columnType(index: number): { readonly typeId: number; toString(): string };
  fetchChunk(): Promise<DuckDBChunk | null>;
}

/** Up to 2048 rows, column by column. */
export interface DuckDBChunk {
  readonly rowCount: number;
  readonly columnCount: number;
  getColumnVector(index: number): object;
}

/** Through which a function of SQL says what went wrong. */
export interface FunctionInfo {
  setError(message: string): void;
}
