// Measures what becomes of embeddings beside transformers.js: node bench/embeddings/run.mjs --help.

import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import * as layernorm from 'layernorm';
import { layer_norm, normalize } from 'layernorm/transformers';
import { layoutOf } from '../lib/layout.mjs';
import { measure, medianTime } from '../lib/measure.mjs';
import { randomNumbers } from '../lib/random.mjs';
import {
  largestError,
  normalizedReference,
  standardizedReference,
  unitReference,
} from '../lib/reference.mjs';
import { ratios } from '../lib/statistics.mjs';
import { digits3, spreadText, table } from '../lib/table.mjs';
import { peerVersion, requirePeer } from '../peers/installed.mjs';

const HELP = `node bench/embeddings/run.mjs [options]      (after npm run build and npm run bench:peers)

  --quick            fewer rounds, and only the smallest shape
  --cases <pattern>  only rows that this regular expression matches, such as 'normalize' or '128x'
  --json <file>      writes everything that was measured
  --help             shows this`;

/** The candidate that the others are compared with. */
const BASE = 'layernorm';
/** Rounds of all candidates in turn; none is left out of a round, though some are a thousand times slower. */
const PRECISION = { rounds: 11, warmUpMs: 100, sampleMs: 4, slowMs: Number.MAX_VALUE };
const QUICK_PRECISION = { ...PRECISION, rounds: 5, warmUpMs: 60 };

const SHAPES = [
  [128, 768],
  [2048, 768],
  [8192, 1024],
];
/** What is kept of each embedding. */
const KEPT = 256;
/** Results may differ so much, in units of max(|y|, 1): that of transformers.js' epsilon outside of the root at a deviation of 1. */
const TOLERANCE = 1e-4;

const transformers = requirePeer('@huggingface/transformers');

/** By what is done, how each candidate does it; `spare` is a tensor like x that may be written to. */
const WORKS = {
  layer_norm: {
    [BASE]: (x) => layer_norm(x, [x.dims[1]]),
    'transformers.js': (x) => transformers.layer_norm(x, [x.dims[1]]),
  },
  'layer_norm, ours in memory that is there': {
    [BASE]: (x, spare) => layernorm.layerNorm(x, { epsilon: 1e-5, out: spare }),
    'transformers.js': (x) => transformers.layer_norm(x, [x.dims[1]]),
  },
  normalize: {
    [BASE]: (x) => normalize(x),
    'transformers.js': (x) => x.normalize(2, -1),
  },
  'layer_norm, slice, normalize': {
    [BASE]: (x) => normalize(layer_norm(x, [x.dims[1]]).slice(null, [0, KEPT])),
    'transformers.js': (x) => transformers.layer_norm(x, [x.dims[1]]).slice(null, [0, KEPT]).normalize(2, -1),
  },
};
// All three of them at once.
if ('matryoshka' in layernorm) {
  WORKS.matryoshka = {
    [BASE]: (x) => layernorm.matryoshka(x, { dimensions: KEPT }),
    'transformers.js': WORKS['layer_norm, slice, normalize']['transformers.js'],
    'one after another': WORKS['layer_norm, slice, normalize'][BASE],
  };
}

/** Numbers about normal: the sum of four even ones. */
function embeddings([rows, columns], { deviation = 1, offset = 0, dtype = 'float32' } = {}) {
  const random = randomNumbers(1);
  const bell = () => (random() + random() + random() + random() - 2) * Math.sqrt(3);
  const data = Float32Array.from({ length: rows * columns }, () => offset + deviation * bell());
  const shape = [rows, columns];
  if (dtype === 'float32') return new transformers.Tensor(dtype, data, shape);
  const { array } = layernorm.tensor(data, shape, dtype);
  return new transformers.Tensor(dtype, array.slice(), shape);
}

const numbersOf = (x) => (x.type === 'float16' ? layernorm.tensor(x, null, 'float32').array : x.data);

const labelOf = (work, shape) => `${work} ${shape.join('x')}`;

