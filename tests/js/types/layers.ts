// Compiled, never run: what layers give back, and refuse.
import {
  BatchNormalization,
  DTypePolicy,
  deserializeLayer,
  type Layer,
  LayerNormalization,
  Normalization,
  type PolicyName,
  RMSNormalization,
  SpectralNormalization,
  type Tensor,
  UnitNormalization,
  type Weight,
} from 'layernorm';

/** Fails to compile unless both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

function expectType<T>() {
  return <U>(_value: U, ..._same: Same<T, U> extends true ? [] : [never]): void => {};
}

declare const float32: Float32Array;
declare const float64: Float64Array;
declare const t32: Tensor<'float32'>;
declare const rows: number[][];

// The policy says the type of the output, x its container; dy that of dx.
const layer = new LayerNormalization();
expectType<Float32Array<ArrayBuffer>>()(layer.apply(float32));
expectType<Float32Array<ArrayBuffer>>()(layer.apply(float64));
expectType<number[][]>()(layer.apply(rows, { training: true, mask: [[true, false]] }));
expectType<Tensor<'float32'>>()(layer.apply(t32));
expectType<Tensor<'float32'>>()(layer.backward(t32));
expectType<number[][]>()(layer.backward(rows));
expectType<'float32'>()(layer.dtype);
expectType<Weight | null>()(layer.gamma);

const wide = new BatchNormalization({ dtype: 'float64', axis: 1, renormClipping: { rmax: 3 } });
expectType<Float64Array<ArrayBuffer>>()(wide.apply(float32));
const mixed = new RMSNormalization({ dtype: 'mixed_float16' });
expectType<Tensor<'float16'>>()(mixed.apply(t32));
expectType<'float32'>()(mixed.variableDtype);
expectType<'float16'>()(mixed.computeDtype);
expectType<Tensor<'bfloat16'>>()(new UnitNormalization({ dtype: new DTypePolicy('bfloat16') }).apply(t32));

// Of a config only what runs can know the policy.
const loaded = LayerNormalization.fromConfig({ axis: [1] });
expectType<LayerNormalization<PolicyName>>()(loaded);
expectType<Layer>()(deserializeLayer({ class_name: 'LayerNormalization', config: {} }));

// Rules.
layer.update((weight, gradient) =>
  weight.numbers().map((value: number, i: number) => value - (gradient[i] ?? 0)),
);
layer.update((weight) => {
  weight.value.fill(1);
  return undefined;
});

// Data for adapt: async data give a promise.
const normalization = new Normalization({ axis: null, mean: 1, variance: [2] });
expectType<void>()(normalization.adapt([[1, 2]]));
expectType<void>()(normalization.adapt(new Set([rows])));
declare const batches: AsyncIterable<Float32Array>;
expectType<Promise<void>>()(normalization.adapt(batches, { shape: [null, 3] }));

// Anything with a kernel.
const kernel = { value: float32, shape: [2, 2] };
const spectral = new SpectralNormalization({ layer: { kernel, apply: (x: Float32Array) => x } });
expectType<Float32Array<ArrayBuffer>>()(spectral.apply(float32));

// @ts-expect-error: options have Keras' names in camelCase
new LayerNormalization({ rms_scaling: true });
// @ts-expect-error: no such policy
new LayerNormalization({ dtype: 'int8' });
// @ts-expect-error: there has to be a layer
new SpectralNormalization({});
// @ts-expect-error: a name, an object with call, a function, a class or a config
new BatchNormalization({ betaInitializer: 5 });
