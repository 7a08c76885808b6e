// onnxruntime-node runs models; this package computes the same from what layernorm/io reads in the files of those models.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchNorm, instanceNorm, layerNorm, rmsNorm, skipLayerNorm, skipRmsNorm } from 'layernorm';
import { readOnnx, readSafetensors, writeSafetensors } from 'layernorm/io';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { modelOf } from '../../bench/peers/onnx_model.mjs';

/** Numbers of a spread of 2 about 0.5, the same in every run. */
function randomOf(seed) {
  let state = seed;
  return (length) =>
    Float32Array.from({ length }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 30 - 1.5;
    });
}

/** Both round in float32: a few units in the last place of the larger of the result and 1. */
function assertClose(actual, expected) {
  assert.equal(actual.length, expected.length);
  actual.forEach((value, i) => {
    const bound = 16 * 2 ** -24 * Math.max(1, Math.abs(expected[i]));
    assert.ok(
      Math.abs(value - expected[i]) <= bound,
      `element ${i} is ${value}, onnxruntime has ${expected[i]}`,
    );
  });
}

const SHAPE = [4, 6, 10];
const MICROSOFT = { microsoft: true, opset: 17 };

/** Each operator with its weights' names and sizes, and the call of this package. */
const OPERATORS = [
  {
    operator: 'LayerNormalization',
    ...{ opset: 17, weights: { w: 10, b: 10 } },
    call: (x, { gamma, beta, attributes: { axis, epsilon } }) => layerNorm(x, { axis, epsilon, gamma, beta }),
  },
  {
    operator: 'SimplifiedLayerNormalization',
    ...{ opset: 17, weights: { w: 10 } },
    call: (x, { gamma, attributes: { axis, epsilon } }) => rmsNorm(x, { axis, epsilon, gamma }),
  },
  {
    operator: 'BatchNormalization',
    ...{ opset: 15, weights: { w: 6, b: 6, mean: 6, variance: 6 } },
    call: (x, { gamma, beta, mean, variance, attributes: { epsilon } }) =>
      batchNorm(x, { axis: 1, epsilon, gamma, beta, mean, variance }),
  },
  {
    operator: 'InstanceNormalization',
    ...{ opset: 17, weights: { w: 6, b: 6 } },
    call: (x, { gamma, beta, attributes: { epsilon } }) => instanceNorm(x, { axis: 1, epsilon, gamma, beta }),
  },
  {
    operator: 'SkipLayerNormalization',
    ...{ ...MICROSOFT, inputs: ['skip'], weights: { w: 10, b: 10, bias: 10 } },
    call: (x, { gamma, beta, bias, attributes: { epsilon } }, skip) =>
      skipLayerNorm(x, skip, { epsilon, gamma, beta, bias }).y,
  },
  {
    operator: 'SkipSimplifiedLayerNormalization',
    ...{ ...MICROSOFT, inputs: ['skip'], weights: { w: 10 } },
    call: (x, { gamma, attributes: { epsilon } }, skip) => skipRmsNorm(x, skip, { epsilon, gamma }).y,
  },
];

const bytesOf = ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength);
const value = (name, shape) => ({ name, dtype: 'float32', shape });

/** A model with weights, its inputs, and what onnxruntime makes of them. */
async function run({ operator, microsoft, opset, inputs = [], weights, floats = { epsilon: 1e-3 } }) {
  const random = randomOf(7);
  const initializers = Object.entries(weights).map(([name, size]) => {
    const data = random(size).map((one) => (name === 'variance' ? Math.abs(one) + 0.5 : one));
    return { ...value(name, [size]), bytes: bytesOf(data) };
  });
  const data = ['x', ...inputs].map((name) => value(name, SHAPE));
  const outputs = [value('y', SHAPE)];
  const all = { operator, microsoft, opset, floats, initializers, outputs };
  const model = modelOf({ ...all, inputs: [...data, ...initializers] });
  const feeds = Object.fromEntries(data.map(({ name }) => [name, new Tensor('float32', random(240), SHAPE)]));
  const session = await InferenceSession.create(model, { logSeverityLevel: 3 });
  const { y } = await session.run(feeds);
  await session.release();
  return { model, feeds, y: y.data };
}

for (const one of OPERATORS) {
  test(`${one.operator} of a model, from its initializers`, async () => {
    const { model, feeds, y } = await run(one);
    const { normalizations, names } = readOnnx(model);
    assert.deepEqual(names, Object.keys(one.weights));
    assert.equal(normalizations.length, 1);
    assert.equal(normalizations[0].attributes.epsilon, Math.fround(1e-3));
    assertClose(one.call(feeds.x, normalizations[0], feeds.skip).data, y);
  });
}

test('the epsilon that an operator has where the model says none', async () => {
  for (const one of OPERATORS.slice(0, 2)) {
    const { model, feeds, y } = await run({ ...one, floats: {} });
    assertClose(one.call(feeds.x, readOnnx(model).normalizations[0]).data, y);
  }
});

test('the weights of a model by way of a safetensors file give the same bits', async () => {
  const [layer] = OPERATORS;
  const { model, feeds } = await run(layer);
  const [{ gamma, beta, attributes }] = readOnnx(model).normalizations;
  const file = readSafetensors(writeSafetensors({ 'norm.weight': gamma, 'norm.bias': beta }));
  const again = { gamma: file.get('norm.weight'), beta: file.get('norm.bias'), attributes };
  assert.deepEqual(layer.call(feeds.x, again).data, layer.call(feeds.x, { gamma, beta, attributes }).data);
});

test('tensors of onnxruntime are written', () => {
  const tensors = {
    float: new Tensor('float32', Float32Array.of(1.5, 2), [2, 1]),
    half: new Tensor('float16', Uint16Array.of(0x3e00), [1]),
    flags: new Tensor('bool', Uint8Array.of(1, 0), [2]),
    scalar: new Tensor('float32', Float32Array.of(7), []),
  };
  const file = readSafetensors(writeSafetensors(tensors));
  for (const [name, { data, dims, type }] of Object.entries(tensors)) {
    const { data: read, shape, dtype } = file.get(name);
    assert.deepEqual(
      [[...new Uint8Array(read.buffer, read.byteOffset, read.byteLength)], shape, dtype],
      [[...bytesOf(data)], [...dims], type],
    );
  }
});
