// examples/deno-bun: one server on two runtimes, with threads, and the numbers of Node.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { layerNorm } from 'layernorm';
import { at } from '../../scripts/lib/paths.mjs';
import { run } from '../package/support/installed.mjs';
import { example, readmeCall, start } from './support/example.mjs';
import { assertWithin, layerNorm64 } from './support/reference.mjs';

const ecosystem = createRequire(at('tests', 'ecosystem', 'package.json'));
/** A program of a package for this platform: what stands in .bin are scripts that look for it. */
const binary = (name, path) => join(dirname(ecosystem.resolve(`${name}/package.json`)), path);
const platform = `${process.platform}-${process.arch}`;
/** Deno's packages for Linux have the C library in their names as well. */
const deno = binary(`@deno/${platform}${process.platform === 'linux' ? '-glibc' : ''}`, 'deno');

// The commands of the example's package.json.
const COMMANDS = {
  deno: [deno, ['serve', '--allow-read=node_modules', '--port', '0', 'main.ts']],
  bun: [binary(`@oven/bun-${platform}`, join('bin', 'bun')), ['main.ts']],
};

test('Deno finds the types in order', () => {
  const { status, stdout, stderr } = run(deno, ['check', 'main.ts'], { cwd: example('deno-bun') });
  assert.equal(status, 0, stdout + stderr);
});

for (const [name, [program, args]] of Object.entries(COMMANDS)) {
  describe(name, () => {
    let folder;
    let server;
    before(async () => {
      folder = example('deno-bun');
      server = await start(program, args, { cwd: folder, env: { PORT: '0' } });
    });
    after(() => server?.stop());
    const post = (body) => fetch(server.url, { method: 'POST', body });

    test('two threads, and nothing to complain of', async () => {
      const { variant, threads, liveTensors } = await (await fetch(server.url)).json();
      assert.deepEqual({ variant, threads, liveTensors }, { variant: 'simd-mt', threads: 2, liveTensors: 0 });
      assert.equal(server.said.length, 1, server.said.join('\n'));
    });

    test('the bits of Node, also where threads share the work', async () => {
      const rows = Array.from({ length: 100 }, (_, row) =>
        Array.from({ length: 256 }, (_, column) => Math.fround(Math.sin(row * 7 + column * column))),
      );
      const { shape, y } = await (await post(JSON.stringify(rows))).json();
      assert.deepEqual(shape, [100, 256]);
      assert.deepEqual(y, layerNorm(rows).flat());
      for (const [row, x] of rows.entries()) {
        assertWithin(3, y.slice(row * 256, (row + 1) * 256), layerNorm64(x, 1e-3));
      }
    });

    test('what the README shows', async () => {
      const { body, answer } = readmeCall(folder);
      assert.equal(await (await post(body)).text(), answer);
    });

    test('errors are answers', async () => {
      for (const [body, code] of [
        ['[[1,2],[3]]', 'ERR_SHAPE'],
        ['[["1"]]', 'ERR_DTYPE'],
        ['[[1', 'ERR_JSON'],
      ]) {
        const response = await post(body);
        assert.deepEqual([response.status, (await response.json()).code], [400, code]);
      }
      assert.equal((await (await fetch(server.url)).json()).liveTensors, 0);
    });
  });
}
