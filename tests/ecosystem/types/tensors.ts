// Compiled, never run: the tensors of other libraries, by their own declarations, and what comes back for them.
import type { Tensor as TransformersTensor } from '@huggingface/transformers';
import type * as tf from '@tensorflow/tfjs-core';
import type * as arrow from 'apache-arrow';
import { type DType, layerNorm, layerNormForward, type TensorLike, tensor } from 'layernorm';
import { layer_norm, normalize } from 'layernorm/transformers';
import type { Tensor as NodeTensor, TypedTensor } from 'onnxruntime-node';
import type { Tensor as WebTensor } from 'onnxruntime-web';

/** Fails to compile unless both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

function expectType<T>() {
  return <U>(_value: U, ..._same: Same<T, U> extends true ? [] : [never]): void => {};
}

declare const node: NodeTensor;
declare const web: WebTensor;
declare const typed: TypedTensor<'float32'>;
declare const float64: TypedTensor<'float64'>;
declare const embeddings: TransformersTensor;
declare const vectors: arrow.Vector<arrow.FixedSizeList<arrow.Float32>>;
declare const wide: arrow.Vector<arrow.FixedSizeList<arrow.Float64>>;
declare const half: arrow.Vector<arrow.FixedSizeList<arrow.Float16>>;
declare const column: arrow.Vector<arrow.Float64>;
declare const any: arrow.Vector;
declare const tensor2d: tf.Tensor2D;

for (const value of [node, web, typed, embeddings, vectors, column, any, tensor2d]) {
  const like: TensorLike = value;
  layerNorm(like, { gamma: like });
}

expectType<typeof typed>()(layerNorm(typed));
expectType<typeof float64>()(layerNorm(float64));
expectType<typeof typed>()(layerNormForward(typed).mean);

// What comes back has the methods of the library.
layer_norm(embeddings, [768], { weight: typed, eps: 1e-5 }).slice(null, [0, 256]);
normalize(embeddings).tolist();
normalize(layer_norm(embeddings, [768]).slice(null, [0, 256]), { dim: -1, eps: 1e-12 });
layer_norm(typed, [768]).getData();
layer_norm(tensor([[1, 2]]), [2]).dispose();

// Vectors of Arrow, and tensors that are read out.
expectType<{ data: Float32Array<ArrayBuffer>; shape: number[]; dtype: 'float32' }>()(layerNorm(vectors));
expectType<{ data: Float64Array<ArrayBuffer>; shape: number[]; dtype: 'float64' }>()(layerNorm(wide));
expectType<{ data: Float64Array<ArrayBuffer>; shape: number[]; dtype: 'float64' }>()(layerNorm(column));
expectType<'float16'>()(layerNorm(half, { dtype: 'float16' }).dtype);
expectType<DType>()(layerNorm(half).dtype);
expectType<DType>()(layerNorm(any).dtype);
expectType<typeof vectors>()(layerNorm(wide, { out: vectors }));
expectType<{ data: Float32Array<ArrayBuffer>; shape: number[]; dtype: 'float32' }>()(layerNorm(tensor2d));

// @ts-expect-error it does not say its shape
layer_norm(new Float32Array(2), [2]);
// @ts-expect-error the option of the main entry
layer_norm(embeddings, [768], { epsilon: 1e-5 });
// @ts-expect-error there is one definition to be compatible with
layer_norm(embeddings, [768], { compat: 'pytorch' });
// @ts-expect-error no other norm
normalize(embeddings, { p: 1 });
// @ts-expect-error options are an object
normalize(embeddings, 2, -1);
