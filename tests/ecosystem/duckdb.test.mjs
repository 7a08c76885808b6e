// layernorm/duckdb with the real @duckdb/node-api.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import * as duckdb from '@duckdb/node-api';
import { LayerNormError, layerNorm, Moments, matryoshka, rmsNorm, unitNorm } from 'layernorm';
import { momentsOf, registerNormFunctions } from 'layernorm/duckdb';
import { at } from '../../scripts/lib/paths.mjs';
import { bin, run } from '../package/support/installed.mjs';

const DIM = 24;
const ROWS = 5000; // two full chunks of 2048 and a part of one
const gamma = Float32Array.from({ length: DIM }, (_, i) => 1 + i / 7);
const beta = Float64Array.from({ length: DIM }, (_, i) => i / 3 - 2);

/** Numbers around 100, of which each row has its own; every seventh row is NULL. */
const rowOf = (row) =>
  row % 7 === 3 ? null : Float32Array.from({ length: DIM }, (_, i) => 100 + Math.sin(row * DIM + i));
const IDS = Array.from({ length: ROWS }, (_, row) => row);

let instance;
let connection;
before(async () => {
  instance = await duckdb.DuckDBInstance.create(':memory:', { threads: '4' });
  connection = await instance.connect();
  registerNormFunctions(connection, duckdb, { dim: [DIM, 3] });
  registerNormFunctions(connection, duckdb, {
    dim: DIM,
    layerNorm: { name: 'layer_norm_affine', epsilon: 1e-5, gamma, beta },
    rmsNorm: { name: 'rms_norm_scaled', gamma: [...gamma] },
    unitNorm: false,
    matryoshka: { dimensions: 10 },
  });
  for (const [table, element, type] of [
    ['floats', duckdb.FLOAT, 'FLOAT'],
    ['doubles', duckdb.DOUBLE, 'DOUBLE'],
  ]) {
    await connection.run(`CREATE TABLE ${table} (id INTEGER, v ${type}[${DIM}], epsilon DOUBLE)`);
    const appender = await connection.createAppender(table);
    for (const id of IDS) {
      appender.appendInteger(id);
      const row = rowOf(id);
      if (row) appender.appendArray([...row], duckdb.ARRAY(element, DIM));
      else appender.appendNull();
      // Runs of one, of several, and NULL.
      if (id % 11 === 5) appender.appendNull();
      else appender.appendDouble(id % 50 < 20 ? 1e-3 : 1 / (1 + (id % 3)));
      appender.endRow();
    }
    appender.closeSync();
  }
});
after(() => {
  connection.closeSync();
  instance.closeSync();
});

/** The two columns of a query, as a map from the first to the second: an array or null. */
async function query(sql) {
  const rows = (await connection.runAndReadAll(sql)).getRows();
  return new Map(rows.map(([id, array]) => [Number(id), array?.items ?? null]));
}

/** Compares every bit of what a query gives for some ids with what a function of layernorm gives for their rows. */
async function compare(sql, ids, expectedOf, TypedArray = Float32Array) {
  const came = await query(sql);
  assert.equal(came.size, ids.length);
  for (const id of ids) {
    const [row, y] = [rowOf(id), came.get(id)];
    const expected = row === null ? null : expectedOf(TypedArray.from(row), id);
    // Most of the time it is the same, which deepEqual takes long to find out.
    if (y && expected?.every((value, i) => Object.is(value, y[i])) && y.length === expected.length) continue;
    assert.deepEqual(y, expected && [...expected], `row ${id}`);
  }
}

