import { compile, decodeText } from '../../../js/src/runtime/compile.js';
import { readText } from '../../../js/src/runtime/core_module.js';
import { instantiate, setDefaultModule } from '../../../js/src/runtime/load.js';
import text from '../support/core_bytes.js';
import { expectError, thrownBy } from '../support/errors.js';
import version from '../support/version.js';

test('an instance is ready at once, with a memory that starts at 1 MiB', () => {
  const { core, memory } = instantiate('test');
  expect(memory.buffer.byteLength).toBe(2 ** 20);
  expect(readText(memory, core.version())).toBe(version);
});

test('instances have memories of their own', () => {
  const [a, b] = [instantiate('test'), instantiate('test')];
  expect(a.memory).not.toBe(b.memory);
});

test('the memory stops growing at maxMemory', () => {
  const { core, memory } = instantiate('test', undefined, 4 * 2 ** 20);
  expect(core.allocate(2 * 2 ** 20)).toBeGreaterThan(0);
  expect(core.allocate(2 * 2 ** 20)).toBe(0);
  expect(memory.buffer.byteLength).toBeLessThanOrEqual(4 * 2 ** 20);
});

test.each([0, -1, 2 ** 20 - 1, 2 ** 32 + 65536, Number.NaN, '1 GB'])(
  'maxMemory of %p is refused',
  (bytes) => {
    expectError(
      () => instantiate('createEngine', undefined, bytes as number),
      'ERR_ARGUMENT',
      /^createEngine: maxMemory is .* bytes, expected 1048576 to 4294967296$/,
    );
  },
);

test('a module that is not the core is refused with what the engine says of it', () => {
  const other = new WebAssembly.Module(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
  expectError(
    () => instantiate('createEngine', other),
    'ERR_LOAD',
    /^createEngine: the WebAssembly module does not fit/,
  );
  expect(thrownBy(() => instantiate('createEngine', other)).cause).toBeInstanceOf(Error);
});

test('a module of another version is refused, and both versions are named', () => {
  const bytes = decodeText(text);
  const other = Buffer.from(bytes);
  other.write('9.9.9', other.indexOf(`${version}\0`));
  expect(other.equals(bytes)).toBe(false);
  expectError(
    () => instantiate('load', compile(new Uint8Array(other))),
    'ERR_LOAD',
    `load: the WebAssembly module is of layernorm 9.9.9, expected ${version}, the version of this JavaScript`,
  );
});

test('a refused memory is reported as such', () => {
  const { Memory } = WebAssembly;
  WebAssembly.Memory = class extends Memory {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      super(descriptor);
      throw new RangeError('could not allocate memory');
    }
  };
  try {
    expectError(
      () => instantiate('load'),
      'ERR_OUT_OF_MEMORY',
      /createEngine\(\{ maxMemory \}\) asks for less/,
    );
  } finally {
    WebAssembly.Memory = Memory;
  }
});

test('the default module can be given where compiling from bytes is forbidden', () => {
  const given = compile(decodeText(text));
  setDefaultModule(given);
  const { Module } = WebAssembly;
  WebAssembly.Module = class extends Module {
    constructor(bytes: BufferSource) {
      super(bytes);
      throw new WebAssembly.CompileError('forbidden');
    }
  };
  try {
    expect(instantiate('test').core.version()).toBeGreaterThan(0);
  } finally {
    WebAssembly.Module = Module;
  }
});
