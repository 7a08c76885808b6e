import { Moments } from '../index.js';
import { describe, LayerNormError } from '../runtime/errors.js';
import type { DuckDBConnection, DuckDBResult } from './node_api.js';
import { arraysOf, maskOf } from './vectors.js';

/** DuckDB's numbers for its types, which its C API has fixed. */
const TYPE_ID = { FLOAT: 10, DOUBLE: 11, ARRAY: 33 };

/**
 * Mean and variance of each element of a column of arrays, FLOAT[D] or DOUBLE[D], over all rows of a query. DuckDB takes no aggregates in
 * JavaScript, so the result is streamed, chunk by chunk, into {@link Moments}, and is that of one pass over all rows, whatever their order.
 *
 * As in SQL's aggregates NULL does not count: neither rows that are NULL nor elements, so `count` may differ between elements.
 *
 * @example
 * ```ts
 * const moments = await momentsOf(connection, 'SELECT embedding FROM documents');
 * const { mean, variance, count } = moments.finalize();
 * ```
 *
 * @param connection - of `@duckdb/node-api`
 * @param sql - a query with one column. Of columns of numbers make one: `SELECT array_value(a, b, c)::DOUBLE[3] FROM ...`
 * @param values - of the parameters of the query, as `connection.run` takes them
 * @returns moments with `axis: -1`, which can go on: `merge`, `toBytes`
 * @throws {@link LayerNormError} `ERR_ARGUMENT` for a column of another type; and DuckDB's own errors
 */
export async function momentsOf(
  connection: DuckDBConnection,
  sql: string,
  values?: readonly unknown[] | Readonly<Record<string, unknown>>,
): Promise<Moments> {
  const operation = 'momentsOf';
  if (typeof connection?.stream !== 'function') {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `${operation}: connection is ${describe(connection)}, expected a connection of @duckdb/node-api`,
    );
  }
  const result = await connection.stream(sql, values as never);
  const dim = dimOf(operation, result);
  const moments = new Moments({ axis: -1, shape: [dim] });
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) return moments;
    const x = arraysOf(operation, chunk.getColumnVector(0), chunk.rowCount);
    moments.update(x.childData.items, { shape: [chunk.rowCount, dim], mask: maskOf(x, chunk.rowCount) });
  }
}

/** The D of the one column. */
function dimOf(operation: string, result: DuckDBResult): number {
  const columns = Array.from({ length: result.columnCount }, (_, i) => result.columnType(i));
  const [type] = columns as { typeId: number; length?: number; valueType?: { typeId: number } }[];
  const isNumber = type?.valueType?.typeId === TYPE_ID.FLOAT || type?.valueType?.typeId === TYPE_ID.DOUBLE;
  if (columns.length === 1 && type?.typeId === TYPE_ID.ARRAY && isNumber) return type.length as number;
  const came = columns.map((column, i) => `${result.columnName(i)} ${column}`).join(', ');
  throw new LayerNormError(
    'ERR_ARGUMENT',
    `${operation}: the query has ${columns.length === 1 ? 'the column' : 'the columns'} ${came}, expected one of FLOAT[D] or DOUBLE[D]`,
  );
}
