/**
 * Statistics of columns, for DuckDB.
 *
 * @module
 */

export * from '../../js/src/duckdb.js';
