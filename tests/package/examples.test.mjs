// The examples, run with the installed package as their readers run them.

import assert from 'node:assert/strict';
import { cpSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { at } from '../../scripts/lib/paths.mjs';
import { bin, install, run } from './support/installed.mjs';

let app;
before(() => {
  app = install('node');
  cpSync(at('examples'), join(app, 'examples'), { recursive: true });
});

describe('merge-shards', () => {
  const merge = (...args) =>
    run(process.execPath, ['merge.mjs', ...args], { cwd: join(app, 'examples', 'merge-shards') });

  for (const [processes, rows] of [
    [3, 10_001],
    [1, 1],
    [5, 7],
  ]) {
    test(`${rows} rows in ${processes} processes: the numbers of one pass`, () => {
      const { status, stdout, stderr } = merge(processes, rows);
      assert.equal(stderr, '');
      assert.equal(status, 0, stdout);
      assert.equal(stdout.match(/^merged rows \d+ to \d+: 336 bytes$/gm)?.length, processes);
      assert.match(stdout, new RegExp(`^counted: ${rows} of ${rows} rows$`, 'm'));
      assert.match(stdout, /^largest difference: 0 ulp$/m);
    });
  }

  test('arguments that make no sense', () => {
    const { status, stdout, stderr } = merge(3, 2);
    assert.match(stderr, /^usage: /);
    assert.equal(stdout, '');
    assert.equal(status, 2);
  });
});

describe('shards', () => {
  const shards = (...args) =>
    run(process.execPath, ['run.mjs', ...args], { cwd: join(app, 'examples', 'shards') });

  for (const [count, rows] of [
    [3, 10_001],
    [3, 2],
  ]) {
    test(`${rows} rows in ${count} shards: the bytes of one pass`, () => {
      const { status, stdout, stderr } = shards(count, rows);
      assert.equal(stderr, '');
      assert.equal(status, 0, stdout);
      assert.equal(stdout.match(/^layernorm (moments|normalize) .* --rows /gm)?.length, 2 * count);
      assert.ok(stdout.endsWith(`\n${count} shards, ${rows} rows: the same bytes as one pass\n`), stdout);
    });
  }

  test('arguments that make no sense', () => {
    assert.match(shards(0).stderr, /^usage: /);
  });
});

describe('tfjs', () => {
  const folder = () => join(app, 'examples', 'tfjs');
  const PROGRAMS = {
    sequential: ['Sequential', 'Dense, LayerNormalization, Dense'],
    functional: ['Functional', 'InputLayer, Dense, LayerNormalization, Dense'],
    custom_layer: ['Custom layer', 'Dense, MyLayerNormalization, Dense'],
    group_norm: ['One group', 'Dense, GroupNormalization, Dense'],
  };
  /** What a program prints after its first two lines, by name and backend. */
  const printed = {};

  before(() => {
    // The peers, and what compiles the programs, as npm would put them there.
    for (const scope of ['@tensorflow', '@types']) {
      symlinkSync(at('node_modules', scope), join(app, 'node_modules', scope));
    }
    const { status, stdout, stderr } = run(bin('tsc'), ['-p', '.'], { cwd: folder() });
    assert.equal(status, 0, stdout + stderr);
  });

  const start = (name, backend) => {
    const { status, stdout, stderr } = run(process.execPath, [`build/${name}.js`, backend], {
      cwd: folder(),
    });
    assert.equal(status, 0, stdout + stderr);
    if (backend === 'wasm') assert.equal(stderr, '');
    return stdout.trim().split('\n');
  };

  for (const [name, [title, layers]] of Object.entries(PROGRAMS)) {
    for (const backend of ['wasm', 'cpu']) {
      test(`${name} on ${backend}: learns, is saved and loaded`, () => {
        const [first, second, ...rest] = start(name, backend);
        assert.equal(first, `${title}, TensorFlow.js 4.22.0, ${backend}`);
        assert.equal(second, `layers: ${layers}`);
        const text = rest.join('\n');
        printed[`${name} ${backend}`] = text;
        const losses = [...text.matchAll(/^epoch \d+: loss (.*)$/gm)].map(([, loss]) => Number(loss));
        assert.equal(losses.length, 4);
        assert.ok(losses[3] < 0.1 * losses[0], text);
        for (const weight of ['gamma', 'beta']) {
          const [, moved] = text.match(new RegExp(`^${weight} moved by up to (.*)$`, 'm'));
          assert.ok(Number(moved) > 0.05, text);
        }
        const [, right, rows] = text.match(/^right: (.*) % of (\d+) held-out rows$/m);
        assert.equal(rows, '189');
        assert.ok(Number(right) > 90, text);
        assert.match(text, /^saved, loaded: predictions differ by 0$/m);
      });
    }
  }

  test('the same model learns the same, however it is written, and in each run', () => {
    for (const backend of ['wasm', 'cpu']) {
      const expected = printed[`sequential ${backend}`];
      assert.equal(printed[`functional ${backend}`], expected);
      assert.equal(printed[`custom_layer ${backend}`], expected);
    }
    assert.equal(start('sequential', 'wasm').slice(2).join('\n'), printed['sequential wasm']);
    assert.ok(
      readFileSync(join(folder(), 'README.md'), 'utf8').includes(printed['sequential wasm']),
      printed['sequential wasm'],
    );
  });

  test('one group is layer normalization', () => {
    for (const backend of ['wasm', 'cpu']) {
      const text = printed[`group_norm ${backend}`];
      const number = (line) => Number(text.match(new RegExp(`^${line}: differ by (.*)$`, 'm'))?.[1]);
      assert.ok(number('images, axis \\[1, 2, 3\\]') < 2e-6, text);
      assert.ok(number('images, axis -1') > 0.5, text);
      assert.ok(number('the same gamma at each place') < 2e-6, text);
      assert.match(text, /^gamma: \[16\] and \[8,8,16\]$/m);
    }
  });

  test('the table holds what it says', () => {
    const [header, ...rows] = readFileSync(join(folder(), 'data', 'languages.csv'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(','));
    assert.deepEqual(header, [...'abdikotuwz', 'letters', 'language']);
    assert.equal(rows.length, 946);
    assert.equal(new Set(rows.map((row) => row[11])).size, 10);
    for (const row of rows) {
      const counts = row.slice(0, 10).map(Number);
      assert.ok(counts.every((count) => Number.isInteger(count) && count >= 0));
      assert.ok(counts.reduce((a, b) => a + b) < Number(row[10]));
    }
  });

  test('a backend that there is not', () => {
    const { status, stderr } = run(process.execPath, ['build/sequential.js', 'webgl'], { cwd: folder() });
    assert.equal(status, 2);
    assert.match(stderr, /^usage: /);
  });
});
