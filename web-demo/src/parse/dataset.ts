// What every kind of file becomes: numbers with a shape, and what is known about the dimensions.

import type { Bits } from './sixteen_bit.js';

/** The element types that `layernorm` reads as they are. */
export type Numbers =
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>;

/** One dimension of a dataset. */
export interface Axis {
  readonly size: number;
  /** What it counts, in the plural: 'rows', 'columns', 'channels'. */
  readonly noun?: string;
  /** A name for each position. */
  readonly names?: readonly string[];
  /** Whether a name alone says which position it is: column headers do, species do not. */
  readonly namesAreUnique?: boolean;
}

export interface Dataset {
  readonly name: string;
  readonly kind: 'csv' | 'npy' | 'safetensors' | 'picture' | 'sound' | 'example';
  readonly axes: readonly Axis[];
  /** Row-major. */
  readonly data: Numbers;
  /** What is computed on in place of them, where they are of 16 bits. */
  readonly bits?: Bits;
  /** What has been left out or converted, in whole sentences. */
  readonly notes: readonly string[];
}

/** A file that cannot be read. The message says where, what was expected and what came. */
export class ParseError extends Error {
  override readonly name = 'ParseError';
}

/** Called now and then with the part of the work that is done, from 0 to 1. */
export type Progress = (fraction: number) => void;

export function shapeOf({ axes }: Pick<Dataset, 'axes'>): number[] {
  return axes.map(({ size }) => size);
}

/** Whether dimension 0 counts samples. A picture is one. */
export function hasBatch({ kind }: Pick<Dataset, 'kind'>): boolean {
  return kind !== 'picture';
}

/** '1 row', '150 rows', '150 × 4'. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString('en')} ${n === 1 ? one : many}`;
}

/** As much of what a file says as a message has room for. */
export function shorten(text: string): string {
  return text.length > 24 ? `${text.slice(0, 23)}…` : text;
}
