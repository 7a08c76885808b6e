// Rows of a text file: some columns are numbers to work with, the others are kept as they are.

import { type DType, type FloatArray, tensor } from '../index.js';
import {
  BOM,
  type CsvRecord,
  contentOf,
  detectDelimiter,
  float32Text,
  numberOf,
  parseRecords,
  shown,
} from './csv.js';
import type { Document, DocumentOptions } from './document.js';
import { Failure, usageFailure } from './failure.js';
import type { Input } from './input.js';
import type { Block, RowRange } from './rows.js';

/** How much text is read at a time, and looked at to find out what the file is like. */
const CHUNK_BYTES = 2 ** 18;

/** What is known of a text before its rows are read. */
export interface CsvLayout {
  readonly delimiter: string;
  /** The record that names the columns, if there is one. */
  readonly header: CsvRecord | undefined;
  /** How many cells a record has. */
  readonly width: number;
  /** The first record of values. */
  readonly first: CsvRecord;
  /** Whether that one tells which columns are numbers: no option does. */
  readonly isGuessed: boolean;
}

export async function openCsv(input: Input, options: DocumentOptions): Promise<Document> {
  const layout = await csvLayoutOf(input, options);
  const { header, delimiter } = layout;
  const columns = columnsOf(input.name, layout, options.columns);
  return {
    ...{
      input,
      format: 'csv',
      dtype: 'float64',
      rows: undefined,
      rowBytes: undefined,
      rowShape: [columns.length],
      isRow: false,
    },
    blocks: (range) => readCsvRows(input, layout, columns, range),
    replace: () => ({
      before: async (output) => {
        if (header) await output.write(Buffer.from(header.cells.join(delimiter) + header.end, 'latin1'));
      },
      after: async () => {},
    }),
  };
}

/** Looks at the beginning of a text. */
export async function csvLayoutOf(input: Input, options: DocumentOptions): Promise<CsvLayout> {
  const head = await input.peek(CHUNK_BYTES);
  const atEnd = head.length < CHUNK_BYTES;
  const text = withoutBom(Buffer.from(head).toString('latin1'));
  const delimiter = readDelimiter(options.delimiter) ?? detectDelimiter(text);
  const [first, second] = parseRecords(text, delimiter, 1, atEnd, input.name).records;
  if (first === undefined)
    throw new Failure(`${input.name}: has no records in its first ${head.length} bytes`);
  const hasHeader = options.header ?? looksLikeHeader(first, second);
  if (options.header === undefined && !hasHeader && countsFromZero(first)) {
    throw usageFailure(
      `${input.name}: line ${first.line} has the numbers 0, 1, 2, ...: --header says that they name columns, --no-header that they are a row`,
    );
  }
  const row = hasHeader ? second : first;
  if (row === undefined)
    throw new Failure(`${input.name}: line ${first.line} names columns, and no row follows`);
  const layout = {
    ...{ delimiter, header: hasHeader ? first : undefined, width: first.cells.length, first: row },
    isGuessed: options.columns === undefined,
  };
  checkWidth(input.name, row, layout.width, first.line);
  return layout;
}

/** Reads the rows of a text, a piece of it at a time. */
export async function* readCsvRows(
  input: Input,
  layout: CsvLayout,
  columns: readonly number[],
  { from, to }: RowRange,
  chunkBytes: number = CHUNK_BYTES,
): AsyncGenerator<Block> {
  await input.seek(0);
  const chunk = Buffer.alloc(chunkBytes);
  let text = '';
  let line = 1;
  let row = layout.header ? -1 : 0;
  for (let atEnd = false, isFirst = true; !atEnd && row < to; isFirst = false) {
    const read = await input.read(chunk);
    atEnd = read < chunk.length;
    text += chunk.toString('latin1', 0, read);
    if (isFirst) text = withoutBom(text);
    const parsed = parseRecords(text, layout.delimiter, line, atEnd, input.name);
    text = text.slice(parsed.used);
    line = parsed.line;
    const { records } = parsed;
    const wanted = records.slice(Math.max(from - row, 0), Math.max(to - row, 0));
    row += records.length;
    if (wanted.length > 0) yield blockOf(input.name, layout, columns, wanted);
  }
  const least = to === Number.POSITIVE_INFINITY ? from : to;
  if (row < least) {
    throw new Failure(`${input.name}: has ${row} rows, expected at least ${least} for --rows`);
  }
}

function blockOf(
  name: string,
  { delimiter, width, header, first, isGuessed }: CsvLayout,
  columns: readonly number[],
  records: readonly CsvRecord[],
): Block {
  const data = new Float64Array(records.length * columns.length);
  const isText = (cell: string): boolean => numberOf(cell) === undefined;
  const texts = isGuessed ? first.cells.flatMap((cell, i) => (isText(cell) ? [i] : [])) : [];
  let at = 0;
  for (const record of records) {
    checkWidth(name, record, width);
    for (const column of texts) {
      const cell = record.cells[column] as string;
      if (!isText(cell)) throw notAText(name, record, column, first);
    }
    for (const column of columns) {
      const cell = record.cells[column] as string;
      const number = numberOf(cell);
      if (number === undefined) throw notANumber(name, record, column, header);
      data[at++] = number;
    }
  }
  const encode = (y: FloatArray, dtype: DType): Uint8Array => {
    const textOf = dtype === 'float64' ? String : float32Text;
    const numbers = numbersOf(y, dtype);
    let text = '';
    let next = 0;
    for (const { cells, end } of records) {
      const written = [...cells];
      for (const column of columns) written[column] = textOf(numbers[next++] as number);
      text += written.join(delimiter) + end;
    }
    return Buffer.from(text, 'latin1');
  };
  return { rows: records.length, data, encode };
}

