// Explore in the address, there and back, and addresses that are wrong.

import fc from 'fast-check';
import { States } from '../../../web-demo/src/app/address.js';
import { METHOD_NAMES, METHODS } from '../../../web-demo/src/compute/methods.js';
import type { Settings } from '../../../web-demo/src/explore/protocol.js';
import {
  cellFromText,
  cellToText,
  completed,
  dataKey,
  fileFromState,
  fileToState,
  MOST_NUMBERS,
  numbersFromState,
  numbersToState,
  settingsFromState,
  settingsToState,
  type Texts,
} from '../../../web-demo/src/explore/state.js';

/** A state as the address has it: through its text. */
function stateOf(texts: Texts | Record<string, string>) {
  const states = new States(() => {});
  states.of('explore').set(texts);
  const again = new States(() => {});
  again.replace('explore', new URLSearchParams(states.raw('explore').toString()));
  return again.of('explore');
}

const lastAxis = (shape: readonly number[]) => () => [shape.length - 1];
const DEFAULTS: Settings = {
  method: 'layer',
  axis: [1],
  groups: 2,
  epsilon: 1e-3,
  gamma: 1,
  beta: 0,
};

test('defaults are left out', () => {
  const texts = settingsToState(DEFAULTS, [5, 4], lastAxis([5, 4]));
  expect(Object.values(texts).every((text) => text === undefined)).toBe(true);
  expect(completed(settingsFromState(stateOf({})), [5, 4], lastAxis([5, 4]))).toEqual(DEFAULTS);
  expect(cellToText([0, 0])).toBeUndefined();
});

test('an address can be read by people', () => {
  const settings: Settings = {
    ...DEFAULTS,
    method: 'group',
    axis: [1],
    groups: 4,
    gamma: 2,
    beta: [0.5, -1],
  };
  const texts = settingsToState({ ...settings, epsilon: 1e-5 }, [5, 8], () => [2]);
  expect(texts).toEqual({
    method: 'group',
    axis: '1',
    groups: undefined,
    epsilon: '1e-5',
    gamma: '2',
    beta: '0.5,-1',
  });
  expect(settingsToState({ ...settings, groups: 8 }, [5, 8], () => [2]).groups).toBe('8');
});

test('no gamma and no beta are something to be said', () => {
  const none = settingsToState({ ...DEFAULTS, gamma: undefined, beta: undefined }, [5, 4], lastAxis([5, 4]));
  expect(none).toMatchObject({ gamma: 'none', beta: 'none' });
  const back = completed(settingsFromState(stateOf(none)), [5, 4], lastAxis([5, 4]));
  expect([back.gamma, back.beta]).toEqual([undefined, undefined]);
  expect(settingsToState({ ...DEFAULTS, method: 'unit' }, [5, 4], lastAxis([5, 4])).gamma).toBeUndefined();
});

test('any settings come back as they were', () => {
  const parameter = fc.option(
    fc.oneof(fc.double(), fc.array(fc.double(), { minLength: 1, maxLength: MOST_NUMBERS })),
    { nil: undefined },
  );
  const settings = fc.record({
    method: fc.constantFrom(...METHOD_NAMES),
    axis: fc.uniqueArray(fc.nat(3), { minLength: 1 }).map((axis) => axis.sort()),
    epsilon: fc.double({ min: 0, max: 1e300, noNaN: true }),
    gamma: parameter,
    beta: parameter,
  });
  const shape = [2, 3, 12, 5];
  fc.assert(
    fc.property(settings, fc.constantFrom(1, 2, 3), (some, groups) => {
      const given: Settings = { ...some, groups };
      const texts = settingsToState(given, shape, lastAxis(shape));
      const back = completed(settingsFromState(stateOf(texts)), shape, lastAxis(shape));
      const { hasGamma, hasBeta } = METHODS[given.method];
      const expected = {
        ...given,
        groups: given.method === 'group' ? given.groups : back.groups,
        gamma: hasGamma ? given.gamma : 1,
        beta: hasBeta ? given.beta : 0,
      };
      expect(back).toEqual({ ...expected, epsilon: Object.is(given.epsilon, -0) ? 0 : given.epsilon });
    }),
  );
});

