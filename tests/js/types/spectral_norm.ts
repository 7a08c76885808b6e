// Compiled, never run: what spectral norms give back, and what initializers, regularizers and constraints are.
import {
  type Constraint,
  constraints,
  type Initializer,
  initializers,
  type Regularizer,
  regularizers,
  spectralNorm,
  spectralNormBackward,
  type Tensor,
} from 'layernorm';

/** Fails to compile unless both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

function expectType<T>() {
  return <U>(_value: U, ..._same: Same<T, U> extends true ? [] : [never]): void => {};
}

declare const float32: Float32Array;
declare const float64: Float64Array;
declare const t16: Tensor<'float16'>;

const one = spectralNorm(float32, { shape: [2, 2], u: [1, 2] });
expectType<Float32Array<ArrayBuffer>>()(one.kernel);
expectType<Float32Array<ArrayBuffer>>()(one.u);
expectType<Float32Array<ArrayBuffer>>()(one.v);
expectType<number>()(one.sigma);
const nested = spectralNorm([[[1, 2]]], { u: float64 });
expectType<number[][][]>()(nested.kernel);
expectType<number[][]>()(nested.u);
const narrow = spectralNorm(t16, { u: float32, powerIterations: 2, epsilon: null });
expectType<Tensor<'float16'>>()(narrow.kernel);
expectType<Tensor<'float32'>>()(narrow.v);
expectType<Float64Array>()(spectralNorm(float64, { u: float64, out: float64 }).kernel);
expectType<Tensor<'float16'>>()(spectralNormBackward(float32, t16, { u: float32, v: float32, sigma: 1 }));

// @ts-expect-error u is needed
spectralNorm(float32, {});
// @ts-expect-error so are v and sigma
spectralNormBackward(float32, float32, { u: float32 });
// @ts-expect-error an option of Keras' spelling
spectralNorm(float32, { u: float32, power_iterations: 2 });

expectType<Initializer | null>()(initializers.get('he_normal'));
expectType<Regularizer | null>()(regularizers.get({ class_name: 'L2', config: { l2: 0.1 } }));
expectType<Constraint | null>()(constraints.get((values) => values));
const made: initializers.HeNormal = new initializers.HeNormal({ seed: 1 });
expectType<Float64Array<ArrayBufferLike>>()(made.call([2, 3]));
const config: Record<string, unknown> = made.getConfig();
const again: initializers.HeNormal = initializers.HeNormal.fromConfig(config);
initializers.get(initializers.Zeros);
initializers.get([1, 2, 3]);
initializers.get((shape) => new Float32Array(shape[0] as number));
regularizers.get(new regularizers.L1L2({ l1: 0.1 }));
initializers.serialize(again);
// @ts-expect-error no option of that name
new regularizers.L2({ l1: 0.1 });
// @ts-expect-error one part or the other
new initializers.STFT({ side: 'both' });
