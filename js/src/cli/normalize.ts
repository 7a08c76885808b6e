// layernorm normalize

import { extname } from 'node:path';
import { configure, type FinalMoments, info, type Moments } from '../index.js';
import { computedDType } from './binary.js';
import { type Document, type Format, openDocument, rangeOf } from './document.js';
import { Failure, usageFailure } from './failure.js';
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
    const { how, statistics } = await readHow(given, document, values.moments);
    const make = (moments?: FinalMoments) =>
      normalizer({ how: { ...how, moments }, rowShape, from, to, threads: info().threads > 1 });
    // What is wrong is told before a long pass: by the statistics of no rows.
    make(await statistics({ from: 0, to: 0 }, true));

    const bytes = await writeOutput(target, force, async (output) => {
      const apply = make(await statistics(range, quiet));
      const shown = new RowProgress('normalize', document, range, quiet);
      progress = shown;
      await replacement.before(output);
      await pump(document.blocks(range), apply, to, output, (rows) => shown.advance(rows));
      await replacement.after(output);
    });
    const rows = progress?.rows ?? 0;
    progress?.clear();
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

/** How to normalize the rows of a document, and what gives the statistics of a batch. */
interface How {
  readonly how: Normalization;
  /** The statistics of some rows, or of those that a file of moments has counted. */
  readonly statistics: (range: RowRange, quiet: boolean) => Promise<FinalMoments | undefined>;
}

/** Looks at what depends on the document, and reads the moments of `file` where it is given. */
async function readHow(given: Normalization, document: Document, file: string | undefined): Promise<How> {
  const { isRow, rowShape, input } = document;
  const rank = rowShape.length + 1;
  // The only dimension of a single row is the last one of what is computed.
  const how = isRow && given.axis?.every((one) => one === 0) ? { ...given, axis: [-1] } : given;
  checkAxes(how, rank);
  const { method, axis = [-1] } = how;
  if (method !== 'batch') return { how, statistics: async () => undefined };
  if (axis.length > 1) {
    throw usageFailure(
      `--axis ${axis} names several axes, expected the one of the channels with --method batch`,
    );
  }
  if (file !== undefined) return byMoments(how, await readMoments(file), file, rank);
  if (input.size === undefined) {
    throw usageFailure(
      `${input.name}: can be read once only, and --method batch reads twice: name a file, or give --moments`,
    );
  }
  const statistics: How['statistics'] = async (range, quiet) =>
    (await momentsOf(document, range, axis, quiet)).finalize();
  return { how, statistics };
}

/** Moments know the axis that they keep. */
function byMoments(given: Normalization, moments: Moments, file: string, rank: number): How {
  const how = { ...given, axis: given.axis ?? moments.axis };
  const positions = (axes: readonly number[]): number[] => axes.map((one) => (one < 0 ? one + rank : one));
  const [kept, wanted] = [positions(moments.axis), positions(how.axis)];
  if (kept.length !== 1 || kept[0] !== wanted[0]) {
    throw usageFailure(
      `${file}: keeps axis ${moments.axis.join(',') || 'none'}, expected the one of the channels, ${how.axis}`,
    );
  }
  checkAxes(how, rank);
  const final = moments.finalize();
  if (final.count.every((count) => count === 0)) throw new Failure(`${file}: counts no rows`);
  return { how, statistics: async () => final };
}
