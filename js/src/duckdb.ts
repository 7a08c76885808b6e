// The entry `layernorm/duckdb`: the operations as functions of SQL, for DuckDB, which is handed in.

export {
  type LayerNormFunctionOptions,
  type MatryoshkaFunctionOptions,
  type NormFunctionOptions,
  type NormFunctionsOptions,
  type RmsNormFunctionOptions,
  registerNormFunctions,
} from './duckdb/functions.js';
export { momentsOf } from './duckdb/moments.js';
export type { DuckDB, DuckDBChunk, DuckDBConnection, DuckDBResult, FunctionInfo } from './duckdb/node_api.js';
export { LayerNormError, type LayerNormErrorCode } from './index.js';
