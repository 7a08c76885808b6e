// Vectors as @duckdb/node-api has them, and what registers functions with it: for tests of single source files. The real ones are in
// tests/ecosystem/duckdb.test.mjs.

import type { ArrayVector } from '../../../js/src/duckdb/vectors.js';

export class FakeValidity {
  data: BigUint64Array | null = null;

  constructor(readonly length: number) {}

  setItemValid(index: number, isValid: boolean): void {
    if (this.data === null && isValid) return;
    this.data ??= new BigUint64Array(Math.ceil(this.length / 64)).fill(2n ** 64n - 1n);
    const bit = 1n << BigInt(index % 64);
    const word = this.data[Math.floor(index / 64)] as bigint;
    this.data[Math.floor(index / 64)] = isValid ? word | bit : word & ~bit;
  }
}

/** A vector of arrays of so many elements. */
export function fakeArrays(
  items: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>,
  dim: number,
): ArrayVector & { flushed: number } {
  return {
    type: { length: dim },
    childData: { items, validity: new FakeValidity(items.length) },
    validity: new FakeValidity(items.length / dim),
    flushed: 0,
    flush() {
      this.flushed++;
    },
  };
}
