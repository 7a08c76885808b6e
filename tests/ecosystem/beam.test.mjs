// examples/beam, run with the installed package and the real Apache Beam, on its direct runner.

import assert from 'node:assert/strict';
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { at } from '../../scripts/lib/paths.mjs';
import { install, run } from '../package/support/installed.mjs';

let folder;
before(() => {
  const app = install('node');
  folder = join(app, 'beam');
  cpSync(at('examples', 'beam'), folder, { recursive: true });
  symlinkSync(
    at('tests', 'ecosystem', 'node_modules', 'apache-beam'),
    join(app, 'node_modules', 'apache-beam'),
  );
});

const pipeline = (...args) => run(process.execPath, ['pipeline.js', ...args], { cwd: folder });

for (const [shards, rows] of [
  [1, 1],
  [4, 20_000],
  [7, 5003],
]) {
  test(`${rows} rows in ${shards} shards: the numbers of one pass`, () => {
    const { status, stdout, stderr } = pipeline(shards, rows);
    assert.equal(stderr, '');
    assert.equal(status, 0, stdout);
    assert.match(stdout, new RegExp(`^${rows} rows of 8 features, in ${shards} shards$`, 'm'));
    assert.match(stdout, new RegExp(`^counted: ${rows} of ${rows} rows$`, 'm'));
    assert.match(stdout, /^largest difference to one pass: 0 ulp$/m);
  });
}

test('arguments that make no sense', () => {
  const { status, stdout, stderr } = pipeline(3, 2);
  assert.match(stderr, /^usage: /);
  assert.equal(stdout, '');
  assert.equal(status, 2);
});

describe('what the README says', () => {
  /** Runs the pipeline with a line of its steps replaced. */
  const sabotage = (find, replacement) => {
    const path = join(folder, 'steps.js');
    const steps = readFileSync(path, 'utf8');
    assert.match(steps, find);
    writeFileSync(path, steps.replace(find, replacement));
    try {
      return pipeline(2, 20);
    } finally {
      writeFileSync(path, steps);
    }
  };

  test('without the registration the functions do not find what they refer to', () => {
    const { status, stderr } = sabotage(/^requireForSerialization\(.*$/m, '');
    assert.match(stderr, /^the pipeline failed: (\w+) is not defined$/m);
    assert.equal(status, 1);
    const [, name] = stderr.match(/failed: (\w+) is/);
    assert.ok(readFileSync(join(folder, 'README.md'), 'utf8').includes(`\`${name} is not defined\``), name);
  });

  test('a step that fails', () => {
    const { status, stderr } = sabotage(/yield \{ x: .*/, "throw new Error('no such shard');");
    assert.equal(stderr, 'the pipeline failed: no such shard\n');
    assert.equal(status, 1);
  });
});

test('accumulators of several machines, sent as JSON, in any order', () => {
  const require = createRequire(join(folder, 'pipeline.js'));
  const { momentsFn } = require('./steps.js');
  const { rows } = require('./data.js');
  const shard = (from, to) => {
    let accumulator = momentsFn.createAccumulator();
    for (let row = from; row < to; row += 10)
      accumulator = momentsFn.addInput(accumulator, rows(row, row + 10));
    return JSON.parse(JSON.stringify(accumulator));
  };
  const shards = [shard(0, 100), momentsFn.createAccumulator(), shard(100, 250), shard(250, 300)];
  const expected = momentsFn.extractOutput(shard(0, 300));
  assert.deepEqual(expected.count, new Array(8).fill(300));
  const merged = momentsFn.mergeAccumulators(shards);
  assert.deepEqual(momentsFn.extractOutput(merged), expected);
  const inSteps = momentsFn.mergeAccumulators([
    momentsFn.mergeAccumulators([shards[3], shards[0]]),
    shards[2],
  ]);
  assert.deepEqual(momentsFn.extractOutput(inSteps), expected);
});
