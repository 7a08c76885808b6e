// Tier: bitwise. What TensorFlow.js computes by its own kernels, and by those that patchBuiltins puts in their place.
import * as converter from '@tensorflow/tfjs-converter';
import { LayerNormError, patchBuiltins } from 'layernorm/tfjs';
import { makeGraphModel } from '../../package/consumers/tfjs/graph_model.js';
import { expectError } from '../support/errors.js';
import { normals } from '../support/random.js';
import { numbers, random, tf, use } from '../support/tfjs.js';
import { expectSameBits } from '../support/ulp.js';

type Tensor = ReturnType<typeof tf.tensor>;

const NAMES = ['Tile', 'FusedBatchNorm', 'Mean'];

const kernel = (name = 'Tile') => tf.getKernel(name, 'wasm');
const kernels = () => NAMES.map(kernel);
const gradient = () => tf.getGradient('Tile');

/** Runs something with the kernels of TensorFlow.js, and then with ours. */
function both<T>(work: () => T): [T, T] {
  const own = work();
  const undo = patchBuiltins(tf);
  try {
    return [own, work()];
  } finally {
    undo();
  }
}

beforeAll(() => use('wasm'));

const CASES: [shape: number[], reps: number[]][] = [
  [[], []],
  [[5], [3]],
  [[1], [70]],
  [[40], [1]],
  [
    [4, 1],
    [1, 9],
  ],
  [
    [1, 9],
    [4, 1],
  ],
  [
    [1, 1],
    [3, 5],
  ],
  [
    [2, 3],
    [2, 2],
  ],
  [
    [3, 50],
    [2, 3],
  ],
  [
    [2, 1, 3],
    [1, 4, 2],
  ],
  [
    [2, 3, 1],
    [3, 1, 5],
  ],
  [
    [1, 3, 1, 4],
    [2, 2, 3, 1],
  ],
  [
    [2, 1, 2, 3],
    [2, 2, 2, 2],
  ],
  [
    [2, 3],
    [0, 2],
  ],
  [
    [0, 3],
    [2, 2],
  ],
];

describe('Tile', () => {
  test.each(CASES)('%j repeated %j times', (shape, reps) => {
    const x = random(shape);
    const [own, ours] = both(() => tf.tile(x, reps));
    expect(ours.shape).toEqual(own.shape);
    expectSameBits(numbers(ours), numbers(own));
  });

  test('five dimensions, and integers and booleans', () => {
    const x = random([2, 1, 3, 1, 2]);
    const [own, ours] = both(() => tf.tile(x, [1, 2, 2, 3, 2]));
    expect(numbers(ours)).toEqual(numbers(own));
    const tensors = [tf.tensor([1, -2, 3], [3, 1], 'int32'), tf.tensor([true, false, true], [3, 1], 'bool')];
    for (const tensor of tensors) {
      const [builtin, patched] = both(() => tf.tile(tensor, [2, 3]));
      expect(patched.dtype).toBe(tensor.dtype);
      expect(patched.dataSync()).toEqual(builtin.dataSync());
    }
  });

  test('the bits of NaN and infinities', () => {
    const x = tf.tensor(
      new Float32Array(new Uint32Array([0x7fc12345, 0xff800000, 0x80000000]).buffer),
      [3, 1],
    );
    const [own, ours] = both(() => tf.tile(x, [1, 2]).dataSync() as Float32Array);
    expect(new Uint32Array(ours.slice().buffer)).toEqual(new Uint32Array(own.slice().buffer));
  });
});

describe('the gradient of Tile', () => {
  const differentiable = CASES.filter(([shape, reps]) => shape.length > 0 && !reps.includes(0));

  test.each(differentiable)('%j repeated %j times: the sums in the same order', (shape, reps) => {
    const x = random(shape);
    const dy = random(
      shape.map((size, d) => size * (reps[d] as number)),
      2,
    );
    const [own, ours] = both(() => tf.grad((given: Tensor) => tf.tile(given, reps))(x, dy));
    expectSameBits(numbers(ours), numbers(own));
  });

  test('of zeros with a sign', () => {
    const dy = tf.tensor([-0, -0, -0, -0], [2, 2]);
    const [own, ours] = both(() => tf.grad((given: Tensor) => tf.tile(given, [2, 1]))(tf.zeros([1, 2]), dy));
    expect(Array.from(numbers(ours), (value) => Object.is(value, 0))).toEqual(
      Array.from(numbers(own), (value) => Object.is(value, 0)),
    );
  });

  test('differentiated once more', () => {
    const f = (x: Tensor): Tensor => tf.sum(tf.pow(tf.tile(x, [3, 2]), 3));
    const second = (x: Tensor): Tensor => tf.grad((given: Tensor) => tf.sum(tf.square(tf.grad(f)(given))))(x);
    const [own, ours] = both(() => numbers(second(random([2, 3]))));
    expect(ours).toEqual(own);
  });

  test('of integers, and on another backend', async () => {
    const integers = tf.tensor([1, 2], [2, 1], 'int32');
    const derive = (): Float32Array =>
      numbers(tf.grad((x: Tensor) => tf.cast(tf.tile(x, [1, 3]), 'float32'))(integers));
    const [own, ours] = both(derive);
    expect(ours).toEqual(own);
    await use('cpu');
    const [first, second] = both(() => numbers(tf.grad((x: Tensor) => tf.tile(x, [1, 3]))(tf.ones([2, 1]))));
    expect(second).toEqual(first);
    await use('wasm');
  });
});

