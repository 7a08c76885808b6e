// The installed package in Node: every way to load it, and what loading it does to the rest of the process.

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { at } from '../../scripts/lib/paths.mjs';
import { install, run } from './support/installed.mjs';

/** Of [1, 2, 3] and [10, 20, 60], by the formula in float64. */
const EXPECTED = [-1.2238273, 0, 1.2238273, -0.9258192, -0.4629096, 1.3887287];
/** Of the first of them. */
const ROW = EXPECTED.slice(0, 3);

/** An error that nobody catches shows the line that threw: it should not fill the screen. */
const MAX_SHOWN = 300;

let app;
before(() => {
  app = install('node');
});

/** Runs a consumer in a new process. */
const node = (...args) => run(process.execPath, args, { cwd: app });

/** What a consumer prints as JSON, when it ends well and says nothing else. */
function answer(...args) {
  const { status, stdout, stderr } = node(...args);
  assert.equal(stderr, '');
  assert.equal(status, 0);
  return JSON.parse(stdout);
}

function assertClose(actual, expected) {
  assert.equal(actual.length, expected.length);
  actual.forEach((value, i) => {
    assert.ok(Math.abs(value - expected[i]) < 1e-6, `element ${i} is ${value}, expected ${expected[i]}`);
  });
}

describe('loading', () => {
  test('import', () => assertClose(answer('import.mjs'), EXPECTED));

  test('require', () => assertClose(answer('require.cjs'), EXPECTED));

  test('require of the ES module, which the browser condition names for import', () => {
    assertClose(answer('require_esm.cjs'), EXPECTED);
  });

  test('the browser condition', () => {
    assertClose(answer('--conditions=browser', 'import.mjs'), EXPECTED);
    assertClose(answer('--conditions=browser', 'require.cjs'), EXPECTED);
  });

  test('import and require in one process agree, and refuse the tensors of each other', () => {
    assert.deepEqual(answer('both_kinds.mjs'), {
      same: true,
      copies: true,
      refusal: 'LayerNormError ERR_ARGUMENT',
    });
  });

  test('worker threads, by import and by require', () => {
    const results = answer('workers.mjs');
    assert.equal(results.length, 3);
    for (const result of results) assertClose(result, ROW);
  });

  test('the names of the exports can be read from the CommonJS file', () => {
    assert.deepEqual(answer('named_exports.mjs'), [
      'BatchNormalization',
      'DTypePolicy',
      'GroupNormalization',
      'LayerNormError',
      'LayerNormalization',
      'Moments',
      'Normalization',
      'RMSNormalization',
      'SpectralNormalization',
      'UnitNormalization',
      'Weight',
      'batchNorm',
      'batchNormBackward',
      'batchNormForward',
      'configure',
      'constraints',
      'createEngine',
      'default',
      'deserializeLayer',
      'groupNorm',
      'groupNormBackward',
      'groupNormForward',
      'info',
      'initializers',
      'instanceNorm',
      'instanceNormBackward',
      'instanceNormForward',
      'layerNorm',
      'layerNormBackward',
      'layerNormForward',
      'matryoshka',
      'moments',
      'momentsCombiner',
      'regularizers',
      'rmsNorm',
      'rmsNormBackward',
      'rmsNormForward',
      'serializeLayer',
      'setWarningHandler',
      'skipLayerNorm',
      'skipLayerNormForward',
      'skipRmsNorm',
      'skipRmsNormForward',
      'spectralNorm',
      'spectralNormBackward',
      'tensor',
      'unitNorm',
      'unitNormBackward',
      'unitNormForward',
    ]);
  });

  test('no code is made from strings', () => {
    assertClose(answer('--disallow-code-generation-from-strings', 'import.mjs'), EXPECTED);
    assertClose(answer('--disallow-code-generation-from-strings', 'require.cjs'), EXPECTED);
  });

  test('intrinsics may be frozen', () => {
    assertClose(answer('--no-warnings', '--frozen-intrinsics', 'import.mjs'), EXPECTED);
  });

  test('layernorm.wasm is found by its sub-path and can be handed to createEngine', () => {
    assert.deepEqual(answer('wasm_file.mjs'), { samePath: true, sameResult: true });
  });

  test('layernorm/kernels, imported, required and with its module compiled by the caller', () => {
    const bits = answer('kernels.mjs');
    assert.equal(bits.same, true);
    assert.deepEqual(answer('kernels.cjs'), bits);
  });

  test('layernorm/keras, imported and required: its errors are those of the main entry', () => {
    const expected = { className: 'LayerNormalization', beta: [1, 2], code: 'ERR_FILE', ours: true };
    assert.deepEqual(answer('keras.mjs'), expected);
    assert.deepEqual(answer('keras.cjs'), expected);
  });

  test('layernorm/tfjs, imported and required, with a TensorFlow.js that is handed in', () => {
    const path = at('package.json'); // whose TensorFlow.js it is
    for (const consumer of ['tfjs.mjs', 'tfjs.cjs']) {
      const { backend, loss, same } = answer(consumer, path);
      assert.equal(backend, 'wasm');
      assert.ok(loss.at(-1) < loss[0] / 2, loss.join(' '));
      assert.equal(same, true);
    }
  });
});

