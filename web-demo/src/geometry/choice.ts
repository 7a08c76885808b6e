// What a person chooses in the geometry view, and how it stands in the address.

import { type Camera, cameraAt, clamp } from '../ui/projection.js';
import { type MethodName, STEPS, type Step, type Triple } from './protocol.js';
import { toWorld } from './space.js';

export interface Choice {
  readonly method: MethodName;
  readonly step: Step;
  /** Epsilon is 10 to this power. */
  readonly exponent: number;
  /** The point of one's own. */
  readonly x: Triple;
  readonly gamma: Triple;
  readonly beta: Triple;
  /** Which points stand around it. */
  readonly seed: number;
  readonly camera: Camera;
}

export const EXPONENTS = { least: -6, most: 1 };
export const REACH = { x: 3, gamma: 2, beta: 2 };
export const PITCH = 90;

/** gamma and beta are not those that training begins with, 1 and 0, which would leave the last step without anything to see. */
export const DEFAULT: Choice = {
  method: 'layer',
  step: 0,
  exponent: -3,
  x: [2.2, -0.4, 1.5],
  gamma: [1.6, 1, 0.5],
  beta: [0.5, 0.3, 0.6],
  seed: 1,
  camera: { yaw: -22, pitch: 14 },
};

/** From where the disc is a circle, and from where it is a line. */
export const CAMERAS = {
  start: DEFAULT.camera,
  axis: cameraAt(toWorld([1, 1, 1])),
  edge: { yaw: -45, pitch: 0 },
} as const;

export function readChoice(get: (name: string) => string | undefined): Choice {
  const triple = (name: 'x' | 'gamma' | 'beta'): Triple => {
    const numbers = numbersIn(get(name));
    const reach = REACH[name];
    const isGood = numbers.length === 3 && numbers.every((n) => Math.abs(n) <= reach);
    return isGood ? (numbers as unknown as Triple) : DEFAULT[name];
  };
  const one = (name: string, isGood: (n: number) => boolean, otherwise: number): number => {
    const [n, ...more] = numbersIn(get(name));
    return n !== undefined && more.length === 0 && isGood(n) ? n : otherwise;
  };
  const [yaw, pitch] = numbersIn(get('turn'));
  return {
    method: get('method') === 'rms' ? 'rms' : 'layer',
    step: one('step', (n) => STEPS.includes(n as Step), DEFAULT.step) as Step,
    exponent: one('epsilon', (n) => n >= EXPONENTS.least && n <= EXPONENTS.most, DEFAULT.exponent),
    x: triple('x'),
    gamma: triple('gamma'),
    beta: triple('beta'),
    seed: one('cloud', (n) => Number.isInteger(n) && n >= 1 && n <= 9999, DEFAULT.seed),
    camera:
      yaw === undefined || pitch === undefined
        ? DEFAULT.camera
        : { yaw: clamp(yaw, -180, 180), pitch: clamp(pitch, -PITCH, PITCH) },
  };
}

/** What differs from the default. */
export function writeChoice(choice: Choice): Record<string, string | undefined> {
  const { method, step, exponent, x, gamma, beta, seed, camera } = choice;
  const text = (...numbers: readonly number[]): string => numbers.map((n) => +n.toFixed(3)).join();
  const unless = (value: string, usual: string): string | undefined => (value === usual ? undefined : value);
  return {
    method: unless(method, DEFAULT.method),
    step: unless(text(step), text(DEFAULT.step)),
    epsilon: unless(text(exponent), text(DEFAULT.exponent)),
    x: unless(text(...x), text(...DEFAULT.x)),
    gamma: unless(text(...gamma), text(...DEFAULT.gamma)),
    beta: unless(text(...beta), text(...DEFAULT.beta)),
    cloud: unless(text(seed), text(DEFAULT.seed)),
    turn: unless(
      `${Math.round(camera.yaw)},${Math.round(camera.pitch)}`,
      `${DEFAULT.camera.yaw},${DEFAULT.camera.pitch}`,
    ),
  };
}

function numbersIn(text: string | undefined): number[] {
  if (text === undefined || text.trim() === '') return [];
  const numbers = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  return numbers.every(Number.isFinite) ? numbers : [];
}
