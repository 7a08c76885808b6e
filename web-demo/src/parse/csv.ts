// Numbers in text: CSV as RFC 4180 has it, and its relatives with semicolons, tabs or spaces.

import { count, type Dataset, ParseError, type Progress, shorten } from './dataset.js';

/** How many rows decide which columns are numeric. */
const SAMPLED_ROWS = 200;
/** Rows between two reports of progress. */
const ROWS_PER_REPORT = 20_000;

type Delimiter = ',' | ';' | '\t' | ' ';

interface Row {
  /** Line of the file that the row starts on, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
  /** Where the next row starts. */
  readonly end: number;
}

/**
 * Reads text as a matrix of numbers, one row a line.
 *
 * The first row may be a header. Columns that mostly hold other things than numbers are left out, and the first of them names
 * the rows. Blank lines and lines that start with # are skipped.
 * @throws {@link ParseError} with line and column
 */
export function parseCsv(text: string, name: string, onProgress: Progress = () => {}): Dataset {
  const delimiter = detectDelimiter(text);
  const sampled = take(rowsOf(text, delimiter), SAMPLED_ROWS + 1);
  const [first, second] = sampled;
  if (!first) throw new ParseError('There are no rows: the text is empty.');

  const width = first.cells.length;
  const isNumber = (cell: string | undefined) =>
    cell !== undefined && readNumber(cell, delimiter) !== undefined;
  const hasHeader =
    second !== undefined &&
    first.cells.some((cell, c) => !isNumber(cell) && cell !== '' && isNumber(second.cells[c]));
  const header = hasHeader ? first.cells : undefined;
  const body = hasHeader ? sampled.slice(1) : sampled;

  const numeric = range(width).filter((c) => {
    const numbers = body.filter(({ cells }) => isNumber(cells[c])).length;
    return numbers > 0 && numbers * 2 >= body.length;
  });
  if (numeric.length === 0) {
    throw new ParseError(
      `Line ${first.line} starts with “${shorten(first.cells[0] ?? '')}”, and no column holds numbers. Expected rows of ` +
        'numbers, separated by commas, semicolons, tabs or spaces.',
    );
  }
  const dropped = range(width).filter((c) => !numeric.includes(c));
  const labelColumn = dropped[0];

  const numbers = new GrowingNumbers();
  const labels: string[] = [];
  let rows = 0;
  let skipHeader = hasHeader;
  for (const { line, cells, end } of rowsOf(text, delimiter)) {
    if (cells.length !== width) {
      throw new ParseError(
        `Line ${line} has ${count(cells.length, 'cell')}, expected ${width} as in line ${first.line}.`,
      );
    }
    if (skipHeader) {
      skipHeader = false;
      continue;
    }
    for (const c of numeric) {
      const cell = cells[c] as string;
      const value = readNumber(cell, delimiter);
      if (value === undefined) throw badCell(line, c, header?.[c], cell);
      numbers.push(value);
    }
    if (labelColumn !== undefined) labels.push(cells[labelColumn] as string);
    if (++rows % ROWS_PER_REPORT === 0) onProgress(end / text.length);
  }
  if (rows === 0) throw new ParseError('There is a header, but no row of numbers under it.');

  const notes: string[] = [];
  if (dropped.length > 0) {
    const named = dropped.map((c) => (header ? `“${header[c]}”` : `${c + 1}`));
    notes.push(
      `${dropped.length === 1 ? 'Column' : 'Columns'} ${list(named)} ${dropped.length === 1 ? 'is' : 'are'} left out: not numbers.` +
        (labels.length > 0 ? ` ${dropped.length === 1 ? 'It names' : 'The first one names'} the rows.` : ''),
    );
  }
  const { data, isWide } = numbers.finish();
  if (isWide) notes.push('Some numbers are beyond float32, so all are read as float64.');
  return {
    name,
    kind: 'csv',
    data,
    notes,
    axes: [
      { size: rows, noun: 'rows', ...(labels.length > 0 ? { names: labels } : {}) },
      {
        size: numeric.length,
        noun: 'columns',
        ...(header ? { names: numeric.map((c) => header[c] as string), namesAreUnique: true } : {}),
      },
    ],
  };
}

function badCell(line: number, column: number, title: string | undefined, cell: string): ParseError {
  const where = `Line ${line}, column ${column + 1}${title ? ` (“${shorten(title)}”)` : ''}`;
  return new ParseError(
    cell === '' || /^(na|n\/a|null|none|-|\?)$/i.test(cell)
      ? `${where} has no value${cell ? ` (“${cell}”)` : ''}. Fill missing values or remove their rows.`
      : `${where} holds “${shorten(cell)}”, expected a number like the rest of the column.`,
  );
}

