// Not a normalization: WebAssembly's memory.copy of x to y, beside what reads x and writes y. What memory allows, in and out of the cache.

import { isSixteenBit, OPERATIONS } from '../lib/operations.mjs';

const PAGE = 64 * 1024;

/** (module (import "m" "m" (memory 0)) (func (export "copy") (param i32 i32 i32) local.get 0,1,2 memory.copy)) */
// biome-ignore format: one section a line
const MODULE = new Uint8Array([
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00,
  0x01, 0x07, 0x01, 0x60, 0x03, 0x7f, 0x7f, 0x7f, 0x00,
  0x02, 0x08, 0x01, 0x01, 0x6d, 0x01, 0x6d, 0x02, 0x00, 0x00,
  0x03, 0x02, 0x01, 0x00,
  0x07, 0x08, 0x01, 0x04, 0x63, 0x6f, 0x70, 0x79, 0x00, 0x00,
  0x0a, 0x0e, 0x01, 0x0c, 0x00, 0x20, 0x00, 0x20, 0x01, 0x20, 0x02, 0xfc, 0x0a, 0x00, 0x00, 0x0b,
]);

/** @type {import('./index.mjs').Open} */
export async function open() {
  const module = new WebAssembly.Module(MODULE);
  return {
    title: 'memory.copy in WebAssembly, which normalizes nothing',
    candidate({ case: { inPlace, operation, dtype }, arrays: { x: numbers } }) {
      if (inPlace || OPERATIONS[operation].passes !== 2) return undefined;
      const x = isSixteenBit(dtype) ? Uint16Array.from(numbers) : numbers;
      const memory = new WebAssembly.Memory({ initial: Math.ceil((2 * x.byteLength) / PAGE) });
      const { copy } = new WebAssembly.Instance(module, { m: { m: memory } }).exports;
      const source = new x.constructor(memory.buffer, 0, x.length);
      const target = new x.constructor(memory.buffer, x.byteLength, x.length);
      source.set(x);
      return {
        call: () => copy(x.byteLength, 0, x.byteLength),
        expected: [x],
        reset: () => target.fill(Number.NaN),
        results: () => [target],
      };
    },
    close() {},
  };
}
