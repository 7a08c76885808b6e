// Tier: golden (what Keras 3.16 recorded of its layers), and the rules of TensorFlow.js for layers: models, files, configs, memory.
import { install, type LayerNormalizationArgs } from 'layernorm/tfjs';
import { expectError } from '../support/errors.js';
import { type GoldenArray, goldenCases, type KerasCase } from '../support/golden.js';
import { BACKENDS, clean, numbers, random, tf, use } from '../support/tfjs.js';
import { firstMismatch } from '../support/ulp.js';

type Tensor = ReturnType<typeof tf.tensor>;
type Layer = InstanceType<typeof tf.layers.Layer>;
type Config = Record<string, unknown>;
type Saved = Parameters<Parameters<typeof tf.io.withSaveHandler>[0]>[0];

const L = install(tf);
const { classes } = L;

/** snake_case to camelCase, below as well, as TensorFlow.js does it with a file. */
function camel(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camel);
  if (typeof value !== 'object' || value === null) return value;
  const rename = (key: string): string => key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [rename(key), camel(item)]));
}

/**
 * A config of Keras 3 for TensorFlow.js, which knows no policies of types, and applies constraints to weights that are set: without them.
 */
function configOf({ dtype: _, layer, gamma_constraint, beta_constraint, ...config }: Config): Config {
  const inner = layer && {
    className: (layer as Config).class_name,
    config: configOf((layer as { config: Config }).config),
  };
  return { ...(camel(config) as Config), ...(inner ? { layer: inner } : {}) };
}

const golden = ({ data, shape }: GoldenArray): Tensor => tf.tensor(data, shape, 'float32');

function expectClose(actual: ArrayLike<number>, { data }: { data: ArrayLike<number> }): void {
  const largest = Math.max(1, ...Array.from(data, Math.abs));
  expect(firstMismatch(actual, data, 2e-5, 5e-6 * largest)).toBeUndefined();
}

const plain = (name: string): string => name.split('/').at(-1) as string;

/** Weights of a layer by their names, in the order that Keras recorded them. */
function setWeights(layer: Layer, names: string[], values: GoldenArray[]): void {
  layer.setWeights(
    layer.weights.map(({ originalName }) =>
      golden(values[names.indexOf(plain(originalName))] as GoldenArray),
    ),
  );
}

/** Does something with a layer, and disposes of its weights. */
function withLayer<T>(layer: Layer, work: () => T): T {
  try {
    return work();
  } finally {
    for (const weight of layer.weights) weight.dispose();
  }
}

/** The tensors of a model as they would be written to a file, through JSON. */
async function save(model: InstanceType<typeof tf.LayersModel>): Promise<Saved> {
  let saved: Saved | undefined;
  await model.save(
    tf.io.withSaveHandler(async (artifacts) => {
      saved = { ...artifacts, modelTopology: JSON.parse(JSON.stringify(artifacts.modelTopology)) };
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
    }),
  );
  return saved as Saved;
}

const load = (saved: Saved) => tf.loadLayersModel(tf.io.fromMemory(saved));

const CASES = goldenCases<KerasCase>('keras.json').filter(({ class_name }) => class_name in classes);

test('all cases are there', () => {
  expect(CASES).toHaveLength(42);
  expect(new Set(CASES.map(({ class_name }) => class_name)).size).toBe(6);
});

