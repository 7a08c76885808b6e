import { layerNorm } from 'layernorm';
import { bytes, float, message, modelOf, number, tensor, text } from '../../../bench/peers/onnx_model.mjs';
import { readOnnx } from '../../../js/src/io/onnx.js';
import { expectError } from '../support/errors.js';

const floats = (...numbers: number[]): Uint8Array => new Uint8Array(Float32Array.from(numbers).buffer);
const weight = (name: string, ...numbers: number[]) => ({
  ...{ name, dtype: 'float32' as const, shape: [numbers.length], bytes: floats(...numbers) },
});
const x = { name: 'x', dtype: 'float32' as const, shape: [2, 3] };
const y = { ...x, name: 'y' };
const [gamma, beta] = [weight('w', 1, 2, 3), weight('b', 4, 5, 6)];

const input = (name: string): number[] => text(1, name);
const node = (operator: string, ...fields: number[][]): number[] => message(1, text(4, operator), ...fields);
const attribute = (name: string, ...fields: number[][]): number[] => message(5, text(1, name), ...fields);
/** A model of these fields of its graph. */
const model = (...fields: number[][]): Uint8Array =>
  Uint8Array.from([...message(7, ...fields), ...message(8, number(2, 17))]);

test('a node with its attributes and parameters', () => {
  const file = readOnnx(
    modelOf({
      ...{ operator: 'LayerNormalization', opset: 17, floats: { epsilon: 0.25 }, ints: { axis: -1 } },
      ...{ inputs: [x, gamma, beta], initializers: [gamma, beta], outputs: [y] },
    }),
  );
  expect([...file.opsets]).toEqual([['', 17]]);
  expect(file.names).toEqual(['w', 'b']);
  const [found] = file.normalizations;
  expect(file.normalizations).toHaveLength(1);
  expect(found).toMatchObject({
    ...{ name: '', operator: 'LayerNormalization', domain: '', inputs: ['x', 'w', 'b'], outputs: ['y'] },
    ...{ attributes: { axis: -1, epsilon: 0.25 }, parameters: { gamma: 'w', beta: 'b' }, epsilon: 0.25 },
  });
  expect(found?.gamma).toEqual({ data: Float32Array.of(1, 2, 3), shape: [3], dtype: 'float32' });
  expect(found?.gamma).toBe(found?.gamma);
  expect(found?.beta?.data).toEqual(Float32Array.of(4, 5, 6));
  expect([found?.mean, found?.variance, found?.bias]).toEqual([null, null, null]);
  expect(file.get('b').data).toEqual(Float32Array.of(4, 5, 6));
  const data = Float32Array.of(1, 2, 3, 10, 20, 60);
  const options = { shape: [2, 3], epsilon: 0.25 };
  expect(layerNorm(data, { ...options, gamma: found?.gamma ?? null, beta: found?.beta ?? null })).toEqual(
    layerNorm(data, { ...options, gamma: [1, 2, 3], beta: [4, 5, 6] }),
  );
});

const five = ['x', 'p1', 'p2', 'p3', 'p4', 'p5', 'p6'];
const single = Math.fround;

test.each<[string, string, object, object]>([
  ['', 'LayerNormalization', { gamma: 'p1', beta: 'p2' }, { axis: -1, epsilon: single(1e-5) }],
  ['ai.onnx', 'RMSNormalization', { gamma: 'p1' }, { axis: -1, epsilon: single(1e-5) }],
  ['', 'SimplifiedLayerNormalization', { gamma: 'p1' }, { axis: -1, epsilon: single(1e-5) }],
  [
    '',
    'BatchNormalization',
    { gamma: 'p1', beta: 'p2', mean: 'p3', variance: 'p4' },
    { epsilon: single(1e-5), momentum: single(0.9), training_mode: 0 },
  ],
  ['', 'InstanceNormalization', { gamma: 'p1', beta: 'p2' }, { epsilon: single(1e-5) }],
  ['', 'GroupNormalization', { gamma: 'p1', beta: 'p2' }, { epsilon: single(1e-5) }],
  ['', 'LpNormalization', {}, { axis: -1, p: 2 }],
  ['', 'MeanVarianceNormalization', {}, { axes: [0, 2, 3] }],
  [
    'com.microsoft',
    'SkipLayerNormalization',
    { gamma: 'p2', beta: 'p3', bias: 'p4' },
    { epsilon: single(1e-12) },
  ],
  [
    'com.microsoft',
    'SkipSimplifiedLayerNormalization',
    { gamma: 'p2', bias: 'p3' },
    { epsilon: single(1e-12) },
  ],
  ['com.microsoft', 'EmbedLayerNormalization', { gamma: 'p5', beta: 'p6' }, { epsilon: single(1e-12) }],
  ['com.microsoft', 'GroupNorm', { gamma: 'p1', beta: 'p2' }, { epsilon: single(1e-5), channels_last: 1 }],
  [
    'com.microsoft',
    'SkipGroupNorm',
    { gamma: 'p1', beta: 'p2', bias: 'p4' },
    { epsilon: single(1e-5), channels_last: 1 },
  ],
])('%s %s: which inputs are parameters, and defaults', (domain, operator, parameters, attributes) => {
  const weights = five.slice(1).map((name, i) => tensor(5, weight(name, i + 1)));
  const { normalizations } = readOnnx(model(...weights, node(operator, ...five.map(input), text(7, domain))));
  expect(normalizations).toMatchObject([{ operator, domain, parameters, attributes }]);
  expect(normalizations[0]?.epsilon).toBe('epsilon' in attributes ? attributes.epsilon : null);
  expect(Object.keys(normalizations[0]?.attributes ?? {})).toEqual(Object.keys(attributes));
  for (const [key, name] of Object.entries(parameters)) {
    const array = normalizations[0]?.[key as 'gamma'];
    expect(array?.data).toEqual(Float32Array.of(Number(name.slice(1))));
  }
});

