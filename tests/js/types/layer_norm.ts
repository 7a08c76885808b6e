// Compiled, never run: the declarations say what comes back, and refuse what is refused.
import {
  configure,
  createEngine,
  type DType,
  type Engine,
  type LayerNormOptions,
  layerNorm,
  layerNormBackward,
  layerNormForward,
  matryoshka,
  type NestedArray,
  type Tensor,
  type TensorLike,
  tensor,
} from 'layernorm';

/** Fails to compile unless both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

function expectType<T>() {
  return <U>(_value: U, ..._same: Same<T, U> extends true ? [] : [never]): void => {};
}

declare const float32: Float32Array;
declare const float64: Float64Array;
declare const bytes: Uint8Array;
declare const anything: TensorLike;

// Typed arrays: float64 stays, everything else is float32. Results own their buffer, for Blob, postMessage and WebGPU.
expectType<Float32Array<ArrayBuffer>>()(layerNorm(float32));
expectType<Float64Array<ArrayBuffer>>()(layerNorm(float64));
expectType<Float32Array<ArrayBuffer>>()(layerNorm(bytes, { shape: [2, 2], axis: [0, 1], epsilon: 0 }));
expectType<Float64Array<ArrayBuffer>>()(layerNorm(float32, { dtype: 'float64' }));
expectType<Float32Array<ArrayBuffer>>()(layerNorm(float64, { dtype: 'float32' }));

// What is kept of embeddings: of the kind of x; how many is no matter of its type, but has to be said.
expectType<Float32Array<ArrayBuffer>>()(matryoshka(float32, { dimensions: 2 }));
expectType<Float64Array<ArrayBuffer>>()(matryoshka(float32, { dimensions: 2, dtype: 'float64' }));
expectType<number[][]>()(matryoshka([[1, 2]], { dimensions: 1 }));
expectType<Float32Array>()(matryoshka(anything, { dimensions: 1, out: float32 }));
// @ts-expect-error
matryoshka(float32);
// @ts-expect-error
matryoshka(float32, { axis: 0, dimensions: 2 });

// Nested arrays: as deep as they were.
expectType<number[]>()(layerNorm([1, 2, 3]));
expectType<number[][]>()(
  layerNorm([
    [1, 2],
    [3, 4],
  ]),
);
expectType<number[][][]>()(layerNorm([[[1]]] as const));
expectType<number[][]>()(layerNorm([float64, float64]));

// Tensors.
declare const t32: Tensor<'float32'>;
declare const t64: Tensor<'float64'>;
declare const some: Tensor;
expectType<Tensor<'float32'>>()(layerNorm(t32));
expectType<Tensor<'float64'>>()(layerNorm(t64));
expectType<Tensor<'float64'>>()(layerNorm(t32, { dtype: 'float64' }));
expectType<Tensor<DType>>()(layerNorm(some));
expectType<Float32Array<ArrayBuffer>>()(t32.array);
expectType<Float64Array<ArrayBuffer>>()(t64.array);
expectType<Tensor<'float32'>>()(tensor(float32, [2, 2]));
expectType<Tensor<'float64'>>()(tensor(float64));
expectType<Tensor<'float64'>>()(tensor([[1, 2]], null, 'float64'));
expectType<Tensor<'float32'>>()(tensor([[1, 2]]));

// 16 bits: bits stay bits, statistics and the gradients of parameters are float32. This lib has no Float16Array.
declare const bits: Uint16Array;
expectType<Float32Array<ArrayBuffer>>()(layerNorm(bits));
expectType<Uint16Array<ArrayBuffer>>()(layerNorm(bits, { dtype: 'float16' }));
expectType<Uint16Array<ArrayBuffer>>()(layerNorm(float32, { dtype: 'bfloat16' }));
expectType<number[]>()(layerNorm([1], { dtype: 'float16' }));
expectType<Float32Array<ArrayBuffer>>()(layerNormForward(bits, { dtype: 'float16' }).mean);
declare const t16: Tensor<'float16'>;
expectType<Tensor<'float16'>>()(layerNorm(t16));
expectType<Tensor<'float32'>>()(layerNormForward(t16).rstd);
expectType<Uint16Array<ArrayBuffer>>()(t16.array);
expectType<Tensor<'bfloat16'>>()(tensor(bits, [2], 'bfloat16'));
const gradients16 = layerNormBackward(t16, t16, { mean: float32, rstd: float32 });
expectType<Tensor<'float16'>>()(gradients16.dx);
expectType<Tensor<'float32'>>()(gradients16.dgamma);
expectType<Uint16Array>()(layerNorm({ data: bits, dims: [2], type: 'bfloat16' } as const).data);
expectType<Float32Array<ArrayBuffer>>()(layerNorm({ data: bits, dims: [2] }).data);

// Objects: a float tensor of another library comes back as one.
declare class OrtTensor {
  constructor(type: string, data: Float32Array, dims: readonly number[]);
  readonly type: 'float32';
  readonly data: Float32Array;
  readonly dims: readonly number[];
  readonly location: 'cpu' | 'gpu-buffer';
  getData(): Promise<Float32Array>;
}
declare const ort: OrtTensor;
expectType<OrtTensor>()(layerNorm(ort));
expectType<Float32Array<ArrayBuffer>>()(layerNorm({ data: bytes, dims: [2, 2] }).data);
expectType<{ data: Float32Array<ArrayBuffer>; shape: number[] }>()(
  layerNorm({ data: float32, shape: [2, 2] }),
);
expectType<{ data: Float64Array<ArrayBuffer>; shape: number[]; dtype: 'float64' }>()(
  layerNorm({ data: float64, shape: [2, 2], dtype: 'float64' as string, stride: [1, 2], offset: 3 }),
);

// out is what comes back.
expectType<Float32Array<SharedArrayBuffer>>()(
  layerNorm(float32, { out: new Float32Array(new SharedArrayBuffer(8)) }),
);
expectType<Tensor<'float32'>>()(layerNorm(float32, { out: t32 }));
expectType<OrtTensor>()(layerNorm([1, 2], { out: ort }));
expectType<Float32Array<ArrayBuffer>>()(layerNorm(float32, { out: null }));

// Statistics are of the kind of x, whatever out is.
const forward = layerNormForward(t32, { out: float32 });
expectType<Float32Array>()(forward.y);
expectType<Tensor<'float32'>>()(forward.mean);
expectType<Tensor<'float32'>>()(forward.rstd);
expectType<number[][]>()(layerNormForward([[1]]).mean);

// Gradients are of the kind of x; those that are wanted are there.
const statistics = { mean: float32, rstd: [1] };
const gradients = layerNormBackward(anything, t64, statistics);
expectType<Tensor<'float64'>>()(gradients.dx);
expectType<Tensor<'float64'>>()(gradients.dgamma);
expectType<Tensor<'float64'>>()(gradients.dbeta);
expectType<Float32Array<ArrayBuffer>>()(
  layerNormBackward(float32, bytes, { ...statistics, gamma: [1] }).dgamma,
);
expectType<number[][]>()(layerNormBackward([[1]], [[1]], statistics).dx);
expectType<NestedArray>()(layerNormBackward([[1]], [[1]], { ...statistics, axis: [0, 1] }).dgamma);
expectType<number[]>()(layerNormBackward([1], [1], statistics).dbeta);
expectType<Float32Array>()(layerNormBackward(float32, t32, { ...statistics, out: float32 }).dx);
expectType<Tensor<'float32'>>()(layerNormBackward(float32, t32, { ...statistics, out: float32 }).dbeta);
expectType<'dx' | 'dbeta'>()(null as never as keyof ReturnType<typeof wantedOnly>);
function wantedOnly() {
  return layerNormBackward(float32, float32, { ...statistics, outputs: ['dx', 'dbeta'] });
}
const scaled = layerNormBackward(float32, float64, { ...statistics, rmsScaling: true, dtype: 'float32' });
expectType<Float32Array<ArrayBuffer>>()(scaled.dgamma);
expectType<Float32Array<ArrayBuffer> | undefined>()(scaled.dbeta);
// @ts-expect-error mean and rstd are needed
layerNormBackward(float32, float32, { mean: float32 });
// @ts-expect-error and so are the options
layerNormBackward(float32, float32);
// @ts-expect-error there is no such gradient
layerNormBackward(float32, float32, { ...statistics, outputs: ['dy'] });
// @ts-expect-error it was not wanted
layerNormBackward(float32, float32, { ...statistics, outputs: ['dx'] }).dgamma;
// @ts-expect-error epsilon is in rstd already
layerNormBackward(float32, float32, { ...statistics, epsilon: 1e-3 });

// gamma and beta may be anything that x may be; null stands for the default.
layerNorm(float32, {
  gamma: [1, 2],
  beta: t64,
  shape: null,
  axis: null,
  epsilon: null,
  rmsScaling: null,
  dtype: null,
});
layerNorm(float32, { gamma: { data: bytes, dims: [2] }, beta: anything });
const options: LayerNormOptions = { axis: -1 };
layerNorm(float32, options);
layerNorm(anything, options);

// Disposables.
{
  using inBlock = tensor([1, 2]);
  using normalized = layerNorm(inBlock);
  expectType<Tensor<'float32'>>()(normalized);
}
const disposable: Disposable = t32;
disposable[Symbol.dispose]();
async function engines(module: WebAssembly.Module): Promise<void> {
  await createEngine({ module, maxMemory: null });
  using engine: Engine = await createEngine({ maxMemory: 2 ** 26 });
  using own = engine.tensor(float64);
  expectType<Tensor<'float64'>>()(engine.layerNorm(own));
  expectType<Float32Array<ArrayBuffer>>()(engine.layerNormForward(float32).rstd);
}
void engines;

// What is refused at run time is refused here.
// @ts-expect-error the option of PyTorch
layerNorm(float32, { eps: 1e-5 });
// @ts-expect-error a misspelled option beside a right one
layerNorm(float32, { axis: -1, gama: float32 });
// @ts-expect-error an axis is an integer
layerNorm(float32, { axis: '1' });
// @ts-expect-error 64-bit integers
layerNorm(new BigInt64Array(2));
// @ts-expect-error text
layerNorm(['1']);
// @ts-expect-error no shape
layerNorm({ data: float32 });
// @ts-expect-error not how it is spelled
layerNorm(float32, { dtype: 'half' });
// @ts-expect-error integers cannot hold the result
layerNorm(float32, { out: bytes });
// @ts-expect-error nested arrays are not written to
layerNorm(float32, { out: [[1]] });
// @ts-expect-error options are an object
layerNorm(float32, [2, 2]);
// @ts-expect-error the shape is that of the tensor for good
t32.shape = [1];
// @ts-expect-error tensors are made by tensor()
new Tensor();
void createEngine({ threads: 4, requireThreads: true });
void configure({ threads: 'auto' }).then(({ threads, reason }): [number, string | undefined] => [
  threads,
  reason,
]);
// @ts-expect-error threads are counted, or 'auto'
void createEngine({ threads: 'many' });
// @ts-expect-error the memory is that of an engine
void configure({ maxMemory: 2 ** 26 });
