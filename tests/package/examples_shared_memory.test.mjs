// examples/shared-memory, run with the installed package as its readers run it.

import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { at } from '../../scripts/lib/paths.mjs';
import { install, run } from './support/installed.mjs';

let folder;
before(() => {
  folder = join(install('node'), 'shared-memory');
  cpSync(at('examples', 'shared-memory'), folder, { recursive: true });
});

const normalize = (...args) => run(process.execPath, ['normalize.mjs', ...args], { cwd: folder });

for (const [threads, rows] of [
  [1, 1],
  [3, 10],
  [4, 2001],
]) {
  test(`${rows} rows in ${threads} threads: the bits of one pass`, () => {
    const { status, stdout, stderr } = normalize(threads, rows);
    assert.equal(stderr, '');
    assert.equal(status, 0, stdout);
    const [first, ...rest] = stdout.trim().split('\n');
    assert.match(
      first,
      new RegExp(`^${rows} rows of 768 features, ${threads} threads: normalized in \\d+\\.\\d ms$`),
    );
    assert.deepEqual(rest, [
      'normalized rows: largest difference: 0 ulp',
      'means: largest difference: 0 ulp',
      'variances: largest difference: 0 ulp',
    ]);
    const readme = readFileSync(join(folder, 'README.md'), 'utf8');
    assert.ok(readme.includes(rest.join('\n')), 'README.md shows something else');
  });
}

for (const args of [[3, 2], [0], [65], ['two'], [1, 1_000_001]]) {
  test(`arguments that make no sense: ${args}`, () => {
    const { status, stdout, stderr } = normalize(...args);
    assert.match(stderr, /^usage: /);
    assert.equal(stdout, '');
    assert.equal(status, 2);
  });
}

describe('a thread that fails', () => {
  /** Runs the program with a line of its worker replaced. */
  const sabotage = (find, replacement) => {
    const path = join(folder, 'worker.mjs');
    const worker = readFileSync(path, 'utf8');
    assert.ok(worker.includes(find));
    writeFileSync(path, worker.replace(find, replacement));
    try {
      return normalize(3, 30);
    } finally {
      writeFileSync(path, worker);
    }
  };

  for (const [what, replacement, message] of [
    [
      'by an error, while the others wait for it',
      "if (from === 10) throw new Error('no data');",
      'failed: no data',
    ],
    ['by ending too early', 'if (from === 10) process.exit(7);', 'ended with 7'],
    [
      'in the kernels',
      'if (from === 10) createKernels({ memory, stack, module }).layerNormForward({ shape: [0.5], x, y: x });',
      'failed: layerNormForward: ',
    ],
  ]) {
    test(what, () => {
      const { status, stdout, stderr } = sabotage('fill(rows, from);', `fill(rows, from); ${replacement}`);
      assert.ok(stderr.startsWith(`the worker of rows 10 to 19 ${message}`), stderr);
      assert.equal(stdout, '');
      assert.equal(status, 1);
    });
  }

  test('a bit that differs is found', () => {
    const { status, stdout } = sabotage(
      'parentPort.postMessage',
      'if (from === 10) rows[5] *= 1 + 2 ** -23;\nparentPort.postMessage',
    );
    assert.match(stdout, /^normalized rows: largest difference: [12] ulp$/m);
    assert.equal(status, 1);
  });
});
