import {
  contentOf,
  detectDelimiter,
  float32Text,
  numberOf,
  parseRecords,
  shown,
} from '../../../js/src/cli/csv.js';
import { seeded } from '../support/random.js';

const cellsOf = (text: string, delimiter = ',') =>
  parseRecords(text, delimiter, 1, true, 'x.csv').records.map(({ cells }) => cells);

describe('parseRecords', () => {
  test.each([
    [
      'plain',
      'a,b\nc,d\n',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    [
      'CRLF',
      'a,b\r\nc,d\r\n',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    [
      'no end',
      'a,b\nc,d',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    ['a carriage return at the end of the file belongs to the cell', 'a,b\r', [['a', 'b\r']]],
    ['empty lines', '\n\r\na\n \n\nb\n\n', [['a'], ['b']]],
    [
      'empty cells',
      ',\n,a,\n',
      [
        ['', ''],
        ['', 'a', ''],
      ],
    ],
    ['separators in quotes', '"a,b",c\n', [['"a,b"', 'c']]],
    [
      'line ends in quotes',
      '"a\nb\r\nc",d\r\ne,f\r\n',
      [
        ['"a\nb\r\nc"', 'd'],
        ['e', 'f'],
      ],
    ],
    ['doubled quotes', '"say ""a, b""","c"\n', [['"say ""a, b"""', '"c"']]],
    ['empty quotes', '"",""\n', [['""', '""']]],
    [
      'a quote inside a cell is a character',
      'a"b,c"\n1,2\n',
      [
        ['a"b', 'c"'],
        ['1', '2'],
      ],
    ],
    ['quotes at the end of the file', 'a,"b"', [['a', '"b"']]],
    ['nothing', '', []],
  ])('%s', (_, text, expected) => expect(cellsOf(text)).toEqual(expected));

  test('other separators', () => {
    expect(cellsOf('a;b,c\n"d;e";f\n', ';')).toEqual([
      ['a', 'b,c'],
      ['"d;e"', 'f'],
    ]);
    expect(cellsOf('a\tb\n\tc\n', '\t')).toEqual([
      ['a', 'b'],
      ['', 'c'],
    ]);
  });

  test('lines are counted, also those in quotes and the empty ones', () => {
    const { records } = parseRecords('a\n\n"b\nb"\r\nc', ',', 1, true, 'x');
    expect(records.map(({ line, end }) => [line, end])).toEqual([
      [1, '\n'],
      [3, '\r\n'],
      [5, ''],
    ]);
  });

  test('wherever a text is cut, the records are the same', () => {
    const text = 'id,"a\r\n""x"""\r\n\r\n1,"2,\n"\r\n"",""\n"q",\r\n3,4';
    const whole = parseRecords(text, ',', 1, true, 'x').records;
    expect(whole).toHaveLength(5);
    for (let first = 0; first <= text.length; first++) {
      for (let second = first; second <= text.length; second++) {
        const records = [];
        let rest = '';
        let line = 1;
        for (const [part, atEnd] of [
          [text.slice(0, first), false],
          [text.slice(first, second), false],
          [text.slice(second), true],
        ] as const) {
          rest += part;
          const parsed = parseRecords(rest, ',', line, atEnd, 'x');
          records.push(...parsed.records);
          rest = rest.slice(parsed.used);
          line = parsed.line;
        }
        expect({ first, second, records }).toEqual({ first, second, records: whole });
      }
    }
  });

  test.each([
    ['a,b\n1,"2\n3,4\n', 'x.csv: line 2, column 2: a quote (") is opened and never closed'],
    ['a\n"b"c\n', 'x.csv: line 2, column 1: text follows the closing quote ("), expected a separator'],
    ['a\n"b" ,c\n', /line 2, column 1: text follows/],
  ])('%j is refused', (text, message) => expect(() => cellsOf(text)).toThrow(message));

  test('a quote that is never closed does not fill the memory', () => {
    const text = `a,"${'b'.repeat(2 ** 26)}`;
    expect(() => parseRecords(text, ',', 7, false, 'x')).toThrow(
      'x: line 7: the record has more than 67108864 bytes: is a quote (") never closed?',
    );
  });
});

test.each<[string, number | undefined]>([
  ['1', 1],
  ['-1.5e-3', -0.0015],
  ['+.5', 0.5],
  ['5.', 5],
  [' 7 ', 7],
  ['"8"', 8],
  ['1E400', undefined],
  ['NaN', Number.NaN],
  ['-inf', Number.NEGATIVE_INFINITY],
  ['Infinity', Number.POSITIVE_INFINITY],
  ...['', ' ', '""', 'a', '0x10', '1,5', '1 2', '1e', '-', '.', 'nano', '1_000', 'null'].map(
    (text): [string, undefined] => [text, undefined],
  ),
])('the number in %j is %d', (text, expected) => expect(numberOf(text)).toBe(expected));

test('the content of a cell', () => {
  expect(['a', '"a"', '"say ""a"""', '""'].map(contentOf)).toEqual(['a', 'a', 'say "a"', '']);
});

test.each([
  ['a,b;c,d\n;;;;;', ','],
  ['a;b;1,5\n', ';'],
  ['a\tb, c\td\n', '\t'],
  ['"a;b;c",d\n', ','],
  ['\r\n\na;b', ';'],
  ['12', ','],
])('the separator of %j', (text, expected) => expect(detectDelimiter(text)).toBe(expected));

test('float32 has the shortest digits that give it back', () => {
  expect(
    [0.1, 1 / 3, 16777216, 1e-45, 3.4028234663852886e38, -0, Number.NaN].map(Math.fround).map(float32Text),
  ).toEqual(['0.1', '0.33333334', '16777216', '1.4013e-45', '3.4028235e+38', '0', 'NaN']);
  const random = seeded(1);
  const bits = new Uint32Array(1);
  const number = new Float32Array(bits.buffer);
  for (let i = 0; i < 20_000; i++) {
    bits[0] = random() * 2 ** 32;
    const value = number[0] as number;
    expect(Math.fround(Number(float32Text(value)))).toBe(value);
  }
});

test('messages show text as UTF-8, and not too much of it', () => {
  expect(shown(Buffer.from('Größe').toString('latin1'))).toBe('Größe');
  expect(shown('a'.repeat(41))).toBe(`${'a'.repeat(39)}…`);
});
