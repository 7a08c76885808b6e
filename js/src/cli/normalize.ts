// layernorm normalize

import { extname } from 'node:path';
import { configure, type FinalMoments, info } from '../index.js';
import { computedDType } from './binary.js';
import { type Document, type Format, openDocument, rangeOf } from './document.js';
import { usageFailure } from './failure.js';
import { momentsOf } from './moments.js';
import { checkAxes, checkMethod, METHODS, type Normalization, normalizer } from './normalizer.js';
import {
  COMMON_OPTIONS,
  DTYPES,
  FLAG,
  onlyPositional,
  READ_OPTIONS,
  readArguments,
  readAxes,
  readChoice,
  readNumber,
  readThreads,
  TEXT,
  WRITE_OPTIONS,
} from './options.js';
import { print, writeOutput } from './output.js';
import { readMoments, readParameter } from './parameters.js';
import { RowProgress, sizeText } from './progress.js';
import { pump, type RowRange } from './rows.js';

const OPTIONS = {
  ...COMMON_OPTIONS,
  ...READ_OPTIONS,
  ...WRITE_OPTIONS,
  method: { ...TEXT, short: 'm' },
  epsilon: TEXT,
  groups: TEXT,
  gamma: TEXT,
  beta: TEXT,
  moments: TEXT,
  dtype: TEXT,
  only: FLAG,
  threads: TEXT,
} as const;

export async function normalizeCommand(args: readonly string[]): Promise<void> {
  const { values, positionals } = readArguments(args, OPTIONS);
  const path = onlyPositional(positionals, 'the file to normalize');
  const { output: target, force = false, quiet = false } = values;
  if (target === undefined) throw usageFailure('-o is missing: the file to write, or - for stdout');
  const method = readChoice('method', values.method, METHODS) ?? 'layer';
  checkMethod(method, values);
  const asked = readChoice('dtype', values.dtype, DTYPES);
  const threads = readThreads(values.threads);
  const given: Normalization = {
    method,
    axis: readAxes(values.axis),
    epsilon: readNumber('epsilon', values.epsilon),
    groups: readNumber('groups', values.groups),
    gamma: values.gamma === undefined ? undefined : await readParameter(values.gamma),
    beta: values.beta === undefined ? undefined : await readParameter(values.beta),
  };
  if (threads !== undefined) await configure({ threads, requireThreads: threads !== 'auto' });

  const start = performance.now();
  const document = await openDocument(path, values);
  const { input, format, dtype: from, rowShape } = document;
  let progress: RowProgress | undefined;
  try {
    checkExtension(target, format);
    const range = rangeOf(document, values.rows);
    const to = asked ?? (format === 'csv' ? 'float64' : computedDType(from));
    const replacement = document.replace(to, range);
    let how = withAxis(given, document);
    if (method === 'batch') how = await withMoments(how, document, range, values.moments, quiet);
    const apply = normalizer({ how, rowShape, from, to, threads: info().threads > 1 });

    const shown = new RowProgress('normalize', document, range, quiet);
    progress = shown;
    const bytes = await writeOutput(target, force, async (output) => {
      await replacement.before(output);
      await pump(document.blocks(range), apply, to, output, (rows) => shown.advance(rows));
      await replacement.after(output);
    });
    const { rows } = shown;
    progress.clear();
    const seconds = (performance.now() - start) / 1000;
    const summary = {
      ...{ input: input.name, output: target, format, method, rows, rowShape: [...rowShape], dtype: to },
      ...{ bytesWritten: bytes, seconds, threads: info().threads },
      // In kilobytes, on every system.
      peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    };
    const json = `${JSON.stringify(summary)}\n`;
    // Where the rows go to stdout, they have it to themselves.
    if (values.json) await (target === '-' ? process.stderr.write(json) : print(json));
    else if (!quiet && process.stderr.isTTY) {
      process.stderr.write(`${target}: ${rows} rows, ${sizeText(bytes)} in ${seconds.toFixed(1)} s\n`);
    }
  } finally {
    progress?.clear();
    await input.close();
  }
}

/** What the names of files promise. */
const EXTENSIONS: ReadonlyMap<string, Format> = new Map([
  ['.npy', 'npy'],
  ['.safetensors', 'safetensors'],
  ['.csv', 'csv'],
]);

function checkExtension(target: string, format: Format): void {
  if (format === (EXTENSIONS.get(extname(target)) ?? format)) return;
  throw usageFailure(`${target}: would be a ${format} file: the output has the format of the input`);
}

/** Looks at the axes, those of a single row among them. */
function withAxis(given: Normalization, { isRow, rowShape }: Document): Normalization {
  // The only dimension of such a file is the last one of what is computed.
  const how = isRow && given.axis?.every((one) => one === 0) ? { ...given, axis: [-1] } : given;
  checkAxes(how, rowShape.length + 1);
  return how;
}

/** The statistics of all rows: from a file, or from a first pass over the input. */
async function withMoments(
  how: Normalization,
  document: Document,
  range: RowRange,
  file: string | undefined,
  quiet: boolean,
): Promise<Normalization> {
  const rank = document.rowShape.length + 1;
  if (how.axis !== undefined && how.axis.length > 1) {
    throw usageFailure(
      `--axis ${how.axis} names several axes, expected the one of the channels with --method batch`,
    );
  }
  if (file === undefined) {
    if (document.input.size === undefined) {
      throw usageFailure(
        `${document.input.name}: can be read once only, and --method batch reads twice: name a file, or give --moments`,
      );
    }
    const moments = await momentsOf(document, range, how.axis ?? [-1], quiet);
    return { ...how, moments: moments.finalize() };
  }
  const moments = await readMoments(file);
  const axis = how.axis ?? moments.axis;
  const positions = (axes: readonly number[]): number[] => axes.map((one) => (one < 0 ? one + rank : one));
  const [kept, wanted] = [positions(moments.axis), positions(axis)];
  if (kept.length !== 1 || kept[0] !== wanted[0]) {
    throw usageFailure(
      `${file}: keeps axis ${moments.axis.join(',') || 'none'}, expected the one of the channels, ${axis}`,
    );
  }
  const final: FinalMoments = moments.finalize();
  const result = { ...how, axis, moments: final };
  checkAxes(result, rank);
  return result;
}
