// Compiled, never run: arrays of files go into the operations, and what comes out has the type that their elements decide.
import { layerNorm, tensor } from 'layernorm';
import {
  type FileArray,
  type FileArrayOf,
  type FileDType,
  readNpy,
  readNpz,
  readOnnx,
  readSafetensors,
  writeNpy,
  writeSafetensors,
} from 'layernorm/io';

declare const bytes: Uint8Array;
declare const bfloat16: FileArrayOf<'bfloat16'>;
declare const int64: FileArrayOf<'int64'>;

/** Fails to compile unless both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

function expectType<T>() {
  return <U>(_value: U, ..._same: Same<T, U> extends true ? [] : [never]): void => {};
}

const array: FileArray = readNpy(bytes);
expectType<Uint16Array<ArrayBuffer>>()(layerNorm(bfloat16, {}).data);
expectType<Float64Array<ArrayBuffer>>()(layerNorm(int64, {}).data);
if (array.dtype === 'float32') expectType<Float32Array>()(array.data);

const [norm] = readOnnx(bytes, {
  externalData: (_location, offset, length) => bytes.subarray(offset, offset + length),
}).normalizations;
layerNorm(array, {
  gamma: norm?.gamma ?? null,
  beta: readSafetensors(bytes).get('b'),
  epsilon: norm?.epsilon ?? null,
});
layerNorm(array, { gamma: await readNpz(bytes).get('gamma') });

expectType<FileDType | null | undefined>()(readSafetensors(bytes).tensors.get('x')?.dtype);
writeNpy(array);
writeNpy([[1, 2]], { dtype: 'int64' });
writeSafetensors({ x: tensor([1]), y: array }, { metadata: { format: 'pt' } });
writeSafetensors(new Map([['x', new Float32Array(1)]]));

// @ts-expect-error: no such type
writeNpy(array, { dtype: 'F32' });
// @ts-expect-error: notes are texts
writeSafetensors({}, { metadata: { version: 1 } });
