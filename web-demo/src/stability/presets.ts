// Rows that are known to go wrong somewhere, and one that goes right everywhere.

import { DEFAULTS, type Settings } from './settings.js';

export interface Preset {
  readonly name: string;
  readonly title: string;
  readonly settings: Settings;
  /** What to look at. */
  readonly about: string;
  /** Where this happened. */
  readonly source?: { readonly text: string; readonly address: string };
}

const issue = (repository: string, number: number): NonNullable<Preset['source']> => ({
  text: `${repository}#${number}`,
  address: `https://github.com/${repository}/issues/${number}`,
});

const PLAIN: Settings = { ...DEFAULTS, offset: 0 };

export const PRESETS: readonly Preset[] = [
  {
    name: 'ordinary',
    title: 'Ordinary numbers',
    settings: PLAIN,
    about: 'Mean near 0 and variance near 1: all formulas are right, and tests of such rows find nothing.',
  },
  {
    name: 'activations',
    title: 'Activations near 10⁴',
    settings: DEFAULTS,
    about:
      'The squares are near 10⁸, where neighbouring float32 numbers are 8 apart. The variance, which is to be their difference, is 0.87.',
    source: issue('microsoft/onnxruntime', 28463),
  },
  {
    name: 'kelvin',
    title: 'A temperature in kelvin',
    settings: { ...PLAIN, offset: 293.15, spread: 0.05 },
    about:
      'A room at 20 °C, give or take 0.05. Nothing is large here, and yet one pass gets seven times the variance.',
  },
  {
    name: 'pytorch-2021',
    title: 'Four numbers near 2000',
    settings: { ...PLAIN, length: 4, offset: 2000, clamps: true, seed: 2 },
    about:
      'Until 2021 PyTorch took one pass, and 0 for a negative variance. Draw other numbers and watch the variance of the same kind of row.',
    source: issue('pytorch/pytorch', 51102),
  },
  {
    name: 'mlx',
    title: 'Sixteen near 1450',
    settings: { ...PLAIN, length: 16, offset: 1449.5, spread: 0.5 },
    about:
      'MLX on the GPU gave NaN for such a row. Draw other numbers: one pass gets a variance of 0, a negative one or one that is too large.',
    source: issue('ml-explore/mlx', 2238),
  },
  {
    name: 'long',
    title: 'A long row near 100',
    settings: { ...PLAIN, length: 32768, offset: 100, spread: 0.01 },
    about:
      'The sums are long as well: plain two-pass and Welford lose digits too, because their mean is not right.',
    source: issue('pytorch/pytorch', 40302),
  },
  {
    name: 'constant',
    title: 'A constant row',
    settings: { ...PLAIN, offset: 1234, spread: 0 },
    about: 'All elements are 1234, so y is 0. One pass gets a negative variance, and NaN from its root.',
    source: issue('microsoft/onnxruntime', 21935),
  },
  {
    name: 'overflow',
    title: 'One element of 10³⁰',
    settings: { ...PLAIN, outlier: 1e30 },
    about:
      'Its square is beyond float32. With an infinite variance all elements become 0, also the one that should stand out.',
    source: issue('pytorch/pytorch', 162489),
  },
  {
    name: 'float16',
    title: 'float16 near its end',
    settings: { ...PLAIN, type: 'float16', offset: 65000, spread: 100 },
    about:
      '65504 is the largest float16. Arithmetic of float16 overflows with the second element of the sum; float32 in between saves all but the one-pass formula.',
  },
  {
    name: 'bfloat16',
    title: 'A bfloat16 sum that stands still',
    settings: { ...PLAIN, type: 'bfloat16', length: 4096, offset: 1 },
    about:
      'Once the sum is so large that an element is less than half the distance to the next bfloat16, it grows no more: the mean comes out as a quarter of what it is.',
  },
  {
    name: 'denormals',
    title: 'Denormals',
    settings: { ...PLAIN, spread: 1e-40, epsilon: 0 },
    about:
      'Numbers below 10⁻³⁸, whose squares are all 0 in float32. Without epsilon that leaves a division by 0.',
  },
  {
    name: 'one',
    title: 'A row of length 1',
    settings: { ...PLAIN, length: 1, offset: 1e4 },
    about: 'A number is its own mean: y is 0, whatever the number, and not NaN.',
  },
  {
    name: 'infinity',
    title: 'An infinity',
    settings: { ...PLAIN, special: 'inf' },
    about:
      'Infinity minus infinity is no number, so the whole row is NaN, and should be: a finite result would hide what has happened.',
  },
];

/** The preset that settings are those of. */
export function presetOf(settings: Settings): Preset | undefined {
  const names = Object.keys(DEFAULTS) as (keyof Settings)[];
  return PRESETS.find((preset) => names.every((name) => preset.settings[name] === settings[name]));
}
