import {
  EXIT,
  Failure,
  harmless,
  reportOf,
  systemFailure,
  usageFailure,
  within,
} from '../../../js/src/cli/failure.js';
import { LayerNormError } from '../../../js/src/index.js';

const systemError = (code: string, errno: number) => Object.assign(new Error(code), { code, errno });

test.each([
  ['ENOENT', -2, 'x.npy: no such file or directory (ENOENT)'],
  ['EISDIR', -21, 'x.npy: illegal operation on a directory (EISDIR)'],
  ['ENOSPC', -28, 'x.npy: no space left on device (ENOSPC)'],
  ['EPIPE', -32, 'x.npy: broken pipe (EPIPE): nobody reads it any longer'],
])('%s in words', (code, errno, message) => {
  expect(systemFailure(systemError(code, errno), 'x.npy')).toEqual(new Failure(message));
});

test('what is no error of the system stays as it is', () => {
  const error = new TypeError('a bug');
  expect(systemFailure(error, 'x')).toBe(error);
});

test('reports', () => {
  expect(reportOf(new Failure('f'))).toEqual({ message: 'f', exitCode: EXIT.failure });
  expect(reportOf(usageFailure('u'))).toEqual({ message: 'u', exitCode: EXIT.usage });
  expect(reportOf(new LayerNormError('ERR_SHAPE', 'layerNorm: x'))).toEqual({
    message: 'layerNorm: x',
    exitCode: 1,
  });
  const unknown = Object.assign(new TypeError("Unknown option '--x'"), {
    code: 'ERR_PARSE_ARGS_UNKNOWN_OPTION',
  });
  expect(reportOf(unknown)).toEqual({ message: "Unknown option '--x'", exitCode: EXIT.usage });
  expect(reportOf(new RangeError('Array buffer allocation failed'))).toEqual({
    message: 'a row is too large for the memory: Array buffer allocation failed',
    exitCode: EXIT.failure,
  });
  // Of a bug, everything.
  expect(reportOf(new TypeError('a bug')).message).toMatch(/^TypeError: a bug\n +at /);
});

test('names from files do not steer a terminal', () => {
  expect(harmless('\u001b]0;x\u0007 \u009b2J\u007f größe')).toBe('\\x1b]0;x\\x07 \\x9b2J\\x7f größe');
  expect(reportOf(new Failure('\u001b[2J: is not here')).message).toBe('\\x1b[2J: is not here');
});

test('errors of the package get the name of the file', () => {
  const fail = () => {
    throw new LayerNormError('ERR_FILE', 'the .npy header: is cut off');
  };
  expect(() => within('x.npy', fail)).toThrow(new Failure('x.npy: the .npy header: is cut off'));
  expect(within('x.npy', () => 3)).toBe(3);
  const bug = new TypeError('a bug');
  expect(() =>
    within('x.npy', () => {
      throw bug;
    }),
  ).toThrow(bug);
});
