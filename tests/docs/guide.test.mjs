// Every block of JavaScript and TypeScript in the guide runs alone, with the package as it is built, and prints what it says.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { transform } from 'esbuild';
import { at } from '../../scripts/lib/paths.mjs';
import { claimsIn, holds } from './support/claims.mjs';
import { blocksOf, PAGES } from './support/guide.mjs';

/** Below the repository: Node finds the package there by its own name, and the libraries in node_modules. */
const FOLDER = at('build', 'docs-blocks');
const CODE = ['js', 'ts'];
/** Some start threads, or TensorFlow.js. */
const TIMEOUT = 60_000;

before(() => {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  writeTensorFlow();
});
after(() => rmSync(FOLDER, { recursive: true, force: true }));

/** `@tensorflow/tfjs` puts these packages together, which are what is installed here. */
function writeTensorFlow() {
  const folder = join(FOLDER, 'node_modules', '@tensorflow', 'tfjs');
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'package.json'),
    '{ "name": "@tensorflow/tfjs", "type": "module", "main": "index.js" }',
  );
  writeFileSync(
    join(folder, 'index.js'),
    `export * from '@tensorflow/tfjs-core';
    export * from '@tensorflow/tfjs-layers';
    import '@tensorflow/tfjs-backend-cpu';`,
  );
}

/** Runs a module to its end. */
async function run(file) {
  const child = spawn(process.execPath, [file], {
    cwd: FOLDER,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIMEOUT,
  });
  let output = '';
  let complaints = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    complaints += text;
  });
  const status = await new Promise((resolve) => child.on('close', (code, signal) => resolve(code ?? signal)));
  assert.equal(status, 0, complaints || output);
  return output;
}

describe('the code of the guide', { concurrency: 2 }, () => {
  for (const page of PAGES) {
    const blocks = blocksOf(page).filter(({ language }) => CODE.includes(language));
    for (const [i, { line, language, notRun, code }] of blocks.entries()) {
      if (notRun) continue; // says why itself, for the readers of the source
      test(`${page}:${line}`, async () => {
        const { code: claiming, claims } = claimsIn(code);
        // Also what newer engines alone can run, as `using`.
        const compiled = await transform(claiming, { loader: language, target: 'es2022', format: 'esm' });
        const file = join(FOLDER, `${page.replace('.md', '')}-${i}.mjs`);
        writeFileSync(file, `${PRELUDE}${compiled.code}`);
        const printed = [...(await run(file)).matchAll(/^claim (\d+) (.*)$/gm)];
        const outputs = printed.map(([, at, output]) => [Number(at), JSON.parse(output)]);
        for (const [at, claim] of claims) {
          const found = outputs.filter(([one]) => one === at);
          assert.ok(found.length > 0, `line ${line + at} is not reached`);
          for (const [, output] of found) {
            assert.ok(holds(claim, output), `line ${line + at} says\n  ${claim}\nbut prints\n  ${output}`);
          }
        }
      });
    }
  }

  test('is run, but for what says why not', () => {
    const all = PAGES.flatMap(blocksOf).filter(({ language }) => CODE.includes(language));
    assert.ok(all.filter(({ notRun }) => !notRun).length > all.length / 2);
  });
});

const PRELUDE = `
import { printed as __printed } from ${JSON.stringify(at('tests', 'docs', 'support', 'claims.mjs'))};
const __claim = (line, ...args) => console.log('claim ' + line + ' ' + JSON.stringify(__printed(args)));
`;