test('other operators, and other domains, are none', () => {
  const nodes = [node('Add', input('x')), node('LayerNormalization', text(7, 'my.own')), node('toString')];
  expect(readOnnx(model(...nodes)).normalizations).toEqual([]);
});

test('attributes of all kinds, whatever their names', () => {
  const lists = [attribute('axes', number(8, 0), bytes(8, [1, 2])), attribute('weights', float(7, 0.5))];
  const others = [
    attribute('activation', text(4, 'silu')),
    attribute('__proto__', number(3, 5)),
    attribute('empty'),
  ];
  const [one] = readOnnx(model(node('MeanVarianceNormalization', ...lists, ...others))).normalizations;
  expect(Object.entries(one?.attributes ?? {})).toEqual([
    ...[
      ['axes', [0, 1, 2]],
      ['weights', [0.5]],
      ['activation', 'silu'],
      ['__proto__', 5],
    ],
  ]);
});

test('parameters that are left out or computed', () => {
  const [one] = readOnnx(
    model(node('BatchNormalization', ...['x', '', 'computed'].map(input))),
  ).normalizations;
  expect(one?.parameters).toEqual({ beta: 'computed' });
  expect([one?.gamma, one?.beta, one?.mean]).toEqual([null, null, null]);
});

test('weights that are constants, and names of names', () => {
  const constant = node('Constant', text(2, 'c'), attribute('value', tensor(5, weight('', 7))));
  const alias = (from: string, to: string) => node('Identity', input(from), text(2, to));
  const norm = node('LayerNormalization', ...['x', 'c2', 'w2'].map(input));
  const fields = [alias('c', 'c1'), alias('c1', 'c2'), constant, alias('w', 'w2'), norm, tensor(5, gamma)];
  const { normalizations, names } = readOnnx(model(...fields));
  expect(normalizations[0]?.gamma?.data).toEqual(Float32Array.of(7));
  expect(normalizations[0]?.beta?.data).toEqual(Float32Array.of(1, 2, 3));
  expect(names).toEqual(['w']);
  const circle = [alias('c1', 'c2'), alias('c2', 'c1'), norm];
  expect(readOnnx(model(...circle)).normalizations[0]?.gamma).toBeNull();
});

test('integers of other nodes may be any: the end of a slice is the largest there is', () => {
  // 2^63 - 1, in seven bits a byte.
  const largest = [...Array(8).fill(0xff), 0x7f];
  const ends = node('Slice', attribute('ends', [...number(8, 0).slice(0, 1), ...largest]));
  const norm = node('LayerNormalization', ...['x', 'w', 'b'].map(input));
  const { normalizations } = readOnnx(model(ends, norm, tensor(5, gamma), tensor(5, beta)));
  expect(normalizations[0]?.gamma?.data).toEqual(Float32Array.of(1, 2, 3));
});

test('nodes in graphs of nodes see the weights around them', () => {
  const inner = [node('LayerNormalization', ...['x', 'w', 'b'].map(input)), tensor(5, weight('b', 9))];
  const branch = node('If', attribute('then_branch', message(6, ...inner)));
  const file = readOnnx(model(branch, tensor(5, gamma), tensor(5, beta)));
  expect(file.normalizations[0]?.gamma?.data).toEqual(Float32Array.of(1, 2, 3));
  expect(file.normalizations[0]?.beta?.data).toEqual(Float32Array.of(9));
  expect([file.names, [...file.get('b').data]]).toEqual([
    ['w', 'b'],
    [4, 5, 6],
  ]);
});