describe.each(BACKENDS)('backend %s', (backend) => {
  beforeAll(() => use(backend));

  describe.each(CASES)('Keras 3.16: $name', (one) => {
    const { config, calls, weight_names, grads } = one;
    const kwargs = () => ({ training: one.training ?? false, ...(one.mask && { mask: golden(one.mask) }) });
    const make = (): Layer => {
      const Class = classes[one.class_name as keyof typeof classes];
      const layer = Class.fromConfig(Class as never, configOf(config) as never) as Layer;
      layer.build(one.input.shape);
      layer.built = true;
      setWeights(layer, weight_names, one.weights_before);
      return layer;
    };

    test('output, weights and losses', () => {
      const layer = make();
      const x = golden(one.input);
      withLayer(layer, () => {
        let y = layer.apply(x, kwargs()) as Tensor;
        for (let i = 1; i < calls; i++) y = layer.apply(x, kwargs()) as Tensor;
        expect(y.shape).toEqual(one.output.shape);
        expectClose(y.dataSync(), one.output);
        expect(layer.weights.map(({ originalName }) => plain(originalName)).sort()).toEqual(
          [...weight_names].sort(),
        );
        layer.weights.forEach((weight) => {
          const recorded = one.weights_after[weight_names.indexOf(plain(weight.originalName))] as GoldenArray;
          expectClose(weight.read().dataSync(), recorded);
        });
        const losses = layer.calculateLosses().map((loss) => loss.dataSync()[0] as number);
        expect(firstMismatch(losses, one.losses, 2e-5, 5e-6)).toBeUndefined();
      });
    });

    test('gradients', () => {
      const layer = make();
      const [x, dy] = [golden(one.input), golden(one.dy)];
      withLayer(layer, () => {
        for (let i = 1; i < calls; i++) layer.apply(x, kwargs());
        const weights = layer.trainableWeights;
        const input = tf.variable(x);
        const variables = [input, ...weights.map((weight) => weight.read() as typeof input)];
        const found = tf.variableGrads(
          () => tf.sum(tf.mul(layer.apply(input, kwargs()) as Tensor, dy)),
          variables,
        );
        expectClose((found.grads[input.name] as Tensor).dataSync(), grads.input);
        for (const weight of weights) {
          const recorded = grads[plain(weight.originalName)] as GoldenArray;
          expectClose((found.grads[(weight.read() as typeof input).name] as Tensor).dataSync(), recorded);
        }
        expect(weights.map(({ originalName }) => plain(originalName)).sort()).toEqual(
          Object.keys(grads)
            .filter((name) => name !== 'input')
            .sort(),
        );
      });
    });
  });

  // tfjs#2868: training without scale or without center ends in a TypeError in layers of TensorFlow.js.
  describe('tfjs#2868', () => {
    const combinations = [true, false].flatMap((scale) => [true, false].map((center) => ({ scale, center })));
    const names = ['layerNormalization', 'batchNormalization', 'groupNormalization'] as const;
    test.each(names.flatMap((name) => combinations.map((args) => [name, args] as const)))(
      '%s %j trains',
      async (name, args) => {
        const model = tf.sequential();
        model.add(tf.layers.dense({ units: 4, inputShape: [3] }));
        const make = L[name] as typeof L.layerNormalization;
        model.add(make({ ...args, ...(name === 'groupNormalization' && { groups: 2 }) } as never));
        model.add(tf.layers.dense({ units: 1 }));
        model.compile({ loss: 'meanSquaredError', optimizer: 'sgd' });
        const { history } = await model.fit(random([8, 3]), random([8, 1], 2), { epochs: 2, verbose: 0 });
        expect(history.loss?.every((loss) => Number.isFinite(loss))).toBe(true);
        model.dispose();
      },
    );
  });

  describe('models', () => {
    const dense = (units: number, seed: number, more = {}): Layer =>
      tf.layers.dense({ units, kernelInitializer: tf.initializers.glorotUniform({ seed }), ...more });

    function build(make: () => Layer): InstanceType<typeof tf.Sequential> {
      const model = tf.sequential();
      model.add(dense(16, 1, { activation: 'relu', inputShape: [10] }));
      model.add(make());
      model.add(dense(10, 2, { activation: 'softmax' }));
      model.compile({ loss: 'categoricalCrossentropy', optimizer: tf.train.adam(0.01) });
      return model;
    }

    const MAKERS: [string, () => Layer][] = [
      [
        'layerNormalization',
        () => L.layerNormalization({ gammaConstraint: 'nonNeg', betaRegularizer: 'l1l2' }),
      ],
      ['rmsNormalization', () => L.rmsNormalization()],
      ['batchNormalization', () => L.batchNormalization({ momentum: 0.9 })],
      ['groupNormalization', () => L.groupNormalization({ groups: 4 })],
      ['unitNormalization', () => L.unitNormalization()],
      ['spectralNormalization', () => L.spectralNormalization({ layer: dense(16, 3) })],
    ];

    test.each(MAKERS)(
      '%s: fit learns and leaks nothing; saved and loaded, it predicts the same',
      async (name, make) => {
        const model = build(make);
        const x = random([128, 10], 3);
        const y = tf.oneHot(tf.argMax(x, 1), 10);
        const train = (epochs: number) => model.fit(x, y, { epochs, batchSize: 32, verbose: 0 });
        const before = (model.layers[1] as Layer).getWeights().map(numbers);
        const { history } = await train(6);
        expect(history.loss?.at(-1) as number).toBeLessThan((history.loss?.[0] as number) * 0.9);
        const after = (model.layers[1] as Layer).getWeights().map(numbers);
        for (const [i, values] of after.entries()) expect(values).not.toEqual(before[i]);
        const count = tf.memory().numTensors;
        await train(1);
        expect(tf.memory().numTensors).toBe(count);

        const saved = await save(model);
        const loaded = await load(saved);
        expect((loaded.layers[1] as Layer).constructor).toBe((model.layers[1] as Layer).constructor);
        expect((loaded.layers[1] as Layer).getClassName().toLowerCase()).toBe(name.toLowerCase());
        const [first, second] = [model, loaded].map((one) => numbers(one.predict(x) as Tensor));
        expect(second).toEqual(first);
        model.dispose();
        loaded.dispose();
      },
    );

    test('what is saved with the layers of TensorFlow.js is loaded into these', async () => {
      for (const builtin of [
        tf.layers.layerNormalization({ epsilon: 1e-2 }),
        tf.layers.batchNormalization(),
      ]) {
        const model = build(() => builtin);
        const x = random([4, 10]);
        const loaded = await load(await save(model));
        const layer = loaded.layers[1] as Layer;
        expect(layer).toBeInstanceOf(classes[builtin.getClassName() as 'LayerNormalization']);
        expect(layer.getConfig().epsilon).toBe(builtin.getConfig().epsilon);
        const [first, second] = [model, loaded].map((one) => numbers(one.predict(x) as Tensor)) as [
          Float32Array,
          Float32Array,
        ];
        expect(firstMismatch(second, first, 1e-5, 1e-6)).toBeUndefined();
        model.dispose();
        loaded.dispose();
      }
    });

    test('a functional model, a symbolic tensor, and weights that are shared', () => {
      const input = tf.input({ shape: [6] });
      const shared = L.layerNormalization();
      const branches = [dense(8, 1), dense(8, 2)].map((layer) => shared.apply(layer.apply(input)) as never);
      const sum = tf.layers.add().apply(branches) as InstanceType<typeof tf.SymbolicTensor>;
      const model = tf.model({ inputs: input, outputs: L.unitNormalization(sum) });
      const y = numbers(model.predict(random([3, 6])) as Tensor);
      for (let row = 0; row < 3; row++) {
        const squares = y.slice(row * 8, row * 8 + 8).reduce((total, value) => total + value * value, 0);
        expect(squares).toBeCloseTo(1, 5);
      }
      expect(model.weights).toHaveLength(6);
      model.dispose();
    });

    test('constraints hold and regularizers count', async () => {
      const model = tf.sequential();
      const gammaConstraint = tf.constraints.maxNorm({ maxValue: 0.5, axis: 0 });
      model.add(
        L.layerNormalization({
          gammaConstraint,
          betaConstraint: 'nonNeg',
          gammaRegularizer: 'l2',
          inputShape: [5],
        }),
      );
      model.compile({ loss: 'meanSquaredError', optimizer: tf.train.sgd(0.5) });
      const [x, y] = [random([16, 5]), random([16, 5], 2)];
      await model.fit(x, y, { epochs: 2, verbose: 0 });
      const [gamma, beta] = model.getWeights().map(numbers) as [Float32Array, Float32Array];
      expect(Math.hypot(...gamma)).toBeLessThan(0.5 + 1e-6);
      expect(Math.min(...beta)).toBeGreaterThanOrEqual(0);
      const [penalty] = model.calculateLosses().map((loss) => loss.dataSync()[0]);
      expect(penalty).toBeCloseTo(0.01 * Math.hypot(...gamma) ** 2, 6);
      model.dispose();
    });

    test('sequences that are masked: the mask passes through', () => {
      const model = tf.sequential();
      model.add(tf.layers.masking({ maskValue: 0, inputShape: [4, 3] }));
      model.add(L.layerNormalization());
      model.add(L.batchNormalization());
      model.add(tf.layers.lstm({ units: 2, kernelInitializer: 'ones', recurrentInitializer: 'ones' }));
      const short = tf.tensor([
        [
          [1, 2, 4],
          [3, 1, 2],
          [0, 0, 0],
          [0, 0, 0],
        ],
      ]);
      const masked = numbers(model.predict(short) as Tensor);
      const junk = tf.tensor([
        [
          [1, 2, 4],
          [3, 1, 2],
        ],
      ]);
      const rest = model.layers.slice(1);
      const alone = numbers(rest.reduce((y, layer) => layer.apply(y) as Tensor, junk as Tensor));
      expect(firstMismatch(masked, alone, 1e-5, 1e-6)).toBeUndefined();
      model.dispose();
    });

    test('a batch normalization that does not train', async () => {
      const model = tf.sequential();
      model.add(L.batchNormalization({ trainable: false, inputShape: [4] }));
      model.add(tf.layers.dense({ units: 1 }));
      model.compile({ loss: 'meanSquaredError', optimizer: 'sgd' });
      const norm = model.layers[0] as Layer;
      const x = random([8, 4]);
      const before = numbers(norm.apply(x) as Tensor);
      await model.fit(x, random([8, 1], 2), { epochs: 2, verbose: 0 });
      expect(norm.trainableWeights).toHaveLength(0);
      expect(norm.getWeights().map(numbers)).toEqual(
        [
          [1, 1, 1, 1],
          [0, 0, 0, 0],
          [0, 0, 0, 0],
          [1, 1, 1, 1],
        ].map((w) => Float32Array.from(w)),
      );
      expect(numbers(norm.apply(x, { training: true }) as Tensor)).toEqual(before);
      model.dispose();
    });
  });

  describe('shapes', () => {
    test.each([
      ['rank 1', [7], { axis: 0 }],
      ['rank 5', [2, 3, 2, 2, 5], { axis: -1 }],
      ['two axes', [2, 3, 4], { axis: [1, 2] }],
      ['the first axis', [3, 4], { axis: 0 }],
      ['axes apart', [2, 3, 4, 2], { axis: [-1, 1] }],
    ] as [string, number[], LayerNormalizationArgs][])('%s', (_, shape, args) => {
      const x = random(shape);
      clean(() =>
        tf.tidy(() => {
          const layer = L.layerNormalization(args);
          const axes = [args.axis ?? -1].flat();
          withLayer(layer, () => {
            const y = layer.apply(x) as Tensor;
            const { mean, variance } = tf.moments(x, axes, true);
            const expected = tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-3)));
            expect(y.shape).toEqual(shape);
            expect(firstMismatch(y.dataSync(), expected.dataSync(), 1e-5, 1e-5)).toBeUndefined();
            expect(layer.computeOutputShape([null, ...shape.slice(1)])).toEqual([null, ...shape.slice(1)]);
          });
        }),
      );
    });

    test('integers are made float32', () => {
      const y = L.layerNormalization(tf.tensor([[1, 2, 3]], [1, 3], 'int32'));
      expect(y.dtype).toBe('float32');
      expect(firstMismatch(y.dataSync(), [-1.2238272, 0, 1.2238272], 1e-5, 1e-6)).toBeUndefined();
    });

    test('empty tensors', () => {
      for (const shape of [
        [0, 4],
        [2, 0, 4],
      ]) {
        expect(L.layerNormalization(tf.zeros(shape)).shape).toEqual(shape);
        expect(L.rmsNormalization(tf.zeros(shape)).shape).toEqual(shape);
        expect(L.unitNormalization(tf.zeros(shape)).shape).toEqual(shape);
        expect(L.groupNormalization(tf.zeros(shape), { groups: 2 }).shape).toEqual(shape);
        expect(L.batchNormalization(tf.zeros(shape)).shape).toEqual(shape);
      }
    });

    test('one group of a group normalization is a layer normalization of the sample', () => {
      const x = random([3, 4, 5, 6]);
      const group = L.groupNormalization(x, { groups: 1 });
      const layer = L.layerNormalization(x, { axis: [1, 2, 3] });
      expect(firstMismatch(group.dataSync(), layer.dataSync(), 1e-6, 1e-6)).toBeUndefined();
    });

    test('-1 groups: instance normalization', () => {
      const x = random([3, 4, 5, 6]);
      const group = L.groupNormalization(x, { groups: -1 });
      const layer = L.layerNormalization(x, { axis: [1, 2] });
      expect(firstMismatch(group.dataSync(), layer.dataSync(), 1e-6, 1e-6)).toBeUndefined();
    });
  });

  describe('spectral normalization', () => {
    const make = (args = {}) => {
      const inner = tf.layers.dense({
        units: 3,
        kernelInitializer: tf.initializers.randomNormal({ seed: 1 }),
        ...args,
      });
      return { inner, layer: L.spectralNormalization({ layer: inner, powerIterations: 50 }) };
    };

    test('training brings the largest singular value to 1 and keeps it; inference changes nothing', () => {
      const { inner, layer } = make();
      const x = random([2, 4]);
      layer.apply(x);
      const untouched = layer.getWeights().map(numbers);
      layer.apply(x);
      expect(layer.getWeights().map(numbers)).toEqual(untouched);
      const y = layer.apply(x, { training: true }) as Tensor;
      expect(numbers(inner.apply(x) as Tensor)).toEqual(numbers(y));
      let v = random([3, 1], 5);
      const kernel = inner.getWeights()[0] as Tensor;
      for (let i = 0; i < 50; i++)
        v = tf.matMul(kernel as never, tf.matMul(kernel as never, v as never), true);
      const before = tf.norm(tf.matMul(kernel as never, v as never)).dataSync()[0] as number;
      expect(before / (tf.norm(v).dataSync()[0] as number)).toBeCloseTo(1, 3);
      layer.dispose();
    });

    test('a kernel of zeros stays, and so does the vector', () => {
      const { layer } = make({ kernelInitializer: 'zeros' });
      layer.apply(random([2, 4]));
      const before = layer.getWeights().map(numbers);
      layer.apply(random([2, 4]), { training: true });
      expect(layer.getWeights().map(numbers)).toEqual(before);
      layer.dispose();
    });

    test('a convolution, and an embedding', () => {
      const conv = L.spectralNormalization({ layer: tf.layers.conv2d({ filters: 2, kernelSize: 3 }) });
      expect((conv.apply(random([1, 5, 5, 2]), { training: true }) as Tensor).shape).toEqual([1, 3, 3, 2]);
      const embedding = L.spectralNormalization({
        layer: tf.layers.embedding({ inputDim: 7, outputDim: 4 }),
      });
      const y = embedding.apply(tf.tensor([[1, 2]], [1, 2], 'int32'), { training: true }) as Tensor;
      expect(y.shape).toEqual([1, 2, 4]);
    });

    test('the regularizers of its layer count, and trainable is a switch for both', () => {
      const { layer, inner } = make({ kernelRegularizer: tf.regularizers.l2() });
      layer.apply(random([2, 4]));
      expect(layer.calculateLosses()).toHaveLength(1);
      expect(layer.trainableWeights).toEqual(inner.weights);
      layer.trainable = false;
      expect(layer.trainableWeights).toHaveLength(0);
      expect(layer.weights).toHaveLength(3);
      layer.dispose();
    });
  });

  test('initial weights', () => {
    const weights = [tf.tensor([2, 3]), tf.tensor([5, 7])];
    const layer = L.layerNormalization({ weights, epsilon: 0, inputShape: [2] });
    const model = tf.sequential({ layers: [layer as never] });
    expect(numbers(model.predict(tf.tensor([[-1, 1]])) as Tensor)).toEqual(Float32Array.of(3, 10));
    model.dispose();
  });
});

