import { readFileSync } from 'node:fs';
import { unzipSync } from 'fflate';

/** A file of tests/golden/numpy. */
export function numpyFile(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../../golden/numpy/${name}`, import.meta.url)));
}

/** The .npy files that NumPy wrote, by their names. */
export function numpyArrays(): Record<string, Uint8Array> {
  return unzipSync(numpyFile('arrays.zip'));
}