test('weights in another file', () => {
  const outside = {
    name: 'w',
    dtype: 'float32' as const,
    shape: [3],
    external: { location: 'model.data', offset: '4' },
  };
  const made = modelOf({
    operator: 'RMSNormalization',
    opset: 23,
    inputs: [x, outside],
    initializers: [outside],
    outputs: [y],
  });
  const file = readOnnx(made, { externalData: { 'model.data': floats(0, 1, 2, 3) } });
  expect(file.externalFiles).toEqual(['model.data']);
  expect(file.normalizations[0]?.gamma?.data).toEqual(Float32Array.of(1, 2, 3));
  const without = readOnnx(made);
  expectError(
    () => without.get('w'),
    'ERR_ARGUMENT',
    "readOnnx: the ONNX tensor 'w' is in the file 'model.data', expected it in externalData",
  );
  expectError(() => without.normalizations[0]?.gamma, 'ERR_ARGUMENT', /is in the file 'model.data'/);
});

test('a tensor that cannot be read does not keep others from it', () => {
  const file = readOnnx(model(message(5, text(8, 'text'), number(2, 8)), tensor(5, gamma)));
  expect(file.names).toEqual(['text', 'w']);
  expect(file.get('w').shape).toEqual([3]);
  expectError(
    () => file.get('text'),
    'ERR_FILE',
    /^the ONNX tensor 'text': its elements are of the type of number 8/,
  );
  expectError(
    () => file.get('z'),
    'ERR_ARGUMENT',
    "OnnxModel.get: there is no initializer 'z', expected one of 'text', 'w'",
  );
});

describe('files that are refused', () => {
  /** Graphs in branches of graphs. */
  function nested(depth: number): number[] {
    let graph: number[] = [];
    for (let i = 0; i < depth; i++) graph = node('If', attribute('then_branch', message(6, graph)));
    return graph;
  }

  test.each<[string, Uint8Array, string | RegExp]>([
    [
      'nothing',
      new Uint8Array(),
      'the ONNX model: it has no graph: the file is of another format, or cut off',
    ],
    ['text', new TextEncoder().encode('not a model at all'), /^the ONNX model: /],
    ['two graphs', Uint8Array.from([...message(7), ...message(7)]), 'the ONNX model: it has two graphs'],
    [
      'a graph that is a number',
      Uint8Array.from(number(7, 1)),
      'the ONNX model: field 7 is stored as an integer, expected bytes of a length',
    ],
    [
      'a graph that is cut off',
      model(tensor(5, gamma)).slice(0, 20),
      /^the ONNX model: field 7 has a length of \d+ bytes, 18 are left$/,
    ],
    ['a node of garbage', model(message(1, [0xff])), 'a node of the ONNX model: it is cut off in an integer'],
    [
      'two weights of a name',
      model(tensor(5, gamma), tensor(5, gamma)),
      "the ONNX model: it has two tensors 'w' in one graph",
    ],
    [
      'graphs without end',
      model(nested(40)),
      'the ONNX model: its graphs lie more than 32 deep in each other',
    ],
  ])('%s', (_, file, problem) => {
    expectError(() => readOnnx(file), 'ERR_FILE', problem);
  });

  test('graphs as deep as programs have them', () => {
    expect(readOnnx(model(nested(31))).normalizations).toEqual([]);
  });

  test('more nodes and tensors than any model has, in bounded time', () => {
    const many = (field: readonly number[], count: number) => {
      const content = new Uint8Array(field.length * count);
      for (let i = 0; i < count; i++) content.set(field, i * field.length);
      return content;
    };
    const graph = (content: Uint8Array) => {
      const length = [];
      for (let rest = content.length; rest > 0; rest = Math.floor(rest / 128))
        length.push((rest % 128) | (rest > 127 ? 128 : 0));
      return Uint8Array.from([0x3a, ...length, ...content]);
    };
    expectError(
      () => readOnnx(graph(many(node('LpNormalization'), 70_000))),
      'ERR_FILE',
      'the ONNX model: it has more than 65536 nodes that normalize',
    );
    expectError(
      () => readOnnx(graph(many(node('Identity'), 270_000))),
      'ERR_FILE',
      'the ONNX model: it has more than 262144 tensors',
    );
  });

  test('options', () => {
    expectError(
      () => readOnnx(model(), { external: {} } as never),
      'ERR_ARGUMENT',
      "readOnnx: unknown option 'external', expected externalData",
    );
    expectError(() => readOnnx('x' as never), 'ERR_ARGUMENT', /^readOnnx: bytes is 'x'/);
  });
});