describe('configs', () => {
  beforeAll(() => use('cpu'));

  const affine = {
    center: false,
    scale: true,
    betaInitializer: tf.initializers.constant({ value: 2 }),
    gammaInitializer: 'ones',
    gammaRegularizer: tf.regularizers.l1l2({ l1: 0.1, l2: 0.2 }),
    betaConstraint: tf.constraints.minMaxNorm({ minValue: 0.5 }),
    gammaConstraint: 'nonNeg',
  };
  const CONFIGS: [keyof typeof classes, Layer][] = [
    [
      'LayerNormalization',
      L.layerNormalization({ axis: [1, 2], epsilon: 1e-5, rmsScaling: true, ...affine }),
    ],
    ['RMSNormalization', L.rmsNormalization({ axis: 1, epsilon: 1e-5, name: 'named', trainable: false })],
    [
      'BatchNormalization',
      L.batchNormalization({ axis: 1, momentum: 0.9, movingMeanInitializer: 'ones', ...affine }),
    ],
    ['GroupNormalization', L.groupNormalization({ groups: 2, axis: -2, ...affine })],
    ['UnitNormalization', L.unitNormalization({ axis: [1, 2], inputShape: [3, 4] })],
    [
      'SpectralNormalization',
      L.spectralNormalization({ layer: tf.layers.dense({ units: 3 }), powerIterations: 4 }),
    ],
  ];

  test.each(CONFIGS)('%s: through JSON, and back', (name, layer) => {
    const text = JSON.stringify(layer.getConfig());
    const Class = classes[name];
    const copy = Class.fromConfig(Class as never, JSON.parse(text) as never) as Layer;
    expect(copy).toBeInstanceOf(Class);
    expect(JSON.stringify(copy.getConfig())).toBe(text);
  });

  test('the regularizers of Keras, of which TensorFlow.js has one for all', () => {
    const given = [
      'l2',
      'L1',
      { className: 'L2', config: { l2: 0.5 } },
      tf.regularizers.l1({ l1: 0.25 }),
      'l1l2',
    ];
    const read = given.map(
      (gammaRegularizer) => L.layerNormalization({ gammaRegularizer }).getConfig().gammaRegularizer,
    );
    const of = (l1: number, l2: number) => ({ className: 'L1L2', config: { l1, l2 } });
    expect(JSON.parse(JSON.stringify(read))).toEqual([
      of(0, 0.01),
      of(0.01, 0),
      of(0, 0.5),
      of(0.25, 0),
      of(0.01, 0.01),
    ]);
  });

  test('they have what was given', () => {
    expect(CONFIGS[0]?.[1].getConfig()).toMatchObject({
      ...{ axis: [1, 2], epsilon: 1e-5, rmsScaling: true, center: false, scale: true },
      betaInitializer: { className: 'Constant', config: { value: 2 } },
      gammaConstraint: { className: 'NonNeg' },
    });
  });

  test('what Keras 3 writes besides is passed over', () => {
    const config = { axis: -1, renorm: false, renormClipping: null, synchronized: false };
    const Class = classes.BatchNormalization;
    expect((Class.fromConfig(Class as never, config as never) as Layer).getConfig()).toMatchObject({
      axis: -1,
    });
  });

  test('a layer within a spectral normalization that is not known', () => {
    const Class = classes.SpectralNormalization;
    const config = { layer: { className: 'Odd', config: {} } };
    expectError(
      () => Class.fromConfig(Class as never, config as never),
      'ERR_ARGUMENT',
      'SpectralNormalization: layer is a Odd, which is not registered',
    );
  });
});

