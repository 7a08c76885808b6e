import {
  onlyPositional,
  READ_OPTIONS,
  readArguments,
  readAxes,
  readChoice,
  readNumber,
  readThreads,
  WRITE_OPTIONS,
} from '../../../js/src/cli/options.js';

const read = (...args: string[]) => {
  const { values, positionals } = readArguments(args, { ...READ_OPTIONS, ...WRITE_OPTIONS });
  return { ...values, positionals };
};

test('negative numbers may follow their option', () => {
  expect(read('--axis', '-1', 'x')).toEqual({ axis: '-1', positionals: ['x'] });
  expect(read('--axis', '-1,-2', '-o', '-', '-')).toEqual({ axis: '-1,-2', output: '-', positionals: ['-'] });
  expect(read('--axis=-1', '--', '-1')).toEqual({ axis: '-1', positionals: ['-1'] });
});

test('flags and their opposites', () => {
  expect(read('--header').header).toBe(true);
  expect(read('--no-header').header).toBe(false);
  expect(read().header).toBeUndefined();
  expect(read('-f', '-oy')).toEqual({ force: true, output: 'y', positionals: [] });
});

test('what there is not', () => {
  expect(() => read('--axsi', '1')).toThrow(/Unknown option '--axsi'/);
  expect(() => read('--axis')).toThrow(/argument missing/);
  expect(() => read('--force=yes')).toThrow(/does not take an argument/);
});

test('one file', () => {
  expect(onlyPositional(['x'], 'the file')).toBe('x');
  expect(() => onlyPositional([], 'the file')).toThrow('the file is missing');
  expect(() => onlyPositional(['x', 'y'], 'the file')).toThrow('2 files are named, expected one: the file');
});

test('values', () => {
  expect(readChoice('method', 'b', ['a', 'b'])).toBe('b');
  expect(readChoice('method', undefined, ['a'])).toBeUndefined();
  expect(() => readChoice('method', 'c', ['a', 'b'])).toThrow("--method is 'c', expected a, b");
  expect(readNumber('epsilon', '1e-5')).toBe(1e-5);
  expect(readNumber('epsilon', undefined)).toBeUndefined();
  for (const text of ['', ' ', 'x', '1e999', 'NaN']) {
    expect(() => readNumber('epsilon', text)).toThrow(`--epsilon is '${text}', expected a number`);
  }
  expect(readAxes('-1')).toEqual([-1]);
  expect(readAxes('1,-2,3')).toEqual([1, -2, 3]);
  expect(readAxes(undefined)).toBeUndefined();
  for (const text of ['', '1,', 'x', '1.5', '1 2']) expect(() => readAxes(text)).toThrow(/^--axis is /);
  expect(readThreads('auto')).toBe('auto');
  expect(readThreads('4')).toBe(4);
  expect(readThreads(undefined)).toBeUndefined();
  for (const text of ['0', '33', '1.5', 'x', '']) {
    expect(() => readThreads(text)).toThrow(`--threads is '${text}', expected 1 to 32, or auto`);
  }
});
