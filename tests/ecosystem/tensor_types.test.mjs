// The declarations of this package beside those of the libraries: tests/ecosystem/types says what comes back for their tensors.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { at } from '../../scripts/lib/paths.mjs';

test('tensors of other libraries, and what comes back, by their declarations', () => {
  const tsc = at('node_modules', 'typescript', 'bin', 'tsc');
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', at('tests', 'ecosystem', 'types')], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stdout);
});
