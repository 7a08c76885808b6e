// How far a command has come, for whoever waits in front of it.

import type { Document } from './document.js';
import type { RowRange } from './rows.js';

/** Between two states of the bar. */
const BAR_INTERVAL = 100;
/** Where there is no terminal, a line now and then tells that a long run goes on. */
const FIRST_LINE = 10_000;
const LINE_INTERVAL = 30_000;
const BAR_WIDTH = 24;

/** Where progress is shown. */
export interface Screen {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

export interface ProgressOptions {
  /** What is going on. */
  readonly label: string;
  /** How many bytes there are to read; undefined where nobody knows. */
  readonly total: number | undefined;
  readonly quiet: boolean;
  /** @defaultValue stderr */
  readonly screen?: Screen;
  /** Milliseconds, of a clock that never goes back. @defaultValue `performance.now` */
  readonly now?: () => number;
}

/** A bar on a terminal, lines elsewhere. */
export class Progress {
  readonly #options: ProgressOptions;
  readonly #screen: Screen;
  readonly #now: () => number;
  readonly #start: number;
  #next: number;
  #drawn = false;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#screen = options.screen ?? process.stderr;
    this.#now = options.now ?? (() => performance.now());
    this.#start = this.#now();
    this.#next = this.#start + (this.#screen.isTTY ? BAR_INTERVAL : FIRST_LINE);
  }

  /** Shows that so many bytes have been read, if it is time to. */
  update(bytes: number): void {
    const now = this.#now();
    if (this.#options.quiet || now < this.#next) return;
    const { label } = this.#options;
    if (this.#screen.isTTY) {
      this.#next = now + BAR_INTERVAL;
      this.#screen.write(`\r\u001b[K${label} ${this.#bar(bytes)}${this.#figures(bytes, now)}`);
      this.#drawn = true;
    } else {
      this.#next = now + LINE_INTERVAL;
      this.#screen.write(`layernorm: ${label} ${this.#figures(bytes, now)}\n`);
    }
  }

  /** Takes the bar away. */
  clear(): void {
    if (this.#drawn) this.#screen.write('\r\u001b[K');
    this.#drawn = false;
  }

  #bar(bytes: number): string {
    const { total } = this.#options;
    if (total === undefined) return '';
    const filled = Math.floor(BAR_WIDTH * share(bytes, total));
    return `[${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}] `;
  }

  #figures(bytes: number, now: number): string {
    const { total } = this.#options;
    const seconds = (now - this.#start) / 1000;
    const speed = bytes / seconds;
    const text = `${sizeText(bytes)}, ${sizeText(speed)}/s`;
    if (total === undefined) return text;
    const left = Math.ceil(Math.max(total - bytes, 0) / speed);
    return `${Math.floor(100 * share(bytes, total))} % of ${sizeText(total)}, ${sizeText(speed)}/s, ${timeText(left)} left`;
  }
}

function share(bytes: number, total: number): number {
  return total === 0 ? 1 : Math.min(bytes / total, 1);
}

/** Bytes in words: 1.5 GB, of 10^9 bytes as disks have it. */
export function sizeText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  while (bytes >= 999.5 && unit < units.length - 1) {
    bytes /= 1000;
    unit++;
  }
  return `${unit === 0 ? Math.round(bytes) : Number(bytes.toPrecision(3))} ${units[unit]}`;
}

function timeText(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?';
  const [minutes, rest] = [Math.floor(seconds / 60), seconds % 60];
  return minutes === 0 ? `${rest} s` : `${minutes} min ${rest} s`;
}

/** How far the reading of rows has come. */
export class RowProgress {
  readonly #progress: Progress;
  readonly #document: Pick<Document, 'input' | 'rowBytes'>;
  #rows = 0;

  constructor(
    label: string,
    document: Pick<Document, 'input' | 'rowBytes'>,
    { from, to }: RowRange,
    quiet: boolean,
  ) {
    const { input, rowBytes } = document;
    // Of rows that nobody has counted, those of the whole file.
    const whole = from === 0 && to === Number.POSITIVE_INFINITY ? input.size : undefined;
    const total = rowBytes === undefined ? whole : (to - from) * rowBytes;
    this.#document = document;
    this.#progress = new Progress({ label, total, quiet });
  }

  /** Shows that so many more rows are done. */
  advance(rows: number): void {
    const { input, rowBytes } = this.#document;
    this.#rows += rows;
    this.#progress.update(rowBytes === undefined ? input.position : this.#rows * rowBytes);
  }

  /** How many rows are done. */
  get rows(): number {
    return this.#rows;
  }

  clear(): void {
    this.#progress.clear();
  }
}
