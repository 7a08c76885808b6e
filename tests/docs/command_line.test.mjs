// The commands of the guide, one after the other, as their readers run them.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { writeNpy, writeSafetensors } from 'layernorm/io';
import { at } from '../../scripts/lib/paths.mjs';
import { blocksOf } from './support/guide.mjs';

const PROGRAM = 'npx layernorm ';

let folder;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'layernorm-commands-'));
  const x = Float32Array.from({ length: 400 }, (_, i) => Math.sin(i));
  writeFileSync(join(folder, 'embeddings.npy'), writeNpy(x, { shape: [100, 4] }));
  writeFileSync(join(folder, 'model.safetensors'), writeSafetensors({ embeddings: x }));
});
after(() => rmSync(folder, { recursive: true }));

const commands = blocksOf('command-line.md')
  .filter(({ language }) => language === 'sh')
  .flatMap(({ code }) => code.split('\n'));

for (const command of commands) {
  test(command, () => {
    assert.ok(command.startsWith(PROGRAM));
    const args = command.slice(PROGRAM.length).split(' ');
    const { status, stderr } = spawnSync(process.execPath, [at('dist', 'cli.js'), ...args], {
      cwd: folder,
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
  });
}
