// Measures, in one Node or several, and prints one report. `npm run bench` builds what is missing and then runs this;
// README.md says what the figures mean.

import { fork } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isPlain, selectCases } from './lib/cases.mjs';
import { folders } from './lib/folders.mjs';
import { merge } from './lib/merge.mjs';
import { measureNative } from './lib/native.mjs';
import { report } from './lib/report.mjs';
import { drawPlot, plotOf } from './lib/svg.mjs';
import { PEERS } from './peers/index.mjs';

const SECTIONS = ['operations', 'calls', 'start', 'memory'];
/** The package's own functions on ordinary arrays: a column that --only can name like a peer. */
const OTHERS = ['arrays', ...Object.keys(PEERS)];

const HELP = `npm run bench -- [options]          (or node bench/run.mjs [options], which builds nothing)

  --only <names>      only these columns: ${OTHERS.join(', ')}
  --shapes <shapes>   only rows of these shapes, such as 128x768,1x64; others than those of the table are allowed
  --cases <pattern>   only rows that this regular expression matches, such as 'float64|in place'
  --sections <names>  only these sections: ${SECTIONS.join(', ')}
  --quick             fewer rounds, and the headline shapes only
  --dist <folder>     what to measure instead of dist/; given twice or more, builds are compared with the first
  --node <program>    the Node to measure in; given twice or more, each of them
  --repeat <n>        in so many processes one after the other, whose rounds are put together: what one process shows is
                      steadier than it is true
  --json <file>       writes everything that was measured
  --svg <file>        draws the headline shapes, as the first Node has them
  --native            the natively built kernels too; node bench/run.mjs takes their programs, --native <program>
  --help              shows this`;

class UsageError extends Error {}

const options = {
  only: { type: 'string' },
  shapes: { type: 'string' },
  cases: { type: 'string' },
  sections: { type: 'string' },
  quick: { type: 'boolean', default: false },
  dist: { type: 'string', multiple: true },
  node: { type: 'string', multiple: true },
  repeat: { type: 'string', default: '1' },
  json: { type: 'string' },
  svg: { type: 'string' },
  native: { type: 'string', multiple: true },
  help: { type: 'boolean' },
};

function namesOf(option, text, known) {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`--${option}: there is no ${unknown}, expected some of ${known.join(', ')}`);
  }
  return names;
}

/** Runs the measurements in a process of their own. */
function measureIn(node, job) {
  return new Promise((done, fail) => {
    const child = fork(fileURLToPath(new URL('worker.mjs', import.meta.url)), { execPath: node });
    let result;
    child.on('message', (message) => {
      result = message;
    });
    child.on('error', ({ message }) => fail(new UsageError(`${node} does not start: ${message}`)));
    child.on('exit', (code, signal) =>
      result ? done(result) : fail(new UsageError(`${node} ended with ${code ?? signal}, without a result`)),
    );
    child.send(job);
  });
}

async function main() {
  const { values } = parseArgs({ options });
  if (values.help) return console.log(HELP);

  const partly = ['only', 'shapes', 'cases', 'dist'].some((name) => values[name] !== undefined);
  const job = {
    builds: (values.dist ?? [folders.dist]).map((folder) => resolve(folder)),
    others: values.only === undefined ? OTHERS : namesOf('only', values.only, OTHERS),
    cases: selectCases({
      shapes: values.shapes?.split(','),
      pattern: values.cases,
      quick: values.quick,
    }),
    sections: values.sections
      ? namesOf('sections', values.sections, SECTIONS)
      : partly
        ? ['operations']
        : SECTIONS,
    quick: values.quick,
  };
  for (const folder of job.builds) {
    if (existsSync(join(folder, 'index.js'))) continue;
    throw new UsageError(`${folder} has no index.js: npm run build makes dist/`);
  }
  if (job.cases.length === 0) throw new UsageError('--shapes and --cases leave no row');

  const repeat = Number(values.repeat);
  if (!Number.isInteger(repeat) || repeat < 1) throw new UsageError('--repeat: expected a number from 1');

  const results = [];
  for (const node of values.node ?? [process.execPath]) {
    const processes = [];
    for (let n = 0; n < repeat; n++) processes.push(await measureIn(node, job));
    results.push(merge(processes));
  }

  const shapes = job.cases.filter(isPlain).map(({ shape }) => shape.join('x'));
  const native = values.native && measureNative(values.native, shapes, values.quick);

  console.log(`\n${report(results, native)}`);
  if (values.json) writeFileSync(values.json, `${JSON.stringify({ results, native }, null, 1)}\n`);
  if (values.svg) writeFileSync(values.svg, drawPlot(plotOf(results[0])));
}

main().catch((error) => {
  const expected =
    error instanceof UsageError || error instanceof RangeError || error.code?.startsWith('ERR_PARSE');
  console.error(expected ? error.message : error);
  process.exitCode = 1;
});