test('importing does nothing, the first call is synchronous, and nobody else notices either', () => {
  const { objects, ...seen } = answer('at_import.mjs');
  assert.ok(objects > 1000, `compared ${objects} objects only`);
  assert.deepEqual(seen, {
    usesAtImport: 0,
    usesAtFirstCall: 3, // a module, a memory, an instance
    synchronous: true,
    changedByImport: [],
    changedByCalls: [],
    resources: 0,
    listeners: 0,
  });
});

describe('threads', () => {
  test('by import: the same bits, no new globals, and the process ends by itself', () => {
    assert.deepEqual(answer('threads.mjs'), {
      threads: 3,
      variant: 'simd-mt',
      reason: null,
      equal: 30,
      globals: 0,
    });
  });

  test('by require', () => {
    const { row, ...rest } = answer('threads.cjs');
    assert.deepEqual(rest, { threads: 2, variant: 'simd-mt' });
    assertClose(row, ROW);
  });

  test('no code is made from strings', () => {
    assert.equal(answer('--disallow-code-generation-from-strings', 'threads.mjs').threads, 3);
  });
});

describe('errors', () => {
  for (const file of ['bad_input.mjs', 'bad_input.cjs']) {
    test(`${file}: bad input that nobody catches ends the process with the whole message`, () => {
      const { status, stdout, stderr } = node(file);
      assert.equal(status, 1);
      assert.equal(stdout, '');
      assert.match(stderr, /layerNorm: x has 6 elements, expected 8, the product of its shape \[2, 4\]/);
      assert.match(stderr, /code: 'ERR_SHAPE'/);
      const longest = Math.max(...stderr.split('\n').map((line) => line.length));
      assert.ok(longest < MAX_SHOWN, `a line of ${longest} characters was shown`);
    });
  }

  test('the source map leads to the TypeScript', () => {
    const { stderr } = node('--enable-source-maps', 'bad_input.mjs');
    assert.match(stderr, /js\/src\/tensor\/tensor_like\.ts:\d+\n\s*throw new LayerNormError\(/);
    assert.match(stderr, /at readCall \(.*js\/src\/ops\/normalize\.ts:\d+:\d+\)/);
  });

  test('a module that does not fit is refused, and nothing else happens', () => {
    const { status, stdout, stderr } = node('wrong_module.mjs');
    const lines = stdout.trim().split('\n');
    assert.equal(stderr, '');
    assert.deepEqual(lines.slice(0, -1), [
      'empty: LayerNormError ERR_LOAD',
      'asks for what nobody has: LayerNormError ERR_LOAD',
    ]);
    assertClose(JSON.parse(lines.at(-1)), ROW);
    assert.equal(status, 0);
  });

  test('a runtime without WebAssembly gets told so', () => {
    const { status, stdout } = node('--jitless', 'without_wasm.cjs');
    assert.equal(
      stdout,
      'LayerNormError ERR_LOAD load: this runtime has no WebAssembly, which layernorm needs\n',
    );
    assert.equal(status, 0);
  });
});