/** The number in a cell; undefined when it is none. Not a number and infinity are numbers here, as in NumPy's files. */
function readNumber(cell: string, delimiter: Delimiter): number | undefined {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(cell)) return Number(cell);
  if (delimiter !== ',' && /^[+-]?\d+,\d+(e[+-]?\d+)?$/i.test(cell)) return Number(cell.replace(',', '.'));
  const special = /^([+-]?)(nan|inf|infinity)$/i.exec(cell);
  if (!special) return undefined;
  if (special[2]?.toLowerCase() === 'nan') return Number.NaN;
  return special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

/** The separator of the first line that says something. A decimal comma may stand between semicolons or tabs. */
function detectDelimiter(text: string): Delimiter {
  let start = 0;
  while (start < text.length) {
    const lineEnd = text.indexOf('\n', start);
    const end = lineEnd < 0 ? text.length : lineEnd;
    const line = text.slice(start, end).replace(/"[^"]*"/g, '');
    if (line.trim() !== '' && !line.startsWith('#')) {
      const found = ([';', '\t', ','] as const).find((one) => line.includes(one));
      return found ?? (/\S\s+\S/.test(line.trim()) && !line.includes('"') ? ' ' : ',');
    }
    start = end + 1;
  }
  return ',';
}

/** Rows one by one, so that a large file never lies in memory as cells. */
function* rowsOf(text: string, delimiter: Delimiter): Generator<Row> {
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  let line = 1;
  while (at < text.length) {
    const lineEnd = text.indexOf('\n', at);
    const end = lineEnd < 0 ? text.length : lineEnd;
    const raw = text.slice(at, end);
    if (raw.trim() === '' || raw.startsWith('#')) {
      at = end + 1;
      line++;
      continue;
    }
    if (delimiter === ' ') {
      yield { line, cells: raw.trim().split(/\s+/), end: end + 1 };
      at = end + 1;
      line++;
    } else if (!raw.includes('"')) {
      const cells = raw.split(delimiter);
      for (let c = 0; c < cells.length; c++) cells[c] = (cells[c] as string).trim();
      yield { line, cells, end: end + 1 };
      at = end + 1;
      line++;
    } else {
      const row = readQuotedRow(text, at, line, delimiter);
      yield row;
      for (let i = at; i < row.end; i++) if (text.charCodeAt(i) === 10) line++;
      at = row.end;
    }
  }
}

/** A row with quotes, which may hold separators, line ends and doubled quotes. */
function readQuotedRow(text: string, start: number, line: number, delimiter: Delimiter): Row {
  const cells: string[] = [];
  let at = start;
  for (;;) {
    while (text[at] === ' ') at++;
    let cell = '';
    if (text[at] === '"') {
      for (at++; ; at++) {
        if (at >= text.length) {
          throw new ParseError(
            `Line ${line}, column ${cells.length + 1}: a quote (") is opened and never closed.`,
          );
        }
        if (text[at] !== '"') cell += text[at];
        else if (text[at + 1] === '"') {
          cell += '"';
          at++;
        } else break;
      }
      at++;
    }
    const cellEnd = at;
    while (at < text.length && text[at] !== delimiter && text[at] !== '\n') at++;
    cells.push((cell + text.slice(cellEnd, at)).trim());
    if (at >= text.length || text[at] === '\n') return { line, cells, end: at + 1 };
    at++;
  }
}

/** Numbers whose count is not known before the end. */
class GrowingNumbers {
  readonly #full: Float64Array[] = [];
  #chunk = new Float64Array(1 << 16);
  #used = 0;
  #isWide = false;

  push(value: number): void {
    if (this.#used === this.#chunk.length) {
      this.#full.push(this.#chunk);
      this.#chunk = new Float64Array(1 << 16);
      this.#used = 0;
    }
    this.#chunk[this.#used++] = value;
    if (Number.isFinite(value) && !Number.isFinite(Math.fround(value))) this.#isWide = true;
  }

  /** float32, unless a number does not fit it. */
  finish(): { data: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>; isWide: boolean } {
    const length = this.#full.length * this.#chunk.length + this.#used;
    const data = this.#isWide ? new Float64Array(length) : new Float32Array(length);
    this.#full.forEach((chunk, i) => {
      data.set(chunk, i * chunk.length);
    });
    data.set(this.#chunk.subarray(0, this.#used), length - this.#used);
    return { data, isWide: this.#isWide };
  }
}

function take<T>(items: Iterable<T>, n: number): T[] {
  const taken: T[] = [];
  for (const item of items) {
    taken.push(item);
    if (taken.length === n) break;
  }
  return taken;
}

function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}

function list(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
