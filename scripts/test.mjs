// npm test: sets up what is missing and runs every test. `npm test -- --help` lists the steps.

import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { build, buildWasm } from './build.mjs';
import { buildDocs } from './docs.mjs';
import { ensureChromium } from './lib/chromium.mjs';
import { clangFormat } from './lib/clang_format.mjs';
import { buildPreset } from './lib/cmake.mjs';
import { ensureFirefox } from './lib/firefox.mjs';
import { at } from './lib/paths.mjs';
import { setUp } from './lib/requirements.mjs';
import { keep, main, output, StepError, show } from './lib/run.mjs';

/**
 * @typedef {object} Step
 * @property {string} name
 * @property {string} what
 * @property {string[]} needs parts of the set-up, of lib/requirements.mjs
 * @property {() => Promise<void>} run throws when the step fails
 */

/** @type {Step[]} */
const STEPS = [
  {
    name: 'format',
    what: 'formatting and lint rules of all sources',
    needs: ['format'],
    run: async () => {
      await show(['biome', 'check', '--error-on-warnings']);
      await show(clangFormat('--dry-run', '-Werror'));
    },
  },
  {
    name: 'types',
    what: 'the TypeScript sources are sound',
    needs: [],
    run: async () => {
      await show(['tsc', '-p', 'js', '--noEmit']);
      await show(['tsc', '-p', 'js/tsconfig.cli.json', '--noEmit']);
    },
  },
  {
    name: 'layers',
    what: 'imports go one way, intrinsics lie in one file, every source file has its test',
    needs: [],
    run: () => show(['node', 'scripts/check_layers.mjs']),
  },
  {
    name: 'scripts',
    what: "the build's own scripts",
    needs: [],
    run: () => nodeTests('tests/scripts'),
  },
  {
    name: 'native',
    what: 'the C++ core natively, under AddressSanitizer and UndefinedBehaviorSanitizer',
    needs: ['native'],
    run: async () => {
      await buildPreset('asan');
      await show([
        'ctest',
        '--test-dir',
        'build/asan',
        `--parallel=${availableParallelism()}`,
        '--progress',
        '--output-on-failure',
        '--no-tests=error',
      ]);
    },
  },
  {
    name: 'tsan',
    what: 'the thread pool natively, under ThreadSanitizer',
    needs: ['native'],
    run: async () => {
      await buildPreset('tsan', ['layernorm_threads_tests']);
      await show(['build/tsan/tests/layernorm_threads_tests', '--gtest_brief=1']);
    },
  },
  {
    name: 'wasm',
    what: 'the WebAssembly module builds',
    needs: ['build'],
    run: buildWasm,
  },
  {
    name: 'wasm-tests',
    what: 'the same C++ tests as WebAssembly under Node',
    needs: ['wasmTests'],
    run: async () => {
      await buildPreset('wasm-tests', ['layernorm_tests', 'layernorm_digest']);
      await show(['node', 'build/wasm-tests/tests/layernorm_tests.cjs', '--gtest_brief=1']);
    },
  },
  {
    name: 'digest',
    what: 'native and WebAssembly builds give the same bits',
    needs: ['native', 'wasmTests'],
    run: compareDigests,
  },
  {
    name: 'build',
    what: 'all of dist/',
    needs: ['build'],
    run: build,
  },
  {
    name: 'type-tests',
    what: 'the declarations of the package, as users and the demo page get them',
    needs: ['build'],
    run: async () => {
      await show(['tsc', '-p', 'tests/js/types']);
      await show(['tsc', '-p', 'web-demo']);
    },
  },
  {
    name: 'jest',
    what: 'the package as users import it, in Node',
    needs: ['build'],
    run: () => show(['jest'], { NODE_OPTIONS: '--experimental-vm-modules' }),
  },
  {
    name: 'size',
    what: 'the weight of dist/, compressed',
    needs: ['build'],
    run: () => show(['node', 'scripts/size.mjs']),
  },
  {
    name: 'package',
    what: 'the packed package, installed in an empty folder',
    needs: ['build'],
    run: () => nodeTests('tests/package'),
  },
  {
    name: 'ecosystem',
    what: 'the package beside the libraries that it works with, and the examples',
    needs: ['build', 'browser', 'ecosystem'],
    run: async () => nodeTests('tests/ecosystem', { CHROMIUM_PATH: await ensureChromium() }),
  },
  {
    name: 'docs',
    what: 'the documentation builds, its links lead somewhere, the code of the guide runs',
    needs: ['build'],
    run: async () => {
      await buildDocs();
      await nodeTests('tests/docs');
    },
  },
  {
    name: 'browser',
    what: 'the package, the demo page and the documentation in Chromium, threads in Firefox as well',
    needs: ['build', 'browser'],
    run: async () => {
      await buildDocs(); // lies beside the page
      await show(['vite', 'build', 'web-demo']);
      await nodeTests('tests/browser', {
        CHROMIUM_PATH: await ensureChromium(),
        FIREFOX_PATH: await ensureFirefox(),
        DEMO_IS_BUILT: '1',
      });
    },
  },
];

