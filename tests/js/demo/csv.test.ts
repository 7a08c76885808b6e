import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseCsv } from '../../../web-demo/src/parse/csv.js';
import { ParseError } from '../../../web-demo/src/parse/dataset.js';
import { mutants } from './support/mutants.js';

const parse = (text: string) => parseCsv(text, 'test.csv');
const numbers = (text: string) => [...parse(text).data];
const shape = (text: string) => parse(text).axes.map(({ size }) => size);

describe('the sample that ships with the page', () => {
  const text = readFileSync(new URL('../../../web-demo/src/data/iris.csv', import.meta.url), 'utf8');

  test('has the bytes of bezdekIris.data of the UCI repository, but for header, prefix and last line', () => {
    const original = `${text
      .split('\n')
      .slice(1, -1)
      .join('\n')
      .replace(/,(?=[a-z])/g, ',Iris-')}\n\n`;
    expect(createHash('md5').update(original).digest('hex')).toBe('7352471c39afdf2dad640df6dd867b72');
  });

  test('is read as 150 rows of 4 columns, named by species', () => {
    const { data, axes, notes } = parse(text);
    expect(axes.map(({ size }) => size)).toEqual([150, 4]);
    expect(axes[1]?.names?.[2]).toBe('petal length (cm)');
    expect(new Set(axes[0]?.names)).toEqual(new Set(['setosa', 'versicolor', 'virginica']));
    expect(notes.join()).toMatch('Column “species” is left out: not numbers. It names the rows.');
    const means = [0, 1, 2, 3].map(
      (c) => [...data].filter((_, i) => i % 4 === c).reduce((a, b) => a + b) / 150,
    );
    expect(means.map((mean) => mean.toFixed(3))).toEqual(['5.843', '3.057', '3.758', '1.199']);
  });
});

describe('what is read', () => {
  test.each([
    ['commas', '1,2,3\n4,5,6\n'],
    ['no line end at the end', '1,2,3\n4,5,6'],
    ['Windows line ends', '1,2,3\r\n4,5,6\r\n'],
    ['a byte order mark', '\ufeff1,2,3\n4,5,6\n'],
    ['semicolons', '1;2;3\n4;5;6\n'],
    ['tabs', '1\t2\t3\n4\t5\t6\n'],
    ['spaces, as numpy.savetxt writes them', ' 1.0  2.0 3.0\n4e0 5.000e+00 6\n'],
    ['blank lines and comments', '# measured today\n\n1,2,3\n\n# more\n4,5,6\n\n'],
    ['spaces around cells', ' 1 , 2 , 3 \n 4 , 5 , 6 '],
    ['quoted numbers', '"1","2","3"\n"4","5","6"'],
    ['a header', 'a,b,c\n1,2,3\n4,5,6\n'],
  ])('%s', (_, text) => {
    expect(shape(text)).toEqual([2, 3]);
    expect(numbers(text)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(parse(text).data).toBeInstanceOf(Float32Array);
  });

  test('decimal commas between semicolons', () => {
    expect(numbers('1,5;2,25\n-0,5;1e3')).toEqual([1.5, 2.25, -0.5, 1000]);
  });

  test('a single column and a single row', () => {
    expect(shape('1\n2\n3')).toEqual([3, 1]);
    expect(shape('1,2,3')).toEqual([1, 3]);
  });

  test('nan and infinity, as NumPy writes them', () => {
    expect(numbers('nan,inf\n-inf,1')).toEqual([
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      1,
    ]);
  });

  test('quotes with separators, line ends and quotes inside', () => {
    const { axes, data } = parse('name,x\n"a, b\nc ""d""",1\ne,2\n');
    expect(axes[0]?.names).toEqual(['a, b\nc "d"', 'e']);
    expect([...data]).toEqual([1, 2]);
  });

  test('numbers beyond float32, as float64', () => {
    const { data, notes } = parse('1e300,1\n2,3');
    expect(data).toBeInstanceOf(Float64Array);
    expect(data[0]).toBe(1e300);
    expect(notes.join()).toMatch('float64');
  });

  test('more rows than one chunk holds, with reports of progress', () => {
    const reports: number[] = [];
    const text = Array.from({ length: 70_000 }, (_, i) => `${i},${i + 1}`).join('\n');
    const { data } = parseCsv(text, 'long.csv', (fraction) => reports.push(fraction));
    expect(data.length).toBe(140_000);
    expect(data[139_999]).toBe(70_000);
    expect(reports.length).toBe(3);
    expect(reports).toEqual([...reports].sort());
    expect(Math.max(...reports)).toBeLessThanOrEqual(1);
  });
});

describe('columns that are not numbers', () => {
  test('are left out, the first of them naming the rows', () => {
    const { axes, data, notes } = parse('id,x,kind,y\na,1,k,2\nb,3,k,4\n');
    expect([...data]).toEqual([1, 2, 3, 4]);
    expect(axes.map(({ names }) => names)).toEqual([
      ['a', 'b'],
      ['x', 'y'],
    ]);
    expect(notes).toEqual([
      'Columns “id” and “kind” are left out: not numbers. The first one names the rows.',
    ]);
  });
});

describe('errors', () => {
  test.each([
    ['an empty text', '', 'There are no rows'],
    ['only a header', 'a,b\n', 'no column holds numbers'],
    ['no numbers', 'once upon a time\nthere was\n', 'Line 1 starts with “once'],
    [
      'a word among numbers',
      'x,y\n1,2\n3,oops\n5,6\n',
      'Line 3, column 2 (“y”) holds “oops”, expected a number',
    ],
    ['a hole', 'x,y\n1,2\n3,\n5,6\n', 'Line 3, column 2 (“y”) has no value'],
    ['a missing value by name', '1,2\nNA,4\n5,6\n', 'Line 2, column 1 has no value (“NA”)'],
    ['a short row', '1,2,3\n4,5\n', 'Line 2 has 2 cells, expected 3 as in line 1'],
    ['a long row after a comment', '# c\n1,2\n4,5,6\n', 'Line 3 has 3 cells, expected 2 as in line 2'],
    ['an open quote', 'a,b\n1,2\n"3,4\n', 'Line 3, column 1: a quote (") is opened and never closed'],
    ['hexadecimal digits', '1,2\n0x10,4\n5,6', 'Line 2, column 1 holds “0x10”'],
    [
      'a bad cell below a quoted line end',
      'n,x\n"a\nb",1\nc,?\nd,2',
      'Line 4, column 2 (“x”) has no value (“?”)',
    ],
  ])('%s', (_, text, message) => {
    expect(() => parse(text)).toThrow(message);
    expect(() => parse(text)).toThrow(expect.objectContaining({ name: 'ParseError' }));
  });
});

test('whatever is changed in a valid file, it is read or refused', () => {
  const texts = ['name,a,b\nann,1,2.5\nbob,-3,4e2\n', '1;2,5\n"3";4\n', '1 2 3\n4 5 6\n'];
  const files = texts.map((text) => new TextEncoder().encode(text).buffer as ArrayBuffer);
  const outcomes = mutants(files, 3000).map((bytes) => {
    try {
      const { data, axes } = parseCsv(new TextDecoder().decode(bytes), 'x.csv');
      expect(data.length).toBe(axes.reduce((product, { size }) => product * size, 1));
      return 'read';
    } catch (error) {
      expect(error).toBeInstanceOf(ParseError);
      return 'refused';
    }
  });
  expect(new Set(outcomes)).toEqual(new Set(['read', 'refused']));
});
