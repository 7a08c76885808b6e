import { Moments } from 'layernorm';
import { momentsOf } from '../../../js/src/duckdb/moments.js';
import type { DuckDBConnection } from '../../../js/src/duckdb/node_api.js';
import { fakeArrays } from '../support/duckdb.js';

const FLOATS = { typeId: 33, length: 3, valueType: { typeId: 10 }, toString: () => 'FLOAT[3]' };

/** A connection whose queries give these chunks, and how it was asked. */
function fakeConnection(type: object, chunks: ReturnType<typeof fakeArrays>[]) {
  const asked: unknown[][] = [];
  const left = [...chunks];
  const result = {
    columnCount: 1,
    columnName: () => 'v',
    columnType: () => type,
    fetchChunk: async () => {
      const vector = left.shift();
      if (!vector) return null;
      return {
        rowCount: vector.childData.items.length / 3,
        columnCount: 1,
        getColumnVector: () => vector,
      };
    },
  };
  const connection = {
    stream: async (...given: unknown[]) => {
      asked.push(given);
      return result;
    },
  };
  return { asked, connection: connection as unknown as DuckDBConnection };
}

const chunk = (...numbers: number[]) => fakeArrays(Float32Array.from(numbers), 3);

test('chunks are one pass', async () => {
  const { asked, connection } = fakeConnection(FLOATS, [chunk(1, 2, 3, 4, 5, 6), chunk(7, 8, 1e9)]);
  const moments = await momentsOf(connection, 'SELECT v', [1]);
  expect(asked).toEqual([['SELECT v', [1]]]);
  const expected = new Moments().update([
    [1, 2, 3],
    [4, 5, 6],
    [7, 8, 1e9],
  ]);
  expect(moments.finalize()).toEqual(expected.finalize());
});

test('a chunk without rows is the end, as null is', async () => {
  const { connection } = fakeConnection(FLOATS, [chunk(1, 2, 3), chunk(), chunk(7, 8, 9)]);
  expect([...(await momentsOf(connection, '')).finalize().count]).toEqual([1, 1, 1]);
});

test('NULL does not count, even where it is not a number', async () => {
  const vector = chunk(1, Number.NaN, 3, Number.NaN, 5, 6);
  vector.childData.validity.setItemValid(1, false);
  vector.validity.setItemValid(1, false);
  const { mean, count } = (await momentsOf(fakeConnection(FLOATS, [vector]).connection, '')).finalize();
  expect([...count]).toEqual([1, 0, 1]);
  expect([...mean]).toEqual([1, Number.NaN, 3]);
});

test('a column of another type, and what is no connection', async () => {
  const { connection } = fakeConnection({ typeId: 24, toString: () => 'FLOAT[]' }, []);
  await expect(momentsOf(connection, '')).rejects.toThrow(
    'momentsOf: the query has the column v FLOAT[], expected one of FLOAT[D] or DOUBLE[D]',
  );
  await expect(momentsOf({} as DuckDBConnection, '')).rejects.toMatchObject({
    code: 'ERR_ARGUMENT',
    message: 'momentsOf: connection is an Object, expected a connection of @duckdb/node-api',
  });
});
