// Measures the functions of layernorm/duckdb beside pure SQL: node bench/duckdb/run.mjs --help.

import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { layerNorm } from 'layernorm';
import { momentsOf, registerNormFunctions } from 'layernorm/duckdb';
import { at } from '../../scripts/lib/paths.mjs';
import { median, ratios } from '../lib/statistics.mjs';

const HELP = `node bench/duckdb/run.mjs [options]      (after npm run build)

  --rows <n>      rows of the table; 20000 without it
  --dim <n>       elements of a row; 384 without it
  --threads <n>   threads of DuckDB; 1 without it
  --rounds <n>    how often each candidate runs; 5 without it
  --cpu           time of the processor, of all threads, in place of the clock: for a machine that is busy with other things
  --help          shows this`;

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '20000' },
    dim: { type: 'string', default: '384' },
    threads: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '5' },
    cpu: { type: 'boolean' },
    help: { type: 'boolean' },
  },
});
if (options.help) {
  console.log(HELP);
  process.exit();
}
const [rows, dim, threads, rounds] = ['rows', 'dim', 'threads', 'rounds'].map((name) =>
  Number(options[name]),
);

const type = `FLOAT[${dim}]`;

const duckdb = createRequire(at('tests', 'ecosystem', 'package.json'))('@duckdb/node-api');
const instance = await duckdb.DuckDBInstance.create(':memory:', { threads: `${threads}` });
const connection = await instance.connect();
registerNormFunctions(connection, duckdb, { dim, layerNorm: { epsilon: 1e-5 } });
await connection.run('SELECT setseed(0.5)');
await connection.run(
  `CREATE TABLE t AS SELECT id, (SELECT list(random()) FROM range(${dim}) WHERE id >= 0)::${type} AS v FROM range(${rows}) r(id)`,
);

/** Ways to write layer normalization in SQL, each a query with the columns id and y, which is of the type of v. */
const LAYER_NORM = {
  'layer_norm(v)': 'SELECT id, layer_norm(v) AS y FROM t',
  // Mean and variance once a row, by the functions of lists.
  'lambda, list_avg and list_var_pop': `SELECT id, list_transform(v, lambda x: (x - m) * r)::${type} AS y FROM (
     SELECT id, v, list_avg(v) AS m, 1 / sqrt(list_var_pop(v) + 1e-5) AS r FROM t)`,
  // The same from two inner products, which DuckDB computes fastest, and which lose digits far from zero.
  'lambda, inner products': `SELECT id, list_transform(v, lambda x: (x - m) * r)::${type} AS y FROM (
     SELECT id, v, m, 1 / sqrt(array_inner_product(v, v) / ${dim} - m * m + 1e-5) AS r FROM (
       SELECT id, v, list_sum(v) / ${dim} AS m FROM t))`,
  // A row for each element, and back.
  unnest: `SELECT id, list((x - m) * r ORDER BY i)::${type} AS y FROM (
     SELECT id, i, x, avg(x) OVER w AS m, 1 / sqrt(var_pop(x) OVER w + 1e-5) AS r FROM (
       SELECT id, unnest(v) AS x, generate_subscripts(v, 1) AS i FROM t) WINDOW w AS (PARTITION BY id)) GROUP BY id`,
};

const subscripts = Array.from({ length: dim }, (_, i) => i + 1);
/** Mean and variance of each element over all rows. */
const MOMENTS = {
  'momentsOf(v)': () => momentsOf(connection, 'SELECT v FROM t').then((moments) => moments.finalize()),
  'avg and var_pop of each': async () => {
    const sql = `SELECT ${subscripts.map((i) => `avg(v[${i}]), var_pop(v[${i}])`).join(', ')} FROM t`;
    const [row] = (await connection.runAndReadAll(sql)).getRows();
    return { mean: row.filter((_, i) => i % 2 === 0), variance: row.filter((_, i) => i % 2 === 1) };
  },
  unnest: async () => {
    const sql = `SELECT avg(x), var_pop(x) FROM (SELECT unnest(v) AS x, generate_subscripts(v, 1) AS i FROM t)
      GROUP BY i ORDER BY i`;
    const all = (await connection.runAndReadAll(sql)).getRows();
    return { mean: all.map(([mean]) => mean), variance: all.map(([, variance]) => variance) };
  },
};

/** Milliseconds. */
function now() {
  if (!options.cpu) return performance.now();
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Runs all candidates in turn, round after round, and prints how long each takes beside the first. */
async function measure(title, candidates) {
  const times = Object.fromEntries(Object.keys(candidates).map((name) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    for (const [name, run] of Object.entries(candidates)) {
      const start = now();
      await run();
      if (round >= 0) times[name].push(now() - start); // the first one warms up
    }
  }
  const [base] = Object.values(times);
  console.log(`\n${title}`);
  for (const [name, list] of Object.entries(times)) {
    const { median: ratio, q1, q3 } = ratios(list, base);
    const shown =
      list === base ? '' : `${ratio.toFixed(1)} times as long (${q1.toFixed(1)}-${q3.toFixed(1)})`;
    console.log(`  ${name.padEnd(36)} ${median(list).toFixed(0).padStart(7)} ms  ${shown}`);
  }
}

/** The largest difference between what a query gives for some rows, and layer normalization of float64. */
async function errorOf(sql) {
  const reader = await connection.runAndReadAll(
    `SELECT v, y FROM (${sql}) n JOIN t USING (id) WHERE id % 100 = 0`,
  );
  let most = 0;
  for (const [{ items: v }, { items: y }] of reader.getRows()) {
    const exact = layerNorm(Float64Array.from(v), { epsilon: 1e-5 });
    for (let i = 0; i < dim; i++) most = Math.max(most, Math.abs(y[i] - exact[i]));
  }
  return most;
}

console.log(
  `${rows} rows of ${type}, DuckDB ${duckdb.version()}, threads: ${threads}, Node ${process.versions.node}`,
);
for (const [name, sql] of Object.entries(LAYER_NORM)) {
  const error = await errorOf(sql);
  if (!(error < 1e-4)) throw new Error(`${name}: wrong by ${error}`);
}
const onePass = await MOMENTS['momentsOf(v)']();
for (const [name, run] of Object.entries(MOMENTS)) {
  const { mean, variance } = await run();
  const differs = subscripts.some(
    (_, i) =>
      !(Math.abs(mean[i] - onePass.mean[i]) < 1e-6 && Math.abs(variance[i] - onePass.variance[i]) < 1e-6),
  );
  if (differs) throw new Error(`${name}: other moments than momentsOf`);
}

await measure(
  'layer normalization',
  Object.fromEntries(
    Object.entries(LAYER_NORM).map(([name, sql]) => [
      name,
      () => connection.runAndReadAll(`SELECT sum(y[1]) FROM (${sql})`),
    ]),
  ),
);
await measure('moments', MOMENTS);
connection.closeSync();
instance.closeSync();
