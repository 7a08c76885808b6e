// What the lab computes: the kernel is right in every preset, and the others fail where it is said.

import { PRESETS, presetOf } from '../../../web-demo/src/stability/presets.js';
import type { Event, FormulaName, FormulaResult, Outcome } from '../../../web-demo/src/stability/protocol.js';
import { service } from '../../../web-demo/src/stability/service.js';
import {
  DEFAULTS,
  plain,
  positionOf,
  readSettings,
  type Settings,
  sweepOffsets,
  writeSettings,
} from '../../../web-demo/src/stability/settings.js';
import {
  announcement,
  chosenText,
  inFull,
  rowText,
  verdictOf,
} from '../../../web-demo/src/stability/words.js';

const call = (signal = new AbortController().signal) => {
  const events: Event[] = [];
  const fractions: number[] = [];
  return {
    events,
    fractions,
    call: {
      signal,
      progress: (fraction: number) => fractions.push(fraction),
      notify: (event: Event) => events.push(event),
    },
  };
};

const run = async (settings: Settings): Promise<Outcome> => service.run(settings, call().call);
const of = (outcome: Outcome, name: FormulaName) =>
  outcome.results.find((result) => result.name === name) as FormulaResult;
const preset = (name: string): Settings =>
  (PRESETS.find((one) => one.name === name) as (typeof PRESETS)[number]).settings;
const verdict = async (name: string, formula: FormulaName): Promise<string> => {
  const outcome = await run(preset(name));
  return verdictOf(of(outcome, formula), outcome).text;
};

test.each(PRESETS)('the kernel is right: $title', async ({ settings }) => {
  const outcome = await run(settings);
  const kernel = of(outcome, 'kernel');
  expect(kernel.ulp).toBeLessThanOrEqual(3);
  expect(kernel.missing + kernel.invented).toBe(0);
  expect(verdictOf(kernel, outcome).grade).toBe('good');
  expect(presetOf(settings)?.settings).toEqual(settings);
});

test.each([
  ['ordinary', 'onePass', /^right to/],
  ['activations', 'onePass', /^all digits lost$/],
  ['activations', 'twoPass', /^4 of 7 digits lost$/],
  ['kelvin', 'onePass', /^all digits lost$/],
  ['mlx', 'onePass', /^the variance is 0: all digits lost$/],
  ['long', 'welford', /^5 of 7 digits lost$/],
  ['constant', 'onePass', /^the variance is negative: NaN$/],
  ['overflow', 'twoPass', /^the squares overflow: all digits lost$/],
  ['overflow', 'onePass', /: NaN$/],
  ['float16', 'sixteenBit', /^the sum overflows: NaN$/],
  ['float16', 'twoPass', /^right to 0\.\d+ ulp$/],
  ['bfloat16', 'sixteenBit', /^all digits lost$/],
  ['denormals', 'welford', /^the variance is 0: NaN or ∞$/],
  ['one', 'kernel', /^exact$/],
  ['infinity', 'kernel', /^NaN, as it must be$/],
] as const)('%s, %s: %s', async (name, formula, expected) => {
  expect(await verdict(name, formula)).toMatch(expected);
});

test('what the presets say of themselves is so', async () => {
  const kelvin = await run(preset('kelvin'));
  const ratio = (of(kelvin, 'onePass').variance as number) / kelvin.truth.variance;
  expect(Math.round(ratio)).toBe(7);
  const bfloat = await run(preset('bfloat16'));
  expect((of(bfloat, 'sixteenBit').mean as number) / bfloat.truth.mean).toBeCloseTo(0.25, 1);
  const activations = await run(preset('activations'));
  expect(activations.truth.variance.toFixed(2)).toBe('0.87');
});

test.each([
  ['float32', 3],
  ['float16', 0.501],
  ['bfloat16', 0.501],
  ['float64', 4],
] as const)(
  'the kernel stays within a few ulp of any offset, %s',
  async (type, limit) => {
    for (const method of ['layer', 'rms'] as const) {
      for (const length of [1, 16, 256]) {
        const settings: Settings = { ...DEFAULTS, type, method, length };
        const { events, fractions, call: recorded } = call();
        expect(await service.sweep({ sweep: 1, settings }, recorded)).toBe(true);
        expect(events.map(({ point }) => point.offset)).toEqual(sweepOffsets(type));
        expect(fractions.at(-1)).toBe(1);
        expect(Math.max(...events.map(({ point }) => point.ulp.kernel as number))).toBeLessThanOrEqual(limit);
      }
    }
  },
  30_000,
);

