// Tier: bitwise. Both backends with kernels, and the functions of the package, give the same bits.
import { install } from 'layernorm/tfjs';
import { hasKernels, registerKernels, runFused } from '../../../js/src/tfjs/kernels.js';
import { type Backend, clean, numbers, random, tf, use } from '../support/tfjs.js';
import { expectSameBits } from '../support/ulp.js';

type Tensor = ReturnType<typeof tf.tensor>;
type Name = Parameters<typeof runFused>[1];
type Shapes = Record<string, number[]>;

// The sources and the entry share the registry of TensorFlow.js: whoever comes first registers.
registerKernels(tf);
install(tf);

const positive = (shape: number[], seed: number): Tensor => tf.add(tf.abs(random(shape, seed)), 0.1);

/** Inputs are made anew on each backend. */
const CASES: [Name, () => Record<string, Tensor>, Shapes, { shape: number[] } & Record<string, unknown>][] = [
  [
    'layerNormForward',
    () => ({ x: random([3, 5]), gamma: random([5], 2), beta: random([5], 3) }),
    { y: [3, 5], mean: [3, 1], rstd: [3, 1] },
    { shape: [3, 5], axis: [1], epsilon: 1e-3, rmsScaling: false },
  ],
  [
    'layerNormBackward',
    () => ({
      ...{ dy: random([3, 5]), x: random([3, 5], 2), mean: random([3, 1], 3) },
      ...{ rstd: positive([3, 1], 4), gamma: random([5], 5) },
    }),
    { dx: [3, 5], dgamma: [5], dbeta: [5] },
    { shape: [3, 5], axis: [1], rmsScaling: false },
  ],
  [
    'rmsNormForward',
    () => ({ x: random([2, 3, 4]), gamma: random([3], 2) }),
    { y: [2, 3, 4], rstd: [2, 1, 4] },
    { shape: [2, 3, 4], axis: [1], epsilon: 1e-6 },
  ],
  [
    'rmsNormBackward',
    () => ({ dy: random([6, 4]), x: random([6, 4], 2), rstd: positive([6, 1], 3) }),
    { dx: [6, 4] },
    { shape: [6, 4], axis: [1] },
  ],
  [
    'unitNormForward',
    () => ({ x: random([6, 4]) }),
    { y: [6, 4], rstd: [6, 1] },
    { shape: [6, 4], axis: [1], epsilon: 1e-12 },
  ],
  [
    'unitNormBackward',
    () => ({ dy: random([6, 4]), x: random([6, 4], 2), rstd: positive([6, 1], 3) }),
    { dx: [6, 4] },
    { shape: [6, 4], axis: [1], epsilon: 1e-12 },
  ],
  [
    'batchNormForward',
    () => ({ x: random([6, 4]), gamma: random([4], 2), beta: random([4], 3) }),
    { y: [6, 4], mean: [4], rstd: [4], variance: [4] },
    { shape: [6, 4], axis: 1, epsilon: 1e-3 },
  ],
  [
    'batchNormInference',
    () => ({ x: random([2, 3, 4]), mean: random([3], 2), variance: positive([3], 3), beta: random([3], 4) }),
    { y: [2, 3, 4], rstd: [3] },
    { shape: [2, 3, 4], axis: 1, epsilon: 1e-3 },
  ],
  [
    'batchNormBackward',
    () => ({
      ...{ dy: random([6, 4]), x: random([6, 4], 2), mean: random([4], 3) },
      ...{ rstd: positive([4], 4), gamma: random([4], 5) },
    }),
    { dx: [6, 4], dgamma: [4], dbeta: [4] },
    { shape: [6, 4], axis: 1, training: false },
  ],
  [
    'groupNormForward',
    () => ({ x: random([2, 3, 4]), gamma: random([4], 2), beta: random([4], 3) }),
    { y: [2, 3, 4], mean: [2, 2], rstd: [2, 2] },
    { shape: [2, 3, 4], axis: 2, groups: 2, epsilon: 1e-3 },
  ],
  [
    'groupNormBackward',
    () => ({
      ...{ dy: random([2, 3, 4]), x: random([2, 3, 4], 2), mean: random([2, 2], 3) },
      ...{ rstd: positive([2, 2], 4), gamma: random([4], 5) },
    }),
    { dx: [2, 3, 4], dgamma: [4], dbeta: [4] },
    { shape: [2, 3, 4], axis: 2, groups: 2 },
  ],
  [
    'spectralNormForward',
    () => ({ kernel: random([2, 3, 4]), u: random([1, 4], 2) }),
    { y: [2, 3, 4], uOut: [1, 4] },
    { shape: [2, 3, 4], powerIterations: 3 },
  ],
];

test('every kernel has a case', () => {
  const registered = tf
    .getKernelsForBackend('wasm')
    .filter(({ kernelName }) => kernelName.startsWith('layernorm/'));
  expect(registered.map(({ kernelName }) => kernelName.slice('layernorm/'.length)).sort()).toEqual(
    CASES.map(([name]) => name).sort(),
  );
});

test.each(CASES)('%s', async (name, inputs, outputs, settings) => {
  const results: Float32Array[][] = [];
  for (const backend of ['wasm', 'cpu'] as Backend[]) {
    await use(backend);
    const given = inputs();
    const made = clean(() => runFused(tf, name, given, outputs, settings), Object.keys(outputs).length);
    expect(made.map(({ shape }) => shape)).toEqual(Object.values(outputs));
    results.push(made.map(numbers));
    tf.dispose([given, made]);
  }
  const [wasm, cpu] = results as [Float32Array[], Float32Array[]];
  for (const [i, values] of wasm.entries()) expectSameBits(cpu[i] as Float32Array, values);
});

test('which backends have them', async () => {
  const found: Record<string, boolean> = {};
  for (const backend of ['wasm', 'cpu', 'plain'] as const) {
    await use(backend);
    found[backend] = hasKernels(tf);
  }
  expect(found).toEqual({ wasm: true, cpu: true, plain: false });
});

test('inputs that are absent are not handed on', async () => {
  await use('cpu');
  const x = random([2, 3]);
  const settings = { shape: [2, 3], axis: [1], epsilon: 1e-3, rmsScaling: false };
  const [y] = runFused(
    tf,
    'layerNormForward',
    { x, gamma: undefined, beta: undefined },
    { y: [2, 3] },
    settings,
  );
  expect(y?.shape).toEqual([2, 3]);
});
