// Nothing leaks, and no view that is handed out is stale.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  batchNorm,
  batchNormBackward,
  batchNormForward,
  createEngine,
  groupNormBackward,
  groupNormForward,
  info,
  instanceNorm,
  layerNorm,
  layerNormBackward,
  layerNormForward,
  matryoshka,
  moments,
  rmsNorm,
  rmsNormBackward,
  rmsNormForward,
  skipLayerNorm,
  skipRmsNormForward,
  spectralNorm,
  spectralNormBackward,
  tensor,
  unitNorm,
  unitNormBackward,
  unitNormForward,
} from 'layernorm';
import { thrownBy } from './support/errors.js';
import { normals } from './support/random.js';
import { expectSameBits } from './support/ulp.js';

const x = normals(6000);
const gamma = normals(60, 2);
const options = { shape: [100, 60], gamma, beta: gamma };

/** Runs a workload often enough for any leak to show, after it has run often enough to have taken what it keeps. */
function expectNoLeak(work: () => void): void {
  for (let i = 0; i < 20; i++) work();
  const before = info();
  for (let i = 0; i < 2000; i++) work();
  expect(info()).toEqual(before);
}

test.each<[string, () => void]>([
  ['typed arrays', () => layerNorm(x, options)],
  ['statistics', () => layerNormForward(x, options)],
  ['blocks of columns', () => layerNorm(x, { shape: [100, 60], axis: 0 })],
  [
    'tensors that are disposed',
    () => {
      using t = tensor(x, [100, 60]);
      const { y, mean, rstd } = layerNormForward(t, { gamma });
      for (const one of [y, mean, rstd]) one.dispose();
    },
  ],
  [
    'operations about zero, of arrays and of tensors',
    () => {
      const { rstd } = rmsNormForward(x, { shape: [100, 60], gamma });
      rmsNormBackward(x, x, { shape: [100, 60], rstd, gamma });
      using t = tensor(x, [100, 60]);
      const unit = unitNormForward(t);
      const { dx } = unitNormBackward(x, t, { rstd: unit.rstd });
      for (const one of [unit.y, unit.rstd, dx, unitNorm(t), rmsNorm(t, { gamma })]) one.dispose();
    },
  ],
  [
    'sums that are normalized, of arrays and of tensors, in place and not',
    () => {
      skipLayerNorm(x, x, options);
      using t = tensor(x, [100, 60]);
      using u = tensor(x, [100, 60]);
      const { y, rstd } = skipRmsNormForward(t, u, { gamma, sumOut: t });
      const repeated = skipLayerNorm(t, gamma);
      for (const one of [y, rstd, repeated.y, repeated.sum]) one.dispose();
    },
  ],
  [
    'what is kept of embeddings, of arrays and of tensors, and what is refused',
    () => {
      matryoshka(x, { shape: [100, 60], dimensions: 10 });
      using t = tensor(x, [100, 60]);
      using y = matryoshka(t, { dimensions: 10 });
      matryoshka(t, { dimensions: 10, out: y });
      thrownBy(() => matryoshka(t, { dimensions: 61 }));
      thrownBy(() => matryoshka(t, { dimensions: 60, out: t }));
    },
  ],
  [
    'gradients',
    () => {
      const { mean, rstd } = layerNormForward(x, options);
      layerNormBackward(x, x, { shape: [100, 60], mean, rstd, gamma });
    },
  ],
  [
    'gradients of tensors',
    () => {
      using t = tensor(x, [100, 60]);
      const { y, mean, rstd } = layerNormForward(t, { gamma });
      const { dgamma } = layerNormBackward(y, t, { mean, rstd, gamma, out: y, outputs: ['dx', 'dgamma'] });
      for (const one of [y, mean, rstd, dgamma]) one.dispose();
    },
  ],
  [
    'spectral norms',
    () => {
      using t = tensor(x, [100, 60]);
      const { kernel, u, v, sigma } = spectralNorm(t, { u: gamma });
      const dx = spectralNormBackward(x, t, { u, v, sigma });
      for (const one of [kernel, u, v, dx]) one.dispose();
      thrownBy(() => spectralNorm(t, { u: x }));
    },
  ],
  [
    'tensors in place',
    () => {
      using t = tensor(x, [100, 60]);
      layerNorm(t, { out: t });
    },
  ],
  [
    'batch normalization',
    () => {
      const mask = new Uint8Array(100).fill(1, 50);
      const moving = { movingMean: gamma, movingVariance: gamma };
      const { mean, rstd } = batchNormForward(x, { ...options, mask, ...moving });
      batchNormBackward(x, x, { shape: [100, 60], mean, rstd, gamma, mask });
      using t = tensor(x, [100, 60]);
      const made = batchNormForward(t, { gamma, mask, ...moving });
      const statistics = { mean: made.mean, rstd: made.rstd };
      const { dgamma } = batchNormBackward(x, t, { ...statistics, mask, out: t, outputs: ['dx', 'dgamma'] });
      for (const one of [...Object.values(made), dgamma]) one.dispose();
      batchNorm(t, { mean: gamma, variance: gamma, out: t });
    },
  ],
  [
    'group normalization',
    () => {
      const { mean, rstd } = groupNormForward(x, { ...options, groups: 6 });
      groupNormBackward(x, x, { shape: [100, 60], groups: 6, mean, rstd, gamma });
      using t = tensor(x, [100, 60]);
      using y = instanceNorm(t);
      thrownBy(() => groupNormForward(y, { groups: 7 }));
    },
  ],
  [
    'moments',
    () => {
      using t = tensor(x, [100, 60]);
      const { mean, variance } = moments(t, { axis: 0 });
      mean.dispose();
      variance.dispose();
      thrownBy(() => moments(t, { axis: 2 }));
    },
  ],
  ['errors', () => thrownBy(() => layerNorm(x, { ...options, gamma: x }))],
  [
    'errors of tensors',
    () => {
      using t = tensor(x);
      thrownBy(() => layerNorm(t, { out: new Float32Array(1) }));
    },
  ],
])('%s leave nothing behind', (_, work) => {
  expectNoLeak(work);
});