/** Numbers of all sizes, with both zeros and subnormal ones among them: what an order of additions, or a rounding, shows in. */
function adversarial(count: number, seed: number): Float32Array {
  const [sizes, signs] = [normals(count, seed), normals(count, seed + 100)];
  return sizes.map((size, i) => {
    const value = size * 10 ** (((i * 37) % 11) - 5);
    if (i % 23 === 0) return (signs[i] as number) * 1e-40;
    if (i % 29 === 0) return (signs[i] as number) * 1e37;
    return i % 31 === 0 ? -0 : value;
  });
}

const runKernel = (name: string, inputs: object, attributes: object): Tensor =>
  tf.engine().runKernel(name, inputs as never, attributes as never) as Tensor;

/** That nothing is added to what the backend holds but what is returned, by its own kernels or by ours. */
function expectSameAnswers(work: () => Tensor): void {
  const formerBytes = tf.engine().backend.numDataIds();
  const [own, ours] = both(work);
  expect(ours.shape).toEqual(own.shape);
  expect(ours.dtype).toEqual(own.dtype);
  expectSameBits(numbers(ours), numbers(own));
  tf.dispose([own, ours]);
  expect(tf.engine().backend.numDataIds()).toBe(formerBytes);
}

describe('FusedBatchNorm', () => {
  const given = (shape: number[], parameters: number[][]): Record<string, Tensor> => {
    const sizeOf = (sizes: number[]): number => sizes.reduce((a, b) => a * b, 1);
    const inputs: Record<string, Tensor> = { x: tf.tensor(adversarial(sizeOf(shape), 1), shape) };
    for (const [i, name] of ['mean', 'variance', 'offset', 'scale'].entries()) {
      const sizes = parameters[i % parameters.length] as number[];
      const values = adversarial(sizeOf(sizes), i + 2);
      inputs[name] = tf.tensor(name === 'variance' ? values.map(Math.abs) : values, sizes);
    }
    return inputs;
  };

  test.each<[string, number[], number[][]]>([
    ['channels of whole vectors', [700, 64], [[64]]],
    ['channels that fill no vector', [33, 3], [[3]]],
    ['one more than whole vectors', [2, 5, 7, 13], [[13]]],
    ['one channel', [50, 1], [[1]]],
    ['one row', [1, 30], [[30]]],
    ['parameters as large as x, as layers repeat them', [6, 40], [[6, 40]]],
    ['parameters of different sizes', [6, 40], [[40], [1]]],
    ['that end within a row', [6, 4], [[5]]],
    ['no elements', [0, 8], [[8]]],
  ])('%s', (_, shape, parameters) => {
    const inputs = given(shape, parameters);
    for (const varianceEpsilon of [1e-3, 0, 1e-12]) {
      expectSameAnswers(() => runKernel('FusedBatchNorm', inputs, { varianceEpsilon }));
    }
  });

  test('NaN, infinities, a negative variance', () => {
    const inputs = {
      x: tf.tensor([1, Number.NaN, 3, Number.POSITIVE_INFINITY, 5, -6, -0, 8, 9, 10], [2, 5]),
      mean: tf.tensor([0, 1, Number.NaN, 1, 2]),
      variance: tf.tensor([-1, 1, 1, Number.POSITIVE_INFINITY, 0]),
      offset: tf.zeros([5]),
      scale: tf.ones([5]),
    };
    expectSameAnswers(() => runKernel('FusedBatchNorm', inputs, { varianceEpsilon: 0 }));
  });

  test('without an offset, or a scale, as TensorFlow.js has it', () => {
    const { offset, scale, ...others } = given([6, 8], [[8]]);
    for (const inputs of [others, { ...others, offset }, { ...others, scale }]) {
      expectSameAnswers(() => runKernel('FusedBatchNorm', inputs, { varianceEpsilon: 1e-3 }));
    }
  });
});

