import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { at } from '../../scripts/lib/paths.mjs';

const folder = mkdtempSync(join(tmpdir(), 'layernorm-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** What is reported of a test file. */
function reportOf(code) {
  const file = join(folder, 'a.test.mjs');
  writeFileSync(file, `import { test } from 'node:test';\ntest('a', () => { ${code} });\n`);
  const reporter = `--test-reporter=${at('scripts', 'lib', 'ended_reporter.mjs')}`;
  const { NODE_TEST_CONTEXT, ...env } = process.env; // set by the runner of this very test
  return spawnSync(process.execPath, ['--test', reporter, file], { env, encoding: 'utf8' }).stdout;
}

test('a signal and an exit code of its own are named', () => {
  assert.match(
    reportOf("process.kill(process.pid, 'SIGKILL'); for (;;);"),
    /a\.test\.mjs was ended by SIGKILL/,
  );
  assert.match(reportOf('process.exit(7);'), /a\.test\.mjs ended with exit code 7\n$/);
});

test('of a file that comes to its end nothing is said, whether its tests pass or not', () => {
  assert.equal(reportOf(''), '');
  assert.equal(reportOf("throw new Error('wrong');"), '');
});
