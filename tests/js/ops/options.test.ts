import { checkOptions, isOptions, readEpsilon, readFlag } from '../../../js/src/ops/options.js';
import { expectError } from '../support/errors.js';

const KNOWN = {
  axis: true,
  epsilon: true,
  gamma: true,
  beta: true,
  rmsScaling: true,
  shape: true,
  out: true,
};

test('known options pass', () => {
  checkOptions('f', {}, KNOWN);
  checkOptions('f', { axis: 1, out: undefined }, KNOWN);
  checkOptions('f', Object.create({ axis: 1 }), KNOWN);
});

test.each([
  ['eps', 'epsilon'],
  ['weight', 'gamma'],
  ['scale', 'gamma'],
  ['bias', 'beta'],
  ['axes', 'axis'],
  ['dim', 'axis'],
  ['normalized_shape', 'axis'],
  ['dims', 'shape'],
  ['rms_scaling', 'rmsScaling'],
  ['Gamma', 'gamma'],
  ['output', 'out'],
])("'%s' probably means '%s'", (key, meant) => {
  expectError(
    () => checkOptions('f', { [key]: 1 }, KNOWN),
    'ERR_ARGUMENT',
    `f: unknown option '${key}', did you mean '${meant}'?`,
  );
});

test('anything else gets the list', () => {
  expectError(
    () => checkOptions('f', { toString: 1 }, KNOWN),
    'ERR_ARGUMENT',
    "f: unknown option 'toString', expected axis, epsilon, gamma, beta, rmsScaling, shape, out",
  );
  expectError(
    () => checkOptions('f', { eps: 1 }, { axis: true }),
    'ERR_ARGUMENT',
    "f: unknown option 'eps', expected axis",
  );
});

test.each([5, 'axis', null, undefined, [], new Float32Array(2), () => 0])(
  '%p holds no options',
  (options) => {
    expect(isOptions(options)).toBe(false);
    expectError(
      () => checkOptions('f', options, KNOWN),
      'ERR_ARGUMENT',
      /^f: options is .*, expected an object such as \{ axis: -1 \}$/,
    );
  },
);

test('epsilon is a finite number that is not negative', () => {
  expect(readEpsilon('f', undefined, 1e-3)).toBe(1e-3);
  expect(readEpsilon('f', null, 1e-3)).toBe(1e-3);
  expect(readEpsilon('f', 0, 1e-3)).toBe(0);
  expect(readEpsilon('f', 1e-12, 1e-3)).toBe(1e-12);
  for (const [wrong, word] of [
    [-1e-9, '-1e-9'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    ['1e-3', "'1e-3'"],
  ]) {
    expectError(
      () => readEpsilon('f', wrong, 1e-3),
      'ERR_ARGUMENT',
      `f: epsilon is ${word}, expected a finite number that is not negative`,
    );
  }
});

test('flags are booleans', () => {
  expect(readFlag('f', 'rmsScaling', undefined)).toBe(false);
  expect(readFlag('f', 'rmsScaling', null)).toBe(false);
  expect(readFlag('f', 'rmsScaling', true)).toBe(true);
  expectError(
    () => readFlag('f', 'rmsScaling', 1),
    'ERR_ARGUMENT',
    'f: rmsScaling is 1, expected true or false',
  );
});
