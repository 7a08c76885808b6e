// What a TypeScript user writes. Compiled as both kinds of module, under several settings, and run.
import {
  createEngine,
  type Engine,
  type Info,
  info,
  LayerNormError,
  type LayerNormErrorCode,
  type LayerNormOptions,
  layerNorm,
  layerNormForward,
  type Tensor,
  tensor,
} from 'layernorm';

async function main(): Promise<void> {
  const options: LayerNormOptions<'float32'> = { shape: [2, 3], epsilon: 1e-5 };
  const y: Float32Array = layerNorm(new Float32Array([1, 2, 3, 10, 20, 60]), options);
  const doubles: Float64Array = layerNorm(new Float64Array([1, 2, 3]), { gamma: [1, 2, 3], axis: [-1] });
  const nested: number[][] = layerNorm([
    [1, 2],
    [3, 5],
  ]);
  const { mean, rstd } = layerNormForward({ data: new Float32Array([1, 2, 3, 4]), dims: [2, 2] });
  const out = new Float64Array(3);
  const same: Float64Array = layerNorm(new Float64Array([1, 2, 3]), { out });

  const inHeap: Tensor<'float32'> = tensor([1, 2, 3], [3], 'float32');
  const normalized: Tensor<'float32'> = layerNorm(inHeap);
  const view: Float32Array = normalized.array;

  const engine: Engine = await createEngine({ maxMemory: 2 ** 21 });
  const { memoryBytes, reason }: Info = engine.info();
  engine.dispose();

  let code: LayerNormErrorCode | undefined;
  try {
    layerNorm([1, 2, 3], { axis: 5 });
  } catch (error) {
    if (error instanceof LayerNormError) code = error.code;
  }
  console.log(
    JSON.stringify({
      y: Array.from(y),
      lengths: [doubles.length, nested.length, mean.data.length, rstd.dims.length, view.length],
      same: same === out,
      memoryBytes,
      reason: typeof reason,
      liveTensors: info().liveTensors,
      code,
    }),
  );
  inHeap.dispose();
  normalized.dispose();
}

void main();