describe('errors', () => {
  beforeAll(() => use('cpu'));
  const x = (): Tensor => tf.ones([2, 4, 6]);

  test.each([
    [
      () => L.layerNormalization({ epsilon: -1 }),
      'LayerNormalization: epsilon is -1, expected a number that is not negative',
    ],
    [
      () => L.layerNormalization({ epsilon: 'a' as never }),
      "LayerNormalization: epsilon is 'a', expected a finite number",
    ],
    [
      () => L.layerNormalization({ center: 1 as never }),
      'LayerNormalization: center is 1, expected true or false',
    ],
    [() => L.layerNormalization({ rmsScaling: 'no' as never }), /rmsScaling is 'no', expected true or false/],
    [() => L.layerNormalization({ gammaInitializer: 'odd' }), /LayerNormalization: Unknown initializer: odd/],
    [
      () => L.batchNormalization({ momentum: Number.NaN }),
      'BatchNormalization: momentum is NaN, expected a finite number',
    ],
    [() => L.batchNormalization({ synchronized: true } as never), /synchronized is true, expected false/],
    [
      () => L.groupNormalization({ groups: 0 }),
      'GroupNormalization: groups is 0, expected an integer from 1 on, or -1',
    ],
    [() => L.groupNormalization({ groups: 1.5 }), /groups is 1.5, expected an integer/],
    [
      () => L.groupNormalization(x(), { groups: 4 }),
      /groups is 4 and axis 2 of x \[2, 4, 6\], expected .* multiple of the groups/,
    ],
    [
      () => L.spectralNormalization({} as never),
      /layer is undefined, expected a layer with a kernel, such as tf.layers.dense/,
    ],
    [
      () => L.spectralNormalization({ layer: tf.layers.dense({ units: 1 }), powerIterations: 0 }),
      'SpectralNormalization: powerIterations is 0, expected an integer from 1 on',
    ],
    [
      () => L.spectralNormalization({ layer: tf.layers.flatten() as never }).apply(x()),
      'SpectralNormalization: a Flatten has neither kernel nor embeddings',
    ],
    [() => L.layerNormalization().apply([x(), x()]), /LayerNormalization: got 2 inputs, expected one/],
  ] as [() => unknown, string | RegExp][])('arguments %#', (call, message) => {
    expectError(call, 'ERR_ARGUMENT', message);
  });

  test.each([
    [() => L.layerNormalization(x(), { axis: 3 }), /axis 3 is out of bounds for x \[2, 4, 6\]/],
    [() => L.layerNormalization(x(), { axis: [1, 1] }), /LayerNormalization: /],
    [
      () => L.batchNormalization(x(), { axis: [1, 2] as never }),
      /axis is \[1, 2\], expected one: that of the channels/,
    ],
    [() => L.groupNormalization(x(), { axis: 0 }), /expected an axis that is not that of the samples/],
  ] as [() => unknown, RegExp][])('axes %#', (call, message) => {
    expectError(call, 'ERR_AXIS', message);
  });

  test('a size that is not known', () => {
    const input = tf.input({ shape: [null, 4] });
    expectError(
      () => L.layerNormalization(input, { axis: [1, 2] }),
      'ERR_SHAPE',
      /LayerNormalization: axis 1 of x \[null, null, 4\] has no size, which its weights need/,
    );
    expect(L.layerNormalization(input).shape).toEqual([null, null, 4]);
  });
});
