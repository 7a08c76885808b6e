// Compiled, never run: the declarations of what is normalized by channels, and of moments.
import {
  batchNorm,
  batchNormBackward,
  batchNormForward,
  type Engine,
  groupNorm,
  groupNormBackward,
  groupNormForward,
  instanceNorm,
  instanceNormBackward,
  type MaskLike,
  moments,
  type NestedArray,
  type Tensor,
  type TensorLike,
} from 'layernorm';

/** Fails to compile unless both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

function expectType<T>() {
  return <U>(_value: U, ..._same: Same<T, U> extends true ? [] : [never]): void => {};
}

declare const float32: Float32Array;
declare const float64: Float64Array;
declare const bits: Uint16Array;
declare const t32: Tensor<'float32'>;
declare const t16: Tensor<'float16'>;
declare const anything: TensorLike;

// y is of the kind of x, or out.
expectType<Float32Array<ArrayBuffer>>()(batchNorm(float32));
expectType<Float64Array<ArrayBuffer>>()(batchNorm(float64, { axis: 1, mean: float32, variance: [1] }));
expectType<Tensor<'float32'>>()(groupNorm(t32, { groups: -1, gamma: anything }));
expectType<number[][]>()(instanceNorm([[1, 2]]));
expectType<Float32Array>()(groupNorm(t32, { out: float32 }));
expectType<Uint16Array<ArrayBuffer>>()(instanceNorm(bits, { dtype: 'bfloat16' }));

// Statistics of channels have one dimension, those of groups two.
const batch = batchNormForward([[[1]]]);
expectType<number[][][]>()(batch.y);
expectType<number[]>()(batch.mean);
expectType<number[]>()(batch.rstd);
expectType<number[] | undefined>()(batch.movingMean);
expectType<number[][]>()(groupNormForward([[[1]]]).mean);
expectType<Tensor<'float32'>>()(groupNormForward(t16).rstd);
expectType<Float32Array<ArrayBuffer>>()(batchNormForward(bits, { dtype: 'float16' }).variance);

// Moving statistics come back where they are given.
const moving = batchNormForward(float64, { movingMean: float32, movingVariance: t32, momentum: 0.9 });
expectType<Float64Array<ArrayBuffer>>()(moving.movingMean);
expectType<Float64Array<ArrayBuffer>>()(moving.movingVariance);
expectType<Float64Array<ArrayBuffer> | undefined>()(
  batchNormForward(float64, { movingMean: null, movingVariance: null }).movingMean,
);

// Masks.
const masks: MaskLike[] = [[true, false], [[true], [false]], [1, 0], new Uint8Array(2), t32];
batchNorm(float32, { mask: masks[0], momentum: undefined } as { mask: MaskLike });
batchNorm(float32, { mask: [[true, false]] });
// @ts-expect-error text
batchNorm(float32, { mask: ['yes'] });

// Gradients: those that are wanted are there.
const statistics = { mean: float32, rstd: float32 };
const gradients = batchNormBackward(anything, t16, { ...statistics, training: false });
expectType<Tensor<'float16'>>()(gradients.dx);
expectType<Tensor<'float32'>>()(gradients.dgamma);
expectType<number[]>()(groupNormBackward([[1]], [[1]], { ...statistics, groups: 1 }).dbeta);
const only = instanceNormBackward(float32, float32, { ...statistics, outputs: ['dx'] });
expectType<Float32Array<ArrayBuffer>>()(only.dx);
// @ts-expect-error it was not wanted
only.dgamma;
// @ts-expect-error rstd is needed
batchNormBackward(float32, float32, { mean: float32 });
// @ts-expect-error there is one axis of channels
batchNorm(float32, { axis: [1] });
// @ts-expect-error batchNorm has no moving statistics
batchNorm(float32, { movingMean: float32 });
// @ts-expect-error every channel is a group
instanceNorm(float32, { groups: 2 });

// Moments have fewer dimensions, how many depends on the options.
expectType<Float32Array<ArrayBuffer>>()(moments(float32, { shape: [2, 2], axis: 0 }).variance);
expectType<Tensor<'float32'>>()(moments(t16, { keepDims: true }).mean);
expectType<Float64Array<ArrayBuffer>>()(moments(float32, { dtype: 'float64' }).mean);
expectType<number[]>()(moments([1, 2]).mean);
expectType<NestedArray>()(moments([[1, 2]], { axis: 0 }).mean);

export function inEngine(engine: Engine): void {
  expectType<Float32Array<ArrayBuffer>>()(engine.groupNorm(float32));
  expectType<Float32Array<ArrayBuffer>>()(
    engine.batchNormForward(float32, { movingMean: [1], movingVariance: [1] }).movingMean,
  );
  expectType<Float32Array<ArrayBuffer>>()(engine.moments(float32).mean);
}
