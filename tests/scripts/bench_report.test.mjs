import assert from 'node:assert/strict';
import { test } from 'node:test';
import { report } from '../../bench/lib/report.mjs';
import { drawPlot, plotOf, SERIES, ticksFor } from '../../bench/lib/svg.mjs';
import { digits3, ratioText, spreadText, table } from '../../bench/lib/table.mjs';

const spread = (median) => ({ median, q1: median * 0.9, q3: median * 1.1 });

/** What worker.mjs gives, of two shapes. */
const resultOf = (node) => ({
  node,
  v8: '14.6.1-node.3',
  cpu: 'Some <CPU>',
  layernorm: { version: '1.2.3', variant: 'simd', threads: 1 },
  builds: [{ name: 'layernorm', folder: 'dist' }],
  quick: false,
  operations: {
    titles: { onednn: 'oneDNN 9' },
    missing: { pytorch: 'PyTorch is not installed: npm run bench:peers installs it' },
    absent: [{ case: 'rmsNorm float32 1x64', reason: 'no rmsNorm in this build' }],
    rows: ['8x256', '128x768'].map((label) => ({
      operation: 'layerNorm',
      dtype: 'float32',
      label,
      headline: true,
      bytes: 2e6,
      cells: {
        'ort-web': { failure: 'wrong result, off by 2.0' },
        layernorm: { ms: spread(0.1), error: 1e-7 },
        onednn: { ms: spread(0.08), ratio: spread(label === '8x256' ? 2 : 0.5), error: 1e-7 },
      },
    })),
  },
});

test('columns are as wide as they need to be', () => {
  assert.equal(
    table([['shape', 'GB/s'], ['1x64', '7'], [], ['100x1', '10.5', 'x']]),
    'shape  GB/s\n1x64      7\n\n100x1  10.5  x',
  );
});

test('numbers have three digits', () => {
  assert.deepEqual([0.08123, 1.0349, 27.44, 1250.4, 0, 9.999].map(digits3), [
    '0.0812',
    '1.03',
    '27.4',
    '1250',
    '0',
    '10.0',
  ]);
  assert.deepEqual([0.5, 9.99, 12.34, 123.4].map(ratioText), ['0.50', '9.99', '12.3', '123']);
  assert.equal(spreadText({ median: 1.034, q1: 1.01, q3: 1.05 }), '1.03 1.01-1.05');
});

test('the report has a line for each Node, and tells what is missing and what failed', () => {
  const text = report([resultOf('20.1.0'), resultOf('26.1.0')]);
  const lines = text.split('\n');
  assert.match(
    text,
    /^layernorm 1\.2\.3 \(simd, 1 thread\)\nNode 20\.1\.0 \(V8 14\.6\.1\) and Node 26\.1\.0 /,
  );
  const at = lines.findIndex((line) => line.startsWith('layerNorm float32'));
  assert.match(lines[at], /Node +GB\/s +onednn +ort-web$/);
  assert.match(lines[at + 1], /^ {2}8x256 +20 +20\.0 +2\.00 1\.80-2\.20 +failed$/);
  assert.match(lines[at + 2], /^ +26 +20\.0/);
  assert.match(text, /geometric mean of 2 shapes +20 +1\.00 +-/);
  assert.match(text, /pytorch was not measured\. PyTorch is not installed: npm run bench:peers installs it/);
  assert.match(text, /not measured, no rmsNorm in this build: rmsNorm float32 1x64/);
  assert.match(
    text,
    /ort-web failed in Node 20: wrong result, off by 2\.0 \(on layerNorm float32 8x256 and 1 more\)/,
  );
});

test('wrong numbers are marked, also our own', () => {
  const result = resultOf('20.1.0');
  const { cells } = result.operations.rows[0];
  cells.onednn.wrong = true;
  cells.layernorm.wrong = true;
  assert.match(report([result]), /8x256 +20 +20\.0! +2\.00 1\.80-2\.20!/);
});

test('native speeds stand beside those of wasm', () => {
  const native = {
    '8x256': { emulated: 5, 'simd128 -mavx2': 40 },
    '7x7': { emulated: 4, 'simd128 -mavx2': 8 },
  };
  const text = report([resultOf('20.1.0')], native);
  assert.match(text, /simd128 -mavx2 +emulated +wasm, Node 20/);
  assert.match(text, /8x256 +40\.0 +5\.00 +20\.0 \(0\.50\)/);
  assert.match(text, /7x7 +8\.00 +4\.00 +-/);
});

test('ticks are round and hold all values', () => {
  assert.deepEqual(ticksFor(1.5, 40), [1, 2, 5, 10, 20, 50]);
  assert.deepEqual(ticksFor(0.2, 0.3), [0.2, 0.5]);
  assert.deepEqual(ticksFor(3, 3), [2, 5]);
});

test('the plot has a dot for each measured candidate, and escapes names', () => {
  const svg = drawPlot(plotOf(resultOf('20.1.0')));
  assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" /);
  assert.ok(!svg.includes('<CPU>'), 'the name of the processor is text, not a tag');
  const dots = svg.match(/<circle class="onednn"/g);
  assert.equal(dots.length, 2 + 1, 'one a shape and one in the legend');
  assert.ok(!svg.includes('class="ort-web"'), 'what failed is not drawn');
  assert.match(svg, /8x256, layernorm: 20\.0 GB\/s/);
  assert.match(svg, /@media\(prefers-color-scheme:dark\)/);
  assert.ok(!/NaN|undefined/.test(svg));
  assert.equal(svg.match(/<(svg|style|title|text|circle|line)\b/g).length >= 20, true);
});

test('the plot refuses to draw nothing', () => {
  const result = resultOf('20.1.0');
  result.operations.rows = [];
  assert.throws(() => drawPlot(plotOf(result)), /nothing to draw/);
});

test('every series has colours for light and dark that can be told from the background', () => {
  const luminance = (hex) => {
    const parts = [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16) / 255);
    const [r, g, b] = parts.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  for (const { name, light, dark } of SERIES) {
    assert.ok(contrast(light, '#ffffff') >= 3, `${name}, light`);
    assert.ok(contrast(dark, '#0d1117') >= 3, `${name}, dark`);
  }
});
