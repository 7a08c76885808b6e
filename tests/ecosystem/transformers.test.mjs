// Tensors of transformers.js, and `layernorm/transformers` beside what it takes the place of.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import * as transformers from '@huggingface/transformers';
import { layerNorm, tensor } from 'layernorm';
import { layer_norm, normalize } from 'layernorm/transformers';
import { randomNumbers } from '../../bench/lib/random.mjs';
import { graphModel } from '../../bench/peers/onnx_model.mjs';
import {
  arrayOf,
  layerNormReference,
  maxUlpError,
  numbersOf,
  unitNormReference,
} from './support/numbers.mjs';
import { testOperations } from './support/operations.mjs';

const require = createRequire(import.meta.url);
const { Tensor } = transformers;

testOperations({
  name: 'transformers.js',
  dtypes: ['float16', 'float32', 'float64', 'int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32'],
  make: (values, shape, dtype) => new Tensor(dtype, arrayOf(values, dtype), shape),
  read(result) {
    assert.ok(result instanceof Tensor);
    assert.equal(result.location, 'cpu');
    const { data, dims, type } = result;
    return { data, shape: dims, dtype: type };
  },
});

/** Numbers around `offset`, about normal. */
function randomTensor(shape, { seed = 1, deviation = 1, offset = 0, dtype = 'float32' } = {}) {
  const random = randomNumbers(seed);
  const size = shape.reduce((product, one) => product * one, 1);
  const bell = () => (random() + random() + random() + random() - 2) * Math.sqrt(3);
  const values = Array.from({ length: size }, () => offset + deviation * bell());
  return new Tensor(dtype, arrayOf(values, dtype), shape);
}

const numbers = ({ data, type }) => numbersOf(data, type);

/** Errors of y, and of what transformers.js gives, in ulp of max(|y|, 1). */
function errorsOf(expected, ...results) {
  return results.map((one) => maxUlpError(numbers(one), expected, one.type === 'float16' ? 10 : 23));
}

