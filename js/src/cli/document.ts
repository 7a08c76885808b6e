// What a file holds, whichever its format: rows of numbers, and what stands around them.

import type { DType } from '../index.js';
import { type FileDType, isNpy } from '../io.js';
import { openCsv } from './csv_file.js';
import { Failure, usageFailure } from './failure.js';
import { type Input, openInput } from './input.js';
import { openNpy } from './npy_file.js';
import type { Output } from './output.js';
import { type Block, type RowRange, readRange } from './rows.js';
import { openSafetensors } from './safetensors_file.js';

/** The rows of a file, and how a file of the same format is made with others in their place. */
export interface Document {
  readonly input: Input;
  readonly format: Format;
  /** How many rows there are, indices of dimension 0; undefined where it is not known before all are read. */
  readonly rows: number | undefined;
  /** Sizes of the dimensions of one row. */
  readonly rowShape: readonly number[];
  /** How many bytes a row takes; undefined where that differs. */
  readonly rowBytes: number | undefined;
  /** Whether there is one dimension only: all of it is one row. */
  readonly isRow: boolean;
  /** The type of the elements in the file. */
  readonly dtype: FileDType;
  /** Reads rows. More than once from files only. */
  blocks(range: RowRange): AsyncGenerator<Block>;
  /** Prepares a file with results in place of the rows. */
  replace(dtype: DType, range: RowRange): Replacement;
}

/** What stands around the rows in a file. To be called in this order, with all rows read in between. */
export interface Replacement {
  /** Writes what stands before the rows. */
  before(output: Output): Promise<void>;
  /** Writes what stands after them. */
  after(output: Output): Promise<void>;
}

export type Format = 'npy' | 'safetensors' | 'csv';

/** Which rows of a file are meant, and how a text is to be read. */
export interface DocumentOptions {
  /** The tensor, of a safetensors file. Needed where there are several of floats. */
  readonly tensor?: string | undefined;
  /** Whether to leave the other tensors out. */
  readonly only?: boolean | undefined;
  /** Whether the first record of a text names the columns. Found out where it is not given. */
  readonly header?: boolean | undefined;
  /** The columns that are numbers to work with: names, positions from 1, ranges. All numbers where it is not given. */
  readonly columns?: string | undefined;
  readonly delimiter?: string | undefined;
  /** Whether each element of a single dimension is a row of its own. */
  readonly elementsAsRows?: boolean | undefined;
}

/** The first bytes tell the formats apart: the length that a safetensors file begins with has zeros where text has none. */
const SIGNATURE_BYTES = 9;

/** Which format an input has. */
export async function formatOf(input: Input): Promise<Format> {
  const head = await input.peek(SIGNATURE_BYTES);
  if (isNpy(head)) return 'npy';
  if (head.length === SIGNATURE_BYTES && head[SIGNATURE_BYTES - 1] === 0x7b && head[7] === 0)
    return 'safetensors';
  if (head.length === 0)
    throw new Failure(`${input.name}: is empty, expected a .npy, .safetensors or CSV file`);
  if (head.includes(0))
    throw new Failure(`${input.name}: is neither a .npy nor a .safetensors file, nor text`);
  return 'csv';
}

/** The options that make sense for one format only. */
const OPTIONS_OF: Readonly<Partial<Record<keyof DocumentOptions, Format>>> = {
  ...{ tensor: 'safetensors', only: 'safetensors' },
  ...{ header: 'csv', columns: 'csv', delimiter: 'csv' },
};

/** Opens what lies at a path, or comes from stdin for `-`, and finds its rows. */
export async function openDocument(path: string, options: DocumentOptions = {}): Promise<Document> {
  const input = await openInput(path);
  try {
    const format = await formatOf(input);
    for (const [name, needed] of Object.entries(OPTIONS_OF)) {
      if (options[name as keyof DocumentOptions] === undefined || needed === format) continue;
      throw usageFailure(`--${name} is for ${needed} files, and ${input.name} is a ${format} file`);
    }
    const open = { npy: openNpy, safetensors: openSafetensors, csv: openCsv }[format];
    return await open(input, options);
  } catch (error) {
    await input.close();
    throw error;
  }
}

/**
 * Where the rows of an array are: dimension 0 counts them.
 * @param elementsAsRows - whether those of a single dimension are its elements; else it is one row
 */
export function rowsOf(
  name: string,
  shape: readonly number[],
  elementsAsRows = false,
): Pick<Document, 'rows' | 'rowShape' | 'isRow'> {
  const [rows, ...rowShape] = shape;
  if (rows === undefined)
    throw new Failure(`${name}: holds a single number, expected at least one dimension`);
  const isRow = shape.length === 1 && !elementsAsRows;
  return isRow ? { rows: 1, rowShape: shape, isRow } : { rows, rowShape, isRow };
}

/** The rows that the option `--rows` means. */
export function rangeOf({ input, rows, isRow }: Document, text: string | undefined): RowRange {
  if (isRow && text !== undefined) {
    throw usageFailure(`--rows is ${text}, and ${input.name} has one dimension, which is one row`);
  }
  return readRange(text, rows);
}

/** The shape of some rows, as a file says it. */
export function shapeOf({ isRow, rowShape }: Document, { from, to }: RowRange): readonly number[] {
  return isRow ? rowShape : [to - from, ...rowShape];
}
