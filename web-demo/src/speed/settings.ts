// What can be measured, what of it stands in the address, and what there is memory for.

import type { MethodName } from '../compute/methods.js';
import { bytes, whole } from '../ui/format.js';

export const OPERATIONS = ['layer', 'rms', 'unit', 'batch'] as const satisfies readonly MethodName[];
export type OperationName = (typeof OPERATIONS)[number];

export const DTYPES = ['float32', 'float16', 'bfloat16', 'float64'] as const;
export type DType = (typeof DTYPES)[number];
export const BYTES: Record<DType, number> = { float32: 4, float16: 2, bfloat16: 2, float64: 8 };

export interface Shape {
  readonly rows: number;
  readonly columns: number;
}

export const PRESETS: readonly Shape[] = [
  { rows: 1, columns: 64 },
  { rows: 32, columns: 128 },
  { rows: 512, columns: 1024 },
  { rows: 2048, columns: 1024 },
  { rows: 8192, columns: 1024 },
];

export interface Settings extends Shape {
  readonly operation: OperationName;
  readonly dtype: DType;
  /** As many as are wished for; a machine that has fewer, or none, takes what it has. */
  readonly threads: number;
}

export const DEFAULTS: Settings = {
  operation: 'layer',
  rows: 512,
  columns: 1024,
  dtype: 'float32',
  threads: 1,
};

/** The package starts no more. */
export const MAX_THREADS = 32;
/** How many arrays of the size of x are needed: two outside WebAssembly, and two in each of its memories. */
const [ARRAYS, MORE_WITH_THREADS] = [4, 2];
const GIB = 2 ** 30;

/**
 * How many bytes a measurement may take: a quarter of what the machine is known to have.
 * @param deviceMemory - as browsers say it, in GiB, if they do
 */
export function memoryLimit(deviceMemory: number | undefined): number {
  return Math.min(2 * GIB, ((deviceMemory ?? 4) * GIB) / 4);
}

export function bytesOfX({ rows, columns, dtype }: Shape & { dtype: DType }): number {
  return rows * columns * BYTES[dtype];
}

/** What one call moves: x is read and y is written. */
export function bytesMoved(settings: Shape & { dtype: DType }): number {
  return 2 * bytesOfX(settings);
}

export function bytesNeeded(settings: Shape & { dtype: DType; threads: number }): number {
  return bytesOfX(settings) * (ARRAYS + (settings.threads > 1 ? MORE_WITH_THREADS : 0));
}

/** What is wrong with a shape, if anything. */
export function problemOf(settings: Settings, limit: number): string | undefined {
  const { rows, columns, dtype } = settings;
  for (const [name, value] of Object.entries({ Rows: rows, Columns: columns })) {
    if (!Number.isInteger(value) || value < 1) return `${name}: a whole number from 1 on is needed.`;
  }
  const needed = bytesNeeded(settings);
  if (needed <= limit) return undefined;
  const most = Math.floor(limit / bytesNeeded({ ...settings, rows: 1 }));
  const advice =
    most > 0
      ? `With ${whole(columns)} columns there is room for ${whole(most)} ${most === 1 ? 'row' : 'rows'}.`
      : 'Take fewer columns.';
  return (
    `${shapeText(settings)} of ${dtype} is ${bytes(bytesOfX(settings))}. Measuring it takes ` +
    `${bytes(needed)} of memory, and this page takes no more than ${bytes(limit)} here. ${advice}`
  );
}

export function shapeText({ rows, columns }: Shape): string {
  return `${whole(rows)} × ${whole(columns)}`;
}

export interface AddressValues {
  readonly op: string | undefined;
  readonly shape: string | undefined;
  readonly dtype: string | undefined;
  readonly threads: string | undefined;
}

/** What is no setting becomes the default. */
export function parseSettings({ op, shape, dtype, threads }: AddressValues): Settings {
  const sizes = /^([1-9]\d{0,9})x([1-9]\d{0,9})$/.exec(shape ?? '');
  const count = /^[1-9]\d?$/.test(threads ?? '') ? Number(threads) : DEFAULTS.threads;
  return {
    operation: OPERATIONS.find((one) => one === op) ?? DEFAULTS.operation,
    rows: sizes ? Number(sizes[1]) : DEFAULTS.rows,
    columns: sizes ? Number(sizes[2]) : DEFAULTS.columns,
    dtype: DTYPES.find((one) => one === dtype) ?? DEFAULTS.dtype,
    threads: count <= MAX_THREADS ? count : DEFAULTS.threads,
  };
}

/** Without what is the default. */
export function formatSettings({ operation, rows, columns, dtype, threads }: Settings): AddressValues {
  const shape = `${rows}x${columns}`;
  const unlessDefault = (value: string, standard: string) => (value === standard ? undefined : value);
  return {
    op: unlessDefault(operation, DEFAULTS.operation),
    shape: unlessDefault(shape, `${DEFAULTS.rows}x${DEFAULTS.columns}`),
    dtype: unlessDefault(dtype, DEFAULTS.dtype),
    threads: unlessDefault(String(threads), String(DEFAULTS.threads)),
  };
}

/** The sizes of x in the sweep: powers of two from 4 KiB to 64 MiB, in rows of so many columns. */
export const SWEEP_COLUMNS = 512;
const [SWEEP_FIRST, SWEEP_LAST] = [12, 26];

export function sweepSizes(settings: Settings, limit: number): (Shape & { bytes: number })[] {
  const { dtype, threads } = settings;
  const sizes: (Shape & { bytes: number })[] = [];
  for (let power = SWEEP_FIRST; power <= SWEEP_LAST; power++) {
    const rows = 2 ** power / (SWEEP_COLUMNS * BYTES[dtype]);
    const shape = { rows, columns: SWEEP_COLUMNS };
    if (bytesNeeded({ ...shape, dtype, threads }) <= limit) sizes.push({ ...shape, bytes: 2 ** power });
  }
  return sizes;
}

/** A power of two, as one says it: 64 KiB. */
export function binaryBytes(n: number): string {
  return n >= 2 ** 20 ? `${n / 2 ** 20} MiB` : `${n / 2 ** 10} KiB`;
}

/** The numbers of threads that are compared: all of them where there are few. */
export function threadSteps(most: number): number[] {
  return [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 24, 28, 32].filter((n) => n < most).concat(most);
}
