// layernorm moments and layernorm merge

import { resolve } from 'node:path';
import { type FinalMoments, Moments } from '../index.js';
import { newElements } from './binary.js';
import { type Document, openDocument, rangeOf } from './document.js';
import { usageFailure, within } from './failure.js';
import {
  COMMON_OPTIONS,
  onlyPositional,
  READ_OPTIONS,
  readArguments,
  readAxes,
  WRITE_OPTIONS,
} from './options.js';
import { print, writeOutput } from './output.js';
import { readMoments } from './parameters.js';
import { RowProgress } from './progress.js';
import type { RowRange } from './rows.js';

export async function momentsCommand(args: readonly string[]): Promise<void> {
  const { values, positionals } = readArguments(args, {
    ...COMMON_OPTIONS,
    ...READ_OPTIONS,
    ...WRITE_OPTIONS,
  });
  const path = onlyPositional(positionals, 'the file to read');
  const axis = values.axis === 'none' ? [] : (readAxes(values.axis) ?? [-1]);
  const document = await openDocument(path, { ...values, elementsAsRows: axis.length === 0 });
  try {
    const range = rangeOf(document, values.rows);
    await writeMoments(await momentsOf(document, range, axis, values.quiet ?? false), values);
  } finally {
    await document.input.close();
  }
}

export async function mergeCommand(args: readonly string[]): Promise<void> {
  const { values, positionals } = readArguments(args, { ...COMMON_OPTIONS, ...WRITE_OPTIONS });
  const [first, ...others] = positionals;
  if (first === undefined) throw usageFailure('the files of moments are missing');
  const { output } = values;
  const isRead = (file: string): boolean =>
    file !== '-' && positionals.some((path) => resolve(path) === resolve(file));
  if (output !== undefined && isRead(output)) {
    throw usageFailure(`${output}: is read and written: merged once more, its rows would count twice`);
  }
  const merged = await readMoments(first);
  for (const path of others) {
    const more = await readMoments(path);
    within(path, () => merged.merge(more));
  }
  await writeMoments(merged, values);
}

/** Count, mean and variance of rows, read in blocks. */
export async function momentsOf(
  document: Document,
  range: RowRange,
  axis: readonly number[],
  quiet: boolean,
): Promise<Moments> {
  const { isRow, rowShape, dtype } = document;
  const rank = rowShape.length + 1;
  // The only dimension of a single row is the last one of what is counted.
  const kept = isRow && axis.every((one) => one === 0) && axis.length === 1 ? [-1] : axis;
  if (kept.some((one) => one === 0 || one === -rank)) {
    throw usageFailure(
      `--axis ${axis} keeps statistics of each row, expected axes from 1 to ${rank - 1}, or none`,
    );
  }
  const moments = new Moments({ axis: kept });
  const shapeOfRows = (rows: number): number[] => [rows, ...rowShape];
  // So that no rows have a shape as well.
  moments.update({ data: newElements(dtype, 0), shape: shapeOfRows(0), dtype });
  const progress = new RowProgress('statistics', document, range, quiet);
  try {
    for await (const { rows, data } of document.blocks(range)) {
      moments.update({ data, shape: shapeOfRows(rows), dtype });
      progress.advance(rows);
    }
  } finally {
    progress.clear();
  }
  return moments;
}

/** Writes moments to a file, as JSON where its name ends so; or prints them as JSON. */
async function writeMoments(
  moments: Moments,
  values: { output?: string; force?: boolean; json?: boolean },
): Promise<void> {
  const { output: path, force = false } = values;
  const json = `${JSON.stringify(asJson(moments.axis, moments.finalize()))}\n`;
  if (path === undefined) return print(json);
  const bytes = values.json || path.endsWith('.json') ? Buffer.from(json) : moments.toBytes();
  await writeOutput(path, force, (output) => output.write(bytes));
}

/** JSON has no NaN and no infinities: they are null. */
function asJson(axis: readonly number[], { count, mean, variance, shape }: FinalMoments): object {
  return { axis, shape, count: [...count], mean: [...mean], variance: [...variance] };
}
