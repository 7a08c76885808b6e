import { createRequire } from 'node:module';
import * as layernorm from 'layernorm';

test('exports what is documented, and no more', () => {
  expect(Object.keys(layernorm).sort()).toEqual([
    'BatchNormalization',
    'DTypePolicy',
    'GroupNormalization',
    'LayerNormError',
    'LayerNormalization',
    'Moments',
    'Normalization',
    'RMSNormalization',
    'SpectralNormalization',
    'UnitNormalization',
    'Weight',
    'batchNorm',
    'batchNormBackward',
    'batchNormForward',
    'configure',
    'constraints',
    'createEngine',
    'deserializeLayer',
    'groupNorm',
    'groupNormBackward',
    'groupNormForward',
    'info',
    'initializers',
    'instanceNorm',
    'instanceNormBackward',
    'instanceNormForward',
    'layerNorm',
    'layerNormBackward',
    'layerNormForward',
    'matryoshka',
    'moments',
    'momentsCombiner',
    'regularizers',
    'rmsNorm',
    'rmsNormBackward',
    'rmsNormForward',
    'serializeLayer',
    'setWarningHandler',
    'skipLayerNorm',
    'skipLayerNormForward',
    'skipRmsNorm',
    'skipRmsNormForward',
    'spectralNorm',
    'spectralNormBackward',
    'tensor',
    'unitNorm',
    'unitNormBackward',
    'unitNormForward',
  ]);
});

test('can be required: the same functions', () => {
  const required: typeof layernorm = createRequire(import.meta.url)('layernorm');
  expect(Object.keys(required).sort()).toEqual(Object.keys(layernorm).sort());
  const x = new Float32Array([1, 2, 3]);
  expect(required.layerNorm(x)).toEqual(layernorm.layerNorm(x));
  expect(required).not.toBe(layernorm);
});

test('importing does no work: WebAssembly is first touched by the first call', async () => {
  const { Worker } = await import('node:worker_threads');
  const url = import.meta.resolve('layernorm');
  const code = `
    const { parentPort } = require('node:worker_threads');
    const { WebAssembly: engine } = globalThis;
    const before = Object.getOwnPropertyNames(globalThis);
    delete globalThis.WebAssembly;
    import(${JSON.stringify(url)}).then(({ layerNorm }) => {
      const report = { added: Object.getOwnPropertyNames(globalThis).filter((name) => !before.includes(name)) };
      try {
        layerNorm([1, 2]);
      } catch (error) {
        report.message = error.message;
      }
      globalThis.WebAssembly = engine;
      report.y = layerNorm([1, 3], { epsilon: 0 });
      parentPort.postMessage(report);
    });`;
  const worker = new Worker(code, { eval: true });
  const report = await new Promise((resolve, reject) =>
    worker.once('message', resolve).once('error', reject),
  );
  await worker.terminate();
  expect(report).toEqual({
    added: [],
    message: 'load: this runtime has no WebAssembly, which layernorm needs',
    y: [-1, 1],
  });
});
