// The measurements. Each starts in a new worker: memory that another one took is given back, and what the browser's compiler
// has learned from other types of arrays does not count.

import {
  batchNorm,
  configure,
  createEngine,
  info,
  layerNorm,
  rmsNorm,
  type Tensor,
  tensor,
  unitNorm,
} from 'layernorm';
import { METHODS } from '../compute/methods.js';
import { type Call, othersFirst, type Service } from '../worker/service.js';
import { largestError } from './check.js';
import { type Contender, clockStep, measure, type Plan, sampleLength } from './measure.js';
import type { Numbers } from './plain_loops.js';
import * as loops from './plain_loops.js';
import type { ContenderName, Engine, Finding, Requests } from './protocol.js';
import { type DType, type OperationName, type Settings, SWEEP_COLUMNS } from './settings.js';

/** The parts of the package that are measured, over one memory. */
interface Functions {
  readonly layerNorm: typeof layerNorm;
  readonly rmsNorm: typeof rmsNorm;
  readonly unitNorm: typeof unitNorm;
  readonly batchNorm: typeof batchNorm;
  readonly tensor: typeof tensor;
}
const FUNCTIONS: Functions = { layerNorm, rmsNorm, unitNorm, batchNorm, tensor };
const OPERATION = {
  layer: 'layerNorm',
  rms: 'rmsNorm',
  unit: 'unitNorm',
  batch: 'batchNorm',
} as const satisfies Record<OperationName, keyof Functions>;

const LOOPS: Record<OperationName, loops.RowLoop> = {
  layer: loops.layerNorm,
  rms: loops.rmsNorm,
  unit: loops.unitNorm,
  batch: loops.batchNorm,
};

/** An array as both JavaScript and the package take it. */
type Data = Numbers & (Float32Array | Float64Array | Uint16Array);
/** What x decides of the results' types cannot be said of a union of arrays. */
type Normalize = (x: unknown, options: unknown) => unknown;

const NAMES: Record<ContenderName, string> = {
  tensor: 'the tensor',
  one: 'the tensor, one thread',
  array: 'the array',
  loop: 'the plain loop',
  copy: 'memcpy',
};

const [WARM_UP_MS, BUDGET_MS] = [100, 1500];
/** Of a sweep, for each size. What has been optimized for the first is so for the others. */
const [NEXT_WARM_UP_MS, SIZE_BUDGET_MS] = [20, 300];
const CALL_BUDGET_MS = 300;
/** Of all the work with one shape, the calls on a single number are so much. */
const CALL_SHARE = 0.15;

let step: number | undefined;

function engineNow(): Engine {
  const { version, variant, threads, reason } = info();
  step ??= clockStep();
  return { version, variant, threads, ...(reason !== undefined && { reason }), clockStep: step };
}

const planOf = (warmUpMs: number, budgetMs: number): Plan => ({
  warmUpMs,
  budgetMs,
  sampleMs: sampleLength(engineNow().clockStep),
});

/** Numbers of mean 1, from -1 to 3, the same ones each time. */
function randomNumbers(length: number): Float32Array {
  const numbers = new Float32Array(length);
  let state = 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    numbers[i] = state / 2 ** 30 - 1;
  }
  return numbers;
}

/** Copies numbers into an array of a type; the bits, where the browser knows no such array. */
function encode(numbers: Float32Array, dtype: DType): Data {
  if (dtype === 'float32') return numbers;
  if (dtype === 'float64') return Float64Array.from(numbers);
  const converted = tensor(numbers, [numbers.length], dtype);
  const copy = converted.array.slice() as Data;
  converted.dispose();
  return copy;
}

/** Something that normalizes. */
interface Subject {
  readonly name: ContenderName;
  readonly call: () => void;
  /** What it has written. */
  readonly result: () => Data;
}

/** Everything that is measured on one shape. */
class Arena {
  readonly contenders: readonly Contender[];
  readonly #settings: Settings;
  readonly #x: Data;
  readonly #y: Data;
  readonly #gamma: Float32Array | Float64Array;
  readonly #beta: Float32Array | Float64Array;
  readonly #subjects: readonly Subject[];
  readonly #tensors: Tensor[] = [];

