// What a person chooses, as it stands in the address.

import type { State } from '../app/view.js';
import { NORMS, type NormName, type Sample, type Settings, TASKS, type Task } from './protocol.js';

export const DEFAULTS: Settings = {
  task: 'recover',
  rate: 0.1,
  batch: 32,
  seed: 1,
  center: true,
  scale: true,
  input: -1,
};

export const LIMITS = {
  rate: [1e-4, 10],
  batch: [1, 256],
  seed: [0, 2 ** 32 - 4],
  input: [-3, 4],
  x: [-5, 5],
  dy: [-3, 3],
  gamma: [-3, 3],
  epsilon: [1e-8, 1],
} as const;

/** Steps a second. The last stands for as many as there is time for. */
export const SPEEDS: readonly number[] = [1, 3, 10, 30, 100, 300, 1000, Number.MAX_SAFE_INTEGER];
export const DEFAULT_SPEED = 4;

export const DEFAULT_SAMPLE: Sample = {
  norm: 'layer',
  epsilon: 1e-3,
  x: [0.5, 2, -1, 1.5, 3, -0.5],
  dy: [1, 0.5, -1, 2, 0.3, -0.8],
  gamma: [1, 1, 1, 1, 1, 1],
};

function numberOf(text: string | undefined, [min, max]: readonly [number, number], fallback: number): number {
  const value = text?.trim() ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : fallback;
}

const whole = (text: string | undefined, limits: readonly [number, number], fallback: number) =>
  Math.round(numberOf(text, limits, fallback));

function listOf(text: string | undefined, limits: readonly [number, number], fallback: readonly number[]) {
  const values = (text ?? '').split(',').map((one) => numberOf(one, limits, Number.NaN));
  return values.length === fallback.length && !values.some(Number.isNaN) ? values : fallback;
}

/** Anything that cannot be is the default. */
export function readSettings({ get }: Pick<State, 'get'>): Settings {
  return {
    task: TASKS.find((task) => task === get('task')) ?? DEFAULTS.task,
    rate: numberOf(get('rate'), LIMITS.rate, DEFAULTS.rate),
    batch: whole(get('batch'), LIMITS.batch, DEFAULTS.batch),
    seed: whole(get('seed'), LIMITS.seed, DEFAULTS.seed),
    center: get('center') !== '0',
    scale: get('scale') !== '0',
    input: numberOf(get('input'), LIMITS.input, DEFAULTS.input),
  };
}

export function readSpeed({ get }: Pick<State, 'get'>): number {
  const index = SPEEDS.indexOf(get('speed') === 'most' ? Number.MAX_SAFE_INTEGER : Number(get('speed')));
  return index < 0 ? DEFAULT_SPEED : index;
}

export function readSample({ get }: Pick<State, 'get'>): Sample {
  return {
    norm: NORMS.find((norm) => norm === get('norm')) ?? DEFAULT_SAMPLE.norm,
    epsilon: numberOf(get('epsilon'), LIMITS.epsilon, DEFAULT_SAMPLE.epsilon),
    x: listOf(get('x'), LIMITS.x, DEFAULT_SAMPLE.x),
    dy: listOf(get('dy'), LIMITS.dy, DEFAULT_SAMPLE.dy),
    gamma: listOf(get('gamma'), LIMITS.gamma, DEFAULT_SAMPLE.gamma),
  };
}

type Values = Record<string, string | undefined>;

/** What differs from the defaults. */
export function writtenSettings(settings: Settings, speed: number): Values {
  const { center, scale, ...rest } = settings;
  const values: Values = { center: center ? undefined : '0', scale: scale ? undefined : '0' };
  for (const [name, value] of Object.entries(rest) as [keyof typeof rest, Task | number][]) {
    values[name] = value === DEFAULTS[name] ? undefined : String(value);
  }
  const pace = SPEEDS[speed] as number;
  values.speed = speed === DEFAULT_SPEED ? undefined : speed === SPEEDS.length - 1 ? 'most' : String(pace);
  return values;
}

export function writtenSample(sample: Sample): Values {
  const { norm, epsilon } = sample;
  const list = (name: 'x' | 'dy' | 'gamma') => {
    const text = sample[name].join(',');
    return text === DEFAULT_SAMPLE[name].join(',') ? undefined : text;
  };
  return {
    norm: norm === (DEFAULT_SAMPLE.norm as NormName) ? undefined : norm,
    epsilon: epsilon === DEFAULT_SAMPLE.epsilon ? undefined : String(epsilon),
    x: list('x'),
    dy: list('dy'),
    gamma: list('gamma'),
  };
}
