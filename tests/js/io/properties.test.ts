// Files at random: what is written is read, and what is damaged is read or refused, quickly and without other errors. LAYERNORM_FUZZ_RUNS
// says how many files of each kind are damaged, for runs of hours.

import fc from 'fast-check';
import { zipSync } from 'fflate';
import { LayerNormError } from 'layernorm';
import { modelOf } from '../../../bench/peers/onnx_model.mjs';
import type { FileDType } from '../../../js/src/io/dtypes.js';
import type { FileArray } from '../../../js/src/io/elements.js';
import { readNpy, writeNpy } from '../../../js/src/io/npy.js';
import { readNpz } from '../../../js/src/io/npz.js';
import { readOnnx } from '../../../js/src/io/onnx.js';
import { readSafetensors, writeSafetensors } from '../../../js/src/io/safetensors.js';
import { mutants } from '../demo/support/mutants.js';
import { numpyArrays, numpyFile } from '../support/numpy_files.js';

const RUNS = Number(process.env.LAYERNORM_FUZZ_RUNS ?? 2000);

const TYPES = {
  ...{ float16: Uint16Array, bfloat16: Uint16Array, float32: Float32Array, float64: Float64Array },
  ...{ int8: Int8Array, int16: Int16Array, int32: Int32Array, int64: Float64Array },
  ...{ uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, uint64: Float64Array },
  bool: Uint8Array,
};
const SAFE = 2 ** 53 - 1;
const RANGES: Record<string, [number, number]> = { int64: [-SAFE, SAFE], uint64: [0, SAFE], bool: [0, 1] };

/** An array of any type and shape, of any elements. */
const arrays = fc
  .tuple(fc.constantFrom(...(Object.keys(TYPES) as FileDType[])), fc.array(fc.nat(4), { maxLength: 5 }))
  .chain(([dtype, shape]) => {
    const length = shape.reduce((product, size) => product * size, 1);
    const [min, max] = RANGES[dtype] ?? [-(2 ** 31), 2 ** 31 - 1];
    const isFloat = dtype === 'float32' || dtype === 'float64';
    const item = isFloat
      ? fc.double()
      : fc.maxSafeInteger().map((n) => min + (Math.abs(n) % (max - min + 1)));
    return fc
      .array(item, { minLength: length, maxLength: length })
      .map((numbers) => ({ data: TYPES[dtype].from(numbers), shape, dtype }) as FileArray);
  });

test('arrays of every type and shape come out as they went in', () => {
  fc.assert(
    fc.property(arrays, fc.nat(9), (x, shift) => {
      const file = writeSafetensors({ x, other: Uint8Array.of(1) });
      // At an odd address nothing lies aligned.
      const moved = new Uint8Array(file.length + shift);
      moved.set(file, shift);
      expect(readSafetensors(moved.subarray(shift)).get('x')).toEqual(x);
      if (x.dtype === 'bfloat16') return;
      expect(readNpy(writeNpy(x))).toEqual(x);
    }),
    { numRuns: 300 },
  );
});

/** Reads all that is in a file. */
const READERS: Record<string, [files: Uint8Array[], read: (bytes: Uint8Array) => Promise<FileArray[]>]> = {
  '.npy': [Object.values(numpyArrays()), async (bytes) => [readNpy(bytes)]],
  '.npz': [
    [numpyFile('plain.npz'), numpyFile('compressed.npz'), zipSync({ 'a.npy': writeNpy(Float32Array.of(1)) })],
    async (bytes) => {
      const file = readNpz(bytes, { maxBytes: 2 ** 20 });
      return Promise.all(file.names.map((name) => file.get(name)));
    },
  ],
  safetensors: [
    [
      writeSafetensors({
        a: Float32Array.of(1, 2),
        b: { data: Uint16Array.of(1), shape: [1, 1], dtype: 'bfloat16' },
      }),
      writeSafetensors({ w: Int8Array.of(1, 2, 3, 4) }, { metadata: { format: 'pt' } }),
    ],
    async (bytes) => {
      const file = readSafetensors(bytes);
      return file.names.map((name) => file.get(name));
    },
  ],
  ONNX: [
    (['LayerNormalization', 'BatchNormalization'] as const).map((operator) => {
      const weight = (name: string) => ({
        name,
        dtype: 'float32' as const,
        shape: [3],
        bytes: new Uint8Array(12),
      });
      const [x, w, b] = [weight('x'), weight('w'), weight('b')];
      return modelOf({
        operator,
        opset: 17,
        floats: { epsilon: 1 },
        inputs: [x, w, b],
        initializers: [w, b],
        outputs: [x],
      });
    }),
    async (bytes) => {
      const file = readOnnx(bytes, { externalData: () => new Uint8Array(12) });
      const parameters = file.normalizations.flatMap(({ gamma, beta, mean, variance, bias }) => [
        gamma,
        beta,
        mean,
        variance,
        bias,
      ]);
      return [...file.names.map((name) => file.get(name)), ...parameters.filter((one) => one !== undefined)];
    },
  ],
};

test.each(Object.keys(READERS))(
  '%s: whatever is changed in a valid file, it is read or refused',
  async (kind) => {
    const [files, read] = READERS[kind] as (typeof READERS)[string];
    const outcomes = { read: 0, refused: 0 };
    let slowest = 0;
    for (const bytes of mutants(
      files.map((file) => file.slice().buffer),
      RUNS,
    )) {
      const start = performance.now();
      try {
        for (const { data, shape } of await read(bytes)) {
          expect(data.length).toBe(shape.reduce((product, size) => product * size, 1));
          // No array is larger than what the file can hold.
          expect(data.byteLength).toBeLessThanOrEqual(8 * Math.max(bytes.length, 2 ** 20));
        }
        outcomes.read++;
      } catch (error) {
        if (!(error instanceof LayerNormError)) throw error;
        expect(['ERR_FILE', 'ERR_ARGUMENT']).toContain(error.code);
        outcomes.refused++;
      }
      slowest = Math.max(slowest, performance.now() - start);
    }
    expect(Math.min(outcomes.read, outcomes.refused)).toBeGreaterThan(RUNS / 100);
    expect(slowest).toBeLessThan(2000);
  },
);
