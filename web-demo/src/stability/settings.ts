// What can be chosen in the stability lab, and how it is written in the address.

export const TYPE_NAMES = ['float32', 'float16', 'bfloat16', 'float64'] as const;
export type TypeName = (typeof TYPE_NAMES)[number];

export const SPECIALS = ['none', 'inf', '-inf', 'nan'] as const;
export type Special = (typeof SPECIALS)[number];

export type Method = 'layer' | 'rms';

export interface Settings {
  readonly method: Method;
  readonly type: TypeName;
  /** How many elements: a power of two. */
  readonly length: number;
  /** Which random numbers. */
  readonly seed: number;
  /** Is added to all elements. */
  readonly offset: number;
  /** The standard deviation of the numbers before the offset; 0 makes a constant row. */
  readonly spread: number;
  /** Takes the place of one element; 0 for none. */
  readonly outlier: number;
  /** Takes the place of another one. */
  readonly special: Special;
  readonly epsilon: number;
  /** Whether the one-pass formula takes 0 in place of a negative variance. */
  readonly clamps: boolean;
}

export const DEFAULTS: Settings = {
  method: 'layer',
  type: 'float32',
  length: 256,
  seed: 1,
  offset: 1e4,
  spread: 1,
  outlier: 0,
  special: 'none',
  epsilon: 1e-5,
  clamps: false,
};

export const MAX_LENGTH = 65536;
/** Beyond these a number makes no row. */
export const LIMITS = {
  offset: [0, 1e308],
  spread: [0, 1e300],
  outlier: [0, 1e308],
  epsilon: [0, 1e10],
} as const;

type Get = (name: string) => string | undefined;

/** What the address says; the default for all that it does not say, or says wrongly. */
export function readSettings(get: Get): Settings {
  const number = (name: keyof typeof LIMITS): number => {
    const [least, most] = LIMITS[name];
    const text = get(name);
    const value = text === undefined || text.trim() === '' ? Number.NaN : Number(text);
    return value >= least && value <= most ? value : DEFAULTS[name];
  };
  const one = <T extends string>(name: 'type' | 'special' | 'method', of: readonly T[]): T => {
    const text = get(name) as T;
    return of.includes(text) ? text : (DEFAULTS[name] as T);
  };
  const whole = (name: string, isGood: (value: number) => boolean, other: number): number => {
    const value = Number(get(name));
    return Number.isInteger(value) && isGood(value) ? value : other;
  };
  return {
    method: one('method', ['layer', 'rms']),
    type: one('type', TYPE_NAMES),
    length: whole('n', (n) => n >= 1 && n <= MAX_LENGTH && Number.isInteger(Math.log2(n)), DEFAULTS.length),
    seed: whole('seed', (seed) => seed >= 1 && seed <= 1e9, DEFAULTS.seed),
    offset: number('offset'),
    spread: number('spread'),
    outlier: number('outlier'),
    special: one('special', SPECIALS),
    epsilon: number('epsilon'),
    clamps: get('clamp') === 'yes',
  };
}

/** What goes into the address: undefined for defaults. */
export function writeSettings(settings: Settings): Record<string, string | undefined> {
  const unless = (name: keyof Settings): string | undefined =>
    settings[name] === DEFAULTS[name] ? undefined : plain(settings[name] as number | string);
  return {
    method: unless('method'),
    type: unless('type'),
    n: unless('length'),
    seed: unless('seed'),
    offset: unless('offset'),
    spread: unless('spread'),
    outlier: unless('outlier'),
    special: unless('special'),
    epsilon: unless('epsilon'),
    clamp: settings.clamps ? 'yes' : undefined,
  };
}

/** A number as one would type it: 10000, 1e-5, 1e30. */
export function plain(value: number | string): string {
  if (typeof value === 'string') return value;
  const isExtreme = value !== 0 && (Math.abs(value) >= 1e7 || Math.abs(value) < 1e-3);
  const [text, power] = [String(value), value.toExponential().replace('e+', 'e')];
  return isExtreme && power.length < text.length ? power : text.replace('e+', 'e');
}

/** The power of ten, as precise as its decimal text. */
export function tenTo(exponent: number): number {
  return Number.isInteger(exponent) ? Number(`1e${exponent}`) : Number((10 ** exponent).toPrecision(6));
}

/** The offsets that the chart goes through: none, and powers of ten up to where the type ends. */
export function sweepOffsets(type: TypeName): number[] {
  const [most, step] = type === 'float16' ? [4.75, 0.25] : [38, 1];
  const offsets = [0];
  for (let exponent = 0; exponent <= most; exponent += step) offsets.push(tenTo(exponent));
  return offsets;
}

/** Where an offset stands on the axis of the chart: at its power of ten, and none apart from all of them. */
export function positionOf(offset: number, type: TypeName): number {
  const none = type === 'float16' ? -1 : -3;
  return offset > 0 ? Math.max(none, Math.log10(offset)) : none;
}
