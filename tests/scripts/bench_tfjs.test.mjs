import assert from 'node:assert/strict';
import { test } from 'node:test';
import { report } from '../../bench/tfjs/report.mjs';
import { labelOf, measureRow, ROWS } from '../../bench/tfjs/rows.mjs';

const spread = (median) => ({ median, q1: median * 0.9, q3: median * 1.1 });

test('each row has a label of its own, and --quick leaves some of each kind', () => {
  assert.equal(new Set(ROWS.map(labelOf)).size, ROWS.length);
  const works = (rows) => [...new Set(rows.map(({ work }) => work))];
  assert.deepEqual(works(ROWS.filter(({ quick }) => quick)), works(ROWS));
});

test('the report has a column for each candidate, and says what failed', () => {
  const rows = [
    { label: 'forward', ms: 0.5, ratios: { own: spread(300), composite: spread(4) } },
    { label: 'fit', failure: 'own computes something else than layernorm' },
  ];
  const text = report([
    { where: 'Node 20', backend: 'wasm', version: '4.22.0', rows },
    { where: 'Chromium 140', backend: 'cpu', version: '4.22.0', rows: rows.slice(0, 1) },
  ]);
  const lines = text.split('\n').map((line) => line.trim().split(/ {2,}/));
  assert.deepEqual(lines.slice(0, 4), [
    ['Node 20, TensorFlow.js 4.22.0, wasm'],
    ['layernorm, ms', 'TF.js', 'patched', 'composite', 'without'],
    ['forward', '0.500', '300 270-330', '-', '4.00 3.60-4.40', '-'],
    ['fit', 'failed: own computes something else than layernorm'],
  ]);
  assert.match(text, /\n\nChromium 140, TensorFlow.js 4.22.0, cpu\n/);
});

test('work that there is not', async () => {
  await assert.rejects(measureRow({}, {}, { work: 'backward' }, {}), /there is no work backward/);
});
