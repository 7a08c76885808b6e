// Rows of a .npy file.

import { npyHeader, npyHeaderBytes, readNpyHeader } from '../io.js';
import { readBinaryRows, rowBytesOf } from './binary.js';
import { type Document, type DocumentOptions, rowsOf, shapeOf } from './document.js';
import { Failure, within } from './failure.js';
import type { Input } from './input.js';

/** What tells how long a header is. */
const PREFIX_BYTES = 12;

/** Reads the header of a .npy file. */
export async function npyHeaderOf(input: Input): Promise<ReturnType<typeof readNpyHeader>> {
  const prefix = await input.peek(PREFIX_BYTES);
  const bytes = await input.peek(within(input.name, () => npyHeaderBytes(prefix)));
  return within(input.name, () => readNpyHeader(bytes, input.size));
}

export async function openNpy(input: Input, { elementsAsRows }: DocumentOptions): Promise<Document> {
  const { dtype, shape, fortranOrder, littleEndian, dataOffset } = await npyHeaderOf(input);
  if (fortranOrder && shape.length > 1) {
    throw new Failure(
      `${input.name}: its columns lie one after the other (Fortran order), expected rows: save np.ascontiguousarray(x)`,
    );
  }
  const rows = rowsOf(input.name, shape, elementsAsRows);
  const document: Document = {
    ...{ input, format: 'npy', dtype },
    ...rows,
    rowBytes: rowBytesOf(dtype, rows.rowShape),
    blocks: (range) =>
      readBinaryRows({ input, start: dataOffset, dtype, littleEndian, rowShape: rows.rowShape }, range),
    replace: (resultDType, range) => {
      const header = npyHeader({ dtype: resultDType, shape: shapeOf(document, range) });
      return {
        before: (output) => output.write(header),
        after: async () => {
          // Of files the header has told already.
          const isWhole = range.to === rows.rows;
          if (input.size !== undefined || !isWhole || (await input.peek(1)).length === 0) return;
          throw new Failure(`${input.name}: goes on after the array, expected one array`);
        },
      };
    },
  };
  return document;
}
