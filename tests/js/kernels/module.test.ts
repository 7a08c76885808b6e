import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { forSharedMemory, instantiate } from '../../../js/src/kernels/module.js';
import { decodeText } from '../../../js/src/runtime/compile.js';
import { expectError } from '../support/errors.js';
import text from '../support/kernels_bytes.js';

const shipped = readFileSync(createRequire(import.meta.url).resolve('layernorm/layernorm-kernels.wasm'));

/** The ids of the sections of a module. */
function sectionsOf(bytes: Uint8Array): number[] {
  const ids: number[] = [];
  for (let at = 8; at < bytes.length; ) {
    ids.push(bytes[at++] as number);
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] as number;
      size += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    at += size;
  }
  return ids;
}

const DATA_SECTION = 11;
const MEMORY_SECTION = 5;

test('what is shipped imports a memory and nothing else', () => {
  const module = new WebAssembly.Module(shipped);
  expect(WebAssembly.Module.imports(module)).toEqual([{ module: 'env', name: 'memory', kind: 'memory' }]);
});

test('what is shipped has no data, and no memory of its own', () => {
  const sections = sectionsOf(shipped);
  expect(sections.length).toBeGreaterThan(4);
  expect(sections).not.toContain(DATA_SECTION);
  expect(sections).not.toContain(MEMORY_SECTION);
});

test('it never grows a memory, which would detach the views of its host', () => {
  const memory = new WebAssembly.Memory({ initial: 3 });
  const { exports } = instantiate('test', memory);
  expect(
    Object.values(exports).every((one) => typeof one === 'function' || one instanceof WebAssembly.Global),
  ).toBe(true);
  expect(memory.buffer.byteLength).toBe(3 * 65536);
});

test('for a shared memory only the import differs', () => {
  const bytes = decodeText(text);
  const changed = forSharedMemory(bytes);
  expect(sectionsOf(changed)).toEqual(sectionsOf(bytes));
  expect(changed.length).toBe(bytes.length + 3);
  const memory = new WebAssembly.Memory({ initial: 3, maximum: 5, shared: true });
  expect(() => new WebAssembly.Instance(new WebAssembly.Module(changed), { env: { memory } })).not.toThrow();
  expect(() => new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } })).toThrow(
    WebAssembly.LinkError,
  );
});

test('a module of another kind is refused', () => {
  expectError(
    () => forSharedMemory(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])),
    'ERR_LOAD',
    /imports nothing/,
  );
  // (module (import "env" "memory" (memory 1)))
  const memoryOnly = [
    0, 97, 115, 109, 1, 0, 0, 0, 2, 15, 1, 3, 101, 110, 118, 6, 109, 101, 109, 111, 114, 121, 2, 0, 1,
  ];
  const module = new WebAssembly.Module(new Uint8Array(memoryOnly));
  const memory = new WebAssembly.Memory({ initial: 1 });
  expectError(
    () => instantiate('createKernels', memory, module),
    'ERR_LOAD',
    /is not the layernorm-kernels.wasm of layernorm/,
  );
});