/** @returns {Promise<{ label: string, ms: number, ratios: object }>} */
async function measureRow(work, shape, precision) {
  const [x, spare] = [embeddings(shape), embeddings(shape)];
  const entries = Object.entries(WORKS[work]);
  const expected = entries[0][1](x, spare).data;
  for (const [name, run] of entries.slice(1)) {
    const error = largestError(run(x, spare).data, expected);
    if (!(error <= TOLERANCE))
      throw new Error(`${name} computes something else: ${work} differs by ${error}`);
  }
  const candidates = entries.map(([name, run]) => ({ name, call: () => run(x, spare) }));
  const timings = await measure(candidates, { ...precision, random: randomNumbers(1) });
  const failed = Object.values(timings).find(({ failure }) => failure);
  if (failed) throw new Error(failed.failure);
  return {
    label: labelOf(work, shape),
    ms: medianTime(timings[BASE]),
    ratios: Object.fromEntries(
      entries.slice(1).map(([name]) => [name, ratios(timings[name].times, timings[BASE].times)]),
    ),
  };
}

/** Where the results of both are not the same, and why; float64 says that ours are right. */
const HARD = [
  [
    'deviation 1',
    {},
    'transformers.js adds epsilon to the deviation, the definition adds it to the variance',
  ],
  ['deviation 0.023', { deviation: 0.023 }, 'the same, where epsilon is 2 percent of the variance'],
  ['deviation 0.0023', { deviation: 0.0023 }, 'the same, where epsilon is twice the variance'],
  ['offset 1e4', { offset: 1e4 }, 'transformers.js rounds each addition to its sums to float32'],
  ['float16', { dtype: 'float16' }, 'transformers.js takes the bits for numbers'],
];

/** Largest errors against float64, in ulp of max(|y|, 1) of the type of the result. */
function errorsOf([label, options, why]) {
  const x = embeddings([64, 768], options);
  const problem = {
    layout: layoutOf(x.dims, -1),
    epsilon: 1e-5,
    arrays: { x: Float64Array.from(numbersOf(x)) },
  };
  const ulp = x.type === 'float16' ? 2 ** -10 : 2 ** -23;
  const unit = { ...problem, epsilon: 1e-12 };
  const expected = {
    layer_norm: standardizedReference(problem),
    normalize: normalizedReference(unit, unitReference(unit)),
  };
  const errors = Object.entries(expected).flatMap(([work, y]) =>
    [BASE, 'transformers.js'].map((name) => largestError(numbersOf(WORKS[work][name](x)), y) / ulp),
  );
  return { label, errors, why };
}

async function main() {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      cases: { type: 'string', default: '' },
      json: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return console.log(HELP);

  const pattern = new RegExp(values.cases);
  const rows = [];
  for (const work of Object.keys(WORKS)) {
    for (const shape of values.quick ? SHAPES.slice(0, 1) : SHAPES) {
      if (!pattern.test(labelOf(work, shape))) continue;
      rows.push(await measureRow(work, shape, values.quick ? QUICK_PRECISION : PRECISION));
    }
  }
  if (rows.length === 0) throw new SyntaxError('--cases leaves no row');
  const others = [...new Set(rows.flatMap((row) => Object.keys(row.ratios)))];
  const cells = rows.map(({ label, ms, ratios: by }) => [
    label,
    digits3(ms),
    ...others.map((name) => (by[name] ? spreadText(by[name]) : '-')),
  ]);
  const where = `Node ${process.versions.node}, transformers.js ${peerVersion('@huggingface/transformers')}`;
  console.log(`${where}, float32: times divided by that of layernorm`);
  console.log(table([['', 'layernorm, ms', ...others], ...cells], 2));

  const errors = HARD.map(errorsOf);
  const names = ['layer_norm', 'normalize'].flatMap((work) => [work, 'transformers.js']);
  console.log('\nLargest errors in ulp of max(|y|, 1), 64x768');
  console.log(
    table([['', ...names], ...errors.map(({ label, errors: of }) => [label, ...of.map(digits3)])], 2),
  );
  console.log(errors.map(({ label, why }) => `  ${label}: ${why}`).join('\n'));
  if (values.json) await writeFile(values.json, `${JSON.stringify({ where, rows, errors }, null, 1)}\n`);
}

main().catch((error) => {
  const expected = error.code?.startsWith('ERR_PARSE') || error instanceof SyntaxError;
  console.error(expected ? error.message : error);
  process.exitCode = 1;
});
