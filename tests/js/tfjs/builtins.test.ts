// Tier: bitwise. What TensorFlow.js computes by its own kernels, and by those that patchBuiltins puts in their place.
import { LayerNormError, patchBuiltins } from 'layernorm/tfjs';
import { expectError } from '../support/errors.js';
import { numbers, random, tf, use } from '../support/tfjs.js';
import { expectSameBits } from '../support/ulp.js';

type Tensor = ReturnType<typeof tf.tensor>;

const kernel = () => tf.getKernel('Tile', 'wasm');
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
  test('puts back the very kernel and gradient that were there', () => {
    const [formerKernel, formerGradient] = [kernel(), gradient()];
    const undo = patchBuiltins(tf);
    expect(kernel()).not.toBe(formerKernel);
    expect(gradient()).not.toBe(formerGradient);
    // Backends that start meanwhile, and end, still set up what undo puts back.
    expect(kernel().setupFunc).toBe(formerKernel.setupFunc);
    expect(patchBuiltins(tf)).toBe(undo);
    undo();
    expect([kernel(), gradient()]).toEqual([formerKernel, formerGradient]);
    expect(kernel()).toBe(formerKernel);
    expect(gradient()).toBe(formerGradient);
    undo();
    expect(kernel()).toBe(formerKernel);
    const again = patchBuiltins(tf);
    expect(again).not.toBe(undo);
    undo(); // that of a patch which is gone
    expect(kernel()).not.toBe(formerKernel);
    again();
    expect(kernel()).toBe(formerKernel);
  });

  test('leaves alone what somebody else has put there meanwhile', () => {
    const former = kernel();
    const undo = patchBuiltins(tf);
    const theirs = { ...former };
    tf.unregisterKernel('Tile', 'wasm');
    tf.registerKernel(theirs);
    undo();
    expect(kernel()).toBe(theirs);
    tf.unregisterKernel('Tile', 'wasm');
    tf.registerKernel(former);
  });
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