test('a sweep has what single rows have, and stops when asked to', async () => {
  const { events, call: recorded } = call();
  await service.sweep({ sweep: 3, settings: DEFAULTS }, recorded);
  const at = events.find(({ point }) => point.offset === 1e4);
  const outcome = await run(DEFAULTS);
  expect(at).toEqual({
    sweep: 3,
    point: {
      offset: 1e4,
      distinct: outcome.kept.distinct,
      ulp: Object.fromEntries(outcome.results.map(({ name, ulp }) => [name, ulp])),
    },
  });
  const controller = new AbortController();
  const stopped = call(controller.signal);
  const answer = service.sweep(
    { sweep: 4, settings: DEFAULTS },
    {
      ...stopped.call,
      notify: (event) => {
        stopped.events.push(event);
        if (stopped.events.length === 5) controller.abort();
      },
    },
  );
  expect(await answer).toBe(false);
  expect(stopped.events.length).toBe(5);
});

describe('the address', () => {
  const restore = (settings: Settings) => {
    const written = writeSettings(settings);
    return readSettings((name) => written[name]);
  };

  test.each(PRESETS)('restores $title', ({ settings }) => {
    expect(restore(settings)).toEqual(settings);
  });

  test('has nothing of defaults', () => {
    expect(Object.values(writeSettings(DEFAULTS)).every((value) => value === undefined)).toBe(true);
    expect(writeSettings({ ...DEFAULTS, offset: 0, epsilon: 1e-12, outlier: 1e30 })).toMatchObject({
      offset: '0',
      epsilon: '1e-12',
      outlier: '1e30',
    });
  });

  test('with nonsense is that of defaults', () => {
    const bad: Record<string, string> = {
      method: 'batch',
      type: 'int8',
      n: '100',
      seed: '-1',
      offset: 'Infinity',
      spread: '-1',
      outlier: 'x',
      special: 'null',
      epsilon: '',
      clamp: 'maybe',
    };
    expect(readSettings((name) => bad[name])).toEqual(DEFAULTS);
    expect(readSettings((name) => (name === 'n' ? '0' : name === 'epsilon' ? '1e99' : undefined))).toEqual(
      DEFAULTS,
    );
    expect(readSettings((name) => (name === 'n' ? '131072' : undefined)).length).toBe(256);
  });
});

describe('words', () => {
  test('numbers', () => {
    expect([1e4, 300, 0.001, 5, 1e-40, 1e30].map(chosenText)).toEqual([
      '10⁴',
      '300',
      '10⁻³',
      '5',
      '10⁻⁴⁰',
      '10³⁰',
    ]);
    expect([1e4, 1e-5, 0, 1e30, 0.05, 12345678, 1.2345678912e25].map(plain)).toEqual([
      '10000',
      '1e-5',
      '0',
      '1e30',
      '0.05',
      '12345678',
      '1.2345678912e25',
    ]);
    expect([100002576, -3.25, 0.87319557, 1e20].map(inFull)).toEqual([
      '100,002,576',
      '−3.25',
      '0.87319557',
      '1e20',
    ]);
    expect([positionOf(0, 'float32'), positionOf(0, 'float16'), positionOf(1000, 'float32')]).toEqual([
      -3, -1, 3,
    ]);
  });

  test('of the row, and of all results', async () => {
    expect(rowText(await run(DEFAULTS))).toMatch(
      /^256 numbers of float32, 252 different ones\. Near 10⁴ neighbouring numbers of this type are 9\.8e−4 apart: the input keeps 3 digits of a spread of 1\./,
    );
    expect(rowText(await run(preset('constant')))).toBe('256 equal numbers of float32.');
    expect(rowText(await run(preset('one')))).toBe('One number of float32: 10001.4.');
    expect(rowText(await run({ ...DEFAULTS, type: 'float16', offset: 1e5 }))).toMatch(
      /The constant is beyond the largest float16, 65504\.$/,
    );
    expect(rowText(await run({ ...DEFAULTS, offset: 1e9 }))).toMatch(
      /the input keeps nothing of a spread of 1\./,
    );
    expect(announcement(await run(preset('constant')))).toBe(
      'layernorm: exact. One pass, float32: the variance is negative: NaN. Two passes, float32: exact. Welford, float32: exact.',
    );
  });
});
