// Rows of one tensor of a .safetensors file. The others are copied as they are.

import {
  type FileDType,
  readSafetensorsHeader,
  type SafetensorsEntry,
  type SafetensorsHeader,
  safetensorsHeader,
  safetensorsHeaderBytes,
} from '../io.js';
import { isFloat, readBinaryRows, rowBytesOf } from './binary.js';
import { type Document, type DocumentOptions, rowsOf, shapeOf } from './document.js';
import { Failure, usageFailure, within } from './failure.js';
import type { Input } from './input.js';
import type { Output } from './output.js';
import { BLOCK_BYTES } from './rows.js';

/** What tells how long a header is. */
const PREFIX_BYTES = 8;
/** How many names an error lists. */
const LISTED = 10;

/** Reads the header of a safetensors file. */
export async function safetensorsHeaderOf(input: Input): Promise<SafetensorsHeader> {
  const prefix = await input.peek(PREFIX_BYTES);
  const bytes = await input.peek(within(input.name, () => safetensorsHeaderBytes(prefix)));
  return within(input.name, () => readSafetensorsHeader(bytes, input.size));
}

export async function openSafetensors(
  input: Input,
  { tensor, only = false, elementsAsRows }: DocumentOptions,
): Promise<Document> {
  const header = await safetensorsHeaderOf(input);
  const name = tensor ?? onlyFloats(input.name, header);
  const entry = header.tensors.get(name);
  if (entry === undefined) {
    throw usageFailure(
      `${input.name}: has no tensor '${name}', expected ${list([...header.tensors.keys()])}`,
    );
  }
  const { dtype, storedDType, shape, start } = entry;
  if (dtype === null) {
    throw new Failure(
      `${input.name}: tensor '${name}' is of type ${storedDType}, which cannot be computed with`,
    );
  }
  const rows = rowsOf(`${input.name}: tensor '${name}'`, shape, elementsAsRows);
  const all = [...header.tensors];
  const index = all.findIndex(([other]) => other === name);
  const [earlier, later] = only ? [[], []] : [all.slice(0, index), all.slice(index + 1)];

  const document: Document = {
    ...{ input, format: 'safetensors', dtype },
    ...rows,
    rowBytes: rowBytesOf(dtype, rows.rowShape),
    blocks: (range) =>
      readBinaryRows({ input, start, dtype, littleEndian: true, rowShape: rows.rowShape }, range),
    replace: (resultDType, range) => {
      const one = { name, dtype: resultDType, shape: shapeOf(document, range) };
      const tensors = [...earlier.map(copyOf), one, ...later.map(copyOf)];
      const bytes = safetensorsHeader(tensors, Object.fromEntries(header.metadata));
      return {
        before: async (output) => {
          await output.write(bytes);
          for (const [, { start, end }] of earlier) await copy(input, output, start, end);
        },
        after: async (output) => {
          for (const [, { start, end }] of later) await copy(input, output, start, end);
        },
      };
    },
  };
  return document;

  function copyOf([other, { dtype, storedDType, shape }]: [string, SafetensorsEntry]): {
    name: string;
    dtype: FileDType;
    shape: readonly number[];
  } {
    if (dtype !== null) return { name: other, dtype, shape };
    throw new Failure(
      `${input.name}: tensor '${other}' is of type ${storedDType}, which cannot be written: --only leaves it out`,
    );
  }
}

/** The tensor that is meant where nobody names one. */
function onlyFloats(file: string, { tensors }: SafetensorsHeader): string {
  const names = [...tensors].filter(([, { dtype }]) => isFloat(dtype)).map(([name]) => name);
  const [name] = names;
  if (name !== undefined && names.length === 1) return name;
  if (name === undefined) throw new Failure(`${file}: has no tensor of floats of 16, 32 or 64 bits`);
  throw usageFailure(
    `${file}: has ${names.length} tensors of floats, expected --tensor with one of ${list(names)}`,
  );
}

function list(names: readonly string[]): string {
  const more = names.length > LISTED ? `, and ${names.length - LISTED} more` : '';
  return names
    .slice(0, LISTED)
    .map((name) => `'${name}'`)
    .join(', ')
    .concat(more);
}

/** Copies bytes from the input. */
async function copy(input: Input, output: Output, from: number, to: number): Promise<void> {
  await input.seek(from);
  const buffer = new Uint8Array(Math.min(BLOCK_BYTES, to - from));
  while (input.position < to) {
    const bytes = buffer.subarray(0, Math.min(buffer.length, to - input.position));
    if ((await input.read(bytes)) < bytes.length) throw new Failure(`${input.name}: is cut off`);
    await output.write(bytes);
  }
}