describe('layer_norm in the place of that of transformers.js', () => {
  test('gives the same, where that is right', () => {
    const x = randomTensor([7, 96]);
    const [ours, theirs] = [layer_norm(x, [96]), transformers.layer_norm(x, [96])];
    assert.ok(ours instanceof Tensor);
    assert.deepEqual([ours.type, ours.dims, ours.location], [theirs.type, theirs.dims, 'cpu']);
    const [error, theirError] = errorsOf(layerNormReference(numbers(x), 96, 1e-5), ours, theirs);
    assert.ok(error <= 2, `an error of ${error} ulp`);
    // Already here epsilon outside of the root shows.
    assert.ok(theirError < 200, `theirs has an error of ${theirError} ulp`);
    assert.deepEqual(numbers(x), numbers(randomTensor([7, 96])), 'the input is left alone');
  });

  test('takes eps', () => {
    const x = randomTensor([3, 32]);
    const [error] = errorsOf(layerNormReference(numbers(x), 32, 0.5), layer_norm(x, [32], { eps: 0.5 }));
    assert.ok(error <= 2, `an error of ${error} ulp`);
  });

  test('transformers.js adds epsilon to the deviation: wrong by 0.9 and 70 percent where that is small', () => {
    for (const [deviation, from, to] of [
      [0.023, 0.005, 0.02],
      [0.0023, 0.5, 0.8],
    ]) {
      const x = randomTensor([16, 768], { deviation });
      const expected = layerNormReference(numbers(x), 768, 1e-5);
      const [error] = errorsOf(expected, layer_norm(x, [768]));
      assert.ok(error <= 2, `an error of ${error} ulp`);
      const theirs = numbers(transformers.layer_norm(x, [768]));
      const relative = Math.max(
        ...expected.map((value, i) => Math.abs(theirs[i] / value - 1)).filter(Number.isFinite),
      );
      assert.ok(relative > from && relative < to, `theirs is wrong by ${relative}`);
    }
  });

  test('transformers.js takes the bits of float16 for numbers', () => {
    const x = new Tensor('float16', arrayOf([1, 2, 3, 4], 'float16'), [1, 4]);
    assert.deepEqual(transformers.layer_norm(x, [4]).data, Uint16Array.of(12287, 45055, 61439, 12287));
    const y = layer_norm(x, [4]);
    assert.deepEqual([y.type, y.data.constructor], ['float16', Uint16Array]);
    const [error] = errorsOf(layerNormReference(Float64Array.of(1, 2, 3, 4), 4, 1e-5), y);
    assert.ok(error <= 0.51, `an error of ${error} ulp`);
    const half = randomTensor([5, 64], { dtype: 'float16' });
    const [unit] = errorsOf(unitNormReference(numbers(half), 64), normalize(half));
    assert.ok(unit <= 0.51, `an error of ${unit} ulp`);
  });

  test('transformers.js takes two dimensions only, and any normalized_shape', () => {
    const x = randomTensor([2, 3, 4, 5]);
    assert.throws(() => transformers.layer_norm(x, [5]), /only supports 2D input/);
    const errors = [
      [[5], 5],
      [[4, 5], 20],
      [[3, 4, 5], 60],
      [[2, 3, 4, 5], 120],
    ].map(([shape, columns]) => {
      const [weight, bias] = [1, 2].map((seed) => randomTensor(shape, { seed }));
      const y = layer_norm(x, shape, { weight, bias });
      assert.deepEqual(y.dims, [2, 3, 4, 5]);
      const expected = layerNormReference(numbers(x), columns, 1e-5, numbers(weight), numbers(bias));
      return errorsOf(expected, y)[0];
    });
    assert.ok(Math.max(...errors) <= 4, `errors of ${errors} ulp`);
    const row = randomTensor([20]);
    assert.deepEqual(
      layer_norm(row, [20]).data,
      layer_norm(new Tensor('float32', row.data, [4, 5]), [4, 5]).data,
    );
    // There: any list of one number, and any list that begins with the right one.
    const matrix = randomTensor([2, 4]);
    assert.equal(transformers.layer_norm(matrix, [3]).size, 8);
    for (const shape of [[3], [2], [], [4, 2], 4, undefined]) {
      assert.throws(() => layer_norm(matrix, shape), {
        name: 'LayerNormError',
        code: 'ERR_SHAPE',
        message:
          /^layer_norm: normalized_shape is .*, expected the last sizes of input \[2, 4\], such as \[4\]$/,
      });
    }
  });

  test('transformers.js sums in float32: an error of thousandths at an offset of 1e4', () => {
    const x = randomTensor([8, 1024], { offset: 1e4 });
    const expected = layerNormReference(numbers(x), 1024, 1e-5);
    const [error] = errorsOf(expected, layer_norm(x, [1024]));
    assert.ok(error <= 2, `an error of ${error} ulp`);
    const theirs = numbers(transformers.layer_norm(x, [1024]));
    const worst = Math.max(...expected.map((value, i) => Math.abs(theirs[i] - value)));
    assert.ok(worst > 1e-3 && worst < 0.1, `theirs has an error of ${worst}`);
  });

  test('wrong arguments are named as they are here', () => {
    const x = randomTensor([2, 4]);
    const refused = (call, code, message) => assert.throws(call, { name: 'LayerNormError', code, message });
    refused(
      () => layer_norm(x, [4], { weight: new Float32Array(3) }),
      'ERR_SHAPE',
      'layer_norm: weight has 3 elements, expected 4, the size of dim -1 of input [2, 4]',
    );
    refused(
      () => layer_norm(x, [4], { bias: randomTensor([2, 2]) }),
      'ERR_SHAPE',
      'layer_norm: bias has shape [2, 2], expected [4] or [1, 4]: 4 is the size of dim -1 of input [2, 4]',
    );
    refused(
      () => layer_norm(x, [4], { eps: -1 }),
      'ERR_ARGUMENT',
      'layer_norm: eps is -1, expected a finite number that is not negative',
    );
    refused(
      () => layer_norm(x, [4], { epsilon: 1 }),
      'ERR_ARGUMENT',
      "layer_norm: unknown option 'epsilon', expected eps, weight, bias, compat",
    );
    refused(
      () => layer_norm(x, [4], 1e-5),
      'ERR_ARGUMENT',
      'layer_norm: options is 0.00001, expected an object such as { eps: 1e-5 }',
    );
    refused(
      () => layer_norm(new Float32Array(4), [4]),
      'ERR_ARGUMENT',
      'layer_norm: input is a Float32Array, expected a tensor, which has dims or shape',
    );
    refused(() => layer_norm(null, [4]), 'ERR_ARGUMENT', /^layer_norm: input is null, expected a tensor/);
    const ids = new Tensor('int64', BigInt64Array.of(1n, 2n), [1, 2]);
    refused(() => layer_norm(ids, [2]), 'ERR_DTYPE', /^layer_norm: input\.data is a BigInt64Array/);
    x.dispose();
    refused(() => layer_norm(x, [4]), 'ERR_DISPOSED', 'layer_norm: input is a tensor that has been disposed');
  });

  test('a tensor on the GPU: the message says what to await, which is enough', async () => {
    const x = randomTensor([1, 3]);
    const { data } = x;
    // As the backend of WebGPU leaves its results.
    const { Tensor: OrtTensor } = require('onnxruntime-node');
    const onGpu = new Tensor(
      OrtTensor.fromGpuBuffer(
        {},
        { dataType: 'float32', dims: [1, 3], download: async () => data, dispose() {} },
      ),
    );
    assert.throws(() => layer_norm(onGpu, [3]), {
      code: 'ERR_ARGUMENT',
      message:
        "layer_norm: the data of input is at location 'gpu-buffer', expected 'cpu' or 'cpu-pinned': await " +
        'input.ort_tensor.getData() first',
    });
    await onGpu.ort_tensor.getData();
    assert.deepEqual(layer_norm(onGpu, [3]).data, layer_norm(x, [3]).data);
  });
});

