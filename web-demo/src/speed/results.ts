// What has been measured, put together from the rounds, and as text.

import { max, median, min, quantile } from 'd3-array';
import { METHODS } from '../compute/methods.js';
import { bytes, duration, significant } from '../ui/format.js';
import type { Times } from './measure.js';
import type { ContenderName, Engine, Finding } from './protocol.js';
import { binaryBytes, bytesMoved, type Settings, type Shape, shapeText } from './settings.js';

export type Kind = 'run' | 'sweep' | 'scaling';

/** One run, as far as it has come. */
export interface Measured {
  readonly kind: Kind;
  readonly settings: Settings;
  /** The sizes of a sweep. */
  readonly sizes: readonly (Shape & { readonly bytes: number })[];
  readonly engine: Engine | undefined;
  readonly errors: Readonly<Partial<Record<ContenderName, number>>>;
  /** Rounds by series. */
  readonly series: ReadonlyMap<string, Series>;
  readonly state: 'running' | 'complete' | 'partial';
}

export interface Series {
  /** How many rounds there are to be. */
  readonly rounds: number;
  readonly times: readonly Times[];
}

export function begin(kind: Kind, settings: Settings, sizes: Measured['sizes'] = []): Measured {
  return { kind, settings, sizes, engine: undefined, errors: {}, series: new Map(), state: 'running' };
}

export function withFinding(measured: Measured, finding: Finding): Measured {
  switch (finding.kind) {
    case 'engine':
      return { ...measured, engine: finding.engine };
    case 'checked':
      return { ...measured, errors: finding.errors };
    case 'round': {
      const before = measured.series.get(finding.series)?.times ?? [];
      const series = new Map(measured.series);
      series.set(finding.series, { rounds: finding.rounds, times: [...before, finding.times] });
      return { ...measured, series };
    }
    case 'doing':
      return measured;
  }
}

/** Over the rounds: the median and the quartiles. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

function spreadOf(values: readonly number[]): Spread {
  return {
    median: median(values) ?? Number.NaN,
    low: quantile(values, 0.25) ?? Number.NaN,
    high: quantile(values, 0.75) ?? Number.NaN,
  };
}

export interface Row {
  readonly name: string;
  /** Of a call. */
  readonly milliseconds: number;
  /** GB/s, for each round as for all. */
  readonly speed: Spread;
  /** The time over that of the first row. */
  readonly ratio: number;
}

/** @param moved - bytes of a call */
export function rowsOf({ times }: Series, moved: number, first: string): Row[] {
  const medianOf = (name: string) => median(times, (round) => round[name]) as number;
  return Object.keys(times[0] ?? {})
    .sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b) || Number(a) - Number(b))
    .map((name) => {
      const milliseconds = medianOf(name);
      const speeds = spreadOf(times.map((round) => speedOf(moved, round[name] as number)));
      return {
        name,
        milliseconds,
        // Through the median of the times, so that both say the same where there are two in the middle.
        speed: { ...speeds, median: speedOf(moved, milliseconds) },
        ratio: milliseconds / medianOf(first),
      };
    });
}

/** Whether the middle half of the rounds is so wide that the medians say little. */
export function isUnsteady(rows: readonly Row[]): boolean {
  return rows.some(({ speed }) => speed.high > UNSTEADY * speed.low);
}

const UNSTEADY = 1.5;

/** The order of the rows. */
const ORDER: readonly string[] = ['tensor', 'one', 'array', 'loop', 'copy'] satisfies ContenderName[];

/** GB/s. */
export function speedOf(moved: number, milliseconds: number): number {
  return moved / milliseconds / 1e6;
}

/** The rows of the one shape; none before the first round. */
export function shapeRows(measured: Measured): Row[] {
  const series = measured.series.get('shape');
  return series ? rowsOf(series, bytesMoved(measured.settings), 'tensor') : [];
}

/** What a call costs, on a single number. */
export function callRows(measured: Measured): Row[] {
  const series = measured.series.get('call');
  return series ? rowsOf(series, bytesMoved({ ...measured.settings, rows: 1, columns: 1 }), 'tensor') : [];
}

export interface SizeRow extends Shape {
  readonly bytes: number;
  readonly rounds: number;
  readonly of: readonly Row[];
}

export function sweepRows(measured: Measured): SizeRow[] {
  return measured.sizes.flatMap((size, i) => {
    const series = measured.series.get(String(i));
    if (!series) return [];
    const of = rowsOf(series, bytesMoved({ ...size, dtype: measured.settings.dtype }), 'tensor');
    return [{ ...size, rounds: series.times.length, of }];
  });
}

/** One row for each number of threads, which is its name. */
export function scalingRows(measured: Measured): Row[] {
  const series = measured.series.get('threads');
  return series ? rowsOf(series, bytesMoved(measured.settings), '1') : [];
}

export const threadsText = (n: number): string => `${n} ${n === 1 ? 'thread' : 'threads'}`;

