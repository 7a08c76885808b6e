import type { JsonObject } from '../../../js/src/keras/json.js';
import { tensorFlowConfig } from '../../../js/src/keras/tensorflow_config.js';
import { treeOf } from '../../../js/src/keras/tree.js';
import { expectError } from '../support/errors.js';
import {
  called,
  history,
  saved,
  savedFunctional,
  savedInput,
  savedSequential,
} from '../support/keras_files.js';

type Layers = { class_name: string; config: JsonObject; name: string; inbound_nodes?: unknown }[];
interface Rewritten {
  class_name: string;
  config: { name: string; layers: Layers; input_layers: unknown; output_layers: unknown };
}

const rewrite = (config: unknown): Rewritten =>
  tensorFlowConfig('config.json', treeOf('config.json', config as JsonObject)) as never;
const layersOf = (...layers: unknown[]): Layers =>
  rewrite(savedSequential('m', [savedInput('in', [null, 4]), ...layers])).config.layers.slice(1);
const one = (className: string, config: Record<string, unknown>): JsonObject =>
  (layersOf(saved(className, { name: 'a', ...config }))[0] as Layers[number]).config;

test('what Keras 3 has around a layer goes, and its shapes and types get their old names', () => {
  const { class_name, config } = rewrite(
    savedSequential('m', [
      savedInput('in', [null, 4], 'int64'),
      saved('Dense', { name: 'd', units: 2 }, [null, 4]),
    ]),
  );
  expect([class_name, config]).toEqual([
    'Sequential',
    {
      name: 'm',
      layers: [
        {
          class_name: 'InputLayer',
          name: 'in',
          config: { batch_input_shape: [null, 4], dtype: 'int32', name: 'in' },
        },
        {
          class_name: 'Dense',
          name: 'd',
          config: { trainable: true, dtype: 'float32', name: 'd', units: 2 },
        },
      ],
    },
  ]);
});

test('a Sequential without an input gets that which it was built for', () => {
  const model = savedSequential('m', [saved('Dense', { name: 'd', units: 2 })]);
  (model.config as JsonObject).build_input_shape = [null, 7];
  expect(rewrite(model).config.layers[0]).toMatchObject({
    class_name: 'InputLayer',
    config: { batch_input_shape: [null, 7] },
  });
});

test('initializers, regularizers, constraints, activations', () => {
  const object = (name: string, config = {}) => ({
    module: 'keras.x',
    class_name: name,
    config,
    registered_name: null,
  });
  expect(
    one('Dense', {
      kernel_initializer: object('LecunNormal', { seed: null, input_axes: null, output_axes: null }),
      bias_initializer: object('OrthogonalInitializer', { gain: 1 }),
      kernel_regularizer: object('L2', { l2: 0.5 }),
      bias_regularizer: object('L1', { l1: 0.25 }),
      kernel_constraint: object('MaxNorm', { max_value: 2, axis: 0 }),
      bias_constraint: null,
      activation: { module: 'builtins', class_name: 'function', config: 'silu', registered_name: 'function' },
    }),
  ).toEqual({
    name: 'a',
    trainable: true,
    dtype: 'float32',
    kernel_initializer: { class_name: 'LeCunNormal', config: { seed: null } },
    bias_initializer: { class_name: 'Zeros', config: {} },
    kernel_regularizer: { class_name: 'L1L2', config: { l1: 0, l2: 0.5 } },
    bias_regularizer: { class_name: 'L1L2', config: { l1: 0.25, l2: 0 } },
    kernel_constraint: { class_name: 'MaxNorm', config: { max_value: 2, axis: 0 } },
    bias_constraint: null,
    activation: 'swish',
  });
});

test('arguments that mean nothing here, and that have another name', () => {
  const neutral = { groups: 1, quantization_config: null, lora_rank: null };
  expect(one('Conv2D', { filters: 2, ...neutral })).not.toHaveProperty('groups');
  expect(one('LeakyReLU', { negative_slope: 0.3 })).toMatchObject({ alpha: 0.3 });
  expect(one('ReLU', { max_value: 6, negative_slope: 0, threshold: 0 })).toEqual({
    ...{ name: 'a', trainable: true, dtype: 'float32', max_value: 6 },
  });
  expect(
    one('BatchNormalization', {
      synchronized: false,
      renorm: false,
      renorm_clipping: null,
      renorm_momentum: 0.99,
    }),
  ).toEqual({
    ...{ name: 'a', trainable: true, dtype: 'float32' },
  });
  const target = { class_name: '__tuple__', items: [2, 2] };
  expect(one('Reshape', { target_shape: target })).toMatchObject({ target_shape: [2, 2] });
});