/** Floats of 16 bits come as their bits. */
function numbersOf(y: FloatArray, dtype: DType): FloatArray {
  if (dtype === 'float32' || dtype === 'float64') return y;
  const wide = tensor({ data: y, shape: [y.length], dtype }, undefined, 'float32');
  const numbers = wide.array.slice();
  wide.dispose();
  return numbers;
}

function withoutBom(text: string): string {
  return text.startsWith(BOM) ? text.slice(BOM.length) : text;
}

function readDelimiter(option: string | undefined): string | undefined {
  const delimiter = option === 'tab' || option === '\\t' ? '\t' : option;
  if (delimiter === undefined || /^[^"\w.+\-\r\n\u0080-\uffff]$/.test(delimiter)) return delimiter;
  throw usageFailure(
    `--delimiter is '${option}', expected one character of ASCII that numbers do not have, or tab`,
  );
}

/** A header has words over numbers. */
function looksLikeHeader(first: CsvRecord, second: CsvRecord | undefined): boolean {
  const isNumber = (cell = ''): boolean => numberOf(cell) !== undefined;
  if (second === undefined) return !first.cells.some(isNumber);
  return first.cells.some(
    (cell, i) => contentOf(cell).trim() !== '' && !isNumber(cell) && isNumber(second.cells[i]),
  );
}

/** So libraries name columns that have no names. */
function countsFromZero({ cells }: CsvRecord): boolean {
  const numbers = cells.map(numberOf).filter((number) => number !== undefined);
  return numbers.length > 2 && numbers.every((number, i) => number === i);
}

function checkWidth(name: string, { cells, line }: CsvRecord, width: number, like?: number): void {
  if (cells.length === width) return;
  const first = like === undefined ? 'the first record' : `line ${like}`;
  throw new Failure(`${name}: line ${line} has ${cells.length} cells, expected ${width} as ${first} has`);
}

/** Positions, from 0, of the columns of numbers: those that `option` names, or those that hold one in the first row. */
export function columnsOf(name: string, layout: CsvLayout, option: string | undefined): number[] {
  const { header, width, first } = layout;
  if (option !== undefined) return readColumns(option, header, width);
  const empty = first.cells.findIndex((cell) => contentOf(cell).trim() === '');
  if (empty >= 0) {
    throw new Failure(
      `${name}: line ${first.line}, column ${empty + 1} has no value to tell whether it holds numbers: name those with --columns`,
    );
  }
  const columns = first.cells.flatMap((cell, i) => (numberOf(cell) === undefined ? [] : [i]));
  if (columns.length === 0) throw new Failure(`${name}: line ${first.line} has no numbers`);
  return columns;
}

/** Reads the option `--columns`. */
function readColumns(option: string, header: CsvRecord | undefined, width: number): number[] {
  const names = header?.cells.map((cell) => Buffer.from(contentOf(cell).trim(), 'latin1').toString()) ?? [];
  const columns = option.split(',').flatMap((item) => {
    const named = names.indexOf(item.trim());
    if (named >= 0) return named;
    const [, first, last = first] = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(item) ?? [];
    const [from, to] = [Number(first), Number(last)];
    if (first !== undefined && from >= 1 && from <= to && to <= width) {
      return Array.from({ length: to - from + 1 }, (_, i) => from - 1 + i);
    }
    const known = names.length > 0 ? `one of ${names.map(shownName).join(', ')}, or ` : '';
    throw usageFailure(`--columns names '${item}', expected ${known}a position from 1 to ${width}`);
  });
  if (new Set(columns).size < columns.length) throw usageFailure(`--columns ${option} names a column twice`);
  return columns;
}

const shownName = (name: string): string => `'${name}'`;

/** Left out for a first value such as NA, a column would be missing in what is normalized. */
function notAText(name: string, { line, cells }: CsvRecord, column: number, first: CsvRecord): Failure {
  const [found, before] = [cells, first.cells].map((row) => shown(contentOf(row[column] as string)));
  return new Failure(
    `${name}: line ${line}, column ${column + 1}: there is the number ${found}, and '${before}' in line ${first.line}: ` +
      'whether the column is one of numbers, --columns has to say',
  );
}

function notANumber(name: string, { line, cells }: CsvRecord, column: number, header?: CsvRecord): Failure {
  const title = header ? ` (${shown(contentOf(header.cells[column] as string))})` : '';
  const content = contentOf(cells[column] as string);
  const found = content.trim() === '' ? 'no value' : `'${shown(content)}'`;
  return new Failure(
    `${name}: line ${line}, column ${column + 1}${title}: there is ${found}, expected a number`,
  );
}
