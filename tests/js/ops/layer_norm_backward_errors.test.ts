// Every error that layerNormBackward throws: its code, its wording, and that nothing has been written.
import { createEngine, type LayerNormErrorCode, layerNormBackward, tensor } from 'layernorm';
import { expectError } from '../support/errors.js';

const NOT_A_TENSOR =
  'expected a typed array, a tensor, nested arrays of numbers, or an object with data and dims or shape';

const eight = new Float32Array([1, 2, 3, 4, 5, 6, 7, 8]);
const mean = new Float32Array([2, 6]);
const rstd = new Float32Array([1, 1]);
const four = new Float32Array(4);
const right = { shape: [2, 4], mean, rstd };

/** dy, x and what is changed of the options; then what is said of it. They are meant to be wrong, so their types are, too. */
const MISTAKES: [string, unknown, unknown, unknown, LayerNormErrorCode, string][] = [
  // dy and x
  ['no x', eight, undefined, {}, 'ERR_ARGUMENT', `x is undefined, ${NOT_A_TENSOR}`],
  ['no dy', undefined, eight, {}, 'ERR_ARGUMENT', `dy is undefined, ${NOT_A_TENSOR}`],
  ['a short dy', four, eight, {}, 'ERR_SHAPE', 'dy has 4 elements, expected 8, as x [2, 4] has'],
  [
    'a dy of another shape',
    { data: eight, shape: [4, 2] },
    eight,
    {},
    'ERR_SHAPE',
    'dy has shape [4, 2], expected [2, 4], the shape of x',
  ],
  [
    '64-bit integers',
    new BigInt64Array(8),
    eight,
    {},
    'ERR_DTYPE',
    'dy is a BigInt64Array, expected float16, bfloat16, float32, float64 or integers of up to 32 bits',
  ],
  ['text in dy', [['1']], eight, {}, 'ERR_DTYPE', "dy[0][0] is '1', expected a number"],
  [
    'a shape that does not fit',
    eight,
    eight,
    { shape: [2, 3] },
    'ERR_SHAPE',
    'x has 8 elements, expected 6, the product of its shape [2, 3]',
  ],
  // options
  [
    'an option of layerNorm',
    eight,
    eight,
    { epsilon: 1e-3 },
    'ERR_ARGUMENT',
    "unknown option 'epsilon', expected mean, rstd, gamma, axis, shape, rmsScaling, dtype, outputs, out",
  ],
  [
    "ONNX's name",
    eight,
    eight,
    { InvStdDev: rstd },
    'ERR_ARGUMENT',
    "unknown option 'InvStdDev', did you mean 'rstd'?",
  ],
  [
    "PyTorch's name",
    eight,
    eight,
    { weight: four },
    'ERR_ARGUMENT',
    "unknown option 'weight', did you mean 'gamma'?",
  ],
  [
    'an axis out of bounds',
    eight,
    eight,
    { axis: 2 },
    'ERR_AXIS',
    'axis 2 is out of bounds for x [2, 4], expected -2 to 1',
  ],
  [
    'rmsScaling as text',
    eight,
    eight,
    { rmsScaling: 1 },
    'ERR_ARGUMENT',
    'rmsScaling is 1, expected true or false',
  ],
  [
    'dtype half',
    eight,
    eight,
    { dtype: 'half' },
    'ERR_DTYPE',
    "dtype is 'half', expected 'float32', 'float64', 'float16' or 'bfloat16'",
  ],
  // mean, rstd, gamma
  ['no mean', eight, eight, { mean: undefined }, 'ERR_ARGUMENT', `mean is undefined, ${NOT_A_TENSOR}`],
  ['no rstd', eight, eight, { rstd: null }, 'ERR_ARGUMENT', `rstd is null, ${NOT_A_TENSOR}`],
  [
    'the mean of another axis',
    eight,
    eight,
    { mean: four },
    'ERR_SHAPE',
    'mean has 4 elements, expected 2, the number of groups of x [2, 4] over axis -1',
  ],
  [
    'rstd of other axes',
    eight,
    eight,
    { axis: [0, 1], mean: [1] },
    'ERR_SHAPE',
    'rstd has 2 elements, expected 1, the number of groups of x [2, 4] over axis [0, 1]',
  ],
  [
    'rstd of another shape',
    eight,
    eight,
    { rstd: [[1, 1]] },
    'ERR_SHAPE',
    'rstd has shape [1, 2], expected [2] or [2, 1]: 2 is the number of groups of x [2, 4] over axis -1',
  ],
  [
    'a short gamma',
    eight,
    eight,
    { gamma: mean },
    'ERR_SHAPE',
    'gamma has 2 elements, expected 4, the size of axis -1 of x [2, 4]',
  ],
  [
    'a column as gamma',
    eight,
    eight,
    { gamma: [[1], [2], [3], [4]] },
    'ERR_SHAPE',
    'gamma has shape [4, 1], expected [4] or [1, 4]: 4 is the size of axis -1 of x [2, 4]',
  ],
  // outputs
  [
    'an unknown output',
    eight,
    eight,
    { outputs: ['dx', 'dw'] },
    'ERR_ARGUMENT',
    "outputs is ['dx', 'dw'], expected one or more of ['dx', 'dgamma', 'dbeta']",
  ],
  [
    'no outputs',
    eight,
    eight,
    { outputs: [] },
    'ERR_ARGUMENT',
    "outputs is [], expected one or more of ['dx', 'dgamma', 'dbeta']",
  ],
  [
    'outputs as text',
    eight,
    eight,
    { outputs: 'dx' },
    'ERR_ARGUMENT',
    "outputs is 'dx', expected one or more of ['dx', 'dgamma', 'dbeta']",
  ],
  [
    'dbeta with rmsScaling',
    eight,
    eight,
    { outputs: ['dbeta'], rmsScaling: true },
    'ERR_ARGUMENT',
    "outputs is ['dbeta'], expected one or more of ['dx', 'dgamma']: scaling without centring has no offset",
  ],
  // out
  [
    'out without dx',
    eight,
    eight,
    { outputs: ['dgamma'], out: new Float32Array(8) },
    'ERR_ARGUMENT',
    "out is given, expected 'dx' among outputs ['dgamma']",
  ],
  [
    'a short out',
    eight,
    eight,
    { out: four },
    'ERR_SHAPE',
    'out has 4 elements, expected 8, as x [2, 4] has',
  ],
  [
    'an out of another type',
    eight,
    eight,
    { out: new Float64Array(8) },
    'ERR_DTYPE',
    'out has elements of float64, expected float32, the type of the result',
  ],
  [
    'a nested out',
    eight,
    eight,
    { out: [[1]] },
    'ERR_ARGUMENT',
    'out cannot be written in place, expected a typed array, a tensor, or an object with contiguous data',
  ],
];