test('wrappers have their layers in the same form', () => {
  const lstm = saved('LSTM', { name: 'lstm', units: 2, recurrent_activation: 'sigmoid' });
  expect(one('Bidirectional', { layer: lstm, merge_mode: 'concat' }).layer).toEqual({
    class_name: 'LSTM',
    name: 'forward_lstm',
    config: { trainable: true, dtype: 'float32', name: 'lstm', units: 2, recurrent_activation: 'sigmoid' },
  });
});

test('a backward layer that is the mirror of the other', () => {
  const lstm = (name: string, go_backwards: boolean) =>
    saved('LSTM', { name, units: 2, go_backwards, seed: null });
  const config = {
    layer: lstm('forward_l', false),
    backward_layer: lstm('backward_l', true),
    merge_mode: 'sum',
  };
  expect(one('Bidirectional', config)).not.toHaveProperty('backward_layer');
  expect(one('Bidirectional', config).layer).toMatchObject({ config: { name: 'l', units: 2 } });
});

test.each<[string, Record<string, unknown>, string]>([
  [
    'MultiHeadAttention',
    {},
    "layer 'a' is a 'MultiHeadAttention', a class that neither TensorFlow.js nor this package has",
  ],
  [
    'constructor',
    {},
    "layer 'a' is a 'constructor', a class that neither TensorFlow.js nor this package has",
  ],
  ['Conv2D', { groups: 2 }, "layer 'a' (Conv2D): 'groups' is 2, which TensorFlow.js does not have"],
  ['GRU', { reset_after: true }, "layer 'a' (GRU): 'reset_after' is true, which TensorFlow.js does not have"],
  ['ReLU', { threshold: 1 }, "layer 'a' (ReLU): 'threshold' is 1, which TensorFlow.js does not have"],
  ['Dense', { unheard_of: 'x' }, "layer 'a' (Dense): 'unheard_of' is 'x', which TensorFlow.js does not have"],
  [
    'Dense',
    { activation: 'hard_sigmoid' },
    "layer 'a' (Dense): 'activation' is 'hard_sigmoid', which TensorFlow.js does not have or computes in another way",
  ],
  [
    'Dense',
    { kernel_regularizer: { class_name: 'OrthogonalRegularizer', config: {} } },
    "layer 'a' (Dense): 'kernel_regularizer' is 'OrthogonalRegularizer', which TensorFlow.js does not have",
  ],
  [
    'BatchNormalization',
    { renorm: true },
    "layer 'a' (BatchNormalization): 'renorm' is true, which TensorFlow.js does not have",
  ],
  ['TimeDistributed', {}, "layer 'a' (TimeDistributed) wraps no layer"],
  [
    'Bidirectional',
    { layer: saved('LSTM', { name: 'l' }), backward_layer: saved('LSTM', { name: 'l' }) },
    "layer 'a' (Bidirectional): 'backward_layer' is an Object, which TensorFlow.js does not have",
  ],
])('%s with %j is refused by its name', (className, config, message) => {
  expectError(() => one(className, config), 'ERR_FILE', `config.json: ${message}`);
});

