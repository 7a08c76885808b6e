// The declarations of the installed package, compiled against with their own mistakes not skipped, and what comes out run.

import assert from 'node:assert/strict';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { at } from '../../scripts/lib/paths.mjs';
import { bin, install, run } from './support/installed.mjs';

let app;
before(() => {
  app = install('types');
  for (const name of ['consumer', 'using', 'mistakes']) {
    for (const extension of ['mts', 'cts'])
      copyFileSync(join(app, `${name}.ts`), join(app, `${name}.${extension}`));
  }
});

/** Compiles into a folder of the given name; what the compiler says. It has to end by itself: 0, or 2 for mistakes. */
function tsc(name, files, options) {
  const base = { target: 'es2022', strict: true, skipLibCheck: false, types: [], outDir: name };
  const config = `tsconfig.${name}.json`;
  writeFileSync(join(app, config), JSON.stringify({ compilerOptions: { ...base, ...options }, files }));
  const { status, stdout, stderr } = run(bin('tsc'), ['-p', config], { cwd: app });
  assert.equal(status, stdout === '' ? 0 : 2, `tsc ended with ${status}\n${stderr}${stdout}`);
  return stdout;
}

const NODE16 = { module: 'node16', moduleResolution: 'node16' };
const NODE_TYPES = { types: ['node'], typeRoots: [at('node_modules', '@types')] };
const LIBS = {
  'a lib without Symbol.dispose': ['es2022', 'dom'],
  'a lib with Symbol.dispose': ['es2022', 'dom', 'esnext.disposable'],
};

for (const [what, lib] of Object.entries(LIBS)) {
  const hasUsing = lib.length === 3;
  const folder = hasUsing ? 'with' : 'without';

  describe(what, () => {
    test('node16: both kinds of module compile and run', () => {
      const names = hasUsing ? ['consumer', 'using'] : ['consumer'];
      const files = names.flatMap((name) => [`${name}.mts`, `${name}.cts`]);
      assert.equal(tsc(folder, files, { ...NODE16, lib }), '');
      for (const file of ['consumer.mjs', 'consumer.cjs']) {
        const { status, stdout, stderr } = run(process.execPath, [join(folder, file)], { cwd: app });
        assert.equal(stderr, '');
        assert.equal(status, 0);
        const { y, ...rest } = JSON.parse(stdout);
        assert.equal(y.length, 6);
        assert.deepEqual(rest, {
          lengths: [3, 2, 2, 2, 3],
          same: true,
          memoryBytes: 2 ** 20,
          reason: 'string',
          liveTensors: 2,
          code: 'ERR_AXIS',
        });
      }
      if (!hasUsing) return;
      for (const file of ['using.mjs', 'using.cjs']) {
        const { stdout, stderr } = run(process.execPath, [join(folder, file)], { cwd: app });
        assert.equal(stdout + stderr, '3 2\nfalse 1\n');
      }
    });

    test('bundler', () => {
      const options = { module: 'esnext', moduleResolution: 'bundler', lib };
      assert.equal(tsc(`${folder}-bundler`, ['consumer.ts'], options), '');
    });
  });
}

test('layernorm/tfjs, with TensorFlow.js', () => {
  const options = {
    ...{ module: 'esnext', moduleResolution: 'bundler', lib: ['es2022', 'dom'] },
    ...{ paths: { '@tensorflow/*': [at('node_modules', '@tensorflow', '*')] }, skipLibCheck: true },
  };
  assert.equal(tsc('tfjs', ['tfjs.ts'], options), '');
});

test('node10, which knows no exports map', () => {
  const options = { module: 'commonjs', moduleResolution: 'node10', ignoreDeprecations: '6.0' };
  assert.equal(tsc('node10', ['consumer.ts'], { ...options, lib: ['es2022', 'dom'] }), '');
});

test('a Node project without the lib of browsers, which alone knows WebAssembly', () => {
  assert.equal(tsc('without-dom', ['consumer.mts'], { ...NODE16, ...NODE_TYPES, lib: ['es2022'] }), '');
});

test('mistakes are refused where they are made', () => {
  const said = tsc('mistakes', ['mistakes.mts', 'mistakes.cts'], { ...NODE16, lib: ['es2022', 'dom'] });
  for (const extension of ['mts', 'cts']) {
    const lines = [...said.matchAll(new RegExp(`^mistakes\\.${extension}\\((\\d+),`, 'gm'))].map(([, line]) =>
      Number(line),
    );
    assert.deepEqual(lines, [4, 5, 6], said);
  }
});