describe('the bits of the functions of layernorm', () => {
  for (const [name, normalize] of [
    ['layer_norm', (x) => layerNorm(x)],
    ['rms_norm', (x) => rmsNorm(x)],
    ['unit_norm', (x) => unitNorm(x)],
    ['layer_norm_affine', (x) => layerNorm(x, { epsilon: 1e-5, gamma, beta })],
    ['rms_norm_scaled', (x) => rmsNorm(x, { gamma })],
    ['matryoshka_10', (x) => matryoshka(x, { dimensions: 10 })],
  ]) {
    test(`${name}: FLOAT[D] and DOUBLE[D], rows that are NULL`, async () => {
      await compare(`SELECT id, ${name}(v) FROM floats`, IDS, normalize);
      await compare(`SELECT id, ${name}(v) FROM doubles`, IDS, normalize, Float64Array);
    });
  }

  test('the type is that of the argument', async () => {
    for (const [table, type] of [
      ['floats', `FLOAT[${DIM}]`],
      ['doubles', `DOUBLE[${DIM}]`],
    ]) {
      const reader = await connection.runAndReadAll(
        `SELECT layer_norm(v), layer_norm(v, 1) FROM ${table} LIMIT 0`,
      );
      assert.deepEqual(reader.columnTypes().map(String), [type, type]);
    }
  });

  test('matryoshka has as many elements as its name says', async () => {
    const reader = await connection.runAndReadAll(
      'SELECT array_inner_product(matryoshka_10(v), matryoshka_10(v)) AS y, matryoshka_10(v) FROM floats WHERE id = 0',
    );
    assert.deepEqual(reader.columnTypes().map(String), ['FLOAT', 'FLOAT[10]']);
    assert.ok(Math.abs(reader.getRows()[0][0] - 1) < 1e-6);
  });

  test('epsilon of the call, in front of that of the registration', async () => {
    const epsilon = 0.25;
    for (const [name, normalize] of [
      ['layer_norm', layerNorm],
      ['rms_norm', rmsNorm],
      ['unit_norm', unitNorm],
    ]) {
      await compare(`SELECT id, ${name}(v, 0.25) FROM floats`, IDS, (x) => normalize(x, { epsilon }));
    }
    await compare('SELECT id, layer_norm_affine(v, 0.25) FROM floats', IDS, (x) =>
      layerNorm(x, { epsilon, gamma, beta }),
    );
  });

  test('epsilon of a column, NULL among them', async () => {
    await compare(
      'SELECT id, layer_norm(v, epsilon) FROM doubles',
      IDS,
      (x, id) => (id % 11 === 5 ? null : layerNorm(x, { epsilon: id % 50 < 20 ? 1e-3 : 1 / (1 + (id % 3)) })),
      Float64Array,
    );
    assert.ok(
      [...(await query('SELECT id, layer_norm(v, NULL) FROM floats')).values()].every((y) => y === null),
    );
  });
});