describe('Mean', () => {
  test.each<[number[], number | number[]]>([
    [[9, 40], 1],
    [[9, 40], -1],
    [[9, 41], 0],
    [[3, 2000], [1]],
    [[2000, 3], [0]],
    [[1, 7], [0]],
    [[7, 1], [0]],
    [
      [2, 3, 4, 5],
      [0, 1, 2],
    ],
    [
      [2, 3, 4, 5],
      [2, 3],
    ],
    [
      [2, 3, 4, 5],
      [0, 1, 2, 3],
    ],
    [[2, 3, 4, 5], [1]],
    [
      [2, 3, 4, 5],
      [0, 2],
    ],
    [
      [2, 3, 4],
      [1, 0],
    ],
    [[], []],
    [[4], []],
  ])('of %j over %j', (shape, axis) => {
    const x = tf.tensor(
      adversarial(
        shape.reduce((a, b) => a * b, 1),
        1,
      ),
      shape,
    );
    for (const keepDims of [false, true])
      expectSameAnswers(() => runKernel('Mean', { x }, { axis, keepDims }));
  });

  test('of no elements, as TensorFlow.js has it: the numbers are what memory held', () => {
    for (const [shape, axis] of [
      [[0, 5], 0],
      [[3, 0], 1],
    ] as const) {
      const x = tf.tensor([], [...shape]);
      const [own, ours] = both(() => runKernel('Mean', { x }, { axis: [axis], keepDims: false }));
      expect([ours.shape, ours.dtype]).toEqual([own.shape, own.dtype]);
    }
  });

  test('of integers, as TensorFlow.js has it', () => {
    const x = tf.tensor([1, 2, 4, 2 ** 24 + 1], [2, 2], 'int32');
    expectSameAnswers(() => runKernel('Mean', { x }, { axis: [0], keepDims: false }));
  });

  test('and its gradient', () => {
    const x = tf.tensor(adversarial(60, 1), [5, 12]);
    for (const axis of [0, 1]) expectSameAnswers(() => tf.grad((given: Tensor) => tf.mean(given, axis))(x));
  });
});

describe('a graph model', () => {
  test('of Tile, Mean and FusedBatchNormV3: the same bits, and no tensor more', async () => {
    const artifacts = makeGraphModel({ rows: 6, cols: 5, channels: 32 });
    const model = await converter.loadGraphModel(tf.io.fromMemory(artifacts));
    const x = tf.tensor(adversarial(4 * 6 * 5 * 32, 1), [4, 6, 5, 32]);
    const predict = (): Float32Array[] => {
      const outputs = model.predict(x) as unknown as Tensor[];
      const values = outputs.map(numbers);
      tf.dispose(outputs);
      return values;
    };
    // These are the kernels that it runs.
    const { kernelNames } = await tf.profile(() => tf.dispose(model.predict(x) as never) as never);
    expect(kernelNames).toEqual(expect.arrayContaining(NAMES));
    const before = tf.memory().numTensors;
    const [own, ours] = both(predict);
    expect(tf.memory().numTensors).toBe(before);
    expect(own.map(({ length }) => length)).toEqual([4 * 6 * 5 * 32, 32]);
    for (const [i, values] of own.entries()) expectSameBits(ours[i] as Float32Array, values);
    model.dispose();
  });
});

