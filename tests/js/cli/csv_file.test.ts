import { columnsOf, csvLayoutOf, openCsv, readCsvRows } from '../../../js/src/cli/csv_file.js';
import type { DocumentOptions } from '../../../js/src/cli/document.js';
import type { Input } from '../../../js/src/cli/input.js';
import { Collected, elementsOf, expectFailure, fileOf, streamOf } from '../support/cli.js';

const ALL = { from: 0, to: Number.POSITIVE_INFINITY };
const layoutOf = (text: string, options: DocumentOptions = {}) =>
  described(fileOf(Buffer.from(text)), options);

/** The layout of a text, with its columns. */
async function described(input: Input, options: DocumentOptions = {}) {
  const layout = await csvLayoutOf(input, options);
  return { ...layout, columns: columnsOf(input.name, layout, options.columns) };
}
const TABLE = 'id,a,b,name\r\nx1,1,2,"he said ""hi"", ok"\r\n\r\nx2,"3",5,plain\r\nx3,4,9,"two\r\nlines"\r\n';

describe('layout', () => {
  test.each([
    ['numbers only', '1,2\n3,4\n', false, [0, 1]],
    ['words over numbers', 'a,b\n3,4\n', true, [0, 1]],
    ['a number over numbers, beside a word over one', 'a,2020\n3,4\n', true, [0, 1]],
    ['words beside numbers', 'x,1\ny,2\n', false, [1]],
    ['one line of words and numbers', 'x,1\n', false, [1]],
    ['an empty cell over a number is no word', ',1\n2,3\n', false, undefined],
    ['a byte order mark', '\ufeffa\n3\n', true, [0]],
    ['spaces around', ' a , b \n 3 , 4 \n', true, [0, 1]],
    ['an index without a name', ',a\n0,4\n', true, [0, 1]],
  ])('%s', async (_, text, header, columns) => {
    if (columns === undefined) {
      await expectFailure(layoutOf(text), /line 1, column 1 has no value to tell whether it holds numbers/);
      return;
    }
    const layout = await layoutOf(text);
    expect({ header: layout.header !== undefined, columns: layout.columns }).toEqual({ header, columns });
  });

  test.each([
    ['NA', '1'],
    ['0x10', '2'],
    ['-', '1e3'],
  ])('a column that begins with %s and goes on with %s is not left out in silence', async (text, number) => {
    const input = fileOf(Buffer.from(`a,b,c\n${text},2,x\n${number},3,y\n`));
    const guessed = await described(input);
    expect(guessed.columns).toEqual([1]);
    await expectFailure(
      elementsOf(readCsvRows(input, guessed, guessed.columns, ALL)),
      `x: line 3, column 1: there is the number ${number}, and '${text}' in line 2: whether the column is one of numbers, ` +
        '--columns has to say',
    );
    const again = fileOf(Buffer.from(`a,b,c\n${text},2,x\n${number},3,y\n`));
    const named = await described(again, { columns: 'b' });
    expect(await elementsOf(readCsvRows(again, named, named.columns, ALL))).toEqual([2, 3]);
  });

  test('a number that float64 does not have', async () => {
    const input = fileOf(Buffer.from('1,2\n1e400,3\n'));
    const layout = await described(input);
    await expectFailure(
      elementsOf(readCsvRows(input, layout, layout.columns, ALL)),
      /there is '1e400', expected a number/,
    );
  });

  test('numbers that count from 0 are names or a row', async () => {
    const text = 'word,0,1,2\ncat,1,2,4\n';
    await expectFailure(layoutOf(text), /line 1 has the numbers 0, 1, 2, .*--no-header/, 2);
    expect((await layoutOf(text, { header: true })).header?.cells).toEqual(['word', '0', '1', '2']);
    expect((await layoutOf(text, { header: false })).columns).toEqual([1, 2, 3]);
  });

  test('a header can be demanded and denied', async () => {
    expect((await layoutOf('2019,2020\n1,2\n', { header: true })).header?.cells).toEqual(['2019', '2020']);
    expect((await layoutOf('a,1\n2,3\n', { header: false })).columns).toEqual([1]);
    await expectFailure(layoutOf('a,b\n', { header: true }), 'x: line 1 names columns, and no row follows');
    await expectFailure(layoutOf('a,b\n'), 'x: line 1 names columns, and no row follows');
  });

  test.each([
    ['a', [1]],
    ['b,a', [2, 1]],
    ['2-3', [1, 2]],
    ['b,2', [2, 1]],
    ['name', [3]],
  ])('--columns %s', async (columns, expected) => {
    expect((await layoutOf(TABLE, { columns })).columns).toEqual(expected);
  });

  test('names go before positions, and may be of any alphabet', async () => {
    expect(
      (await layoutOf('2,größe,"a ""b"""\n1,2,3\n', { columns: '2,größe', header: true })).columns,
    ).toEqual([0, 1]);
    expect(
      (await layoutOf('2,größe,"a ""b"""\n1,2,3\n', { columns: 'a "b"', header: true })).columns,
    ).toEqual([2]);
  });

  test.each([
    ['c', "--columns names 'c', expected one of 'id', 'a', 'b', 'name', or a position from 1 to 4"],
    ['5', /expected one of .* position from 1 to 4$/],
    ['0', /expected one of/],
    ['3-2', /expected one of/],
    ['', /expected one of/],
    ['a,2', '--columns a,2 names a column twice'],
  ])('--columns %j is refused', async (columns, message) => {
    await expectFailure(layoutOf(TABLE, { columns }), message, 2);
  });

  test('separators', async () => {
    expect((await layoutOf('1;2\n')).columns).toEqual([0, 1]);
    expect((await layoutOf('1|2\n', { delimiter: '|' })).columns).toEqual([0, 1]);
    for (const delimiter of ['tab', '\\t', '\t']) {
      expect((await layoutOf('1\t2\n', { delimiter })).delimiter).toBe('\t');
    }
    for (const delimiter of ['', 'ab', '"', '\n', 'ä']) {
      await expectFailure(layoutOf('1\n', { delimiter }), /^--delimiter is /, 2);
    }
  });

  test('no numbers, no records', async () => {
    await expectFailure(layoutOf('x,y\nz,w\n', { header: true }), 'x: line 2 has no numbers');
    await expectFailure(layoutOf('\n\n'), 'x: has no records in its first 2 bytes');
    await expectFailure(layoutOf('a,b\n1,2,3\n'), 'x: line 2 has 3 cells, expected 2 as line 1 has');
  });
});