describe('vectors of all kinds', () => {
  const normalize = (x) => layerNorm(x);

  test('rows that a filter has picked', async () => {
    const ids = IDS.filter((id) => id % 3 === 1);
    await compare('SELECT id, layer_norm(v) FROM floats WHERE id % 3 = 1', ids, normalize);
    await compare('SELECT id, layer_norm(v) FROM floats WHERE id = 4998', [4998], normalize);
    await compare('SELECT id, layer_norm(v) FROM floats WHERE id = 3', [3], normalize);
  });

  test('no rows', async () => {
    await compare('SELECT id, layer_norm(v) FROM floats WHERE id < 0', [], normalize);
  });

  test('rows that a join repeats', async () => {
    const came = await query(
      'SELECT f.id, layer_norm(few.v) FROM floats f JOIN (SELECT * FROM floats WHERE id < 5) few ON f.id % 5 = few.id',
    );
    assert.equal(came.size, ROWS);
    for (const [id, y] of came) {
      const row = rowOf(id % 5);
      assert.deepEqual(y, row && [...layerNorm(row)], `row ${id}`);
    }
  });

  test('in WHERE, ORDER BY and GROUP BY', async () => {
    const { length } = IDS.filter((id) => rowOf(id) && layerNorm(rowOf(id))[0] > 1);
    const count = async (sql) => Number((await connection.runAndReadAll(sql)).getRows()[0][0]);
    assert.equal(await count('SELECT count(*) FROM floats WHERE layer_norm(v)[1] > 1'), length);
    assert.equal(
      await count('SELECT count(*) FROM (SELECT layer_norm(v) y FROM floats GROUP BY y ORDER BY y)'),
      1 + IDS.filter((id) => rowOf(id)).length,
    );
  });

  test('constants, among them NULL', async () => {
    const one = async (sql) => (await connection.runAndReadAll(sql)).getRows()[0][0];
    const y = [...layerNorm(Float32Array.of(1, 2, 6))];
    assert.deepEqual((await one('SELECT layer_norm([1, 2, 6]::FLOAT[3])')).items, y);
    assert.deepEqual((await one('SELECT layer_norm([1, 2, 6]::FLOAT[3]) FROM floats')).items, y);
    assert.deepEqual((await one('SELECT layer_norm(array_value(1, 2, 6))')).items, [
      ...layerNorm(Float64Array.of(1, 2, 6)),
    ]);
    assert.equal(await one('SELECT layer_norm(NULL::FLOAT[3])'), null);
  });

  test('one inside of another, and into a table', async () => {
    await connection.run('CREATE TABLE units AS SELECT id, unit_norm(layer_norm(v)) AS v FROM floats');
    await compare('SELECT id, v FROM units', IDS, (x) => unitNorm(layerNorm(x)));
  });

  test('rows that are NULL have elements that are NULL, in a table as well', async () => {
    const [[rows, elements]] = (
      await connection.runAndReadAll(
        'SELECT count(*) FILTER (y IS NULL), count(*) FILTER (y[5] IS NULL) FROM (SELECT layer_norm(v) AS y FROM floats)',
      )
    ).getRows();
    const { length } = IDS.filter((id) => rowOf(id) === null);
    assert.deepEqual([Number(rows), Number(elements)], [length, length]);
  });

  test('another connection to the same database, and queries at the same time', async () => {
    const others = await Promise.all(Array.from({ length: 4 }, () => instance.connect()));
    const counts = await Promise.all(
      others.map((one) => one.runAndReadAll('SELECT count(layer_norm(v)) FROM floats, range(4)')),
    );
    for (const reader of counts) {
      assert.equal(Number(reader.getRows()[0][0]), 4 * IDS.filter((id) => rowOf(id)).length);
    }
    for (const one of others) one.closeSync();
  });
});

describe('mistakes in a query', () => {
  for (const [sql, message] of [
    [
      'SELECT layer_norm([1, NULL, 3]::FLOAT[3])',
      /layer_norm: element 2 of an array is NULL, expected numbers, or NULL in place of the array/,
    ],
    [
      'SELECT layer_norm(v, -1) FROM floats',
      /layerNorm: epsilon is -1, expected a finite number that is not negative/,
    ],
    ["SELECT unit_norm(v, 'nan'::DOUBLE) FROM doubles", /unitNorm: epsilon is NaN/],
    [
      'SELECT layer_norm([1, 2, 3, 4]::FLOAT[4])',
      /No function matches(.|\n)*layer_norm\(FLOAT\[3\]\) -> FLOAT\[3\]/,
    ],
    ['SELECT unit_norm_affine(v) FROM floats', /unit_norm_affine does not exist/],
  ]) {
    test(sql, async () => {
      await assert.rejects(connection.runAndReadAll(sql), message);
      // The connection goes on.
      await compare('SELECT id, layer_norm(v) FROM floats WHERE id < 2', [0, 1], (x) => layerNorm(x));
    });
  }
});

