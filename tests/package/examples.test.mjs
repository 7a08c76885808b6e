// The examples, run with the installed package as their readers run them.

import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { at } from '../../scripts/lib/paths.mjs';
import { install, run } from './support/installed.mjs';

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