const HELP = `npm test -- [--only <step>]... [--keep-going]

  --only <step>  runs this step alone; may be given several times
  --keep-going   goes on after a step that failed
  --help         shows this

Steps, in order:
${STEPS.map(({ name, what }) => `  ${name.padEnd(12)} ${what}`).join('\n')}`;

/**
 * Runs the test files of a folder with Node's own runner, as many at a time as there are processors. What browsers do depends on
 * moments, and those on what else runs: a file that failed beside others runs once more, alone, and that counts.
 */
async function nodeTests(folder, env) {
  // Larger ones take longer, and begin first.
  const size = (file) => statSync(at(file)).size;
  const files = (existsSync(at(folder)) ? readdirSync(at(folder)) : [])
    .filter((name) => name.endsWith('.test.mjs'))
    .map((name) => `${folder}/${name}`)
    .sort((a, b) => size(b) - size(a));
  if (files.length === 0) throw new StepError(`${folder} has no *.test.mjs`);
  const reporters = ['spec', './scripts/lib/ended_reporter.mjs'].flatMap((reporter) => [
    `--test-reporter=${reporter}`,
    '--test-reporter-destination=stdout',
  ]);
  const command = (file) => ['node', '--test', ...reporters, file];

  const failed = [];
  const waiting = [...files];
  const lane = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      console.log(`$ node --test ${file} ...`);
      const { passed, said } = await keep(command(file), env);
      console.log(`\n${file}:\n${said}`);
      if (!passed) failed.push(file);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, lane));
  for (const file of failed) {
    console.log(`\n${file} failed beside others; once more, alone:`);
    await show(command(file), env);
    console.log(`${file} passed alone`);
  }
}

/** Every kernel prints a hash of what it computed: debugged, optimized, and by the vectors of WebAssembly. */
async function compareDigests() {
  for (const preset of ['asan', 'native', 'wasm-tests']) await buildPreset(preset, ['layernorm_digest']);
  const lines = digestOf(['build/asan/tests/layernorm_digest']);
  const others = {
    optimized: digestOf(['build/native/tests/layernorm_digest']),
    wasm: digestOf(['node', 'build/wasm-tests/tests/layernorm_digest.cjs']),
  };
  for (const [name, other] of Object.entries(others)) {
    const differing = lines.flatMap((line, i) =>
      line === other[i] ? [] : [`native: ${line}\n${name}: ${other[i]}`],
    );
    if (lines.length !== other.length || differing.length > 0)
      throw new StepError(
        [...differing, `${lines.length} lines natively, ${other.length}: ${name}`].join('\n'),
      );
  }
  writeFileSync(at('build', 'digest.txt'), `${lines.join('\n')}\n`); // for the Jest test of what is shipped
  console.log(`${lines.length} digests are equal`);
}

function digestOf(command) {
  console.log(`$ ${command.join(' ')}`);
  const lines = output(command)?.trim().split('\n');
  if (!lines?.[0]) throw new StepError(`${command.join(' ')} failed or printed nothing`);
  return lines;
}

await main(import.meta, async () => {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true },
      'keep-going': { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return console.log(HELP);
  const unknown = values.only?.find((name) => !STEPS.some((step) => step.name === name));
  if (unknown) throw new StepError(`There is no step ${unknown}.\n\n${HELP}`);
  const steps = values.only ? STEPS.filter(({ name }) => values.only.includes(name)) : STEPS;

  await setUp([...new Set(steps.flatMap(({ needs }) => needs))]);
  const results = await runSteps(steps, values['keep-going']);
  const failed = results.filter(({ result }) => result === 'failed').length;
  console.log('\nSummary');
  for (const { name, result, time } of results)
    console.log(`  ${name.padEnd(12)} ${result.padEnd(8)} ${time}`);
  console.log(`\n${results.filter(({ result }) => result === 'passed').length} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
});

async function runSteps(steps, keepGoing) {
  const results = [];
  for (const { name, what, run } of steps) {
    if (!keepGoing && results.some(({ result }) => result === 'failed')) {
      results.push({ name, result: 'not run', time: '' });
      continue;
    }
    console.log(`\n=== ${name}: ${what}`);
    const start = Date.now();
    const error = await run().then(
      () => undefined,
      (caught) => caught,
    );
    const result = error ? 'failed' : 'passed';
    const time = `${((Date.now() - start) / 1000).toFixed(1)} s`;
    if (error) console.error(error instanceof StepError ? error.message : error);
    console.log(`--- ${name}: ${result} after ${time}`);
    results.push({ name, result, time });
  }
  return results;
}