describe('momentsOf', () => {
  const rows = IDS.map(rowOf).filter((row) => row);
  const onePass = new Moments({ axis: -1 })
    .update(Float32Array.from(rows.flatMap((row) => [...row])), { shape: [rows.length, DIM] })
    .finalize();

  for (const table of ['floats', 'doubles']) {
    test(`${table}: the bits of one pass, in any order`, async () => {
      for (const order of ['', 'ORDER BY id', 'ORDER BY v[1]']) {
        const moments = await momentsOf(connection, `SELECT v FROM ${table} ${order}`);
        assert.deepEqual(moments.finalize(), onePass);
        assert.deepEqual(moments.axis, [-1]);
      }
    });
  }

  test('parameters of the query; elements that are NULL do not count', async () => {
    const sql =
      'SELECT v FROM (VALUES (1, [1, 10]::FLOAT[2]), (2, [NULL, 20]), (3, NULL), (4, [3, 40])) t(id, v)';
    const all = (await momentsOf(connection, sql)).finalize();
    assert.deepEqual(
      [[...all.mean], [...all.count]],
      [
        [2, 70 / 3],
        [2, 3],
      ],
    );
    const some = (await momentsOf(connection, `${sql} WHERE id < $1`, [3])).finalize();
    assert.deepEqual(
      [[...some.mean], [...some.count]],
      [
        [1, 15],
        [1, 2],
      ],
    );
    const named = (await momentsOf(connection, `${sql} WHERE id > $from`, { from: 3 })).finalize();
    assert.deepEqual(
      [[...named.mean], [...named.count]],
      [
        [3, 40],
        [1, 1],
      ],
    );
  });

  test('no rows', async () => {
    const { mean, count, shape } = (
      await momentsOf(connection, 'SELECT v FROM floats WHERE false')
    ).finalize();
    assert.deepEqual([...count], new Array(DIM).fill(0));
    assert.ok(mean.every(Number.isNaN));
    assert.deepEqual(shape, [DIM]);
  });

  for (const [sql, came] of [
    ['SELECT id FROM floats', 'the column id INTEGER'],
    ['SELECT id, v FROM floats', `the columns id INTEGER, v FLOAT[${DIM}]`],
    ['SELECT v::FLOAT[] AS list FROM floats', 'the column list FLOAT[]'],
    ['SELECT [1, 2]::INTEGER[2] AS whole', 'the column whole INTEGER[2]'],
    ['SELECT [[1, 2]]::FLOAT[2][1] AS nested', 'the column nested FLOAT[2][1]'],
  ]) {
    test(`refuses ${came}`, async () => {
      await assert.rejects(momentsOf(connection, sql), (error) => {
        assert.ok(error instanceof LayerNormError);
        assert.equal(error.code, 'ERR_ARGUMENT');
        assert.equal(
          error.message,
          `momentsOf: the query has ${came}, expected one of FLOAT[D] or DOUBLE[D]`,
        );
        return true;
      });
    });
  }

  test("DuckDB's own errors come through", async () => {
    await assert.rejects(
      momentsOf(connection, 'SELECT v FROM nothing'),
      /Table with name nothing does not exist/,
    );
  });
});

test('the types of @duckdb/node-api fit', () => {
  const folder = mkdtempSync(at('tests', 'ecosystem', 'node_modules', '.types-'));
  try {
    writeFileSync(
      join(folder, 'program.ts'),
      `import * as duckdb from '@duckdb/node-api';
import { momentsOf, registerNormFunctions } from 'layernorm/duckdb';
import type { Moments } from 'layernorm';

export async function program(): Promise<Moments> {
  const connection = await (await duckdb.DuckDBInstance.create()).connect();
  registerNormFunctions(connection, duckdb, { dim: [3, 4], layerNorm: { gamma: [1, 2, 3] }, unitNorm: false });
  // @ts-expect-error the namespace is missing
  registerNormFunctions(connection, { dim: 3 });
  // @ts-expect-error unitNorm has no gamma
  registerNormFunctions(connection, duckdb, { dim: 3, unitNorm: { gamma: [1, 2, 3] } });
  return momentsOf(connection, 'SELECT $1', [1]);
}
`,
    );
    const options = {
      module: 'nodenext',
      target: 'es2022',
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      types: [],
    };
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: options, include: ['*.ts'] }),
    );
    const { status, stdout, stderr } = run(bin('tsc'), ['-p', folder]);
    assert.equal(status, 0, stdout + stderr);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