describe('layers of TensorFlow.js', () => {
  test.each([[[6, 40]], [[3, 5, 8]], [[2, 3, 4, 5]]])(
    'layerNormalization of %j, forward and backward',
    (shape) => {
      const layer = tf.layers.layerNormalization({ axis: -1 });
      layer.apply(tf.zeros(shape));
      layer.setWeights([random([shape.at(-1) as number], 3), random([shape.at(-1) as number], 4)]);
      const [x, dy] = [random(shape), random(shape, 2)];
      const [own, ours] = both(() => {
        const y = layer.apply(x) as Tensor;
        const { value, grads } = tf.variableGrads(
          () => tf.sum(tf.mul(layer.apply(x) as Tensor, dy)) as never,
        );
        const dx = tf.grad((given: Tensor) => layer.apply(given) as Tensor)(x, dy);
        return [y, value, dx, ...Object.values(grads)].map(numbers);
      });
      expect(own).toHaveLength(5);
      for (const [i, values] of own.entries()) expectSameBits(ours[i] as Float32Array, values);
    },
  );

  test('batchNormalization in training', () => {
    const x = random([8, 5]);
    const run = (): Float32Array[] => {
      const layer = tf.layers.batchNormalization({});
      const dx = tf.grad((given: Tensor) => layer.apply(given, { training: true }) as Tensor)(
        x,
        random([8, 5], 2),
      );
      return [dx, ...layer.getWeights()].map(numbers);
    };
    const [own, ours] = both(run);
    for (const [i, values] of own.entries()) expectSameBits(ours[i] as Float32Array, values);
  });

  test('fit takes the same steps and leaves no tensor', async () => {
    const train = async (): Promise<{ loss: unknown; tensors: number }> => {
      const model = tf.sequential();
      const kernelInitializer = tf.initializers.glorotUniform({ seed: 1 });
      model.add(tf.layers.dense({ units: 8, inputShape: [4], kernelInitializer }));
      model.add(tf.layers.layerNormalization());
      model.add(tf.layers.dense({ units: 1, kernelInitializer }));
      model.compile({ loss: 'meanSquaredError', optimizer: tf.train.sgd(0.05) });
      const [x, y] = [random([32, 4]), random([32, 1], 2)];
      const options = { epochs: 3, batchSize: 8, shuffle: false, verbose: 0 } as const;
      const before = tf.memory().numTensors;
      const { history } = await model.fit(x, y, options);
      const tensors = tf.memory().numTensors - before;
      model.dispose();
      return { loss: history.loss, tensors };
    };
    const own = await train();
    const undo = patchBuiltins(tf);
    const ours = await train();
    undo();
    expect(ours).toEqual(own);
  });
});

describe('undo', () => {
  test('puts back the very kernels and gradient that were there', () => {
    const [formerKernels, formerGradient] = [kernels(), gradient()];
    const expectFormer = (): void => {
      for (const [i, former] of formerKernels.entries()) expect(kernels()[i]).toBe(former);
    };
    const undo = patchBuiltins(tf);
    for (const [i, former] of formerKernels.entries()) {
      const replaced = kernels()[i];
      expect(replaced).not.toBe(former);
      // Backends that start meanwhile, and end, still set up what undo puts back.
      expect(replaced?.setupFunc).toBe(former?.setupFunc);
    }
    expect(gradient()).not.toBe(formerGradient);
    expect(patchBuiltins(tf)).toBe(undo);
    undo();
    expectFormer();
    expect(gradient()).toBe(formerGradient);
    undo();
    expectFormer();
    const again = patchBuiltins(tf);
    expect(again).not.toBe(undo);
    undo(); // that of a patch which is gone
    expect(kernel()).not.toBe(formerKernels[0]);
    again();
    expectFormer();
  });

  test('leaves alone what somebody else has put there meanwhile', () => {
    const [former, ...others] = kernels();
    const undo = patchBuiltins(tf);
    const theirs = { ...former };
    tf.unregisterKernel('Tile', 'wasm');
    tf.registerKernel(theirs as never);
    undo();
    expect(kernel()).toBe(theirs);
    for (const [i, other] of others.entries()) expect(kernels()[i + 1]).toBe(other);
    tf.unregisterKernel('Tile', 'wasm');
    tf.registerKernel(former as never);
  });
});

// As whoever has graph models alone: the gradients come with the layers.
test('a TensorFlow.js without gradients has its kernels replaced', () => {
  const [own, registered] = [kernels(), [] as unknown[]];
  const bare = { ...tf, engine: () => ({}), getGradient: () => undefined };
  const undo = patchBuiltins({ ...bare, registerGradient: (one: unknown) => registered.push(one) } as never);
  for (const [i, former] of own.entries()) expect(kernels()[i]).not.toBe(former);
  undo();
  for (const [i, former] of own.entries()) expect(kernels()[i]).toBe(former);
  expect(registered).toEqual([]);
});

test('what is no TensorFlow.js, and one without the backend, are refused', () => {
  expectError(
    () => patchBuiltins(undefined as never),
    'ERR_ARGUMENT',
    /patchBuiltins: tf is undefined, expected/,
  );
  expectError(() => patchBuiltins({} as never), 'ERR_ARGUMENT', /tf is an Object without engine, /);
  const bare = { ...tf, getKernel: () => undefined };
  const fresh = { ...bare, engine: () => ({}) } as never;
  expectError(
    () => patchBuiltins(fresh),
    'ERR_ARGUMENT',
    /tf has no backend 'wasm', expected that '@tensorflow/,
  );
  expect(LayerNormError.name).toBe('LayerNormError');
});
