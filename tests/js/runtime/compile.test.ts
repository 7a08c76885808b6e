import { compile, decodeText } from '../../../js/src/runtime/compile.js';
import { encodeText } from '../../../scripts/lib/wasm_text.mjs';
import text from '../support/core_bytes.js';
import { expectError, thrownBy } from '../support/errors.js';

/** The smallest module: a magic word and a version. */
const EMPTY_MODULE = new Uint8Array([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);

const engine = globalThis.WebAssembly;

afterEach(() => {
  globalThis.WebAssembly = engine;
});

test('decodes what the build encodes, each byte value and every frequency of them', () => {
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  const skewed = Uint8Array.from({ length: 5000 }, (_, i) => Math.floor((i * i) / 100_000) ^ (i % 7));
  for (const bytes of [new Uint8Array(0), EMPTY_MODULE, all, Uint8Array.from(all).reverse(), skewed]) {
    expect(Array.from(decodeText(encodeText(bytes)))).toEqual(Array.from(bytes));
  }
});

test('the text needs no escapes in a string of any kind', () => {
  expect(encodeText(Uint8Array.from({ length: 256 }, (_, i) => i))).toMatch(/^[ -~]+$/);
  expect(text).not.toMatch(/["'`\\$]/);
});

test('compiles the core of this package', () => {
  const exported = WebAssembly.Module.exports(compile(decodeText(text)));
  expect(exported.length).toBeGreaterThan(0);
});

test('says that WebAssembly is missing', () => {
  // @ts-expect-error no runtime that TypeScript knows lacks it
  globalThis.WebAssembly = undefined;
  expectError(
    () => compile(EMPTY_MODULE),
    'ERR_LOAD',
    'load: this runtime has no WebAssembly, which layernorm needs',
  );
});

test('names the size limit of old Chrome on the main thread', () => {
  const refusal = new RangeError('WebAssembly.Compile is disallowed on the main thread');
  globalThis.WebAssembly = Object.create(engine, {
    Module: {
      value: class {
        constructor() {
          throw refusal;
        }
      },
    },
  });
  expectError(() => compile(EMPTY_MODULE), 'ERR_LOAD', /in workers only \(Chrome before 114\)/);
});

test('names the policy that forbids to compile what is valid', () => {
  const refusal = new engine.CompileError('Wasm code generation disallowed by embedder');
  globalThis.WebAssembly = Object.create(engine, {
    Module: {
      value: class {
        constructor() {
          throw refusal;
        }
      },
    },
  });
  expectError(() => compile(EMPTY_MODULE), 'ERR_LOAD', /'wasm-unsafe-eval'.*createEngine\(\{ module \}\)/);
  expect(thrownBy(() => compile(EMPTY_MODULE)).cause).toBe(refusal);
});

test('says that SIMD is missing where the engine does not validate it', () => {
  globalThis.WebAssembly = Object.create(engine, {
    Module: {
      value: class {
        constructor() {
          throw new engine.CompileError('invalid value type');
        }
      },
    },
    validate: { value: () => false },
  });
  expectError(() => compile(EMPTY_MODULE), 'ERR_LOAD', /no WebAssembly SIMD, which layernorm needs/);
});

test('says that the module is damaged where the engine has SIMD', () => {
  expectError(
    () => compile(EMPTY_MODULE.slice(0, 5)),
    'ERR_LOAD',
    /the WebAssembly module is damaged \(5 bytes\)/,
  );
});
