// Node 20 has no Float16Array; Deno has.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { at } from '../../scripts/lib/paths.mjs';

test('tensors of float16 in a runtime that has a Float16Array', () => {
  const deno = at('tests', 'ecosystem', 'node_modules', '.bin', 'deno');
  const script = at('tests', 'ecosystem', 'support', 'float16_array.mjs');
  const { status, stdout, stderr } = spawnSync(deno, ['run', '-A', script], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  assert.equal(stdout, 'Float16Array: all right\n');
});