describe("compat: 'transformers.js' gives the bits of transformers.js", () => {
  const compat = 'transformers.js';
  for (const [title, options] of [
    ['embeddings', {}],
    ['a small deviation', { deviation: 1e-4 }],
    ['an offset of 1e4', { offset: 1e4 }],
    ['float64', { dtype: 'float64' }],
  ]) {
    test(title, () => {
      for (const [rows, columns] of [
        [1, 1],
        [3, 7],
        [64, 768],
      ]) {
        const x = randomTensor([rows, columns], options);
        for (const eps of [undefined, 0, 1e-3]) {
          const [ours, theirs] = [
            layer_norm(x, [columns], { eps, compat }),
            transformers.layer_norm(x, [columns], { eps }),
          ];
          assert.ok(ours instanceof Tensor);
          assert.deepEqual([ours.type, ours.dims], [theirs.type, theirs.dims]);
          assert.deepEqual(new Uint8Array(ours.data.buffer), new Uint8Array(theirs.data.buffer));
        }
      }
    });
  }

  test('rows of zeros, infinities and NaN', () => {
    const rows = [0, 0, 0, 1, Infinity, 2, NaN, 1, 2, -0, 0, 1];
    const x = new Tensor('float32', Float32Array.from(rows), [4, 3]);
    assert.deepEqual(
      layer_norm(x, [3], { compat, eps: 0 }).data,
      transformers.layer_norm(x, [3], { eps: 0 }).data,
    );
  });

  test('is refused where there are no such bits', () => {
    const x = randomTensor([2, 4]);
    const refused = (call, code, message) => assert.throws(call, { name: 'LayerNormError', code, message });
    refused(
      () => layer_norm(x, [4], { compat: 'transformers' }),
      'ERR_ARGUMENT',
      "layer_norm: compat is 'transformers', expected 'transformers.js', or none",
    );
    refused(
      () => layer_norm(x, [4], { compat, bias: [0, 0, 0, 0] }),
      'ERR_ARGUMENT',
      "layer_norm: compat is 'transformers.js' with bias, expected one of them: there is none there",
    );
    refused(
      () => layer_norm(randomTensor([2, 4], { dtype: 'float16' }), [4], { compat }),
      'ERR_DTYPE',
      /^layer_norm: compat is 'transformers\.js' and the data of input an? Uint16Array, expected a Float32Array/,
    );
    const own = tensor([[1, 2]]);
    refused(
      () => layer_norm(own, [2], { compat }),
      'ERR_ARGUMENT',
      /and input an Object, expected a tensor with dims/,
    );
    own.dispose();
    refused(() => layer_norm(x, [4], { compat, eps: Number.NaN }), 'ERR_ARGUMENT', /^layer_norm: eps is NaN/);
  });
});