describe('functional models', () => {
  const dense = (name: string) => saved('Dense', { name, units: 2 });
  const input = { ...savedInput('x', [null, 2]), name: 'x', inbound_nodes: [] };
  const model = (layers: unknown[], outputs: unknown[] = ['a', 0, 0], inputs: unknown[] = ['x', 0, 0]) =>
    savedFunctional('m', layers, inputs, outputs);

  test('calls become lists', () => {
    const layers = [
      input,
      called(dense('a'), [history('x')]),
      called(saved('Add', { name: 's' }), [[history('x'), history('a')]]),
    ];
    const { class_name, config } = rewrite(
      model(layers, [
        ['s', 0, 0],
        ['a', 0, 0],
      ]),
    );
    expect(class_name).toBe('Model');
    expect(config.layers.map(({ inbound_nodes }) => inbound_nodes)).toEqual([
      [],
      [[['x', 0, 0, {}]]],
      [
        [
          ['x', 0, 0, {}],
          ['a', 0, 0, {}],
        ],
      ],
    ]);
    expect([config.input_layers, config.output_layers]).toEqual([
      [['x', 0, 0]],
      [
        ['s', 0, 0],
        ['a', 0, 0],
      ],
    ]);
  });

  test('inputs by name, and calls in the form of Keras 2', () => {
    const layers = [input, { ...dense('a'), name: 'a', inbound_nodes: [[['x', 0, 0, {}]]] }];
    const { config } = rewrite(model(layers, { out: ['a', 0, 0] } as never, { in: ['x', 0, 0] } as never));
    expect([config.input_layers, config.output_layers]).toEqual([[['x', 0, 0]], [['a', 0, 0]]]);
  });

  test('layers come in the order in which they can be called', () => {
    const layers = [called(dense('a'), [history('b')]), called(dense('b'), [history('x')]), input];
    expect(rewrite(model(layers)).config.layers.map(({ name }) => name)).toEqual(['x', 'b', 'a']);
  });

  test('the first call of a model within is counted from one', () => {
    const inner = savedSequential('inner', [savedInput('y', [null, 2]), dense('d')]);
    const layers = [input, called(inner, [history('x')]), called(dense('a'), [history('inner')])];
    const found = rewrite(model(layers)).config.layers.find(({ name }) => name === 'a');
    expect(found?.inbound_nodes).toEqual([[['inner', 1, 0, {}]]]);
    const again = [input, called(inner, [history('x')]), called(dense('a'), [history('inner', 1)])];
    expect(rewrite(model(again)).config.layers.find(({ name }) => name === 'a')?.inbound_nodes).toEqual([
      [['inner', 1, 0, {}]],
    ]);
  });

  test.each<[string, unknown, string | RegExp]>([
    [
      'a circle',
      model([input, called(dense('a'), [history('b')]), called(dense('b'), [history('a')])]),
      "layer 'a' is called with call 0 of 'b', which the model 'm' does not have before",
    ],
    [
      'a layer that is not there',
      model([input, called(dense('a'), [history('z')])]),
      "layer 'a' is called with the output of 'z', which the model 'm' does not have before",
    ],
    [
      'a call that is not there',
      model([input, called(dense('a'), [history('x', 4)])]),
      "layer 'a' is called with call 4 of 'x', which the model 'm' does not have before",
    ],
    [
      'an end that is not there',
      model([input, called(dense('a'), [history('x')])], ['q', 0, 0]),
      "the model 'm' begins or ends with call 0 of 'q', which there is not",
    ],
    ['no end', model([input], []), "output_layers of the model 'm' is empty"],
    [
      'ends that are none',
      model([input], [['x', -1, 0]]),
      "the model 'm' refers to ['x', -1, 0], expected [layer, call, output]",
    ],
    [
      'arguments that are no outputs',
      model([input, called(dense('a'), [7])]),
      "layer 'a' is called with 7, expected the output of a layer",
    ],
    ['no arguments', model([input, called(dense('a'), [])]), "layer 'a' is called without arguments"],
    [
      'a call that is none',
      model([input, { ...dense('a'), inbound_nodes: [3] }]),
      "a call of layer 'a' is 3, expected an object",
    ],
    [
      'other arguments',
      model([
        input,
        { ...dense('a'), inbound_nodes: [{ args: [history('x')], kwargs: { mask: history('x') } }] },
      ]),
      "layer 'a' is called with 'mask', which TensorFlow.js does not have",
    ],
    [
      'an operation',
      model([
        input,
        called({ module: 'keras.src.ops.numpy', class_name: 'Add', config: { name: 'a' } }, [history('x')]),
      ]),
      "layer 'a' is a 'Add', a class that neither TensorFlow.js nor this package has",
    ],
  ])('%s is refused', (_, config, message) => {
    expectError(
      () => rewrite(config),
      'ERR_FILE',
      typeof message === 'string' ? `config.json: ${message}` : message,
    );
  });
});