/** One buffer that everything of a call lies in. */
const shared = Float32Array.from({ length: 20 }, (_, i) => i);
const part = (start: number, length: number): Float32Array => shared.subarray(start, start + length);
const OVERLAPS: [string, unknown, unknown, unknown, string][] = [
  ['dy in part', part(1, 8), eight, {}, 'out overlaps dy in memory, expected all of dy or none of it'],
  ['x in part', eight, part(7, 8), {}, 'out overlaps x in memory, expected all of x or none of it'],
  [
    'x, but dy in part',
    part(4, 8),
    part(0, 8),
    {},
    'out overlaps dy in memory, expected all of dy or none of it',
  ],
  ['mean', eight, eight, { mean: part(7, 2) }, 'out overlaps mean in memory, expected an array of its own'],
  ['rstd', eight, eight, { rstd: part(0, 2) }, 'out overlaps rstd in memory, expected an array of its own'],
  [
    'gamma',
    eight,
    eight,
    { gamma: part(2, 4) },
    'out overlaps gamma in memory, expected an array of its own',
  ],
];

test.each([
  ...MISTAKES,
  ...OVERLAPS.map(
    ([over, dy, x, changed, message]) =>
      [
        `an out over ${over}`,
        dy,
        x,
        { ...(changed as object), out: part(0, 8) },
        'ERR_ARGUMENT',
        message,
      ] as const,
  ),
])('%s', (_, dy, x, changed, code, message) => {
  const all = [eight, mean, rstd, four, shared];
  const before = all.map((array) => array.slice());
  const options = { ...right, ...(changed as object) };
  expectError(
    () => layerNormBackward(dy as Float32Array, x as Float32Array, options),
    code,
    `layerNormBackward: ${message}`,
  );
  expect(all).toEqual(before);
});