describe('normalize in the place of the method of transformers.js', () => {
  test('gives the same, where that is right', () => {
    const x = randomTensor([7, 96]);
    const [ours, theirs] = [normalize(x), x.normalize(2, -1)];
    assert.deepEqual([ours.type, ours.dims], [theirs.type, theirs.dims]);
    const [error, theirError] = errorsOf(unitNormReference(numbers(x), 96), ours, theirs);
    assert.ok(error <= 1 && theirError <= 4, `errors of ${error} and ${theirError} ulp`);
  });

  test('over any dimension, and over several', () => {
    const x = randomTensor([2, 3, 4]);
    for (const dim of [0, 1, -1]) {
      const [ours, theirs] = [normalize(x, { dim }), x.normalize(2, dim)].map(numbers);
      assert.ok(maxUlpError(ours, theirs) <= 4);
    }
    const all = normalize(x, { dim: [0, 1, 2] });
    assert.ok(errorsOf(unitNormReference(numbers(x), 24), all)[0] <= 1);
  });

  test('transformers.js makes NaN of a zero vector, and PyTorch a zero vector', () => {
    const x = new Tensor('float32', new Float32Array(4), [1, 4]);
    assert.deepEqual(Array.from(x.normalize(2, -1).data), [NaN, NaN, NaN, NaN]);
    assert.deepEqual(normalize(x).data, new Float32Array(4));
    const small = new Tensor('float32', Float32Array.of(3e-3, 4e-3), [1, 2]);
    assert.deepEqual(normalize(small, { eps: 1 }).data, small.data);
  });

  test('wrong arguments are named as they are here', () => {
    const x = randomTensor([2, 4]);
    const refused = (call, code, message) => assert.throws(call, { name: 'LayerNormError', code, message });
    refused(
      () => normalize(x, { p: 1 }),
      'ERR_ARGUMENT',
      'normalize: p is 1, expected 2, the Euclidean norm',
    );
    refused(() => normalize(x, 2, -1), 'ERR_ARGUMENT', /^normalize: options is 2, expected an object/);
    refused(
      () => normalize(x, { dim: 2 }),
      'ERR_AXIS',
      'normalize: dim 2 is out of bounds for input [2, 4], expected -2 to 1',
    );
    refused(() => normalize([1, 2]), 'ERR_ARGUMENT', /^normalize: input is \[1, 2\], expected a tensor/);
  });
});

