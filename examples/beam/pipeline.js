// Mean and variance of a data set with Apache Beam, on its direct runner, beside those of one pass over all rows:
// node pipeline.js [shards] [rows]. Ends with 1 when they differ by more than one unit in the last place.

const { mkdtempSync, readFileSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const beam = require('apache-beam');
const { createRunner } = require('apache-beam/runners/runner');
const { Moments } = require('layernorm');
const { FEATURES, rows: rowsOf } = require('./data.js');
const { momentsFn, readBatches, writeJson } = require('./steps.js');

const [shards, rows] = [process.argv[2] ?? 4, process.argv[3] ?? 20_000].map(Number);
if (!(Number.isInteger(shards) && shards > 0 && Number.isInteger(rows) && rows >= shards)) {
  console.error('usage: node pipeline.js [shards] [rows], with at least one row for each shard');
  process.exit(2);
}

/** Runs the pipeline, and gives what it has written. */
async function run() {
  const folder = mkdtempSync(join(tmpdir(), 'layernorm-beam-'));
  const path = join(folder, 'moments.json');
  const starts = Array.from({ length: shards + 1 }, (_, i) => Math.floor((i * rows) / shards));
  try {
    await createRunner({ runner: 'direct' }).run((root) =>
      beam
        .P(
          starts
            .slice(0, -1)
            .map((from, i) =>
              root.apply(beam.withName(`shard ${i}`, beam.create([{ from, to: starts[i + 1] }]))),
            ),
        )
        .apply(beam.flatten())
        .flatMap(readBatches)
        .apply(beam.groupGlobally().combining('x', momentsFn, 'moments'))
        .map(writeJson, { path }),
    );
    return JSON.parse(readFileSync(path, 'utf8')).moments;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** How far two numbers are apart, in units of the last place of the second. */
function ulps(a, b) {
  const ulp = 2 ** (Math.max(Math.floor(Math.log2(Math.abs(b))), -1022) - 52);
  return a === b ? 0 : Math.abs(a - b) / ulp;
}

run()
  .then((combined) => {
    const onePass = new Moments({ axis: -1 }).update(rowsOf(0, rows)).finalize();
    const differences = ['mean', 'variance'].flatMap((name) =>
      combined[name].map((value, f) => ulps(value, onePass[name][f])),
    );
    const counted = combined.count.every((count) => count === rows);
    const largest = Math.max(...differences);
    console.log(`${rows} rows of ${FEATURES} features, in ${shards} shards`);
    console.log(`counted: ${combined.count[0]} of ${rows} rows`);
    console.log(`largest difference to one pass: ${largest} ulp`);
    process.exitCode = counted && largest <= 1 ? 0 : 1;
  })
  .catch((error) => {
    console.error(`the pipeline failed: ${error.message}`);
    process.exitCode = 1;
  });
