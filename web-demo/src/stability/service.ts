// The lab's work: rows, the kernel's results, what other formulas make of the same rows, and how far all of them are from the
// truth.

import { info, layerNorm, layerNormForward, moments, rmsNorm } from 'layernorm';
import { epsilonText } from '../compute/methods.js';
import { othersFirst, type Service, type Call as WorkCall } from '../worker/service.js';
import { compare } from './compare.js';
import { type Computed, onePass, plainRms, twoPass, welford } from './formulas.js';
import type { Event, FormulaName, FormulaResult, Outcome, Requests } from './protocol.js';
import { keptOf, RowMaker } from './row.js';
import { type Method, type Settings, sweepOffsets } from './settings.js';
import { truthOf } from './truth.js';
import { arithmeticOf, fromBits, isSixteenBit, TYPES, toBits } from './types.js';

/** Elements that the page gets to draw. */
const DRAWN = 64;

const rows = new RowMaker();

export const service: Service<Requests, Event> = { run, sweep };

function run(settings: Settings): Outcome {
  const x = rows.make(settings);
  const truth = truthOf(x, settings.epsilon, settings.method);
  const first = (values: Float64Array): Float64Array => values.slice(0, DRAWN);
  const results = computeAll(x, settings).map(([name, made]): FormulaResult => {
    const { mean, variance } = name === 'kernel' ? kernelStatistics(x, settings) : made;
    const compared = compare(made.y, truth, settings.type, settings.method);
    return { name, mean, variance, parts: made.parts, ...compared, y: first(made.y) };
  });
  const { version, variant, threads } = info();
  return {
    settings,
    x: first(x),
    kept: keptOf(x, settings),
    truth: { mean: truth.mean, variance: truth.variance, y: first(truth.y) },
    truthNotFinite: truth.y.reduce((count, value) => count + (Number.isFinite(value) ? 0 : 1), 0),
    results,
    call: callOf(settings),
    engine: { version, variant, threads },
  };
}

async function sweep(
  { sweep, settings }: { sweep: number; settings: Settings },
  { progress, notify, signal }: WorkCall<Event>,
): Promise<boolean> {
  const offsets = sweepOffsets(settings.type);
  for (const [i, offset] of offsets.entries()) {
    await othersFirst();
    if (signal.aborted) return false;
    const here = { ...settings, offset };
    const x = rows.make(here);
    const truth = truthOf(x, settings.epsilon, settings.method);
    const ulp: Partial<Record<FormulaName, number>> = {};
    for (const [name, { y }] of computeAll(x, here)) {
      ulp[name] = compare(y, truth, settings.type, settings.method).ulp;
    }
    notify({ sweep, point: { offset, distinct: keptOf(x, here).distinct, ulp } });
    progress((i + 1) / offsets.length);
  }
  return true;
}

type Made = Partial<Computed> & Pick<Computed, 'y'>;

/** Every result of one row, by what made it; the kernel's is first. */
function computeAll(x: Float64Array, settings: Settings): [FormulaName, Made][] {
  const { type, epsilon, method, clamps } = settings;
  const { round } = TYPES[arithmeticOf(type)];
  const { round: store } = TYPES[type];
  const stored = <C extends Computed>(computed: C): C => ({ ...computed, y: computed.y.map(store) });
  const all: [FormulaName, Made][] = [['kernel', { y: kernelResult(x, settings) }]];
  if (method === 'layer') {
    all.push(['onePass', stored(onePass(x, epsilon, round, clamps))]);
    all.push(['twoPass', stored(twoPass(x, epsilon, round))]);
    all.push(['welford', stored(welford(x, epsilon, round))]);
    if (isSixteenBit(type)) all.push(['sixteenBit', twoPass(x, epsilon, store)]);
  } else {
    all.push(['plainRms', stored(plainRms(x, epsilon, round))]);
    if (isSixteenBit(type)) all.push(['sixteenBit', plainRms(x, epsilon, store)]);
  }
  return all;
}

// What x is decides what the results are, which the types of the functions cannot say of a union of arrays.
type Call<Gives> = (x: unknown, options: object) => Gives;
type Values = ArrayLike<number>;
const PLAIN: Record<Method, Call<Values>> = {
  layer: layerNorm as Call<Values>,
  rms: rmsNorm as Call<Values>,
};
const { Float16Array } = globalThis as { Float16Array?: new (values: Float64Array) => Values };

function kernelResult(x: Float64Array, { type, epsilon, method }: Settings): Float64Array {
  const [typed, dtype] = containerOf(x, type);
  const y = PLAIN[method](typed, { epsilon, dtype });
  return dtype ? fromBits(y, dtype) : Float64Array.from(y);
}

/** The statistics that the package gives: RMS normalization has no mean, and no function gives its mean square. */
function kernelStatistics(
  x: Float64Array,
  { type, epsilon, method }: Settings,
): { mean?: number | undefined; variance?: number | undefined } {
  if (method === 'rms') return {};
  const [typed, dtype] = containerOf(x, type);
  const { mean } = (layerNormForward as Call<{ mean: Values }>)(typed, { epsilon, dtype });
  const { variance } = (moments as Call<{ variance: Values }>)(typed, { dtype });
  return { mean: mean[0], variance: variance[0] };
}

/** An array with the row, and the dtype that says what its bits are where it cannot say so itself. */
function containerOf(
  x: Float64Array,
  type: Settings['type'],
): [ArrayLike<number>, dtype?: 'float16' | 'bfloat16'] {
  switch (type) {
    case 'float64':
      return [x];
    case 'float32':
      return [Float32Array.from(x)];
    case 'float16':
      return Float16Array ? [new Float16Array(x)] : [toBits(x, type), type];
    case 'bfloat16':
      return [toBits(x, type), type];
  }
}

function callOf({ type, epsilon, method }: Settings): string {
  const [, dtype] = containerOf(new Float64Array(1), type);
  const options = `${dtype ? `dtype: '${dtype}', ` : ''}epsilon: ${epsilonText(epsilon)}`;
  return `${method === 'layer' ? 'layerNorm' : 'rmsNorm'}(x, { ${options} })`;
}
