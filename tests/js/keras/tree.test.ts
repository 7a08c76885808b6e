import type { JsonObject } from '../../../js/src/keras/json.js';
import { groupOfVariables, nodesOf, treeOf } from '../../../js/src/keras/tree.js';
import { expectError } from '../support/errors.js';
import { saved, savedFunctional, savedInput, savedSequential } from '../support/keras_files.js';

const listed = (config: Record<string, unknown>): [string, string][] =>
  [...nodesOf(treeOf('config.json', config as JsonObject))].map((node) => [
    node.path,
    groupOfVariables(node),
  ]);

test('layers are counted by class, in their order, whatever their names are', () => {
  const dense = (name: string) => saved('Dense', { name });
  const layers = [
    savedInput('in', [null, 2]),
    dense('b'),
    saved('LayerNormalization', { name: 'n' }),
    dense('a'),
  ];
  expect(listed(savedSequential('m', layers))).toEqual([
    ['', ''],
    ['in', 'layers/input_layer'],
    ['b', 'layers/dense'],
    ['n', 'layers/layer_normalization'],
    ['a', 'layers/dense_1'],
  ]);
});

test('a functional model counts its inputs, and no operations', () => {
  const operation = { module: 'keras.src.ops.numpy', class_name: 'Add', config: { name: 'plus' } };
  const layers = [
    savedInput('x', [null, 2]),
    savedInput('y', [null, 2]),
    operation,
    saved('Add', { name: 'sum' }),
  ];
  expect(listed(savedFunctional('m', layers, [], [])).slice(1)).toEqual([
    ['x', 'layers/input_layer'],
    ['y', 'layers/input_layer_1'],
    ['plus', 'layers/add'],
    ['sum', 'layers/add'],
  ]);
});

test('models in models, and wrappers', () => {
  const inner = savedSequential('encoder', [saved('BatchNormalization', { name: 'bn' })]);
  const cells = [saved('LSTMCell', { name: 'c' }), saved('LSTMCell', { name: 'd' })];
  const layers = [
    inner,
    saved('TimeDistributed', { name: 'td', layer: saved('LayerNormalization', { name: 'ln' }) }),
    saved('Bidirectional', { name: 'bi', layer: saved('LSTM', { name: 'lstm' }) }),
    saved('Bidirectional', {
      name: 'own',
      layer: saved('GRU', { name: 'gru' }),
      backward_layer: saved('GRU', { name: 'back' }),
    }),
    saved('RNN', { name: 'rnn', cell: saved('StackedRNNCells', { name: 'stack', cells }) }),
  ];
  const nodes = [...nodesOf(treeOf('config.json', savedSequential('m', layers) as JsonObject))];
  expect(nodes.slice(1).map((node) => [node.path, groupOfVariables(node), node.wrappers.join()])).toEqual([
    ['encoder', 'layers/sequential', ''],
    ['encoder/bn', 'layers/sequential/layers/batch_normalization', ''],
    ['td', 'layers/time_distributed', ''],
    ['td/ln', 'layers/time_distributed/layer', 'TimeDistributed'],
    ['bi', 'layers/bidirectional', ''],
    ['bi/forward_lstm', 'layers/bidirectional/forward_layer/cell', 'Bidirectional'],
    ['bi/backward_lstm', 'layers/bidirectional/backward_layer/cell', 'Bidirectional'],
    ['own', 'layers/bidirectional_1', ''],
    ['own/forward_gru', 'layers/bidirectional_1/forward_layer/cell', 'Bidirectional'],
    ['own/backward_back', 'layers/bidirectional_1/backward_layer/cell', 'Bidirectional'],
    ['rnn', 'layers/rnn', ''],
    ['rnn/stack', 'layers/rnn/cell', 'RNN'],
    ['rnn/stack/c', 'layers/rnn/cell/cells/lstm_cell', 'RNN,StackedRNNCells'],
    ['rnn/stack/d', 'layers/rnn/cell/cells/lstm_cell_1', 'RNN,StackedRNNCells'],
  ]);
});

test("a class of one's own is none of Keras'", () => {
  const own = {
    module: 'my.layers',
    class_name: 'LayerNormalization',
    config: { name: 'a' },
    registered_name: 'my>LN',
  };
  const layers = [own, { class_name: 'Dense', config: { name: 'b' } }, saved('Dense', { name: 'c' })];
  const [, ...nodes] = nodesOf(treeOf('config.json', savedSequential('m', layers) as JsonObject));
  expect(nodes.map(({ isKeras }) => isKeras)).toEqual([false, true, true]);
});

test.each<[string, unknown, string | RegExp]>([
  ['no class', { config: {} }, 'config.json: class_name of the model is undefined, expected a string'],
  [
    'a layer that is none',
    savedSequential('m', ['x']),
    "config.json: layer 0 of the model is 'x', expected an object",
  ],
  [
    'a layer without a class',
    savedSequential('m', [{}]),
    'config.json: class_name of layer 0 of the model is undefined, expected a string',
  ],
  [
    'a name that is none',
    savedSequential('m', [saved('Dense', { name: 7 })]),
    'config.json: the name of layer 0 of the model is 7, expected a string',
  ],
  [
    'a name of every object',
    savedSequential('m', [saved('Dense', { name: 'constructor' })]),
    "config.json: the name of layer 0 of the model is 'constructor', which no layer can have",
  ],
  [
    'a path for a name',
    savedSequential('m', [saved('Dense', { name: 'a/b' })]),
    /is 'a\/b', which no layer can have$/,
  ],
  [
    'a name twice',
    savedSequential('m', [saved('Dense', { name: 'a' }), saved('ReLU', { name: 'a' })]),
    "config.json: two layers of the model have the name 'a'",
  ],
])('%s is refused', (_, config, message) => {
  expectError(() => treeOf('config.json', config as JsonObject), 'ERR_FILE', message);
});

test('models in models without an end', () => {
  let model = savedSequential('m', []);
  for (let i = 0; i < 70; ++i) model = savedSequential(`m${i}`, [model]);
  expectError(
    () => treeOf('config.json', model as JsonObject),
    'ERR_FILE',
    'config.json: its models and wrappers lie more than 64 deep in each other',
  );
});