  /** @param single - another memory, for a tensor that one thread works on */
  constructor(settings: Settings, single?: Functions) {
    const { operation, rows, columns, dtype } = settings;
    this.#settings = settings;
    const indices = Float32Array.from({ length: columns }, (_, i) => i);
    const Parameters = dtype === 'float64' ? Float64Array : Float32Array;
    this.#gamma = new Parameters(indices.map((i) => 1 + (i % 8) / 16));
    this.#beta = new Parameters(indices.map((i) => (i % 5) / 8));
    this.#x = encode(randomNumbers(rows * columns), dtype);
    this.#y = this.#x.slice() as Data;
    const [x, y, gamma, beta] = [this.#x, this.#y, this.#gamma, this.#beta];
    const loop = loopOf(operation, dtype, x, y);
    const { epsilon } = METHODS[operation];
    this.#subjects = [
      { name: 'tensor' as const, ...this.#onTensor(FUNCTIONS) },
      single ? [{ name: 'one' as const, ...this.#onTensor(single) }] : [],
      { name: 'array' as const, call: this.#onArray(), result: () => y },
      loop
        ? [
            {
              name: 'loop' as const,
              call: () => loop(rows, columns, gamma, beta, epsilon),
              result: () => y,
            },
          ]
        : [],
    ].flat();
    this.contenders = [...this.#subjects, { name: 'copy', call: () => y.set(x as never) }];
  }

  /** The largest error of each contender, by calling it once. */
  check(): Partial<Record<ContenderName, number>> {
    const [x, gamma, beta] = [this.#x, this.#gamma, this.#beta];
    const { epsilon } = METHODS[this.#settings.operation];
    const errors: Partial<Record<ContenderName, number>> = {};
    for (const { name, call, result } of this.#subjects) {
      result().fill(Number.NaN); // bits of 16 become zeros, which are as wrong
      call();
      errors[name] = largestError({ ...this.#settings, epsilon, x, y: result(), gamma, beta });
    }
    return errors;
  }

  dispose(): void {
    for (const one of this.#tensors) one.dispose();
  }

  #made<T extends Tensor>(one: T): T {
    this.#tensors.push(one);
    return one;
  }

  /** Options are written out in each call, as in real code. */
  #onTensor(functions: Functions): Pick<Subject, 'call' | 'result'> {
    const { operation, rows, columns, dtype } = this.#settings;
    const normalize = functions[OPERATION[operation]] as Normalize;
    const { epsilon, hasGamma, hasBeta } = METHODS[operation];
    const x = this.#made(functions.tensor(this.#x, [rows, columns], dtype));
    const out = this.#made(functions.tensor(this.#y, [rows, columns], dtype));
    const gamma = hasGamma && this.#made(functions.tensor(this.#gamma));
    const beta = hasBeta && this.#made(functions.tensor(this.#beta));
    const call =
      gamma && beta
        ? () => normalize(x, { gamma, beta, epsilon, out })
        : gamma
          ? () => normalize(x, { gamma, epsilon, out })
          : () => normalize(x, { epsilon, out });
    return { call, result: () => out.array as Data };
  }

  #onArray(): () => void {
    const { operation, rows, columns, dtype } = this.#settings;
    const normalize = FUNCTIONS[OPERATION[operation]] as Normalize;
    const { epsilon, hasGamma, hasBeta } = METHODS[operation];
    const [x, out, gamma, beta] = [this.#x, this.#y, this.#gamma, this.#beta];
    const shape = [rows, columns];
    if (x instanceof Uint16Array) {
      // Only bits need to be told of what they are.
      if (hasBeta) return () => normalize(x, { shape, dtype, gamma, beta, epsilon, out });
      if (hasGamma) return () => normalize(x, { shape, dtype, gamma, epsilon, out });
      return () => normalize(x, { shape, dtype, epsilon, out });
    }
    if (hasBeta) return () => normalize(x, { shape, gamma, beta, epsilon, out });
    if (hasGamma) return () => normalize(x, { shape, gamma, epsilon, out });
    return () => normalize(x, { shape, epsilon, out });
  }
}

type Loop = (
  rows: number,
  columns: number,
  gamma: Float32Array | Float64Array,
  beta: Float32Array | Float64Array,
  epsilon: number,
) => void;

/** The plain loop; none of float16 where the browser has no Float16Array. */
function loopOf(operation: OperationName, dtype: DType, x: Data, y: Data): Loop | undefined {
  const loop = LOOPS[operation];
  if (!(x instanceof Uint16Array)) {
    return (rows, columns, gamma, beta, epsilon) => loop(x, rows, columns, gamma, beta, epsilon, y);
  }
  if (dtype !== 'bfloat16') return undefined;
  const scratch = new Float32Array(x.length);
  return (rows, columns, gamma, beta, epsilon) =>
    loops.withBfloat16(loop, scratch, x, rows, columns, gamma, beta, epsilon, y as Uint16Array);
}

interface Part {
  readonly run: number;
  readonly series: string;
  /** Said before what is being done: of which size it is. */
  readonly what: string;
  /** The part of all the work that this is. */
  readonly from: number;
  readonly to: number;
  readonly plan: Plan;
}

/** Of the time for a part, warming up takes about so much. */
const WARM_UP_SHARE = 0.2;

async function measurePart(
  contenders: readonly Contender[],
  { run, series, what, from, to, plan }: Part,
  { notify }: Call<Finding>,
): Promise<void> {
  const doing = (text: string, fraction: number) =>
    notify({ run, kind: 'doing', what: `${what}${text}`, fraction: from + (to - from) * fraction });
  await measure(contenders, plan, {
    onWarmUp: (name, index) =>
      doing(
        `warming up ${NAMES[name as ContenderName] ?? name}`,
        (WARM_UP_SHARE * index) / contenders.length,
      ),
    onRound(times, round, rounds) {
      notify({ run, kind: 'round', series, times, rounds });
      doing(`round ${round} of ${rounds}`, WARM_UP_SHARE + ((1 - WARM_UP_SHARE) * round) / rounds);
    },
    pause: othersFirst,
  });
}

/** Starts the threads, and a memory for one thread beside them. */
async function start(
  run: number,
  { threads }: Settings,
  { notify }: Call<Finding>,
): Promise<Functions | undefined> {
  notify({ run, kind: 'doing', what: threads > 1 ? 'starting threads' : 'starting', fraction: 0 });
  if (threads > 1) await configure({ threads });
  notify({ run, kind: 'engine', engine: engineNow() });
  return info().threads > 1 ? createEngine() : undefined;
}

export const service: Service<Requests, Finding> = {
  async probe() {
    const engine = engineNow();
    const { threads, reason } = await configure({ threads: 2 });
    return { engine, ...(threads === 1 && reason !== undefined && { threadsReason: reason }) };
  },

  async run({ run, settings }, call) {
    const single = await start(run, settings, call);
    call.notify({ run, kind: 'doing', what: 'comparing the results with float64', fraction: 0 });
    await othersFirst();
    const arena = new Arena(settings, single);
    call.notify({ run, kind: 'checked', errors: arena.check() });
    const to = 1 - CALL_SHARE;
    const plan = planOf(WARM_UP_MS, BUDGET_MS);
    await measurePart(arena.contenders, { run, series: 'shape', what: '', from: 0, to, plan }, call);
    arena.dispose();

    const one = new Arena({ ...settings, rows: 1, columns: 1 }, single);
    const contenders = one.contenders.filter(({ name }) => name !== 'copy');
    await measurePart(
      contenders,
      {
        run,
        series: 'call',
        what: 'a single number: ',
        from: to,
        to: 1,
        plan: planOf(WARM_UP_MS, CALL_BUDGET_MS),
      },
      call,
    );
    one.dispose();
    return null;
  },

  async sweep({ run, settings, sizes }, call) {
    const single = await start(run, settings, call);
    for (const [i, size] of sizes.entries()) {
      const arena = new Arena({ ...settings, ...size }, single);
      await measurePart(
        arena.contenders,
        {
          run,
          series: String(i),
          what: `size ${i + 1} of ${sizes.length}, ${size.rows} × ${SWEEP_COLUMNS}: `,
          from: i / sizes.length,
          to: (i + 1) / sizes.length,
          plan: planOf(i === 0 ? WARM_UP_MS : NEXT_WARM_UP_MS, SIZE_BUDGET_MS),
        },
        call,
      );
      arena.dispose();
    }
    return null;
  },

  async scaling({ run, settings, steps }, call) {
    const most = Math.max(...steps);
    await start(run, { ...settings, threads: most }, call);
    const arena = new Arena(settings);
    const [{ call: onTensor }] = arena.contenders as [Contender];
    const contenders = steps.map((threads) => ({
      name: String(threads),
      call: onTensor,
      prepare: async () => void (await configure({ threads })),
    }));
    await measurePart(
      contenders,
      { run, series: 'threads', what: '', from: 0, to: 1, plan: planOf(WARM_UP_MS, BUDGET_MS) },
      call,
    );
    arena.dispose();
    return null;
  },
};