test('options are needed, and are an object', () => {
  const call = layerNormBackward as (...values: unknown[]) => unknown;
  expectError(
    () => call(eight, eight),
    'ERR_ARGUMENT',
    `layerNormBackward: mean is undefined, ${NOT_A_TENSOR}`,
  );
  expectError(
    () => call(eight, eight, [2, 4]),
    'ERR_ARGUMENT',
    'layerNormBackward: options is [2, 4], expected an object such as { axis: -1 }',
  );
});

test('what is gone, wherever it is passed', () => {
  const tensors = tensor(eight, [2, 4]);
  tensors.dispose();
  const detached = new Float32Array(8);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  for (const [gone, how] of [
    [tensors, /^layerNormBackward: (\w+) is a tensor that has been disposed$/],
    [detached, /^layerNormBackward: the buffer of (\w+) is detached/],
  ] as const) {
    expectError(() => layerNormBackward(gone, eight, right), 'ERR_DISPOSED', how);
    expectError(() => layerNormBackward(eight, gone, right), 'ERR_DISPOSED', how);
    for (const name of ['mean', 'rstd', 'gamma', 'out']) {
      expectError(() => layerNormBackward(eight, eight, { ...right, [name]: gone }), 'ERR_DISPOSED', how);
    }
  }
});

test('tensors of another engine', async () => {
  using engine = await createEngine();
  using t = engine.tensor(eight, [2, 4]);
  expectError(
    () => layerNormBackward(t, eight, right),
    'ERR_ARGUMENT',
    "layerNormBackward: dy is a tensor of another engine; pass its array, or call that engine's own layerNormBackward",
  );
});

describe('out of memory', () => {
  const MiB = 2 ** 20;

  test('a group that does not fit: nothing is written, nothing is left', async () => {
    using engine = await createEngine({ maxMemory: 4 * MiB });
    const large = new Float32Array(MiB).fill(1);
    const out = new Float32Array(MiB).fill(7);
    expectError(
      () => engine.layerNormBackward(large, large, { mean: [1], rstd: [1], out, outputs: ['dx'] }),
      'ERR_OUT_OF_MEMORY',
      /^layerNormBackward: \d+ bytes are needed, which the WebAssembly memory, now \d+ bytes large, cannot grow by$/,
    );
    expect(out.every((value) => value === 7)).toBe(true);
    using t = engine.tensor(new Float32Array(MiB / 4));
    expectError(
      () => engine.layerNormBackward(t, t, { mean: [1], rstd: [1] }),
      'ERR_OUT_OF_MEMORY',
      /^layerNormBackward: \d+ bytes/,
    );
    expect(engine.info().liveTensors).toBe(1);
  });

  test('a workspace beyond 4 GiB is refused, not counted modulo 2^32', () => {
    const row = new Uint8Array(180e6);
    expectError(
      () => layerNormBackward(row, row, { mean: [0], rstd: [1], outputs: ['dbeta'] }),
      'ERR_OUT_OF_MEMORY',
      /^layerNormBackward: 64549\d{5} bytes are needed/,
    );
  });
});