test('engines leave nothing in one another', async () => {
  const before = info();
  for (let i = 0; i < 50; i++) {
    using engine = await createEngine();
    engine.tensor(x);
    engine.layerNorm(x, options);
  }
  expect(info()).toEqual(before);
});

test('after any growth views are fresh and results right', async () => {
  using engine = await createEngine();
  const expected = layerNorm(x, options);
  using early = engine.tensor(x, [100, 60]);
  for (const length of [2 ** 18, 2 ** 20, 2 ** 22]) {
    const before = engine.info().memoryBytes;
    using large = engine.tensor(new Float32Array(length));
    expect(engine.info().memoryBytes).toBeGreaterThan(before);
    expect(large.array.length).toBe(length);
    expect(early.array).toEqual(x);
    expect(engine.layerNorm(x, options)).toEqual(expected);
    using y = engine.layerNorm(early, { gamma, beta: gamma });
    expect(y.array).toEqual(expected);
  }
});

test('growth in the middle of a call: arguments that are views of the memory are found again', async () => {
  using engine = await createEngine();
  const columns = 100_000;
  using t = engine.tensor(normals(columns, 3));
  using out = engine.tensor(new Float32Array(columns));
  // gamma and beta lie outside, and do not fit into the memory as it is.
  const [g, b] = [normals(columns, 4), normals(columns, 5)];
  const before = engine.info().memoryBytes;
  const wide = engine.layerNorm(t.array, { gamma: g, beta: b, dtype: 'float64' });
  expect(engine.info().memoryBytes).toBeGreaterThan(before);
  const [copy, gCopy] = [t.array.slice(), g.slice()];
  expectSameBits(wide, layerNorm(copy, { gamma: gCopy, beta: b, dtype: 'float64' }));
  using grown = await createEngine();
  using u = grown.tensor(copy);
  const result = grown.layerNorm(u.array, { gamma: Float64Array.from(g), beta: [...b] });
  expectSameBits(result, layerNorm(copy, { gamma: gCopy, beta: b }));
  expectSameBits(engine.layerNorm(t, { out }).array, layerNorm(copy));
});

test('growth in the middle of a call: an out that it detached comes back as a new view', async () => {
  using engine = await createEngine();
  const columns = 100_000;
  using t = engine.tensor(new Float32Array(columns));
  const out = t.array;
  const row = normals(columns, 6);
  const y = engine.layerNorm(row, { out, gamma: row, beta: row });
  expect(out.length).toBe(0);
  expect(y.buffer).toBe(t.array.buffer);
  expectSameBits(y, layerNorm(row, { gamma: row, beta: row }));
  expectSameBits(y, t.array);
});

test('a tensor that is forgotten is freed by the collector, at some time', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  (() => {
    for (let i = 0; i < 10; i++) tensor(x);
  })();
  const made = info().liveTensors;
  expect(made).toBeGreaterThan(0);
  for (let i = 0; i < 50 && info().liveTensors > 0; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(info().liveTensors).toBe(0);
});
