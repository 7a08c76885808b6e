/**
 * The operations as functions of SQL, and the moments of a query, for DuckDB, which is handed in and never imported.
 *
 * @module
 */

export * from '../../js/src/duckdb.js';