test('numbers come back bit for bit', () => {
  const single = fc.float().map(Math.fround);
  fc.assert(
    fc.property(
      fc.array(single, { minLength: 1, maxLength: MOST_NUMBERS }),
      fc.boolean(),
      (values, isDouble) => {
        const type = isDouble ? 'float64' : 'float32';
        const numbers = { shape: [1, values.length], type, isPicture: false, values } as const;
        const back = numbersFromState(stateOf(numbersToState(numbers)));
        expect(back).toEqual(numbers);
        expect(back?.values.every((value, i) => Object.is(value, values[i]))).toBe(true);
      },
    ),
  );
  const third = numbersToState({
    shape: [1],
    type: 'float32',
    isPicture: false,
    values: [Math.fround(1 / 3)],
  });
  expect(third.x).toBe('0.33333334');
});

test('a picture and whole numbers say so', () => {
  const texts = numbersToState({
    shape: [2, 1, 3],
    type: 'uint8',
    isPicture: true,
    values: [0, 1, 2, 3, 4, 255],
  });
  expect(texts).toMatchObject({ type: 'uint8', kind: 'picture', shape: '2,1,3' });
  expect(numbersFromState(stateOf(texts))).toMatchObject({ type: 'uint8', isPicture: true });
  expect(numbersFromState(stateOf({ ...texts, shape: '6' } as Record<string, string>))?.isPicture).toBe(
    false,
  );
});

test('a file is named, and takes the place of numbers', () => {
  const states = new States(() => {});
  const state = states.of('explore');
  state.set(numbersToState({ shape: [1], type: 'float64', isPicture: false, values: [1] }));
  const before = dataKey(state);
  state.set(fileToState('my data & more.npy'));
  expect(dataKey(state)).not.toBe(before);
  expect(fileFromState(state)).toBe('my data & more.npy');
  expect(numbersFromState(state)).toBeUndefined();
  expect([...states.raw('explore').keys()]).toEqual(['file']);
});

test.each<[string, Record<string, string>]>([
  ['no shape', { x: '1,2' }],
  ['no numbers', { shape: '2' }],
  ['another number of them', { shape: '2,2', x: '1,2,3' }],
  ['a size of 0', { shape: '0', x: '' }],
  ['a negative size', { shape: '-1,-1', x: '1' }],
  ['a size that is no number', { shape: '2,two', x: '1,2' }],
  ['an element that is no number', { shape: '2', x: '1,<script>' }],
  ['an element that is missing', { shape: '2', x: '1,' }],
  ['a hexadecimal number', { shape: '1', x: '0x10' }],
  ['too many', { shape: '257', x: new Array(257).fill('1').join() }],
  ['too many dimensions', { shape: new Array(33).fill('1').join(), x: '1' }],
])('numbers with %s are left out', (_, texts) => {
  expect(numbersFromState(stateOf(texts))).toBeUndefined();
});

test.each<[string, Record<string, string>]>([
  ['method', { method: 'constructor' }],
  ['axis that x does not have', { axis: '7' }],
  ['axis twice', { axis: '1,1' }],
  ['axis that is no number', { axis: 'one' }],
  ['negative epsilon', { epsilon: '-1' }],
  ['infinite epsilon', { epsilon: 'Infinity' }],
  ['epsilon that is no number', { epsilon: '' }],
  ['gamma', { gamma: '1,two' }],
  ['beta', { beta: ',' }],
])('a wrong %s is left out', (_, texts) => {
  expect(completed(settingsFromState(stateOf(texts)), [5, 4], lastAxis([5, 4]))).toEqual(DEFAULTS);
});

test('the epsilon that is left out is that of the method', () => {
  for (const method of METHOD_NAMES) {
    expect(completed({ method }, [4, 4], () => [1]).epsilon).toBe(METHODS[method].epsilon);
  }
});

test.each([undefined, '', '1', '1,2,3', '-1,0', 'a,b', '1.5,2', '5,0', '0,4', '99999999999,0'])(
  'the cell %p of [5, 4] is left out',
  (text) => {
    expect(cellFromText(text, [5, 4])).toBeUndefined();
  },
);

test('a cell comes back', () => {
  expect(cellToText([4, 0])).toBe('4,0');
  expect(cellFromText('4,0', [5, 4])).toEqual([4, 0]);
});