export function nameOf(name: string, threads: number): string {
  switch (name) {
    case 'tensor':
      return threads > 1 ? `Tensor, ${threadsText(threads)}` : 'Tensor';
    case 'one':
      return 'Tensor, 1 thread';
    case 'array':
      return 'Array';
    case 'loop':
      return 'Plain loop';
    case 'copy':
      return 'memcpy';
    default:
      return threadsText(Number(name));
  }
}

// Numbers as they are written wherever they are.
export const speedText = (speed: number): string => significant(speed, 3);
export const middleText = ({ low, high }: Spread): string => `${speedText(low)} to ${speedText(high)}`;
export const timeText = duration;
export const ratioText = (ratio: number): string => significant(ratio, 3);
export const errorText = (ulp: number | undefined): string =>
  ulp === undefined ? '–' : `${significant(ulp, 2)} ulp`;

/** What a run was about. */
export function titleOf({ kind, settings, engine }: Measured): string {
  const threads = kind === 'scaling' ? '' : `, ${threadsText(engine?.threads ?? 1)}`;
  const shape = kind === 'sweep' ? '' : ` ${shapeText(settings)}`;
  return `${METHODS[settings.operation].operation},${shape} ${settings.dtype}${threads}`;
}

/** How many rounds there were, and whether that is all. */
export function roundsText({ kind, series, sizes, state }: Measured): string {
  if (kind === 'sweep') {
    const counts = [...series.values()].map(({ times }) => times.length);
    const [least, most] = [min(counts) ?? 0, max(counts) ?? 0];
    const rounds = least === most ? `${most}` : `${least} to ${most}`;
    const done = `${series.size} of ${sizes.length} sizes`;
    return `Medians of ${rounds} rounds for each size.${state === 'partial' ? ` Partial: cancelled after ${done}.` : ''}`;
  }
  const main = series.get(kind === 'run' ? 'shape' : 'threads');
  const done = main?.times.length ?? 0;
  if (state !== 'partial') return `Medians of ${done} rounds.`;
  if (done === main?.rounds) return `Medians of ${done} rounds. Partial: cancelled before the end.`;
  return `Medians of ${done} rounds. Partial: cancelled after ${done} of ${main?.rounds ?? 0}.`;
}

export interface Machine {
  readonly userAgent: string;
  readonly processors: number;
  readonly isIsolated: boolean;
}

/** Everything as text, for a report or a message. */
export function report(results: readonly Measured[], machine: Machine): string {
  const parts = results.filter(({ series }) => series.size > 0).map(reportOf);
  const engine = results.find((one) => one.engine)?.engine;
  return [
    `layernorm ${engine?.version ?? ''}: speed in the browser`,
    machine.userAgent,
    `${machine.processors} logical processors; cross-origin isolated: ${machine.isIsolated ? 'yes' : 'no'}; clock in steps of ${duration(engine?.clockStep ?? 0)}`,
    'GB/s: bytes of x read and of y written, over the median time of a call. Measured in turn, in random order.',
    ...parts.map((part) => `\n${part}`),
    '',
  ].join('\n');
}

function reportOf(measured: Measured): string {
  const { kind, engine } = measured;
  const build = engine ? ` (${engine.variant}${engine.reason ? `; ${engine.reason}` : ''})` : '';
  const lines = [`${titleOf(measured)}${build}`, roundsText(measured)];
  if (kind === 'sweep') return [...lines, sweepReport(measured)].join('\n');
  const rows = kind === 'run' ? shapeRows(measured) : scalingRows(measured);
  lines.push(`${bytes(bytesMoved(measured.settings))} read and written by a call`);
  const threads = engine?.threads ?? 1;
  lines.push(
    textTable([
      [
        '',
        'GB/s',
        'middle half',
        'time of a call',
        kind === 'run' ? 'time / Tensor' : 'time / 1 thread',
        'error',
      ],
      ...rows.map((row) => [
        nameOf(row.name, threads),
        speedText(row.speed.median),
        middleText(row.speed),
        timeText(row.milliseconds),
        ratioText(row.ratio),
        errorText(measured.errors[row.name as ContenderName]),
      ]),
    ]),
  );
  const calls = callRows(measured);
  if (calls.length > 0) {
    lines.push(
      `A call on a single number: ${calls.map((row) => `${nameOf(row.name, threads)} ${timeText(row.milliseconds)}`).join(', ')}`,
    );
  }
  return lines.join('\n');
}

function sweepReport(measured: Measured): string {
  const rows = sweepRows(measured);
  const names = rows[0]?.of.map(({ name }) => name) ?? [];
  const threads = measured.engine?.threads ?? 1;
  return textTable([
    ['size of x', ...names.map((name) => `${nameOf(name, threads)}, GB/s`)],
    ...rows.map((row) => [binaryBytes(row.bytes), ...row.of.map(({ speed }) => speedText(speed.median))]),
  ]);
}

/** Columns of equal width, the first one to the left. */
function textTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, c) => Math.max(...rows.map((row) => (row[c] ?? '').length)));
  return rows
    .map((row) =>
      row
        .map((cell, c) => (c === 0 ? cell.padEnd(widths[c] ?? 0) : cell.padStart(widths[c] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
