import { describe, LayerNormError } from '../runtime/errors.js';

/** What other libraries call these options, spelled as {@link plain} does. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  eps: 'epsilon',
  weight: 'gamma',
  scale: 'gamma',
  bias: 'beta',
  axes: 'axis',
  dim: 'axis',
  normalizedshape: 'axis',
  dims: 'shape',
  type: 'dtype',
  output: 'out',
  invstddev: 'rstd',
  var: 'variance',
  runningmean: 'movingMean',
  runningvar: 'movingVariance',
  numgroups: 'groups',
  keepdim: 'keepDims',
  truncatedim: 'dimensions',
  matryoshkadim: 'dimensions',
};

/** Case and underscores aside: `rms_scaling` and `rmsScaling` are one name. */
function plain(name: string): string {
  return name.replaceAll('_', '').toLowerCase();
}

/** Whether a value can hold options: an array, handed in for lack of a shape or a gamma, cannot. */
export function isOptions(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

/**
 * Refuses options that are not known: a misspelled one would otherwise be ignored in silence.
 * @param known - one key for each option
 * @throws {@link LayerNormError} `ERR_ARGUMENT`, with the option that was probably meant
 */
export function checkOptions(operation: string, options: unknown, known: object): void {
  if (!isOptions(options)) {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `${operation}: options is ${describe(options)}, expected an object such as { axis: -1 }`,
    );
  }
  for (const key in options) {
    if (Object.hasOwn(known, key)) continue;
    const names = Object.keys(known);
    const meant = names.find((name) => plain(name) === plain(key)) ?? OTHER_NAMES[plain(key)];
    const hint =
      meant !== undefined && names.includes(meant)
        ? `did you mean '${meant}'?`
        : `expected ${names.join(', ')}`;
    throw new LayerNormError('ERR_ARGUMENT', `${operation}: unknown option '${key}', ${hint}`);
  }
}

/**
 * Keras' `epsilon`: what is added to the variance, so that constant rows do not divide by zero.
 * @throws {@link LayerNormError} `ERR_ARGUMENT` for anything but a finite number that is not negative
 */
export function readEpsilon(operation: string, epsilon: unknown, fallback: number): number {
  if (epsilon === undefined || epsilon === null) return fallback;
  if (Number.isFinite(epsilon) && (epsilon as number) >= 0) return epsilon as number;
  throw new LayerNormError(
    'ERR_ARGUMENT',
    `${operation}: epsilon is ${describe(epsilon)}, expected a finite number that is not negative`,
  );
}

/**
 * An option that is on or off, off when it is not given.
 * @throws {@link LayerNormError} `ERR_ARGUMENT` for anything but a boolean
 */
export function readFlag(operation: string, name: string, value: unknown): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value === 'boolean') return value;
  throw new LayerNormError(
    'ERR_ARGUMENT',
    `${operation}: ${name} is ${describe(value)}, expected true or false`,
  );
}
