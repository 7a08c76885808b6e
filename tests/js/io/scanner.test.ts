import { Scanner } from '../../../js/src/io/scanner.js';
import { expectError } from '../support/errors.js';

const of = (text: string) => new Scanner('the text', text);

test('what is there is passed, white space before it as well', () => {
  const scanner = of(' {"a\\"\\u00e9" :\t12,\n\'b\' True}  ');
  scanner.expect('{');
  expect(scanner.jsonString()).toBe('a"é');
  expect(scanner.accept(',')).toBe(false);
  expect(scanner.expect(',', ':')).toBe(':');
  expect(scanner.size()).toBe(12);
  scanner.expect(',');
  expect(scanner.pythonString()).toBe('b');
  expect([scanner.acceptWord('False'), scanner.acceptWord('True')]).toEqual([false, true]);
  expect(scanner.accept('}')).toBe(true);
  scanner.end();
});

test.each<[string, (scanner: Scanner) => unknown, string]>([
  ['[', (s) => s.expect('{'), `character 0 begins '[', expected "{"`],
  ['', (s) => s.expect('{', ','), 'character 0 begins its end, expected "{" or ","'],
  ['x', (s) => s.end(), "character 0 begins 'x', expected its end"],
  ['"abc', (s) => s.jsonString(), `character 0 begins '\\"abc', expected a text in quotes`],
  ['"abc\\"', (s) => s.jsonString(), 'expected a text in quotes'],
  ['"a\nb"', (s) => s.jsonString(), 'expected a text in quotes'],
  ['"\\x"', (s) => s.jsonString(), 'expected a text in quotes'],
  ["'a'", (s) => s.jsonString(), 'expected a text in quotes'],
  ['abc', (s) => s.pythonString(), 'expected a text in quotes'],
  ["'abc", (s) => s.pythonString(), 'expected a text in quotes'],
  ["'a\\'b'", (s) => s.pythonString(), 'expected a text in quotes'],
  ['-1', (s) => s.size(), `character 0 begins '-1', expected an integer from 0 to 2^53 - 1`],
  ['01', (s) => s.size(), 'expected an integer'],
  ['9007199254740992', (s) => s.size(), 'expected an integer'],
  ['1'.repeat(400), (s) => s.size(), 'expected an integer'],
  ['x', (s) => s.size(), 'expected an integer'],
])('%j is something else', (text, read, message) => {
  expectError(
    () => read(of(text)),
    'ERR_FILE',
    new RegExp(`^the text: .*${RegExp.escape?.(message) ?? message.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}`),
  );
});

test('numbers end where their digits do', () => {
  const scanner = of('1.5');
  expect(scanner.size()).toBe(1);
  expectError(() => scanner.end(), 'ERR_FILE', /character 1 begins '\.5'/);
});