describe('rows', () => {
  test.each([1, 2, 3, 7, 16, 1000])('in pieces of %d bytes', async (size) => {
    for (const input of [fileOf(Buffer.from(TABLE)), streamOf(Buffer.from(TABLE), 3)]) {
      const layout = await described(input);
      expect(await elementsOf(readCsvRows(input, layout, layout.columns, ALL, size))).toEqual([
        1, 2, 3, 5, 4, 9,
      ]);
    }
  });

  test('a range, with and without a header', async () => {
    for (const text of ['a\n1\n2\n3\n4\n', '1\n2\n3\n4']) {
      const input = fileOf(Buffer.from(text));
      const layout = await described(input);
      for (const size of [1, 3, 100]) {
        expect(
          await elementsOf(readCsvRows(input, layout, layout.columns, { from: 1, to: 3 }, size)),
        ).toEqual([2, 3]);
        expect(
          await elementsOf(
            readCsvRows(input, layout, layout.columns, { from: 2, to: Number.POSITIVE_INFINITY }, size),
          ),
        ).toEqual([3, 4]);
        await expectFailure(
          elementsOf(readCsvRows(input, layout, layout.columns, { from: 1, to: 9 }, size)),
          'x: has 4 rows, expected at least 9 for --rows',
        );
        const beyond = { from: 5, to: Number.POSITIVE_INFINITY };
        await expectFailure(
          elementsOf(readCsvRows(input, layout, layout.columns, beyond, size)),
          'x: has 4 rows, expected at least 5 for --rows',
        );
      }
    }
  });

  test.each([
    ['a,b\n1,2\n3,\n', 'x: line 3, column 2 (b): there is no value, expected a number'],
    ['a,b\n1,2\n\n3,n/a\n', "x: line 4, column 2 (b): there is 'n/a', expected a number"],
    ['1,2\n3," "\n', 'x: line 2, column 2: there is no value, expected a number'],
    ['größe\n"1"\n"ä\nö"\n', "x: line 3, column 1 (größe): there is 'ä\nö', expected a number"],
    ['1,2\n3\n', 'x: line 2 has 1 cells, expected 2 as the first record has'],
    ['1,2\n3,4,\n', 'x: line 2 has 3 cells, expected 2 as the first record has'],
  ])('%j is refused', async (text, message) => {
    const input = fileOf(Buffer.from(text));
    const layout = await described(input);
    await expectFailure(elementsOf(readCsvRows(input, layout, layout.columns, ALL, 4)), message);
  });
});

test('what is no number stays as it is, to the byte', async () => {
  const output = new Collected();
  const text = Buffer.concat([
    Buffer.from('\ufeffid,größe\r\n'),
    Buffer.from([0xff, 0x2c]),
    Buffer.from('1\r\n"é, ""è""",2'),
  ]);
  const document = await openCsv(fileOf(text), {});
  const replacement = document.replace('float64', ALL);
  await replacement.before(output);
  for await (const block of document.blocks(ALL)) {
    await output.write(
      block.encode(
        (block.data as Float64Array).map((value) => value / 3),
        'float64',
      ),
    );
  }
  await replacement.after(output);
  const expected = [
    Buffer.from('id,größe\r\n'),
    Buffer.from([0xff, 0x2c]),
    Buffer.from('0.3333333333333333\r\n"é, ""è""",0.6666666666666666'),
  ];
  expect(output.bytes.equals(Buffer.concat(expected))).toBe(true);
});

test('float32 is written as such', async () => {
  const document = await openCsv(fileOf(Buffer.from('1\n2\n')), {});
  for await (const block of document.blocks(ALL)) {
    expect(`${Buffer.from(block.encode(Float32Array.of(0.1, Number.NaN), 'float32'))}`).toBe('0.1\nNaN\n');
  }
});
