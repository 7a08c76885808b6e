// Files that are read as a whole: gamma, beta and moments.

import { existsSync } from 'node:fs';
import { Moments, type NumericArray, type TensorLike } from '../index.js';
import { openDocument, shapeOf } from './document.js';
import { within } from './failure.js';
import { type Input, openInput } from './input.js';
import { readRange } from './rows.js';

/**
 * Reads an array from a file: `gamma.npy`, `model.safetensors:norm.weight`, or the numbers of a CSV file.
 * @throws Failure
 */
export async function readParameter(place: string): Promise<TensorLike> {
  const [path, tensor] = splitPlace(place);
  const document = await openDocument(path, { tensor });
  const { input, rows, dtype } = document;
  try {
    const blocks: NumericArray[] = [];
    const range = readRange(undefined, rows);
    // Each array is used again two blocks later.
    for await (const { data } of document.blocks(range)) blocks.push(data.slice());
    const all = joined(blocks);
    const known = rows !== undefined && all.length > 0;
    return { data: all, shape: known ? shapeOf(document, range) : [all.length], dtype };
  } finally {
    await input.close();
  }
}

function joined(parts: readonly NumericArray[]): NumericArray {
  const [first] = parts;
  if (first === undefined) return new Float32Array(0);
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const all = new (first.constructor as new (length: number) => NumericArray)(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** A tensor's name stands after a colon; those that belong to the path of a file are left alone. */
function splitPlace(place: string): [path: string, tensor?: string] {
  const colon = place.indexOf(':', /^[a-z]:[\\/]/i.test(place) ? 2 : 0);
  return colon < 0 || existsSync(place) ? [place] : [place.slice(0, colon), place.slice(colon + 1)];
}

/** Reads what `layernorm moments -o` wrote. */
export async function readMoments(path: string): Promise<Moments> {
  const input = await openInput(path);
  try {
    return await momentsIn(input);
  } finally {
    await input.close();
  }
}

/** The moments that an input holds. */
export async function momentsIn(input: Input): Promise<Moments> {
  const bytes = await input.rest();
  return within(input.name, () => Moments.fromBytes(bytes));
}
