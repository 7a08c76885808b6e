// Text of records, RFC 4180: cells between separators, in quotes where they hold separators, quotes or line ends. Bytes are taken as
// characters one by one (latin1), so that everything that is not changed stays as it is, whatever its encoding.

import { Failure } from './failure.js';

/** One record of a file. */
export interface CsvRecord {
  /** The line that it starts on, from 1. */
  readonly line: number;
  /** The cells as they are in the file, with their quotes. */
  readonly cells: readonly string[];
  /** The line end; none where the file ends. */
  readonly end: string;
}

/** The beginning of a text in records. */
export interface Parsed {
  readonly records: readonly CsvRecord[];
  /** How much of the text they are, with the empty lines between them. */
  readonly used: number;
  /** The line that the rest starts on. */
  readonly line: number;
}

/** More than that is not one record, but a quote that is never closed. */
const MAX_RECORD = 2 ** 26;

/** Byte order mark of UTF-8. */
export const BOM = '\u00ef\u00bb\u00bf';

/**
 * Reads as many records as there are whole ones. Empty lines are none.
 * @param line - the line that the text starts on
 * @param atEnd - whether nothing follows the text
 * @param name - of the file, for messages
 */
export function parseRecords(
  text: string,
  delimiter: string,
  line: number,
  atEnd: boolean,
  name: string,
): Parsed {
  const records: CsvRecord[] = [];
  let at = 0;
  while (at < text.length) {
    const newline = text.indexOf('\n', at);
    if (newline < 0 && !atEnd) break;
    const lineEnd = newline < 0 ? text.length : newline;
    const contentEnd = lineEnd > at && newline >= 0 && text[lineEnd - 1] === '\r' ? lineEnd - 1 : lineEnd;
    const content = text.slice(at, contentEnd);
    if (content.trim() === '' && !content.includes(delimiter)) {
      at = lineEnd + 1;
      line++;
      continue;
    }
    if (!content.includes('"')) {
      const next = Math.min(lineEnd + 1, text.length);
      records.push({ line, cells: content.split(delimiter), end: text.slice(contentEnd, next) });
      at = next;
      line++;
      continue;
    }
    const quoted = parseQuoted(text, at, delimiter, line, atEnd, name);
    if (quoted === undefined) break;
    records.push(quoted.record);
    for (let i = at; i < quoted.next; i++) if (text[i] === '\n') line++;
    at = quoted.next;
  }
  if (text.length - at > MAX_RECORD) {
    throw new Failure(
      `${name}: line ${line}: the record has more than ${MAX_RECORD} bytes: is a quote (") never closed?`,
    );
  }
  return { records, used: Math.min(at, text.length), line };
}

/** The record that starts at `start`, which may have quotes; undefined where it does not end in the text. */
function parseQuoted(
  text: string,
  start: number,
  delimiter: string,
  line: number,
  atEnd: boolean,
  name: string,
): { record: CsvRecord; next: number } | undefined {
  const cells: string[] = [];
  let cellStart = start;
  for (;;) {
    let at = cellStart;
    if (text[at] === '"') {
      at = closingQuote(text, at);
      if (at < 0 || (at === text.length - 1 && !atEnd)) {
        if (!atEnd) return undefined;
        throw new Failure(
          `${name}: line ${line}, column ${cells.length + 1}: a quote (") is opened and never closed`,
        );
      }
      at++;
      if (at < text.length && text[at] !== delimiter && !/^\r?\n/.test(text.slice(at, at + 2))) {
        if (text[at] === '\r' && at + 1 === text.length && !atEnd) return undefined;
        throw new Failure(
          `${name}: line ${line}, column ${cells.length + 1}: text follows the closing quote ("), expected a separator`,
        );
      }
    }
    while (at < text.length && text[at] !== delimiter && text[at] !== '\n') at++;
    if (at === text.length && !atEnd) return undefined;
    if (text[at] === delimiter) {
      cells.push(text.slice(cellStart, at));
      cellStart = at + 1;
      continue;
    }
    const contentEnd = at > cellStart && at < text.length && text[at - 1] === '\r' ? at - 1 : at;
    cells.push(text.slice(cellStart, contentEnd));
    const next = Math.min(at + 1, text.length);
    return { record: { line, cells, end: text.slice(contentEnd, next) }, next };
  }
}

/** Where the quote is that closes the one at `open`: -1 where it is not in the text. Doubled quotes stand for one. */
function closingQuote(text: string, open: number): number {
  for (let at = open + 1; ; at += 2) {
    at = text.indexOf('"', at);
    if (at < 0 || text[at + 1] !== '"') return at;
  }
}

/** What a cell says, without its quotes. */
export function contentOf(cell: string): string {
  return cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell;
}

const NUMBER = /^\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?\s*$/i;
const SPECIAL = /^\s*([+-]?)(?:(nan)|inf(?:inity)?)\s*$/i;

/**
 * The number in a cell; undefined where there is none, or one that is too large for float64. NaN and infinities are numbers, as
 * Python and JavaScript write them.
 */
export function numberOf(cell: string): number | undefined {
  const content = cell.startsWith('"') ? contentOf(cell) : cell;
  if (NUMBER.test(content)) {
    const value = Number(content);
    return Number.isFinite(value) ? value : undefined;
  }
  const [, sign, nan] = SPECIAL.exec(content) ?? [];
  if (sign === undefined) return undefined;
  if (nan !== undefined) return Number.NaN;
  return sign === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

/** The separator of a text: of comma, semicolon and tab the one that its first line has most of. */
export function detectDelimiter(text: string): string {
  const line = /[^\r\n]+/.exec(text)?.[0].replace(/"[^"]*"/g, '') ?? '';
  const counts = [',', ';', '\t'].map((one) => [one, line.split(one).length] as const);
  return counts.reduce((most, one) => (one[1] > most[1] ? one : most))[0];
}

/** The shortest digits that stand for no other number of float32. */
export function float32Text(value: number): string {
  for (let digits = 6; digits < 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return String(Number(text));
  }
  return String(Number(value.toPrecision(9)));
}

/** Text as messages show it: as UTF-8, and not too long. */
export function shown(latin1: string): string {
  const text = Buffer.from(latin1, 'latin1').toString();
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}