describe('the embeddings of a model', () => {
  const WORDS = ['[UNK]', '[CLS]', '[SEP]', '[PAD]', 'layer', 'norm', 'of', 'the', 'embedding'];
  const DIMENSIONS = 64;
  const KEPT = 16;
  let folder;
  let extractor;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'layernorm-model-'));
    const model = join(folder, 'tiny');
    mkdirSync(join(model, 'onnx'), { recursive: true });
    const write = (name, content) =>
      writeFileSync(join(model, name), content instanceof Uint8Array ? content : JSON.stringify(content));
    write('config.json', { model_type: 'bert', architectures: ['BertModel'] });
    write('tokenizer_config.json', {
      tokenizer_class: 'BertTokenizer',
      pad_token: '[PAD]',
      unk_token: '[UNK]',
    });
    write('tokenizer.json', {
      version: '1.0',
      added_tokens: [{ id: 3, content: '[PAD]', special: true }],
      normalizer: null,
      pre_tokenizer: { type: 'Whitespace' },
      post_processor: null,
      decoder: null,
      model: {
        type: 'WordLevel',
        unk_token: '[UNK]',
        vocab: Object.fromEntries(WORDS.map((word, i) => [word, i])),
      },
    });
    const sizes = ['batch', 'length'];
    write(
      'onnx/model.onnx',
      graphModel({
        opset: 17,
        nodes: [{ operator: 'Gather', inputs: ['table', 'input_ids'], outputs: ['last_hidden_state'] }],
        inputs: ['input_ids', 'attention_mask'].map((name) => ({ name, dtype: 'int64', shape: sizes })),
        outputs: [{ name: 'last_hidden_state', dtype: 'float32', shape: [...sizes, DIMENSIONS] }],
        constants: [
          {
            name: 'table',
            dtype: 'float32',
            shape: [WORDS.length, DIMENSIONS],
            data: randomTensor([WORDS.length, DIMENSIONS], { deviation: 0.3, offset: 0.1 }).data,
          },
        ],
      }),
    );
    transformers.env.allowRemoteModels = false;
    transformers.env.localModelPath = folder;
    extractor = await transformers.pipeline('feature-extraction', 'tiny', { dtype: 'fp32' });
  });

  after(async () => {
    await extractor?.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  const texts = ['layer norm of the embedding', 'the norm', 'embedding'];

  test('layer_norm, slice and normalize, as for nomic-embed-text', async () => {
    const embeddings = await extractor(texts, { pooling: 'mean' });
    assert.deepEqual(embeddings.dims, [3, DIMENSIONS]);
    const short = layer_norm(embeddings, [embeddings.dims[1]]).slice(null, [0, KEPT]);
    assert.ok(short instanceof Tensor);
    const vectors = normalize(short);
    assert.deepEqual(vectors.dims, [3, KEPT]);

    const cut = layerNormReference(numbers(embeddings), DIMENSIONS, 1e-5).filter(
      (_, i) => i % DIMENSIONS < KEPT,
    );
    const expected = unitNormReference(cut, KEPT);
    const theirs = transformers
      .layer_norm(embeddings, [embeddings.dims[1]])
      .slice(null, [0, KEPT])
      .normalize(2, -1);
    const [error, mixed, theirError] = errorsOf(expected, vectors, short.normalize(2, -1), theirs);
    assert.ok(error <= 1 && mixed <= 2 && theirError <= 20, `errors of ${[error, mixed, theirError]} ulp`);
    assert.equal(vectors.tolist().length, 3);
  });

  test('all tokens at once, of rank 3', async () => {
    const states = await extractor(texts);
    assert.equal(states.dims.length, 3);
    const y = layer_norm(states, [DIMENSIONS], { weight: new Float32Array(DIMENSIONS).fill(2) });
    const expected = layerNormReference(
      numbers(states),
      DIMENSIONS,
      1e-5,
      new Float32Array(DIMENSIONS).fill(2),
    );
    assert.ok(errorsOf(expected, y)[0] <= 2);
    assert.deepEqual(
      transformers.mean_pooling(y, new Tensor('int64', new BigInt64Array(15).fill(1n), [3, 5])).dims,
      [3, DIMENSIONS],
    );
  });

  test('with tensors of another copy of onnxruntime as parameters', async () => {
    const { Tensor: OrtTensor } = require('onnxruntime-web');
    const embeddings = await extractor(texts, { pooling: 'mean' });
    const weight = new OrtTensor('float32', new Float32Array(DIMENSIONS).fill(3), [DIMENSIONS]);
    const y = layer_norm(embeddings, [DIMENSIONS], { weight });
    assert.ok(y instanceof Tensor);
    assert.deepEqual(y.data, layerNorm(embeddings, { gamma: weight, epsilon: 1e-5 }).data);
    // And the other way round: the class of x decides.
    const x = new OrtTensor('float32', embeddings.data, embeddings.dims);
    assert.equal(layer_norm(x, [DIMENSIONS], { weight: y.slice(0) }).constructor, OrtTensor);
  });
});
